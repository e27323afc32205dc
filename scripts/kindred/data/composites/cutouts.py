"""One person cut out of a photo, and a photo with people taken out.

Knows pixels and masks; knows nothing of names, captions or where a person is put.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from kindred.data.person_masks import Box, head_of

SOFT = 0.004  # width of an outline's soft edge, as share of the photo's shorter side
GROWN = 0.012  # how far beyond their outline people are taken out, same share
FRAME = 0.06  # of a photo's width, on either side: what is there may be no place
TOUCHES = 3  # px from a photo's edge at which somebody is cut off by it


@dataclass(frozen=True)
class Cutout:
    """A person's pixels and the head's box in them.

    `pixels`: "RGBX", colours and in the fourth band alpha, which is scaled together with them but,
    unlike that of "RGBA", does not change them.
    `cut`: the photo's lower edge cuts the person off, so that no feet are seen.
    """

    pixels: Image.Image
    head: Box
    cut: bool
    sides: bool  # a side of the photo cuts into the person

    @property
    def head_height(self) -> float:
        """Height of the head, px."""
        return self.head[3] - self.head[1]


def cut_out(photo: Image.Image, outline: np.ndarray, head: Box | None) -> Cutout | None:
    """The person of `outline` [H, W] bool; None when hardly anything of them is seen.

    Without a box of the head it is taken from the outline.
    """
    outline = fitted(outline, photo.size)
    if outline.mean() < 0.003:
        return None
    rows, columns = np.flatnonzero(outline.any(1)), np.flatnonzero(outline.any(0))
    box = int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
    soft = max(0.6, SOFT * min(photo.size))
    # Narrower by the blur, so that nothing of the old background shines through at the edge.
    alpha = Image.fromarray(~_grown(~outline, 1)).convert("L")
    alpha = alpha.filter(ImageFilter.GaussianBlur(soft))
    head = head or head_of(outline)
    return Cutout(
        Image.merge("RGBX", (*photo.crop(box).split(), alpha.crop(box))),
        (head[0] - box[0], head[1] - box[1], head[2] - box[0], head[3] - box[1]),
        cut=box[3] >= photo.height - TOUCHES - round(0.08 * photo.height),
        sides=box[0] <= TOUCHES or box[2] >= photo.width - TOUCHES,
    )


def without(photo: Image.Image, outline: np.ndarray) -> Image.Image:
    """The photo with everybody inside `outline` [H, W] bool painted over: mirrored, by what is
    beside them, because a blur would be learned as part of the place."""
    hidden = _grown(fitted(outline, photo.size), max(1, round(GROWN * min(photo.size))))
    if not hidden.any():
        return photo
    pixels = np.asarray(photo)
    result, left = _mirrored(pixels, hidden)
    if left.any():
        filled = _filled(pixels.astype(np.float32), (~hidden).astype(np.float32))
        result[left] = np.rint(filled[left]).astype(np.uint8)
    return Image.fromarray(result)


def _grown(outline: np.ndarray, by: int) -> np.ndarray:
    """An outline [H, W] bool, `by` pixels wider on every side."""
    for _ in range(2):  # down the columns, then along the rows
        outline, reach = np.pad(outline, ((by, by), (0, 0))), 1
        while reach < 2 * by + 1:
            step = min(reach, 2 * by + 1 - reach)
            outline, reach = outline[:-step] | outline[step:], reach + step
        outline = outline.T
    return outline


def fitted(outline: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An outline in a photo's size (width, height)."""
    if outline.shape == (size[1], size[0]):
        return outline
    picture = Image.fromarray(outline.astype(np.uint8) * 255).resize(
        size, Image.Resampling.BILINEAR
    )
    return np.asarray(picture) > 127


def _mirrored(pixels: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hidden pixels [H, W] from those beside them: as an upright mirror at the border of a group of
    people shows them, so that what is straight stays so; where that shows nothing, as a mirror at
    the border of the group in its own row does. With the pixels that no mirror shows."""
    width = hidden.shape[1]
    frame = round(FRAME * width)
    found, dark = _mirrored_by_row(pixels, hidden, frame)
    left = hidden.copy()
    edges = np.flatnonzero(np.diff(np.r_[False, hidden.any(0), False]))
    for start, stop in edges.reshape(-1, 2):
        x = np.arange(start, stop)
        near = np.where(2 * x < start + stop, start, stop)
        for axis in (near, start + stop - near):
            there = 2 * axis - 1 - x
            inside = (frame <= there) & (there < width - frame)
            here, there = x[inside], there[inside]
            rows, one = np.nonzero(left[:, here] & ~hidden[:, there])
            found[rows, here[one]] = pixels[rows, there[one]]
            left[rows, here[one]] = False
    return found, left & dark


def _mirrored_by_row(
    pixels: np.ndarray, hidden: np.ndarray, frame: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hidden pixels [H, W] from seen ones to the left or right of them in their row, which are
    mirrored again and again as far as need be; `frame` columns on either side are not taken. With
    the pixels that stay hidden: nothing is seen in their row."""
    seen = ~hidden
    seen[:, :frame] = seen[:, hidden.shape[1] - frame :] = False
    sources, counts = np.flatnonzero(seen), np.cumsum(seen).reshape(seen.shape)
    dark = hidden & ~seen.any(1, keepdims=True)
    # Runs of hidden pixels, and how many pixels are seen left and right of them.
    edges = np.diff(np.pad(hidden & ~dark, ((0, 0), (1, 1))).astype(np.int8))
    (rows, starts), stops = np.nonzero(edges == 1), np.nonzero(edges == -1)[1]
    at = counts[rows, starts]  # the first source right of a run; in its row, as that has some
    left = at - (counts[rows, -1] - seen.sum(1)[rows])
    right = counts[rows, -1] - at
    middles = np.where(left == 0, starts, np.where(right == 0, stops, (starts + stops) // 2))
    # Each hidden pixel: its run, how far it is from the run's end, and how far its source is.
    run = np.repeat(np.arange(len(rows)), stops - starts)
    y, x = np.nonzero(hidden & ~dark)
    leftward = x < middles[run]
    far = np.where(leftward, x - starts[run], stops[run] - 1 - x)
    count = np.where(leftward, left[run], right[run])
    turned = far % (2 * count)
    turned = np.minimum(turned, 2 * count - 1 - turned)
    found = pixels.copy()
    source = sources[at[run] + np.where(leftward, -1 - turned, turned)]
    found[y, x] = pixels.reshape(-1, pixels.shape[2])[source]
    return found, dark


def _filled(pixels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Unseen pixels from ever coarser averages of seen ones (push-pull: Gortler et al. 1996, "The
    Lumigraph", section 3.4). pixels [H, W, 3]; seen [H, W], 1 or 0."""
    height, width = seen.shape
    if min(height, width) < 2 or seen.min() > 0:
        return pixels
    half = (max(1, width // 2), max(1, height // 2))
    weight = _scaled(seen, half)
    colours = np.stack([_scaled(pixels[..., c] * seen, half) for c in range(3)], -1)
    colours /= np.maximum(weight, 1e-6)[..., None]
    coarse = _filled(colours, (weight > 1e-6).astype(np.float32))
    back = np.stack([_scaled(coarse[..., c], (width, height)) for c in range(3)], -1)
    return np.where(seen[..., None] > 0, pixels, back)


def _scaled(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    down = size[0] < values.shape[1]
    how = Image.Resampling.BOX if down else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, how))
