"""Where in a picture words are drawn: image tokens dealt among those who are named.

Pure functions on one attention's queries, keys and results; knows nothing of adapters or networks.
After FreeFuse (Liu et al. 2025, arXiv 2510.23515), with cosines and standard deviations in place of
its fixed temperatures, which suit one model's sizes, and without its regions of equal size.
"""

from __future__ import annotations

import torch
from torch.nn import functional

NOBODY = -1
CORE = 0.1  # share of the image tokens that are surely a word's


def regions(
    query: torch.Tensor,
    key: torch.Tensor,
    found: torch.Tensor,
    named: torch.Tensor,
    size: tuple[int, int],
) -> torch.Tensor:
    """Whose each image token is: [N, T], the number of who is named or NOBODY.

    query, key, found: [N, heads, L + T, D] of an attention over L tokens of text, then T of the
    picture, which is size (rows, columns) tokens large; its result is `found`. named [N, K, L]:
    which tokens of the text name each of K. Who is not named has no token.
    """
    asked = named.any(-1)
    cores = _cores(query, key, named)
    tokens = functional.normalize(_rows(found, named.shape[-1]), dim=-1)
    middle = functional.normalize(torch.einsum("nkt,ntd->nkd", cores, tokens), dim=-1)
    alike = torch.einsum("nkd,ntd->nkt", middle, tokens)
    alike = _smooth(alike, size).masked_fill(~asked[..., None], -torch.inf)
    return alike.argmax(1).masked_fill(~asked.any(-1, keepdim=True), NOBODY)


def _rows(found: torch.Tensor, text: int) -> torch.Tensor:
    """[N, heads, L + T, D] to the image tokens' [N, T, heads * D], in float32."""
    return found[:, :, text:].transpose(1, 2).flatten(2).float()


def _cores(query: torch.Tensor, key: torch.Tensor, named: torch.Tensor) -> torch.Tensor:
    """[N, K, T] of ones where the image asks most for a name and least for the others, shares of
    one in all."""
    text = named.shape[-1]
    share = named.float() / named.sum(-1, keepdim=True).clamp(min=1)
    means = torch.einsum("nkl,nhld->nhkd", share, key[:, :, :text].float())
    pull = torch.einsum("nhtd,nhkd->nkt", query[:, :, text:].float(), means)
    pull = pull - pull.mean(-1, keepdim=True)
    pull = pull / pull.std(-1, keepdim=True).clamp(min=1e-6)
    pull = pull * named.any(-1)[..., None]
    others = pull.sum(1, keepdim=True) - pull
    count = max(1, round(CORE * pull.shape[-1]))
    best = (pull - others).topk(count, dim=-1).indices
    return torch.zeros_like(pull).scatter_(-1, best, 1 / count)


def _smooth(values: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """[N, K, T] as means over each token and its neighbours."""
    grid = values.unflatten(-1, size)
    return functional.avg_pool2d(grid, 3, 1, 1, count_include_pad=False).flatten(2)
