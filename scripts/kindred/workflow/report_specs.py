"""What the pages about an experiment are told: slices of a plan.

Knows which slice goes to which page; knows nothing of rules or of what stands on a page.
"""

from __future__ import annotations

from pathlib import Path

from kindred.config.plan import CompositeSource, Experiment, Plan, Variant
from kindred.models.identity import architecture_of
from kindred.specs.composites import CompositeOptions
from kindred.specs.report import (
    CompositeDataset,
    DrawingBase,
    LivePageSpec,
    LoadedAdapter,
    PairsSpec,
    RatingSpec,
    ReportSpec,
)
from kindred.workflow.paths import SHEETS_UP_TO


def report_spec(plan: Plan, experiment: str) -> ReportSpec:
    """What the report is told; what it shows comes from files."""
    chosen = plan.experiments[experiment]
    sheets = list(chosen.prompt_sets) if len(chosen.variants) <= SHEETS_UP_TO else []
    made = {v.dataset: _made_of_photos(v.made) for v in chosen.trained if v.made}
    loaded = {v.name: _loaded(chosen, v) for v in chosen.variants.values() if not v.train}
    given = {"hide_photos": chosen.hide_photos, "sheets": sheets, "made": made}
    given |= {"like": chosen.name if chosen.name == chosen.file else ""}
    given |= {"loaded": {name: one for name, one in loaded.items() if one}}
    given |= {"series": chosen.compares_steps, "order": list(chosen.variants)}
    given |= {"bases": _known_to_comfyui(plan, chosen)}
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


def pairs_spec(chosen: Experiment) -> PairsSpec:
    """Whose pictures people are to compare: those by adapters that are no broken controls."""
    whole = [
        one
        for one in chosen.variants.values()
        if one.loads and (one.train is None or one.train.pairing == "matched")
    ]
    return PairsSpec(
        experiment=chosen.name,
        title=chosen.title,
        characters=chosen.characters,
        variants={one.name: list(one.runs) for one in whole},
        prompt_sets=list(chosen.prompt_sets),
        datasets=chosen.photos_trained_on,
        **({"hide_photos": True} if chosen.hide_photos else {}),
    )


def live_page_spec(chosen: Experiment) -> LivePageSpec:
    """Which trainings are shown while they run, and beside whose photos."""
    drawn = chosen.samples
    return LivePageSpec(
        experiment=chosen.name,
        title=chosen.title,
        characters=chosen.characters,
        variants={one.name: list(one.runs) for one in chosen.trained},
        datasets=chosen.photos_trained_on,
        **({"prompts": drawn.prompt_set.texts(), "every": drawn.every} if drawn else {}),
        **({"hide_photos": True} if chosen.hide_photos else {}),
    )


def pairs_of(experiment: str, root: Path = Path(".")) -> list[str]:
    """What people's choices between two pictures were saved as, beside the experiment file."""
    folder = root / "config" / "experiments"
    return sorted(
        path.relative_to(root).as_posix() for path in folder.glob(f"{experiment}.pairs*.csv")
    )


def _loaded(chosen: Experiment, variant: Variant) -> list[LoadedAdapter]:
    """The adapters that a variant draws with and that are others', or were trained elsewhere."""
    found = []
    for name, weight in variant.loads:
        own = chosen.variants[name]
        files = own.files or [own.adapter(chosen.name, run) for run in variant.runs]
        found.append(LoadedAdapter(files=list(files), weight=weight))
    return found


def _known_to_comfyui(plan: Plan, chosen: Experiment) -> dict[str, DrawingBase]:
    return {
        name: DrawingBase(architecture=architecture_of(plan.bases[name]).name, comfyui=files)
        for name in chosen.bases
        if (files := plan.comfyui.get(name))
    }


def _made_of_photos(made: CompositeSource) -> CompositeDataset:
    given = made.spec.model_dump(include={*CompositeOptions.model_fields}, exclude_unset=True)
    return CompositeDataset(of=made.of, **given)
