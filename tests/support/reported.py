"""A made-up experiment with everything that a report reads, and the programs that report it."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import synthetic
from synthetic import CHARACTERS, PROMPTS, Made

import audit
import compare
import families_rating
import pairs_page
import rating_page
import report
from kindred.report import repository_sheets, svg_plots, thumbnails
from kindred.specs.dataset import AuditSpec
from kindred.specs.report import PairsSpec, RatingSpec, ReportSpec, WhoIsItSpec

DRAWN = (
    (svg_plots, "intervals_svg"),
    (svg_plots, "curves_svg"),
    (thumbnails, "_thumbnail"),
    (repository_sheets, "small_webp"),
)
KEPT: dict[str, dict[bytes, object]] = {}
SMALL = {
    "headshot": PROMPTS["headshot"],
    "pair": PROMPTS["pair"],
    "trio": {name: PROMPTS["trio"][name] for name in ("card", "snow", "beach")},
    "plain": PROMPTS["plain"],
}


def keep_parts(patch: pytest.MonkeyPatch) -> None:
    """Plots, thumbnails and small sheets of equal arguments are drawn once in this process, for
    tests of what else stands on a page: they are most of what it costs."""
    for module, name in DRAWN:
        real, kept = getattr(module, name), KEPT.setdefault(name, {})

        def once(*arguments, real=real, kept=kept, **options):
            key = pickle.dumps((arguments, options))
            if key not in kept:
                kept[key] = real(*arguments, **options)
            return kept[key]

        patch.setattr(module, name, once)


def build(root: Path, **options) -> Made:
    """The experiment, compared and audited, under `root`."""
    made = synthetic.make(root, **{"runs": 3, "seeds": (1, 2), "prompts": SMALL, **options})
    run_compare(made)
    run_audit(made)
    return made


def run_compare(made: Made, *options: str) -> None:
    """Write scores.csv, summary.json, verdicts.json."""
    results = made.results
    compare.main(
        [
            *("--spec", made.spec.canonical(), "--results", str(results)),
            *("--references", str(results / "references.json"), *options),
            *synthetic.vectors_of(made),
            *("--scores", str(results / "scores.csv"), "--summary", str(results / "summary.json")),
            *("--verdicts", str(results / "verdicts.json")),
        ]
    )


def run_audit(made: Made, **options) -> None:
    """Write audit/russell.json and its page."""
    dataset, out = made.root / "resources" / "russell", made.results / "audit"
    audit.main(
        [
            *("--spec", AuditSpec(characters=CHARACTERS, **options).canonical()),
            *("--images", str(dataset / "images.json")),
            *("--captions", str(dataset / "captions.jsonl")),
            *("--out", str(out / "russell.json"), "--page", str(out / "russell.html")),
        ]
    )


def run_report(made: Made, out: Path, **options) -> tuple[str, str]:
    """(page, Markdown), written to out/report.html and out/report.md."""
    spec = ReportSpec(experiment=made.spec.experiment, **options)
    page, markdown = out / "report.html", out / "report.md"
    report.main(
        [
            *("--spec", spec.canonical(), "--folder", str(made.results)),
            *("--resources", str(made.root / "resources")),
            *("--page", str(page), "--markdown", str(markdown)),
        ]
    )
    return page.read_text(encoding="utf-8"), markdown.read_text(encoding="utf-8")


def run_rating(made: Made, out: Path, **options) -> Path:
    """The path of the rating page."""
    spec = RatingSpec(
        experiment=made.spec.experiment,
        title="Made up",
        characters=CHARACTERS,
        variants={name: one.runs for name, one in made.spec.variants.items()},
        prompt_sets=list(made.spec.prompt_sets),
        datasets=["russell"],
        **options,
    )
    page = out / "rating.html"
    rating_page.main(
        [
            *("--spec", spec.canonical(), "--folder", str(made.results)),
            *("--resources", str(made.root / "resources"), "--out", str(page)),
        ]
    )
    return page


def run_pairs(made: Made, out: Path) -> Path:
    """The path of the page of pairs."""
    spec = PairsSpec(
        experiment=made.spec.experiment,
        characters=CHARACTERS,
        variants={name: one.runs for name, one in made.spec.variants.items() if name != "BASE"},
        prompt_sets=list(made.spec.prompt_sets),
        datasets=["russell"],
        pairs=6,
    )
    page = out / "pairs.html"
    where = ["--folder", str(made.results), "--resources", str(made.root / "resources")]
    pairs_page.main(["--spec", spec.canonical(), *where, "--out", str(page)])
    return page


def run_who(made: Made, out: Path) -> Path:
    """The path of the page on which people say who is in pictures of families."""
    family = {
        "characters": CHARACTERS,
        "runs": {variant: one.runs for variant, one in made.spec.variants.items()},
        "datasets": ["russell"],
    }
    families = {made.results.name: family}
    told = {"name": "study", "families": families, "prompt_sets": list(made.spec.prompt_sets)}
    spec = WhoIsItSpec.model_validate({**told, "images": 6})
    where = ["--results", str(made.results.parent), "--resources", str(made.root / "resources")]
    families_rating.main(["--spec", spec.canonical(), *where, "--out", str(out)])
    return out
