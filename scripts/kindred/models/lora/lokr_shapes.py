"""How a LoKr takes a layer's weight apart: sizes of its matrices. Imports no torch.

LoKr (Yeh et al. 2023, arXiv 2309.14859) learns W1 [a, b] and W2 [c, d], whose Kronecker product
[a c, b d] is added to a weight of that size. Sizes are as in LyCORIS (lycoris/modules/lokr.py,
f49d30d).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt


@dataclass(frozen=True)
class LokrShape:
    """W1 is [a, b], W2 [c, d]; rank: of W2 as a product of two, None where it is whole."""

    a: int
    b: int
    c: int
    d: int
    rank: int | None

    @property
    def numbers(self) -> int:
        """How many numbers are learned."""
        second = self.c * self.d if self.rank is None else self.rank * (self.c + self.d)
        return self.a * self.b + second

    @property
    def between(self) -> int:
        """Numbers of a token between the layer's inputs and outputs: what each product gives to
        the next."""
        return self.b * (self.c + (self.rank or 0))


def split(size: int, factor: int | None) -> tuple[int, int]:
    """A layer's side as a product: `factor` first where it divides the side, else the largest
    divisor that is neither more than it nor than the square root."""
    if factor and size % factor == 0:
        return factor, size // factor
    most = min(isqrt(size), factor or size)
    first = next(number for number in range(most, 0, -1) if size % number == 0)
    return first, size // first


def lokr_shape(inputs: int, outputs: int, rank: int, factor: int | None) -> LokrShape:
    """Of a layer that reads `inputs` features and writes `outputs`."""
    (a, c), (b, d) = split(outputs, factor), split(inputs, factor)
    return LokrShape(a, b, c, d, rank if rank < max(c, d) / 2 else None)
