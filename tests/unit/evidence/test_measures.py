"""A measure is one record: whoever adds one touches no other place."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import replace

import pytest
from synthetic import HYPOTHESES

from kindred.common.errors import ProblemsError
from kindred.common.files import read_json
from kindred.report.formatting import is_beyond, range_of
from kindred.specs.measures import MEASURES
from kindred.specs.scoring import Hypothesis

FRESH = ("kindred", "synthetic", "compare")  # imported anew for a table with one measure more


@pytest.fixture
def library_with(monkeypatch):
    """Imports the library and the made-up experiment anew, with one measure more."""

    def load(extra):
        mine = [name for name in sys.modules if name.split(".")[0] in FRESH]
        for name in mine:
            monkeypatch.delitem(sys.modules, name)
        table = importlib.import_module("kindred.specs.measures")
        fields = {name: getattr(extra, name) for name in extra.__dataclass_fields__}
        monkeypatch.setattr(
            table, "MEASURES", {**table.MEASURES, extra.name: table.Measure(**fields)}
        )
        return importlib.import_module

    before = set(sys.modules)
    yield load
    for name in set(sys.modules) - before:
        if name.split(".")[0] in FRESH:
            del sys.modules[name]


def test_a_measure_made_up_is_known_everywhere(library_with, tmp_path, monkeypatch):
    extra = replace(
        MEASURES["count"],
        name="crowd",
        says="pictures with more {counts} than asked for",
        heading="Crowded",
        hint="proportion of pictures with more than were asked for",
        value=lambda image: float(int(image.row["people_found"]) > len(image.asked)),
        compared=True,
    )
    load = library_with(extra)
    made_up = load("synthetic")
    scoring = load("kindred.specs.scoring")
    claim = scoring.Hypothesis(
        claim="Fewer.", variant="all", against="scrambled", measure="crowd", prompt_set="trio"
    )
    one = made_up.compared(
        made_up.make(tmp_path, hypotheses={"fewer": claim}, pictures=False, runs=2, seeds=(1,))
    )
    said = read_json(one.results / "verdicts.json")["hypotheses"]["fewer"]["sentence"]
    assert "Pictures with more people than asked for:" in said and " points" in said
    summary = read_json(one.results / "summary.json")
    assert summary["variants"]["all"]["measures"]["crowd"]["all"]["low"] >= 0
    assert "crowd" in {row["measure"] for row in summary["comparisons"]}
    assert '"crowd"' in load("kindred.config.json_schema").schema_text("schema.json")
    tables = load("kindred.report.tables")
    material = type("Material", (), {"by_size": {}, "variants": summary["variants"]})()
    assert ("Crowded", "crowd") in [(c.heading, c.measure) for c in tables.columns(material)]
    everywhere = importlib.import_module("kindred.specs.measures").MEASURES
    monkeypatch.setitem(everywhere, "crowd", replace(everywhere["crowd"], tabled=False))
    shown = [c.measure for c in tables.columns(material)]
    assert "crowd" not in shown and "count" in shown, "a measure may stay out of the tables"


def test_an_unknown_measure_is_told_with_the_nearest():
    given = HYPOTHESES["null"].model_dump() | {"measure": "sucess"}
    with pytest.raises(ProblemsError, match=r"\. Did you mean 'success'") as error:
        Hypothesis.read(json.dumps(given))
    assert "--spec: measure: must be" in str(error.value)


@pytest.mark.parametrize(
    ("measure", "mean", "low", "high", "shown"),
    [
        ("identity", 0.33, -1.13, 1.61, "wide"),
        ("identity", 0.70, 0.13, 1.41, "0.13 to ≥1"),
        ("identity", 0.12, -0.05, 0.36, "≤0 to 0.36"),
        ("identity", 0.53, 0.41, 0.67, "0.41–0.67"),
        ("identity", -0.26, -0.30, -0.18, "−0.30 to −0.18"),
        ("nearest_distance", 0.02, -0.01, 0.05, "≤0 to 0.05"),
        ("adherence", 0.02, -0.01, 0.05, "−0.01 to 0.05"),
        ("success", 0.5, 0.0, 1.0, "0–100"),
        ("of_own", 0.9, -0.1, 1.9, "−10 to 190"),
    ],
)
def test_an_interval_beyond_its_scale_says_so(measure, mean, low, high, shown):
    statistic = {"mean": mean, "low": low, "high": high}
    assert range_of(statistic, measure) == shown
    assert is_beyond(shown) == (shown == "wide" or "≤" in shown or "≥" in shown)
