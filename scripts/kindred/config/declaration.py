"""What an experiment declares: everything that its verdicts depend on, and the files that say so.

Photos are not in it, because they never leave the computer and their names may tell who is shown;
what is in them is in the key of every adapter.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common.errors import KindredError, Problems
from kindred.common.experiment_log import in_families
from kindred.common.hashing import sha256_file, spec_hash
from kindred.common.versions import part_version, step_version
from kindred.config.albums import file_of
from kindred.config.plan import Dataset, Experiment, Plan, Variant
from kindred.config.stranger_pictures import stranger_pictures
from kindred.config.yaml_document import read_document
from kindred.judges.version import version_of
from kindred.models.identity import architecture_of, known_identity
from kindred.specs.base_model import Base
from kindred.specs.declaration import Declaration

if TYPE_CHECKING:
    from kindred.specs.families import FamiliesSpec

# The steps whose behaviour figures depend on; pages and sheets are none.
STEPS = (
    *("draw", "preprocess", "caption", "masks", "compose", "class_images"),
    *("encode_images", "encode_text", "train", "render", "references", "score", "compare"),
)


def design_of(plan: Plan, experiment: Experiment) -> dict[str, Any]:
    """Claims, settings of all variants with their runs, prompts with sizes, seeds and sampling,
    judge, bases, datasets, and the versions of all steps. What can't be read on this computer, as
    the weights of a base, is null."""
    used = {name for variant in experiment.variants.values() for name in _datasets(variant)}
    judge = experiment.judge
    return {
        "hypotheses": {
            name: one.model_dump(mode="json", exclude_unset=True)
            for name, one in experiment.hypotheses.items()
        },
        "variants": {name: _variant(one) for name, one in experiment.variants.items()},
        "prompt_sets": {
            name: asked.model_dump(mode="json", exclude_unset=True, exclude={"prompts"})
            | {
                "prompts": {
                    prompt: {"text": one} if isinstance(one, str) else _dumped(one)
                    for prompt, one in asked.prompts.items()
                }
            }
            for name, asked in experiment.prompt_sets.items()
        },
        "judge": _dumped(judge) | {"version": _known(lambda: version_of(judge))} if judge else {},
        "bases": {name: _base(plan.bases[name]) for name in experiment.bases},
        "datasets": {name: _dataset(plan.datasets[name]) for name in sorted(used)},
        "versions": {step: step_version(step) for step in _steps(experiment)},
        **_strangers(plan, experiment),
        **_drawn_elsewhere(plan, experiment),
        **_chosen_by(experiment),
    }


def _steps(experiment: Experiment) -> list[str]:
    """The steps that figures depend on; that of faces drawn again only where there are any, so that
    older designs stay as they are."""
    again = any(one.detail for one in experiment.variants.values())
    return [*STEPS, *(["face_detail"] if again else [])]


def _strangers(plan: Plan, experiment: Experiment) -> dict[str, Any]:
    """By which strangers thresholds are found, besides the shipped ones; nothing where none are."""
    found = stranger_pictures(plan, experiment)
    if found is None:
        return {}
    drawn = {own.base: _dumped(own.prompt_set) for own, _ in found.drawn.values()}
    return {"strangers": {"version": step_version("calibrate"), "drawn": drawn}}


def _chosen_by(experiment: Experiment) -> dict[str, Any]:
    """What steps are chosen by, where some variant's are."""
    chosen = any(one.take == "best" for one in experiment.variants.values())
    return {"selection": _dumped(experiment.selection)} if chosen else {}


def _drawn_elsewhere(plan: Plan, experiment: Experiment) -> dict[str, Any]:
    """Which variants' prompt sets are drawn on another base than their own, and with what there;
    nothing where none is, so that older designs stay as they are."""
    found = {name: experiment.drawn_elsewhere(name) for name in experiment.variants}
    others = sorted({base for sets in found.values() for base in sets.values()})
    if not others:
        return {}
    return {
        "drawn_on": {name: sets for name, sets in found.items() if sets},
        "drawing": {base: _dumped(plan.drawing[base]) for base in others},
    }


def families_design(plan: Plan, spec: FamiliesSpec) -> dict[str, Any]:
    """What is claimed of families, how it is tested, and the designs of all their experiments."""
    own = spec.model_dump(mode="json", exclude_unset=True, exclude={"title", "question"})
    return own | {
        "families": list(spec.families),
        "experiments": {name: design_of(plan, plan.experiments[name]) for name in spec.families},
    }


def families_declaration(
    plan: Plan, name: str, spec: FamiliesSpec, config: Path, why: str = ""
) -> Declaration:
    """What is to be logged of the file config/families/<name>.yaml; see `declaration_of`."""
    each = [declaration_of(plan, plan.experiments[one], config) for one in spec.families]
    runs = {
        in_families(experiment, variant): own
        for experiment, one in zip(spec.families, each, strict=True)
        for variant, own in one.runs.items()
    }
    file = f"config/families/{name}.yaml"
    files = {file: sha256_file(config / "families" / f"{name}.yaml")}
    for one in each:
        files |= one.files
    return Declaration(families_design(plan, spec), runs, files, why or plan.why)


def design_hash(plan: Plan, experiment: str) -> str:
    """Hex SHA-256 of an experiment's design."""
    return spec_hash(design_of(plan, plan.experiments[experiment]))


def runs_of(experiment: Experiment) -> dict[str, list[int]]:
    """Variant -> its runs; the base has none."""
    return {name: list(one.runs) for name, one in experiment.variants.items() if one.loads}


def declaration_of(plan: Plan, experiment: Experiment, config: Path, why: str = "") -> Declaration:
    """What is to be logged of an experiment. config: the folder that its files lie in. why: a
    person's reason for what was changed; else what `--config why=...` says."""
    names = files_of(experiment, config)
    files = {f"config/{name}": sha256_file(config / name) for name in names}
    return Declaration(design_of(plan, experiment), runs_of(experiment), files, why or plan.why)


def files_of(experiment: Experiment, config: Path) -> list[str]:
    """The files below config/ that an experiment is made of: its own and those it is `like`, every
    recipe and judge that these name, its bases."""
    found = [f"experiments/{name}.yaml" for name in alike(config, experiment.name)]
    named = {text for name in found for text in _texts(_data(config / name))}
    found += [f"bases/{name}.yaml" for name in experiment.bases]
    for kind in ("recipes", "judges"):
        own = sorted(path.stem for path in (config / kind).glob("*.yaml"))
        found += [f"{kind}/{name}.yaml" for name in own if name in named]
    return [name for name in found if (config / name).is_file()]


def alike(config: Path, name: str) -> list[str]:
    """The experiment files that an experiment is made of: itself, what it is `like`, and so on."""
    found: list[str] = []
    following: str | None = file_of(config, name)
    while following and following not in found:
        found.append(following)
        following = _data(config / "experiments" / f"{following}.yaml").get("like")
    return found


def _data(path: Path) -> Mapping[str, Any]:
    document = read_document(path, Problems())
    return document.data if document else {}


def _texts(value: Any) -> set[str]:
    """The plain values of `recipe:` and `judge:` keys anywhere in a file."""
    if isinstance(value, list):
        return set().union(*map(_texts, value))
    if not isinstance(value, Mapping):
        return set()
    own = {text for key in ("recipe", "judge") if isinstance(text := value.get(key), str)}
    return own.union(*map(_texts, value.values()))


def _variant(variant: Variant) -> dict[str, Any]:
    given = {
        "base": variant.base,
        "runs": list(variant.runs) if variant.loads else None,
        "training": json.loads(variant.spec) if variant.train else None,
        "references": variant.references and variant.references.photos,
        "adapters": [list(one) for one in variant.adapters],
        "apart": [list(names) for names in variant.apart],
        "files": len(variant.files),
        "weight": variant.weight if variant.weight != 1 else None,
        "datasets": _datasets(variant),
        "pictures": variant.pictures,
        "take": variant.take if variant.take != "last" else None,
        "face_detail": variant.detail and _dumped(variant.detail),
    }
    return {key: value for key, value in given.items() if value}


def _datasets(variant: Variant) -> list[str]:
    shown = variant.references and variant.references.dataset
    names = variant.root, variant.dataset, variant.class_images, shown
    return sorted({name for name in names if name})


def _dataset(dataset: Dataset) -> dict[str, Any]:
    drawn, made, drawn_by_base = dataset.lab, dataset.made, dataset.class_images
    given = {
        "drawn": drawn and drawn.model_dump(mode="json", exclude_defaults=True),
        "composites": made and {"of": made.of, **_dumped(made.spec)},
        "class_images": drawn_by_base and _dumped(drawn_by_base.prompt_set),
        "preprocess": _dumped(dataset.preprocess),
        "captioner": dataset.caption.captioner and _dumped(dataset.caption.captioner),
    }
    return {key: value for key, value in given.items() if value}


def _base(base: Base) -> dict[str, Any]:
    def version() -> str | None:
        known = known_identity(base)
        return known and f"{part_version(architecture_of(base))} {known}"

    return _dumped(base) | {"version": _known(version)}


def _dumped(model: Any) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude_unset=True, by_alias=True)


def _known(find: Callable[[], str | None]) -> str | None:
    """What is found, or null where it is not on this computer."""
    try:
        return find()
    except (KindredError, OSError):
        return None
