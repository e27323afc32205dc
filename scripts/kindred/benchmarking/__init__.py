"""Measuring time and memory of the full-sized model; used by benchmarks and GPU tests alone."""

import kindred.common.errors  # noqa: F401
