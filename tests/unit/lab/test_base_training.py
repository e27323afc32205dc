"""The lab's training loops: resuming, sharing a batch, weights, guidance, text."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kindred.lab import base_training, text_encoders, vae_training
from kindred.lab.pretraining_corpus import Corpus, LatentCorpus, head_weights, token_owners
from kindred.lab.settings import DistillSettings, LabSettings
from kindred.lab.training_loop import TrainingLoop, adamw, ema_of, generator
from kindred.training.lr_schedules import warmup_cosine
from kindred.world.pretraining_shards import ATTRIBUTES, draw_arrays, person_facts

SETTINGS = LabSettings.load(Path(__file__).parents[3] / "config/lab/tiny.yaml")
CPU = torch.device("cpu")


def corpus() -> Corpus:
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (6, 96, 192, 3), generator=rng, dtype=torch.uint8)
    heads = torch.zeros(6, 4, 4)
    heads[:, 0] = torch.tensor([20.0, 10.0, 60.0, 50.0])
    captions, facts = [("a man", "a boy")] * 6, torch.zeros(6, 4, base_training.FACTS)
    return Corpus(*({"192x96": part} for part in (images, heads, captions, facts)))


def test_head_weights_have_mean_one_and_are_heavier_inside():
    heads = torch.zeros(1, 4, 4)
    heads[0, 0] = torch.tensor([8.0, 0.0, 16.0, 8.0])
    weights = head_weights(heads, (2, 4), 3.0, stride=8)
    assert weights.shape == (1, 1, 2, 4)
    assert weights.mean() == pytest.approx(1.0)
    assert weights[0, 0, 0, 1] == pytest.approx(3 * weights[0, 0, 1, 1].item())


def test_rate_warms_up_and_ends_at_nothing():
    assert warmup_cosine(0, 100, 10) == pytest.approx(0.1)
    assert warmup_cosine(10, 100, 10) == pytest.approx(1.0)
    assert warmup_cosine(100, 100, 10) == pytest.approx(0.0)


def test_averaged_weights_follow_the_live_ones():
    layer = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        layer.weight.fill_(0.0)
    ema = ema_of(layer, decay=0.5)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    for step in range(50):
        ema.update(step)
    ema.copy_to_parameters()
    assert layer.weight.item() == pytest.approx(1.0, abs=1e-6)


def test_an_interrupted_autoencoder_ends_in_the_same_weights(tmp_path, monkeypatch):
    settings = SETTINGS.vae.model_copy(update={"steps": 4, "checkpoint_s": 0.0})
    whole = vae_training.train(settings, corpus(), tmp_path / "whole", 0, CPU).state_dict()
    steps = TrainingLoop.__iter__

    def cut(loop):
        for step in steps(loop):
            yield step
            if step == 2:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainingLoop, "__iter__", cut)
        vae_training.train(settings, corpus(), tmp_path / "cut", 0, CPU)
    again = vae_training.train(settings, corpus(), tmp_path / "cut", 0, CPU).state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def looped(folder, steps=4):
    """A loop over one number, and the steps that it took."""
    layer = nn.Linear(1, 1)
    parts = {"layer": layer, "optimizer": adamw(layer, 0.1, 0.0)}
    loop = TrainingLoop("one", folder, steps, 0.1, 1, parts, checkpoint_s=-1.0)
    return loop, list(loop)


def test_a_checkpoint_is_on_the_disk_and_a_cut_one_is_as_none(tmp_path, monkeypatch, capsys):
    flushed, real = [], os.fsync
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: flushed.append(file) or real(file))
        loop, steps = looped(tmp_path)
    assert steps == [0, 1, 2, 3] and len(flushed) == 2 * 5, "file and folder, each step and the end"
    assert looped(tmp_path, 6)[1] == [4, 5]
    whole = loop.checkpoint.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        loop.checkpoint.write_bytes(whole[:length])
        capsys.readouterr()
        assert looped(tmp_path)[1] == [0, 1, 2, 3], length
        assert f"{loop.checkpoint}: not readable" in capsys.readouterr().err


def latents() -> tuple[LatentCorpus, tuple]:
    captions = ["a man at the beach", "JBaker and AMiller in the park"]
    words = text_encoders.words_of(captions * 3)
    settings = SETTINGS.text
    tokenizers = (
        text_encoders.clip_tokenizer(
            words, ["Baker", "Miller"], settings.clip_vocabulary, settings.tokens
        ),
        text_encoders.t5_tokenizer(words, ["Baker", "Miller"], settings.tokens),
    )

    def ids(tokenizer, lines):
        options = {"padding": "max_length", "max_length": settings.tokens, "truncation": True}
        return torch.tensor(tokenizer(lines, **options)["input_ids"])

    clip, t5 = (ids(t, captions).expand(8, 2, -1).to(torch.int16) for t in tokenizers)
    rng = torch.Generator().manual_seed(1)
    pictures = torch.randn(8, 16, 1, 1, generator=rng).repeat(1, 1, 12, 24)
    made = LatentCorpus(
        {"192x96": pictures},
        {"192x96": torch.ones(8, 1, 12, 24)},
        {"192x96": clip},
        {"192x96": t5},
        {"192x96": torch.randn(8, 4, base_training.FACTS, generator=rng).half()},
        {"192x96": torch.arange(72).remainder(3).sub(1).expand(8, 72).to(torch.int8)},
        ids(tokenizers[0], [""])[0],
        ids(tokenizers[1], [""])[0],
    )
    return made, tokenizers


def test_flow_matching_learns_and_distillation_keeps_guidance_one(tmp_path):
    made, tokenizers = latents()
    settings = SETTINGS.flow.model_copy(update={"steps": 60, "batch": 8, "lr": 3e-3, "warmup": 5})
    torch.manual_seed(0)
    model = base_training.build(settings, SETTINGS.text, 16, tokenizers)

    def loss() -> float:
        total = 0.0
        with torch.no_grad():
            for step in range(8):
                batch = base_training.draw_batch(made, settings, 99, step, 0.0)
                sequence, pooled = model.text(batch.clip_ids, batch.t5_ids)
                out = base_training.velocity(
                    model.transformer, batch, sequence, pooled, torch.ones(8)
                )
                total += (out - (batch.noise - batch.clean)).square().mean().item()
        return total / 8

    before = loss()
    base_training.train(model, settings, made, tmp_path, 0)
    after = loss()
    assert after < 0.8 * before
    shorter = SETTINGS.distill.model_copy(update={"steps": 10, "batch": 8})
    base_training.distill(model, shorter, made, tmp_path, 0)
    assert loss() < 1.2 * after


def test_the_training_pass_is_the_networks_own():
    made, tokenizers = latents()
    torch.manual_seed(0)
    model = base_training.build(SETTINGS.flow, SETTINGS.text, 16, tokenizers)
    batch = base_training.draw_batch(made, SETTINGS.flow, 5, 0, 0.1, time_mean=0.4)
    inputs = (batch, *model.text(batch.clip_ids, batch.t5_ids), torch.ones(SETTINGS.flow.batch))
    own = base_training.velocity(model.transformer, *inputs)
    output, told = base_training.velocity_and_facts(model, *inputs)
    assert torch.equal(output, own)
    assert told.shape == (*own.shape[:2], base_training.FACTS)


def test_tokens_tell_of_their_own_person_and_nobodys_do_not_count():
    made, _ = latents()
    batch = base_training.draw_batch(made, SETTINGS.flow, 5, 0, 0.0)
    told = torch.full((*batch.owners.shape, base_training.FACTS), 9.0)
    for row, token in (batch.owners >= 0).nonzero().tolist():
        told[row, token] = batch.facts[row, batch.owners[row, token]].float()
    assert base_training.facts_loss(told, batch) == 0
    assert base_training.facts_loss(told + 1, batch) > 0


def test_a_token_belongs_to_the_nearest_person_above_it():
    heads = torch.zeros(1, 4, 4)
    heads[0, 0] = torch.tensor([0.0, 16.0, 40.0, 48.0])
    heads[0, 1] = torch.tensor([30.0, 0.0, 64.0, 32.0])
    owners = token_owners(heads, 64, 80)
    assert owners.view(4, 5).tolist() == [[-1, -1, 1, 1, -1]] + [[0, 0, 1, 1, -1]] * 3


def test_facts_of_people_have_variance_one_a_trait():
    arrays, _ = draw_arrays(3, 40, (128, 144))
    facts = person_facts(arrays)
    people = facts[:, 0].astype(float)
    assert facts.shape == (40, 4, base_training.FACTS)
    assert people[:, :16].var() == pytest.approx(1.0, abs=0.15)
    assert (people[:, 16:].sum(axis=1) == len(ATTRIBUTES)).all()
    assert not facts[np.arange(4) >= arrays["n_people"][:, None]].any()


def test_guidance_is_one_for_a_quarter_and_inside_its_range():
    settings = DistillSettings(steps=1, batch=4000, lr=1e-3)
    w = base_training.draw_guidance(settings, 3, 0, CPU)
    assert w.min() >= settings.w_low and w.max() <= settings.w_high
    assert (w == 1).float().mean().item() == pytest.approx(0.25, abs=0.03)


def test_a_batch_depends_on_seed_and_step_alone():
    made, _ = latents()
    first = base_training.draw_batch(made, SETTINGS.flow, 5, 7, 0.1)
    again = base_training.draw_batch(made, SETTINGS.flow, 5, 7, 0.1)
    other = base_training.draw_batch(made, SETTINGS.flow, 5, 8, 0.1)
    assert torch.equal(first.noise, again.noise) and torch.equal(first.t5_ids, again.t5_ids)
    assert not torch.equal(first.noise, other.noise)
    assert torch.rand(1, generator=generator(1, 2)) == torch.rand(1, generator=generator(1, 2))


def test_words_are_whole_and_names_are_spelled():
    tokenizer = text_encoders.t5_tokenizer(["photo", "beach"], ["Baker", "Russett"], 56)
    assert tokenizer.tokenize("photo beach") == ["▁photo", "▁beach"]
    spelled = [tokenizer.tokenize(f"{initial}Russell") for initial in "JAC"]
    assert len({tuple(pieces) for pieces in spelled}) == 3
    assert "".join(spelled[0]) == "▁JRussell"
    assert "Baker" not in tokenizer.get_vocab()


def test_only_matrices_decay():
    groups = adamw(nn.Linear(2, 2), 1e-3, 0.01).param_groups
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]
