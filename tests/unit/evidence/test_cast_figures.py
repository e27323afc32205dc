"""From score files to the casts part of summary.json, on a made-up experiment."""

from __future__ import annotations

import json

import pytest
from synthetic import ARMS, CHARACTERS, Arm, compared, make

from kindred.specs.casts import cast_prompts

NAMES = {letter: who.name for letter, who in CHARACTERS.items()}
ALL = {
    "all": Arm(),
    "scrambled": ARMS["scrambled"],
    "BASE": Arm(alone=0, group=0, stranger=1, run_sd=0, kind="base", control="base"),
}


@pytest.fixture(scope="module")
def summary(tmp_path_factory):
    casts = {"casts": cast_prompts(NAMES, [(144, 128), (192, 96)], 4)}
    root = tmp_path_factory.mktemp("casts")
    made = make(root, ALL, runs=2, seeds=(1, 2), prompts={}, pictures=False, casts=casts)
    return json.loads((compared(made).results / "summary.json").read_text())


def figures(summary, variant):
    return summary["variants"][variant]["casts"]["casts"]


def test_what_is_said_of_the_set(summary):
    told = summary["casts"]["casts"]
    assert len(told["casts"]) == 12 and told["casts"][6]["name"] == "A+C+J"
    assert {"name": "pair+1", "heads": 3, "strangers": 1} in told["casts"]
    assert told["canvases"] == ["144x128", "192x96"]
    assert told["wordings"] == ["bare", "place", "order", "garments"]
    assert told["per_run"] == 192
    assert told["drawers"]["canvas"]["all"] == pytest.approx(1 / 12, abs=1e-4)


def test_cast_accuracy_is_the_measure_of_the_same_name(summary):
    for name in ALL:
        own = figures(summary, name)["accuracy"]["all"]
        assert own == summary["variants"][name]["measures"]["cast"]["set:casts"]


def test_kinds_canvases_and_wordings_weigh_every_cast_the_same(summary):
    """The means of 7 and 5 casts make that of 12, those of both canvases too."""
    one = figures(summary, "all")
    family, others, every = (one["accuracy"][kind]["mean"] for kind in ("family", "others", "all"))
    assert (7 * family + 5 * others) / 12 == pytest.approx(every, abs=2e-4)
    canvases = [one["canvases"][canvas]["all"]["mean"] for canvas in ("144x128", "192x96")]
    assert sum(canvases) / 2 == pytest.approx(every, abs=2e-4)
    assert sum(x["mean"] for x in one["wordings"].values()) / 4 == pytest.approx(every, abs=2e-4)
    casts = [cast["mean"] for cast in one["casts"].values()]
    assert sum(casts) / 12 == pytest.approx(every, abs=2e-4)


def test_names_are_seen_to_matter(summary):
    every, wrong, base = (figures(summary, name) for name in ALL)
    assert every["accuracy"]["family"]["mean"] > wrong["accuracy"]["family"]["mean"] + 0.3
    assert base["accuracy"]["family"]["mean"] < 0.1 and base["accuracy"]["others"]["mean"] > 0
    assert every["detection"]["A"]["sensitivity"]["mean"] > 1.5
    assert wrong["detection"]["A"]["sensitivity"]["mean"] < 1
    assert every["bits"]["mean"] > wrong["bits"]["mean"] + 0.5
    assert base["bits"]["mean"] is None and base["bits"]["more"] == {"144x128": 96, "192x96": 96}


def test_order_and_garments_are_above_chance_where_planted(summary):
    one = figures(summary, "all")
    assert one["order"]["share"]["mean"] > one["order"]["chance"] + 0.2
    assert one["garments"]["right"]["mean"] > one["garments"]["chance"]
    assert set(one["products"]) == {"144x128", "192x96"}
    assert one["thresholds"]["0.5"] == one["accuracy"]["all"]["mean"]


def test_an_experiment_without_cast_sets_has_an_empty_part(tmp_path):
    made = make(tmp_path, {"all": Arm()}, runs=1, seeds=(1,), pictures=False)
    told = json.loads((compared(made).results / "summary.json").read_text())
    assert told["casts"] == {} and told["variants"]["all"]["casts"] == {}
