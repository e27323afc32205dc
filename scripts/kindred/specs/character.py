"""A person to be learned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kindred.common.written_text import nfc
from kindred.specs.spec_model import SpecModel

NOBODY = "nobody"  # what a person says of somebody who is not to be learned
Name = Annotated[str, AfterValidator(nfc)]  # as in captions, folders and prompts


class Character(SpecModel):
    """A person to be learned. The dictionary key it stands under (`J`) is its letter in cells."""

    name: Name = Field(
        description="trigger name: a made-up word of two or three syllables, e.g. Jorvek"
    )
    noun: str = Field(alias="class", description="class noun: man, woman, child, boy, girl")
    age: Literal["adult", "child"] | None = Field(
        None, description="adult or child; used in audits and prompts"
    )

    @property
    def plain_noun(self) -> str:
        """The class noun in small letters, without spaces around it: what strangers are drawn and
        counted by, so that 'Man' and 'man' are one."""
        return self.noun.strip().casefold()
