"""Every experiment that the report gives to paste is one that can be planned."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import shipped_config
import yaml

from kindred.config.load_plan import load_plan
from kindred.rendering.manifest import Row
from kindred.report.keeping import Keeping, advice_on_broken
from kindred.report.next_experiments import as_yaml, composites_besides, more_runs
from kindred.report.recommendations import recommendations
from kindred.report.report_data import ReportData
from kindred.specs.report import CompositeDataset, ReportSpec

NAMES = {"J": ("JRussell", "man"), "A": ("ARussell", "woman"), "C": ("CRussell", "child")}
PROMPTS = {
    "casts": {"x": {"text": "JRussell and a man", "asked": "J"}},
    "headshot": {x: {"text": f"headshot of {n}", "asked": x} for x, (n, _) in NAMES.items()},
    "trio": {"card": {"text": "JRussell, ARussell and CRussell", "asked": "A+C+J"}},
}
PLAIN = ReportSpec(experiment="family", like="family")
COMPOSED = ReportSpec(
    experiment="family",
    like="family",
    made={
        "made": CompositeDataset(
            of="russell",
            compose={"cells": {"A": 16, "A+J": 32}, "strangers": {"of": "others", "share": 0.5}},
        )
    },
)
ENDS = {"low": None, "high": None, "images": 9}
LOW, MIDDLE, HIGH = ({"mean": mean, **ENDS} for mean in (0.1, 0.5, 0.9))
ALONE = dict.fromkeys(NAMES, 0.95)


def material(spec, **changes) -> ReportData:
    """An experiment of the shipped file whose figures show every fault there is advice for."""
    variant = {
        "kind": "trained",
        "control": "",
        "base": "lab",
        "runs": [1],
        "measures": {
            "success": {"all": MIDDLE, "cell:A+J": LOW, "cell:A+C": HIGH},
            "duplicated": {"all": HIGH},
            "pull": {"all": HIGH},
        },
        "identity": {letter: {"1": LOW} for letter in NAMES},
        "casts": {"casts": {"accuracy": {"family": {"mean": 0.9}, "others": {"mean": 0.1}}}},
        "parts": {
            "trio": {
                "success": 0.1,
                "product": 0.9,
                "count": 0.9,
                "alone": ALONE,
            }
        },
        "bleed": {"asked": ["C"], "found": ["A", "C"], "shares": [[0.9, 0.1]]},
    } | changes
    characters = {x: {"name": name, "class": noun} for x, (name, noun) in NAMES.items()}
    summary = {
        "characters": characters,
        "baseline": "all",
        "controls": [],
        "judge": {"trusted": True, "why": []},
        "variants": {"all": variant},
        "prompt_sets": {key: {"prompts": prompts} for key, prompts in PROMPTS.items()},
    }
    verdicts = {"hypotheses": {name: {"primary": False} for name in ("names-matter", "composites")}}
    specs = {"all": {"dataset": "made", "recipe": {"steps": 300, "rank": 16, "lr": 3e-3}}}
    row = Row("card", "a card", 5, 128, 144, "key", None)
    return ReportData(
        folder=None, summary=summary, verdicts=verdicts, scores={},
        pictures={("all", 1, "trio", "card", 5): row}, settings={}, specs=specs,
        trainings={("all", 1): {"photos_per_cell": {"J": 4, "A": 3, "A+C": 3}}}, curves={},
        audits={}, photos=None,
    )  # fmt: skip


def planned(root, text):
    """The plan of a pasted experiment, and its name."""
    name = text.split("config/experiments/")[1].split(".yaml")[0]
    (root / "config" / "experiments" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load_plan(root, {"experiments": [name]}).experiments[name]


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    root = tmp_path_factory.mktemp("shipped")
    shipped_config.copy(root)
    return root


@pytest.mark.parametrize("spec", [PLAIN, COMPOSED], ids=["photos", "composites"])
def test_what_is_pasted_can_be_planned_and_trains_something_new(shipped, spec):
    data = material(spec)
    broken = Keeping(None, [], {"key": "noise"}, None)
    advice = [*advice_on_broken(data, broken), *recommendations(data, spec)]
    changes = [one.change for one in advice if one.change]
    assert {"slower", "more-AJ", "strangers", "groups", "solos", "longer", "pairs", "class"} <= {
        one.name for one in changes
    } | {"pairs", "class"}  # the report ends after so much advice
    before = load_plan(shipped, {"experiments": ["family"]}).experiments["family"].variants
    for change in changes:
        text = as_yaml(data, spec, change)
        found = planned(shipped, text)
        new = set(found.variants) - {"all", "composed", "scrambled", "BASE"}
        old = {one.spec for name, one in found.variants.items() if name not in new}
        assert len(new) == len(change.variants)
        trained = text.split("Trained anew: ")[1].split(". ")[0]
        assert new <= set(trained.replace(", ", " ").replace(" and ", " ").split())
        assert all(found.variants[name].spec == one.spec for name, one in before.items())
        assert all(found.variants[name].spec not in old for name in new)
        arms = [(one.variant, one.against) for one in found.hypotheses.values()]
        more = change.measure not in ("pull", "duplicated")  # of those less is better
        assert {arm[0 if more else 1] for arm in arms} == new
        assert {arm[1 if more else 0] for arm in arms} == {change.of}
        assert {one.measure for one in found.hypotheses.values()} == {change.measure}
        claims = [one.claim for one in found.hypotheses.values()]
        likeness = change.measure == "identity"
        assert all(("more alike than" in claim) == likeness for claim in claims)


def free(**compose):
    """An experiment whose composites are on every shape."""
    told = {"cells": {"A": 16, "A+J": 32}, "canvas": "any", **compose}
    made = {"made": CompositeDataset(of="russell", compose=told)}
    return ReportSpec(experiment="family", like="family", made=made)


def test_composites_of_one_shape_each_are_to_be_tried_on_every_shape(shipped):
    def on_shapes(spec, family):
        told = {"casts": {"accuracy": {"family": {**family, **ENDS}}}}
        data = material(spec, casts=told)
        advice = [one for one in recommendations(data, spec) if one.change]
        return data, [one for one in advice if one.change.name == "shapes"]

    data, (one,) = on_shapes(COMPOSED, {"mean": 0.4})
    text = as_yaml(data, COMPOSED, one.change)
    assert "of the family alone" in one.seen and "canvas: any" in text
    assert planned(shipped, text).variants["all-every-shape"].dataset != "russell"
    assert not on_shapes(free(), {"mean": 0.4})[1]
    assert not on_shapes(PLAIN, {"mean": 0.4})[1]
    assert not on_shapes(COMPOSED, {"mean": 0.95})[1]


def test_more_composites_are_made_as_those_that_a_variant_has():
    spec = free(heads="large", strangers={"of": "others", "share": 0.5, "named": 0.5})
    told = composites_besides(material(spec), spec, "all", {"A+J": 8})
    assert told["cells"] == {"A": 16, "A+J": 40}
    assert (told["canvas"], told["heads"], told["strangers"]["named"]) == ("any", "large", 0.5)
    kept = composites_besides(material(COMPOSED), COMPOSED, "all", {})
    assert "canvas" not in kept and kept["strangers"]["share"] == 0.5
    assert composites_besides(material(PLAIN), PLAIN, "all", {"A": 8})["canvas"] == "any"


@pytest.mark.parametrize("fault", ["duplicated", "pull"])
def test_faults_of_the_end_of_the_list_too(shipped, fault):
    well = {"measures": {"success": {"all": HIGH}, fault: {"all": HIGH}}, "casts": {}, "parts": {}}
    well |= {"identity": {}, "bleed": {"asked": []}}
    (one,) = recommendations(material(PLAIN, **well), PLAIN)
    found = planned(shipped, as_yaml(material(PLAIN), PLAIN, one.change))
    assert one.cause and {h.measure for h in found.hypotheses.values()} == {fault}
    assert all(h.variant == one.change.of != h.against for h in found.hypotheses.values())


@pytest.mark.parametrize(
    "part",
    [
        {"count": 0.2, "alone": ALONE},
        {"count": 0.95, "alone": {"J": 0.3, "A": 0.9, "C": 0.9}},
    ],
    ids=["count", "weakest"],
)
def test_weak_parts_of_a_group_too(shipped, part):
    told = {"trio": {"success": 0.2, "product": 0.25, **part}}
    well = {
        "measures": {"success": {"all": HIGH}},
        "casts": {},
        "identity": {},
        "bleed": {"asked": []},
    }
    (one,) = recommendations(material(PLAIN, parts=told, **well), PLAIN)
    assert one.cause and planned(shipped, as_yaml(material(PLAIN), PLAIN, one.change))


def test_more_runs_of_the_same_variants(shipped):
    text = more_runs(PLAIN, ["composed", "all"], 5)
    assert "Trained anew: runs that are not there yet, of every variant (leave one" in text
    found = planned(shipped, text)
    assert all(len(one.runs) == 5 for one in found.trained)


def test_an_experiment_of_a_file_with_albums_is_not_pasted():
    spec = SimpleNamespace(like="")
    assert more_runs(spec, ["all"], 5) == ""


def test_its_words_are_yaml_however_names_are_spelt():
    text = more_runs(PLAIN, ["a: b", "# c"], 5)
    assert yaml.safe_load(text)["title"].startswith("Which is better, a: b or # c?")
