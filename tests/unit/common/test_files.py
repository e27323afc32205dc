"""Every write goes one way, and its failure is one line that names the path and the cure."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write, make_folder, read_jsonl, write_jsonl, write_text

SCRIPTS = Path(__file__).parents[3] / "scripts"
# In a process of its own, because a limit can't be taken back. `size`: what a disk has room for.
WRITER = """
import resource, signal, sys
sys.path.insert(0, sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import torch
from pathlib import Path
from kindred.common import files, safetensors_files
from kindred.common.errors import KindredError
from kindred.training.checkpoints import write_checkpoint
path, kind = Path(sys.argv[2]), sys.argv[3]
noise = torch.rand(400_000, generator=torch.Generator().manual_seed(0))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
writes = {
    "text": lambda: files.write_text(path, "x" * 400_000),
    "json": lambda: files.write_json(path, list(range(100_000))),
    "lines": lambda: files.write_jsonl(path, [{"n": n} for n in range(50_000)]),
    "csv": lambda: files.write_csv(path, ["n"], [{"n": n} for n in range(50_000)]),
    "tensors": lambda: safetensors_files.save(path, {"a": noise}),
    "checkpoint": lambda: write_checkpoint(path, {"a": noise}),
}
try:
    writes[kind]()
except KindredError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", ["text", "json", "lines", "csv", "tensors", "checkpoint"])
def test_a_disk_that_is_full_is_one_line_and_costs_nothing_made_before(tmp_path, kind):
    path = tmp_path / "made" / "file.x"
    write_text(path, "made before")
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(SCRIPTS), str(path), kind],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1 and str(path) in done.stdout, done.stdout
    assert "can't be written" in done.stdout and "make room on the disk" in done.stdout
    assert path.read_text() == "made before"
    assert [one.name for one in path.parent.iterdir()] == ["file.x"], "no leftovers"


@pytest.mark.parametrize(
    ("name", "cure"),
    [("a" * 300, "choose a shorter name"), ("file/below", "has the name of a folder")],
)
@pytest.mark.parametrize("write", [lambda path: write_text(path, "x"), make_folder])
def test_a_name_that_can_t_be_written_says_what_to_do(tmp_path, name, cure, write):
    (tmp_path / "file").write_text("x")
    path = tmp_path / name if write is make_folder else tmp_path / name / "x.txt"
    with pytest.raises(KindredError, match=cure) as raised:
        write(path)
    assert str(path) in str(raised.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(KindredError, match="get the right to write there"):
        write_text(tmp_path / "a", "x")
    tmp_path.chmod(0o700)


def test_another_fault_than_the_disk_s_is_told_as_it_is(tmp_path):
    with pytest.raises(RuntimeError, match="something else"), atomic_write(tmp_path / "a"):
        raise RuntimeError("something else")
    assert list(tmp_path.iterdir()) == []


def test_lines_end_at_line_feeds_alone(tmp_path):
    rows = [{"name": "a\u2028b\u0085c.jpg"}, {"name": "\x1c"}]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    assert read_jsonl(tmp_path / "rows.jsonl") == rows
