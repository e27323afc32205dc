"""What a Z-Image transformer makes of its inputs before its blocks, on tensors of one shape.

diffusers' class takes lists and looks at each picture and text by itself: thousands of small
kernels, and a recording would hold for the very lengths it was made with. Here the lengths are
numbers in a tensor. The class's own forward pass is kept, with all that hooks and checkpoints do to
it; four of its methods, and its blocks' attention, are replaced on the network at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import pad

from kindred.models.architectures.z_image.attention import use_turned_attention
from kindred.models.architectures.z_image.text_padding import filled_lengths


@dataclass(frozen=True)
class Texts:
    """states [B, L, D] of texts of these lengths [B]; attended [B, L], None: all; ids of pictures,
    [T, 3] or [B, T, 3], as `denoiser.image_ids` has them."""

    states: torch.Tensor
    length: torch.Tensor
    attended: torch.Tensor | None
    ids: torch.Tensor


class Sequences:
    """Stands in for four methods of one network; `attended`: of the texts in work."""

    def __init__(self, rope: Any) -> None:
        self.rope = rope
        self.attended: torch.Tensor | None = None

    @classmethod
    def of(cls, network: Any) -> Sequences:
        """Those of a network, which from the first time on takes [B, tokens, D] and `Texts` instead
        of lists, and gives [B, tokens, D] back."""
        known = vars(network).get("patchify_and_embed")
        if known is not None:
            return known.__self__
        own = cls(network.rope_embedder)
        network.patchify_and_embed = own.begin
        network._prepare_sequence = own.prepare
        network._build_unified_sequence = own.join
        network.unpatchify = own.end
        use_turned_attention(network)
        return own

    def begin(self, tokens: torch.Tensor, texts: Texts, *_: Any) -> tuple[Any, ...]:
        """Pictures and texts one after another, [[B * length, D]] each; the pictures' tokens; turns
        [B, length, D / 2, 2] and which rows hold the learned token [B, length] of both."""
        batch, count, _ = tokens.shape
        self.attended = texts.attended
        ids = texts.ids.expand(batch, -1, -1)
        begins = 1 + filled_lengths(texts.length)
        # A picture begins behind its text, learned tokens included; what fills it up is at 0.
        image = torch.cat([ids[..., :1] * begins[:, None, None], ids[..., 1:]], -1)
        rows = torch.arange(texts.states.shape[1], device=tokens.device)
        words = pad(1 + rows[:, None], (0, 2)).expand(batch, -1, -1)
        return (
            [pad(tokens, (0, 0, 0, ids.shape[1] - count)).flatten(0, 1)],
            [texts.states.flatten(0, 1)],
            count,
            (self._turns(image), None),
            (self._turns(words), texts.attended),
            ids[..., 0] == 0,
            rows >= texts.length[:, None],
        )

    def prepare(
        self,
        feats: list[torch.Tensor],
        turns: tuple[torch.Tensor, torch.Tensor | None],
        learned: torch.Tensor,
        token: torch.Tensor,
        *_: Any,
    ) -> tuple[Any, ...]:
        """Embedded rows [B, length, D] with the learned token in its places, turns, mask."""
        rows = feats[0].unflatten(0, learned.shape)
        return torch.where(learned[..., None], token, rows), *turns, None, None

    def join(self, image: torch.Tensor, turns: torch.Tensor, *others: Any) -> tuple[Any, ...]:
        """The picture, then its text: rows, turns, mask."""
        _, _, text, text_turns, *_ = others
        mask = self.attended
        if mask is not None:
            mask = torch.cat([mask.new_ones(image.shape[:2]), mask], 1)
        return torch.cat([image, text], 1), torch.cat([turns, text_turns], 1), mask, None

    def end(self, rows: list[torch.Tensor], count: int, *_: Any) -> torch.Tensor:
        """Of answers [B][length, D] those of the picture's tokens [B, tokens, D]."""
        return torch.stack(rows)[:, :count]

    def _turns(self, ids: torch.Tensor) -> torch.Tensor:
        turns = torch.view_as_real(self.rope(ids.flatten(0, 1)))
        return turns.unflatten(0, ids.shape[:2])
