"""Packages that libraries import because they are installed, kept out where nothing needs them.

diffusers, transformers and peft import bitsandbytes and scipy wherever they find them, which takes
seconds. Imports nothing of the library.
"""

from __future__ import annotations

import sys


def leave_out(*packages: str) -> None:
    """Have packages count as not installed in this process, unless it is too late.

    To be called before torch is imported: what is imported later has already been told of them.
    """
    if "torch" not in sys.modules:
        for name in packages:
            # None in its place is Python's way of saying that a package is not there.
            sys.modules.setdefault(name, None)  # type: ignore[arg-type]
