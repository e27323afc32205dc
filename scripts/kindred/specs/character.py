"""A person to be learned."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kindred.specs.spec_model import SpecModel


class Character(SpecModel):
    """A person to be learned. The dictionary key it stands under (`J`) is its letter in cells."""

    name: str = Field(description="trigger name, one word, e.g. JRussell")
    noun: str = Field(alias="class", description="class noun: man, woman, child, boy, girl")
    age: Literal["adult", "child"] | None = Field(None, description="said in audits and prompts")
