"""The table without names: what is in it, and what must not be."""

from __future__ import annotations

import csv
import json

import pytest
import reported
from family_summaries import cast_figures

import figures_to_send as program
from kindred.report.figures_to_send import COLUMNS, figures_to_send

SECRET = "JRussell"


def summary() -> dict:
    people = {"J": {"name": SECRET, "class": "man"}, "A": {"name": "ARussell", "class": "woman"}}
    arm = {
        "base": "klein-4b",
        "runs": [1, 2],
        "casts": {"my-casts": {"images": 9, **cast_figures(0.5, {"J": 0.4, "A": 0.6, "A+J": 0.2})}},
    }
    return {
        "characters": people,
        "references": {"J": {"photos": ["IMG_JRussell.jpg"]}, "A": {"photos": ["a", "b"]}},
        "judge": {"believed": {"confusion": {"J": {"J": 3, "A": 1}, "A": {"A": 2}}}},
        "variants": {"composed": arm, f"{SECRET}-best": {**arm, "base": f"my-{SECRET}"}},
    }


VERDICTS = {
    "hypotheses": {
        f"{SECRET}-wins": {
            "claim": f"{SECRET} wins",
            "variant": "composed",
            "against": f"{SECRET}-best",
            "label": "supported",
            "difference": 0.3,
            "adjusted": {"low": 0.2, "high": 0.4},
        }
    }
}
TRAINING = {
    "base": f"{SECRET}/base@abc",
    "version": "train 1, klein 2",
    "trainable_parameters": 1000,
    "device": "NVIDIA H200",
    "seconds": 30.0,
    "steps": 100,
    "peak_memory_mib": 2048,
}


@pytest.fixture
def rows() -> list[dict]:
    return figures_to_send(summary(), VERDICTS, [TRAINING], "abc123")


def test_nobodys_name_and_no_words_of_the_configuration_are_in_it(rows):
    text = json.dumps(rows)
    for word in ("Russell", "my-", "IMG", "wins", "A+J"):
        assert word not in text
    arms = {row["arm"] for row in rows if row["part"] == "arm"}
    assert arms == {"composed", "arm 1"}


def test_it_says_setting_figures_and_verdicts(rows):
    told = {row["figure"]: row["value"] for row in rows if row["part"] == "setting"}
    assert told["seconds a step"] == 0.3 and told["reference photos"] == "2, 1"
    assert told["architecture"] == "klein" and told["trained parameters"] == 1000
    assert told["card"] == "NVIDIA H200"
    assert told["photos named rightly by the judge"] == 5
    mine = {row["figure"]: row["value"] for row in rows if row.get("arm") == "composed"}
    assert mine["all casts"] == 0.5 and mine["1 person"] == 0.5 and mine["2 people"] == 0.2
    verdict = rows[-1]
    assert (verdict["arm"], verdict["figure"]) == ("composed - arm 1", "supported")
    assert verdict["low"] == 0.2 and set().union(*rows) <= {*COLUMNS}


def test_the_program_writes_it_of_a_real_experiment(tmp_path_factory):
    made = reported.build(tmp_path_factory.mktemp("send"), runs=2, seeds=(1,))
    out = made.root / "figures-to-send.csv"
    gone = made.results / "gone/run-1/lora.json"  # of a variant that was renamed
    gone.parent.mkdir(parents=True)
    gone.write_text("{}")
    program.main(["--folder", str(made.results), "--out", str(out)])
    with open(out, newline="", encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    assert tuple(read[0]) == COLUMNS and {"setting", "verdict"} <= {row["part"] for row in read}
    assert "Russell" not in out.read_text(encoding="utf-8")
