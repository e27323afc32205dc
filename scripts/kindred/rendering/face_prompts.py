"""The words by which a face is drawn again: its person alone, called as the picture's prompt calls
them, so that nothing is told of a face that the picture was not told of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kindred.characters.trigger_words import letters_in
from kindred.data.composites.captions import calling
from kindred.specs.character import Character


def face_prompt(prompt: str, letter: str, characters: Mapping[str, Character]) -> str:
    """'a Christmas card with adult man JRussell and ARussell' -> 'a photo of adult man JRussell'
    for J."""
    return f"a photo of {calling(prompt, letter, characters)}"


def face_prompts(prompts: Iterable[str], characters: Mapping[str, Character]) -> list[str]:
    """All that the faces of these prompts' pictures may be drawn by, each once."""
    found = (
        face_prompt(text, letter, characters)
        for text in prompts
        for letter in letters_in(text, characters)
    )
    return list(dict.fromkeys(found))
