"""The whole audit of a dataset as one object: counts, tokens and what to warn of.

Knows how counts and findings are put together; draws no page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kindred.common import commands
from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.data.audit import (
    caption_findings,
    cast_shapes,
    coverage,
    faces_and_captions,
    findings,
    token_findings,
)
from kindred.data.audit.training_amounts import training_findings
from kindred.data.dataset import DatasetImage
from kindred.data.people_file import PhotoEntry
from kindred.models import tokenizers
from kindred.specs.character import Character
from kindred.specs.dataset import AuditSpec

Photos = Sequence[dict[str, Any]]


def examine(
    photos: Photos,
    spec: AuditSpec,
    images: Sequence[DatasetImage] = (),
    faces: Mapping[str, PhotoEntry] = MappingProxyType({}),
) -> dict[str, Any]:
    """The whole audit of `audit.photos_of` as one JSON-able object. images: all of the dataset, as
    training reads them; needed where the specification names trainings. faces: what people.yaml
    says of each photo."""
    who, limits = spec.characters, spec.thresholds
    cells = coverage.coverage((photo["cell"] for photo in photos), who)
    seen = coverage.appearances(cells, who)
    words = coverage.common_words(
        photos, who, limits.common_word_share, limits.min_captions_for_words
    )
    nouns = coverage.noun_shares(photos, who)
    tokens, pieces, missing, about_tokens = examine_tokens(photos, spec)
    compared = faces_and_captions.compare(photos, faces)
    shapes = cast_shapes.casts_by_shape(photos, who)
    found = [
        *findings.misfit_findings(spec.misfits),
        *training_findings(images, spec.trainings, who),
        *findings.amount_findings(cells, seen, who, limits),
        *findings.cell_findings(cells, who),
        *findings.word_findings(words, who, limits.common_word_share),
        *findings.class_noun_findings(nouns, who, limits),
        *about_tokens,
        *_of_photos(photos, compared, who),
        *faces_and_captions.lying_findings(photos, faces),
        *cast_shapes.shape_findings(shapes),
    ]
    # What stands on the first screen is told first on the terminal too.
    ranks = {kind: rank for rank, kind in enumerate(findings.FIRST_SCREEN)}
    found.sort(key=lambda finding: ranks.get(finding.kind, len(ranks)))
    made = Counter(photo["image"]["made"] for photo in photos if "made" in photo["image"])
    least = min((count for count in seen.values() if count), default=0)
    return {
        "photos": len(photos),
        "unnamed": sum(map(findings.names_nobody, photos)),
        "characters": {letter: one.model_dump(by_alias=True) for letter, one in who.items()},
        "cells": cells,
        "appearances": seen,
        **({"made": dict(sorted(made.items()))} if made else {}),
        "solos": {letter: cells[letter] for letter in seen},
        "appearance_ratio": round(max(seen.values()) / least, 3) if least else None,
        "together": coverage.co_occurrences(cells, who),
        "casts_by_shape": shapes,
        "shape_bits": round(cast_shapes.bits(shapes), 3),
        "cast_bits": round(cast_shapes.entropy(shapes), 3),
        "words": words,
        "noun_shares": nouns,
        **({"faces": faces_and_captions.by_person(compared, who)} if compared else {}),
        **({"tokenizers_missing": missing} if missing else {}),
        "tokens": tokens,
        "trigger_tokens": pieces,
        "findings": [finding.as_dict() for finding in found],
    }


def _of_photos(
    photos: Photos, compared: Photos, who: Mapping[str, Character]
) -> list[findings.Finding]:
    """What is said of single photos and captions. compared: by `faces_and_captions`."""
    return [
        *caption_findings.phrase_findings(photos),
        *caption_findings.style_findings(photos),
        *caption_findings.syntax_findings(photos, who),
        *findings.people_findings(photos),
        *faces_and_captions.face_findings(compared, who),
        *findings.photo_findings(photos, {row["source"] for row in compared}),
        *findings.composite_findings(photos),
        *findings.repeated_caption_findings(coverage.repeated_captions(photos)),
        *caption_findings.repeat_findings(photos),
    ]


def examine_tokens(
    photos: Photos, spec: AuditSpec
) -> tuple[dict[str, Any], dict[str, Any], list[str], list[findings.Finding]]:
    """Counts by tokenizer, pieces of the trigger names by tokenizer, tokenizers that are not here,
    and what to warn of."""
    captions = {photo["photo"]: photo["caption"]["caption"] for photo in photos}
    sources = {photo["photo"]: photo["image"]["source"] for photo in photos}
    readers = {name: token_findings.reader_of(name, spec.architectures) for name in spec.tokenizers}
    limits, who = spec.thresholds, spec.characters
    counts: dict[str, Any] = {}
    names: dict[str, dict[str, tokenizers.NameTokens]] = {}
    found: list[findings.Finding] = []
    loaded, absent = {}, []
    for name in readers:
        try:
            loaded[name] = tokenizers.load_tokenizer(name, quickly=True)
        except KindredError:
            if Path(name).expanduser().is_dir():
                raise
            absent.append(name)  # no base and no login yet: everything else can be said
    found += token_findings.unread_tokenizer_finding([readers[name] for name in absent])
    for name, tokenizer in loaded.items():
        limit, reader = spec.tokenizers[name], readers[name]
        template = reader.before, reader.uncounted
        counts[name] = tokenizers.too_long(tokenizer, limit, captions, *template)
        counts[name]["unknown"] = unknown = tokenizers.unknown_tokens(tokenizer, captions)
        names[name] = {
            x: tokenizers.read_name(tokenizer, one.name) for x, one in sorted(who.items())
        }
        marks = tokenizers.special_marks(tokenizer, captions)
        told = [
            *token_findings.cut_caption_findings(reader, counts[name], sources),
            *token_findings.unknown_token_findings(
                reader, unknown, sources, limits.max_unknown_tokens
            ),
            *token_findings.mark_findings(reader, marks, sources),
        ]
        # Two bases may read the same captions alike: that is one finding.
        found += [finding for finding in told if finding not in found]
    shared = {name: tokenizers.shared_tokens(by_letter) for name, by_letter in names.items()}
    found += token_findings.unknown_name_findings(names, readers, who)
    found += token_findings.same_name_findings(names, readers, who)
    found += token_findings.shared_token_findings(shared, readers, who, limits.max_shared_tokens)
    found += token_findings.known_name_findings(names, readers, who)
    pieces = {
        name: {x: [piece for _, piece in one.pieces] for x, one in own.items()}
        for name, own in names.items()
    }
    return counts, pieces, absent, found


def finding_lines(result: Mapping[str, Any]) -> list[str]:
    """Each finding for a terminal, with its effect; of a character in no photo with the cure, and
    of what is checked later with when."""
    told = {findings.LATER: "cure", findings.UNSEEN: "cure"}
    return [
        commands.complete(f"{one['level']}: {one['what']}: {one[told.get(one['kind'], 'effect')]}")
        for one in result["findings"]
    ]


def coverage_table(result: dict[str, Any]) -> str:
    """Photos in every cell and with every character, as lines of text."""
    cells, seen = result["cells"], result["appearances"]
    width = max(map(len, ["cell", *cells]))
    lines = [f"  {'cell':{width}}  photos"]
    lines += [f"  {cell:{width}}  {count:6}" for cell, count in cells.items()]
    with_others = ", ".join(f"{letter} {count}" for letter, count in seen.items())
    lines.append(f"  alone or with others: {with_others}; naming nobody: {result['unnamed']}")
    photos = counted(result["photos"], "photo")
    return "\n".join([f"the dataset has {photos}:", *lines])
