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
    """A person's pixels: RGB and alpha of one size, and the head's box in them.

    `cut`: the photo's lower edge cuts the person off, so that no feet are seen.
    """

    image: Image.Image
    alpha: Image.Image
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
    alpha = Image.fromarray(outline.astype(np.uint8) * 255)
    # Narrower by the blur, so that nothing of the old background shines through at the edge.
    alpha = alpha.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(soft))
    head = head or head_of(outline)
    return Cutout(
        photo.crop(box),
        alpha.crop(box),
        (head[0] - box[0], head[1] - box[1], head[2] - box[0], head[3] - box[1]),
        cut=box[3] >= photo.height - TOUCHES - round(0.08 * photo.height),
        sides=box[0] <= TOUCHES or box[2] >= photo.width - TOUCHES,
    )


def without(photo: Image.Image, outline: np.ndarray) -> Image.Image:
    """The photo with everybody inside `outline` [H, W] bool painted over: mirrored, by what is
    beside them, because a blur would be learned as part of the place."""
    outline = fitted(outline, photo.size)
    grown = max(1, round(GROWN * min(photo.size)))
    hidden = Image.fromarray(outline.astype(np.uint8) * 255)
    for _ in range(grown):  # the same as one filter of 2 * grown + 1, ten times as fast
        hidden = hidden.filter(ImageFilter.MaxFilter(3))
    hidden = np.asarray(hidden) > 0
    if not hidden.any():
        return photo
    pixels = np.asarray(photo).astype(np.float32)
    filled = _mirrored(_filled(pixels, (~hidden).astype(np.float32)), hidden)
    return Image.fromarray(np.rint(np.where(hidden[..., None], filled, pixels)).astype(np.uint8))


def fitted(outline: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An outline in a photo's size (width, height)."""
    if outline.shape == (size[1], size[0]):
        return outline
    picture = Image.fromarray(outline.astype(np.uint8) * 255).resize(
        size, Image.Resampling.BILINEAR
    )
    return np.asarray(picture) > 127


def _mirrored(pixels: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Hidden pixels [H, W] from those beside them: as an upright mirror at the border of a group of
    people shows them, so that what is straight stays so; where that shows nothing, as a mirror at
    the border of the group in its own row does. What no mirror shows stays as it is."""
    width = hidden.shape[1]
    frame = round(FRAME * width)
    found = _mirrored_by_row(pixels, hidden, frame)
    left = hidden.copy()
    edges = np.flatnonzero(np.diff(np.r_[False, hidden.any(0), False]))
    for start, stop in edges.reshape(-1, 2):
        for x in range(start, stop):
            near, far = sorted((start, stop), key=lambda axis, x=x: abs(axis - x - 0.5))
            for there in (2 * near - 1 - x, 2 * far - 1 - x):
                if frame <= there < width - frame:
                    rows = left[:, x] & ~hidden[:, there]
                    found[rows, x] = pixels[rows, there]
                    left[rows, x] = False
    return found


def _mirrored_by_row(pixels: np.ndarray, hidden: np.ndarray, frame: int) -> np.ndarray:
    """Hidden pixels [H, W] from seen ones to the left or right of them in their row, which are
    mirrored again and again as far as need be; `frame` columns on either side are not taken."""
    found = pixels.copy()
    for row in np.flatnonzero(hidden.any(1)):
        seen = np.flatnonzero(~hidden[row, frame : hidden.shape[1] - frame]) + frame
        edges = np.flatnonzero(np.diff(np.r_[False, hidden[row], False]))
        for start, stop in edges.reshape(-1, 2):
            beside = [seen[seen < start][::-1], seen[seen >= stop]]
            both = len(beside[0]) > 0 and len(beside[1]) > 0
            middle = (start + stop) // 2 if both else stop if len(beside[0]) else start
            columns = [np.arange(start, middle), np.arange(stop - 1, middle - 1, -1)]
            for here, source in zip(columns, beside, strict=True):
                if len(here) and len(source):
                    turned = np.arange(len(here)) % (2 * len(source))
                    turned = np.minimum(turned, 2 * len(source) - 1 - turned)
                    found[row, here] = pixels[row, source[turned]]
    return found


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
