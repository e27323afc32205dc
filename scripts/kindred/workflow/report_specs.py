"""What the pages about an experiment are told: slices of a plan.

Knows which slice goes to which page; knows nothing of rules or of what stands on a page.
"""

from __future__ import annotations

from kindred.config.plan import SHEETS_UP_TO, CompositeSource, Experiment
from kindred.specs.composites import CompositeOptions
from kindred.specs.report import CompositeDataset, RatingSpec, ReportSpec


def report_spec(chosen: Experiment) -> ReportSpec:
    """What the report is told; what it shows comes from files."""
    sheets = list(chosen.prompt_sets) if len(chosen.variants) <= SHEETS_UP_TO else []
    made = {v.dataset: _made_of_photos(v.made) for v in chosen.trained if v.made}
    given = {"hide_photos": chosen.hide_photos, "sheets": sheets, "made": made}
    return ReportSpec(experiment=chosen.name, **{k: v for k, v in given.items() if v})


def rating_spec(chosen: Experiment) -> RatingSpec:
    """Whose pictures people are to rate, and beside whose photos."""
    return RatingSpec(
        experiment=chosen.name,
        title=chosen.title,
        characters=chosen.characters,
        variants={name: list(variant.runs) for name, variant in chosen.variants.items()},
        prompt_sets=list(chosen.prompt_sets),
        datasets=chosen.photos_trained_on,
        **({"hide_photos": True} if chosen.hide_photos else {}),
    )


def _made_of_photos(made: CompositeSource) -> CompositeDataset:
    given = made.spec.model_dump(include={*CompositeOptions.model_fields}, exclude_unset=True)
    return CompositeDataset(of=made.of, **given)
