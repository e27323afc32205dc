"""Aspect buckets: the few sizes that training images have, and the part of a photo they keep.

Pure arithmetic on widths and heights in pixels.
"""

from __future__ import annotations

import math

from kindred.specs.dataset import PreprocessSpec

Size = tuple[int, int]
Box = tuple[float, float, float, float]


def bucket_sets(spec: PreprocessSpec) -> dict[str, list[Size]]:
    """Buckets by the suffix their images carry: '' with one set, '@512' with several resolutions.

    A photo is prepared once for each set.
    """
    if spec.buckets is not None:
        return {"": [tuple(bucket) for bucket in spec.buckets]}
    edges = sorted(set(spec.resolutions))
    return {
        f"@{edge}" if len(edges) > 1 else "": buckets_of(edge, spec.multiple, spec.max_aspect)
        for edge in edges
    }


def largest_buckets(spec: PreprocessSpec) -> list[Size]:
    """The buckets of the largest resolution."""
    return max(bucket_sets(spec).values(), key=lambda sizes: max(map(max, sizes)))


def buckets_of(edge: int, multiple: int, max_aspect: float) -> list[Size]:
    """All (width, height) in multiples of `multiple` with about `edge`² pixels, sorted.

    The other side is rounded to the nearest multiple; aspect is at most `max_aspect` either way.
    """
    sizes = set()
    for short in range(multiple, edge + 1, multiple):
        long = round(edge * edge / short / multiple) * multiple
        if short <= long <= short * max_aspect:
            sizes |= {(short, long), (long, short)}
    square = max(multiple, round(edge / multiple) * multiple)
    return sorted(sizes | {(square, square)})


def nearest_bucket(size: Size, buckets: list[Size]) -> Size:
    """The bucket whose aspect is nearest (as a ratio); the larger area decides between equals."""

    def distance(bucket: Size) -> tuple[float, int]:
        ratio = math.log((size[0] / size[1]) / (bucket[0] / bucket[1]))
        return round(abs(ratio), 9), -bucket[0] * bucket[1]

    return min(sorted(buckets), key=distance)


def covered_box(size: Size, bucket: Size) -> Box:
    """The largest centred part (left, upper, right, lower) of a photo with the bucket's aspect."""
    scale = min(size[0] / bucket[0], size[1] / bucket[1])
    width, height = bucket[0] * scale, bucket[1] * scale
    left, upper = (size[0] - width) / 2, (size[1] - height) / 2
    return max(0.0, left), max(0.0, upper), min(size[0], left + width), min(size[1], upper + height)


def cut_share(size: Size, bucket: Size) -> float:
    """Share of the photo's area that the bucket crops, 0 to 1."""
    left, upper, right, lower = covered_box(size, bucket)
    return 1 - (right - left) * (lower - upper) / (size[0] * size[1])


def enlargement(size: Size, bucket: Size) -> float:
    """How many times the photo is scaled up to cover the bucket; below 1 it is scaled down."""
    return max(bucket[0] / size[0], bucket[1] / size[1])
