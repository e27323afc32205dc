"""What is left out counts as not installed, and programs and other packages miss nothing of it."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from kindred.common.left_out import leave_out

SCRIPTS = Path(__file__).parents[3] / "scripts"

IMPORTED = """
import runpy, sys
program = sys.argv.pop(1)
sys.argv = [program, "--help"]
try:
    runpy.run_path(program, run_name="__main__")
except SystemExit:
    pass
from diffusers import FluxTransformer2DModel
from transformers import GenerationMixin
import kindred.models.lora.injection, kindred.rendering.run, kindred.training.batched.trainer
kept = {name.split(".")[0] for name in sys.modules}
print(sorted(kept & {"bitsandbytes", "peft", "scipy", "sklearn"}))
"""
STANDING_ON_IT = """
from importlib.util import find_spec
from kindred.common.left_out import leave_out
leave_out("scipy")
import importlib.util, sys
print(importlib.util.find_spec("scipy"), importlib.util.find_spec("scipy.sparse"))
import sklearn
print(sklearn.csr_array, importlib.util.find_spec("sklearn").name)
del sys.modules["scipy"]
import peft
print(peft.scipy)
"""


def test_packages_are_left_out_where_it_is_not_too_late(monkeypatch):
    ask = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", ask)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setitem(sys.modules, "torch", sys)
    leave_out("email", "json")
    assert importlib.util.find_spec is ask
    monkeypatch.delitem(sys.modules, "torch")
    leave_out("email")
    leave_out("json")
    assert not any(map(importlib.util.find_spec, ("email", "email.mime", "json")))
    assert importlib.util.find_spec("csv") and importlib.import_module("email.mime")


def test_a_package_that_stands_on_one_left_out_can_be_imported(tmp_path):
    for name, text in {
        "scipy/__init__.py": "",
        "scipy/sparse.py": "csr_array = 'rows'",
        "sklearn/__init__.py": "from scipy.sparse import csr_array",
        "peft/__init__.py": "import importlib\nfrom . import helpers\n"
        "try:\n    importlib.import_module('scipy')\nexcept ImportError as error:\n"
        "    scipy = f'{helpers.scipy}, {error}'",
        "peft/helpers.py": "try:\n    import scipy\nexcept ImportError:\n    scipy = 'none'",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = python(STANDING_ON_IT, tmp_path)
    assert done.stdout.splitlines() == [
        "None None",
        "rows sklearn",
        "none, No module named 'scipy'",
    ], done.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("train_batched.py", ["peft"]),
        ("render.py", ["bitsandbytes", "peft"]),
        ("encode_images.py", ["bitsandbytes", "peft"]),
        ("encode_captions.py", ["bitsandbytes", "peft"]),
        ("encode_prompts.py", ["bitsandbytes", "peft"]),
    ],
)
def test_programs_that_train_draw_and_encode_import_no_scipy(program, found, tmp_path):
    (tmp_path / "sklearn.py").write_text("from scipy.sparse import csr_array")
    done = python(IMPORTED, tmp_path, program)
    assert done.stdout.strip().endswith(str(found)), done.stderr


def python(code: str, first: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Code run with a folder of packages before those that are installed."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        cwd=SCRIPTS,
        env={"PYTHONPATH": f"{first}:{SCRIPTS}"},
    )
