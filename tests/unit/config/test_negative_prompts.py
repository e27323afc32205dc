"""Negative prompts in a file: filled, encoded, and refused where nobody reads them."""

import json

import pytest
from shipped_config import planned

from kindred.common.errors import ProblemsError

SOLO = "    seeds: 3\n"
KLEIN = ("base: flux-dev-nf4 ", "base: klein-4b ")


def negative(root, text, base=KLEIN):
    """The plan of own photos with a key more in each prompt set that is asked twice."""
    return planned(root, "own-photos", base=base, more=(SOLO, f"{SOLO}    {text}\n"))


def test_it_is_filled_and_encoded_with_the_prompts(shipped):
    before = planned(shipped, "own-photos", base=KLEIN)
    after = negative(shipped, 'negative: "two of {J}"')
    name = next(
        key for key, one in after.experiments["mine"].prompt_sets.items() if one.negatives()
    )
    character = after.experiments["mine"].characters["J"].name
    asked = after.experiments["mine"].prompt_sets[name]
    assert asked.negative == f"two of {character}"
    encoded = after.prompt_texts("mine", name, "klein-4b").prompts
    assert encoded.items() - before.prompt_texts("mine", name, "klein-4b").prompts.items() == {
        (f"negative of {next(iter(asked.prompts))}", f"two of {character}")
    }
    plain = before.experiments["mine"].prompt_sets[name].canonical()
    assert "negative" not in json.loads(plain)


def test_a_base_without_a_second_pass_is_named(shipped):
    with pytest.raises(ProblemsError, match="the base 'flux-dev-nf4' draws without a second"):
        negative(shipped, "negative: blurry", base=("base:", "base:"))


def test_a_distilled_one_is_known_by_its_index_where_that_is_here(shipped, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(shipped / "hub"))
    base = ("base: flux-dev-nf4 ", "base: klein-4b-distilled ")
    negative(shipped, "negative: blurry", base=base)  # nobody knows yet
    kept = shipped / "hub/models--black-forest-labs--FLUX.2-klein-4B"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs/main").write_text("d" * 40)
    index = kept / "snapshots" / ("d" * 40) / "model_index.json"
    index.parent.mkdir(parents=True)
    index.write_text('{"_class_name": "Flux2KleinPipeline", "is_distilled": true}')
    with pytest.raises(ProblemsError, match="draws without a second pass, so it ignores negative"):
        negative(shipped, "negative: blurry", base=base)


def test_a_scale_that_turns_it_off_is_named(shipped):
    with pytest.raises(ProblemsError, match="at guidance_scale 1 the base 'klein-4b' ignores"):
        negative(shipped, "guidance_scale: 1\n    negative: blurry")
