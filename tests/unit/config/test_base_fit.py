"""What fits a base: said by the base's file, warned of while planning, and part of no key."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from shipped_config import planned, warnings

from kindred.common.errors import ProblemsError


def test_the_file_for_own_photos_is_complete_and_needs_no_warning(shipped):
    found = planned(shipped, "own-photos")
    one = found.experiments["mine"]
    assert warnings(found) == [] and one.judge.kind == "photo"
    assert found.bases["flux-dev-nf4"].quantization == "nf4"
    assert {len(v.runs) for v in one.trained} == {2}, "nothing reads 'pilot'"
    sizes = {
        (p.full(n).width, p.full(n).height) for p in one.prompt_sets.values() for n in p.prompts
    }
    assert min(min(size) for size in sizes) == 512
    assert {one.hypotheses[h].prompt_set for h in one.hypotheses} <= set(one.prompt_sets)


def test_the_lab_s_values_on_a_full_size_base_are_warned_of(shipped):
    found = warnings(planned(shipped, "family", base=("base: lab\n", "base: flux-dev-nf4\n")))
    steps = [line for line in found if "trains 300 steps" in line]
    assert len(steps) == 1, "once, though several variants have it"
    assert re.fullmatch(
        r"experiments/mine\.yaml:\d+: variants\.all: trains 300 steps on the base 'flux-dev-nf4', "
        r"for which 500 to 10000 are usual. Correct `steps`, or ignore this if it is intended.",
        steps[0],
    )
    assert any("has a learning rate of 0.003 on the base" in line for line in found)
    assert any("makes photos of 128 x 144 px (0.018 megapixels)" in line for line in found)
    assert any("prompt_sets.casts: draws 192 x 96 px (0.018 megapixels)" in line for line in found)


def test_photos_of_strangers_who_are_cut_in_are_warned_of_too(shipped):
    tiny = "preprocess: {buckets: [[64, 64]], min_side: 64}"
    found = warnings(planned(shipped, "family", sizes=("preprocess: *sizes", tiny)))
    (one,) = [line for line in found if "makes photos of 64 x 64 px" in line]
    assert "datasets.others.preprocess" in one


def test_the_audit_of_each_dataset_says_so_too(shipped):
    found = planned(shipped, "family", base=("base: lab\n", "base: flux-dev-nf4\n"))
    one = "russell"
    told = found.audit_spec("mine", one).misfits
    assert "variants.all" in {misfit.where for misfit in told}
    assert {f"{misfit.what}. {misfit.cure}" for misfit in told} <= {
        f"{warning.what}. {warning.cure}" for warning in found.warnings
    }
    assert {m.where for m in told if m.key == "preprocess"} == {f"datasets.{one}.preprocess"}
    elsewhere = replace(found, datasets=found.datasets | {"other": found.datasets[one]})
    assert not any(m.key == "preprocess" for m in elsewhere.audit_spec("mine", "other").misfits)


def test_where_all_fits_the_audit_is_told_nothing(shipped):
    found = planned(shipped, "family")
    assert "misfits" not in found.audit_spec("mine", "russell").canonical()


def test_full_size_values_on_the_lab_s_base_are_warned_of(shipped):
    found = warnings(planned(shipped, "own-photos", base=("base: flux-dev-nf4", "base: lab")))
    assert any("has a learning rate of 0.0001 on the base 'lab'" in line for line in found)
    assert any("makes photos of 512 x 512 px (0.26 megapixels)" in line for line in found)
    assert any("draws 768 x 512 px" in line for line in found)


def test_what_fits_is_part_of_no_key(shipped):
    before = planned(shipped, "own-photos")
    base = shipped / "config" / "bases" / "flux-dev-nf4.yaml"
    text = base.read_text(encoding="utf-8")
    base.write_text(text[: text.index("fits:")], encoding="utf-8")
    after = planned(shipped, "own-photos")
    assert before.bases == after.bases
    assert before.variant("mine", "all").spec == after.variant("mine", "all").spec
    assert "fits" not in after.render_spec("mine", "all", "group").canonical()


def test_a_range_the_wrong_way_round_is_a_mistake(shipped):
    base = shipped / "config" / "bases" / "flux-dev-nf4.yaml"
    text = base.read_text(encoding="utf-8")
    base.write_text(text.replace("steps: [500, 10000]", "steps: [10000, 500]"), encoding="utf-8")
    with pytest.raises(ProblemsError, match=r"fits\.steps: write two numbers above 0, the smaller"):
        planned(shipped, "own-photos")


def test_a_base_distilled_without_guidance_warns_where_a_prompt_set_says_none(shipped):
    turbo = ("base: flux-dev-nf4", "base: z-image-turbo")
    found = warnings(planned(shipped, "own-photos", base=turbo))
    said = "draws at guidance_scale 5 on the base 'z-image-turbo', for which 0 is usual"
    assert any(said in line and "Correct `guidance_scale`" in line for line in found)
    text = (shipped / "config/experiments/own-photos.yaml").read_text(encoding="utf-8")
    line = re.search(r"\n( +)(steps: \d+)", text)
    assert line
    zero = (line[0], f"{line[0]}\n{line[1]}guidance_scale: 0")
    found = warnings(planned(shipped, "own-photos", base=turbo, zero=zero))
    assert not any("guidance_scale" in line for line in found)
