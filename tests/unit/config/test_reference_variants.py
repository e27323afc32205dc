"""Variants that draw with reference pictures: what they plan, and what they can't say."""

from __future__ import annotations

import json

import pytest
import small_config

from kindred.common.errors import ProblemsError
from kindred.config.declaration import design_of, runs_of
from kindred.config.load_plan import load_plan
from kindred.report.cast_section import UNTRAINED
from kindred.report.cast_tables import _note
from kindred.report.formatting import shown_photos
from kindred.specs.scoring import FIXED_KINDS
from kindred.workflow import batched_jobs, paths, scoring_specs

SIZES = {"num_layers": 1, "num_single_layers": 1, "attention_head_dim": 16}
KLEIN = SIZES | {"num_attention_heads": 2, "joint_attention_dim": 48}
SHOWN = "  a: {}\n  s: {references: {J: 2}, base: klein}\n"
READ = ["resources/ours/images.json", "resources/ours/captions.jsonl"]


def plan_of(root, variants, judge=True):
    """The plan of an experiment with the bases `small` and `klein`."""
    small_config.write(root, "org/flux", variants)
    bases = root / "config/bases"
    (bases / "small.yaml").write_text("model: org/flux\nrevision: abc\narchitecture: flux1\n")
    folder = root / "klein/transformer"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(KLEIN))
    index = {"_class_name": "Flux2KleinPipeline"}
    (root / "klein/model_index.json").write_text(json.dumps(index))
    (bases / "klein.yaml").write_text("model: klein\n")
    if judge:
        (root / "config/judges").mkdir()
        (root / "config/judges/j.yaml").write_text("kind: lab\nmodel: judge\n")
        file = root / "config/experiments/one.yaml"
        file.write_text(file.read_text().replace("variants:\n", "judge: j\nvariants:\n"))
    return load_plan(root)


def problems(root, variants):
    with pytest.raises(ProblemsError) as caught:
        plan_of(root, variants)
    return [str(one) for one in caught.value.problems]


def test_it_trains_nothing_and_draws_with_its_base_and_photos(tmp_path):
    plan = plan_of(tmp_path, SHOWN)
    one = plan.experiments["one"]
    assert list(one.variants) == ["a", "s", "BASE", "BASE-klein"]
    assert [v.name for v in one.trained] == ["a"] and not one.variants["s"].loads
    spec = plan.render_spec("one", "s", "solo")
    assert spec.base.model == "klein" and spec.weights == []
    wanted = {"dataset": "ours", "photos": {"J": 2}, "area": 1024 * 1024}
    assert spec.references.model_dump(exclude={"characters"}) == wanted
    assert list(spec.references.characters) == ["J"]
    assert "references" not in plan.render_spec("one", "a", "solo").canonical()
    assert "references" not in plan.render_spec("one", "BASE-klein", "solo").canonical()
    assert paths.adapters_of(plan, "one", "s", "1") == []
    jobs = batched_jobs.render_jobs(plan, "one", "s")
    assert batched_jobs.needed_to_draw(jobs) == [jobs.jobs[0].prompts, *READ]
    assert batched_jobs.needed_to_draw(batched_jobs.render_jobs(plan, "one", "BASE")) == [
        "resources/encoded/small/prompts/one/solo.safetensors"
    ]
    assert not [path for path in paths.all_targets(plan) if "/s/" in path and "lora" in path]


def test_the_judge_s_photos_are_others_for_all_variants(tmp_path):
    one = plan_of(tmp_path / "x", SHOWN).experiments["one"]
    assert [s.photos for s in scoring_specs.reference_spec(one).shown] == [{"J": 2}]
    plain = plan_of(tmp_path / "y", "  a: {}\n").experiments["one"]
    assert "shown" not in scoring_specs.reference_spec(plain).canonical()


def test_it_is_compared_as_what_it_is(tmp_path):
    plan = plan_of(tmp_path, SHOWN)
    one = plan.experiments["one"]
    told = scoring_specs.compare_spec(one).variants
    assert (told["s"].kind, told["s"].control, told["s"].references) == ("references", "", {"J": 2})
    assert told["s"].fixed and told["BASE"].fixed and not told["a"].fixed
    assert [part.dataset for part in told["s"].trained_on] == ["ours"]
    assert runs_of(one) == {"a": [1]}
    design = design_of(plan, one)["variants"]
    assert design["s"] == {"base": "klein", "references": {"J": 2}, "datasets": ["ours"]}
    words = shown_photos({"J": 2, "A": 1}, {"J": "JRussell", "A": "ARussell"})
    assert words == (
        "the base with reference pictures, nothing trained: 1 photo of ARussell and 2 photos of "
        "JRussell"
    )
    assert "LoRA" not in words
    assert {*UNTRAINED} == {*FIXED_KINDS}
    assert _note({"kind": "references", "control": ""}) == "reference pictures, no LoRA"


def test_an_experiment_of_it_alone_trains_nothing(tmp_path):
    one = plan_of(tmp_path, "  s: {references: {J: 2}, base: klein}\n").experiments["one"]
    assert one.trained == [] and one.references == ["ours"]
    assert [part.dataset for part in one.trained_on("s")] == ["ours"]


def test_drift_is_from_the_base_alone(tmp_path):
    one = plan_of(tmp_path, SHOWN).experiments["one"]
    sets = {"solo": one.prompt_sets["solo"].model_copy(update={"prompts": {"d": "a dog"}})}
    one.prompt_sets.update(sets)
    wanted = ["results/one/BASE-klein/run-1/images/solo.json"]
    assert scoring_specs.plain_pictures(one, "s", "solo") == wanted


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{references: {J: 2}}", "the base 'small' (FLUX.1) can't use reference"),
        ("{references: {Q: 2}, base: klein}", "no character 'Q' to show photos of"),
        ("{references: {J: 0}, base: klein}", "greater than or equal to 1"),
        ("{references: {}, base: klein}", "at least 1 item"),
        ("{references: {J: 1}, adapters: {a: 1}}", "is not trained, so adapters can't be set"),
        ("{references: {J: 1}, rank: 4, from: a}", "is not trained, so from, rank can't be set"),
        ("{references: {J: 1}, dataset: other}", "no dataset 'other'"),
    ],
)
def test_what_it_can_t_say(tmp_path, line, said):
    found = problems(tmp_path, f"  a: {{}}\n  s: {line}\n")
    assert any(said in text for text in found), found
