"""Which kinds of trigger names tokenizers can tell apart, over many families of three.

TOKENIZER is a folder that transformers reads, such as `tokenizer` of a base. Names are made by
rules or drawn from lists of given names and surnames; no model is asked what it knows of a name.

    python benchmarks/names.py TOKENIZER ... [--families 300]

Columns: pieces of a name; pairs of one family with a piece in common; pairs that the audit warns
of; names that are a single piece at least somewhere; names that are split at a text's beginning,
and before punctuation, as they are behind a word.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from kindred.common.errors import run_main
from kindred.data.audit.token_findings import GIVEN_NAMES, share_much
from kindred.models.tokenizers import BEFORE, WORD_STARTS, load_tokenizer, read_name, shared_tokens
from kindred.specs.dataset import AuditThresholds

PEOPLE = 3
OF_FAMILIES = """
    adams bakker becker brown castro chandler costa dubois fischer garcia haddad hansen hughes
    ivanov jensen johnson kaplan keller kim kowalski larsen lindgren lopez martinez meyer miller
    moreau mori murphy nguyen novak okorie oliveira patel petrov quinn reyes rossi russell
    sato schmidt silva smith suzuki tanaka taylor thompson varga wagner weber wilson wood
    yilmaz young zhang
"""
SURNAMES = OF_FAMILIES.split()
GIVEN = sorted(GIVEN_NAMES)
ONSETS, CODAS, VOWELS = "bcdfghjklmnprstvwz", "klmnrst", "aeiou"
BEHIND = (",", ".", "'s", ":", " and")  # what may stand behind a name
Family = list[str]
Rng = random.Random


def syllables(rng: Rng, count: int) -> str:
    """A made-up word: Jorvek, Celbon, Temira; the last syllable ends with a consonant."""
    word = ""
    for left in reversed(range(count)):
        begins = rng.choice(ONSETS) if word or rng.random() < 0.8 else ""  # else as in Amitas
        ends = rng.choice(CODAS) if not left or rng.random() < 1 / count else ""
        word += begins + rng.choice(VOWELS) + ends
    return word.capitalize()


def until(rng: Rng, make: Callable[[Rng], str], fits: Callable[[str, str], bool]) -> Family:
    """Words of which every two fit, the first words that do."""
    family: Family = []
    while len(family) < PEOPLE:
        word = make(rng)
        if all(fits(word, other) for other in family):
            family.append(word)
    return family


def no_two_letters(one: str, other: str) -> bool:
    """Whether two words have no two letters in a row in common."""
    pairs = [set(pairwise(word.lower())) for word in (one, other)]
    return pairs[0].isdisjoint(pairs[1])


def different(one: str, other: str) -> bool:
    """Whether two words are not the same."""
    return one != other


def with_surname(rng: Rng, first: Sequence[str], between: str, own: bool) -> Family:
    """Something of each person's and a surname, shared or everybody's own."""
    surnames = rng.sample(SURNAMES, PEOPLE) if own else [rng.choice(SURNAMES)] * PEOPLE
    return [f"{one}{between}{two.capitalize()}" for one, two in zip(first, surnames, strict=True)]


def initials(rng: Rng) -> Family:
    """Three letters, each once."""
    return rng.sample("ABCDEFGHIJKLMNOPRSTVWZ", PEOPLE)


def given(rng: Rng) -> Family:
    """Three given names."""
    return [name.capitalize() for name in rng.sample(GIVEN, PEOPLE)]


def consonants(rng: Rng) -> str:
    """Three or four, in no order: zwx, hbrq."""
    return "".join(rng.choices("bcdfghjklmnpqrstvwxz", k=rng.choice((3, 4))))


def numbered(rng: Rng, words: Sequence[str]) -> Family:
    """Words with a digit each behind them."""
    return [f"{word}{n}" for word, n in zip(words, rng.sample(range(1, 10), PEOPLE), strict=True)]


KINDS: dict[str, Callable[[Rng], Family]] = {
    "initial and a shared surname: JRussell, ARussell": lambda r: with_surname(
        r, initials(r), "", own=False
    ),
    "initial and a surname of one's own: JRussell, AOkorie": lambda r: with_surname(
        r, initials(r), "", own=True
    ),
    "given name: Jakob, Anna": given,
    "given name and a shared surname: Jakob Russell, Anna Russell": lambda r: with_surname(
        r, given(r), " ", own=False
    ),
    "given name and a digit: Jakob7, Anna2": lambda r: numbered(r, given(r)),
    "a rare word and a digit: sks1, sks2": lambda r: numbered(r, [consonants(r)] * PEOPLE),
    "three or four consonants: zwx, hbrq": lambda r: until(r, consonants, different),
    "made up, one syllable: Jor, Bek": lambda r: until(r, lambda x: syllables(x, 1), different),
    "made up, two syllables": lambda r: until(r, lambda x: syllables(x, 2), different),
    "two syllables, no two letters in common: Jorvek, Celbon": lambda r: until(
        r, lambda x: syllables(x, 2), no_two_letters
    ),
    "made up, three syllables": lambda r: until(r, lambda x: syllables(x, 3), different),
    "three syllables, no two letters in common: Amitas": lambda r: until(
        r, lambda x: syllables(x, 3), no_two_letters
    ),
}


@dataclass
class Tally:
    """Sums over the names and the pairs of one kind."""

    names: int = 0
    pieces: int = 0
    single: int = 0
    begins_alike: int = 0
    ends_alike: int = 0
    pairs: int = 0
    sharing: int = 0
    warned: int = 0

    def add(self, tokenizer: Any, family: Family, most: float) -> None:
        """One family."""
        read = {name: read_name(tokenizer, name) for name in family}
        for name, tokens in read.items():
            self.names += 1
            self.pieces += len(tokens.pieces)
            self.single += tokens.is_known_word
            self.begins_alike += bare(tokenizer, tokens.ids) == bare(tokenizer, tokens.begins)
            self.ends_alike += all(keeps(tokenizer, name, sign) for sign in BEHIND)
        shared = shared_tokens(read)
        alike = sum(one.reads_like(two) for one, two in combinations(read.values(), 2))
        self.pairs += PEOPLE * (PEOPLE - 1) // 2
        self.sharing += len(shared) + alike
        self.warned += sum(share_much(row, row["letters"], most) for row in shared) + alike

    def row(self, kind: str) -> str:
        """A row of the table."""
        of_names = [self.single, self.begins_alike, self.ends_alike]
        shares = [n / self.pairs for n in (self.sharing, self.warned)]
        shares += [n / self.names for n in of_names]
        cells = [kind, f"{self.pieces / self.names:.1f}", *(f"{share:.1%}" for share in shares)]
        return "| " + " | ".join(cells) + " |"


def bare(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Pieces without the mark of a word's start."""
    pieces = [piece.lstrip("".join(WORD_STARTS)) for piece in tokenizer.convert_ids_to_tokens(ids)]
    return [piece for piece in pieces if piece]


def keeps(tokenizer: Any, name: str, behind: str) -> bool:
    """Whether what stands behind a name leaves its tokens as they are."""
    alone, longer = (
        tokenizer(text, add_special_tokens=False).input_ids
        for text in (f"{BEFORE} {name}", f"{BEFORE} {name}{behind}")
    )
    return longer[: len(alone)] == alone


def main() -> None:
    """Print a table for each tokenizer."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("tokenizers", nargs="+", metavar="TOKENIZER")
    p.add_argument("--families", type=int, default=300, help="of each kind")
    args = p.parse_args()
    most = AuditThresholds().max_shared_tokens
    for place in args.tokenizers:
        tokenizer = load_tokenizer(place)
        print(f"\n{place}, {args.families} families of {PEOPLE} of each kind\n")
        print("| names | pieces | sharing | warned of | one piece | begins alike | ends alike |")
        print("|---|---|---|---|---|---|---|")
        for kind, make in KINDS.items():
            rng, tally = random.Random(0), Tally()
            for _ in range(args.families):
                tally.add(tokenizer, make(rng), most)
            print(tally.row(kind), flush=True)


if __name__ == "__main__":
    run_main(main)
