"""The report's words: numbers, outcomes of pictures, advice from planted figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from kindred.report import formatting
from kindred.report.recommendations import recommendations
from kindred.report.report_data import ReportData
from kindred.report.starting_variants import best_by, best_variant
from kindred.report.tables import differences
from kindred.specs.report import CompositeDataset, ReportSpec

NAMES = {"A": "Ann", "C": "Cleo", "J": "Jim"}


def seen(**given):
    row = {"asked": "A+J", "people_asked": "2", "people_found": "2", "count": "1", "success": "0"}
    row |= {"missing": "", "duplicated": "", "unasked": "", "strangers": "0"}
    return row | given


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (None, ("", "")),
        (seen(asked=""), ("", "")),
        (seen(success="1"), ("everyone right", "good")),
        (seen(asked="J", success="1"), ("recognised", "good")),
        (seen(missing="A", duplicated="J"), ("Ann not seen · Jim twice", "bad")),
        (seen(count="0", people_found="1", missing="A"), ("1 person of 2 · Ann not seen", "bad")),
        (seen(count="0", people_found="3", strangers="1"), ("3 people of 2", "bad")),
        (seen(missing="A", unasked="C"), ("Ann not seen · Cleo unasked", "bad")),
        (seen(missing="A+J", strangers="2"), ("Ann and Jim not seen · 2 strangers", "bad")),
        (seen(), ("not right", "bad")),
    ],
)
def test_outcomes_are_said(row, said):
    assert formatting.outcome(row, NAMES) == said


def test_a_judge_of_faces_says_faces():
    row = seen(count="0", people_found="1", missing="A")
    assert formatting.outcome(row, NAMES, "faces")[0] == "1 face of 2 · Ann not seen"


def test_numbers_are_written_for_readers():
    assert (
        formatting.signed(-0.034) == "−3"
        and formatting.signed(0.31) == "+31"
        and formatting.signed(0.0) == "0"
    )
    statistic = {"mean": 0.625, "low": 0.5, "high": 0.75}
    assert formatting.value_of(statistic, "success") == "62 %"
    assert formatting.range_of(statistic, "success") == "50–75"
    assert formatting.range_of(statistic | {"low": -0.1}, "identity") == "≤0 to 0.75"
    assert formatting.range_of(statistic | {"low": -0.1}, "adherence") == "−0.10 to 0.75"
    assert formatting.range_of(statistic | {"low": None}, "success") == ""
    assert (
        formatting.value_of(None, "success")
        == formatting.duration(None)
        == formatting.memory(None)
        == "–"
    )
    assert formatting.duration(89) == "89 s" and formatting.duration(600) == "10 min"
    assert formatting.duration(9000) == "2.5 h" and formatting.memory(9523) == "9.3 GiB"
    assert formatting.listing(["a", "b", "c"]) == "a, b and c" and formatting.listing([]) == ""


def statistic(mean):
    return {"mean": mean, "low": None, "high": None, "runs": 3, "images": 24}


def variant(**given):
    """A trained variant without any fault."""
    one = {
        "kind": "trained",
        "control": "",
        "runs": [1],
        "measures": {"success": {"all": statistic(0.95), "cell:A+C": statistic(0.95)}},
        "identity": {letter: {"1": statistic(0.95)} for letter in NAMES},
        "parts": {},
        "bleed": {
            "asked": ["A", "C", "J"],
            "found": ["A", "C", "J", "stranger", "missing"],
            "shares": [[1.0, 0, 0, 0, 0], [0, 1.0, 0, 0, 0], None],
            "appearances": [9, 9, 0],
        },
    }
    return one | given


def advice(one, cells=None, scores=None, nouns="man", composites=None, **summary):
    characters = {x: {"name": name, "class": nouns or x} for x, name in NAMES.items()}
    found = {
        "characters": characters,
        "baseline": "all",
        "prompt_sets": {},
        "controls": [],
        "judge": {"trusted": True, "why": []},
        "variants": {"all": one},
        **summary,
    }
    made = {"ours-made": {"of": "ours", **composites}} if composites else {}
    specs = {"all": {"dataset": "ours-made"}} if composites else {}
    trainings = {("all", 1): {"photos_per_cell": cells or {"A": 3, "C": 3, "J": 3, "A+C": 3}}}
    material = ReportData(
        folder=None, summary=found, verdicts={"hypotheses": {}}, scores=scores or {}, pictures={},
        settings={}, specs=specs, trainings=trainings, curves={}, audits={}, photos=None,
    )  # fmt: skip
    return recommendations(material, ReportSpec(experiment="made", made=made))


def test_without_a_fault_there_is_no_advice():
    assert advice(variant()) == []


@pytest.mark.parametrize(("rate", "do"), [(0.3, "Add a few photos"), (0.9, "do not seem")])
def test_a_pair_without_a_photo(rate, do):
    cells = {"cell:A+C": statistic(0.9), "cell:A+J": statistic(rate)}
    found = advice(variant(measures={"success": {"all": statistic(0.9), **cells}}))
    (one,) = [x for x in found if "No photo shows" in x.seen]
    assert "Ann and Jim" in one.seen and f"{100 * rate:.0f} %" in one.seen and "90 %" in one.seen
    assert do in one.do


def test_composites_of_the_best_variant_hide_no_pair_without_a_photo():
    cells = {"cell:A+C": statistic(0.9), "cell:A+J": statistic(0.2)}
    best = variant(measures={"success": {"all": statistic(0.99), **cells}}, runs=[])
    photos = variant(measures={"success": {"all": statistic(0.5), **cells}})
    found = advice(photos, variants={"all": photos, "composed": best})
    assert "No photo shows Ann and Jim together" in found[0].seen and "“all”" in found[0].seen


def test_a_photo_of_a_larger_group_counts_as_one_of_the_pair():
    cells = {"cell:A+C": statistic(0.9), "cell:A+J": statistic(0.1)}
    one = variant(measures={"success": {"all": statistic(0.9), **cells}})
    assert advice(one, cells={"A+C+J": 2}) == []


def test_who_gets_strangers_wrong_is_told_to_train_with_strangers():
    def seen(family: float, others: float) -> list[str]:
        kinds = {"all": statistic(0.5), "family": statistic(family), "others": statistic(others)}
        one = variant(casts={"casts": {"accuracy": kinds}})
        return [x.do for x in advice(one) if "Beside strangers" in x.seen]

    (do,) = seen(0.92, 0.23)
    assert "strangers: {of: " in do
    assert seen(0.92, 0.83) == []


def test_being_together_is_told_apart_from_weak_parts():
    part = {"success": 0.4, "product": 0.7, "count": 0.9, "alone": {"A": 0.9, "J": 0.9}}
    (one,) = advice(variant(parts={"trio": part}))
    assert "Being together is what fails" in one.seen and "70 %" in one.seen
    assert "cells: [A+J]," in one.do
    (one,) = advice(variant(parts={"trio": part}), cells={"A+J": 3, "A": 2})
    assert "more pictures of such groups" in one.do and "compose" not in one.do
    three = part | {"alone": {"A": 0.9, "C": 0.9, "J": 0.9}}
    (one,) = advice(variant(parts={"trio": three}), cells={"A+C": 2, "C+J": 1})
    assert "cells: [A+J, A+C+J]," in one.do
    (one,) = advice(variant(parts={"trio": part | {"product": 0.42, "count": 0.5}}))
    assert "number of people, right in 50 %" in one.seen
    weak = part | {"product": 0.42, "alone": {"A": 0.9, "J": 0.5}}
    (one,) = advice(variant(parts={"trio": weak}))
    assert "Jim, right alone in 50 %" in one.seen and "Work on Jim" in one.do


@pytest.mark.parametrize(
    ("alone", "said", "do", "cells"),
    [
        ((0.0, 0.0, 0.0), "Ann, Cleo and Jim are each right alone in 0 %", "all of them", "ACJ"),
        ((0.30, 0.35, 0.35), "are each right alone in 30 % to 35 %", "all of them", "ACJ"),
        ((0.2, 0.9, 0.2), "Ann and Jim, each right alone in 20 %", "Work on Ann and Jim", "AJ"),
    ],
)
def test_whoever_is_as_weak_as_the_weakest_is_named(alone, said, do, cells):
    part = {
        "success": 0.0,
        "product": 0.03,
        "count": 1.0,
        "alone": dict(zip("ACJ", alone, strict=True)),
    }
    (one,) = advice(variant(parts={"trio": part}))
    assert said in one.seen and do in one.do
    (told,) = one.change.variants.values()
    assert "".join(told["compose"]["cells"]) == cells


def test_advice_on_groups_and_pairs_begins_at_the_best_variant_at_hand():
    def of(**told):
        photos, other = (variant(**told[name]) for name in ("photos", "other"))
        found = advice(photos, variants={"all": photos, "other": other})
        return next(one for one in found if one.change)

    weak = {"product": 0.7, "count": 0.9, "alone": {"A": 0.9, "J": 0.9}}
    groups = {"photos": {"parts": {"trio": weak | {"success": 0.1}}}}
    one = of(**groups, other={"parts": {"trio": weak | {"success": 0.3}}})
    assert one.change.of == "other" and "“other” gets everyone right in 30 %" in one.seen
    cells = {"all": statistic(0.9), "cell:A+C": statistic(0.9)}
    pairs = [{"measures": {"success": cells | {"cell:A+J": statistic(x)}}} for x in (0.1, 0.4)]
    one = of(photos=pairs[0], other=pairs[1] | {"runs": []})
    assert one.change.of == "other" and "“other” does in 40 %" in one.seen
    well = {"measures": {"success": cells | {"cell:A+J": statistic(0.85)}}, "runs": []}
    found = advice(variant(**pairs[0]), variants={"all": variant(**pairs[0]), "x": variant(**well)})
    assert found[0].do.startswith("Go on from “x”") and found[0].change is None


def test_of_equal_variants_advice_begins_at_the_one_with_composites():
    made = CompositeDataset.model_validate({"of": "ours", "compose": {"cells": {"A": 8}}})
    material = SimpleNamespace(
        variants={name: variant() for name in ("photos", "composed", "other")},
        specs={"composed": {"dataset": "made"}},
    )
    spec = ReportSpec(experiment="made", made={"made": made})
    rates = {"photos": 0.201, "composed": 0.199, "other": 0.1}
    assert best_by(material, spec, "photos", rates.get) == "composed"
    assert best_by(material, spec, "photos", (rates | {"other": 0.3}).get) == "other"
    assert best_by(material, spec, "photos", {}.get) == "photos"


def test_advice_begins_at_the_variant_that_the_page_says_to_take():
    ranked = [SimpleNamespace(variant=name) for name in ("theirs", "composed", "photos")]
    names = ("photos", "composed")
    material = SimpleNamespace(
        variants={name: variant() for name in names} | {"theirs": variant(kind="loaded")}
    )
    assert best_variant(material, SimpleNamespace(contenders=ranked)) == "composed"
    assert best_variant(material) == "photos"


def test_likeness_and_pull_are_seen():
    identity = variant()["identity"] | {"J": {"1": statistic(0.4)}}
    (one,) = advice(variant(identity=identity))
    assert "Jim 0.40 (alone in 3 training pictures)" in one.seen and "photos of Jim" in one.do
    everybody = {letter: {"1": statistic(0.1)} for letter in identity}
    (one,) = advice(variant(identity=everybody))
    assert one.do.startswith("Train several times as long") and "ended too soon" in one.cause
    assert one.change.variants["longer"]["steps"] == 6000
    measures = variant()["measures"]
    (one,) = advice(variant(measures=measures | {"pull": {"all": statistic(0.5)}}))
    assert "whole class is pulled along" in one.seen and "class images" in one.do


@pytest.mark.parametrize(
    ("cells", "noun", "cause", "do"),
    [
        ({"A+J": 3, "J": 2}, "", "3 photos show both and 5 show Jim", "Test crops of"),
        ({"A": 3, "J": 3}, "man", "both have one", "class nouns"),
        ({"C": 3, "J": 3}, "", "no photo shows Ann, so the name was not", "Add photos of Ann."),
    ],
)
def test_why_one_is_shown_as_another_is_what_holds_of_the_training(cells, noun, cause, do):
    rows = {"shares": [[0.8, 0, 0.2, 0, 0], None, None], "appearances": [20, 0, 0]}
    one = variant(bleed=variant()["bleed"] | rows)
    (found,) = advice(one, cells, nouns=noun)
    assert found.seen == "Where Ann is asked for, “all” shows Jim instead in 4 of 20 cases (20 %)."
    assert cause in found.cause and do in found.do and ("noun" in found.do) == bool(noun)


@pytest.mark.parametrize(
    ("composites", "crops"),
    [
        ({}, "3 photos show both"),
        ({"compose": {"cells": {"A+J": 2}}}, "1 photo shows both"),
        ({"compose": {"cells": {"A+J": 3}}}, ""),
        ({"crop": "solos"}, ""),
    ],
)
def test_crops_are_offered_where_a_photo_shows_both_and_is_not_cropped(composites, crops):
    rows = {"shares": [[0.8, 0, 0.2, 0, 0], None, None], "appearances": [20, 0, 0]}
    one = variant(bleed=variant()["bleed"] | rows)
    (found,) = advice(one, {"A+J": 3, "J": 2}, composites=composites)
    assert crops in found.cause and ("crops" in found.do) == bool(crops)
    assert (found.change is not None) == bool(crops)


def test_few_pictures_are_counted_and_their_causes_are_none():
    measures = variant()["measures"]
    few = {"mean": 1 / 6, "low": 0.0, "high": 0.87, "images": 6}
    (one,) = advice(variant(measures=measures | {"pull": {"all": few}}))
    assert "in 1 of 6 pictures (17 %, 0–87). So few" in one.seen and one.cause == ""
    (one,) = advice(variant(measures=measures | {"duplicated": {"all": few}}), {"A+C+J": 3})
    assert "in 1 of 6" in one.seen and one.cause == ""
    part = {"success": 0.625, "product": 0.8125, "count": 1.0, "alone": {"A": 0.75, "J": 1.0}}
    row = {"asked": "A+J", "strangers_asked": "0", "success": "1"}
    for number, chance in ((8, True), (80, False)):
        scores = {("all", 1, "trio", f"p{n}", 1): row for n in range(number)}
        (one,) = advice(variant(parts={"trio": part}), {"A+J": 1, "A": 9}, scores=scores)
        assert f"of {number} pictures (62 %)" in one.seen and ("chance" in one.seen) == chance
        assert one.cause == ("" if chance else "1 of 10 training pictures show all.")


@pytest.mark.parametrize(
    ("adapters", "said"),
    [
        ([("Kindred", 1.0), ("Kindred", 1.0)], "2 LoRAs of other variants loaded together"),
        ([("Kindred", 0.7)], "1 LoRA of other variants, at weight 0.7"),
        ([("", 1.0)], "1 LoRA trained elsewhere"),
    ],
)
def test_adapters_loaded_are_told_from_those_trained(adapters, said):
    told = [{"weight": w, "provenance": {"software": s} if s else {}} for s, w in adapters]
    one = variant(kind="loaded", control="")
    material = SimpleNamespace(
        variants={"all": variant(), "x": one},
        summary={"baseline": "all"},
        settings={"x": {"adapters": told}},
    )
    assert differences(material, "x", {}) == [said]
    material.settings["x"]["apart"] = {"names": [], "version": 1}
    told = differences(material, "x", {})
    assert told == [f"{said}, each only where its own people are drawn"]


def test_the_base_that_draws_is_told_where_it_is_another_one():
    spec = {"recipe": {"rank": 4}, "selection": {}, "dataset": "ours"}
    material = SimpleNamespace(
        variants={
            "all": variant(control=""),
            "fast": variant(control="", drawn_on={"p": "turbo", "q": "turbo"}),
            "BASE-on-turbo": variant(kind="base", drawn_on={"p": "turbo"}),
        },
        summary={"baseline": "all"},
        specs={"all": spec, "fast": spec},
    )
    assert differences(material, "all", {}) == ["the baseline"]
    assert differences(material, "fast", {}) == ["the same training", "drawn on turbo (p, q)"]
    assert differences(material, "BASE-on-turbo", {})[1:] == ["drawn on turbo (p)"]


def test_pictures_made_of_photos_are_told_and_not_named_by_their_folder():
    spec = {"recipe": {"rank": 4}, "selection": {}, "dataset": "ours"}
    specs = {
        "all": spec,
        "x": spec | {"dataset": "ours-composed-1a2b", "selection": {"balance": "repeat"}},
        "y": spec | {"dataset": "ours-composed-cropped-3c4d"},
        "more": spec | {"dataset": "ours-more"},
    }
    cells = {"A": 8, "J": 8, "A+J": 24}
    made = {
        "ours-composed-1a2b": {"of": "ours", "compose": {"cells": cells, "background": "any"}},
        "ours-composed-cropped-3c4d": {
            "of": "ours",
            "compose": {"cells": ["A+C+J"], "per_cell": 1},
            "crop": "solos",
        },
    }
    told = {name: CompositeDataset.model_validate(one) for name, one in made.items()}

    def found(name: str, baseline: str) -> list[str]:
        material = SimpleNamespace(
            variants={key: variant() for key in specs}, summary={"baseline": baseline}, specs=specs
        )
        return differences(material, name, told)

    x = "24 composites of A+J and 8 each of A and J before all photos' places"
    y = "1 composite of A+C+J before places of their people's photos and crops of one person"
    assert found("x", "all") == [f"made of photos: {x} instead of nothing", "balance repeat"]
    assert found("all", "x")[0] == f"made of photos: nothing instead of {x}"
    assert found("y", "x")[0] == f"made of photos: {y} instead of {x}"
    seeded = {"of": "ours", "compose": {"cells": ["A+J"], "seed": 3}}
    assert formatting.made(CompositeDataset.model_validate(seeded)).endswith(
        "people's photos (seed 3)"
    )
    mixed = {"cells": ["J"], "canvas": "any", "strangers": {"of": "others", "share": 0.25}}
    assert formatting.made(
        CompositeDataset.model_validate({"of": "ours", "compose": mixed})
    ).endswith("photos, on every shape, with strangers in 25 % of those with room")
    assert found("more", "all") == ["dataset ours-more instead of ours"]
    assert found("more", "y")[0] == "dataset ours-more instead of ours"


def test_what_makes_numbers_worthless_comes_first():
    control = {"passes": False, "sentence": "BASE does not read clearly worse than all."}
    judge = {"trusted": False, "why": ["count right 0.91"]}
    identity = variant()["identity"] | {"J": {"1": statistic(0.1)}}
    found = advice(variant(identity=identity), controls=[control], judge=judge)
    assert [text.seen[:9] for text in found] == ["The judge", "BASE does", "Likeness "]


def test_shares_have_a_true_minus():
    assert formatting.share(-0.25) == "−25 %"


def test_pages_without_plots_or_statistics_import_neither_matplotlib_nor_scipy():
    """Each takes longer to import than such a page takes to make."""
    code = (
        "import sys, audit, contact_sheet, live_page, rating_page;"
        "print({'matplotlib', 'scipy', 'torch'} & set(sys.modules))"
    )
    scripts = Path(__file__).parents[3] / "scripts"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=scripts, check=False
    )
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
