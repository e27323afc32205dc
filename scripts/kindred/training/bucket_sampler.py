"""The order in which images are seen: endless, in batches of one aspect bucket, seeded.

A pure generator: to resume, skip what was seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from kindred.common.seeds import seed_of

T = TypeVar("T")


def batches(buckets: Mapping[str, Sequence[T]], size: int, run: int) -> Iterator[list[T]]:
    """Endless batches of `size` members of one bucket each.

    Within a bucket, each round shows every member once in a new order; batches run on over the
    ends of rounds, so a bucket smaller than a batch repeats itself. The bucket whose members were
    seen least often so far comes next: over any stretch every image is seen equally often, give
    or take the batch. Ties go to the first name.
    """
    names = sorted(name for name in buckets if buckets[name])
    streams = {name: _shuffled_rounds(buckets[name], f"{run} {name}") for name in names}
    shown = dict.fromkeys(names, 0)
    while True:
        name = min(names, key=lambda n: ((shown[n] + size / 2) / len(buckets[n]), n))
        shown[name] += size
        yield [next(streams[name]) for _ in range(size)]


def _shuffled_rounds(members: Sequence[T], seed: str) -> Iterator[T]:
    number = 0
    while True:
        order = list(members)
        random.Random(seed_of(0, "order", seed, number)).shuffle(order)
        yield from order
        number += 1
