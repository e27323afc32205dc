"""What scoring and comparing are told: slices of a plan for everything that follows the pictures.

Knows which slice goes to which step (a slice more would rerun that step needlessly); knows nothing
of rules or jobs. Nothing here reaches training or rendering.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

from kindred.characters.cells import cell_name
from kindred.characters.trigger_words import letters_in
from kindred.config.plan import Experiment, Plan, Variant
from kindred.specs.judge import JudgeSpec
from kindred.specs.power import AskedPrompts, PowerSpec
from kindred.specs.scoring import (
    ComparedVariant,
    CompareSpec,
    ReferenceSpec,
    ScoreSpec,
    VectorSpec,
    settings_hash,
)
from kindred.specs.step_series import SELECTION, SeriesOfSteps, SeriesSpec


def reference_spec(experiment: Experiment) -> ReferenceSpec:
    """Whose reference photos are looked for, in which datasets."""
    return ReferenceSpec(
        judge=_judge(experiment),
        characters=experiment.named,
        datasets=experiment.references,
        **({"shown": experiment.shown} if experiment.shown else {}),
    )


def score_spec(experiment: Experiment, variant: str, prompt_set: str) -> ScoreSpec:
    """What one variant's pictures of a prompt set are scored by."""
    return _score_spec(experiment, prompt_set, trained_on=experiment.trained_on(variant))


def drawn_score_spec(experiment: Experiment, prompt_set: str) -> ScoreSpec:
    """What the world's own drawings for a prompt set are scored by: they copy nothing."""
    return _score_spec(experiment, prompt_set)


def series_spec(experiment: Experiment) -> SeriesSpec:
    """What kept steps are compared by, of all variants that keep any."""
    chosen = [one for one in experiment.trained if one in experiment.in_series or one.holds_out]
    variants = {one.name: _series(one) for one in chosen if one.train and one.train.recipe.series}
    return _series_spec(experiment, variants, bool(experiment.in_series))


def choice_spec(experiment: Experiment, variant: Variant, run: int) -> SeriesSpec:
    """What the step that a run of a variant takes is chosen by."""
    by_loss = variant.take == "held_out"
    one = _series(variant, run, losses=by_loss)
    return _series_spec(experiment, {variant.name: one}, not by_loss)


def _series_spec(
    experiment: Experiment, variants: dict[str, SeriesOfSteps], judged: bool
) -> SeriesSpec:
    """judged: whether steps are compared by their pictures."""
    given: dict[str, Any] = {}
    if judged and experiment.selection:
        given |= {"judge": _judge(experiment), "prompts": experiment.selection.texts()}
        given |= {"casts": experiment.selection_casts} if experiment.selection_casts else {}
    return SeriesSpec(
        experiment=experiment.name, characters=experiment.named, variants=variants, **given
    )


def _series(variant: Variant, run: int | None = None, losses: bool = True) -> SeriesOfSteps:
    """The kept steps of all runs of a variant, or of one; `losses`: with those, where known."""
    return SeriesOfSteps(
        runs=list(variant.runs) if run is None else [run],
        steps=variant.train.recipe.series if variant.train else [],
        **({} if variant.take == "last" else {"take": variant.take}),
        **({"held_out": True} if losses and variant.holds_out else {}),
    )


def _score_spec(experiment: Experiment, prompt_set: str, **given: Any) -> ScoreSpec:
    asked = experiment.selection_casts if prompt_set == SELECTION else {}
    if casts := experiment.casts.get(prompt_set, asked):
        given["casts"] = casts
    return ScoreSpec(judge=_judge(experiment), characters=experiment.named, **given)


def vector_spec(experiment: Experiment, dataset: str) -> VectorSpec:
    """Of which pictures vectors are made."""
    return VectorSpec(judge=_judge(experiment), dataset=dataset)


def vectors_trained_on(experiment: Experiment, variant: str) -> list[str]:
    """The vectors of what a variant is trained on."""
    return _vectors(experiment, [part.dataset for part in experiment.trained_on(variant)])


def vectors_compared(experiment: Experiment) -> list[str]:
    """The vectors of all that variants are trained on, and of photos that nothing is trained on."""
    trained = [part.dataset for name in experiment.variants for part in experiment.trained_on(name)]
    return _vectors(experiment, [*trained, *experiment.held_out.values()])


def _vectors(experiment: Experiment, datasets: Iterable[str]) -> list[str]:
    names = sorted(set(datasets))
    return [f"results/{experiment.name}/vectors/{name}.json" for name in names]


def compare_spec(experiment: Experiment) -> CompareSpec:
    """The whole experiment as far as figures and verdicts depend on it."""
    given: dict[str, Any] = {"casts": experiment.casts} if experiment.casts else {}
    return CompareSpec(
        experiment=experiment.name,
        title=experiment.title,
        question=experiment.question,
        judge=_judge(experiment),
        characters=experiment.named,
        variants={name: _compared(v, experiment) for name, v in experiment.variants.items()},
        prompt_sets={name: asked.texts() for name, asked in experiment.prompt_sets.items()},
        hypotheses=experiment.hypotheses,
        **given,
    )


def power_spec(experiment: Experiment) -> PowerSpec:
    """The design, as far as hypotheses go: another variant or prompt set changes nothing."""
    asked = experiment.hypotheses.values()
    names = sorted({name for one in asked for name in (one.variant, one.against)})
    return PowerSpec(
        experiment=experiment.name,
        hypotheses=experiment.hypotheses,
        runs={name: trainings(experiment.variants[name]) for name in names},
        prompt_sets={
            name: asked_prompts(experiment, name) for name in sorted({h.prompt_set for h in asked})
        },
    )


def trainings(variant: Variant) -> int:
    """How many adapters a variant has, each a run; the base has none."""
    return len(variant.runs) if variant.loads else 0


def asked_prompts(experiment: Experiment, name: str) -> AskedPrompts:
    prompt_set, casts = experiment.prompt_sets[name], experiment.casts.get(name)
    if casts:
        found = {prompt: cast.name for prompt, cast in casts.items()}
    else:
        texts, who = prompt_set.texts(), experiment.characters
        found = {prompt: cell_name(letters_in(text, who)) for prompt, text in texts.items()}
    return AskedPrompts(
        pictures={one: len(prompt_set.full(one).seeds or ()) for one in prompt_set.prompts},
        asked=found,
        **({"casts": True} if casts else {}),
    )


def judged(plan: Plan) -> list[Experiment]:
    """The experiments that have a judge."""
    return [experiment for experiment in plan.experiments.values() if experiment.judge]


def scores_of(experiment: Experiment) -> list[str]:
    """The score files of all variants, runs and prompt sets."""
    return [
        f"results/{experiment.name}/{variant.name}/run-{run}/scores/{name}.csv"
        for variant in experiment.variants.values()
        for run in variant.runs
        for name in experiment.prompt_sets
    ]


def provenance_of(experiment: Experiment) -> list[str]:
    """What lies beside the score files: which code drew and scored."""
    return [str(Path(file).with_suffix(".json")) for file in scores_of(experiment)]


def trainings_of(experiment: Experiment) -> list[str]:
    """The summaries of all trainings."""
    return [
        f"results/{experiment.name}/{variant.name}/run-{run}/lora.json"
        for variant in experiment.trained
        for run in variant.runs
    ]


def plain_pictures(experiment: Experiment, variant: str, prompt_set: str) -> list[str]:
    """The base's pictures of a prompt set, for drift: where a variant is more than the base and
    some prompt names nobody."""
    own = experiment.variants[variant]
    texts = experiment.prompt_sets[prompt_set].texts().values()
    named = all(letters_in(text, experiment.characters) for text in texts)
    if named or not (own.loads or own.references) or own.pictures:
        return []
    drawn = own.base, own.draw_on
    others = (v for v in experiment.variants.values() if not v.pictures)
    plain = (v for v in others if not (v.loads or v.references))
    base = next(v for v in plain if (v.base, v.draw_on) == drawn)
    return [f"results/{experiment.name}/{base.name}/run-1/images/{prompt_set}.json"]


def ratings_of(experiment: str, root: Path = Path(".")) -> list[str]:
    """What people's ratings were saved as: beside the experiment file, where `rm -rf results`
    leaves them alone."""
    folder = root / "config" / "experiments"
    return sorted(
        path.relative_to(root).as_posix() for path in folder.glob(f"{experiment}.ratings*.csv")
    )


def _judge(experiment: Experiment) -> JudgeSpec:
    if experiment.judge is None:
        raise ValueError(f"experiment {experiment.name} has no judge")
    return experiment.judge


def _compared(variant: Variant, experiment: Experiment) -> ComparedVariant:
    given: dict[str, Any] = {
        "dataset": variant.root,
        "control": _control(variant, experiment),
        "spec": settings_hash(variant.spec, variant.take) if variant.train else None,
        "take": "" if variant.take == "last" else variant.take,
        "only": _only(variant),
        "trained_on": experiment.trained_on(variant.name),
        "held_out": experiment.held_out_for(variant.name),
        "drawn_on": experiment.drawn_elsewhere(variant.name),
        "references": variant.references and variant.references.photos,
        "detail_of": variant.detail and variant.detail.of,
    }
    return ComparedVariant(
        kind=_kind(variant),
        base=variant.base,
        runs=list(variant.runs),
        **{key: value for key, value in given.items() if value},
    )


def _kind(variant: Variant) -> str:
    """What draws: adapters trained here, those of others, photos shown to the base, somebody else,
    or the base alone."""
    if variant.pictures:
        return "pictures"
    if variant.train:
        return "trained"
    return "loaded" if variant.loads else "references" if variant.references else "base"


def _only(variant: Variant) -> str | None:
    """The character that a LoRA is of, if it is of one alone."""
    if variant.train is None:
        return None
    letters = variant.train.selection.learned(variant.train.characters)
    return letters.pop() if len(letters) == 1 else None


def _control(variant: Variant, experiment: Experiment) -> str:
    """What a variant is a control of: broken on purpose, another one again, or the base alone."""
    if variant.references or variant.pictures:
        return ""
    if not variant.loads:
        return "base"
    if variant.train is None:
        return ""
    if variant.train.pairing != "matched":
        own = _but_pairing(variant)
        plain = (other for other in experiment.trained if _but_pairing(other) == own)
        others = (other.name for other in plain if other.train.pairing == "matched")
        return " of ".join(["scrambled", *islice(others, 1)])
    for other in experiment.trained:
        if other.name == variant.name:
            return ""
        # The same runs are the same adapters: they can't but read as equal.
        how = (variant.spec, variant.draw_on, variant.take)
        drawn_alike = (other.spec, other.draw_on, other.take) == how
        if drawn_alike and not variant.shares_runs(other):
            return f"null of {other.name}"
    return ""


def _but_pairing(variant: Variant) -> dict[str, Any]:
    """What is trained, whichever captions stand with which photos."""
    return {key: value for key, value in json.loads(variant.spec).items() if key != "pairing"}
