"""By which prompts the kept steps of trainings are compared, and which variants take the best one.

The prompts stand apart from the prompt sets: verdicts never use what a step was chosen by. Knows
one experiment file; knows nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kindred.common.errors import Problems
from kindred.config.plan import Variant
from kindred.config.prompts_and_hypotheses import casts_of, resolve_prompt_set
from kindred.config.user_schema import ExperimentConfig
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.specs.casts import WORDINGS, AskedCast
from kindred.specs.rendering import PromptSet
from kindred.specs.step_series import SELECTION


def selection_prompts(
    document: Document,
    config: ExperimentConfig,
    prompt_sets: Mapping[str, PromptSet],
    problems: Problems,
) -> tuple[PromptSet | None, dict[str, AskedCast]]:
    """The prompts that steps are chosen by, with their casts; (None, {}) without any. Casts are
    worded in other ways than in prompt sets, so that neither words nor noise are the same."""
    written, at = config.selection, (SELECTION,)
    if written is None:
        return None, {}
    if SELECTION in config.prompt_sets:
        problems.add(
            document.where("prompt_sets", SELECTION),
            "this name is reserved for the prompts that choose a step",
            "choose another name",
        )
    if written.draw_on:
        where = document.where(*at, "draw_on")
        problems.add(
            where,
            "`draw_on` can't be set here: kept steps are drawn on the same base as their variants",
            "remove `draw_on`",
        )
    who = config.characters
    made = casts_of(document, at, written, who, problems, first=len(WORDINGS))
    prompts = resolve_prompt_set(document, at, written, who, made, problems)
    if prompts:
        _check_apart(document, prompts, prompt_sets, problems)
    return prompts, {name: one.cast for name, one in made.items()}


def _check_apart(
    document: Document,
    selection: PromptSet,
    prompt_sets: Mapping[str, PromptSet],
    problems: Problems,
) -> None:
    """Note a text that steps are chosen by and variants are compared by as well."""
    for name, asked in prompt_sets.items():
        if both := sorted({*asked.texts().values()} & {*selection.texts().values()}):
            problems.add(
                document.where(SELECTION),
                f"asks for '{both[0]}', as the prompt set '{name}' does; the chosen step would "
                "look better there than it is",
                "use other words in one of the two",
            )


def with_taken_steps(
    document: Document,
    config: ExperimentConfig,
    settings: Iterable[Settings],
    variants: Mapping[str, Variant],
    problems: Problems,
) -> dict[str, Variant]:
    """The variants with which of their steps is their result; every problem is noted."""
    found = dict(variants)
    for one in settings:
        take, variant = one.values.get("take"), variants.get(one.name)
        if take in (None, "last") or variant is None or variant.train is None:
            continue
        where = document.where(*one.at("take"))
        if len(variant.train.recipe.series) < 2:
            problems.add(
                where,
                f"'{one.name}' keeps only its last step, so there is nothing to choose from",
                f"set `keep: {{every: {max(1, variant.train.recipe.steps // 8)}}}`",
            )
        if take == "held_out" and not variant.holds_out:
            problems.add(
                where,
                "no photo is held out, so there is no loss to choose a step by",
                "set `held_out: 1`",
            )
        if take == "best" and (config.selection is None or config.judge is None):
            lacking = "selection" if config.selection is None else "judge"
            problems.add(
                where,
                f"choosing a step needs `{lacking}:`, which is not set",
                "add it to the experiment",
            )
        found[one.name] = replace(variant, take=take)
    return found
