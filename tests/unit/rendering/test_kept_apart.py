"""Adapters kept apart: each draws its own people, and nothing of others."""

import lora_files
import numpy as np
import pytest
import tiny_base
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from kindred.common.errors import KindredError
from kindred.common.hashing import caption_hash
from kindred.models.lora.adapters import read_adapters
from kindred.models.opened_base import open_base
from kindred.models.tokenizers import load_tokenizer
from kindred.rendering import kept_apart, word_regions
from kindred.rendering.image_plan import plan
from kindred.rendering.kept_apart import confined
from kindred.rendering.pipeline import RenderPipeline
from kindred.rendering.prompt_embeddings import named_tokens
from kindred.specs.rendering import PromptSet, RenderSpec
from kindred.specs.training import Recipe

NAMES = [["JRussell"], ["ARussell"]]
ALONE, NOBODY, BOTH = "photo of JRussell", "photo of a man", "ARussell and JRussell"


@pytest.fixture(scope="module")
def loras(folder, tmp_path_factory):
    """Two adapters with an effect on every layer."""
    out, found = tmp_path_factory.mktemp("loras"), []
    for rank in (2, 4):
        network = FluxTransformer2DModel.from_pretrained(folder, subfolder="transformer")
        path = out / f"{rank}.safetensors"
        recipe = Recipe(rank=rank, targets="all-linear")
        lora_files.trained(network, path, recipe, {"software": "Kindred"})
        found.append(path)
    return found


class Texts(dict):
    """Embeddings that follow from the hash alone."""

    def __missing__(self, key):
        random = torch.Generator().manual_seed(int(key[:8], 16))
        text = torch.randn(tiny_base.TEXT_TOKENS, 32, generator=random)
        return {"t5": text, "clip": torch.randn(24, generator=random)}


def pipeline_of(base, prompts, loras, **more):
    """A loaded pipeline and the pictures that are asked for."""
    weights = {"weights": [1.0] * len(loras)} if loras else {}
    spec = spec_of(base, *prompts, **weights, **more)
    adapters = read_adapters(loras)
    return RenderPipeline.load(spec, adapters, "cpu"), plan(spec, adapters, "base@1")


def spec_of(base, *prompts, **more):
    named = {f"p{n}": text for n, text in enumerate(prompts)}
    asked = PromptSet(prompts=named, seeds=[1], width=64, height=48, steps=5)
    return RenderSpec(base=base, prompt_set=asked, name="p", **more)


def drawn(base, prompt, loras, **more):
    """The pixels of one prompt's picture."""
    pipeline, pictures = pipeline_of(base, [prompt], loras, **more)
    return np.asarray(pipeline.draw(pictures, Texts())[0], dtype=int)


def test_who_is_asked_for_alone_is_drawn_by_their_own_adapter_alone(base, loras):
    apart = drawn(base, ALONE, loras, apart=NAMES)
    assert abs(apart - drawn(base, ALONE, loras[:1], merge=False)).max() <= 1
    assert abs(apart - drawn(base, ALONE, loras, merge=False)).max() > 5


def test_where_nobody_is_asked_for_the_base_draws(base, loras):
    apart = drawn(base, NOBODY, loras, apart=NAMES)
    assert abs(apart - drawn(base, NOBODY, [])).max() <= 1
    assert abs(apart - drawn(base, NOBODY, loras, merge=False)).max() > 5


def test_several_are_drawn_by_both_each_in_a_place_of_its_own(base, loras, monkeypatch):
    given = []
    masks = kept_apart.confined
    monkeypatch.setattr(kept_apart, "confined", lambda *a: given.append(a) or masks(*a))
    apart = drawn(base, BOTH, loras, apart=NAMES)
    (_, owner) = given[-1]  # after the steps in which the base is alone
    assert owner.shape == (1, 12) and set(owner.flatten().tolist()) == {0, 1}
    for other in (loras, loras[:1], loras[1:]):
        assert abs(apart - drawn(base, BOTH, other, merge=False)).max() > 5


def test_a_picture_is_the_same_whatever_is_beside_it(base, loras):
    pipeline, pictures = pipeline_of(base, [BOTH, ALONE, NOBODY], loras, apart=NAMES)
    together = pipeline.draw(pictures, Texts())
    for picture, beside in zip(pictures, together, strict=True):
        alone = np.asarray(pipeline.draw([picture], Texts())[0], dtype=int)
        assert abs(alone - np.asarray(beside, dtype=int)).max() <= 1


def test_afterwards_the_network_is_as_it_was(base, loras):
    pipeline, pictures = pipeline_of(base, [BOTH], loras, apart=NAMES)
    before = pipeline.apart.watched.processor
    first = pipeline.draw(pictures, Texts())[0].tobytes()
    assert pipeline.apart.watched.processor is before
    assert pipeline.apart.masks is None and pipeline.draw(pictures, Texts())[0].tobytes() == first


def test_a_change_counts_in_its_own_region_and_at_no_other_name():
    named = torch.zeros(1, 3, 5, dtype=torch.bool)
    named[0, 0, [1, 2]] = named[0, 1, 4] = True  # the third is not asked for
    owner = torch.tensor([[0, 0, 1, 1]])
    found = confined(named, owner)
    assert found.text[0].tolist() == [[0, 1, 1, 0, 0], [0, 0, 0, 0, 1], [0] * 5]
    assert found.image[0].tolist() == [[1, 1, 0, 0], [0, 0, 1, 1], [0] * 4]
    assert found.of("all")[0, 1].tolist() == [0, 0, 0, 0, 1, 0, 0, 1, 1]
    assert found.of("time")[0].tolist() == [[1], [1], [0]]
    nobody = torch.zeros_like(named), torch.full((1, 4), word_regions.NOBODY)
    assert not confined(*nobody).of("all").any()  # while people get their places
    alone = confined(named & torch.tensor([True, False, False])[:, None], torch.tensor([[-1] * 4]))
    assert alone.image[0].tolist() == [[1] * 4, [0] * 4, [0] * 4]
    assert alone.text[0].tolist() == [[1] * 5, [0] * 5, [0] * 5]


def test_names_are_found_in_the_tokens_that_the_encoder_reads(base):
    spec = spec_of(base, "a ARussell b JRussell", "a JRusselling man", weights=[1, 1], apart=NAMES)
    pictures = plan(spec, [], "base@1")
    for length in (40, 6):
        texts = {caption_hash(one.prompt): {"t5": torch.zeros(length, 32)} for one in pictures}
        named = named_tokens(pictures, texts, open_base(base))
        assert named.shape == (2, 2, length) and not named[1].any()
        tokens = load_tokenizer(f"{base.model}/tokenizer_2").tokenize(pictures[0].prompt)[:length]
        words = ["".join(np.array(tokens)[named[0, k, : len(tokens)].numpy()]) for k in (0, 1)]
        whole = "ARussell" if length > 6 else "ARu"
        assert [word.replace("\u2581", "") for word in words] == ["JRussell"[: length - 6], whole]


def test_what_can_t_be_kept_apart_is_told(base, folder, loras, tmp_path):
    network = FluxTransformer2DModel.from_pretrained(folder, subfolder="transformer")
    network.add_adapter(LoraConfig(r=2, target_modules=["to_q"], use_dora=True))
    FluxPipeline.save_lora_weights(
        tmp_path,
        get_peft_model_state_dict(network),
        weight_name="dora.safetensors",
        transformer_lora_adapter_metadata=network.peft_config["default"].to_dict(),
    )
    with pytest.raises(KindredError, match="DoRA"):
        pipeline_of(base, [BOTH], [loras[0], tmp_path / "dora.safetensors"], apart=NAMES)
    with pytest.raises(ValueError, match="as many as"):
        spec_of(base, BOTH, weights=[1], apart=NAMES)
    with pytest.raises(ValueError, match="can't be kept apart"):
        spec_of(base, BOTH, weights=[1, 1], apart=NAMES, merge=True)


def test_it_is_in_the_key_where_it_is_asked_for(base, loras):
    keys = []
    for more in ({}, {"apart": NAMES}, {"apart": NAMES[::-1]}):
        spec = spec_of(base, BOTH, weights=[1, 1], **more)
        (picture,) = plan(spec, read_adapters(loras), "base@1")
        keys.append(picture.key)
        assert ("apart" in picture.settings) == bool(more)
    assert len(set(keys)) == 3
