"""Which photos a variant trains on: characters, cells, how many, matched by what.

A pure function of the dataset and the selection. Within a cell, photos are ranked once by the
selection's seed and taken from the front, so that a smaller selection is part of a larger one.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from kindred.characters.cells import parse_cell
from kindred.common.errors import KindredError, Problems
from kindred.common.sentences import counted, plural
from kindred.data.dataset import DatasetImage
from kindred.data.held_out_photos import held_out_photos, note_lacking
from kindred.specs.training import Selection

State = tuple[int, ...]  # photos of each character so far


def select(
    items: Sequence[DatasetImage], wanted: Selection, known: Iterable[str]
) -> list[DatasetImage]:
    """The items (all resolutions) of the photos that `wanted` asks for, in the order given, without
    those that it holds out.

    `known`: letters of the experiment's characters. A photo that names nobody is used only when
    neither characters nor cells are asked for. Raises ProblemsError for every cell asked for that
    has no photos, or fewer than asked; and where no choice of photos gives the total. With
    `balance: repeat` a photo's items may stand several times.
    """
    ranked, _ = _by_cell(items, wanted, sorted(known))
    counts = {cell: len(photos) for cell, photos in ranked.items()}
    counts = _limited(counts, wanted, sorted(known))
    if wanted.total is not None:
        if wanted.match == "appearances":
            counts = match_appearances(counts, wanted.total)
        else:
            counts = match_images(counts, wanted.total)
    if wanted.balance == "drop":
        counts = most_balanced(counts)
    more = repeats(counts) if wanted.balance == "repeat" else {}
    times: Counter[str] = Counter()
    for cell, count in counts.items():
        taken = ranked[cell][:count]
        times.update(taken)
        times.update(taken[n % count] for n in range(more.get(cell, 0)))
    chosen = [item for item in items for _ in range(times[item.photo])]
    if not chosen:
        raise KindredError(
            "no photo is left to train on",
            "selection",
            "select more photos: remove or widen `characters`, `cells`, `kinds` or `per_cell`",
        )
    return chosen


def held_out(
    items: Sequence[DatasetImage], wanted: Selection, known: Iterable[str]
) -> list[DatasetImage]:
    """The items of the photos that `wanted` keeps away from training, each photo in its largest
    size, in the order given. Raises ProblemsError as `select` does."""
    _, photos = _by_cell(items, wanted, sorted(known))
    largest: dict[str, DatasetImage] = {}
    for item in sorted(items, key=lambda item: item.width * item.height):
        largest[item.photo] = item
    return [item for item in items if item.photo in photos and item is largest[item.photo]]


def _by_cell(
    items: Sequence[DatasetImage], wanted: Selection, known: Sequence[str]
) -> tuple[dict[str, list[str]], set[str]]:
    """Ranked photos of every cell that may be used, and those that are held out of them."""
    if wanted.kinds is not None:
        items = [item for item in items if (item.made or "photo") in wanted.kinds]
    photos: dict[str, list[str]] = defaultdict(list)
    for photo, cell in sorted({(item.photo, item.cell) for item in items}):
        photos[cell].append(photo)
    problems = Problems("the dataset can't provide this selection")
    if wanted.characters is not None:
        for letter in sorted(set(wanted.characters) - set(known)):
            problems.add("selection: characters", f"no character '{letter}'", _known(known))
        photos = {c: p for c, p in photos.items() if c and _who(c) <= set(wanted.characters)}
    if wanted.cells is not None:
        asked = _parsed(wanted.cells, known, "selection: cells", problems)
        for cell in sorted(asked - photos.keys()):
            problems.add(
                "selection: cells",
                f"there is no photo in cell {cell}",
                f"choose among the cells with photos: {_listing(photos)}",
            )
        photos = {cell: found for cell, found in photos.items() if cell in asked}
    used = {(item.photo, item.cell, item.made) for item in items if item.cell in photos}
    note_lacking(used, wanted, problems)
    problems.raise_if_any()
    held = held_out_photos(used, wanted)
    photos = {cell: [p for p in found if p not in held] for cell, found in photos.items()}
    for cell, found in photos.items():
        random.Random(f"{wanted.seed} {cell}").shuffle(found)
    return dict(sorted(photos.items())), held


def _limited(counts: dict[str, int], wanted: Selection, known: Sequence[str]) -> dict[str, int]:
    """Counts after `per_cell`."""
    if wanted.per_cell is None:
        return counts
    problems = Problems("the dataset can't provide this selection")
    if isinstance(wanted.per_cell, int):
        limits = dict.fromkeys(counts, wanted.per_cell)
    else:
        limits = {}
        for text, count in wanted.per_cell.items():
            for cell in _parsed([text], known, "selection: per_cell", problems):
                limits[cell] = count
    for cell, count in limits.items():
        have = counts.get(cell, 0)
        if count > have or count < 0:
            problems.add(
                f"selection: per_cell: {cell}",
                f"asks for {counted(count, 'photo')}, but there {plural(have, 'is', 'are')} {have}",
                "add photos, or ask for fewer",
            )
    problems.raise_if_any()
    return {cell: limits.get(cell, count) for cell, count in counts.items()}


def match_images(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """Counts that sum to `total`, in proportion to what each cell has (largest remainders).

    Raises KindredError when there are fewer photos.
    """
    have = sum(counts.values())
    if total > have:
        raise KindredError(
            f"asks for {counted(total, 'photo')}, but there {plural(have, 'is', 'are')} {have}",
            "selection: total",
            "ask for fewer",
        )
    shares = {cell: total * count / have for cell, count in counts.items()}
    result = {cell: int(share) for cell, share in shares.items()}
    by_remainder = sorted(shares, key=lambda cell: (result[cell] - shares[cell], cell))
    for cell in by_remainder[: total - sum(result.values())]:
        result[cell] += 1
    return result


def match_appearances(counts: Mapping[str, int], total: int) -> dict[str, int]:
    """Counts with which every character occurs in exactly `total` photos, as near as possible to
    the proportions of the cells (least squares, exact by dynamic programming over cells).

    Raises KindredError when no choice of photos does.
    """
    cells = sorted((cell for cell in counts if cell), key=lambda cell: (cell.count("+"), cell))
    letters = sorted({letter for cell in cells for letter in _who(cell)})
    seen = _appearances(counts)
    scale = total * len(letters) / max(1, sum(seen.values()))
    states: dict[State, tuple[float, tuple[int, ...]]] = {(0,) * len(letters): (0.0, ())}
    for cell, rest in zip(cells, _rests(cells, counts, letters), strict=True):
        shows = [letter in _who(cell) for letter in letters]
        costs = [(count - scale * counts[cell]) ** 2 for count in range(counts[cell] + 1)]
        following: dict[State, tuple[float, tuple[int, ...]]] = {}
        for state, (cost, path) in states.items():
            for count in rest.counts(state, shows, total, counts[cell]):
                after = tuple(
                    [n + count if shown else n for n, shown in zip(state, shows, strict=True)]
                )
                offer = (cost + costs[count], (*path, count))
                if after not in following or offer < following[after]:
                    following[after] = offer
        states = following
    best = states.get((total,) * len(letters))
    if best is None or not letters:
        have = ", ".join(f"{letter} {seen[letter]}" for letter in letters) or "none"
        raise KindredError(
            f"no selection of photos shows every character {counted(total, 'time')}; "
            f"appearances: {have}; photos: {_listing(counts)}",
            "selection: total",
            "set another `total`, or `match: images`",
        )
    return dict(zip(cells, best[1], strict=True))


@dataclass(frozen=True)
class _Rest:
    """What the cells after one can still add: `alone`, photos with each character; `apart`, for two
    of them, photos with the first and without the second."""

    alone: list[int]
    apart: list[tuple[int, int, int]]

    def counts(self, state: State, shows: list[bool], total: int, most: int) -> range:
        """How many photos of the cell, at most `most`, leave a way to `total` for everyone: without
        this nearly all states lead nowhere."""
        low, high = 0, most
        for seen, shown, more in zip(state, shows, self.alone, strict=True):
            if shown:
                low, high = max(low, total - more - seen), min(high, total - seen)
            elif seen + more < total:
                return range(0)
        for one, other, more in self.apart:  # who is behind can catch up by no more
            behind = state[other] - state[one] - more
            if shows[one] == shows[other]:
                if behind > 0:
                    return range(0)
            elif shows[one]:
                low = max(low, behind)
            else:
                high = min(high, -behind)
        return range(low, high + 1)


def _rests(
    cells: Sequence[str], counts: Mapping[str, int], letters: Sequence[str]
) -> Iterable[_Rest]:
    """What is left after each of the cells."""
    for number, _ in enumerate(cells, 1):
        left = [(_who(cell), counts[cell]) for cell in cells[number:]]
        alone = [sum(n for who, n in left if letter in who) for letter in letters]
        apart = [
            (one, other, sum(n for who, n in left if a in who and b not in who))
            for (one, a), (other, b) in permutations(enumerate(letters), 2)
        ]
        yield _Rest(alone, apart)


def most_balanced(counts: Mapping[str, int]) -> dict[str, int]:
    """The most photos in which every character occurs equally often, as near as possible to the
    proportions of the cells. Raises KindredError when there are none."""
    seen = _appearances(counts)
    for total in range(min(seen.values(), default=0), 0, -1):
        try:
            return match_appearances(counts, total)
        except KindredError:
            continue
    raise KindredError(
        f"no selection of photos shows everyone equally often; photos: {_listing(counts)}",
        "selection: balance",
        "add photos of whoever is in the fewest, or remove `balance`",
    )


def repeats(counts: Mapping[str, int]) -> dict[str, int]:
    """How many times more photos of one character alone are to be shown, by cell, so that everyone
    occurs as often as the most frequent one. Raises KindredError for a character without any."""
    seen = _appearances(counts)
    most = max(seen.values(), default=0)
    lacking = {letter: most - count for letter, count in seen.items() if count < most}
    without = [letter for letter in lacking if not counts.get(letter)]
    if without:
        raise KindredError(
            f"no photo that could be repeated shows {', '.join(without)} alone",
            "selection: balance: repeat",
            "add such a photo, or set `balance: drop`",
        )
    return lacking


def _appearances(counts: Mapping[str, int]) -> dict[str, int]:
    letters = sorted({letter for cell in counts if cell for letter in _who(cell)})
    return {a: sum(n for cell, n in counts.items() if a in _who(cell)) for a in letters}


def _parsed(texts: Iterable[str], known: Sequence[str], where: str, problems: Problems) -> set[str]:
    found = set()
    for text in texts:
        try:
            found.add(parse_cell(text, known))
        except KindredError as error:
            problems.add_error(where, error)
    return found


def _who(cell: str) -> set[str]:
    return set(cell.split("+"))


def _known(letters: Iterable[str]) -> str:
    return "known: " + ", ".join(sorted(letters))


def _listing(counts: Mapping[str, int | list[str]]) -> str:
    sizes = {c: n if isinstance(n, int) else len(n) for c, n in counts.items()}
    return ", ".join(f"{cell or 'nobody'} {size}" for cell, size in sorted(sizes.items())) or "none"
