"""FLUX.2 klein in small."""
