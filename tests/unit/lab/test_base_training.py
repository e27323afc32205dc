"""The lab's training loops: resuming, sharing a batch, weights, guidance, text."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from kindred.lab import base_training, vae_training
from kindred.lab.base_network import FACTS
from kindred.lab.pretraining_corpus import (
    Corpus,
    LatentCorpus,
    head_weights,
    token_owners,
    told_facts,
)
from kindred.lab.settings import LabSettings
from kindred.lab.training_loop import TrainingLoop, adamw, ema_of, generator
from kindred.models.architectures.patches import image_ids
from kindred.training.lr_schedules import warmup_cosine
from kindred.world.pretraining_shards import ATTRIBUTES, draw_arrays, person_facts
from kindred.world.vocabulary import TRAITS

SETTINGS = LabSettings.load(Path(__file__).parents[3] / "config/lab/tiny.yaml")
CPU = torch.device("cpu")


def corpus() -> Corpus:
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (6, 96, 192, 3), generator=rng, dtype=torch.uint8)
    heads = torch.zeros(6, 4, 4)
    heads[:, 0] = torch.tensor([20.0, 10.0, 60.0, 50.0])
    captions, facts = [("a man", "a boy")] * 6, torch.zeros(6, 4, FACTS)
    named = torch.zeros(6, 4, dtype=torch.bool)
    return Corpus(*({"192x96": part} for part in (images, heads, captions, facts, named)))


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


def latents() -> LatentCorpus:
    rng = torch.Generator().manual_seed(1)
    pictures = torch.randn(8, 16, 12, 24, generator=rng)
    return LatentCorpus(
        {"192x96": pictures},
        {"192x96": torch.ones(8, 1, 12, 24)},
        {"192x96": torch.randn(8, 4, FACTS, generator=rng).half()},
        {"192x96": torch.arange(72).remainder(3).sub(1).expand(8, 72).to(torch.int8)},
        {"a": {"192x96": torch.arange(8 * 2 * 5, dtype=torch.int16).view(8, 2, 5)}},
        {"a": torch.full((5,), -1)},
    )


def test_tokens_tell_of_their_own_person_and_nobodys_do_not_count():
    made = latents()
    batch = base_training.draw_batch(made, image_ids, SETTINGS.flow, 5, 0, 0.0)
    told = torch.full((*batch.owners.shape, FACTS), 9.0)
    for row, token in (batch.owners >= 0).nonzero().tolist():
        told[row, token] = batch.facts[row, batch.owners[row, token]].float()
    assert base_training.facts_loss(told, batch) == 0
    assert base_training.facts_loss(told + 1, batch) > 0


def test_looks_are_told_without_traits_and_of_nobody_with_a_name():
    made = latents()
    facts, owners = made.facts["192x96"], made.owners["192x96"]
    named = torch.tensor([[True, False, False, False]]).expand(8, 4)
    looks, of_unnamed = told_facts(facts, owners, named, "looks")
    assert torch.equal(looks, facts[..., len(TRAITS) :])
    assert torch.equal(of_unnamed, torch.where(owners == 0, -1, owners))
    assert told_facts(facts, owners, named, "all") == (facts, owners)
    looking = replace(made, facts={"192x96": looks}, owners={"192x96": of_unnamed})
    batch = base_training.draw_batch(looking, image_ids, SETTINGS.flow, 5, 0, 0.0)
    told = torch.full((*batch.owners.shape, FACTS), 9.0)
    for row, token in (batch.owners >= 0).nonzero().tolist():
        told[row, token, len(TRAITS) :] = batch.facts[row, batch.owners[row, token]].float()
    assert base_training.facts_loss(told, batch) == 0
    assert base_training.facts_loss(told + 1, batch) == pytest.approx(looks.shape[2] / 12)


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
    assert facts.shape == (40, 4, FACTS)
    assert people[:, :16].var() == pytest.approx(1.0, abs=0.15)
    assert (people[:, 16:].sum(axis=1) == len(ATTRIBUTES)).all()
    assert not facts[np.arange(4) >= arrays["n_people"][:, None]].any()


def test_a_batch_depends_on_seed_and_step_alone():
    made = latents()
    first = base_training.draw_batch(made, image_ids, SETTINGS.flow, 5, 7, 0.1)
    again = base_training.draw_batch(made, image_ids, SETTINGS.flow, 5, 7, 0.1)
    other = base_training.draw_batch(made, image_ids, SETTINGS.flow, 5, 8, 0.1)
    assert torch.equal(first.noise, again.noise) and torch.equal(first.ids["a"], again.ids["a"])
    assert not torch.equal(first.noise, other.noise)
    assert torch.rand(1, generator=generator(1, 2)) == torch.rand(1, generator=generator(1, 2))


def test_dropped_captions_are_the_empty_one():
    settings = SETTINGS.flow.model_copy(update={"batch": 200})
    batch = base_training.draw_batch(latents(), image_ids, settings, 5, 7, 0.25)
    empty = (batch.ids["a"] == -1).all(dim=1)
    assert empty.float().mean().item() == pytest.approx(0.25, abs=0.08)
    assert (batch.ids["a"][~empty] >= 0).all()


def test_only_matrices_decay():
    groups = adamw(nn.Linear(2, 2), 1e-3, 0.01).param_groups
    assert [group["weight_decay"] for group in groups] == [0.01, 0.0]
