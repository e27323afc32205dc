"""The look of our pictures for people: paper, ink, one typeface, and text that fits.

Knows colours, fonts and measuring; knows nothing of sheets or charts. The typeface is the one
inside Pillow, so a picture has the same bytes wherever the same Pillow draws it.
"""

from __future__ import annotations

from functools import cache

from PIL import Image, ImageDraw, ImageFont

PAPER = (248, 246, 241)
CARD = (255, 255, 255)
SHADOW = (226, 221, 211)
RULE = (221, 215, 204)
INK = (44, 41, 38)
MUTED = (128, 120, 110)
# Told apart with the common kinds of colour blindness (Okabe and Ito, 2008), yellow left out.
SERIES = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
    (90, 90, 90),
)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The typeface at `size` px."""
    return ImageFont.load_default(size)


def text_width(text: str, size: int) -> int:
    """Width in px of one line."""
    return round(font(size).getlength(text))


def line_height(size: int) -> int:
    """Distance of two lines of text of `size` px, in px."""
    return round(size * 1.35)


def wrap(text: str, size: int, width: int, lines: int = 0) -> list[str]:
    """Lines of at most `width` px, broken at spaces, inside a word only when it is too long.

    With `lines` above 0 the rest is cut and ends in an ellipsis.
    """
    result: list[str] = []
    for word in text.split():
        while word:
            joined = f"{result[-1]} {word}" if result else word
            if result and text_width(joined, size) <= width:
                result[-1], word = joined, ""
                continue
            fitting = _fitting(word, size, width)
            result.append(word[:fitting])
            word = word[fitting:]
    if lines and len(result) > lines:
        last = result[lines - 1]
        while last and text_width(last + "…", size) > width:
            last = last[:-1]
        result = [*result[: lines - 1], last.rstrip() + "…"]
    return result


def _fitting(word: str, size: int, width: int) -> int:
    """How many characters of a word fit, at least one; up to a hyphen when one is among them."""
    count = len(word)
    while count > 1 and text_width(word[:count], size) > width:
        count -= 1
    return count if count == len(word) else word.rfind("-", 0, count) + 1 or count


def write(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    lines: list[str],
    size: int,
    colour: tuple[int, int, int] = INK,
    anchor: str = "la",
) -> int:
    """Write lines from `at` downwards; return the y below the last."""
    x, y = at
    for line in lines:
        draw.text((x, y), line, font=font(size), fill=colour, anchor=anchor)
        y += line_height(size)
    return y


def fit_within(image: Image.Image, edge: int, enlarge: float = 1.5) -> Image.Image:
    """The whole image as RGB with about the area of a square of `edge` px, so that upright and
    wide pictures show people at one scale; enlarged at most `enlarge` times."""
    scale = min(edge / (image.width * image.height) ** 0.5, enlarge)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    rgb = image.convert("RGB")
    return rgb if size == image.size else rgb.resize(size, Image.Resampling.LANCZOS)
