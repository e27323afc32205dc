"""Which pictures stand on the page, and in which rows.

Knows places of pictures (variant, run, prompt set, prompt, seed) and how many fit; knows nothing
of how they look. A row is one prompt, one run and one seed across the variants: the same starting
noise, so that only the training differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kindred.report.report_data import Photo, Place, ReportData

PHOTOS_EACH = 3
LIKENESS_VARIANTS = 12
LIKENESS_SEEDS = 2


@dataclass(frozen=True)
class Line:
    """One seed of one prompt across the variants' first (`run` 1), second, ... trainings; None
    where a variant has none."""

    run: int
    seed: int
    places: tuple[Place | None, ...]


@dataclass(frozen=True)
class Block:
    """The rows of one prompt."""

    prompt_set: str
    name: str
    text: str
    asked: str
    lines: tuple[Line, ...]
    left_out: int


@dataclass(frozen=True)
class Likeness:
    """A character's photos and pictures of it alone: (variant, places) each."""

    letter: str
    photos: tuple[Photo, ...]
    drawn: tuple[tuple[str, tuple[Place, ...]], ...]


def leading_variants(data: ReportData, most: int) -> list[str]:
    """The variants to show where not all fit: the baseline, those that hypotheses name, bases,
    then the others by success. In the page's order."""
    variants = data.variants
    named = [name for one in data.hypotheses.values() for name in (one["variant"], one["against"])]
    bases = [name for name, one in variants.items() if one["kind"] == "base"]
    first = [data.summary["baseline"], *named, *bases]
    rest = sorted(variants, key=lambda name: -success_of(data, name))
    wanted = [name for name in dict.fromkeys([*first, *rest]) if name in variants][:most]
    return [name for name in variants if name in wanted]


def success_of(data: ReportData, variant: str) -> float:
    """A variant's mean success over everything asked of it; 0 when it has none."""
    found = data.variants[variant]["measures"].get("success", {}).get("all")
    return (found or {}).get("mean") or 0.0


def likenesses(data: ReportData) -> list[Likeness]:
    """Every character's photos (with the fewest others) beside pictures of it alone."""
    shown = leading_variants(data, LIKENESS_VARIANTS)
    result = []
    for letter in data.characters:
        drawn = [(name, _solos(data, name, letter)) for name in shown]
        photos = [photo for photo in data.photos or () if letter in photo.letters]
        result.append(
            Likeness(
                letter,
                tuple(photos[:PHOTOS_EACH]),
                tuple((name, places) for name, places in drawn if places),
            )
        )
    return result


def _solos(data: ReportData, variant: str, letter: str) -> tuple[Place, ...]:
    """A variant's first pictures of a prompt that names this character alone."""
    runs = data.variants[variant]["runs"]
    for key, name, _, asked in data.prompts:
        if asked == letter and runs:
            seeds = seeds_of(data, key, name)[:LIKENESS_SEEDS]
            places = [(variant, runs[0], key, name, seed) for seed in seeds]
            return tuple(place for place in places if place in data.pictures)
    return ()


def seeds_of(data: ReportData, prompt_set: str, prompt: str) -> list[int]:
    """The seeds of a prompt, in the order given."""
    return data.seeds.get((prompt_set, prompt), [])


def select_pictures(data: ReportData, most: int) -> list[Block]:
    """Prompts with their rows, largest groups first. Rows are dealt out one seed and run at a
    time to all prompts, until the next would exceed `most` pictures."""
    prompts = sorted(data.prompts, key=lambda prompt: -_size(prompt[3]))
    deals = [
        (run, seed_index, prompt)
        for run in range(max((len(one["runs"]) for one in data.variants.values()), default=0))
        for seed_index in range(max(map(len, data.seeds.values()), default=0))
        for prompt in range(len(prompts))
    ]
    lines: list[list[Line]] = [[] for _ in prompts]
    left_out, used, full = [0] * len(prompts), 0, False
    for run, seed_index, index in deals:
        line = _line(data, prompts[index], run, seed_index)
        count = sum(place is not None for place in line.places) if line else 0
        if not line or not count:
            continue
        full = full or used + count > most
        if full:
            left_out[index] += count
        else:
            lines[index].append(line)
            used += count
    return [
        Block(*prompt, tuple(own), left)
        for prompt, own, left in zip(prompts, lines, left_out, strict=True)
        if own or left
    ]


def _line(
    data: ReportData, prompt: tuple[str, str, str, str], run: int, seed_index: int
) -> Line | None:
    key, name, _, _ = prompt
    seeds = seeds_of(data, key, name)
    if seed_index >= len(seeds):
        return None
    seed, places = seeds[seed_index], []
    for variant, one in data.variants.items():
        place = (variant, one["runs"][run], key, name, seed) if run < len(one["runs"]) else None
        places.append(place if place in data.pictures else None)
    return Line(run + 1, seed, tuple(places))


def _size(cell: str) -> int:
    return cell.count("+") + 1 if cell else 0


def all_places(blocks: Sequence[Block], alike: Sequence[Likeness]) -> list[Place]:
    """Every picture that is shown somewhere, once."""
    shown = [place for block in blocks for line in block.lines for place in line.places if place]
    shown += [place for one in alike for _, places in one.drawn for place in places]
    return list(dict.fromkeys(shown))
