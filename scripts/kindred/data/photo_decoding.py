"""Reads any photo a camera, phone or scanner makes and returns it upright, 8 bits, in sRGB.

Knows file formats, pixel modes, EXIF orientation and colour profiles; knows nothing of datasets.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from kindred.common.errors import Problem, first_line_of
from kindred.data.aspect_buckets import Box, Size
from kindred.data.colour_profiles import declared
from kindred.data.photo_damage import damage_of
from kindred.data.photo_metadata import png_chunk, without_metadata

pillow_heif.register_heif_opener()
# Node-based tools write workflows of megabytes into a PNG; all its texts together stay limited.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY
SMALLEST_SIDE = 16
COPY_AGAIN = "copy it again from the camera or phone, or move it out of the folder"
SRGB = ImageCms.createProfile("sRGB")
WORKING_MODES = frozenset({"L", "RGB", "RGBA", "CMYK", "LAB"})


class PhotoError(Exception):
    """A photo that can't be used; holds the Problem to show."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass
class Upright:
    """A decoded photo: pixels in a working mode, size of the original, its colour profile."""

    image: Image.Image
    size: Size
    profile: bytes | None
    notes: list[dict[str, str]] = field(default_factory=list)


def note(kind: str, what: str) -> dict[str, str]:
    """A warning as it stands in images.json."""
    return {"kind": kind, "what": what}


WITHOUT_TEXTS = "has texts or notes that can't be read; used without them"
WITHOUT_ALL = "EXIF data or profile can't be read; taken as upright, in sRGB"


def read_photo(path: Path, name: str, enough: int | None = None) -> Upright:
    """Decode a photo and turn it upright.

    `enough`: a JPEG may be decoded at a half, quarter or eighth of its size as long as both
    sides keep this many pixels; `size` stays that of the original. Raises PhotoError.
    """
    try:
        return _read(path, enough)
    except Image.DecompressionBombError:
        what, cure = (
            "has more than 178 million pixels",
            ("scale it down, or remove it if it is not a photo"),
        )
    except UnidentifiedImageError:
        if photo := _without_metadata(path, enough):
            return photo
        what, cure = _what_it_is(path), "replace it with the photo, or remove it"
    except FileNotFoundError:
        what, cure = (
            "does not exist; it may be a broken link",
            ("copy the photo here, or remove the link"),
        )
    except PermissionError:
        what, cure = "can't be read: permission denied", "give yourself read access to it"
    except MemoryError:
        what, cure = "does not fit into memory", "scale it down"
    except _Unusable as error:
        what, cure = str(error), error.cure
    except Exception as error:  # decoders raise nearly anything on damaged data
        if photo := _without_metadata(path, enough):
            return photo
        what, cure = (
            f"is damaged ({first_line_of(error)})",
            COPY_AGAIN,
        )
    raise PhotoError(Problem(name, what, cure))


def crop_to_bucket(photo: Upright, box: Box, bucket: Size, background: str) -> Image.Image:
    """The part `box` (pixels of the original) of a photo as an RGB image of the bucket's size.

    The result carries no metadata: no old profile, and no place or time the photo was taken.
    Adds notes about colours to the photo.
    """
    scale_x = photo.image.width / photo.size[0]
    scale_y = photo.image.height / photo.size[1]
    scaled = (box[0] * scale_x, box[1] * scale_y, box[2] * scale_x, box[3] * scale_y)
    small = photo.image.resize(bucket, Image.Resampling.LANCZOS, box=scaled, reducing_gap=3.0)
    result = over_background(to_srgb(small, photo), background)
    result.info = {}
    return result


def eight_bit(image: Image.Image) -> Image.Image:
    """Any Pillow mode as L, RGB, RGBA, CMYK or LAB with 8 bits a channel."""
    if image.mode.startswith("I") or image.mode == "F":
        return _grey_from_wide(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in WORKING_MODES else image.convert("RGB")


def to_srgb(image: Image.Image, photo: Upright) -> Image.Image:
    """RGB, or RGBA where there is transparency, by the photo's profile; without one it is sRGB."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    result = _by_profile(colours, photo) if photo.profile else None
    if result is None:
        result = _without_profile(colours, photo)
    if alpha:
        result.putalpha(alpha)
    return result


def over_background(image: Image.Image, background: str) -> Image.Image:
    """RGB, with a colour behind whatever is transparent."""
    if image.mode != "RGBA":
        return image
    below = Image.new("RGB", image.size, background)
    below.paste(image, mask=image.getchannel("A"))
    return below


class _Unusable(Exception):
    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.cure = cure


def _without_metadata(path: Path, enough: int | None) -> Upright | None:
    """A photo that can be read when its metadata are left out, with a note; None where they are not
    at fault."""
    data = path.read_bytes()
    for all_of_it in (False, True):
        plain = without_metadata(data, all_of_it)
        if plain is None or len(plain) == len(data):
            continue
        try:
            photo = _read(path, enough, plain)
        except Exception:  # then the pixels are damaged too, which the first error says
            continue
        photo.notes.append(
            note("exif", WITHOUT_ALL) if all_of_it else note("metadata", WITHOUT_TEXTS)
        )
        return photo
    return None


def _read(path: Path, enough: int | None, data: bytes | None = None) -> Upright:
    """A photo's file, or `data` in the place of what it holds."""
    if path.stat().st_size == 0:
        raise _Unusable("is empty (0 bytes)", COPY_AGAIN)
    with Image.open(path if data is None else io.BytesIO(data)) as image:
        raw = image.size
        if min(raw) < SMALLEST_SIDE:
            raise _Unusable(f"is only {raw[0]}x{raw[1]} px", "use the original photo")
        notes = _notes_on_file(image)
        if enough:
            image.draft(None, (enough, enough))
        image.load()
        decoded = image.size
        profile = image.info.get("icc_profile")
        if profile is None:
            said = declared(image, png_chunk(path, b"cICP"))
            profile = said.profile
            notes += [note("profile", said.note)] if said.note else []
        notes += _heard(path.read_bytes() if data is None else data, image.format or "")
        if image.format in ("JPEG", "MPO") and "icc_profile" in image.info and profile is None:
            notes.append(note("profile", "parts of its colour profile are missing; ignored"))
        upright = _turn(image, notes)
        pixels = eight_bit(upright)
    size = raw if upright.size == decoded else (raw[1], raw[0])
    if _is_mask(pixels):
        notes.append(note("mask", "is black and white alone: a mask?"))
    if pixels.mode == "RGBA" and pixels.getextrema()[3][0] < 255:
        notes.append(note("transparent", "has transparent parts; a background was put behind"))
    return Upright(pixels, size, profile, notes)


def _is_mask(image: Image.Image) -> bool:
    """Whether a picture has black and white and nothing between."""
    colours = image.getcolors(2) or []
    return {colour for _, colour in colours} in ({0, 255}, {(0, 0, 0), (255, 255, 255)})


def _heard(data: bytes, form: str) -> list[dict[str, str]]:
    """What the file says of damage that its decoder goes on after. Raises _Unusable where a part of
    the photo is missing or wrong."""
    damage = damage_of(data, form)
    if damage is None:
        return []
    if damage.visible:
        raise _Unusable(f"is damaged: a part of it is missing ({damage.what})", COPY_AGAIN)
    return [note("damaged", f"is damaged, perhaps not visibly ({damage.what})")]


def _notes_on_file(image: Image.Image) -> list[dict[str, str]]:
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format not in {"MPO", "HEIF"}:
        return [note("frames", f"holds {frames} pictures; the first is used")]
    return []


def _turn(image: Image.Image, notes: list[dict[str, str]]) -> Image.Image:
    """Apply EXIF orientation. Damaged EXIF data is no reason to lose the photo."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception as error:
        notes.append(
            note("exif", f"EXIF data is damaged ({first_line_of(error)}); taken as upright")
        )
        return image


def _grey_from_wide(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and floating-point grey as L. Floats are taken as 0..1 or 0..255."""
    values = np.asarray(image).astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(values).all() or low < 0 or high > 65535:
        raise _Unusable(
            f"has pixel values from {low:g} to {high:g}", "export it with 8 or 16 bits per channel"
        )
    if image.mode == "F":
        scale = 255.0 if high <= 1 else 1.0 if high <= 255 else 255 / 65535
    else:
        scale = 255 / 65535
    return Image.fromarray(np.rint(values * scale).astype(np.uint8))


def _by_profile(image: Image.Image, photo: Upright) -> Image.Image | None:
    """Through the embedded profile, or None (with a note) when it does not fit the pixels."""
    try:
        profile: Any = ImageCms.ImageCmsProfile(io.BytesIO(photo.profile or b""))
        space = profile.profile.xcolor_space.strip().upper()
        if space == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "LAB": "LAB"}.get(space) != image.mode:
            _note_once(photo, "profile", f"its {space} colour profile does not fit; ignored")
            return None
        return ImageCms.profileToProfile(
            image,
            profile,
            SRGB,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        _note_once(photo, "profile", "its colour profile is damaged; colours taken as sRGB")
        return None


def _without_profile(image: Image.Image, photo: Upright) -> Image.Image:
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return ImageCms.profileToProfile(image, lab, SRGB, outputMode="RGB")
    if image.mode == "CMYK":
        _note_once(photo, "cmyk", "is CMYK without a usable profile; colours are approximate")
    return image.convert("RGB")


def _note_once(photo: Upright, kind: str, what: str) -> None:
    if note(kind, what) not in photo.notes:
        photo.notes.append(note(kind, what))


def _head(path: Path, size: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(size)


def _what_it_is(path: Path) -> str:
    head = _head(path, 512)
    if head.lstrip()[:1] == b"<":
        return "is a web page or XML file, not a photo"
    if b"\0" not in head and all(byte > 31 or byte in b"\t\r\n" for byte in head):
        return "is a text file, not a photo"
    return "is not in a known picture format, or its beginning is damaged"
