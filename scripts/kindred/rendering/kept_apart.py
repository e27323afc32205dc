"""Adapters kept apart: each changes a picture only where its own people are drawn.

The base alone does the first steps, in which people get their places, and one of its attentions
tells where each name is drawn, as in FreeFuse (Liu et al. 2025, arXiv 2510.23515). In all further
steps an adapter changes the image tokens of its own region and the tokens of its own names. (What
differs from FreeFuse, and why: docs/decisions/drawing.md.)

An adapter whose people are not asked for changes nothing. One that is asked for alone changes the
whole picture in all steps, as usual.

Knows adapters' layers and attentions of a loaded network; whose region is where is word_regions'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from peft.tuners.lora.layer import LoraLayer

from kindred.common.errors import KindredError
from kindred.models.architectures.interface import Conditioning, Denoiser
from kindred.models.architectures.joint_attention import JointAttention
from kindred.models.opened_base import OpenedBase
from kindred.rendering.sampling import denoise
from kindred.rendering.word_regions import NOBODY, regions

COMPOSED = 0.2  # share of the steps after which people have their places


class WatchedAttention(JointAttention):
    """The same, remembering queries, keys and result of its last call."""

    last: tuple[torch.Tensor, torch.Tensor, torch.Tensor]

    def product(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any
    ) -> torch.Tensor:
        """[N, heads, tokens, D] of three such."""
        found = super().product(query, key, value, mask)
        self.last = query, key, found
        return found


@dataclass(frozen=True)
class Masks:
    """Where adapters count, [N, K, tokens] each: in the text and in the picture."""

    text: torch.Tensor
    image: torch.Tensor

    def of(self, reads: str) -> torch.Tensor:
        """[N, K, tokens or 1] for a layer that reads such tokens, as `LayerShape.reads` says."""
        if reads == "time":
            return self.text.amax(-1, keepdim=True)
        both = {"text": [self.text], "image": [self.image], "all": [self.text, self.image]}
        return torch.cat(both[reads], dim=-1)


class KeptApart:
    """A loaded network whose adapters can be kept apart. masks: by what a layer reads; None while
    all adapters count everywhere."""

    def __init__(self, network: Any, base: OpenedBase) -> None:
        if base.architecture.watched_attention is None:
            raise KindredError(
                f"adapters on {base.architecture.title} can't be kept apart",
                "keep_apart",
                "remove `keep_apart`, or use a base that it is known for",
            )
        self.watched = base.architecture.watched_attention(network)
        self.patch = base.architecture.patch
        self.masks: Mapping[str, torch.Tensor] | None = None
        reads = {layer.name: layer.reads for layer in base.layout.layers}
        for name, layer in network.named_modules():
            if isinstance(layer, LoraLayer):
                self._confine(layer, reads[name])

    def _confine(self, layer: Any, reads: str) -> None:
        """Let a layer's adapters count only where the masks say."""
        if any(layer.use_dora.values()):
            raise KindredError(
                "a DoRA adapter changes whole layers, so it can't be kept apart from others",
                "keep_apart",
                "remove `keep_apart`, or train without `use_dora`",
            )
        for place, second in enumerate(layer.lora_B.values()):
            second.register_forward_hook(partial(self._masked, place, reads))

    def _masked(self, place: int, reads: str, _: Any, __: Any, change: torch.Tensor) -> Any:
        if self.masks is None:
            return change
        mask = self.masks[reads][:, place]
        return change * (mask if reads == "time" else mask[..., None]).to(change.dtype)

    def denoise(
        self,
        denoiser: Denoiser,
        named: torch.Tensor,
        noise: torch.Tensor,
        text: Conditioning,
        sigmas: Sequence[float],
        guidance: float,
        after_step: Callable[[], None] = lambda: None,
    ) -> torch.Tensor:
        """As `sampling.denoise`, in one pass. named: [N, adapters, text tokens], which tokens of
        each prompt name the people of each adapter."""
        named = named.to(denoiser.network.device)
        size = (noise.shape[-2] // self.patch, noise.shape[-1] // self.patch)
        several = named.any(-1).sum(1) > 1
        owner = torch.full((len(noise), size[0] * size[1]), NOBODY, device=named.device)
        done = max(1, round(COMPOSED * (len(sigmas) - 1)))
        alone = confined(named & ~several[:, None, None], owner)
        with self._counting(alone), self._watching() as seen:
            begun = denoise(denoiser, noise, text, sigmas[: done + 1], guidance, after_step)
        if several.any():
            owner = regions(*seen.last, named & several[:, None, None], size)
        with self._counting(confined(named, owner)):
            return denoise(denoiser, begun, text, sigmas[done:], guidance, after_step)

    @contextmanager
    def _counting(self, masks: Masks) -> Iterator[None]:
        self.masks = {reads: masks.of(reads) for reads in ("time", "text", "image", "all")}
        try:
            yield
        finally:
            self.masks = None

    @contextmanager
    def _watching(self) -> Iterator[WatchedAttention]:
        before, self.watched.processor = self.watched.processor, WatchedAttention()
        try:
            yield self.watched.processor
        finally:
            self.watched.processor = before


def confined(named: torch.Tensor, owner: torch.Tensor) -> Masks:
    """An adapter that is asked for counts in its region and at its own names; alone everywhere."""
    asked = named.any(-1)
    own = owner[:, None] == torch.arange(named.shape[1], device=owner.device)[:, None]
    alone = (asked & (asked.sum(1, keepdim=True) == 1))[..., None]
    return Masks((named | alone).float(), (own & asked[..., None] | alone).float())
