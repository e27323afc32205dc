"""What an audit warns of, in plain words: what was found, what it may do to the result, the cure.

Each function looks at one thing and returns findings; thresholds come from the specification.
Knows no files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any, Literal

from kindred.characters.cells import cell_name
from kindred.common.sentences import counted, percent, plural
from kindred.data.audit.photo_warnings import LEFT_OUT, NOTES, ROW_KINDS, in_words
from kindred.specs.character import Character
from kindred.specs.dataset import AuditThresholds, Misfit

Characters = Mapping[str, Character]
MISFIT = "misfit"  # the kind that is about the experiment's settings
LATER = "tokens-later"
UNKNOWN_NAME, SAME_NAME, REFUSAL = "unknown-name", "same-name", "refusal"
UNSEEN = "unseen"
FACE_WITHOUT_NAME = "face-without-name"
NAMES = "Names that the base can't tell"
# What stands on the page's first screen, by kind, and under which heading: with it, something else
# is trained than anybody meant.
FIRST_SCREEN = {
    UNSEEN: "Characters in no photo",
    MISFIT: "Settings that don't fit the base, the photos or each other",
    UNKNOWN_NAME: NAMES,
    SAME_NAME: NAMES,
    REFUSAL: "Captions that describe no photo",
    FACE_WITHOUT_NAME: "Captions that leave somebody out",
}


@dataclass(frozen=True)
class Finding:
    """One thing to know before training. `items`: the photos, files or words that it is about; what
    is about a photo begins with its name in the folder."""

    kind: str
    level: Literal["warning", "note"]
    what: str
    effect: str
    cure: str
    items: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def misfit_findings(misfits: Sequence[Misfit]) -> list[Finding]:
    """Settings of the experiment that are made for another size of base, or contradict others."""
    unfit = (
        "nothing else warns you: the training may learn nothing or damage the base, and the "
        "pictures may be noise"
    )
    idle = "nothing else warns you: the training runs as if the value were different or not set"
    return [
        Finding(
            MISFIT,
            "warning",
            f"{one.where}: {one.what}",
            unfit if one.advice is None else idle,
            one.cure,
        )
        for one in misfits
    ]


def amount_findings(
    found: Mapping[str, int], seen: Mapping[str, int], who: Characters, limits: AuditThresholds
) -> list[Finding]:
    """Too few photos of a character, too few alone, one character much more often than another."""
    result = []
    for letter, count in seen.items():
        name, solos = who[letter].name, found.get(letter, 0)
        if count == 0:
            result.append(_unseen(name))
        elif count < limits.min_images_per_character:
            result.append(
                Finding(
                    "few",
                    "warning",
                    f"{name} is in {_photos(count)}, fewer than {limits.min_images_per_character}",
                    "the likeness may stay rough, and the model may learn clothes and light of "
                    "these few photos as part of the person",
                    "add photos in other clothes, places and light",
                )
            )
        if count > 0 and solos < limits.min_solos:
            result.append(
                Finding(
                    "solos",
                    "warning",
                    f"{name} is alone in {_photos(solos)}, fewer than {limits.min_solos}",
                    "only photos of one person show for certain whose face the name means; the "
                    "name may come to mean the group, or another face in it",
                    f"add photos of {name} alone, or crop {name} out of group photos",
                )
            )
    return result + _imbalance(seen, who, limits.max_appearance_ratio)


def cell_findings(found: Mapping[str, int], who: Characters) -> list[Finding]:
    """Characters never photographed together."""
    letters, result = sorted(who), []
    for a, b in combinations(letters, 2):
        if not photos_with(found, (a, b)):
            result.append(
                Finding(
                    "pair",
                    "warning",
                    f"{who[a].name} and {who[b].name} are in no photo together",
                    "in pictures of both, one of them may be missing or drawn twice, or their "
                    "faces may merge into one",
                    f"add photos of both, or test a variant with {composites([cell_name((a, b))])}",
                )
            )
    everyone = cell_name(letters)
    if len(letters) > 2 and not found.get(everyone):
        result.append(
            Finding(
                "group",
                "note",
                f"no photo shows all {len(letters)} together ({everyone})",
                "the model must combine smaller groups to draw all of them, and may get the "
                "number of people wrong more often. On the drawn world few such pictures were "
                "right, and most with composites and longer training (docs/findings/together.md)",
                "add such photos if there are any, or test a variant with "
                + composites(never_together(found, letters)),
            )
        )
    return result


def photos_with(found: Mapping[str, int], group: Iterable[str]) -> int:
    """Photos in which all of a group are, of the photos in each cell."""
    return sum(count for cell, count in found.items() if set(group) <= set(cell.split("+")))


def never_together(found: Mapping[str, int], letters: Sequence[str]) -> list[str]:
    """Pairs that no photo shows, and all of them where there are more and no photo shows all."""
    groups = [*combinations(letters, 2), *([letters] if len(letters) > 2 else [])]
    return [cell_name(group) for group in groups if not photos_with(found, group)]


def composites(cells: Sequence[str]) -> str:
    """What a variant says to train on composites of these cells, as the lab's best one does."""
    return (
        f"“compose: {{cells: [{', '.join(cells)}], per_cell: 64, background: any, "
        "canvas: any}” and “balance: repeat”"
    )


def word_findings(
    words: Sequence[Mapping[str, Any]], who: Characters, share: float
) -> list[Finding]:
    """Words in nearly all captions of one character, and words in nearly all captions at all."""
    result, everywhere = [], set()
    for letter in sorted(who):
        own = [word for word in words if word["letter"] == letter]
        everywhere |= {word["word"] for word in own if (word["share_elsewhere"] or 0) >= share}
        bound = [word for word in own if (word["share_elsewhere"] or 0) < share]
        if bound:
            listed = [f"{w['word']} ({w['captions']} of {w['of']})" for w in bound]
            result.append(
                Finding(
                    "word",
                    "warning",
                    f"nearly all captions with {who[letter].name} say: {', '.join(listed)}",
                    f"the model may learn it as part of {who[letter].name}: it appears in "
                    "pictures although nobody asks for it, or the likeness suffers without it",
                    "add photos without it",
                    [word["word"] for word in bound],
                )
            )
    if everywhere:
        result.append(
            Finding(
                "word-everywhere",
                "note",
                f"nearly all captions say: {', '.join(sorted(everywhere))}",
                "the model may draw this in every picture, and the names work best in prompts "
                "that say it too",
                "add photos without it, or say it in prompts",
                sorted(everywhere),
            )
        )
    return result


def class_noun_findings(
    shares: Mapping[str, float | None], who: Characters, limits: AuditThresholds
) -> list[Finding]:
    """Class nouns that captions leave out."""
    return [
        Finding(
            "noun",
            "warning",
            f"only {percent(share)} of the captions with {who[letter].name} say "
            f"'{who[letter].noun}'",
            "without it the name can't build on what the model knows about such people: age or sex "
            f"may come out wrong, and prompts that say '{who[letter].noun}' ask for something that "
            "was trained too rarely",
            f"write e.g. 'the {who[letter].noun} {who[letter].name} in a blue shirt'",
        )
        for letter, share in shares.items()
        if share is not None and share < limits.min_noun_share
    ]


def names_nobody(photo: Mapping[str, Any]) -> bool:
    """Whether a photo's caption names no character. Composites of strangers alone are meant so."""
    return not photo["cell"] and "made" not in photo["image"]


def people_findings(photos: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Photos whose captions name nobody, captions nobody has read, captions used twice."""
    result = []
    if nobody := [p["image"]["source"] for p in photos if names_nobody(p)]:
        result.append(
            Finding(
                "nobody",
                "warning",
                f"the {plural(len(nobody), 'caption')} of "
                f"{counted(len(nobody), 'photo names', 'photos name')} no character",
                "the people in these photos teach the model that such people have no name, and "
                "the characters' looks may spread to everybody",
                "name the characters in the captions, or remove the photos",
                nobody,
            )
        )
    if machine := [p["image"]["source"] for p in photos if p["caption"]["author"] != "file"]:
        result.append(
            Finding(
                "captioner",
                "note",
                f"a captioning model wrote {len(machine)} of {counted(len(photos), 'caption')}",
                "a wrong caption teaches something wrong; who is in each photo was decided by "
                "people.yaml or, without it, by the names of files and folders",
                "read them on the page of `make who`, where c replaces one, or in captions.jsonl",
                machine,
            )
        )
    return result


def repeated_caption_findings(groups: Sequence[Sequence[str]]) -> list[Finding]:
    """Different photos with the very same caption."""
    return [
        Finding(
            "same-caption",
            "note",
            f"{len(group)} photos have the same caption",
            "no prompt can ask for what differs between them, and the model learns it as part of "
            "the person",
            "say what differs: clothes, pose, place",
            list(group),
        )
        for group in groups
    ]


def photo_findings(
    photos: Sequence[Mapping[str, Any]], compared: Container[str] = ()
) -> list[Finding]:
    """Warnings of preprocess and caption, one finding a kind, with the photos concerned. compared:
    photos whose faces were held against the caption, which says more than `who` does."""
    by_kind = defaultdict(list)
    for photo in photos:
        for item in [*photo["image"]["warnings"], *photo["caption"]["warnings"]]:
            if item["kind"] == "who" and photo["image"]["source"] in compared:
                continue
            whose = "" if item["kind"] == LEFT_OUT else f"{photo['image']['source']} "
            by_kind[item["kind"]].append(f"{whose}{in_words(item['what'])}")
    return [
        Finding(
            kind,
            "note" if kind in NOTES else "warning",
            f"{what} ({len(by_kind[kind])})",
            effect,
            cure,
            by_kind[kind],
        )
        for kind, (what, effect, cure) in ROW_KINDS.items()
        if by_kind[kind]
    ]


MADE = {
    "composed": (
        "a composite of people cut out of photos",
        "composites of people cut out of photos",
    ),
    "cropped": (
        "a crop of one person out of a photo of several",
        "crops of one person out of photos of several",
    ),
}


def composite_findings(photos: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Pictures that nobody photographed: they are made of the dataset's photos."""
    by_kind = defaultdict(list)
    for photo in photos:
        if kind := photo["image"].get("made"):
            by_kind[kind].append(f"{photo['image']['source']}: {photo['caption']['caption']}")
    return [
        Finding(
            kind,
            "note",
            f"{len(own)} of {counted(len(photos), 'picture')} "
            f"{plural(len(own), f'is {one}', f'are {several}')}",
            "they count in the table above; the model may also learn seams and wrong sizes",
            "look at them, and compare with a variant without them",
            own,
        )
        for kind, (one, several) in MADE.items()
        if (own := by_kind[kind])
    ]


def _unseen(name: str) -> Finding:
    return Finding(
        UNSEEN,
        "warning",
        f"no photo shows {name}",
        "the model can't learn the name; prompts with it draw somebody else",
        f"add photos, write '{name}' in their captions, or remove the character",
    )


def _imbalance(seen: Mapping[str, int], who: Characters, most: float) -> list[Finding]:
    counts = {letter: count for letter, count in seen.items() if count}
    if len(counts) < 2:
        return []
    often, seldom = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
    ratio = counts[often] / counts[seldom]
    if ratio <= most:
        return []
    return [
        Finding(
            "imbalance",
            "warning",
            f"{who[often].name} is in {ratio:.1f} times as many photos as {who[seldom].name} "
            f"({counts[often]} and {counts[seldom]})",
            f"{who[often].name}'s face may show in the others, and {who[seldom].name} may need "
            "longer training",
            "set `balance` or `match` in a variant, or add photos",
        )
    ]


def _photos(count: int) -> str:
    return "no photo" if count == 0 else counted(count, "photo")
