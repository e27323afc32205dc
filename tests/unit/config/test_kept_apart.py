"""Adapters of different people that are kept apart: what is planned, and what can't be."""

from __future__ import annotations

import pytest
import small_config

from kindred.common.errors import ProblemsError
from kindred.config.declaration import design_of
from kindred.config.load_plan import load_plan

OWN = "  j: {characters: [J]}\n  rest: {characters: [A, C]}\n"
BOTH = "  both: {adapters: {rest: 0.8, j: 1}, keep_apart: true}\n"


def plan_of(root, variants, precision="", base="model: org/flux\narchitecture: flux1\n"):
    small_config.write(root, "org/flux", variants)
    (root / "config/bases/small.yaml").write_text(f"{base}revision: abc\n")
    file = root / "config/experiments/one.yaml"
    people = "  A: {name: ARussell, class: woman}\n  C: {name: CRussell, class: child}\n"
    text = file.read_text().replace("datasets:\n", f"{people}datasets:\n")
    file.write_text(text.replace("seeds: 2,", f"seeds: 2,{precision}"))
    return load_plan(root)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_adapter_is_told_with_the_names_of_its_own_people(here):
    plan = plan_of(here, OWN + BOTH + "  sum: {adapters: {rest: 0.8, j: 1}}\n")
    apart, together = (plan.render_spec("one", name, "solo") for name in ("both", "sum"))
    assert apart.apart == [["ARussell", "CRussell"], ["JRussell"]]
    assert apart.weights == [0.8, 1.0] and not apart.merged()
    assert together.apart is None and "apart" not in together.canonical()
    one = plan.experiments["one"]
    assert one.variants["both"].shares_adapters(one.variants["sum"])
    assert design_of(plan, one)["variants"]["both"]["apart"] == apart.apart
    assert "apart" not in design_of(plan, one)["variants"]["sum"]


def test_it_counts_only_where_it_is_written(here):
    told = plan_of(here, OWN + BOTH.replace("true", "false"))
    assert told.render_spec("one", "both", "solo").apart is None


@pytest.mark.parametrize(
    ("variants", "more", "said"),
    [
        (OWN + "  b: {adapters: {j: 1}, keep_apart: true}\n", {}, "there is only one"),
        (
            OWN + "  all: {}\n  b: {adapters: {all: 1, j: 1}, keep_apart: true}\n",
            {},
            "JRussell would be drawn by several",
        ),
        ("  j: {characters: [J], keep_apart: true}\n", {}, "keep_apart: has no effect here"),
        (OWN + BOTH, {"precision": " precision: fp8,"}, "'both' keeps adapters apart, which"),
        (OWN + BOTH, {"precision": " precision: merged,"}, "`precision: merged` can't"),
        (
            OWN + BOTH,
            {"base": "model: org/klein\narchitecture: klein\n"},
            "adapters on FLUX.2 .* can't be kept apart yet. Remove `keep_apart`",
        ),
    ],
)
def test_what_can_not_be_kept_apart(here, variants, more, said):
    with pytest.raises(ProblemsError, match=said):
        plan_of(here, variants, **more)


def test_adapters_trained_elsewhere_are_of_nobody_knows_whom(here):
    import torch
    from safetensors.torch import save_file

    name = "transformer.transformer_blocks.0.attn.to_q.lora_{}.weight"
    shapes = {"A": (2, 3072), "B": (3072, 2)}
    file = here / "far.safetensors"
    save_file({name.format(one): torch.zeros(shape) for one, shape in shapes.items()}, file)
    variants = OWN + f"  far: {{adapter: {file}}}\n"
    with pytest.raises(ProblemsError, match="nobody knows whom far is of"):
        plan_of(here, variants + "  b: {adapters: {j: 1, far: 1}, keep_apart: true}\n")
