"""What an experiment asks of its variants: prompt sets and hypotheses, resolved and checked.

Knows placeholders and names; knows nothing of how pictures are made or judged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from kindred.characters.near_names import near_names
from kindred.common.errors import Problems
from kindred.common.sentences import listing
from kindred.config.plan import Variant
from kindred.config.prompt_schema import PromptConfig
from kindred.config.user_schema import (
    NAME,
    NAME_RULE,
    ExperimentConfig,
    PromptSetConfig,
)
from kindred.config.yaml_document import Document
from kindred.data.prompt_syntax import foreign_syntax
from kindred.specs.casts import UNTRAINED, AskedCast, CastPrompt, cast_prompts, noise_seeds
from kindred.specs.character import Character
from kindred.specs.rendering import PromptSet
from kindred.specs.spec_model import finding

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def resolve_prompt_sets(
    document: Document, config: ExperimentConfig, problems: Problems
) -> tuple[dict[str, PromptSet], dict[str, dict[str, AskedCast]]]:
    """The prompt sets, and whom those made of casts ask for; every problem is noted."""
    prompts, casts = {}, {}
    for key, written in config.prompt_sets.items():
        at = ("prompt_sets", key)
        made = casts_of(document, at, written, config.characters, problems)
        found = resolve_prompt_set(document, at, written, config.characters, made, problems)
        prompts |= {key: found} if found else {}
        casts |= {key: {name: one.cast for name, one in made.items()}} if made else {}
    return prompts, casts


def resolve_prompt_set(
    document: Document,
    at: tuple[str, ...],
    written: PromptSetConfig,
    characters: dict[str, Character],
    made: Mapping[str, CastPrompt],
    problems: Problems,
) -> PromptSet | None:
    """A prompt set, `written` at a place of the document, with its placeholders filled, or of the
    prompts `made` of its casts; None after noting what is wrong."""
    if not NAME.match(at[-1]):
        problems.add(document.where(*at), f"'{at[-1]}' can't be the name of a folder", NAME_RULE)
    prompts: dict[str, Any] = {}
    if written.casts:
        pictures, seeds = written.casts.pictures, []
        size: tuple[int, int] | None = written.casts.shapes[0]
        for name, one in made.items():
            own = {"seeds": noise_seeds(one.text, one.size, pictures), **_size(one.size)}
            prompts[name] = {"text": one.text, **own}
    else:
        seeds, size = written.seeds or [], written.size
        for name, prompt in written.prompts.items():
            where = document.where(*at, "prompts", name)
            if not NAME.match(name):
                problems.add(where, f"'{name}' can't be the name of a file", NAME_RULE)
            prompts[name] = _prompt(prompt, written, characters, where, document, problems)
    optional = {name: getattr(written, name) for name in ("steps", "guidance_scale", "precision")}
    if written.negative:
        where = document.where(*at, "negative")
        optional["negative"] = _text(written.negative, characters, where, document, problems)
    try:
        return PromptSet(
            prompts=prompts,
            seeds=seeds,
            **_size(size),
            **{name: value for name, value in optional.items() if value is not None},
        )
    except ValidationError as error:
        for item in error.errors():
            part = "size" if {"width", "height"} & set(item["loc"]) else str(item["loc"][-1])
            problems.add(document.where(*at, part), *finding(item))
        return None


def casts_of(
    document: Document,
    at: tuple[str, ...],
    written: PromptSetConfig,
    characters: dict[str, Character],
    problems: Problems,
    first: int = 0,
) -> dict[str, CastPrompt]:
    """Name -> prompt of a prompt set that is made of casts, in wordings from the `first` on; none
    of any other, or after noting letters that are nobody's."""
    wanted = written.casts
    if wanted is None:
        return {}
    unknown = [letter for letter in wanted.of if letter not in characters]
    for letter in unknown:
        cure = document.did_you_mean(letter, characters, "characters")
        where = document.where_of(letter, *at, "casts", "of")
        problems.add(where, f"no character '{letter}'", cure)
    taken = {who.name for who in characters.values()} & set(wanted.untrained)
    for name in sorted(taken):
        where = document.where_of(name, *at, "casts", "untrained")
        cure = "list only other names in `untrained`"
        problems.add(where, f"'{name}' is one of the characters", cure)
    if unknown or taken:
        return {}
    names = {letter: characters[letter].name for letter in wanted.of}
    given = wanted.shapes, wanted.wordings, wanted.strangers, wanted.untrained
    return cast_prompts(names, *given, first=first)


def _size(size: tuple[int, int] | None) -> dict[str, int]:
    return {"width": size[0], "height": size[1]} if size else {}


def _prompt(
    prompt: PromptConfig,
    whole: PromptSetConfig,
    characters: dict[str, Character],
    where: str,
    document: Document,
    problems: Problems,
) -> Any:
    """The text alone, or with what the prompt has of its own."""
    text = _text(prompt.text, characters, where, document, problems)
    seeds, size = prompt.seeds, prompt.size or whole.size
    if not seeds and whole.pictures and size:
        seeds = noise_seeds(text, size, whole.pictures)
    own = _size(prompt.size) | ({"seeds": seeds} if seeds else {})
    if prompt.negative is not None:
        own["negative"] = _text(prompt.negative, characters, where, document, problems)
    return {"text": text, **own} if own else text


def _text(
    text: str,
    characters: dict[str, Character],
    where: str,
    document: Document,
    problems: Problems,
) -> str:
    """What the encoders read; what is wrong with it is noted."""
    filled = fill(text, characters, where, document, problems)
    _check_syntax(text, characters, where, problems)
    for word, name in near_names(filled, characters, UNTRAINED):
        problems.warn(where, f"'{word}' is nobody's trigger name", f"did you mean '{name}'?")
    return filled


def _check_syntax(
    text: str, characters: dict[str, Character], where: str, problems: Problems
) -> None:
    """Note what other tools read as more than words: drawn as words, it asks for something else.
    What plain English may look like is a warning."""
    names = [character.name for character in characters.values()]
    for found in foreign_syntax(text, names, in_prompt=True):
        written = listing(f"'{one}'" for one in found.written)
        what = f"{written} would be drawn as plain words: {found.kind.what}"
        if found.kind.certain:
            problems.add(where, what, f"remove it; {found.kind.cure}")
        else:
            problems.warn(where, what, found.kind.cure)


def fill(
    text: str,
    characters: dict[str, Character],
    where: str,
    document: Document,
    problems: Problems,
) -> str:
    """The prompt with {J}, {J.class} and {J.age} replaced; unknown ones are noted."""

    def value(match: re.Match[str]) -> str:
        letter, _, part = match.group(1).partition(".")
        character = characters.get(letter)
        words = {
            "": getattr(character, "name", None),
            "class": getattr(character, "noun", None),
            "age": getattr(character, "age", None),
        }
        word = words.get(part)
        if word is None and "|" not in match[1]:  # a choice, which is noted as other tools' own
            ends = ("", ".class", ".age") if character else ("",)
            known = {f"{key}{end}" for key in characters for end in ends}
            what = f"'{match.group(0)}' has no meaning here"
            if character is not None and part == "age":
                what += f": characters.{letter} has no age"
            cure = document.did_you_mean(match[1], known - {match[1]}, "characters")
            problems.add(where, what, cure)
        return word or ""

    return PLACEHOLDER.sub(value, text)


def check_hypotheses(
    document: Document,
    config: ExperimentConfig,
    variants: Mapping[str, Variant | None],
    problems: Problems,
) -> None:
    """Note hypotheses without a judge, about variants or prompt sets that do not exist, or about
    two names of the same adapters. A variant that could not be resolved is None."""
    if config.hypotheses and config.judge is None:
        where = document.where("hypotheses")
        problems.add(
            where,
            "need a judge, and none is set",
            "set `judge:` to the name of a file in config/judges",
        )
    for key, hypothesis in config.hypotheses.items():
        at = ("hypotheses", key)
        for side in ("variant", "against"):
            name = getattr(hypothesis, side)
            if name not in variants:
                where = document.where(*at, side)
                cure = document.did_you_mean(name, variants, "variants")
                problems.add(where, f"no variant '{name}'", cure)
        one, other = variants.get(hypothesis.variant), variants.get(hypothesis.against)
        if one and other and one is not other and one.shares_runs(other):
            problems.add(
                document.where(*at, "against"),
                f"compares adapters with themselves: '{one.name}' and '{other.name}' have the "
                "same training and the same runs",
                f"set `first_run` (e.g. 101) under variants.{other.name}",
            )
        if hypothesis.variant == hypothesis.against:
            problems.add(
                document.where(*at, "against"),
                "compares a variant with itself",
                "write the variant again under another name, with another `first_run`",
            )
        if hypothesis.paired and one and other and not one.shares_adapters(other):
            problems.add(
                document.where(*at, "paired"),
                f"'{one.name}' and '{other.name}' draw with different adapters, so run 1 of one "
                "has nothing to do with run 1 of the other",
                "remove `paired`; it is for variants that load the same adapters, such as "
                "`adapters: {<variant>: 1}` with another `base`",
            )
        if hypothesis.prompt_set not in config.prompt_sets:
            where = document.where(*at, "prompt_set")
            text = f"no prompt set '{hypothesis.prompt_set}'"
            name = hypothesis.prompt_set
            cure = document.did_you_mean(name, config.prompt_sets, "prompt_sets")
            problems.add(where, text, cure)
