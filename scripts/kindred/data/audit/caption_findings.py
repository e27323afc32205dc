"""What an audit warns of about how captions are written: by captioners, for other tools, as tags.

Each function looks at one thing in all captions and returns findings that count the captions
concerned, name the first of their photos, and list all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

from kindred.common.sentences import counted, listing
from kindred.data.audit.caption_styles import Style, style_of
from kindred.data.audit.captioner_phrases import phrases_in
from kindred.data.audit.findings import REFUSAL, Finding
from kindred.data.folder_repeats import FolderRepeats, repeats_of
from kindred.data.prompt_syntax import KINDS, SyntaxKind, foreign_syntax
from kindred.specs.character import Character

Photos = Sequence[Mapping[str, Any]]
FIRST = 3  # photos, or folders, that a finding names; the rest is in its list
Level = Literal["warning", "note"]
ALL_THE_SAME = (
    "the model learns it like any other words, and prompts without it match the training less well"
)
# kind of `captioner_phrases` -> (level, what, effect, cure)
PHRASES: dict[str, tuple[Level, str, str, str]] = {
    REFUSAL: (
        "warning",
        "captions in which a captioning model refuses or says nothing",
        "the model learns words about rules and models, and nothing of what these photos show",
        "write captions for these photos",
    ),
    "chat": (
        "warning",
        "captions in which a captioning model addresses its user",
        ALL_THE_SAME,
        "keep only the description",
    ),
    "loop": (
        "warning",
        "captions that repeat themselves",
        (
            "repeated words use up the tokens that a text encoder reads, and weigh more than the "
            "rest"
        ),
        "delete the repetitions, or write captions for these photos",
    ),
    "unfinished": (
        "note",
        "captions that stop in the middle of a phrase",
        "a captioning model reached its token limit, so the rest of the description is missing",
        "finish them, or raise the captioner's `max_tokens`",
    ),
    "markup": (
        "note",
        "captions with markup, such as signs for headings, lists, links or bold letters",
        "the model reads the signs as words",
        "delete the signs",
    ),
    "quoted": (
        "note",
        "captions in quotes",
        "the model may take the text for writing in the picture",
        "delete the quotes",
    ),
    "of-the-picture": (
        "note",
        "captions that talk about the picture (“the image shows”)",
        ALL_THE_SAME,
        "begin with who or what the photo shows",
    ),
}
OWN_WINS = "; a caption of your own replaces the captioner's"


def phrase_findings(photos: Photos) -> list[Finding]:
    """What captioners write beside or in place of a description, one finding a kind."""
    found = defaultdict(list)
    machine = set()
    for photo in photos:
        for kind, said in phrases_in(photo["caption"]["caption"]):
            found[kind].append((photo["image"]["source"], said))
            if photo["caption"]["author"] != "file":
                machine.add(kind)
    return [
        Finding(
            kind,
            level,
            _counted(what, [source for source, _ in found[kind]], photos),
            effect,
            cure + (OWN_WINS if kind in machine else ""),
            [f"{source}: {said}" for source, said in found[kind]],
        )
        for kind, (level, what, effect, cure) in PHRASES.items()
        if found[kind]
    ]


def syntax_findings(photos: Photos, who: Mapping[str, Character]) -> list[Finding]:
    """Other tools' writing in captions, one finding a kind."""
    names = [character.name for character in who.values()]
    found: dict[SyntaxKind, list[tuple[str, str]]] = defaultdict(list)
    for photo in photos:
        for one in foreign_syntax(photo["caption"]["caption"], names, in_prompt=False):
            found[one.kind].append((photo["image"]["source"], ", ".join(one.written)))
    return [
        Finding(
            f"syntax-{kind.kind}",
            "warning" if kind.certain else "note",
            _counted(f"captions with {kind.what}", [source for source, _ in rows], photos),
            "it has no effect here: the model learns it as words and signs, and its meaning is "
            "lost",
            "delete it, or write what it stands for, such as the trigger word",
            [f"{source}: {written}" for source, written in rows],
        )
        for kind in KINDS
        if (rows := found[kind])
    ]


def style_findings(photos: Photos) -> list[Finding]:
    """Lists of tags beside sentences: the photos of whichever is rarer."""
    by_style: dict[Style, list[str]] = defaultdict(list)
    for photo in photos:
        by_style[style_of(photo["caption"]["caption"])].append(photo["image"]["source"])
    tags, sentences = by_style["tags"], by_style["sentence"]
    if not (tags and sentences):
        return []
    rarer, name = (tags, "tags") if len(tags) <= len(sentences) else (sentences, "sentences")
    return [
        Finding(
            "tags-and-sentences",
            "warning",
            f"some captions are lists of tags ({len(tags)}), others sentences ({len(sentences)}); "
            f"{name}: {_named(rarer)}",
            "the model learns each thing in the form that its captions have, and prompts in the "
            "other form work less well for it",
            "write all captions in the form in which you write prompts",
            rarer,
        )
    ]


def repeat_findings(photos: Photos) -> list[Finding]:
    """Folders that are named for kohya's tools, whose numbers are not followed."""
    counts: dict[tuple[str, FolderRepeats], int] = defaultdict(int)
    for photo in photos:
        folder = PurePosixPath(photo["image"]["source"]).parent.name
        if repeats := repeats_of(folder):
            counts[folder, repeats] += 1
    if not counts:
        return []
    named = _named([f"'{folder}'" for folder, _ in counts])
    return [
        Finding(
            "repeats",
            "note",
            f"folders have names in kohya's style (repeats, trigger, class): {named}",
            "Kindred ignores the numbers, so each photo counts once; it ignores the class word "
            "too, which belongs in captions",
            "to show everybody equally often, set `balance: repeat` in a variant; to limit the "
            "photos of each, set `per_cell`; if the numbers mean something else, ignore this",
            [
                f"{folder}: {counted(count, 'photo')}, {counted(repeats.repeats, 'repeat')} ignored"
                for (folder, repeats), count in counts.items()
            ],
        )
    ]


def _counted(what: str, sources: Sequence[str], photos: Photos) -> str:
    return f"{what} ({len(sources)} of {len(photos)}: {_named(sources)})"


def _named(sources: Sequence[str]) -> str:
    """The first of them, and that there are more."""
    first = list(sources[:FIRST])
    return listing(first) if len(sources) <= FIRST else f"{', '.join(first)}, ..."
