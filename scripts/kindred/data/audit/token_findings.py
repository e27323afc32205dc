"""What an audit warns of about tokens: cut captions, words and names that an encoder can't read,
names read alike, names already taken.

Findings are printed in reports that are passed on, so they name the encoder, never where its
tokenizer lies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

from kindred.common.sentences import counted, listing, percent
from kindred.data.audit.findings import LATER, SAME_NAME, UNKNOWN_NAME, Finding
from kindred.models.architectures.interface import Tokenizer
from kindred.models.identity import architecture_of
from kindred.models.tokenizers import WORD_STARTS, NameTokens
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
# The one recommendation of names; docs/decisions/photos-and-captions.md says how it was found.
EXAMPLES = ("Jorvek", "Amitas", "Celbon")
KIND = "a made-up word of two or three syllables"
ADVICE = (  # written out, for the table of messages
    "give each person a made-up word of two or three syllables, with no two letters in a row that "
    "another name has, such as Jorvek, Amitas, Celbon"
)
WORD = re.compile(r"[^\W\d_]+")


def reader_of(tokenizer: str, architectures: Mapping[str, str]) -> Tokenizer:
    """What reads by a tokenizer, `<model>/<folder>[@revision]`. architectures: model -> its name,
    where a base says it. Raises KindredError where neither that nor the model's folder does."""
    place, _, revision = tokenizer.partition("@")
    model, _, folder = place.rpartition("/")
    named = {"architecture": architectures[model]} if model in architectures else {}
    text = architecture_of(ImageEncoder(model=model, revision=revision or None, **named)).text
    return next(reader for reader in text.tokenizers if reader.folder == folder)


def unread_tokenizer_finding(readers: Sequence[Tokenizer]) -> list[Finding]:
    """Encoders whose tokenizers are not on this machine."""
    if not readers:
        return []
    encoders = listing(sorted({reader.reader for reader in readers}))
    return [
        Finding(
            LATER,
            "note",
            f"names and caption lengths are not checked yet for {encoders}",
            "a text encoder may read two names alike or cut long captions, and this audit can't "
            "tell",
            "nothing to do now: the next `snakemake` checks them, once the base is on this machine",
        )
    ]


def cut_caption_findings(
    reader: Tokenizer, counts: Mapping[str, Any], sources: Mapping[str, str]
) -> list[Finding]:
    """Captions beyond a tokenizer's limit."""
    if not counts["cut"]:
        return []
    encoder, whole_text = reader.reader, reader.content
    effect = (
        (
            "the model never reads what comes after that; it learns it as part of the person or "
            "the scene"
        )
        if whole_text
        else "this encoder only sets the overall direction, without what comes after that"
    )
    items = [
        f"{sources[row['id']]}: {row['tokens']} tokens, cuts '{row['lost']}'"
        for row in counts["cut"]
    ]
    return [
        Finding(
            "tokens",
            "warning" if whole_text else "note",
            f"{encoder}: cuts captions longer than {counts['limit']} tokens ({len(items)})",
            effect,
            "shorten them, and put names first"
            + (", or raise `text_tokens`" if reader.limit is None else ""),
            items,
        )
    ]


def unknown_token_findings(
    reader: Tokenizer, rows: Sequence[Mapping[str, Any]], sources: Mapping[str, str], most: float
) -> list[Finding]:
    """Captions with words that an encoder has no token for; a warning where they are a larger share
    of one's tokens than `most`. rows: of `unknown_tokens`, the worst first."""
    if not rows:
        return []
    worst = rows[0]["unknown"] / rows[0]["tokens"]
    items = [
        f"{sources[row['id']]}: {row['unknown']} of {counted(row['tokens'], 'token')} "
        f"({percent(row['unknown'] / row['tokens'])}): {', '.join(row['words'])}"
        for row in rows
    ]
    return [
        Finding(
            "unknown-tokens",
            "warning" if worst > most and reader.content else "note",
            f"{reader.reader}: does not know some words in captions ({len(items)} of "
            f"{len(sources)}; at most {percent(worst)} of a caption's tokens)",
            "it reads all such words as the same one, so the model can't learn what they mean "
            "and prompts can't ask for it",
            "write them in English, with letters from A to Z, without emoji and other signs",
            items,
        )
    ]


def mark_findings(
    reader: Tokenizer, marks: Mapping[str, Sequence[str]], sources: Mapping[str, str]
) -> list[Finding]:
    """Captions that hold an encoder's own marks. marks: of `special_marks`."""
    if not marks:
        return []
    return [
        Finding(
            "marks",
            "warning",
            f"{reader.reader}: finds its own control marks in captions ({len(marks)} of "
            f"{len(sources)})",
            "it reads them as the end of the text or as padding, not as words",
            "delete them; they come from a captioning model's answer",
            [f"{sources[name]}: {', '.join(own)}" for name, own in marks.items()],
        )
    ]


def unknown_name_findings(
    names: Mapping[str, Mapping[str, NameTokens]], readers: Mapping[str, Tokenizer], who: Characters
) -> list[Finding]:
    """Triggers with letters that an encoder has no token for. `names`: by tokenizer, by letter."""
    result = []
    for letter, character in sorted(who.items()):
        where: dict[str, set[str]] = {}  # what is not known -> by whom
        for tokenizer, own in names.items():
            if unknown := own[letter].unknown:
                whole = set(unknown) >= set(character.name)
                what = "the name" if whole else f"'{unknown}' in it"
                where.setdefault(what, set()).add(readers[tokenizer].reader)
        if where:
            said = [f"{listing(sorted(by))} can't read {what}" for what, by in where.items()]
            result.append(
                Finding(
                    UNKNOWN_NAME,
                    "warning",
                    f"{character.name}: {listing(said)}",
                    "the encoder reads all unknown letters as the same one, so it may read this "
                    "name like any other unknown word",
                    f"{ADVICE}, and write it in captions and prompts",
                )
            )
    return result


def same_name_findings(
    names: Mapping[str, Mapping[str, NameTokens]], readers: Mapping[str, Tokenizer], who: Characters
) -> list[Finding]:
    """Triggers that an encoder reads as the very same tokens. `names`: by tokenizer, by letter."""
    result = []
    for one, other in combinations(sorted(who), 2):
        by = {
            readers[tokenizer].reader
            for tokenizer, own in names.items()
            if own[one].reads_like(own[other])
        }
        if by:
            result.append(
                Finding(
                    SAME_NAME,
                    "warning",
                    f"{who[one].name} and {who[other].name} are the same name to "
                    f"{listing(sorted(by))}",
                    "it can't tell the two names apart: a prompt for one may draw the other",
                    ADVICE,
                )
            )
    return result


def share_much(row: Mapping[str, Any], names: Sequence[str], most: float) -> bool:
    """Whether two names have at least this proportion of tokens in common. Single letters from A to
    Z in different places are nothing in common: some tokenizers split off the last one of a word.

    row: of `shared_tokens`.
    """
    if row["share"] < most:
        return False
    one, other = (_letter_pairs(name) for name in names)
    other_script = not "".join(row["shared"]).strip("".join(WORD_STARTS)).isascii()
    return row["share"] == 1 or other_script or not one.isdisjoint(other)


def _letter_pairs(name: str) -> set[str]:
    """Every two letters in a row, in small letters."""
    return {"".join(two) for two in pairwise(name.casefold())}


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
            if share_much(row, [who[letter].name for letter in row["letters"]], most):
                pieces = " ".join(row["shared"])
                said = f"{pieces} ({readers[tokenizer].reader})"
                by_pair.setdefault(tuple(row["letters"]), {})[said] = None
    return [
        Finding(
            "shared-tokens",
            "note",
            f"the names {who[one].name} and {who[other].name} share tokens: " + "; ".join(where),
            "to the text encoders the names are partly the same word; in the drawn world that cost "
            "nothing that could be seen",
            f"keep names that your captions already have; for new ones, {ADVICE}",
        )
        for (one, other), where in sorted(by_pair.items())
    ]


def known_name_findings(
    names: Mapping[str, Mapping[str, NameTokens]], readers: Mapping[str, Tokenizer], who: Characters
) -> list[Finding]:
    """Triggers with a real given name in them, or a single known word for a tokenizer. `names`: by
    tokenizer, by letter."""
    result = []
    for letter, character in sorted(who.items()):
        where = sorted({readers[t].reader for t, own in names.items() if own[letter].is_known_word})
        words = WORD.findall(character.name)
        real = [word for word in words if word.casefold() in GIVEN_NAMES]
        if not (real or where):
            continue
        because = f"is one known word ({', '.join(where)})"
        if real:
            because = (
                "is a real name"
                if real == [character.name]
                else f"has a real name in it: {real[0]}"
            )
        result.append(
            Finding(
                "known-name",
                "warning",
                f"{character.name} {because}",
                "the model may already draw somebody for it, and the new face mixes with that one",
                ADVICE,
            )
        )
    return result
