"""“Does it know who is who?”: what the page says first, its tables, the control beside verdicts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import reported
from synthetic import ARMS, CHARACTERS, Arm, Hypothesis, Made

from kindred.evidence.amendments import summed_up
from kindred.report.cast_section import (
    NO_CASTS,
    _of_strangers,
    hypotheses_beside,
    who_is_who,
)
from kindred.report.cast_side_tables import bits_table
from kindred.report.cast_tables import (
    canvases_table,
    cast_sets,
    ceiling_of,
    threshold_table,
)
from kindred.report.report_data import ReportData, read_report_data
from kindred.report.repository_pages import page
from kindred.report.scrambled import NONE, beside, scrambled_of, without_names
from kindred.specs.casts import cast_prompts

NAMES = {letter: who.name for letter, who in CHARACTERS.items()}
FEW = {
    name: one
    for name, one in cast_prompts(NAMES, [(144, 128), (192, 96)], 4).items()
    if one.cast.name in ("A", "J", "A+J", "noun-1")
}
TRIO = {"trio": {"card": "a Christmas card with JRussell, ARussell and CRussell"}}
BASE = Arm(alone=0, group=0, stranger=1, run_sd=0, kind="base", control="base")


def claim(measure: str, prompt_set: str, against: str) -> Hypothesis:
    given = {"measure": measure, "prompt_set": prompt_set, "against": against}
    return Hypothesis(claim="Better.", variant="all", **given)


CLAIMS = {
    "group": claim("success", "trio", "plain"),
    "names": claim("cast", "casts", "plain"),
    "control": claim("cast", "casts", "scrambled"),
}


def build(root: Path, scrambled: bool = True, casts=FEW, **options) -> Made:
    arms = {"plain": Arm(group=0.5), "all": Arm()}
    arms |= {"scrambled": ARMS["scrambled"]} if scrambled else {}
    given = {"arms": arms | {"BASE": BASE}, "prompts": TRIO, "hypotheses": CLAIMS, "runs": 2}
    given |= {"casts": {"casts": casts}} if casts else {"hypotheses": {"group": CLAIMS["group"]}}
    made = reported.build(root, **given | {"seeds": (1,)} | options)
    path = made.results / "summary.json"
    summary = json.loads(path.read_text())
    if casts:
        told = {"A": {"144x128": 1.0, "192x96": 0.5}, "noun-1": {"192x96": 1.0}}
        summary["ceiling"] = {"mean": 0.9, "casts": told, "pictures": 9}
        summary["casts"]["casts"]["turning"] = [
            {"arms": ["all", "plain"], "above": ["0.3"], "below": ["0.7", "0.8"]}
        ]
        path.write_text(json.dumps(summary))
    return made


def data_of(made: Made) -> ReportData:
    return read_report_data(made.results, made.root / "resources", photos=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> ReportData:
    return data_of(build(tmp_path_factory.mktemp("casts"), pictures=False))


def test_the_answer_stands_beside_the_control_the_base_and_what_needs_no_names(data):
    said = " ".join(who_is_who(data)["lead"])

    def share(variant, kind):
        told = data.variants[variant]["casts"]["casts"]["accuracy"][kind]
        ends = [f"{100 * told[end]:.0f}" for end in ("low", "high")]
        return f"{100 * told['mean']:.0f} % ({'–'.join(ends)})"

    words = "{} of the pictures of the family alone and {} of all"
    reached = {
        x: words.format(share(x, "family"), share(x, "all")) for x in ("all", "scrambled", "BASE")
    }
    assert f"“all” draws exactly these people in {reached['all']}." in said
    assert f"captions on the wrong photos, does so in {reached['scrambled']}." in said
    assert f"BASE, without a LoRA, does so in {reached['BASE']}" in said
    # Of A, J and A+J: one of the two single ones, and the pair.
    assert "at most 67 % of the family alone can be right (33 % from the picture’s" in said
    assert "These figures are rough: they rest on 32 pictures a training." in said
    assert "pilot" not in said and "one training" not in said


def test_a_single_training_gives_figures_and_no_direction(data):
    one = data.variants | {name: data.variants[name] | {"runs": [1]} for name in ("all", "plain")}
    summary = {**data.summary, "variants": one}
    said = " ".join(who_is_who(replace(data, summary=summary))["lead"])
    assert "there is one training, which gives figures and no direction" in said
    assert "pilot" not in said


def test_a_base_that_draws_strangers_when_asked_for_them_is_explained(data):
    own = data.variants["BASE"]["casts"]["casts"]
    some, none = ({"accuracy": own["accuracy"] | {"others": {"mean": x}}} for x in (0.6, 0.0))
    assert _of_strangers("base", some) == ": strangers alone need no LoRA"
    assert _of_strangers("base", none) == _of_strangers("references", some) == ""


def answer(data: ReportData, low: float | None, top: float = 0.3, **of) -> str:
    variants = dict(data.variants)
    for name, own in (("all", {"low": low, "high": 1.0}), ("scrambled", {"high": top})):
        told = variants[name]["casts"]["casts"]
        accuracy = told["accuracy"] | {"family": {"mean": 0.9, "low": 0.0, **own}}
        accuracy |= {"all": {**accuracy["all"], "mean": float(name == "all")}}
        variants[name] = variants[name] | {"casts": {"casts": told | {"accuracy": accuracy}}}
        variants[name] |= {"runs": of.get(name, [1, 2])}
    return " ".join(
        who_is_who(replace(data, summary={**data.summary, "variants": variants}))["lead"]
    )


def test_what_is_said_of_names_follows_from_interval_control_and_trainings(data):
    assert "So names were learned. These" in answer(data, 0.68)  # 67 % can be had without names
    for low, top in ((0.66, 0.3), (None, 0.3), (0.68, 0.7)):
        assert "does not show that names were learned" in answer(data, low, top)
    single = answer(data, 0.68, all=[1], scrambled=[1])
    assert "“all” is clearly above that, so this one training learned names. One" in single
    assert "of “scrambled” does not make it a control" in single
    assert "“family alone”" in who_is_who(data)["sets"][0]["shown"][0].notes[0]


def test_measures_that_need_no_names_are_named_with_the_controls_figure(data):
    mind = " ".join(who_is_who(data)["mind"])
    assert mind.startswith("“success” does not need names: the picture's shape")
    assert f"success in “trio” {beside(data.variants, 'all', 'success', 'trio')}" in mind
    assert "cast" not in mind.split("With scrambled")[1]


def test_all_lines_stand_in_the_first_table(data):
    accuracy, casts = who_is_who(data)["sets"][0]["shown"]
    names = [row.name for row in accuracy.rows]
    assert names[:4] == ["plain", "all", "scrambled", "BASE"]
    assert [row.note for row in accuracy.rows[2:4]] == ["captions on the wrong photos", "no LoRA"]
    assert [row.line for row in accuracy.rows] == [False] * 4 + [True] * 4
    shape = accuracy.rows[5]
    assert [cell.text for cell in shape.cells] == ["25 %", "33 %", "100 %", "–"]
    assert casts.headings == ["A", "J", "A+J", "noun-1"]
    assert casts.notes == ["noun-1: 1 stranger."]


def test_the_ceiling_is_a_mean_over_casts_of_means_over_shapes(data):
    (one,) = cast_sets(data)
    assert [ceiling_of(one, kind) for kind in ("all", "family", "others")] == [0.875, 0.75, 1.0]
    shapes = [ceiling_of(one, "all", canvas) for canvas in ("144x128", "192x96", "64x64")]
    assert shapes == [1.0, 0.75, None]


def test_the_ceiling_stands_beside_the_variants_on_each_shape(data):
    (one,) = cast_sets(data)
    table = canvases_table(one)
    cells = dict(zip(table.headings, table.rows[-1].cells, strict=True))
    assert table.rows[-1].line and table.rows[-1].name.startswith("CEILING")
    assert [cell.text for cell in cells.values()][:2] == ["100 %", "100 %"]
    assert "75 %" in {cell.text for heading, cell in cells.items() if heading.startswith("192")}


def test_every_figure_has_its_table(data):
    folded = [table.question for table in who_is_who(data)["sets"][0]["folded"]]
    assert len(folded) == len(set(folded)) == 10
    assert folded[0] == "Does the picture's shape matter?"


def test_too_few_pictures_for_bits_say_once_what_would_give_them(data):
    (one,) = cast_sets(data)
    table = bits_table(one)
    assert {(cell.text, cell.range) for row in table.rows for cell in row.cells} == {("–", "")}
    (note,) = table.notes
    assert "192 pictures of each shape" in note and "of the casts in “casts” 12 t" in note


def test_an_order_that_turns_with_the_threshold_is_no_result(data):
    (one,) = cast_sets(data)
    (note,) = threshold_table(one).notes
    assert note.startswith("“all” is above “plain” at 0.3 and below it at 0.8")
    assert "no result" in note


def test_the_control_stands_below_every_verdict_but_its_own(data):
    told = hypotheses_beside(data)
    assert told["control"] == ""
    assert told["group"].startswith("With scrambled captions (“scrambled”), by the same measure")
    assert beside(data.variants, "all", "cast", "casts") in told["names"]


def test_the_page_and_its_words_begin_with_it(tmp_path):
    few = {name: one for name, one in FEW.items() if one.cast.wording == "garments"}
    made = build(tmp_path, casts=few, runs=1)
    html, words = reported.run_report(made, tmp_path)
    assert html.index('<section id="casts">') < html.index('<section id="verdicts">')
    assert '<a href="#casts">' in html
    assert words.index("## Does it know who is who?") < words.index("## What came out")
    assert "| who sees only the picture’s shape (at most) | 25 % |" in words
    assert html.count("With scrambled captions (“scrambled”)") == 2
    values = {"experiment": "x", "variants": 1, "runs": 1, "pictures": 1, "bases": []}
    values |= {"verdicts": [], "sheets": [], "configs": [], "casts": True}
    values |= {"log": summed_up([], {})}
    published = page(words, values)
    assert published.index("## Does it know") < published.index("## What came out")
    assert "<details><summary>8 more tables</summary>" in published
    assert published.count("## Does it know who is who?") == 1


def test_without_a_control_the_page_says_so(tmp_path):
    data = data_of(build(tmp_path, scrambled=False, pictures=False))
    who = who_is_who(data)
    assert scrambled_of(data.variants) is None
    assert NONE[1:] in " ".join(who["lead"]) and NONE[1:] in " ".join(who["mind"])
    assert NONE[1:] in hypotheses_beside(data)["group"]
    assert beside(data.variants, "all", "success", "trio") == NONE


def test_without_casts_the_page_says_that_names_are_not_tested(tmp_path):
    data = data_of(build(tmp_path, casts={}, pictures=False))
    who = who_is_who(data)
    assert (who["lead"], who["sets"]) == ([NO_CASTS], [])
    assert "success in “trio”" in " ".join(who["mind"])


def test_a_variants_own_control_goes_first():
    variants = {"a": {"control": "scrambled"}, "b": {"control": "scrambled of best"}}
    assert scrambled_of(variants, "best") == "b"
    assert scrambled_of(variants, "all") == "a"


def test_measures_with_the_same_reason_are_said_together():
    assert without_names(["cast"]) == []
    one, two = without_names(["success", "missing", "count", "cast"])
    assert one.startswith("“success” and “missing” do not need names:")
    assert two.startswith("“count” does not need names:")
