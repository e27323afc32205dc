"""The judge's training pictures, whole in the device's memory, and how batches are taken from them.

Reads the shards of kindred.world.pretraining_shards (general) and of kindred.lab.identity_corpus
(identities). Knows arrays and sampling; nothing of networks, except that an autoencoder may soften
a share of the pictures once, so that the judge learns them too.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from kindred.common.errors import KindredError
from kindred.common.progress import Progress
from kindred.lab.judge_labels import ATTRIBUTES, SIZES
from kindred.lab.training_loop import fast_bfloat16
from kindred.world import pretraining_shards
from kindred.world.vocabulary import HAIR_STYLES, hats_style_visible

CANVAS = (max(h for _, h in SIZES), max(w for w, _ in SIZES))  # height, width
LABELS = ("people", "heads", "boxes", "attributes", "traits", "scene", "identity")


@dataclass
class LabelledImages:
    """Pictures on one canvas size, top left; rows of all tensors belong together.

    images uint8 [N, 144, 192, 3]; size int64 [N], index in SIZES; labels as in `label_arrays`,
    identity int32 [N, 4], counted through the bank, -1 where nobody or not followed;
    views int64 [I, V, 2]: picture and place in it of each appearance of an identity;
    persons int64 [M, 2]: picture and place of everybody.
    """

    images: Tensor
    size: Tensor
    labels: dict[str, Tensor]
    views: Tensor
    persons: Tensor

    def __post_init__(self) -> None:
        self.rows = [torch.nonzero(self.size == k)[:, 0] for k in range(len(SIZES))]
        self.wh = torch.tensor(SIZES, dtype=torch.float32, device=self.images.device)[self.size]

    @property
    def device(self) -> torch.device:
        """Where the pictures lie."""
        return self.images.device

    def pick_size(self, rng: Random) -> int:
        """A size index, in proportion to its pictures."""
        return rng.choices(range(len(SIZES)), [len(rows) for rows in self.rows])[0]

    def pictures(self, size: int, count: int, rng: Generator) -> tuple[Tensor, Tensor]:
        """`count` random pictures of a size: rows [B], images [B, 3, H, W] in [-1, 1]."""
        rows = self.rows[size]
        at = rows[torch.randint(len(rows), (count,), generator=rng, device=self.device)]
        width, height = SIZES[size]
        return at, to_floats(self.images[at, :height, :width])

    def canvases(self, rows: Tensor) -> Tensor:
        """Whole canvases [B, 3, 144, 192] in [-1, 1] of the pictures at `rows`."""
        return to_floats(self.images[rows])


def to_floats(pixels: Tensor) -> Tensor:
    """uint8 [B, H, W, 3] -> float32 [B, 3, H, W] in [-1, 1]."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def load_bank(
    general: Path | None, identities: Path | None, device: torch.device, most_general: int
) -> LabelledImages:
    """Read all identity shards and about `most_general` pictures of the general corpus.

    Raises KindredError when there are no shards where some are asked for.
    """
    paths = [] if identities is None else sorted(identities.glob("identities-*.npz"))
    if identities is not None and not paths:
        cure = "draw them with `python scripts/lab_identity_corpus.py`"
        raise KindredError("contains no identity shards", str(identities), cure)
    if general is not None:
        paths = paths + choose_general(general, most_general)
    rows = [len(_labels_only(path)) for path in paths]
    images = torch.zeros((sum(rows), *CANVAS, 3), dtype=torch.uint8, device=device)
    sizes = torch.zeros(sum(rows), dtype=torch.int64)
    parts: list[dict[str, np.ndarray]] = []
    start = followed = 0
    with Progress("pictures", sum(rows), "image") as progress, ThreadPoolExecutor(8) as pool:
        # Few at a time: a shard is 100 MB and the reader is faster than the copy to the device.
        for first in range(0, len(paths), 8):
            for blocks, labels in pool.map(read_shard, paths[first : first + 8]):
                for size, pixels in blocks:
                    width, height = SIZES[size]
                    end = start + len(pixels)
                    images[start:end, :height, :width] = torch.from_numpy(pixels).to(device)
                    sizes[start:end] = size
                    start = end
                known = labels["identity"] >= 0
                labels["identity"] = np.where(known, labels["identity"] + followed, -1)
                followed = max(followed, int(labels["identity"].max()) + 1)
                parts.append(labels)
                progress.update(len(labels["people"]))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in LABELS}
    return LabelledImages(
        images,
        sizes.to(device),
        {name: torch.from_numpy(array).to(device) for name, array in joined.items()},
        torch.from_numpy(views_table(joined["identity"])).to(device),
        torch.from_numpy(np.argwhere(joined["attributes"][..., 0] >= 0)).to(device),
    )


def views_table(identity: np.ndarray) -> np.ndarray:
    """[N, 4] identities -> [I, V, 2] (picture, place); V is the fewest views of anybody."""
    where = np.argwhere(identity >= 0)
    if not len(where):
        return np.zeros((0, 0, 2), np.int64)
    who = identity[where[:, 0], where[:, 1]]
    order = np.argsort(who, kind="stable")
    where, counts = where[order], np.bincount(who)
    fewest = int(counts.min())
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return where[starts[:, None] + np.arange(fewest)[None]].astype(np.int64)


def choose_general(folder: Path, most: int) -> list[Path]:
    """Shards of the general corpus, evenly through the sorted list, holding about `most`."""
    paths = sorted(p for p in folder.rglob("*.npz") if not p.name.startswith(("identities", ".")))
    if not paths:
        raise KindredError(
            "contains no corpus shards",
            str(folder),
            "draw them with `python scripts/lab_draw_shards.py`",
        )
    total = sum(len(_labels_only(path)) for path in paths)
    wanted = max(1, min(len(paths), round(len(paths) * most / max(1, total))))
    return [paths[int((k + 0.5) * len(paths) / wanted)] for k in range(wanted)]


def _labels_only(path: Path) -> np.ndarray:
    with np.load(path) as file:
        return file["people" if "people" in file.files else "n_people"]


def read_shard(path: Path) -> tuple[list[tuple[int, np.ndarray]], dict[str, np.ndarray]]:
    """Images as (size index, pixels) blocks in row order, and labels, of either kind of shard."""
    with np.load(path) as file:
        if "identity" in file.files:
            blocks = [(k, file[f"images_{k}"]) for k in range(len(SIZES))]
            return blocks, {name: file[name] for name in LABELS}
        arrays: dict[str, Any] = {k: file[k] for k in file.files if k != "images"}
        pixels = file["images"]
    size = SIZES.index((pixels.shape[2], pixels.shape[1]))
    return [(size, pixels)], general_labels(arrays)


def general_labels(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Labels of a general shard in this judge's form: words in the order of ATTRIBUTES, and -1
    where an attribute can't be seen (see judge_labels)."""
    assert all(
        len(pretraining_shards.ATTRIBUTES[n]) - (n == "hat_colour") == len(w)
        for n, w in ATTRIBUTES.items()
    )
    style, hat = arrays["hair_style"], arrays["hat"]
    seen = np.array([hats_style_visible(name) for name in HAIR_STYLES])
    own = {name: arrays[name].astype(np.int8) for name in ATTRIBUTES}
    own["hat_colour"] = np.maximum(own["hat_colour"] - 1, -1)
    own["hair_style"] = np.where((hat > 0) & ~seen[style], -1, style).astype(np.int8)
    bald = style == HAIR_STYLES.index("bald")
    own["hair_colour"] = np.where(bald, -1, arrays["hair_colour"]).astype(np.int8)
    return {
        "people": arrays["n_people"].astype(np.int8),
        "heads": arrays["heads"],
        "boxes": arrays["boxes"],
        "attributes": np.stack([own[name] for name in ATTRIBUTES], -1),
        "traits": arrays["traits"],
        "scene": np.stack([arrays["place"], arrays["framing"]], -1).astype(np.int8),
        "identity": np.full(arrays["names"].shape, -1, np.int32),
    }


@torch.no_grad()
def soften(bank: LabelledImages, vae: Any, share: float, seed: int) -> None:
    """Replace a random share of the pictures by their way through the autoencoder, in place.

    Half of those get a little noise on the latent, up to 0.15 of its spread, because generated
    latents are never exactly an encoder's. `vae` is a diffusers AutoencoderKL on bank.device.
    """
    rng = torch.Generator(bank.device).manual_seed(seed)
    batch = 256 if bank.device.type == "cuda" else 16
    with Progress("pictures through the VAE", int(len(bank.size) * share), "image") as progress:
        for size, rows in enumerate(bank.rows):
            width, height = SIZES[size]
            order = torch.randperm(len(rows), generator=rng, device=bank.device)
            for at in rows[order[: int(len(rows) * share)]].split(batch):
                soft = round_trip(vae, to_floats(bank.images[at, :height, :width]), rng, 0.15)
                pixels = ((soft.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
                bank.images[at, :height, :width] = pixels.permute(0, 2, 3, 1)
                progress.update(len(at))


@torch.no_grad()
def round_trip(
    vae: Any, images: Tensor, rng: Generator | None = None, noise: float = 0.0
) -> Tensor:
    """Images [B, 3, H, W] in [-1, 1] -> decoded again; `noise` as in `soften`."""
    with torch.autocast(images.device.type, torch.bfloat16, fast_bfloat16(images.device)):
        latent = vae.encode(images).latent_dist.mode().float()
        if noise:
            shape = (len(latent), 1, 1, 1)
            much = torch.rand(shape, generator=rng, device=latent.device) * 2 - 1
            white = torch.randn(latent.shape, generator=rng, device=latent.device)
            latent = latent + white * latent.std() * noise * much.clamp(min=0)
        return vae.decode(latent).sample.float()
