"""Prompts as a person writes them: with names or without, each with what it has of its own, and
those that trainings draw on their way."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from kindred.common.written_text import nfc
from kindred.specs.spec_model import SpecModel

PROMPTS = (
    "prompts as a list or as `name: prompt`; {J} stands for J's trigger name, {J.class} for the "
    "class noun, {J.age} for the age"
)


def _seeds(value: Any) -> Any:
    """A count n stands for the seeds 1..n."""
    plain = isinstance(value, int) and not isinstance(value, bool)
    return list(range(1, value + 1)) if plain else value


def named(value: Any) -> Any:
    """A list of prompts, or of words, gets names from its words."""
    if not isinstance(value, list):
        return value
    named: dict[str, Any] = {}
    for prompt in value:
        text = prompt.get("text") if isinstance(prompt, dict) else prompt
        stem = re.sub(r"[^A-Za-z0-9]+", "-", str(text)).strip("-")[:40].strip("-") or "prompt"
        name, number = stem, 2
        while name in named:
            name, number = f"{stem}-{number}", number + 1
        named[name] = prompt
    return named


Seeds = Annotated[
    list[int], BeforeValidator(_seeds, json_schema_input_type=int | list[int]), Field(min_length=1)
]


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("the prompt is empty; write what the picture shows, or remove it")
    return nfc(text)  # as names and captions are


class PromptConfig(SpecModel):
    """A prompt with seeds or a size of its own."""

    text: Annotated[str, AfterValidator(_says_something)] = Field(
        description="the prompt; {J} stands for J's trigger name"
    )
    seeds: Seeds | None = Field(None, description="replaces the prompt set's value")
    size: tuple[int, int] | None = Field(None, description="[width, height], px")
    negative: str | None = Field(None, description="replaces the prompt set's value")


def _prompt(value: Any) -> Any:
    """A bare text is a prompt without anything of its own."""
    return {"text": value} if isinstance(value, str) else value


OnePrompt = Annotated[
    PromptConfig, BeforeValidator(_prompt, json_schema_input_type=str | PromptConfig)
]
Prompts = Annotated[
    dict[str, OnePrompt],
    BeforeValidator(
        named, json_schema_input_type=list[str | PromptConfig] | dict[str, str | PromptConfig]
    ),
]


class SamplesConfig(SpecModel):
    """Pictures that every training draws on its way, shown in live.html. They change nothing that
    is trained, and nothing is decided by them."""

    every: int = Field(250, gt=0, description="draw every this many optimizer steps")
    prompts: Prompts = Field(min_length=1, description=PROMPTS)
    seeds: Seeds = Field([1], description="list of seeds, or how many; unset: one picture")
    size: tuple[int, int] | None = Field(
        None, description="[width, height], px; unset: as in the first prompt set"
    )
    steps: int | None = Field(
        None, ge=1, description="sampling steps; unset: as in the first prompt set"
    )
    guidance_scale: float | None = Field(
        None, description="guidance scale; unset: as in the first prompt set"
    )
    negative: str | None = Field(
        None, description="what pictures should not show; unset: as in the first prompt set"
    )
