"""All captions of a dataset: what people wrote, and a captioner's texts for the rest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from kindred.common.errors import Problems
from kindred.data import caption_cache
from kindred.data.aspect_buckets import covered_box
from kindred.data.audit.photo_warnings import warning_lines
from kindred.data.caption_cache import Asked
from kindred.data.caption_records import Hint, by_captioner, by_hand
from kindred.data.folder_repeats import repeats_of
from kindred.data.photo_folder import scan
from kindred.data.told_captions import told_of
from kindred.specs.dataset import CaptionSpec

NO_NAMES = (
    "no caption names a character. That is right for strangers, and wrong for people to learn"
)
NARROWEST = 0.1  # of the width, between the middles of two people who are looked at apart


def caption_images(
    images: Sequence[dict[str, Any]], spec: CaptionSpec, folder: Path, images_dir: Path, store: Path
) -> list[dict[str, Any]]:
    """captions.jsonl for the rows of images.json, in their order: several sizes of one photo share
    its caption. Raises as `caption_photos` does.

    What composites call strangers by is nobody's misspelt name.
    """
    if made_up := sorted({name for row in images for name in row.get("named", ())}):
        spec = spec.model_copy(update={"not_names": [*spec.not_names, *made_up]})
    photos = {row["source"]: row for row in sorted(images, key=lambda row: row["height"])}
    by_photo = caption_photos(photos, spec, folder, images_dir, store)
    for source, row in by_photo.items():
        if "made" in photos[source]:  # of strangers alone, by intent
            row["warnings"] = _without_nobody(row)
    told = [{**row, "source": one} for one, row in by_photo.items()]
    if spec.characters and told and not any(row["characters"] for row in told):
        print(NO_NAMES, file=sys.stderr)
        told = [{**row, "warnings": _without_nobody(row)} for row in told]
    for line in warning_lines(told):
        print(f"warning: {line}", file=sys.stderr)
    return [
        {"id": image["image_id"], "photo": image["photo"], **by_photo[image["source"]]}
        | ({"made": image["made"]} if "made" in image else {})
        for image in images
    ]


def _without_nobody(row: dict[str, Any]) -> list[dict[str, str]]:
    return [one for one in row["warnings"] if one["kind"] != "nobody"]


def caption_photos(
    photos: dict[str, Any], spec: CaptionSpec, folder: Path, images_dir: Path, store: Path
) -> dict[str, Any]:
    """A caption row for each photo's name. Everything is checked before a captioner starts.

    photos: name in `folder` -> its row of images.json. store: what captioners wrote before. Raises
    ProblemsError listing every photo without a caption, and every mistake in one.
    """
    problems, doubts = Problems(f"{folder}: captions"), []
    source = scan(folder)
    told = told_of(source, photos, spec, problems, doubts)
    written, hints = told.written, told.hints
    rows: dict[str, Any] = {}
    for name in photos:
        if name in written and written[name].text:
            rows[name] = by_hand(written[name], hints[name], spec, problems)
        elif spec.captioner is None:
            cure = "write one, or set `captioner` in the dataset"
            if repeats_of(PurePosixPath(name).parent.name):
                cure += "; unlike in kohya's tools, a folder's name is not used as a caption"
            problems.add(name, "has no caption", cure)
    for doubt in doubts:
        print(f"warning: {doubt}", file=sys.stderr)
    problems.raise_if_any()
    missing = [name for name in photos if name not in rows]
    if missing and spec.captioner:
        asked = {
            (name, number): one
            for name in missing
            for number, one in enumerate(_asked_of(photos[name], hints[name], images_dir))
        }
        texts = caption_cache.describe_all(asked, spec.captioner, store)
        author = f"captioner {caption_cache.author_of(spec.captioner)}"
        for name in missing:
            said = [texts[key] for key in asked if key[0] == name]
            rows[name] = by_captioner(said[0], author, hints[name], spec, said[1:])
            if not rows[name]["caption"]:
                problems.add(
                    name,
                    "the captioning model wrote nothing for this photo",
                    "write a caption yourself",
                )
        problems.raise_if_any()
    return {name: rows[name] for name in sorted(rows)}


def _asked_of(photo: dict[str, Any], hint: Hint, images_dir: Path) -> list[Asked]:
    """What a captioner is asked of a photo: all of it, then each person where somebody known stands
    among others, and each has a strip of the picture for themselves."""
    pixels, path = photo["pixel_hash"], images_dir / f"{photo['image_id']}.png"
    strips = strips_of(photo, hint.at) if hint.grouped else []
    return [Asked(pixels, path), *(Asked(pixels, path, strip) for strip in strips)]


def strips_of(photo: dict[str, Any], at: Sequence[int]) -> list[tuple[float, float]]:
    """The strip of a prepared image that each of the people has, as shares of its width: to half
    way between neighbours. at: percent of the original's width, from the left. None of them where
    two stand too near each other, or somebody was cut off."""
    size = photo["source_width"], photo["source_height"]
    left, _, right, _ = covered_box(size, (photo["width"], photo["height"]))
    places = [(one / 100 * size[0] - left) / (right - left) for one in at]
    gaps = [b - a for a, b in pairwise(places)]
    if any(not 0 < one < 1 for one in places) or any(gap < NARROWEST for gap in gaps):
        return []
    between = [round(sum(two) / 2, 3) for two in pairwise(places)]
    reach = max(gaps, default=1.0)  # beyond the outer ones as far as between any two
    ends = [max(0.0, places[0] - reach), *between, min(1.0, places[-1] + reach)]
    return [(round(a, 3), round(b, 3)) for a, b in pairwise(ends)]
