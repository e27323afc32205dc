"""What an audit warns of about tokens: cut captions, names read alike, names already taken.

Findings are printed in reports that are passed on, so they name the encoder, never where its
tokenizer lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.data.audit.findings import Finding
from kindred.models.architectures.interface import Tokenizer
from kindred.models.identity import architecture_of
from kindred.specs.base_model import ImageEncoder
from kindred.specs.character import Character

Characters = Mapping[str, Character]
# Common given names that a large model has seen thousands of faces for; a trigger that is one of
# them starts from those faces. Not complete: tokenizers tell the rest.
COMMON = """
    adam alex alexander alice amy andrea andrew anna anne anthony ben benjamin bob brian carol
    charles charlie charlotte chris christian christina christopher claire clara daniel daniela
    david diana dominik edward elena elias elizabeth ella emily emma eric erik eva felix finn
    frank george grace greta hanna hannah harry helen henry ian isabel isabella jack jacob jakob
    james jan jane jason jennifer jessica joe johannes john jonas jordan joseph josh joshua
    julia julian karen kate katharina katherine kevin laura lea lena leo leon lily lisa liam
    louis louise luca lucas lucy luis luke maria marie mark markus martin mary matt matthew max
    maya mia michael mike mila moritz nathan nicholas nick nina noah nora olivia oliver oscar
    patrick paul peter philip rachel rebecca richard robert rose ruth ryan sam samuel sandra
    sara sarah scarlett simon sofia sophia sophie stefan stephen steven susan taylor theo thomas
    tim tom victoria vincent will william zoe
"""
GIVEN_NAMES = frozenset(COMMON.split())


def reader_of(tokenizer: str, architectures: Mapping[str, str]) -> Tokenizer:
    """What reads by a tokenizer, `<model>/<folder>[@revision]`. architectures: model -> its name,
    where a base says it. Raises KindredError where neither that nor the model's folder does."""
    place, _, revision = tokenizer.partition("@")
    model, _, folder = place.rpartition("/")
    named = {"architecture": architectures[model]} if model in architectures else {}
    text = architecture_of(ImageEncoder(model=model, revision=revision or None, **named)).text
    return next(reader for reader in text.tokenizers if reader.folder == folder)


def cut_caption_findings(
    reader: Tokenizer, counts: Mapping[str, Any], sources: Mapping[str, str]
) -> list[Finding]:
    """Captions beyond a tokenizer's limit."""
    if not counts["cut"]:
        return []
    encoder, whole_text = reader.reader, reader.content
    effect = (
        "what stands behind is never trained: it is learned as part of the person or the scene"
        if whole_text
        else "this encoder only sets the overall direction; what stands behind has no part in it"
    )
    items = [
        f"{sources[row['id']]}: {row['tokens']} tokens, loses '{row['lost']}'"
        for row in counts["cut"]
    ]
    return [
        Finding(
            "tokens",
            "warning" if whole_text else "note",
            f"{encoder}: captions longer than {counts['limit']} tokens are cut ({len(items)})",
            effect,
            "shorten them, names first"
            + (", or raise `text_tokens`" if reader.limit is None else ""),
            items,
        )
    ]


def shared_token_findings(
    shared: Mapping[str, list[dict[str, Any]]],
    readers: Mapping[str, Tokenizer],
    who: Characters,
    most: float,
) -> list[Finding]:
    """Triggers read by the same pieces. `shared`: by tokenizer, rows of `shared_tokens`."""
    by_pair: dict[tuple[str, str], dict[str, None]] = {}  # a dict: in order, each once
    for tokenizer, rows in shared.items():
        for row in rows:
            if row["share"] >= most:
                pieces = " ".join(row["shared"])
                said = f"{pieces} ({readers[tokenizer].reader})"
                by_pair.setdefault(tuple(row["letters"]), {})[said] = None
    return [
        Finding(
            "shared-tokens",
            "warning",
            f"{who[one].name} and {who[other].name} share pieces: " + "; ".join(where),
            "to the text encoders the names are partly the same word: one face may bleed into "
            "the other",
            "choose triggers that start and end differently, if the names are not part of the test",
        )
        for (one, other), where in sorted(by_pair.items())
    ]


def known_name_findings(
    pieces: Mapping[str, Mapping[str, list[str]]],
    readers: Mapping[str, Tokenizer],
    who: Characters,
) -> list[Finding]:
    """Triggers that are real names, or a single known word for a tokenizer.

    `pieces`: by tokenizer, by letter."""
    result = []
    for letter, character in sorted(who.items()):
        where = sorted({readers[t].reader for t, own in pieces.items() if len(own[letter]) == 1})
        real = character.name.casefold() in GIVEN_NAMES
        if not (real or where):
            continue
        because = "is a real name" if real else f"is one known word ({', '.join(where)})"
        result.append(
            Finding(
                "known-name",
                "warning",
                f"{character.name} {because}",
                "the model may already draw somebody for it, and the new face mixes with that one",
                "choose a word that nobody uses, e.g. initial and surname as one word",
            )
        )
    return result
