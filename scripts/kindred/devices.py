"""Choosing the device a job runs on, and keeping two jobs off one GPU.

`claim` must run before torch is imported: it sets CUDA_VISIBLE_DEVICES. Knows nothing of what
the job computes.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kindred.errors import KindredError

if TYPE_CHECKING:
    import torch

_held: list[IO[str]] = []


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The `--device` and `--threads` that every computing program takes."""
    parser.add_argument(
        "--device",
        choices=["auto", "cpu", "cuda"],
        default="auto",
        help="auto takes a GPU when there is one (default)",
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 takes all cores")


def gpus_present(folder: Path = Path("/dev")) -> list[int]:
    """Indices of the NVIDIA devices of this machine, without torch."""
    found = (re.fullmatch(r"nvidia(\d+)", path.name) for path in folder.glob("nvidia*"))
    return sorted(int(match[1]) for match in found if match)


def lock_folder() -> Path:
    """Where GPU locks lie: shared by every checkout on this machine."""
    return Path(tempfile.gettempdir()) / "kindred-locks"


def claim(wanted: str, wait_s: float = 24 * 3600.0, poll_s: float = 2.0) -> str:
    """'cpu', or 'cuda' with one free GPU locked until this process ends.

    Sets CUDA_VISIBLE_DEVICES unless it is set already (a batch system did the choosing). Raises
    KindredError when `wanted` is cuda without a GPU, or none gets free in `wait_s` seconds.
    """
    if wanted == "cpu":
        return "cpu"
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        visible = os.environ["CUDA_VISIBLE_DEVICES"].strip() not in ("", "-1")
        return _cuda_or_error(wanted, visible, "CUDA_VISIBLE_DEVICES hides every GPU")
    gpus = gpus_present()
    if not gpus:
        return _cuda_or_error(wanted, False, "this machine has no NVIDIA GPU")
    deadline, told = time.monotonic() + wait_s, False
    while True:
        for gpu in gpus:
            if _lock(gpu):
                os.environ["CUDA_VISIBLE_DEVICES"] = str(gpu)
                return "cuda"
        if time.monotonic() >= deadline:
            raise KindredError(f"no GPU of {len(gpus)} got free; see locks in {lock_folder()}")
        if not told:
            print(f"waiting for one of {len(gpus)} GPUs", file=sys.stderr, flush=True)
            told = True
        time.sleep(poll_s)


def _cuda_or_error(wanted: str, present: bool, reason: str) -> str:
    if present:
        return "cuda"
    if wanted == "cuda":
        raise KindredError(f"--device cuda: {reason}; use --device cpu, or auto")
    return "cpu"


def _lock(gpu: int) -> bool:
    """Whether `gpu-<i>.lock` could be taken; the system lets go of it when this process dies."""
    lock_folder().mkdir(mode=0o777, exist_ok=True)
    file = open(lock_folder() / f"gpu-{gpu}.lock", "a+")  # noqa: SIM115 - held until we end
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _held.append(file)
    return True


def prepare(name: str, threads: int) -> torch.device:
    """torch's device, with threads set and arithmetic choices made explicit.

    TF32 stays off: float32 parts (LoRA, norms) are small and keep their precision. Raises
    KindredError when torch can't use the GPU.
    """
    import torch

    if threads > 0:
        torch.set_num_threads(threads)
    if name == "cuda":
        if not torch.cuda.is_available():
            raise KindredError(
                "--device cuda: there is a GPU but torch can't use it; install a CUDA build of "
                "torch and a driver that fits, or use --device cpu"
            )
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)
