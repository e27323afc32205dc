"""Kinds of warnings that preprocess and caption put on photos: what each means, and its cure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kindred.common.sentences import spaced

SHOWN = 3  # warnings of one kind that a terminal shows
LEFT_OUT = "left-out"  # files that are no photo's
# kind of a warning on an image or caption -> (what, effect, cure)
ROW_KINDS: dict[str, tuple[str, str, str]] = {
    "duplicate": (
        "the same photo more than once",
        "it counts double, and the model memorises the photo instead of the person",
        "remove all but one",
    ),
    "near-duplicate": (
        "nearly the same photo more than once",
        "the model memorises pose, clothes and light of the series, and there are fewer "
        "different photos than the count says",
        "keep the best of each series",
    ),
    "blurred": (
        "photos that look blurred",
        "the model learns the blur too, so faces come out soft",
        "replace or remove them",
    ),
    "small": (
        "small photos",
        "faces have few pixels, so the model can't learn their details",
        "use the original photos",
    ),
    "enlarged": (
        "photos enlarged to reach the training size",
        "the model learns the softness that enlarging brings",
        "use the original photos, or train at a smaller resolution",
    ),
    "cut": (
        "photos that lose a large part when they are cropped to a training size",
        "people at the edges may be cut off, but the caption still names them",
        "crop them yourself, or allow more sizes (`preprocess`)",
    ),
    "case": (
        "names with different capital letters",
        "the text encoders read different tokens, so the caption does not train the name",
        "write the name exactly as in the experiment",
    ),
    "spelling": (
        "words that look like a misspelt name",
        "a misspelt name trains nothing, or a different name",
        "correct the word if it should be the name",
    ),
    LEFT_OUT: (
        "files in the folder that are not used",
        "photos among them are not trained on",
        "move, convert or rename those that are photos",
    ),
    "reading": (
        "captions that could be read in more than one way",
        "Kindred joins the lines or takes one of two columns, and trains on the result",
        "keep one line and one column for each caption",
    ),
    "who": (
        "captions that disagree with `who`, the folder name or the file name",
        "a photo may count for the wrong people, or a name may be trained on the wrong face",
        "correct whichever is wrong; training uses the caption",
    ),
    "faces": (
        "captions that describe other people than the faces show",
        (
            "the model would learn one person's description for another, so the captioner's words "
            "were left out"
        ),
        "describe what they wear in a caption of your own; `make who` has a field for it",
    ),
    "class": (
        "people whom the captioner calls by another class noun than their own",
        (
            "none where the right person is named: the noun was corrected, or the captioner's "
            "words were left out"
        ),
        "look at the photo; if it shows somebody else, correct who is in it",
    ),
    "undecided": (
        "faces that nobody has named yet",
        "no caption names such a person, so the model learns this face as part of the others",
        "run `make who` again, or write the person's letter or `nobody` into people.yaml",
    ),
    "profile": (
        "photos whose colour profile could not be used",
        (
            "Kindred reads their colours as sRGB, so skin may look paler or redder than in other "
            "photos"
        ),
        "export them as sRGB",
    ),
    "damaged": (
        "damaged photos",
        "a part may be grey or shifted, and the model learns that",
        "look at the prepared images, and copy the photo again from the camera",
    ),
    "mask": (
        "pictures that look like masks",
        "the model learns the mask as the person whom its caption names",
        "remove them if they are not photos",
    ),
    "cmyk": (
        "CMYK photos without a usable profile",
        "their colours are approximate, and the model learns them as they are",
        "export them as sRGB",
    ),
    "exif": (
        "photos with damaged EXIF data",
        "they may lie on their side, and the model learns people that way",
        (
            "look at the prepared images; if one lies on its side, rotate the photo and save it "
            "again"
        ),
    ),
    "metadata": (
        "photos with metadata that can't be read",
        "none: pixels, colours and rotation were read",
        "nothing to do",
    ),
    "frames": (
        "files that contain several pictures",
        "only the first picture is used",
        "keep one picture",
    ),
    "transparent": (
        "photos with transparent parts",
        (
            "the model learns the background put behind them, so a single colour may show up in "
            "its pictures"
        ),
        "set `background`, or use photos with a background",
    ),
}
# As images.json has it: other words would mean other data, and preparing all photos again.
NEARLY_THE_SAME = re.compile(r"looks like \(\d+ of 128 bits differ\) ")
NOTES = frozenset({"profile", "cmyk", "exif", "metadata", "frames", "transparent"})


def in_words(what: str) -> str:
    """A warning of a prepared photo or a caption, as people read it."""
    return spaced(NEARLY_THE_SAME.sub("is nearly the same picture as ", what))


def warning_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What a terminal says of warnings on prepared photos: 'a.jpg: is small: 90x90 px'; of more
    than `SHOWN` of a kind how many photos have it. Files that are left out were named before."""
    by_kind: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        for item in row["warnings"]:
            if item["kind"] != LEFT_OUT:
                by_kind[item["kind"]][f"{row['source']}: {in_words(item['what'])}"] = row["source"]
    for kind, told in by_kind.items():
        if len(told) <= SHOWN:
            yield from told
        else:
            photos = len(set(told.values()))
            what = ROW_KINDS[kind][0] if kind in ROW_KINDS else kind
            yield f"{what} ({photos}), such as {next(iter(told))}. The audit's page shows all"
