"""For all tests: one thread a process, no network."""

from __future__ import annotations

import os

# Before any test module imports torch. Tests run beside each other, and tiny work gains nothing.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
