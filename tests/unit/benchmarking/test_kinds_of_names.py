"""Kinds of names are compared family by family."""

import importlib.util
import json
from pathlib import Path

import pytest

from kindred.common.errors import KindredError

ROOT = Path(__file__).resolve().parents[3]
FIRST = {"russell": 0.6, "okorie": 0.5, "ashford": 0.4, "burton": 0.5, "chandler": 0.5, "draper": 1}
MORE = {"": 0.0, "-own": 0.1, "-words": -0.2}


@pytest.fixture(scope="module")
def program():
    spec = importlib.util.spec_from_file_location(
        "kinds_of_names", ROOT / "benchmarks/kinds_of_names.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(folder: Path, album: str, value: float) -> Path:
    accuracy = {"all": {"mean": value / 2}, "family": {"mean": value}}
    told = {"variants": {"composed": {"casts": {"casts": {"accuracy": accuracy}}}}}
    path = folder / f"kinds-of-names-{album}/summary.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def test_each_family_is_compared_with_itself(program, tmp_path, capsys, monkeypatch):
    read, read_json = [], program.read_json
    monkeypatch.setattr(program, "read_json", lambda path: read.append(path) or read_json(path))
    for family, value in FIRST.items():
        for kind, more in MORE.items():
            write(tmp_path, family + kind, value + more)
    assert program.main(["--results", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "russell         60.0      70.0      40.0" in lines
    assert "own - surname: +10.0 (+10.0 to +10.0)" in lines
    assert "words - surname: -10.0 (-10.0 to -10.0)" in lines  # of all casts, half as much
    assert len(read) == len(set(read)) == len(FIRST) * len(MORE)


def test_what_is_missing_is_named(program, tmp_path):
    write(tmp_path, "russell", 0.5)
    with pytest.raises(KindredError, match="kinds-of-names-russell-own") as caught:
        program.tables_of(tmp_path, ["members"])
    assert "experiments=kinds-of-names-russell-own" in caught.value.cure
