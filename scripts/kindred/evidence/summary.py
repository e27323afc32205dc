"""summary.json: everything about an experiment that a page shows (its form is in verdicts.py).

Knows how figures, references, ratings and controls are put together; computes no statistics.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kindred.characters.cells import cell_name
from kindred.common.sentences import counted, percent, spaced
from kindred.evidence import variant_statistics
from kindred.evidence.human_ratings import Rating, judge_agreement, krippendorff_alpha, mean_ratings
from kindred.evidence.labels import equivalence_margin
from kindred.evidence.score_grids import ImageIndex, ScoreGrid
from kindred.evidence.verdicts import VERSION
from kindred.specs.scoring import CompareSpec

MARGIN = 0.10  # by which broken training must read worse
Json = dict[str, Any]


def summary(
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
    references: Json,
    trainings: Mapping[str, Sequence[Json]],
    ratings: Json | None,
    warnings: Sequence[str],
    read: Sequence[Json],
) -> Json:
    """The whole of summary.json. `trainings`: variant -> its runs' lora.json. `read`: what
    `controls` gives."""
    baseline = baseline_of(spec)
    where = variant_statistics.scopes(pictures, list(spec.prompt_sets))
    rows = variant_statistics.comparisons(baseline, spec, grids, pictures)
    own = single_lora_variants(spec)
    marks = variant_statistics.single_lora_references(
        {letter: grids[name] for letter, name in own.items()}, pictures
    )
    return {
        "version": VERSION,
        "experiment": spec.experiment,
        "title": spec.title,
        "question": spec.question,
        "characters": {
            letter: {"name": who.name, "class": who.noun} for letter, who in spec.characters.items()
        },
        "judge": judge_part(references),
        "references": references["characters"],
        "prompt_sets": _prompt_sets(spec, pictures),
        "baseline": baseline,
        "own": own,
        "variants": {
            name: _variant(name, spec, grid, pictures, where, marks, trainings.get(name, ()))
            for name, grid in grids.items()
        },
        "comparisons": rows,
        "controls": list(read),
        "ratings": ratings,
        "warnings": [*_reference_warnings(references), *warnings],
    }


def judge_part(references: Json) -> Json:
    """The judge, and whether it may be trusted."""
    gates = references["gates"]
    trusted = not gates["failures"] if gates["measured"] else None
    measured = references.get("calibration")
    believed = _believed(measured) if measured else None
    return {
        "identity": references["judge"],
        "hash": references["hash"],
        "counts": references["counts"],
        "trusted": trusted,
        "why": list(gates["failures"]),
        "figures": dict(gates["figures"]),
        "recognised": references["recognised"],
        "stranger": references["stranger"],
        "source": references["source"],
        "distance": references["distance"],
        **({"believed": believed} if believed else {}),
    }


def _believed(measured: Json) -> Json:
    """How far the judge can be believed, of `FaceCalibration.as_dict`: in words, whom it takes for
    whom, and what each threshold follows from, as identities."""
    found = {"said": spaced(measured["said"]), "confusion": measured["confusion"]}
    stranger, own, thresholds = measured["stranger"], measured["own"], {}
    for letter, counts in measured.get("drawn", {}).items():
        lines = measured["lines"][letter]
        scaled = {
            name: round((line - stranger) / (own[letter] - stranger), 5)
            for name, line in lines.items()
        }
        thresholds[letter] = {**counts, "by": max(lines, key=lines.__getitem__), "lines": scaled}
    return found | ({"thresholds": thresholds} if thresholds else {})


def baseline_of(spec: CompareSpec) -> str:
    """What others are compared with: of the trained variants that are no controls the one that most
    hypotheses compare with, or else the first by name."""
    trained = [name for name, v in spec.variants.items() if v.kind == "trained"]
    plain = [name for name in trained if not spec.variants[name].control]
    asked = Counter(h.against for h in spec.hypotheses.values() if h.against in plain)
    most = [name for name, _ in asked.most_common(1)]
    return next(iter([*most, *plain, *trained, *spec.variants]))


def single_lora_variants(spec: CompareSpec) -> dict[str, str]:
    """Character -> the variant, no control, that is a LoRA of that character alone: of several one
    of the baseline's base and photos, then the first by name. None in an experiment of one."""
    if len(spec.characters) < 2:
        return {}
    first = spec.variants[baseline_of(spec)]

    def strange(name: str) -> tuple[bool, bool, str]:
        one = spec.variants[name]
        return one.base != first.base, one.dataset != first.dataset, name

    alone = [name for name, v in spec.variants.items() if v.only and not v.control]
    found = {spec.variants[name].only: name for name in sorted(alone, key=strange, reverse=True)}
    return {letter: found[letter] for letter in sorted(spec.characters) if letter in found}


def _variant(
    name: str,
    spec: CompareSpec,
    grid: ScoreGrid,
    pictures: ImageIndex,
    where: Mapping[str, Any],
    marks: Mapping[str, variant_statistics.SingleLoraReference],
    trainings: Sequence[Json],
) -> Json:
    variant = spec.variants[name]
    fixed, letters = variant.fixed, sorted(spec.characters)
    parts = {key: variant_statistics.parts(grid, pictures, key) for key in spec.prompt_sets}
    return {
        "kind": variant.kind,
        "dataset": variant.dataset,
        "base": variant.base,
        "control": variant.control,
        "only": variant.only,
        "runs": variant.runs,
        "images": grid.images(),
        "training": variant_statistics.training(trainings),
        "measures": variant_statistics.measures(grid, fixed, pictures, dict(where)),
        "identity": variant_statistics.identities(grid, fixed, pictures, letters),
        "of_own": variant_statistics.share_of_single_lora(grid, fixed, pictures, marks),
        **({"drawn_on": variant.drawn_on} if variant.drawn_on else {}),
        **({"references": variant.references} if variant.references else {}),
        **({"take": variant.take} if variant.take else {}),
        **({"detail_of": variant.detail_of} if variant.detail_of else {}),
        "parts": {key: value for key, value in parts.items() if value},
        "bleed": variant_statistics.bleed(grid, letters),
    }


def _prompt_sets(spec: CompareSpec, pictures: ImageIndex) -> Json:
    found: Json = {}
    for name, prompts in spec.prompt_sets.items():
        cells = [c for c in pictures.cells if c.prompt_set == name]
        asked = {c.prompt: cell_name(c.asked) for c in cells}
        found[name] = {
            "prompts": {
                prompt: {"text": text, "asked": asked.get(prompt, "")}
                for prompt, text in prompts.items()
            },
            "seeds": sorted({c.seed for c in cells}),
            "sizes": sorted({str(len(c.asked)) for c in cells}),
        }
    return found


def controls(spec: CompareSpec, grids: Mapping[str, ScoreGrid], pictures: ImageIndex) -> list[Json]:
    """Do the controls read as they must? A training again on the prompt set that asks for most
    people; what must be worse, than the training that it is broken from or else the baseline, where
    that one is right most often, since nothing can be seen to be worse than next to nothing. Names
    on wrong photos where fewest people are asked for: a picture of everybody may be right by a
    training that knows no name, as one on composites of all showed."""
    baseline = baseline_of(spec)
    found = []
    for name, variant in spec.variants.items():
        kind = variant.control.split(" ")[0]
        against = variant.control.partition(" of ")[2] or baseline
        if not kind or name == against or against not in grids:
            continue
        measure, prompt_set, share = _read_on(kind, against, spec, grids, pictures)
        if prompt_set is None:
            continue
        pair = (name, against)
        row = variant_statistics.difference(pair, measure, prompt_set, spec, grids, pictures)
        if row:
            trained = [len(grids[x].runs) for x in pair if not spec.variants[x].fixed]
            runs = min(trained, default=0)
            found.append({**row, "kind": kind} | _reading(kind, row, runs, share))
    return found


def failed(controls: Sequence[Json]) -> list[str]:
    """What null and scrambled controls read wrong, in sentences: then nothing is concluded."""
    gate = ("null", "scrambled")
    return [one["sentence"] for one in controls if one["kind"] in gate and one["passes"] is False]


def _read_on(
    kind: str,
    against: str,
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
) -> tuple[str, str | None, float]:
    """Measure and prompt set that a control is read on, and how often `against` is right there:
    casts where there are any, because that can't be had without names."""
    casts = next((name for name in spec.prompt_sets if name in spec.casts), None)
    if casts is not None:
        where = pictures.of_set(casts)
        own, _, known = variant_statistics.arms_of((against, against), "cast", where, spec, grids)
        if known.any():
            return "cast", casts, pictures.sample(known, macro=True).mean_of(own.values)
    clearest, share = _clearest_set(against, spec, grids, pictures, kind == "scrambled")
    return "success", _largest_set(pictures) if kind == "null" else clearest, share


def _reading(kind: str, row: Json, runs: int, share: float) -> Json:
    """Whether a control passes, and what that means; None with too few runs to say, or where the
    baseline's `share` of right pictures leaves no room below it."""
    name, against = row["variant"], row["against"]
    if runs < 2:
        passes, text = None, _too_few_runs(kind, name, against)
    elif kind == "null":
        passes, text = _null_reading(row, runs)
    elif share < 2 * MARGIN:
        passes = None
        text = f"{against} is hardly ever right, so {name} can't be seen to be worse"
    elif row["high"] < -MARGIN:
        passes = True
        text = f"{name} reads clearly worse than {against} in “{row['prompt_set']}”, as it must"
    else:
        passes = False if row["low"] > -MARGIN else None
        text = (
            f"{name} does not read clearly worse than {against}, not even in "
            f"“{row['prompt_set']}”: either too little was learned, or what is measured there does "
            "not need what was broken, or there are too few runs and pictures to see it"
        )
    return {"passes": passes, "sentence": f"{text}."}


def _null_reading(row: Json, runs: int) -> tuple[bool | None, str]:
    """A training again must show no difference larger than x (labels.py), not just none."""
    x, shown = equivalence_margin(MARGIN, runs), row["x"]
    text = f"{row['variant']} is {row['against']} trained again"
    size = counted(math.ceil(100 * shown), "point")
    if x is not None and shown < x:
        return True, f"{text}, and shows no difference larger than {100 * x:.0f} points ({size})"
    if row["low"] > 0 or row["high"] < 0:
        return False, f"{text}, yet the two differ: doubt every difference here"
    return None, f"{text}; a difference of up to {size} is not excluded"


def _too_few_runs(kind: str, name: str, against: str) -> str:
    if kind == "base":  # nothing of it is trained
        return f"{name} is no control yet: {against} was trained once, and two trainings are needed"
    return f"{name} is no control yet: it and {against} need two trainings each"


def _largest_set(pictures: ImageIndex) -> str | None:
    most = max(pictures.cells, key=lambda c: len(c.asked), default=None)
    return most.prompt_set if most and most.asked else None


def _clearest_set(
    baseline: str,
    spec: CompareSpec,
    grids: Mapping[str, ScoreGrid],
    pictures: ImageIndex,
    fewest: bool,
) -> tuple[str | None, float]:
    """The prompt set with people in which the baseline is right most often, and how often;
    `fewest`: of those that ask for fewest people at once, among those that leave room below."""
    shares: dict[str, float] = {}
    people: dict[str, int] = {}
    for prompt_set in {cell.prompt_set for cell in pictures.cells if cell.asked}:
        where = pictures.of_set(prompt_set)
        own, _, known = variant_statistics.arms_of(
            (baseline, baseline), "success", where, spec, grids
        )
        if known.any():
            shares[prompt_set] = float(own.values.mean())
            cells = (c for c in pictures.cells if c.prompt_set == prompt_set)
            people[prompt_set] = max(len(c.asked) for c in cells)
    room = [name for name, share in shares.items() if share >= 2 * MARGIN]

    def clear(name: str) -> tuple[int, float]:
        return (-people[name] if fewest and room else 0), shares[name]

    name = max(sorted(room or shares), key=clear, default=None)
    return name, shares.get(name or "", 0.0)


def ratings_part(ratings: Sequence[Rating], rows: Sequence[Mapping[str, str]]) -> Json | None:
    """Raters, their agreement and the judge's with them; None without ratings."""
    if not ratings:
        return None
    images = [row for row in rows if row["kind"] == "image"]
    success = {row["key"]: float(row["success"]) for row in images if row["success"]}
    identity = {row["key"]: float(row["identity"]) for row in images if row["identity"]}
    alpha = krippendorff_alpha(ratings)
    judge = judge_agreement(mean_ratings(ratings), success, identity)
    part = {
        "images": len({rating.key for rating in ratings}),
        "ratings": len(ratings),
        "raters": sorted({rating.rater for rating in ratings}),
        "alpha": variant_statistics.number(alpha),
        "judge": {
            key: variant_statistics.number(value) if isinstance(value, float) else value
            for key, value in judge.items()
        },
    }
    return part | {"sentence": _ratings_sentence(part)}


def _ratings_sentence(part: Json) -> str:
    people, images = len(part["raters"]), part["images"]
    text = f"{counted(people, 'person')} rated {counted(images, 'picture')}"
    if part["alpha"] is not None:
        text += f"; agreement between them (Krippendorff's alpha) {part['alpha']:.2f}"
    if part["judge"]["auc"] is not None:
        text += (
            f"; a picture that the judge calls a success is rated above another in "
            f"{percent(part['judge']['auc'])} of pairs"
        )
    return text + "."


def _reference_warnings(references: Json) -> list[str]:
    return [entry["warning"] for entry in references["characters"].values() if entry["warning"]]
