"""How a program ends: a person's mistake, too little memory, and a mistake of ours."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from kindred.common import errors
from kindred.common.errors import KindredError, did_you_mean, run_main


def ending(capsys, error):
    def main():
        raise error

    with pytest.raises(SystemExit) as ended:
        run_main(main)
    return ended.value.code, capsys.readouterr().err


def test_a_person_s_mistake_is_its_message(capsys):
    assert ending(capsys, KindredError("config: wrong")) == (1, "error: config: wrong\n")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried 2 GiB\nmore"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GiB). Tried 2 GiB"),
    ],
    ids=["cuda", "mps"],
)
def test_too_little_memory_says_what_to_do(capsys, error):
    code, said = ending(capsys, error)
    assert code == 1 and "GPU ran out of memory" in said and "memory_gib" in said
    assert "Tried 2 GiB" in said and "Traceback" not in said


def test_a_mistake_of_ours_keeps_its_trace():
    def main():
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        run_main(main)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("lines", [1, 20000])
def test_a_program_whose_reader_has_gone_ends_without_a_trace(lines, unbuffered):
    program = (
        "import sys\n"
        "from kindred.common.errors import run_main\n"
        "sys.stdin.read()\n"
        f"run_main(lambda: print('line\\n' * {lines}))"
    )
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    folder = Path(errors.__file__).parents[2]
    told = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=folder, env=told, **pipes) as started:
        started.stdout.close()
        started.stdin.close()
        assert started.stderr.read() == b""
    assert started.returncode == 141


def test_another_broken_pipe_keeps_its_trace():
    def main():
        raise BrokenPipeError("of a worker")

    with pytest.raises(BrokenPipeError, match="of a worker"):
        run_main(main)


def test_a_program_looks_for_young_garbage_alone():
    program = (
        "import gc\n"
        "print(*gc.get_threshold())\n"
        "from kindred.common.errors import run_main\n"
        "run_main(lambda: print(gc.isenabled(), *gc.get_threshold()))"
    )
    folder = Path(errors.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    before, after = done.stdout.splitlines()
    young, middle, old = before.split()
    assert int(old) < 1000
    assert after.split() == ["True", young, middle, "1000"]


def test_what_collects_garbage_is_as_before_when_a_program_ends_in_a_process_that_goes_on(capsys):
    before = gc.get_threshold()
    with pytest.raises(SystemExit):
        run_main(lambda: print(gc.get_threshold()[2]))
    assert capsys.readouterr().out == "1000\n" and gc.get_threshold() == before
    ending(capsys, KindredError("wrong"))
    assert gc.get_threshold() == before


def test_what_is_known_is_listed_where_it_is_a_handful():
    many = [f"recipe-{n}" for n in range(40)]
    assert did_you_mean("recipe_7", many, "see page.md") == "did you mean 'recipe-7'?"
    assert did_you_mean("colour", ["b", "a"], "see page.md") == "choose one of: a, b"
    assert did_you_mean("colour", many, "see page.md") == "see page.md"
    said = did_you_mean("colour", ["cat", *many])
    assert said.startswith("choose one of: cat, recipe-") and said.endswith(", or one of 35 more")
    assert did_you_mean("colour", []) == "there is none yet"
