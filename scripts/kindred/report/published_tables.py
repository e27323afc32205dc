"""The tables that are published of an experiment: figures of runs and prompts, and verdicts.

Knows rows of scores, summary.json and verdicts.json; knows nothing of pages or pictures. Nothing
here names a photo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kindred.evidence.labels import EQUAL
from kindred.report.formatting import deciding, level_of, runs_of
from kindred.specs.measures import MEASURES, ScoredImage

Row = Mapping[str, str]  # of scores.csv, kind image
Line = dict[str, str]
RUNS = (
    *("variant", "run", "prompt_set", "pictures"),
    *("cast", "success", "count", "identity", "adherence", "missing", "duplicated", "strangers"),
)
BY_PROMPT = ("cast", "success", "identity")
KINDS = ("all", "family", "others")  # of casts, as summary.json has them
ENDS = ("", " low", " high")  # of a 95 % interval, behind the name of a kind of cast
CASTS = (
    *("variant", "prompt_set", "runs", "pictures"),
    *(f"{kind}{end}" for kind in KINDS for end in ENDS),
    "worst",
)
VERDICTS = (
    *("hypothesis", "claim", "variant", "against", "measure", "prompt_set", "margin", "label"),
    *(
        "x",
        "label_at_publication",
        "effect",
        "low",
        "high",
        "runs",
        "primary",
        "level",
        "base",
        "rules",
    ),
)


def _value(measure: str, row: Row) -> float | None:
    """The same figure as in summary.json."""
    asked = row["asked"].split("+") if row["asked"] else []
    return MEASURES[measure].value(ScoredImage(row, asked))


def number(value: float | None) -> str:
    """With at most 4 decimals; '' for none."""
    if value is None:
        return ""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def tabulated(
    rows: Iterable[Row], keys: Sequence[str], measures: Sequence[str], order: Mapping[str, Any]
) -> list[Line]:
    """A line for each group of pictures that agree in `keys`: how many they are, and the mean of
    each measure over those that have it. Variants come as in `order`, the rest as in the scores."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    rank = {name: n for n, name in enumerate(order)}
    lines = []
    for group in sorted(groups, key=lambda group: rank[group[0]]):
        line = dict(zip(keys, group, strict=True)) | {"pictures": str(len(groups[group]))}
        for name in measures:
            known = [x for row in groups[group] if (x := _value(name, row)) is not None]
            line[name] = number(sum(known) / len(known)) if known else ""
        lines.append(line)
    return lines


def of_runs(rows: Iterable[Row], variants: Mapping[str, Any]) -> list[Line]:
    """runs.csv: a line a variant, run and prompt set; shares and means are 0..1 but for identity,
    where 0 is a stranger and 1 another photo of the same person."""
    return tabulated(rows, RUNS[:3], RUNS[4:], variants)


def of_casts(variants: Mapping[str, Any]) -> tuple[list[str], list[Line]]:
    """casts.csv, its columns and lines: a line a variant and cast set, with cast accuracy of all
    casts, of the family alone and of others, the least accurate cast (named on one half of the
    pictures, read on the other), and each cast's share of right pictures. No lines without cast
    sets."""
    names: dict[str, None] = {}
    lines = []
    for variant, one in variants.items():
        for prompt_set, own in one.get("casts", {}).items():
            line = {"variant": variant, "prompt_set": prompt_set, "pictures": str(own["images"])}
            for kind in KINDS:
                found = own["accuracy"].get(kind, {})
                for end, key in zip(ENDS, ("mean", "low", "high"), strict=True):
                    line[f"{kind}{end}"] = number(found.get(key))
            line["runs"] = str(own["accuracy"]["all"]["runs"])
            line["worst"] = number(own["worst"]["mean"]) if own["worst"] else ""
            shares = {name: number(cast["mean"]) for name, cast in own["casts"].items()}
            names |= dict.fromkeys(shares)
            lines.append(line | shares)
    return [*CASTS, *names], lines


def of_prompts(rows: Iterable[Row], variants: Mapping[str, Any]) -> tuple[list[str], list[Line]]:
    """prompts.csv, its columns and lines: a line a prompt, with three columns a variant, all of its
    runs together, such as `any success` and `any identity`."""
    keys = ("prompt_set", "prompt")
    lines: dict[tuple[str, ...], Line] = {}
    for one in tabulated(rows, ("variant", *keys), BY_PROMPT, variants):
        place = tuple(one[key] for key in keys)
        line = lines.setdefault(place, dict(zip(keys, place, strict=True)))
        line |= {f"{one['variant']} {name}": one[name] for name in BY_PROMPT}
    columns = [f"{name} {measure}" for name in variants for measure in BY_PROMPT]
    return [*keys, *columns], list(lines.values())


def drawing_base(variant: Mapping[str, Any], prompt_set: str) -> str:
    """The base that draws a variant's pictures of a prompt set, by a summary's entry."""
    return variant.get("drawn_on", {}).get(prompt_set, variant["base"])


def of_verdicts(
    verdicts: Mapping[str, Any], variants: Mapping[str, Any], before: Sequence[Line] = ()
) -> list[Line]:
    """verdicts.csv: a line a hypothesis, the primary ones first. `low`, `high` and their `level`
    are of the interval that decides, after Holm's correction for primary ones; `x` is that of 'no
    difference larger than x'; `base` names the file in config/bases that draws, `rules` those of
    the labels. before: the lines as they were published, whose `label_at_publication` stays."""
    first = {one["hypothesis"]: one["label_at_publication"] for one in before}
    lines = []
    found = verdicts["hypotheses"]
    for name in sorted(found, key=lambda name: not found[name]["primary"]):
        one = found[name]
        low, high = deciding(one)
        compared = (variants[one[side]] for side in ("variant", "against"))
        bases = sorted({drawing_base(variant, one["prompt_set"]) for variant in compared})
        line = {"hypothesis": name, "claim": " ".join(one["claim"].split())}
        line |= {key: one[key] for key in ("variant", "against", "measure", "prompt_set")}
        equal = one["label"] == EQUAL
        x = number(one["equivalence"]["x"]) if equal else ""
        line |= {"margin": number(one["margin"]), "label": one["label"], "x": x}
        line |= {"label_at_publication": first.get(name, one["label"])}
        line |= {"effect": number(one["difference"]), "low": number(low), "high": number(high)}
        line |= {"runs": runs_of(one, variants), "primary": str(int(one["primary"]))}
        line |= {"level": number(level_of(one, verdicts["level"])), "base": "+".join(bases)}
        line |= {"rules": verdicts["rules"]}
        lines.append(line)
    return lines
