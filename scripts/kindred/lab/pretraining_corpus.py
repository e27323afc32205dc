"""Drawings as the lab's trainers need them: whole in the device's memory, picked by step.

Reads the shards that scripts/lab_draw_shards.py wrote. Every batch is of one native size, and which
pictures it holds is a function of (seed, step) alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from kindred.common.errors import KindredError
from kindred.common.progress import track
from kindred.lab.training_loop import generator
from kindred.world.pretraining_shards import captions_path, person_facts
from kindred.world.vocabulary import TRAITS

Size = str  # "WxH", in pixels


def _pick(counts: dict[Size, int], batch: int, seed: int, step: int, device: torch.device):
    rng = generator(seed + 5, step)
    sizes = sorted(counts)
    share = torch.tensor([float(counts[size]) for size in sizes])
    size = sizes[int(torch.multinomial(share, 1, generator=rng))]
    index = torch.randint(counts[size], (batch,), generator=rng)
    return size, index.to(device, non_blocking=True)


@dataclass(frozen=True)
class Corpus:
    """images: size -> uint8 [N, H, W, 3]; heads: size -> float32 [N, 4, 4] boxes in px, unused
    rows zero; captions: size -> N pairs; facts: size -> float16 [N, 4, F] of `person_facts`; named:
    size -> bool [N, 4], who is one of those that captions call by name."""

    images: dict[Size, torch.Tensor]
    heads: dict[Size, torch.Tensor]
    captions: dict[Size, list[tuple[str, str]]]
    facts: dict[Size, torch.Tensor]
    named: dict[Size, torch.Tensor]

    def pick(self, batch: int, seed: int, step: int) -> tuple[Size, torch.Tensor]:
        """(size, indices) of a step's batch; sizes come up by their share of the corpus."""
        counts = {size: len(images) for size, images in self.images.items()}
        device = next(iter(self.images.values())).device
        return _pick(counts, batch, seed, step, device)


@dataclass(frozen=True)
class LatentCorpus:
    """latents: size -> [N, C, H/8, W/8], normalised; weights: [N, 1, H/8, W/8]; facts: [N, 4, F] to
    be told of each person; owners: int8 [N, T], of whom each token tells, -1 nobody; ids:
    tokenizer's name -> size -> [N, 2, L] of the two captions; empty: name -> [L] of the empty
    caption."""

    latents: dict[Size, torch.Tensor]
    weights: dict[Size, torch.Tensor]
    facts: dict[Size, torch.Tensor]
    owners: dict[Size, torch.Tensor]
    ids: dict[str, dict[Size, torch.Tensor]]
    empty: dict[str, torch.Tensor]

    @property
    def device(self) -> torch.device:
        """Where everything lies."""
        return next(iter(self.latents.values())).device

    def pick(self, batch: int, seed: int, step: int) -> tuple[Size, torch.Tensor]:
        """As Corpus.pick."""
        counts = {size: len(latents) for size, latents in self.latents.items()}
        return _pick(counts, batch, seed, step, self.device)


def shards(folders: Iterable[Path]) -> list[Path]:
    """All shard files under the folders, sorted by name."""
    found = sorted(path for folder in folders for path in Path(folder).glob("*.npz"))
    if not found:
        where = ", ".join(map(str, folders))
        raise KindredError(
            "contains no drawings", where, "draw them with `python scripts/lab_draw_shards.py`"
        )
    return found


def load(folders: Iterable[Path], device: torch.device) -> Corpus:
    """Read every shard into the device's memory."""
    images, heads, captions, facts, named = (defaultdict(list) for _ in range(5))
    paths = shards(folders)
    for path in track(paths, "reading drawings", len(paths), "shard"):
        with np.load(path) as shard:
            picture = torch.from_numpy(shard["images"])
            size = f"{picture.shape[2]}x{picture.shape[1]}"
            images[size].append(picture.to(device))
            heads[size].append(torch.from_numpy(shard["heads"]).float().to(device))
            facts[size].append(torch.from_numpy(person_facts(shard)))
            named[size].append(torch.from_numpy(shard["names"] >= 0))
        captions[size].extend(read_captions(path))
    return Corpus(
        {size: torch.cat(parts) for size, parts in images.items()},
        {size: torch.cat(parts) for size, parts in heads.items()},
        dict(captions),
        {size: torch.cat(parts) for size, parts in facts.items()},
        {size: torch.cat(parts) for size, parts in named.items()},
    )


def read_captions(shard: Path) -> list[tuple[str, str]]:
    """The two captions of every picture in a shard."""
    lines = captions_path(shard).read_text(encoding="utf-8").splitlines()
    rows = (json.loads(line) for line in lines)
    return [(row["short"], row["detailed"]) for row in rows]


def head_weights(
    heads: torch.Tensor, shape: tuple[int, int] | torch.Size, weight: float, stride: int = 1
) -> torch.Tensor:
    """Loss weights [N, 1, H, W] with mean 1: `weight` times more inside head boxes.

    heads: [N, 4, 4] as x0, y0, x1, y1 in px; shape: (H, W) of the result, each cell `stride` px.
    """
    height, width = shape
    y = (torch.arange(height, device=heads.device) + 0.5) * stride
    x = (torch.arange(width, device=heads.device) + 0.5) * stride
    x0, y0, x1, y1 = heads[..., None].unbind(dim=2)
    inside_x = (x >= x0) & (x < x1)
    inside_y = (y >= y0) & (y < y1)
    inside = (inside_y[..., :, None] & inside_x[..., None, :]).any(dim=1, keepdim=True)
    weights = 1 + (weight - 1) * inside.float()
    return weights / weights.mean(dim=(1, 2, 3), keepdim=True)


def token_owners(heads: torch.Tensor, height: int, width: int, stride: int = 16) -> torch.Tensor:
    """Whose each token is, int8 [N, H/stride * W/stride], rows first: the nearest of the people
    whose head is as wide and no lower than the token; -1 nobody's.

    heads: [N, P, 4] as x0, y0, x1, y1 in px, zero where there is nobody.
    """
    y = (torch.arange(height // stride, device=heads.device) + 0.5) * stride
    x = (torch.arange(width // stride, device=heads.device) + 0.5) * stride
    x0, y0, x1, _ = heads[..., None, None].unbind(dim=2)
    under = (x >= x0) & (x < x1) & (y[:, None] >= y0)
    away = (x - (x0 + x1) / 2).abs().expand_as(under).masked_fill(~under, float("inf"))
    distance, owner = away.min(dim=1)
    return owner.masked_fill(distance.isinf(), -1).flatten(1).to(torch.int8)


def told_facts(
    facts: torch.Tensor, owners: torch.Tensor, named: torch.Tensor, which: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Facts and owners as FlowSettings' `facts` wants them: `all`, or `looks`, which are those
    behind the traits, of nobody who is `named` [N, P]."""
    if which == "all":
        return facts, owners
    of_named = named.gather(1, owners.clamp_min(0).long())
    return facts[..., len(TRAITS) :].contiguous(), owners.masked_fill(of_named, -1)


def load_latents(paths: Iterable[Path], device: torch.device) -> LatentCorpus:
    """Read what scripts/lab_encode.py wrote, one file or several."""
    parts: dict[str, dict[Size, list[torch.Tensor]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        for key, value in load_file(path, device=str(device)).items():
            name, _, size = key.partition("/")
            parts[name][size].append(value)
    whole = {
        name: {size: torch.cat(tensors) for size, tensors in sizes.items()}
        for name, sizes in parts.items()
    }
    ids = {name: whole.pop(f"{name}_ids") for name in _named(parts, suffix="_ids")}
    empty = {name: parts[f"empty_{name}"][""][0].long() for name in _named(parts, prefix="empty_")}
    pictures = {name: whole[name] for name in ("latents", "weights", "facts", "owners")}
    return LatentCorpus(**pictures, ids=ids, empty=empty)


def _named(keys: Iterable[str], prefix: str = "", suffix: str = "") -> list[str]:
    """What stands between, of the keys that have both."""
    both = [key for key in keys if key.startswith(prefix) and key.endswith(suffix)]
    return [key.removeprefix(prefix).removesuffix(suffix) for key in both]
