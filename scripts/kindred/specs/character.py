"""A person to be learned."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kindred.specs.spec_model import SpecModel


def _one_spelling(name: str) -> str:
    """Accented letters as captions, folders and prompts have them too."""
    return unicodedata.normalize("NFC", name)


Name = Annotated[str, AfterValidator(_one_spelling)]


class Character(SpecModel):
    """A person to be learned. The dictionary key it stands under (`J`) is its letter in cells."""

    name: Name = Field(description="trigger name, one word, e.g. JRussell")
    noun: str = Field(alias="class", description="class noun: man, woman, child, boy, girl")
    age: Literal["adult", "child"] | None = Field(None, description="said in audits and prompts")
