"""Prepares a dataset's photos: one RGB PNG an image and bucket set, and a row about each.

A prepared PNG carries, in a text chunk, the hash of its source and of everything its pixels depend
on; while both match, and its pixels are the ones it was written with, it is kept byte for byte.
Knows nothing of captions.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image, PngImagePlugin

from kindred.common.errors import Problem
from kindred.common.files import atomic_write, make_folder
from kindred.common.hashing import canonical_json, pixel_hash, sha256_file, spec_hash
from kindred.common.progress import track
from kindred.common.versions import step_version
from kindred.data import aspect_buckets, image_quality
from kindred.data.aspect_buckets import Size
from kindred.data.photo_decoding import PhotoError, Upright, crop_to_bucket, note, read_photo
from kindred.data.photo_folder import Photo, check_ids, printable, scan
from kindred.data.unusable_photos import all_problems
from kindred.specs.dataset import PreprocessSpec

CHUNK = "kindred"
Row = dict[str, Any]
Note = dict[str, str]


@dataclass
class Prepared:
    """Rows of images.json in order, of how many photos, and how many images were made anew, kept
    and removed."""

    rows: list[Row] = field(default_factory=list)
    photos: int = 0
    made: int = 0
    kept: int = 0
    removed: int = 0


@dataclass
class _Result:
    rows: list[Row] = field(default_factory=list)
    problem: Problem | None = None
    made: int = 0


def prepare_folder(
    source: Path, folder: Path, spec: PreprocessSpec, made: Mapping[str, Row], workers: int
) -> Prepared:
    """Prepare the photos of a dataset folder into `folder`, with a warning for every file that is
    not used. made: made.json, which says of pictures made of photos what kind they are.

    Raises as `prepare` does, and for photos whose names can't be told apart.
    """
    found = scan(source)
    check_ids(found)
    for one in found.left_out:
        print(f"warning: {one}", file=sys.stderr)
    # Large photos are legitimate; Pillow refuses those beyond 178 million pixels by itself.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    result = prepare(found.photos, folder, spec, workers)
    kinds = {name: _told(row) for name, row in made.items() if "kind" in row}
    result.rows = [row | kinds.get(row["source"], {}) for row in result.rows]
    if result.rows:  # said with the first photo, so that the audit shows it
        names = [(one.path.relative_to(source).as_posix(), one) for one in found.left_out]
        result.rows[0]["warnings"] += [
            note("left-out", f"{printable(name)}: {one.why}") for name, one in names
        ]
    return result


def prepare(photos: list[Photo], folder: Path, spec: PreprocessSpec, workers: int) -> Prepared:
    """Prepare all photos into `folder` and remove images whose photo is gone.

    Raises ProblemsError listing every unusable photo; the others' images stay made, and then
    nothing is removed.
    """
    make_folder(folder)
    prepared = _in_parallel(photos, folder, spec, workers)
    results = list(track(prepared, "photos", len(photos), "photo"))
    problems = [result.problem for result in results if result.problem]
    if problems:
        raise all_problems(problems, len(photos))
    rows = [row for result in results for row in result.rows]
    rows.sort(key=lambda row: (row["photo"], row["width"] * row["height"], row["image_id"]))
    add_copies(rows, spec.near_duplicate)
    made = sum(result.made for result in results)
    removed = remove_others(folder, {f"{row['image_id']}.png" for row in rows})
    return Prepared(rows, len(photos), made, len(rows) - made, removed)


def prepare_photo(photo: Photo, folder: Path, spec: PreprocessSpec) -> tuple[list[Row], int]:
    """All images of one photo: their rows, and how many had to be made. Raises PhotoError."""
    try:
        source = sha256_file(photo.path)
    except OSError:
        read_photo(photo.path, photo.name)  # says what is wrong
        raise
    rows, made, decoded = [], 0, None
    for suffix, sizes in aspect_buckets.bucket_sets(spec).items():
        image_id = photo.id + suffix
        path = folder / f"{image_id}.png"
        row = kept_row(path, source, sizes, spec)
        if row is None:
            if decoded is None:
                decoded = read_photo(photo.path, photo.name, _pixels_needed(spec))
            row = _make(decoded, path, source, sizes, spec)
            made += 1
        row |= {"image_id": image_id, "photo": photo.id, "source": photo.name}
        row["warnings"] = row["warnings"] + size_warnings(row, spec)
        rows.append(row)
    return rows, made


def kept_row(path: Path, source: str, sizes: list[Size], spec: PreprocessSpec) -> Row | None:
    """The row of an image that is still right, or None: missing, changed or damaged."""
    try:
        with Image.open(path) as image:
            about = json.loads(image.text[CHUNK])
            size = tuple(about["source_size"])
            bucket = aspect_buckets.nearest_bucket(size, sizes)
            image.load()
            same = (
                about["source_sha256"] == source
                and about["settings"] == settings_hash(bucket, spec.background)
                and image.size == bucket
                and about["pixel_hash"] == pixel_hash(image)
            )
            return _row(image, about) if same else None
    except (OSError, ValueError, KeyError, AttributeError, SyntaxError):
        return None


def settings_hash(bucket: Size, background: str) -> str:
    """Hash of all that pixels depend on besides the photo: settings, step version, decoders."""
    return spec_hash(
        {
            "bucket": list(bucket),
            "background": background,
            "version": step_version("preprocess"),
            "decoders": [Image.__version__, pillow_heif.__version__],
        }
    )


def size_warnings(row: Row, spec: PreprocessSpec) -> list[Note]:
    """Warnings that follow from a row's numbers and the thresholds."""
    size, bucket = (row["source_width"], row["source_height"]), (row["width"], row["height"])
    found = []
    if min(size) < spec.min_side:
        found.append(note("small", f"is small: {size[0]}x{size[1]} px"))
    larger = aspect_buckets.enlargement(size, bucket)
    if larger > 1.001:
        found.append(note("enlarged", f"is enlarged {larger:.2f} times to {row['bucket']}"))
    cut = aspect_buckets.cut_share(size, bucket)
    if cut > spec.max_cut:
        found.append(note("cut", f"loses {cut:.0%} of its area to fit {row['bucket']}"))
    if row["sharpness"] < spec.min_sharpness:
        found.append(note("blurred", f"looks blurred (sharpness {row['sharpness']:g})"))
    return found


def add_copies(rows: list[Row], most_bits: int) -> None:
    """Add a warning to rows whose photos are copies, or nearly, of an earlier photo."""
    first = list({row["photo"]: row for row in rows}.values())
    told = set()
    for i, j, bits in image_quality.near_copies(
        [row["perceptual_hash"] for row in first], most_bits
    ):
        one, other = first[i], first[j]
        if j in told:
            continue
        told.add(j)
        same = one["source_sha256"] == other["source_sha256"]
        same = same or one["pixel_hash"] == other["pixel_hash"]
        kind = "duplicate" if same else "near-duplicate"
        words = "is the same photo as" if same else f"looks like ({bits} of 128 bits differ)"
        for row in rows:
            if row["photo"] == other["photo"]:
                row["warnings"].append(note(kind, f"{words} {one['source']}"))


def remove_others(folder: Path, keep: set[str]) -> int:
    """Remove images made here that no row names, and leftovers of killed runs; how many."""
    visible = [path for path in folder.glob("*.png") if not path.name.startswith(".tmp-")]
    others = [path for path in visible if path.name not in keep and _made_here(path)]
    for path in [*others, *folder.glob(".tmp-*.png")]:
        path.unlink(missing_ok=True)
    return len(others)


def _told(made: Row) -> Row:
    """What images.json takes over of a picture made of photos: its kind, and the made-up names
    by which its caption calls strangers."""
    return {"made": made["kind"]} | ({"named": made["named"]} if "named" in made else {})


def _made_here(path: Path) -> bool:
    """Carries our text chunk: somebody's own picture in this folder is never removed."""
    try:
        with Image.open(path) as image:
            return CHUNK in image.info
    except (OSError, SyntaxError, ValueError):
        return False


def _in_parallel(
    photos: list[Photo], folder: Path, spec: PreprocessSpec, workers: int
) -> Iterator[_Result]:
    """Threads, because Pillow decodes, scales and compresses outside the interpreter's lock."""

    def one(photo: Photo) -> _Result:
        try:
            rows, made = prepare_photo(photo, folder, spec)
            return _Result(rows, made=made)
        except PhotoError as error:
            return _Result(problem=error.problem)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        yield from pool.map(one, photos)


def _make(photo: Upright, path: Path, source: str, sizes: list[Size], spec: PreprocessSpec) -> Row:
    bucket = aspect_buckets.nearest_bucket(photo.size, sizes)
    box = aspect_buckets.covered_box(photo.size, bucket)
    image = crop_to_bucket(photo, box, bucket, spec.background)
    about = {
        "source_sha256": source,
        "source_size": list(photo.size),
        "settings": settings_hash(bucket, spec.background),
        "pixel_hash": pixel_hash(image),
        "notes": photo.notes,
    }
    text = PngImagePlugin.PngInfo()
    text.add_itxt(CHUNK, canonical_json(about))
    with atomic_write(path) as temporary:
        image.save(temporary, "PNG", pnginfo=text)
    return _row(image, about)


def _row(image: Image.Image, about: dict[str, Any]) -> Row:
    return {
        "source_sha256": about["source_sha256"],
        "source_width": about["source_size"][0],
        "source_height": about["source_size"][1],
        "pixel_hash": about["pixel_hash"],
        "width": image.width,
        "height": image.height,
        "bucket": f"{image.width}x{image.height}",
        "sharpness": image_quality.sharpness(image),
        "perceptual_hash": image_quality.difference_hash(image),
        "warnings": list(about["notes"]),
    }


def _pixels_needed(spec: PreprocessSpec) -> int:
    """Twice the longest bucket edge: a JPEG decoded at that size loses nothing that is kept."""
    return 2 * max(
        max(size) for sizes in aspect_buckets.bucket_sets(spec).values() for size in sizes
    )
