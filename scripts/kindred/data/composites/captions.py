"""What a dataset's captions say of people and places, to word captions of pictures made of them.

Knows a little English: how somebody is called, what they wear, where a photo was taken. What it
does not understand it leaves out; it never guesses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kindred.characters.trigger_words import ADULT_NOUNS, CHILD_NOUNS, SAYS
from kindred.specs.character import Character

Characters = Mapping[str, Character]
AGES = "adult grown-up small little young old elderly the"
CLOTHES = (
    "shirt t-shirt tee sweater jumper pullover jacket coat dress skirt blouse hoodie overalls suit "
    "cardigan vest top uniform costume jeans trousers pants shorts robe gown pyjamas swimsuit"
)
HATS = "hat cap beanie helmet crown hood scarf"
COLOURS = "red orange yellow green blue purple pink white black grey gray brown beige golden silver"
OTHERS = (
    "left right middle centre center card camera face smile hair beard glasses mood arms arm "
    "hand hands lap head front back side other"
)
# What follows 'in', 'on' or 'at' and is no place.
NO_PLACE = {word for line in (CLOTHES, HATS, COLOURS, OTHERS) for word in line.split()}
NEAR = r"in front of|on top of|at|by|in|on|under|near|beside"
PLACE = rf"(?:{NEAR}) (?:(?:the|a|an|my|our|their) )?(?:[\w-]+ ){{0,3}}[\w-]+"
CARD = r"(an? (?:[\w-]+ ){0,2}(?:post)?card)"
SIDES = {2: ("left", "right"), 3: ("left", "middle", "right")}


def calling(caption: str, letter: str, characters: Characters) -> str:
    """How a caption calls a character: 'adult man JRussell', or the name alone."""
    name = characters[letter].name
    words = [*SAYS, *(word for line in (AGES, *SAYS.values()) for word in line.split())]
    words += [who.noun for who in characters.values()]
    before = "|".join(sorted(map(re.escape, set(words)), key=len, reverse=True))
    match = re.search(rf"(?<!\w)((?:(?:{before}) )*){re.escape(name)}(?!\w)", caption)
    return f"{match[1]}{name}" if match else name


def wearing(caption: str, letter: str, characters: Characters) -> str:
    """What a caption says right after a name that the character wears; '' when nothing."""
    said = map(_worn, caption.split(characters[letter].name)[1:])
    return next(filter(None, said), "")


def _worn(text: str) -> str:
    """The garments at a text's beginning, after 'in' or 'wearing'; '' when there are none."""
    clothes = rf"(?:an? )?(?:[\w-]+ ){{0,3}}?(?:{CLOTHES.replace(' ', '|')})\b"
    hat = rf"(?:an? )?(?:[\w-]+ ){{0,2}}?(?:{HATS.replace(' ', '|')})\b"
    either = rf"(?:{clothes}|{hat})"
    match = re.match(rf" ((?:in|wearing|dressed in) {either}(?: and {either})?)", text)
    return match[1] if match else ""


def stranger(caption: str) -> tuple[str, str] | None:
    """(class noun, what they wear) of the one person without a name in a caption: 'a portrait of
    an old man in a red coat' -> ('man', 'in a red coat'); None where there are none or several."""
    nouns = "|".join((*ADULT_NOUNS, *CHILD_NOUNS))
    found = list(re.finditer(rf"\b(?:an?|the|one) (?:[\w-]+ ){{0,3}}?({nouns})\b", caption, re.I))
    if len(found) != 1 or len(re.findall(rf"\b(?:{nouns})\b", caption, re.I)) != 1:
        return None
    return found[0][1].lower(), _worn(caption[found[0].end() :])


def place(caption: str) -> str:
    """Where a caption says it is, at its end or before its first comma; '' when it does not. A card
    is a place too: 'a Christmas card with JRussell' says 'on a Christmas card'."""
    card = re.match(rf"{CARD} with |on {CARD}, ", caption, re.IGNORECASE)
    if card:
        words = card[1] or card[2]
        return f"on {words[0].lower()}{words[1:]}"
    starts = [m.start() for m in re.finditer(rf"\b(?:{NEAR})\b", caption)]
    found = [m[0] for start in starts if (m := re.compile(rf"{PLACE}$").match(caption, start))]
    first = re.match(rf"({PLACE}),", caption, re.IGNORECASE)
    found += [first[1][0].lower() + first[1][1:]] if first else []
    good = [text for text in found if not _inner(text)]
    return min(good, key=len) if good else ""


def _inner(text: str) -> bool:
    """Whether what follows 'in' or 'on' is no place. The 'front' of 'in front of' is part of it."""
    rest = re.sub(rf"^(?:{NEAR}) ", "", text, flags=re.IGNORECASE)
    return bool({word.casefold() for word in re.findall(r"[\w-]+", rest)} & NO_PLACE)


def frame(captions: Sequence[str]) -> str:
    """'a photo of ' where most captions begin so, as they do; else ''."""
    begins = [re.match(r"(?:a )?(?:photo|picture|photograph) of ", text) for text in captions]
    said = [match[0] for match in begins if match]
    return max(set(said), key=said.count) if len(said) * 2 > len(captions) else ""


def side_by_side_caption(people: Sequence[str], where: str, opening: str) -> str:
    """Caption of one person, or of people in any order, without who stands where."""
    tail = f" {where}" if where else ""
    *others, last = people
    said = f"{', '.join(others)} and {last}" if others else last
    return f"{opening}{said}{tail}"


def group_caption(people: Sequence[str], where: str, opening: str, listed: bool) -> str:
    """Caption of people from left to right, who stands where; `listed`: 'from left to right: ...',
    which is also how more than three are said."""
    sides = SIDES.get(len(people))
    if listed or sides is None:
        return side_by_side_caption(people, where, f"{opening}from left to right: ")
    said = [f"{one} {_at(side)}" for one, side in zip(people, sides, strict=True)]
    return side_by_side_caption(said, where, opening)


def _at(side: str) -> str:
    return f"in the {side}" if side == "middle" else f"on the {side}"
