"""Who is in a photo, by the names in its caption, its file name, its folder or a `who` entry.

Knows trigger names, class nouns and how people write them; knows nothing of images.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from kindred.characters.cells import parse_cell
from kindred.common.errors import KindredError
from kindred.common.sentences import listing
from kindred.common.written_text import nfc
from kindred.specs.character import Character

Characters = Mapping[str, Character]
# A caption may call a child a boy or a man a father: each word also says the class noun before it.
SAYS = {
    "man": "men guy guys gentleman father dad husband grandfather grandpa",
    "woman": "women lady ladies mother mom mum wife grandmother grandma",
    "child": "children kid kids toddler toddlers baby babies boy boys girl girls son daughter",
    "boy": "boys son brother",
    "girl": "girls daughter sister",
}
# What captions call one person without a name.
ADULT_NOUNS = ("man", "woman", "person", "lady", "gentleman", "father", "mother", "adult")
CHILD_NOUNS = ("child", "boy", "girl", "kid", "toddler", "baby")
ORDINARY = r"x|Xx|X+|9"  # shapes of everyday words, capitalised ones, acronyms and numbers
# Words after which a name stands as a phrase of its own.
LINKS = "and or of with by for to in on at near between beside behind from like beneath over"
ALIKE = 0.8  # share of equal letters above which a word may be a misspelt name


@dataclass(frozen=True)
class TriggerWordMention:
    """A character found in a text: its letter, and the name as it was written there."""

    letter: str
    written: str
    exact: bool


def find_trigger_words(text: str, characters: Characters) -> list[TriggerWordMention]:
    """Every trigger name in a text, whole words only, also before 's, in the order written.

    Where one name holds another, the longest wins. Other case counts, with `exact` False.
    """
    if not characters:
        return []
    result = []
    for match in _pattern(characters).finditer(text):
        letter = _owner(match, characters)
        exact = match.group() == characters[letter].name
        result.append(TriggerWordMention(letter, match.group(), exact))
    return result


def _longest_first(characters: Characters) -> list[str]:
    return sorted(characters, key=lambda letter: len(characters[letter].name), reverse=True)


def _pattern(characters: Characters) -> re.Pattern[str]:
    """A group a character, the longest name first."""
    names = "|".join(f"({re.escape(characters[x].name)})" for x in _longest_first(characters))
    return re.compile(rf"(?<!\w)(?<!\w-)(?:{names})(?!\w|-\w)", re.IGNORECASE)


def _owner(match: re.Match[str], characters: Characters) -> str:
    """The letter whose name the pattern found: no other rule of case is asked."""
    return _longest_first(characters)[(match.lastindex or 1) - 1]


def _named(word: str, characters: Characters) -> str | None:
    """The letter of the character that a word names, by the same rule of case; None for none."""
    match = _pattern(characters).fullmatch(nfc(word))
    return _owner(match, characters) if match else None


def letters_in(text: str, characters: Characters) -> list[str]:
    """Letters of the characters that a caption names, sorted."""
    return sorted({mention.letter for mention in find_trigger_words(text, characters)})


def unknown_names(
    text: str, characters: Characters, not_names: Iterable[str] = ()
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Words that look like a trigger name and are none: (certain, doubtful), each (word, nearest).

    Certain: built like a trigger, e.g. two capitals and small letters for `JRussell`.
    Doubtful: another capitalised word spelt nearly like one, e.g. `Russell`.
    """
    shapes = {_shape(who.name) for who in characters.values()}
    shapes = {shape for shape in shapes if not re.fullmatch(ORDINARY, shape)}
    known = {mention.written for mention in find_trigger_words(text, characters)} | set(not_names)
    certain, doubtful = [], []
    for word in dict.fromkeys(_words(text)):
        name, likeness = _nearest_name(word, characters)
        if word in known:
            continue
        if len(word) >= 4 and _shape(word) in shapes:
            certain.append((word, name if likeness >= ALIKE else ""))
        elif len(word) >= 4 and word[0].isupper() and likeness >= ALIKE:
            doubtful.append((word, name))
    return certain, doubtful


def who_entry(text: str, characters: Characters) -> tuple[list[str], list[str]]:
    """A `who` entry such as 'J, A', 'J+A', 'JRussell and ARussell' as (letters, unknown parts)."""
    if text.strip().casefold() in {"", "-", "none", "nobody"}:
        return [], []
    letters, unknown = set(), []
    for part in re.split(r"[,;+&/\s]+", re.sub(r"\band\b", ",", text.strip())):
        if part in characters:
            letters.add(part)
        elif characters and (named := _named(part, characters)):
            letters.add(named)
        elif part:
            cell = _cell_letters(part, characters)
            letters.update(cell)
            unknown += [] if cell else [part]
    return sorted(letters), unknown


def folder_hint(folder: str, characters: Characters) -> list[str]:
    """Letters that a folder's name says: trigger names in it, or a cell such as 'J+A'."""
    return _names_in_path(folder, characters) or _cell_letters(folder, characters)


def file_hint(stem: str, characters: Characters) -> list[str]:
    """Letters that a file's name says: trigger names in it, or '<cell>-<number>' as in 'AC-03'."""
    named = _names_in_path(stem, characters)
    numbered = re.fullmatch(r"(.+?)[-_ ]\d+", stem)
    return named or (_cell_letters(numbered.group(1), characters) if numbered else [])


def class_nouns(text: str, characters: Characters) -> list[str]:
    """Class nouns, of the characters or common ones, that a text says as words, sorted."""
    known = set(SAYS) | {who.noun.casefold() for who in characters.values()}
    return sorted(noun for noun in known if says_noun(text, noun))


def says_noun(text: str, noun: str) -> bool:
    """Does a text say a class noun, its plural, or a word that means a kind of it?"""
    words = {word.casefold() for word in _words(text)}
    return not words.isdisjoint({noun.casefold(), *SAYS.get(noun.casefold(), "").split()})


def insert_trigger_words(text: str, letters: Iterable[str], characters: Characters) -> str:
    """A captioner's text with trigger names: 'a man in a coat' -> 'the man JRussell in a coat'.

    A name goes to the words that say its class when each class is said exactly once; otherwise
    nothing tells who is who, and the names with their class nouns stand in front.
    """
    letters = sorted(set(letters))
    places = [_phrase(text, characters[letter].noun) for letter in letters]
    one_each = all(len(found) == 1 for found in places)
    starts = {found[0].start() for found in places if found}
    if letters and one_each and len(starts) == len(letters):
        for match, letter in sorted(
            ((found[0], letter) for found, letter in zip(places, letters, strict=True)),
            key=lambda pair: -pair[0].start(),
        ):
            phrase = f"the {match['rest']} {characters[letter].name}"
            text = text[: match.start()] + phrase + text[match.end() :]
        return text
    named = [f"the {characters[letter].noun} {characters[letter].name}" for letter in letters]
    return ": ".join(part for part in (listing(named), text) if part)


def remove_trigger_words(text: str, characters: Characters) -> str:
    """A prompt for somebody who has never heard the names: 'JRussell and the woman ARussell' -> 'a
    man and the woman'. An article goes before a noun only where a name could begin a phrase."""
    if not characters:
        return text
    out, done = "", 0
    for match in _pattern(characters).finditer(text):
        out += text[done : match.start()]
        before = re.search(r"(\w*)\s*$", out)
        word, noun = before.group(1) if before else "", characters[_owner(match, characters)].noun
        if word and says_noun(word, noun):
            out = out.rstrip()
        else:
            begins = not word or word.casefold() in LINKS.split()
            out += f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}" if begins else noun
        done = match.end()
    return out + text[done:]


def _phrase(text: str, noun: str) -> list[re.Match[str]]:
    """Places where a text says 'a <up to two words> man' in the singular."""
    kinds = [noun, *(word for word in SAYS.get(noun.casefold(), "").split())]
    singular = "|".join(re.escape(kind) for kind in kinds)
    adjective = r"(?!(?:and|with|of|in)\b)\w+ "
    pattern = rf"\b(?:a|an|the|one) (?P<rest>(?:{adjective}){{0,2}}(?:{singular}))\b"
    return list(re.finditer(pattern, text, re.IGNORECASE))


def _names_in_path(text: str, characters: Characters) -> list[str]:
    if not characters:
        return []
    tokens = re.split(r"[\W_]+", nfc(text))
    return sorted({letter for token in tokens if (letter := _named(token, characters))})


def _cell_letters(text: str, characters: Characters) -> list[str]:
    try:
        return parse_cell(text, characters).split("+")
    except KindredError:
        return []


def _words(text: str) -> list[str]:
    """Words without possessive endings; hyphens join."""
    found = re.findall(r"\w+(?:[-'’]\w+)*", text)
    return [re.sub(r"(?:['’]s|['’])$", "", word) for word in found]


def _shape(word: str) -> str:
    """'JRussell' -> 'XXx', 'McBride' -> 'XxXx', 'sks7' -> 'x9'."""
    shape = re.sub(r"[^\W\d_]", lambda m: "X" if m.group().isupper() else "x", word)
    return re.sub(r"\d+", "9", re.sub(r"x+", "x", shape))


def _nearest_name(word: str, characters: Characters) -> tuple[str, float]:
    def likeness(name: str) -> float:
        return SequenceMatcher(None, word.casefold(), name.casefold()).ratio()

    best = max((who.name for who in characters.values()), key=likeness, default="")
    return best, likeness(best) if best else 0.0
