"""What the base's gates ask for: phrases that state the facts they are checked for, drawn as the
base's architecture is."""

from random import Random

import pytest
import tiny_base
import tiny_klein
import torch

from kindred.lab import base_acceptance
from kindred.lab.base_acceptance import SampleRenderer, describe, plain_scene


def test_every_plain_person_can_be_described():
    for seed in range(300):
        (figure,) = plain_scene(Random(seed), 1).figures
        text, facts = describe(figure)
        assert facts["kind"] == figure.person.kind and figure.person.kind in text
        assert ("glasses" in text) == figure.person.glasses
        assert ("beard" in text) == figure.person.beard
        assert ("bald" in text) == (figure.person.hair_style == "bald")
        assert "  " not in text


@pytest.mark.parametrize(("build", "scale"), [(tiny_base.build, 3.5), (tiny_klein.build, 4.0)])
def test_a_base_draws_by_its_own_guidance(build, scale, tmp_path, monkeypatch):
    asked = []

    def denoise(denoiser, noise, text, sigmas, guidance, negative=None):
        asked.append((text, guidance, negative))
        return noise

    monkeypatch.setattr(base_acceptance, "denoise", denoise)
    studio = SampleRenderer(build(tmp_path / "base"), 24, torch.device("cpu"))
    pictures = studio.take(["a man", "a woman"], (64, 48), 1, "two")
    ((text, guidance, negative),) = asked
    assert [picture.size for picture in pictures] == [(64, 48)] * 2
    assert guidance == scale and all(len(value) == 2 for value in text.values())
    assert (negative is None) == (build is tiny_base.build)
    if negative:
        name = studio.base.architecture.text.sequence
        assert torch.equal(negative[name][0], negative[name][1])
        assert torch.equal(negative[name][0], studio.encoders[name](""))
