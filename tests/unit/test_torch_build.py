"""Which build of torch `make env` installs: envs/torch_index.sh, and its part of the Makefile."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INDEX = "https://download.pytorch.org/whl/cpu\n"


@pytest.fixture
def computer(tmp_path):
    """What the script prints on a computer with these programs, files and settings of pip."""

    def ask(wanted="auto", programs=(), files=(), pip="", machine="Linux x86_64"):
        bin_folder = tmp_path / "bin"
        bin_folder.mkdir()
        system, kind = machine.split()
        said = dict.fromkeys(programs, "exit 0") | {"python": f'echo "{pip}"'}
        said["uname"] = f'[ "$1" = -s ] && echo {system} || echo {kind}'
        for name, text in said.items():
            (bin_folder / name).write_text(f"#!/bin/sh\n{text}\n")
            (bin_folder / name).chmod(0o755)
        for file in files:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).touch()
        return subprocess.run(
            ["/bin/sh", ROOT / "envs/torch_index.sh", wanted, "python", tmp_path],
            env={"PATH": str(bin_folder)},
            capture_output=True,
            text=True,
        )

    return ask


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ({}, INDEX),
        ({"wanted": "cpu", "programs": ["nvidia-smi"]}, INDEX),
        ({"wanted": "cuda"}, ""),
        ({"programs": ["nvidia-smi"]}, ""),
        ({"programs": ["sbatch"]}, ""),
        ({"files": ["proc/driver/nvidia/version"]}, ""),
        ({"files": ["usr/lib/wsl/lib/libcuda.so.1"]}, ""),
        ({"files": ["dev/kfd"]}, ""),
        ({"pip": "global.index-url='https://mine'"}, ""),
        ({"pip": ":env:.find-links='/wheels'"}, ""),
        ({"machine": "Darwin arm64"}, ""),
        ({"machine": "Linux aarch64"}, ""),
    ],
)
def test_the_build_for_cpus_is_taken_only_where_no_card_can_come(computer, given, printed):
    done = computer(**given)
    assert (done.stdout, done.returncode) == (printed, 0)


def test_another_word_is_a_mistake(computer):
    done = computer("rocm")
    assert done.returncode == 1 and "neither auto nor cpu nor cuda" in done.stderr


@pytest.mark.parametrize("reachable", [True, False])
def test_make_env_goes_on_with_the_usual_build(tmp_path, reachable):
    """The pin alone, from that index; then everything that is pinned."""
    (tmp_path / "envs").mkdir()
    for file in ("Makefile", "envs/requirements.txt", "envs/torch_index.sh"):
        (tmp_path / file).write_text((ROOT / file).read_text(encoding="utf-8"), encoding="utf-8")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    fails = "" if reachable else '; case "$*" in *--index-url*) exit 1;; esac'
    python.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked{fails}\n')
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "env", "TORCH=cpu"], cwd=tmp_path, capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    asked = [line.split() for line in (tmp_path / "asked").read_text().splitlines()]
    assert [line[-1].split("==")[0] for line in asked] == ["torch", "envs/requirements.txt"]
    assert INDEX.strip() in asked[0] and "--no-deps" in asked[0]
    assert ("taking the usual build" in done.stdout) is not reachable
