"""Trains the lab's captioner on drawings and measures its sentences.

Knows batches, loss and what is counted as right; the pictures come from a Bank.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kindred.common.files import write_json
from kindred.lab.acceptance_images import AcceptanceImage, scene_pictures
from kindred.lab.augmentation import disturb
from kindred.lab.captioner_model import IMAGE_PX, build_tokenizer, sentence, write_captions
from kindred.lab.judge_dataset import LabelledImages
from kindred.lab.judge_labels import ATTRIBUTES, MOST, SCENE, person_words
from kindred.lab.judge_training import autocast, seen_loss
from kindred.lab.training_loop import TrainingLoop, adamw, generator
from kindred.world.captions import PLACE_PHRASES
from kindred.world.vocabulary import COLOURS, KINDS

IGNORED = -100  # the loss skips these labels
PROBED = ("kind", "hat", "clothes", "clothes_colour")
PROBE_WEIGHT = 0.5
TARGETS = {"count": 0.95, "place": 0.95, "kinds": 0.85}
_KIND = re.compile(rf"\b({'|'.join(KINDS)})\b")
_COLOUR = re.compile(rf"\b({'|'.join(COLOURS)})\b")


def bank_sentences(bank: LabelledImages) -> list[str]:
    """The sentence of every picture of the bank, from its labels."""
    attributes = bank.labels["attributes"].cpu().tolist()
    place = list(SCENE).index("place")
    places = [SCENE["place"][row[place]] for row in bank.labels["scene"].cpu().tolist()]
    people = bank.labels["people"].cpu().tolist()
    return [
        sentence([words_of(person) for person in rows[:count]], where)
        for rows, count, where in zip(attributes, people, places, strict=True)
    ]


def words_of(labels: Sequence[int]) -> dict[str, str | None]:
    """Class indices in the order of ATTRIBUTES -> words; None for -1."""
    return {
        name: values[label] if label >= 0 else None
        for (name, values), label in zip(ATTRIBUTES.items(), labels, strict=True)
    }


def token_table(sentences: Sequence[str], device: torch.device) -> Tensor:
    """int64 [N, L] token ids, padded."""
    ids = build_tokenizer()(list(sentences), padding=True, return_tensors="pt")["input_ids"]
    return ids.to(device)


class Probe(nn.Module):
    """Reads scene and people straight from the image tokens [B, N, D]; used in training only.

    Without it the decoder first learns the language alone, and the image encoder has to wait.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.shape = [MOST + 1, len(SCENE["place"])]
        self.shape += [len(ATTRIBUTES[name]) for name in PROBED for _ in range(MOST)]
        self.out = nn.Linear(2 * width, sum(self.shape))

    def forward(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """Mean cross entropy of the answers. labels int64 [B, answers], -1: nobody there."""
        pooled = torch.cat([tokens.mean(1), tokens.amax(1)], 1)
        parts = self.out(pooled).float().split(self.shape, 1)
        losses = [seen_loss(part, labels[:, k]) for k, part in enumerate(parts)]
        return torch.stack(losses).mean()


def probe_labels(bank: LabelledImages) -> Tensor:
    """int64 [N, answers] for Probe: people, place, then each probed attribute of each person."""
    names, place = list(ATTRIBUTES), list(SCENE).index("place")
    columns = [bank.labels["people"][:, None], bank.labels["scene"][:, place, None]]
    columns += [bank.labels["attributes"][:, :, names.index(name)] for name in PROBED]
    return torch.cat([column.long() for column in columns], 1)


def train_captioner(
    model: Any,
    bank: LabelledImages,
    steps: int,
    batch: int,
    seed: int,
    folder: Path,
    lr: float = 1e-3,
) -> None:
    """Train in place; checkpoint and loss log go to `folder`."""
    tokens = token_table(bank_sentences(bank), bank.device)
    answers = probe_labels(bank)
    probe = Probe(model.config.vision_config.hidden_size)
    both = nn.ModuleList([model, probe]).to(bank.device).train()
    optimizer = adamw(both, lr, 0.05)
    parts = {"net": both, "optimizer": optimizer}
    loop = TrainingLoop("captioner", folder, steps, lr, max(1, min(300, steps // 10)), parts)
    for number in loop:
        rng = generator(seed * 10 + 7, number, bank.device)
        at, images = bank.pictures(bank.pick_size(Random(rng.initial_seed())), batch, rng)
        side = (IMAGE_PX, IMAGE_PX)
        square = F.interpolate(images.contiguous(), side, mode="bicubic", antialias=True)
        square = disturb(square, rng)
        with autocast(bank.device):
            said = say(model, square, tokens[at])
            seen = probe(said.image_embeds, answers[at])
        optimizer.zero_grad(set_to_none=True)
        (said.loss + PROBE_WEIGHT * seen).backward()
        nn.utils.clip_grad_norm_(both.parameters(), 1.0)
        optimizer.step()
        loop.note(loss=said.loss, probe=seen)
    model.eval()


def say(model: Any, images: Tensor, tokens: Tensor) -> Any:
    """The model's output with its loss, the mean cross entropy of the next token.

    images [B, 3, S, S] in [-1, 1], tokens [B, L].
    """
    padding = tokens == model.config.text_config.pad_token_id
    return model(
        pixel_values=images,
        input_ids=tokens,
        attention_mask=(~padding).long(),
        labels=tokens.masked_fill(padding, IGNORED),
    )


def measure(model: Any, tokenizer: Any, drawn: Sequence[AcceptanceImage]) -> dict[str, float]:
    """Shares read right on drawings: number of people, place, and, where the number is right,
    kind and clothes' colour of each person from left to right."""
    said = write_captions(model, tokenizer, [p.image for p in drawn])
    counts, places, kinds, colours = [], [], [], []
    for text, picture in zip(said, drawn, strict=True):
        figures = picture.scene.figures
        truth = sentence([person_words(f) for f in figures], picture.scene.place)
        counts.append(len(_KIND.findall(text)) == len(figures))
        places.append(_place(text) == picture.scene.place)
        if counts[-1]:
            kinds += _agree(_KIND, text, truth)
            colours += _agree(_COLOUR, text, truth)
    return {
        "count": _mean(counts),
        "place": _mean(places),
        "kinds": _mean(kinds),
        "colours": _mean(colours),
    }


def report(model: Any, count: int, out: Path) -> None:
    """Measure on so many fresh drawings, print, and write the figures."""
    figures = measure(model, build_tokenizer(), scene_pictures(70, count))
    write_json(out, figures)
    for name, value in figures.items():
        low = name in TARGETS and value < TARGETS[name]
        print(f"{name:10s} {value:.4f}{' not reached' if low else ''}")


def _place(text: str) -> str | None:
    return next((key for key, words in PLACE_PHRASES.items() if text.endswith(words[0])), None)


def _agree(pattern: re.Pattern[str], text: str, truth: str) -> list[bool]:
    got, wanted = pattern.findall(text), pattern.findall(truth)
    return [k < len(got) and got[k] == word for k, word in enumerate(wanted)]


def _mean(values: list[bool]) -> float:
    return sum(values) / len(values) if values else 0.0
