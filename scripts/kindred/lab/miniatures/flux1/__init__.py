"""FLUX.1-dev in small."""
