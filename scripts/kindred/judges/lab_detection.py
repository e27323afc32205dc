"""Heat maps of heads: their targets and losses in training, and how people are read from them.

Knows the finder's output form (see judge.Finder); knows nothing of who the people are.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from kindred.judges.lab_networks import BOX_UNIT, STRIDE

MOST_PEOPLE = 8  # candidates kept per image before thresholding
SAME_HEAD = 0.4  # two heads overlapping more than this (IoU) are one


@dataclass(frozen=True)
class HeadDetections:
    """People of one image, best first: scores [M], heads [M, 4] and boxes [M, 4] in px."""

    scores: Tensor
    heads: Tensor
    boxes: Tensor


@torch.no_grad()
def decode(heat: Tensor, distances: Tensor, threshold: float) -> list[HeadDetections]:
    """Read people from the finder's outputs: local maxima above `threshold`, doubles removed.

    The answers lie on the CPU, whatever device the outputs are on.
    """
    score = heat.sigmoid()
    score = torch.where(F.max_pool2d(score[:, None], 3, 1, 1)[:, 0] == score, score, 0.0)
    rows, columns = score.shape[1:]
    best, index = score.flatten(1).topk(min(MOST_PEOPLE, rows * columns))
    distance = distances.flatten(2).gather(2, index[:, None].expand(-1, 8, -1)) * BOX_UNIT
    distance = distance.transpose(1, 2)
    x, y = index % columns * STRIDE + STRIDE / 2, index // columns * STRIDE + STRIDE / 2
    point = torch.stack([x, y], -1).to(distance.dtype)
    limit = point.new_tensor([columns, rows]) * STRIDE
    sides = []
    for first in (0, 4):
        low = (point - distance[..., first : first + 2]).clamp(min=0).minimum(limit - 1)
        high = (point + distance[..., first + 2 : first + 4]).minimum(limit)
        sides.append(torch.cat([low, high.maximum(low + 1)], -1).cpu())
    best = best.cpu()
    return [_distinct(best[i], sides[0][i], sides[1][i], threshold) for i in range(score.shape[0])]


def _distinct(scores: Tensor, heads: Tensor, boxes: Tensor, threshold: float) -> HeadDetections:
    overlap = box_iou(heads, heads)
    kept: list[int] = []
    for i in range(len(scores)):
        if scores[i] > threshold and all(overlap[i, j] <= SAME_HEAD for j in kept):
            kept.append(i)
    return HeadDetections(scores[kept], heads[kept], boxes[kept])


def box_iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes [M, 4] and [N, 4] -> [M, N]."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    areas = [(x[:, 2:] - x[:, :2]).prod(-1) for x in (a, b)]
    return shared / (areas[0][:, None] + areas[1][None] - shared).clamp(min=1e-6)
