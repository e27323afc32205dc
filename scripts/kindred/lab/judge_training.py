"""Trains the lab's judge: finder, then face embedder, then attribute reader.

Three stages one after the other, each resumable and a function of (seed, step). Knows batches,
losses and learning rates; the pictures come from a Bank.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from kindred.judges.lab_networks import Judge, geometry
from kindred.lab.augmentation import disturb
from kindred.lab.detection_losses import box_loss, heat_loss, heat_target
from kindred.lab.judge_dataset import LabelledImages
from kindred.lab.training_loop import TrainingLoop, adamw, fast_bfloat16, generator

VIEWS = 4  # appearances of an identity in one batch
SHARES = {"finder": 0.15, "face": 0.6, "reader": 0.25}  # of all steps


@dataclass(frozen=True)
class TrainingStage:
    """Length of one stage of training."""

    steps: int
    batch: int
    lr: float
    seed: int


def plan(steps: int, batch: int, seed: int) -> dict[str, TrainingStage]:
    """Split `steps` over the stages; `batch` is the face stage's, others take less."""
    batches = {"finder": batch // 4, "face": batch, "reader": batch // 2}
    return {
        name: TrainingStage(
            max(1, round(steps * share)), max(2, batches[name]), 2e-3, seed * 10 + k
        )
        for k, (name, share) in enumerate(SHARES.items())
    }


def train_judge(
    judge: Judge, bank: LabelledImages, steps: int, batch: int, seed: int, folder: Path
) -> None:
    """Train all three networks in place; checkpoints and loss logs go to `folder`."""
    judge.to(bank.device, memory_format=torch.channels_last)
    stages = plan(steps, batch, seed)
    steppers = {"finder": finder_step, "face": face_step, "reader": reader_step}
    for name, step in steppers.items():
        run_stage(name, getattr(judge, name), judge, bank, stages[name], step, folder)
    judge.eval()


def run_stage(
    name: str,
    net: nn.Module,
    judge: Judge,
    bank: LabelledImages,
    stage: TrainingStage,
    step,
    folder: Path,
) -> None:
    """One stage. `step(judge, bank, batch, rng)` gives named losses; their sum is minimised."""
    net.train()
    optimizer = adamw(net, stage.lr, 0.02)
    parts = {"net": net, "optimizer": optimizer}
    warmup = max(1, min(200, stage.steps // 10))
    loop = TrainingLoop(f"judge-{name}", folder, stage.steps, stage.lr, warmup, parts)
    for number in loop:
        rng = generator(stage.seed, number, bank.device)
        losses = step(judge, bank, stage.batch, rng)
        total = torch.stack(list(losses.values())).sum()
        optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        loop.note(total=total, **losses)


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 where it is faster."""
    return torch.autocast(device.type, torch.bfloat16, enabled=fast_bfloat16(device))


def finder_step(
    judge: Judge, bank: LabelledImages, batch: int, rng: Generator
) -> dict[str, Tensor]:
    """Losses of heat map, boxes and scene on a batch of whole pictures of one size."""
    size = bank.pick_size(Random(rng.initial_seed()))
    at, images = bank.pictures(size, batch, rng)
    heads, boxes = bank.labels["heads"][at], bank.labels["boxes"][at]
    present = bank.labels["attributes"][at][..., 0] >= 0
    images = disturb(images, rng).contiguous(memory_format=torch.channels_last)
    with autocast(bank.device):
        heat, distances, scene = judge.finder(images)
    target = heat_target(heads, present, *images.shape[2:])
    said = bank.labels["scene"][at].long()
    return {
        "heat": heat_loss(heat, target),
        "boxes": box_loss(distances, heads, boxes, present),
        "scene": sum(0.3 * F.cross_entropy(v, said[:, k]) for k, v in enumerate(scene.values())),
    }


def face_step(judge: Judge, bank: LabelledImages, batch: int, rng: Generator) -> dict[str, Tensor]:
    """Contrastive and trait losses on VIEWS appearances of each of batch/VIEWS identities.

    Look-alikes (2k, 2k + 1) come together, as the hardest strangers there are.
    """
    views = min(VIEWS, bank.views.shape[1])
    pairs = max(1, batch // (2 * views))
    first = 2 * torch.randint(len(bank.views) // 2, (pairs,), generator=rng, device=rng.device)
    who = torch.stack([first, first + 1], 1).flatten()
    shuffled = torch.rand(len(who), bank.views.shape[1], generator=rng, device=rng.device)
    chosen = shuffled.argsort(1)[:, :views]
    place = bank.views[who[:, None], chosen].flatten(0, 1)
    at, slot = place.unbind(1)
    heads = jitter(bank.labels["heads"][at, slot], rng)
    crops = disturb(judge.face_crops(bank.canvases(at), None, heads, bank.wh[at]), rng)
    crops = crops.contiguous(memory_format=torch.channels_last)
    with autocast(bank.device):
        embedding = judge.face(crops)
        traits = judge.face.read_traits(embedding)
    return {
        "likeness": contrastive(embedding, who.repeat_interleave(views)),
        "traits": 6 * F.mse_loss(traits.float(), bank.labels["traits"][at, slot]),
    }


def contrastive(embedding: Tensor, who: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss (arXiv 2004.11362, eq. 2) of unit embeddings [B, D]."""
    similarity = embedding @ embedding.T / temperature
    itself = torch.eye(len(who), dtype=torch.bool, device=who.device)
    same = (who[:, None] == who[None]) & ~itself
    logs = similarity.masked_fill(itself, -1e4).log_softmax(1)
    return -(logs * same).sum(1).div(same.sum(1).clamp(min=1)).mean()


def reader_step(
    judge: Judge, bank: LabelledImages, batch: int, rng: Generator
) -> dict[str, Tensor]:
    """Cross entropy of every attribute on random people; what can't be seen counts nowhere."""
    who = torch.randint(len(bank.persons), (batch,), generator=rng, device=rng.device)
    at, slot = bank.persons[who].unbind(1)
    heads = jitter(bank.labels["heads"][at, slot], rng)
    boxes = jitter(bank.labels["boxes"][at, slot], rng)
    wh = bank.wh[at]
    head, body = (
        disturb(part, rng).contiguous(memory_format=torch.channels_last)
        for part in judge.reader_crops(bank.canvases(at), None, heads, boxes, wh)
    )
    with autocast(bank.device):
        read = judge.reader(head, body, geometry(heads, boxes, wh))
    labels = bank.labels["attributes"][at, slot].long()
    return {name: seen_loss(logits, labels[:, k]) for k, (name, logits) in enumerate(read.items())}


def seen_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross entropy over labels other than -1; 0 when there are none."""
    loss = F.cross_entropy(logits, labels, ignore_index=-1, reduction="sum")
    return loss / (labels >= 0).sum().clamp(min=1)


def jitter(boxes: Tensor, rng: Generator) -> Tensor:
    """Move and scale boxes [M, 4] by a few percent of their size, as a finder errs."""
    size = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, 2:] + boxes[:, :2]) / 2
    noise = torch.randn(len(boxes), 4, generator=rng, device=boxes.device) * 0.03
    centre = centre + size * noise[:, :2]
    half = size / 2 * (1 + noise[:, 2:])
    return torch.cat([centre - half, centre + half], 1)
