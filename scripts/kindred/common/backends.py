"""What is done on each kind of device, and what is not: asked wherever work depends on it.

torch calls AMD's GPUs `cuda` too; which of the two it is follows from how torch was built. Facts
about AMD's and Apple's GPUs are from torch's and bitsandbytes' documentation: nothing was run
there, and what is only faster is left out. Importing this module imports no torch.
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Backend:
    """A kind of device.

    title: with its article, for messages. cuda_api: torch.cuda works there (streams, pinned memory,
    what is free, limits). quantizes: 4- and 8-bit weights and optimizers of bitsandbytes. records:
    work as CUDA graphs. compiles: blocks by torch.compile. cudnn: attention by cuDNN, which knows
    generations of NVIDIA's GPUs by number, as products in 8-bit floats do (`fp8`). nvml: the driver
    tells what each process takes. shares_memory: the GPU works in main memory.
    """

    title: str
    cuda_api: bool = False
    quantizes: bool = False
    records: bool = False
    compiles: bool = False
    cudnn: bool = False
    fp8: bool = False
    nvml: bool = False
    shares_memory: bool = False


CPU = Backend("the CPU", fp8=True)
CUDA = Backend(
    "an NVIDIA GPU",
    cuda_api=True,
    quantizes=True,
    records=True,
    compiles=True,
    cudnn=True,
    fp8=True,
    nvml=True,
)
# bitsandbytes 0.50 lists AMD's GPUs for all that it does.
ROCM = Backend("an AMD GPU", cuda_api=True, quantizes=True, compiles=True)
MPS = Backend("an Apple GPU", shares_memory=True)


def backend_of(device: torch.device | str) -> Backend:
    """Of torch's device, or of its type's name."""
    kind = str(device).partition(":")[0]
    if kind == "cuda":
        return ROCM if built_for_rocm() else CUDA
    return MPS if kind == "mps" else CPU


def built_for_rocm() -> bool:
    """Whether the torch that is installed is for AMD's GPUs, without importing it."""
    if known := sys.modules.get("torch"):
        return getattr(known.version, "hip", None) is not None
    found = find_spec("torch")
    if found is None or not found.origin:
        return False
    version = Path(found.origin).with_name("version.py")
    text = version.read_text(encoding="utf-8") if version.is_file() else ""
    return re.search(r"^hip\b[^=\n]*=\s*['\"]", text, re.M) is not None


def has_apple_gpu() -> bool:
    """Whether this is a Mac with one that torch can use."""
    return sys.platform == "darwin" and platform.machine() == "arm64"
