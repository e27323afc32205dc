"""Variants whose faces are drawn again: what they plan, and what they can't be of."""

from __future__ import annotations

import pytest
import small_config

from kindred.common.errors import ProblemsError
from kindred.config.declaration import design_of
from kindred.config.load_plan import load_plan
from kindred.workflow import batched_jobs, face_detail_specs, paths, scoring_specs

VARIANTS = "  all: {runs: 2}\n  fine: {from: all, face_detail: {size: 512}}\n"


def plan_of(root, variants, more="judge: j\n"):
    small_config.write(root, "org/flux", variants)
    (root / "config/bases/small.yaml").write_text(
        "model: org/flux\nrevision: abc\narchitecture: flux1\nfits: {megapixels: [0.1, 2.0]}\n"
    )
    (root / "config/judges").mkdir()
    (root / "config/judges/j.yaml").write_text("kind: lab\nmodel: judge\n")
    file = root / "config/experiments/one.yaml"
    file.write_text(file.read_text().replace("variants:\n", f"{more}variants:\n"))
    return load_plan(root)


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return plan_of(tmp_path, VARIANTS)


def test_it_trains_nothing_and_draws_with_the_adapters_of_its_source(plan):
    one = plan.experiments["one"].variants["fine"]
    assert (one.train, one.runs, one.loads) == (None, (1, 2), (("all", 1.0),))
    assert paths.adapters_of(plan, "one", "fine", "2") == ["results/one/all/run-2/lora.safetensors"]
    assert one.shares_adapters(plan.experiments["one"].variants["all"])
    assert face_detail_specs.detailed(plan) == ["fine"]


def test_its_step_is_told_what_the_pictures_were_drawn_by(plan):
    spec = face_detail_specs.face_detail_spec(plan, "one", "fine", "solo")
    assert spec.drawn == plan.render_spec("one", "all", "solo")
    assert (spec.detail.size, spec.detail.strength) == (512, 0.4)
    assert '"of"' not in spec.canonical() and '"detail":{"size":512}' in spec.canonical()
    source = face_detail_specs.of_source(plan, "one", "fine", "2", "scores/solo.csv")
    assert source == "results/one/all/run-2/scores/solo.csv"


def test_faces_have_texts_of_their_own(plan):
    file = face_detail_specs.face_texts(plan, "one", "fine", "solo")
    assert file == "resources/encoded/small/prompts/one/solo~faces.safetensors"
    told = face_detail_specs.prompt_texts(plan, "one", "solo~faces", "small").prompts
    assert list(told.values()) == ["a photo of JRussell"]
    asked = face_detail_specs.prompt_texts(plan, "one", "solo", "small")
    assert asked == plan.prompt_texts("one", "solo", "small")


def test_it_is_compared_as_what_it_is_and_is_no_lora_of_its_own(plan):
    told = scoring_specs.compare_spec(plan.experiments["one"]).variants
    fine = told["fine"]
    assert (fine.kind, fine.detail_of, fine.control) == ("loaded", "all", "")
    assert "detail_of" not in told["all"].model_fields_set
    assert not any("fine" in one for one in batched_jobs.summaries(plan, "rendered.json"))


def test_a_design_says_how_and_one_without_is_as_it_was(plan, tmp_path):
    design = design_of(plan, plan.experiments["one"])
    assert design["variants"]["fine"]["face_detail"] == {"of": "all", "size": 512}
    assert design["versions"]["face_detail"].startswith("face_detail ")
    other = plan_of(tmp_path / "other", "  all: {runs: 2}\n")
    assert "face_detail" not in design_of(other, other.experiments["one"])["versions"]


def test_pictures_of_loras_trained_elsewhere_and_of_several_have_faces_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    together = "  both: {adapters: {all: 0.5, more: 0.5}}\n  fine: {from: both, face_detail: {}}\n"
    plan = plan_of(tmp_path, f"  all: {{}}\n  more: {{rank: 4}}\n{together}")
    assert plan.experiments["one"].variants["fine"].loads == (("all", 0.5), ("more", 0.5))


def test_a_variant_from_it_is_trained_as_its_source_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = plan_of(tmp_path, f"{VARIANTS}  small: {{from: fine, rank: 4}}\n")
    small = plan.experiments["one"].variants["small"]
    assert small.train.recipe.rank == 4 and small.detail is None


@pytest.mark.parametrize(
    ("variants", "more", "said"),
    [
        ("  f: {face_detail: {}}\n", "judge: j\n", "no variant has no faces"),
        ("  f: {from: plain, face_detail: {}}\n", "judge: j\n", "'plain' has no faces"),
        ("  f: {from: fine, face_detail: {}}\n", "judge: j\n", "'fine' has no faces"),
        ("  f: {from: all, face_detail: {}, rank: 2}\n", "judge: j\n", "rank can't be set"),
        ("", "", "needs `judge:` to find the faces"),
        ("  f: {from: all, face_detail: {size: 100}}\n", "judge: j\n", "nearest: 96"),
        ("  f: {from: all, face_detail: {strength: 2}}\n", "judge: j\n", "less than or equal to 1"),
    ],
)
def test_what_it_can_not_be(tmp_path, monkeypatch, variants, more, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProblemsError, match=said):
        plan_of(tmp_path, VARIANTS + variants, more)


def test_a_size_of_the_lab_on_a_large_base_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = plan_of(tmp_path, VARIANTS.replace("512", "128"))
    assert any("draws faces in 128 x 128 px" in str(one) for one in plan.warnings)
