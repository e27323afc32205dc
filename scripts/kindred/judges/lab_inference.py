"""The lab's judge at work: images in, people with identity and attributes out.

Knows how pictures of any size are brought to the judge and its answers back to their pixels; knows
nothing of prompts, names or scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from kindred.judges.lab_detection import HeadDetections, decode
from kindred.judges.lab_networks import Judge, geometry, load_judge

AREA = 128 * 144  # px; what the judge was trained on
LARGEST = 1.6  # pictures of more than this times AREA are scaled down to AREA
BATCH = 32

Words = dict[str, float]  # word -> probability
Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels of the picture


@dataclass(frozen=True)
class DetectedPerson:
    """One person found. `embedding` [D] has unit length; its cosine is likeness."""

    box: Box
    head: Box
    score: float
    embedding: np.ndarray
    attributes: dict[str, Words]
    traits: dict[str, float]

    def says(self, attribute: str) -> str:
        """The most probable word."""
        return max(self.attributes[attribute], key=self.attributes[attribute].__getitem__)


@dataclass(frozen=True)
class DetectedScene:
    """What the judge sees in one picture: people from left to right, and the scene."""

    people: list[DetectedPerson]
    scene: dict[str, Words] = field(default_factory=dict)

    @property
    def place(self) -> Words:
        """Probability of each place."""
        return self.scene["place"]

    def says(self, what: str) -> str:
        """The most probable word of `place` or `framing`."""
        return max(self.scene[what], key=self.scene[what].__getitem__)


class LabDetector:
    """The trained judge. `look` is deterministic on one device."""

    def __init__(self, judge: Judge, device: torch.device | str = "cpu") -> None:
        self.config = judge.config
        self.device = torch.device(device)
        self.net = fold_norms(judge.eval()).to(self.device, memory_format=torch.channels_last)

    @classmethod
    def load(cls, path: Path | str, device: torch.device | str = "cpu") -> LabDetector:
        """Load lab/judge. Raises KindredError when the folder holds no lab judge."""
        return cls(load_judge(path), device)

    @torch.inference_mode()
    def look(
        self,
        images: Sequence[Image.Image],
        threshold: float | None = None,
        attributes: bool = True,
    ) -> list[DetectedScene]:
        """Judge pictures of any size, in the order given. Without `attributes`, people's are left
        empty, which saves a third of the time."""
        threshold = self.config.threshold if threshold is None else threshold
        sides = [working_size(image.size) for image in images]
        out: list[DetectedScene | None] = [None] * len(images)
        for size in sorted(set(sides)):
            rows = [i for i, side in enumerate(sides) if side == size]
            for first in range(0, len(rows), BATCH):
                chunk = rows[first : first + BATCH]
                tensor = to_tensor([images[i] for i in chunk], size).to(self.device)
                scales = [(images[i].width / size[0], images[i].height / size[1]) for i in chunk]
                for i, seen in zip(
                    chunk, self._look(tensor, scales, threshold, attributes), strict=True
                ):
                    out[i] = seen
        return [sighting for sighting in out if sighting is not None]

    def _look(
        self,
        images: Tensor,
        scales: list[tuple[float, float]],
        threshold: float,
        attributes: bool,
    ) -> list[DetectedScene]:
        heat, distances, scene = self.net.finder(images)
        found = decode(heat, distances, threshold)
        scenes = self._words(scene, self.config.scene)
        people = self._people(images, found, scales, attributes)
        return [
            DetectedScene(sorted(p, key=lambda s: s.head[0] + s.head[2]), s)
            for p, s in zip(people, scenes, strict=True)
        ]

    def _people(
        self,
        images: Tensor,
        found: list[HeadDetections],
        scales: list[tuple[float, float]],
        attributes: bool,
    ) -> list[list[DetectedPerson]]:
        people: list[list[DetectedPerson]] = [[] for _ in found]
        index = torch.tensor([i for i, f in enumerate(found) for _ in f.scores], dtype=torch.long)
        if not len(index):
            return people
        heads = torch.cat([f.heads for f in found]).to(images.device)
        boxes = torch.cat([f.boxes for f in found]).to(images.device)
        scores = torch.cat([f.scores for f in found]).tolist()
        sizes = heads.new_tensor([images.shape[3], images.shape[2]]).expand(len(heads), 2)
        at = index.to(images.device)
        embedding = self.net.face(self.net.face_crops(images, at, heads, sizes))
        traits = self.net.face.read_traits(embedding).cpu().numpy()
        words: list[dict[str, Words]] = [{} for _ in scores]
        if attributes:
            crops = self.net.reader_crops(images, at, heads, boxes, sizes)
            logits = self.net.reader(*crops, geometry(heads, boxes, sizes))
            words = self._words(logits, self.config.attributes)
        rows = embedding.cpu().numpy()
        for k, i in enumerate(index.tolist()):
            seen = DetectedPerson(
                box=_scaled(boxes[k], scales[i]),
                head=_scaled(heads[k], scales[i]),
                score=scores[k],
                embedding=rows[k],
                attributes=words[k],
                traits=dict(zip(self.config.traits, traits[k].tolist(), strict=True)),
            )
            people[i].append(seen)
        return people

    @staticmethod
    def _words(
        logits: dict[str, Tensor], vocabulary: dict[str, list[str]]
    ) -> list[dict[str, Words]]:
        table = {name: value.softmax(1).tolist() for name, value in logits.items()}
        count = len(next(iter(table.values())))
        return [
            {n: dict(zip(vocabulary[n], rows[k], strict=True)) for n, rows in table.items()}
            for k in range(count)
        ]


def _scaled(box: Tensor, scale: tuple[float, float]) -> Box:
    x0, y0, x1, y1 = box.tolist()
    return (x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1])


def working_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height at which a picture is judged: multiples of 16, near the trained area."""
    area = size[0] * size[1]
    scale = (AREA / area) ** 0.5 if area > LARGEST * AREA or area < AREA / LARGEST else 1.0
    width, height = (max(32, round(side * scale / 16) * 16) for side in size)
    return width, height


def to_tensor(images: Sequence[Image.Image], size: tuple[int, int]) -> Tensor:
    """Pictures -> [B, 3, H, W] in [-1, 1], channels last, resized where need be."""
    arrays = []
    for image in images:
        image = image.convert("RGB")
        if image.size != size:
            image = image.resize(size, Image.Resampling.LANCZOS)
        arrays.append(np.asarray(image))
    pixels = torch.from_numpy(np.stack(arrays))
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def fold_norms(module: nn.Module) -> nn.Module:
    """Merge every (convolution, batch norm) pair into one convolution: same answers, faster."""
    for name, child in module.named_children():
        pair = list(child) if isinstance(child, nn.Sequential) else []
        if [type(p) for p in pair] == [nn.Conv2d, nn.BatchNorm2d]:
            setattr(module, name, fuse_conv_bn_eval(*pair))
        else:
            fold_norms(child)
    return module
