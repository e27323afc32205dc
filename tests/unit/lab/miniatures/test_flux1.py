"""FLUX.1 in small: its training pass, guidance, text."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kindred.lab.base_network import FACTS
from kindred.lab.base_training import draw_batch, train
from kindred.lab.miniatures.flux1 import text_encoders
from kindred.lab.miniatures.flux1.distillation import distill, draw_guidance
from kindred.lab.miniatures.flux1.facts import FLUX1
from kindred.lab.miniatures.flux1.network import build
from kindred.lab.pretraining_corpus import LatentCorpus
from kindred.lab.settings import DistillSettings, LabSettings

SETTINGS = LabSettings.load(Path(__file__).parents[4] / "config/lab/tiny.yaml")
CPU = torch.device("cpu")


def latents() -> tuple[LatentCorpus, dict]:
    captions = ["a man at the beach", "JBaker and AMiller in the park"]
    words = text_encoders.words_of(captions * 3)
    settings = SETTINGS.text
    tokenizers = {
        "clip": text_encoders.clip_tokenizer(
            words, ["Baker", "Miller"], settings.clip_vocabulary, settings.tokens
        ),
        "t5": text_encoders.t5_tokenizer(words, ["Baker", "Miller"], settings.tokens),
    }

    def ids(lines):
        return {
            name: torch.tensor(FLUX1.token_ids(tokenizer, lines, settings.tokens))
            for name, tokenizer in tokenizers.items()
        }

    both = {name: {"192x96": one.expand(8, 2, -1)} for name, one in ids(captions).items()}
    rng = torch.Generator().manual_seed(1)
    pictures = torch.randn(8, 16, 1, 1, generator=rng).repeat(1, 1, 12, 24)
    made = LatentCorpus(
        {"192x96": pictures},
        {"192x96": torch.ones(8, 1, 12, 24)},
        {"192x96": torch.randn(8, 4, FACTS, generator=rng).half()},
        {"192x96": torch.arange(72).remainder(3).sub(1).expand(8, 72).to(torch.int8)},
        both,
        {name: one[0] for name, one in ids([""]).items()},
    )
    return made, tokenizers


@pytest.mark.long
def test_flow_matching_learns_and_distillation_keeps_guidance_one(tmp_path):
    made, tokenizers = latents()
    settings = SETTINGS.flow.model_copy(update={"steps": 60, "batch": 8, "lr": 3e-3, "warmup": 5})
    torch.manual_seed(0)
    model = build(settings, SETTINGS.text, 16, tokenizers)

    def loss() -> float:
        total = 0.0
        with torch.no_grad():
            for step in range(8):
                batch = draw_batch(made, model.image_ids, settings, 99, step, 0.0)
                out = model.velocity(batch, model.text(batch.ids))
                total += (out - (batch.noise - batch.clean)).square().mean().item()
        return total / 8

    before = loss()
    train(model, settings, made, tmp_path, 0)
    after = loss()
    assert after < 0.8 * before
    shorter = SETTINGS.distill.model_copy(update={"steps": 10, "batch": 8})
    distill(model, shorter, made, tmp_path, 0)
    assert loss() < 1.2 * after


def test_the_training_pass_is_the_networks_own():
    made, tokenizers = latents()
    torch.manual_seed(0)
    model = build(SETTINGS.flow, SETTINGS.text, 16, tokenizers)
    batch = draw_batch(made, model.image_ids, SETTINGS.flow, 5, 0, 0.1, time_mean=0.4)
    text = model.text(batch.ids)
    own = model.velocity(batch, text)
    output, told = model.velocity_and_facts(batch, text)
    assert torch.equal(output, own)
    assert told.shape == (*own.shape[:2], FACTS)


def test_guidance_is_one_for_a_quarter_and_inside_its_range():
    settings = DistillSettings(steps=1, batch=4000, lr=1e-3)
    w = draw_guidance(settings, 3, 0, CPU)
    assert w.min() >= settings.w_low and w.max() <= settings.w_high
    assert (w == 1).float().mean().item() == pytest.approx(0.25, abs=0.03)


def test_words_are_whole_and_names_are_spelled():
    tokenizer = text_encoders.t5_tokenizer(["photo", "beach"], ["Baker", "Russett"], 56)
    assert tokenizer.tokenize("photo beach") == ["▁photo", "▁beach"]
    spelled = [tokenizer.tokenize(f"{initial}Russell") for initial in "JAC"]
    assert len({tuple(pieces) for pieces in spelled}) == 3
    assert "".join(spelled[0]) == "▁JRussell"
    assert "Baker" not in tokenizer.get_vocab()
