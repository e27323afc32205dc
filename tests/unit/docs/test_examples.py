"""Examples in the guide are read as a person's experiment is."""

from __future__ import annotations

import re

import shipped_config

from kindred.config.load_plan import load_plan


def test_the_example_of_more_prompts_can_be_planned_and_counts_them_right(tmp_path):
    page = (shipped_config.ROOT / "docs/guide/variants.md").read_text(encoding="utf-8")
    (example,) = [x for x in re.findall(r"```yaml\n(.*?)```", page, re.S) if "wordings:" in x]
    shipped_config.copy(tmp_path)
    fewer = re.sub(r"wordings: \d+", "wordings: 1", example)
    for name, text in {"more": example, "fewer": fewer}.items():
        told = f"like: family\ntitle: {name}\n{text}"
        (tmp_path / f"config/experiments/{name}.yaml").write_text(told, encoding="utf-8")
    plan = load_plan(tmp_path, {"experiments": ["more", "fewer"]})
    sets, before = (plan.experiments[name].prompt_sets for name in ("more", "fewer"))
    told = re.search(r"# (\d+) casts.* x (\d+) .* x (\d+)", example)
    casts, shapes, wordings = map(int, told.groups())
    assert len(sets["casts"].prompts) == casts * shapes * wordings
    assert before["casts"].prompts.items() <= sets["casts"].prompts.items()
    assert len(sets["beach"].prompts) == 2
