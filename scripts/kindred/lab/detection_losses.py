"""Targets and losses of the head detector."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from kindred.judges.lab_networks import BOX_UNIT, STRIDE


def heat_target(heads: Tensor, present: Tensor, height: int, width: int) -> Tensor:
    """Gaussians around head centres, 1 at the centre's cell.

    heads [B, P, 4] px, present [B, P] bool -> [B, height/4, width/4]. Spread is a tenth of the
    head's size, at least 0.8 cells.
    """
    centre = (heads[..., :2] + heads[..., 2:]) / 2
    cell = (centre / STRIDE).floor()
    spread = ((heads[..., 2:] - heads[..., :2]).amin(-1) / (10 * STRIDE)).clamp(min=0.8)
    ys = torch.arange(height // STRIDE, device=heads.device).view(1, 1, -1, 1)
    xs = torch.arange(width // STRIDE, device=heads.device).view(1, 1, 1, -1)
    square = (xs - cell[..., 0, None, None]) ** 2 + (ys - cell[..., 1, None, None]) ** 2
    bumps = torch.exp(-square / (2 * spread[..., None, None] ** 2))
    return (bumps * present[..., None, None]).amax(1)


def heat_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Penalty-reduced focal loss of "Objects as Points" (arXiv 1904.07850, eq. 1), per person."""
    probability = logits.sigmoid().clamp(1e-5, 1 - 1e-5)
    peak = target > 0.999
    near = (1 - probability) ** 2 * probability.log()
    far = (1 - target) ** 4 * probability**2 * (1 - probability).log()
    return -torch.where(peak, near, far).sum() / peak.sum().clamp(min=1)


def box_loss(distances: Tensor, heads: Tensor, boxes: Tensor, present: Tensor) -> Tensor:
    """Mean smooth L1 of head and person distances over the 3x3 cells around each head's centre.

    distances [B, 8, h, w]; heads, boxes [B, P, 4] px; present [B, P] bool.
    """
    batch, _, rows, columns = distances.shape
    centre = (heads[..., :2] + heads[..., 2:]) / (2 * STRIDE)
    around = torch.arange(-1, 2, device=heads.device)
    dy, dx = torch.meshgrid(around, around, indexing="ij")
    x = (centre[..., 0, None].floor() + dx.flatten()).clamp(0, columns - 1)
    y = (centre[..., 1, None].floor() + dy.flatten()).clamp(0, rows - 1)
    index = (y * columns + x).long().flatten(1)
    got = distances.flatten(2).gather(2, index[:, None].expand(-1, 8, -1))
    got = got.view(batch, 8, *x.shape[1:]).permute(0, 2, 3, 1)
    point = torch.stack([x, y], -1) * STRIDE + STRIDE / 2
    wanted = torch.cat(
        [
            part
            for box in (heads, boxes)
            for part in (point - box[:, :, None, :2], box[:, :, None, 2:] - point)
        ],
        -1,
    )
    loss = F.smooth_l1_loss(got, wanted / BOX_UNIT, beta=0.1, reduction="none").mean((2, 3))
    return (loss * present).sum() / present.sum().clamp(min=1)


@torch.no_grad()
def best_threshold(scores: list[Tensor], counts: list[int]) -> float:
    """The threshold in [0.1, 0.7] that gets most counts right; the middle one of equals.

    `scores[i]` are all candidate scores of image i (decoded with a low threshold), `counts[i]`
    its true number of people.
    """
    grid = [round(0.1 + 0.02 * k, 2) for k in range(31)]
    right = [
        sum(int((s > t).sum()) == n for s, n in zip(scores, counts, strict=True)) for t in grid
    ]
    best = [t for t, r in zip(grid, right, strict=True) if r == max(right)]
    return best[len(best) // 2]
