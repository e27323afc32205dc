"""Names put into what a captioner wrote of a photo, by who stands where.

Each person's words come from a look at that person alone, so that a garment can't go to another
one, and the place from a look at the whole. What could be somebody else's is left out. Knows words
and letters from the left; knows no pixels and no model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kindred.characters.trigger_words import (
    ADULT_NOUNS,
    CHILD_NOUNS,
    SAYS,
    find_trigger_words,
    insert_trigger_words,
    says_noun,
)
from kindred.common.sentences import listing
from kindred.specs.character import Character

Characters = Mapping[str, Character]
SIDES = {1: [""], 2: ["left", "right"], 3: ["left", "middle", "right"]}
OTHERS = {"people", "couple", "family", "group", "persons", "someone", "somebody", "another"}
SAID = " ".join(SAYS.values()).split()
PEOPLE = {*ADULT_NOUNS, *CHILD_NOUNS, *SAYS, *SAID, *OTHERS}
ANYBODY = {"person", "adult", "someone", "somebody"}
# What only a man or boy, and only a woman or girl, is called or has, in a caption.
HIS = {"he", "him", "his", "himself", "beard", "bearded", "moustache", "mustache"}
HERS = {"she", "her", "hers", "herself"}
OF_OTHERS = {"woman": HIS, "girl": HIS, "man": HERS, "boy": HERS}
GARMENTS = frozenset(
    [
        "coat",
        "jacket",
        "shirt",
        "t-shirt",
        "tee",
        "blouse",
        "sweater",
        "jumper",
        "pullover",
        "hoodie",
        "dress",
        "dresses",
        "skirt",
        "suit",
        "tuxedo",
        "vest",
        "trousers",
        "pants",
        "jeans",
        "shorts",
        "hat",
        "cap",
        "beanie",
        "scarf",
        "scarves",
        "tie",
        "glasses",
        "sunglasses",
        "uniform",
        "gown",
        "robe",
        "sock",
        "shoe",
        "boot",
        "sandal",
        "glove",
        "belt",
        "bag",
        "backpack",
        "necklace",
        "top",
        "clothes",
        "clothing",
        "outfit",
        "swimsuit",
        "bikini",
        "cardigan",
        "blazer",
        "apron",
        "pyjamas",
        "pajamas",
        "overalls",
    ]
)
PLACE_WORDS = "in|on|at|by|near|outside|inside|under|before|behind|along|in front of|next to"
WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
SIDE_WORDS = {"left", "right", "middle", "centre", "center"}
LONGEST = 24  # words of one person
OPENING = re.compile(r"^\s*(?:this|the) (?:photo|image|picture) (?:shows|depicts|of)\s+", re.I)


def _garments(words: Sequence[str] | set[str]) -> bool:
    """Whether one of the words is worn, in the singular or in the plural."""
    return any(form in GARMENTS for word in words for form in (word, word.removesuffix("s")))


def words_of(text: str) -> list[str]:
    """The words in small letters."""
    return [word.casefold() for word in WORD.findall(text)]


def names_somebody(text: str) -> bool:
    """Whether a captioner's text has a name in it: a capital letter where no sentence begins."""
    inner = re.sub(r"(^|[.!?]\s+)\W*\w+", " ", text)
    return any(word[0].isupper() and word != "I" for word in WORD.findall(inner))


def person_words(text: str, noun: str) -> str:
    """What a look at one person says behind the word for who it is: 'a tall man in a blue coat' ->
    'in a blue coat'. '' where it speaks of several people, of another kind of person, of sides, or
    names somebody."""
    text = OPENING.sub("", text.strip()).rstrip(". ")
    words = words_of(text)
    if not words or names_somebody(text) or SIDE_WORDS & set(words):
        return ""
    people = [n for n, word in enumerate(words) if word in PEOPLE]
    if len(people) != 1 or people[0] > 4 or not _fits(words[people[0]], noun):
        return ""
    behind = re.split(rf"\b{re.escape(words[people[0]])}\b", text, maxsplit=1, flags=re.I)[1]
    behind = re.sub(r"\b(?:who |that )?(?:is|are) (?=\w+ing\b)", "", behind)
    rest = " ".join(behind.split()[:LONGEST]).strip(" ,.;:")
    return _short_of_place(rest)


def _fits(word: str, noun: str) -> bool:
    """Whether a word may stand for a class noun: 'person' for all, 'boy' for a child."""
    own = noun.casefold()
    return word in ("person", "adult") or says_noun(word, own) or word == own


def _short_of_place(text: str) -> str:
    """Words of one person without a place behind, which the whole photo says better: what follows
    the last garment or deed from a word of place on."""
    parts = re.split(rf"\s+(?=(?:{PLACE_WORDS})\b)", text)
    kept = [parts[0]]
    for part in parts[1:]:
        if not _garments(words_of(part)):
            break
        kept.append(part)
    first = words_of(kept[0])
    begins = re.match(rf"(?:{PLACE_WORDS})\b", kept[0], re.I)
    return "" if begins and not _garments(first) else " ".join(kept).strip(" ,")


def place_words(text: str) -> str:
    """Where a photo was taken, by a text about all of it: its last phrase that begins with a word
    of place and speaks of nobody and of no garment; '' where there is none."""
    last = re.split(r"(?<=[.!?])\s+", text.strip())[0].rstrip(". ")
    if names_somebody(last):
        return ""
    for match in reversed(list(re.finditer(rf"\b(?:{PLACE_WORDS})\s+", last, re.I))):
        phrase = last[match.start() :].strip(" ,")
        if _of_somebody(phrase):
            return ""
        earlier = re.search(rf"\b(?:{PLACE_WORDS})\s+(?:\S+\s+){{1,4}}$", last[: match.start()])
        outer = last[earlier.start() :].strip(" ,") if earlier else ""
        return outer if outer and not _of_somebody(outer) else phrase
    return ""


def _of_somebody(phrase: str) -> bool:
    """Whether a phrase speaks of people, of what they wear, or of sides."""
    words = set(words_of(phrase))
    return bool(words & (PEOPLE | SIDE_WORDS)) or _garments(words)


def named_caption(
    row: Sequence[str], parts: Sequence[str], whole: str, characters: Characters
) -> str:
    """A caption that names everybody known and nobody else, each with their own words.

    row: letters of the people from the left, '' for somebody else. parts: what a look at each says,
    '' where there was none. whole: what a look at the photo says.
    """
    people = [
        _person(letter, part, characters, _side(n, len(row)))
        for n, (letter, part) in enumerate(zip(row, parts, strict=True))
    ]
    place = place_words(whole)
    if len(row) > len(SIDES):
        text = "from left to right: " + ", ".join(people)
    else:
        text = ", ".join([*people[:-1], f"and {people[-1]}"]) if len(people) > 1 else people[0]
    return f"{text}, {place}" if place else text


def _side(number: int, count: int) -> str:
    return SIDES[count][number] if count in SIDES else ""


def _person(letter: str, part: str, characters: Characters, side: str) -> str:
    """'JRussell on the left, a man in a blue coat'."""
    at = {"": "", "middle": " in the middle"}.get(side, f" on the {side}")
    if not letter:
        return f"another person{at}"
    who = characters[letter]
    own = person_words(part, who.noun)
    article = "an" if who.noun[:1].casefold() in "aeiou" else "a"
    return f"{who.name}{at}, {article} {who.noun}{' ' * bool(own)}{own}"


def caption_of_one(text: str, letter: str, characters: Characters) -> tuple[str, str]:
    """A caption of one person alone, and the captioner's word where it calls them by another class
    noun, else ''. That word is never kept: the person's own noun stands in its place, or the text
    is dropped but for the place."""
    who = characters[letter]
    wrong = _wrong_noun(text, who.noun)
    if not wrong:
        return insert_trigger_words(text, [letter], characters), ""
    adjective = r"(?!(?:and|with|of|in)\b)\w+ "
    one = rf"(?:\b(?:a|an|the|one) |^)(?:{adjective}){{0,2}}{re.escape(wrong)}\b"
    several = wrong.endswith("s") or wrong in ("men", "women", "children")
    alone = not several and sum(word in PEOPLE for word in words_of(text)) == 1
    # Adjectives go too: 'bearded', 'little' were said of the other class.
    corrected, count = re.subn(one, f"the {who.noun} {who.name}", text.strip(), flags=re.I)
    if alone and count == 1 and not _of_other_sex(corrected, who.noun):
        return corrected, wrong
    place = "" if _of_other_sex(place_words(text), who.noun) else text
    return named_caption([letter], [""], place, characters), wrong


def _wrong_noun(text: str, noun: str) -> str:
    """The first word for a person of another class in a text that nowhere says this one; '' where
    there is none, where it begins with 'person' or 'someone', and where the noun is no person's."""
    kind = noun.casefold().split()[-1]
    words = [word for word in words_of(text) if word in PEOPLE]
    if kind not in PEOPLE or any(_fits(word, kind) for word in words if word not in ANYBODY):
        return ""
    if words and words[0] in ANYBODY:
        return ""
    return next((word for word in words if word not in OTHERS | ANYBODY), "")


def _of_other_sex(text: str, noun: str) -> bool:
    """Whether a text has 'his' or a beard for a woman, or 'her' for a man."""
    return not OF_OTHERS.get(noun.casefold().split()[-1], set()).isdisjoint(words_of(text))


def wrong_names(caption: str, row: Sequence[str], characters: Characters) -> list[str]:
    """What is wrong between a caption and the faces found: who is named and isn't there, who is
    there and isn't named, and who is named twice; letters, in words."""
    said = [mention.letter for mention in find_trigger_words(caption, characters)]
    there = {letter for letter in row if letter}
    lines = []
    for letters, what in (
        (sorted(set(said) - there), "names who is not there: {}"),
        (sorted(there - set(said)), "leaves out {}"),
    ):
        if letters:
            lines.append(what.format(listing([characters[x].name for x in letters])))
    return lines
