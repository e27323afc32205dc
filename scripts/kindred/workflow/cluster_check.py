"""Whether a node of a cluster has what jobs need: disk, locks, clock, Python, GPU, weights.

The machine that waits (`prepare`) writes down what it has and holds a lock; each node (`check`)
compares. Knows the shared disk and packages; nothing of queues.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from kindred.common import file_lock, files
from kindred.common.errors import Problems
from kindred.common.sentences import counted
from kindred.models.identity import is_local

FOLDER = Path("resources/cluster")
EXPECTED, LOCK = "expected.json", "lock"
PACKAGES = ("torch", "diffusers", "transformers", "peft", "numpy", "snakemake")
MOST_SKEW_S = 5.0
SEES_GPU = "import torch; print(torch.cuda.device_count() if torch.cuda.is_available() else 0)"


def facts() -> dict[str, str]:
    """What must be the same on all machines: the Python that runs, and versions of packages."""
    here = {name: version(name) for name in PACKAGES}
    python = os.path.normpath(sys.executable)
    return {"python": f"{python} {platform.python_version()}"} | here


def prepare(folder: Path = FOLDER) -> int | None:
    """Write down what this machine has, and lock a file for as long as this process lives. The open
    file; None where another process holds the lock."""
    held = file_lock.try_lock(folder / LOCK)
    files.write_json(folder / EXPECTED, facts())
    return held


def weights_of(model: str) -> Path:
    """Where a model's files lie: its own folder, or the hub's cache of it."""
    from huggingface_hub.constants import HF_HUB_CACHE

    if is_local(model):
        return Path(model).expanduser()
    return Path(HF_HUB_CACHE) / f"models--{model.replace('/', '--')}"


def check(models: Sequence[str], wants_gpu: bool, folder: Path = FOLDER) -> str:
    """A line that says what was found on this machine. models: folders or names on the hub. Raises
    ProblemsError naming all that is missing."""
    node, problems = platform.node(), Problems(f"{platform.node()} can't run the jobs")
    expected = files.read_json(folder / EXPECTED)
    for name, value in facts().items():
        if expected[name] != value:
            what = f"{value} on this node, but {expected[name]} where Snakemake runs"
            problems.add(
                name, what, "use one .venv on the shared disk, at the same path everywhere"
            )
    skew = _skew(folder / f"{node}.{os.getpid()}.new")
    if abs(skew) > MOST_SKEW_S:
        what = f"this node's clock differs from the disk's by {skew:+.0f} s"
        problems.add("clock", what, "synchronise the clocks of all nodes with one server (NTP)")
    if not _is_locked(folder / LOCK):
        problems.add(
            "locks",
            "this node does not see a lock that Snakemake's machine holds",
            "mount the disk with locks (Lustre: -o flock; NFS: lockd), or make sure that no two "
            "jobs train the same adapter",
        )
    for path in map(weights_of, models):
        if not path.exists():
            what = "is not visible on this node"
            problems.add(str(path), what, "move it to the shared disk (for downloads, set HF_HOME)")
    gpus = _gpus() if wants_gpu else 0
    if wants_gpu and not gpus:
        cure = "choose a partition with GPUs, and install a torch that fits their driver"
        problems.add("GPU", "torch finds no GPU", cure)
    problems.raise_if_any()
    fit = f"{node}: disk, locks, clock ({skew:+.1f} s), Python and weights fit"
    return f"{fit}; {counted(gpus, 'GPU')}"


def _skew(path: Path) -> float:
    """Seconds by which this clock is ahead of the disk's; a file is replaced on the way."""
    path.write_text("old", encoding="utf-8")
    files.write_text(path, "new")
    written, now = path.stat().st_mtime, time.time()
    path.unlink()
    return now - written


def _is_locked(path: Path) -> bool:
    """Whether another process holds the lock, as far as this machine can tell."""
    mine = file_lock.try_lock(path)
    if mine is not None:
        os.close(mine)
    return mine is None


def _gpus() -> int:
    """How many GPUs torch sees, asked in a process of its own, which takes its memory with it."""
    done = subprocess.run([sys.executable, "-c", SEES_GPU], capture_output=True, text=True)
    return int(done.stdout) if done.stdout.strip().isdigit() else 0
