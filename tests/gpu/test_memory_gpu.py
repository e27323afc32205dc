"""`memory_gib` is the size of the card: a second process holds the rest of a large one, and
training, rendering, encoding and judging at full size stay within what is left.

pytest -m gpu -s tests/gpu/test_memory_gpu.py      each below 90 s on an H200
What a process takes is what the driver says that the card has less while it runs: context,
libraries and all.
"""

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from kindred.compute import memory_limit, nvml
from kindred.compute.memory_limit import GIB, RESERVE_GIB

HERE = torch.cuda.is_available()
ROOT = Path(__file__).parents[2]
NEEDED_GIB = 16
MEMORY = torch.cuda.get_device_properties(0).total_memory / GIB if HERE else 0
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(MEMORY < NEEDED_GIB, reason=f"needs a CUDA GPU of {NEEDED_GIB} GiB"),
]
EVERY_S = 0.05
# Takes all that is free but for so many bytes, and holds it until it is told to end.
HOLD = """
import sys, torch
rest = int(sys.argv[1])
torch.zeros(1, device="cuda")
torch.cuda.empty_cache()
held = torch.empty(torch.cuda.mem_get_info()[0] - rest, dtype=torch.uint8, device="cuda")
print(torch.cuda.mem_get_info()[0], flush=True)
sys.stdin.read()
"""


def environment(memory_gib):
    paths = [str(ROOT / "scripts"), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        memory_limit.MEMORY_GIB: str(memory_gib),
    }


@contextmanager
def card_with(gib):
    """A second process leaves so much of the card."""
    torch.cuda.empty_cache()
    command = [sys.executable, "-c", HOLD, str(int(gib * GIB))]
    environ = os.environ | {"PYTORCH_ALLOC_CONF": ""}
    holder = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ
    )
    try:
        yield int(holder.stdout.readline())
    finally:
        holder.communicate("")


class Watch:
    """The most that the card has in use while it watches, in bytes beyond the start."""

    def __enter__(self):
        self.start, self.most = self.used(), 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def used(self):
        card = f"GPU-{torch.cuda.get_device_properties(0).uuid}"
        return nvml.used()[card]

    def sample(self):
        while not self.ended.wait(EVERY_S):
            self.most = max(self.most, self.used() - self.start)


def worked(task, memory_gib):
    """(figures of the work, GiB that its process took at most) on such a card."""
    with card_with(memory_gib - RESERVE_GIB) as free, Watch() as watch:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("memory_work.py")), task],
            env=environment(memory_gib),
            capture_output=True,
            text=True,
            timeout=240,
        )
    assert done.returncode == 0, done.stderr[-3000:]
    figures, peak = json.loads(done.stdout.splitlines()[-1]), watch.most / GIB
    rounded = {key: round(value, 2) for key, value in figures.items()}
    print(
        f"\n{task}, memory_gib {memory_gib}: the process took {peak:.2f} GiB of "
        f"{free / GIB:.2f} free; {rounded}"
    )
    assert figures["reserved"] <= figures["limit"] + 20 / 1024
    assert peak <= memory_gib - RESERVE_GIB
    # What is measured at the start and what comes later hold: else the card above was only lucky.
    later = peak - figures["reserved"] - figures["outside"]
    assert later <= memory_limit.LATER_GIB + 0.1, later
    return figures, peak


def test_training_fits_a_card_of_12():
    figures, peak = worked("train", 12)
    assert figures["tries"] == 0 and peak > 9


def test_a_picture_between_steps_fits_a_card_of_12():
    figures, peak = worked("sample", 12)
    assert figures["tries"] == 0 and peak > 9


def test_pictures_fit_a_card_of_12():
    figures, _ = worked("draw", 12)
    assert not figures["offloaded"] and "dequantized" not in figures


def test_pictures_fit_a_card_that_the_weights_do_not_leave_room_on():
    figures, _ = worked("draw", 9)
    assert figures["offloaded"]


def test_encoding_fits_a_card_of_12():
    figures, _ = worked("encode", 12)
    assert not figures["streamed"]


def test_encoding_fits_a_card_smaller_than_t5():
    figures, _ = worked("encode", 8)
    assert figures["streamed"]


def test_judging_fits_a_card_of_12():
    worked("judge", 12)
