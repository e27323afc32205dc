"""Choosing the device a job runs on, and keeping more jobs off a GPU than it has slots for.

`acquire_device` must run before torch is imported: it sets CUDA_VISIBLE_DEVICES. Several GPUs named
there (an allocation of a batch system, a container) are dealt out as those of a machine. Settings
of the machine come through the environment, from `device:` in config/config.yaml:
KINDRED_JOBS_PER_GPU, how many jobs share a GPU, KINDRED_DEVICE_MAP (see `add_device_map`), and
KINDRED_MEMORY_GIB (memory_limit).
Knows nothing of what the job computes.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from kindred.common import file_lock
from kindred.common.amounts import number_of
from kindred.common.backends import backend_of, built_for_rocm, has_apple_gpu
from kindred.common.errors import KindredError
from kindred.common.left_out import leave_out
from kindred.common.sentences import counted
from kindred.compute import memory_limit

if TYPE_CHECKING:
    import torch

JOBS_PER_GPU, DEVICE_MAP = "KINDRED_JOBS_PER_GPU", "KINDRED_DEVICE_MAP"
PICTURES_AT_ONCE = "KINDRED_PICTURES_AT_ONCE"  # of programs that draw for many runs
VISIBLE = "CUDA_VISIBLE_DEVICES"
# What AMD's driver says of each processor and GPU.
AMD_NODES = Path("/sys/class/kfd/kfd/topology/nodes")
MIB = 2**20
OTHER_MAKERS = {"0x1002": "AMD", "0x8086": "Intel"}
# What batch systems call a job. They may number a job's own GPUs from 0 on, so the locks of one job
# say nothing to another.
ALLOCATIONS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
# What takes jobs on a GPU longest to import.
IMPORTED = ("torch", "transformers.modeling_utils", "diffusers.models.modeling_utils")
SETTLED_S = 1.0  # after which the memory of a job that ended is free
_held: list[int] = []  # open lock files
_taken: list[str] = []  # what VISIBLE was set to, once GPUs are locked


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The `--device`, `--threads` and `--memory-gib` that every computing program takes."""
    parser.add_argument(
        "--device",
        choices=["auto", "cpu", "cuda", "mps"],
        default="auto",
        help="auto (default): a GPU if there is one, except Apple's; mps: Apple's GPU",
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0: all cores")
    memory_limit.add_argument(parser)


def add_device_map(parser: argparse.ArgumentParser) -> None:
    """The `--device-map` of programs that can spread one model over several GPUs."""
    parser.add_argument(
        "--device-map",
        dest="split",
        type=Split.read,
        default=os.environ.get(DEVICE_MAP, "no"),
        help="spread the model over all GPUs: no (default), yes, or the GiB to use of each, such "
        "as 12,24",
    )


@dataclass(frozen=True)
class Split:
    """One model over all GPUs. sizes: GiB to be used of each; none given: what each has free."""

    sizes: tuple[float, ...] = ()

    @classmethod
    def read(cls, text: str) -> Split | None:
        """From 'yes', 'no' or '12,24'. Raises ArgumentTypeError for anything else."""
        if text in ("yes", "no"):
            return cls() if text == "yes" else None
        sizes = tuple(number_of(size) or 0.0 for size in text.split(","))
        if len(sizes) < 2 or not all(sizes):
            raise argparse.ArgumentTypeError(
                f"'{text}' is not yes, no, or two or more sizes in GiB such as 12,24"
            )
        return cls(sizes)


def gpus_present(folder: Path = Path("/dev"), nodes: Path = AMD_NODES) -> list[int]:
    """Indices of the NVIDIA devices of this machine, or of AMD's where torch is built for those;
    without torch."""
    if built_for_rocm():
        numbers = (path.read_text().strip() for path in sorted(nodes.glob("*/gpu_id")))
        return list(range(sum(number != "0" for number in numbers)))  # 0: a node of processors
    found = (re.fullmatch(r"nvidia(\d+)", path.name) for path in folder.glob("nvidia*"))
    return sorted(int(match[1]) for match in found if match)


def gpus_visible() -> list[str]:
    """The GPUs that jobs may use, as CUDA_VISIBLE_DEVICES names them (numbers or UUIDs): its list
    where it is set, else all of this machine. CUDA reads the list up to the first -1, and numbers
    the GPUs that a container was given from 0 on, whatever their files are called."""
    if VISIBLE not in os.environ:
        return [str(number) for number, _ in enumerate(gpus_present())]
    named = [name.strip() for name in os.environ[VISIBLE].split(",")]
    return named[: named.index("-1")] if "-1" in named else [name for name in named if name]


def only_gpu() -> bool:
    """Whether jobs take turns at one GPU: it is the only one, and locked by who works on it."""
    return VISIBLE not in os.environ and len(gpus_visible()) == 1


def other_gpus(folder: Path = Path("/sys/class/drm")) -> list[str]:
    """Makers of GPUs here that are not NVIDIA's, without torch: 'AMD' for each of its cards."""
    vendors = (path.read_text().strip() for path in sorted(folder.glob("card*/device/vendor")))
    return [OTHER_MAKERS[vendor] for vendor in vendors if vendor in OTHER_MAKERS]


def jobs_per_gpu() -> int:
    """How many jobs share a GPU. Raises KindredError when the environment says nonsense."""
    text = os.environ.get(JOBS_PER_GPU, "1")
    if not text.isdigit() or int(text) < 1:
        raise KindredError(
            f"{JOBS_PER_GPU}={text} is not a number of jobs",
            cure="set it to a whole number, 1 or more",
        )
    return int(text)


def lock_folder() -> Path:
    """Where GPU locks lie: shared by every checkout and every user of this machine."""
    return Path(tempfile.gettempdir()) / "kindred-locks"


def acquire_device(
    wanted: str, wait_s: float = 24 * 3600.0, poll_s: float = 0.5, split: Split | None = None
) -> str:
    """'cpu', or 'cuda' with a slot of one GPU locked until this process ends; with `split`, all
    slots of every GPU; or 'mps' with a slot of Apple's, where that is asked for.

    Sets CUDA_VISIBLE_DEVICES to what was locked. Where it is set already, it names the GPUs to
    choose from; a single one was chosen for this job (by a batch system), and is neither changed
    nor locked. Raises KindredError when `wanted` is a GPU that is not there, none gets free in
    `wait_s` seconds, or GPUs can't share a model.
    """
    found = _choose(wanted, wait_s, poll_s, split)
    if not backend_of(found).quantizes:
        leave_out("bitsandbytes")  # nothing is quantized there
    return found


def _choose(wanted: str, wait_s: float, poll_s: float, split: Split | None) -> str:
    if wanted == "cpu":
        return "cpu"
    if wanted == "mps":
        return _apple(wait_s, poll_s)
    gpus, chosen = gpus_visible(), VISIBLE in os.environ
    if not gpus:
        if wanted == "cuda":
            raise _no_gpu(chosen)
        return "cpu"
    # Segments that grow leave fewer holes: more of a small card can be filled. Torch reads it when
    # it is imported.
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    if chosen and _taken == gpus:  # by this process, earlier
        return "cuda"
    if split:
        _together(gpus, split)
    if not chosen or len(gpus) > 1:
        _taken[:] = _wait_for(gpus, wait_s, poll_s, len(gpus) * jobs_per_gpu() if split else 1)
        os.environ[VISIBLE] = ",".join(_taken)
    return "cuda"


def _together(gpus: Sequence[str], split: Split) -> None:
    """Raise KindredError when these GPUs can't hold a model together."""
    others = other_gpus()
    if len(gpus) < 2 and others:
        raise KindredError(
            f"one model can't be spread over an NVIDIA and an {others[0]} GPU, because torch is "
            "built for one maker",
            "device: device_map",
            "train on the NVIDIA card alone (device: device_map: false, with `memory_gib` or "
            f"`quantization: nf4` if it is small); the {others[0]} card can train other variants "
            f"from a second copy of the project with torch for {others[0]}",
        )
    if len(gpus) < 2:
        raise KindredError(
            "this machine has one NVIDIA GPU, but `device_map` needs two",
            "device: device_map",
            "set it to false; if the model is too large for the card, set `memory_gib` too",
        )
    if split.sizes and len(split.sizes) != len(gpus):
        raise KindredError(
            f"{counted(len(split.sizes), 'size is', 'sizes are')} given for "
            f"{counted(len(gpus), 'GPU')}",
            "device: device_map",
            "give one size for each GPU, in the order of nvidia-smi",
        )


def _wait_for(gpus: Sequence[str], wait_s: float, poll_s: float, count: int) -> list[str]:
    """The GPUs of `count` slots that this process has locked, each once, in the order of `gpus`.

    Slots are kept while waiting for more, and taken in one order by all: no two jobs can wait for
    each other. A job that begins when the only GPU gets free does not overtake one that waits.
    """
    free = [(gpu, slot) for slot in range(jobs_per_gpu()) for gpu in gpus]
    deadline, told = time.monotonic() + wait_s, False
    taken: list[str] = []
    with ExitStack() as turn:
        ours = len(gpus) > 1
        while True:
            if not ours and (place_in_line := _place_in_line(gpus[0])):
                turn.enter_context(place_in_line)
                ours = True
            for place in list(free) if ours else ():
                if _lock(*place):
                    free.remove(place)
                    taken.append(place[0])
                    if len(taken) == count:
                        time.sleep(SETTLED_S if told else 0)
                        return [gpu for gpu in gpus if gpu in taken]
                elif count > 1:
                    break
            if time.monotonic() >= deadline:
                raise _none_free(len(gpus), count > 1)
            if not told:
                told = True
                _say_and_import(len(gpus), count > 1)
            time.sleep(poll_s)


def _say_and_import(gpus: int, all_needed: bool) -> None:
    """Say that a job waits. While another has the only GPU, import what jobs on a GPU import: which
    of several torch is to see would have to be known before."""
    one = "the GPU" if gpus == 1 else f"one of {gpus} GPUs"
    waiting = f"all of {gpus} GPUs" if all_needed else one
    print(f"waiting for {waiting}", file=sys.stderr, flush=True)
    for name in IMPORTED if gpus == 1 else ():
        import_module(name)


def _none_free(gpus: int, all_needed: bool) -> KindredError:
    """The error for GPUs that other jobs kept for longer than one waits."""
    one = "the GPU did not become free in time"
    none = f"none of the {gpus} GPUs became free in time"
    not_all = f"the {gpus} GPUs did not all become free in time"
    return KindredError(
        one if gpus == 1 else not_all if all_needed else none,
        cure=f"`fuser {lock_folder()}/*` lists the processes that hold the locks; let them finish, "
        "or stop them, and run the same command again",
    )


def _no_gpu(hidden: bool) -> KindredError:
    """The error for `--device cuda` where there is none that torch could use."""
    where = "--device cuda"
    if not hidden and "AMD" in other_gpus() and not built_for_rocm():
        what = "this machine has an AMD GPU, but torch is not built for it"
        return KindredError(what, where, "install torch for ROCm, or use --device cpu")
    reason = f"{VISIBLE} hides every GPU" if hidden else "this machine has no NVIDIA GPU"
    return KindredError(reason, where, "use --device cpu or --device auto")


def _apple(wait_s: float, poll_s: float) -> str:
    """'mps', with a slot of it locked."""
    if not has_apple_gpu():
        raise KindredError(
            "this machine has no Apple GPU", "--device mps", "use --device cpu or --device auto"
        )
    # What Metal has no kernel for is done on the CPU. Torch reads it when it is imported.
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    if _taken != ["mps"]:
        _taken[:] = _wait_for(["mps"], wait_s, poll_s, 1)
    return "mps"


def _place_in_line(gpu: str) -> BinaryIO | None:
    """The place behind who works on a GPU, until it is closed; None while another job has it."""
    held = _try_lock(gpu, ".next")
    return None if held is None else os.fdopen(held, "rb")


def _lock(gpu: str, slot: int) -> bool:
    """Whether a GPU's slot could be taken; the system lets go of it when this process dies."""
    held = _try_lock(gpu, f".{slot}" if slot else "")
    if held is not None:
        _held.append(held)
    return held is not None


def _try_lock(gpu: str, place: str) -> int | None:
    """The open lock of a place at a GPU, or None when another process has it."""
    owners = [os.environ[one] for one in ALLOCATIONS if VISIBLE in os.environ and one in os.environ]
    parts = [*owners[:1], gpu]
    name = "-".join(["gpu", *(re.sub(r"[^\w.-]", "_", part) for part in parts)])
    return file_lock.try_lock(lock_folder() / f"{name}{place}.lock")


def prepare(name: str, threads: int) -> torch.device:
    """torch's device, with threads set and arithmetic choices made explicit.

    Fused attention is on, whatever ran in this process before: it changes a training's last bits.
    float32 products (LoRA, the lab's base, the VAE) are taken in TF32, ten bits of mantissa with
    float32 sums: more than the bfloat16 that other trainers compute LoRA in, and several times
    faster than float32. A GPU's memory is limited as `device: memory_gib` says. Raises KindredError
    when torch can't use the GPU, or the limit leaves nothing to work with.
    """
    import torch

    if threads > 0:
        torch.set_num_threads(threads)
    # Works on CPUs too, in spite of its name; the lab's training programs turn it off there.
    torch.backends.cuda.enable_flash_sdp(True)
    if name == "cuda":
        if not torch.cuda.is_available():
            raise KindredError(
                "there is a GPU, but torch can't use it",
                "--device cuda",
                "install the card's driver and the CUDA build of torch (`rm -r .venv`, then "
                "`make env TORCH=cuda`; for an AMD GPU a ROCm build), or use --device cpu",
            )
        known = memory_limit.before()
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        # cuDNN's attention in compiled blocks has met illegal memory accesses, which end a process.
        torch.backends.cuda.enable_cudnn_sdp(False)
        # By its number: some of torch's functions take no device without one.
        device = torch.device(name, torch.cuda.current_device())
        memory_limit.apply(device, known)
        return device
    if name == "mps" and not torch.backends.mps.is_available():
        raise KindredError(
            "there is an Apple GPU, but torch can't use it",
            "--device mps",
            "install a build of torch for arm64 on macOS 14 or later, or use --device cpu",
        )
    return torch.device(name)


def peak_memory_mib(device: torch.device) -> float:
    """Most memory this process has used: of the GPU where that has its own, else of the machine."""
    if backend_of(device).cuda_api:
        import torch

        return round(torch.cuda.max_memory_allocated(device) / MIB, 1)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there (man getrusage)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB, 1)
