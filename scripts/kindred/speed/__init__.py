"""Measuring time and memory of the full-sized model; used by benchmarks and GPU tests alone."""

import kindred.errors  # noqa: F401 - first, because it silences a warning of diffusers' import
