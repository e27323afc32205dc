"""The base's own answers to captions without names are learned beside the photos."""

import shutil

import pytest
import torch
import training_set
from safetensors import safe_open

import train
from kindred.common.errors import KindredError
from kindred.common.hashing import caption_hash
from kindred.models.lora import injection
from kindred.specs.training import Recipe
from kindred.training.batches import Example
from kindred.training.flow_matching import velocity
from kindred.training.trainer import Trainer, WeightedDataset


@pytest.fixture(scope="module")
def data(tmp_path_factory, base):
    made = training_set.build(tmp_path_factory.mktemp("data") / "set", base, {"J": 2, "A+J": 2})
    training_set.class_text_of(made)
    return made


def text_file(data):
    return ["--class-text", str(data.root / "class-text.safetensors")]


def trained(data, out, *extra, **recipe):
    train.main([*data.train_arguments(out, **recipe), *extra])
    return (out / "lora.safetensors").read_bytes()


def broken_after(steps):
    original = Trainer.step

    def step(self, feeds):
        if self.done == steps:
            raise RuntimeError("power cut")
        return original(self, feeds)

    return step


def test_captions_are_encoded_without_names(data):
    with safe_open(data.root / "class-text.safetensors", "pt") as file:
        hashes = {key.partition(".")[0] for key in file.keys()}  # noqa: SIM118 - no mapping
    wanted = ["a man photo 1", "a man photo 2", "a woman and a man photo 1"]
    assert {caption_hash(text) for text in wanted} < hashes
    assert caption_hash("JRussell photo 1") not in hashes


@pytest.mark.long
def test_it_changes_the_adapter_needs_its_file_and_resumes_to_the_same_bytes(data, tmp_path):
    with pytest.raises(KindredError, match="captions without names"):
        trained(data, tmp_path / "none", diff_output_preservation=1.0)
    # At its first step the adapter changes nothing, so there is nothing to be preserved against.
    recipe = {"steps": 5, "diff_output_preservation": 1.0, "caption_dropout": 0.3}
    plain = trained(data, tmp_path / "plain", **(recipe | {"diff_output_preservation": 0.0}))
    whole = trained(data, tmp_path / "whole", *text_file(data), **recipe)
    assert whole != plain
    shutil.rmtree(data.root / "store")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(RuntimeError, match="power cut"):
        patch.setattr(Trainer, "step", broken_after(3))
        trained(data, tmp_path / "broken", *text_file(data), **recipe)
    assert trained(data, tmp_path / "resumed", *text_file(data), **recipe) == whole


def test_captions_that_name_nobody_have_nothing_to_preserve(data, tmp_path):
    nobody = {
        letter: who | {"name": f"{letter}Nobody"} for letter, who in training_set.CHARACTERS.items()
    }
    changes = {"recipe": data.recipe(diff_output_preservation=1.0), "characters": nobody}
    with pytest.raises(KindredError, match="no caption names anybody"):
        train.main([*data.spec_arguments(tmp_path / "out", 0, changes), *text_file(data)])


def trainer_of(base, weight, **recipe):
    """A training on one picture with a caption, and with another caption preserved."""
    from diffusers import FluxTransformer2DModel

    network = FluxTransformer2DModel.from_pretrained(base, subfolder="transformer")
    told = Recipe(rank=4, lr=1e-2, diff_output_preservation=weight, **recipe)
    parameters = injection.add_lora(network, told, 0)
    noise = torch.Generator().manual_seed(0)
    texts = [
        {"t5": torch.randn(3, 32, generator=noise), "clip": torch.randn(24, generator=noise)}
        for _ in range(2)
    ]
    latent = torch.randn(16, 4, 4, generator=noise)
    datasets = [
        WeightedDataset("photos", 1.0, {"32x32": [Example("p", "c", latent, texts[0])]}, texts[1]),
        WeightedDataset(
            "preserved", weight, {"32x32": [Example("p", "n", latent, texts[1])]}, texts[1], True
        ),
    ]
    return Trainer(network, parameters, datasets if weight else datasets[:1], told, 0, {}), texts


@pytest.mark.parametrize("kind", [{}, {"adapter_type": "lokr"}, {"dora": True}])
def test_what_is_learned_is_what_the_base_says_whatever_the_adapter(base, kind):
    trainer, _ = trainer_of(base, 1.0, **kind)
    (_, photos), (_, batch) = (next(feed) for feed in trainer.feeds())
    assert batch.preserves and not photos.preserves
    before = trainer._answer_of_base(batch)
    first = trainer.micro_step(batch, torch.tensor(1.0))
    assert first.item() == pytest.approx(0, abs=1e-9)
    with torch.no_grad():
        for parameter in trainer.parameters:
            parameter.add_(0.05)
    assert torch.equal(trainer._answer_of_base(batch), before)
    assert trainer.micro_step(batch, torch.tensor(1.0)).item() > 1e-6
    assert all(parameter.requires_grad for parameter in trainer.parameters)


@pytest.mark.long
def test_the_preserved_caption_stays_nearer_to_the_base(base):
    def moved(weight):
        """How far the answer to the caption without names has gone from the base's."""
        trainer, _ = trainer_of(base, weight)
        feeds = trainer.feeds()
        for _ in range(12):
            trainer.step(feeds)
        asked, _ = trainer_of(base, 1.0)
        batch = next(asked.feeds()[1])[1]
        target = trainer._answer_of_base(batch)
        with torch.no_grad():
            given = {name: batch.inputs[name] for name in ("latents", "noise", "sigmas", "text")}
            said = velocity(trainer.denoiser, **given, guidance=1.0)
        return (said - target).square().mean().item()

    assert moved(3.0) < 0.5 * moved(0.0)
