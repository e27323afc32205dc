"""Settings of a training that can't do what they say beside its other settings.

Mostly warnings, since the person may mean them; but a sweep over such a setting compares equal
trainings, and nothing else would ever say so. Problems where nothing is left to train on. Each
function looks at one recipe or selection and knows no photos: what depends on how many there are is
the audit's (data/audit/training_amounts.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kindred.common.errors import Problems
from kindred.common.sentences import counted, listing, percent
from kindred.config.lora_targets import Targets, hashable, layers_or_fault, pattern_fault
from kindred.config.plan import Variant
from kindred.config.yaml_document import Document
from kindred.models.architectures.interface import Architecture
from kindred.models.architectures.layout import LayerShape, NetworkLayout
from kindred.models.identity import architecture_of
from kindred.models.local_network import LocalNetwork
from kindred.models.lora.layer_ranks import by_pattern
from kindred.specs.dataset import Misfit
from kindred.specs.training import Recipe, Selection
from kindred.training.ema_decay import decay_at
from kindred.training.kept_states import why_none

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles

PRODIGY_RATES = (0.1, 10.0)
USUAL_CHECKPOINTS = Recipe.model_fields["checkpoint_every"].default


@dataclass(frozen=True)
class Contradiction:
    """What is wrong, the key to correct, and how. stops: the training can't be done at all."""

    what: str
    key: str
    advice: str
    stops: bool = False


def warn_of_contradictions(
    document: Document, variants: Sequence[Variant], config_files: ConfigFiles
) -> tuple[Misfit, ...]:
    """The contradictions in what variants are trained by, each noted once as a warning, however
    many variants have it."""
    same: dict[Contradiction, str] = {}
    trained: dict[tuple[str, Targets], list[LayerShape]] = {}
    for variant in variants:
        if variant.train is None:
            continue
        recipe, network = variant.train.recipe, config_files.network(variant.base)
        found = [*of_recipe(recipe), *of_selection(variant.train.selection), *_of_kinds(variant)]
        if variant.base in config_files.distilled:
            found.append(_of_distilled(variant.base))
        if network is not None:
            key = (variant.base, hashable(recipe.targets))
            if key not in trained:
                architecture = architecture_of(variant.train.base, config_files.root)
                trained[key] = _trained(network.layout, recipe, architecture)
            found += of_base(recipe, variant.base, network, trained[key])
        for one in found:
            same.setdefault(one, variant.name)
    return tuple(_noted(document, one, name, config_files.problems) for one, name in same.items())


def _of_distilled(base: str) -> Contradiction:
    return Contradiction(
        f"trains on the base '{base}', which is distilled to few steps; training undoes the "
        "distillation",
        "base",
        "train on the base that it was distilled from, and draw on this one with `draw_on`; or "
        "set `training_adapter` in this base's file",
    )


def _noted(document: Document, one: Contradiction, variant: str, problems: Problems) -> Misfit:
    at = ("variants", variant)
    misfit = Misfit(where=".".join(at), what=one.what, key=one.key, advice=one.advice)
    note = problems.add if one.stops else problems.warn
    note(document.where(*at), misfit.what, misfit.cure)
    return misfit


def of_recipe(recipe: Recipe) -> Iterator[Contradiction]:
    """What in a recipe can't be so in so many steps, or has no effect beside its other values."""
    yield from _of_schedule(recipe)
    yield from _of_average(recipe)
    if recipe.checkpoint_every > max(recipe.steps, USUAL_CHECKPOINTS):
        yield Contradiction(
            f"saves a checkpoint every {recipe.checkpoint_every} steps but trains only "
            f"{recipe.steps}, so it saves none and starts over if it is stopped",
            "checkpoint_every",
            f"set `checkpoint_every` below {recipe.steps}, or remove it",
        )
    yield from _of_kept_steps(recipe)
    if recipe.keep_state and (why := why_none(recipe)):
        yield Contradiction(
            f"`keep_state` keeps nothing: {why}",
            "keep_state",
            "set `schedule: constant`, or remove `keep_state`",
        )
    if recipe.caption_dropout == 1:
        yield Contradiction(
            "trains without any caption (`caption_dropout: 1`), so it learns no name",
            "caption_dropout",
            "set `caption_dropout` to a small value, e.g. 0.05",
        )
    if recipe.adapter_type == "lora" and recipe.lokr_factor is not None:
        yield Contradiction(
            f"`lokr_factor: {recipe.lokr_factor}` has no effect on a LoRA",
            "lokr_factor",
            "set `adapter_type: lokr`, or remove `lokr_factor`",
        )
    low, high = PRODIGY_RATES
    if recipe.optimizer == "prodigy" and not low <= recipe.lr <= high:
        yield Contradiction(
            f"sets `lr: {recipe.lr:g}` for prodigy, which finds its own learning rate and "
            "multiplies it by `lr`",
            "lr",
            "set `lr: 1`",
        )
    yield from _of_noise_levels(recipe)
    yield from _of_weighting(recipe)


def _of_kept_steps(recipe: Recipe) -> Iterator[Contradiction]:
    """Steps that are kept of a training which does not reach them, or has none but its last."""
    asked = recipe.keep if isinstance(recipe.keep, list) else []
    if beyond := sorted({step for step in asked if step > recipe.steps}):
        steps = listing(map(str, beyond))
        yield Contradiction(
            f"keeps step {steps}, but its last step is {recipe.steps}",
            "keep",
            f"name steps below {recipe.steps} in `keep`, or raise `steps`",
        )
    elif recipe.keep is not None and len(recipe.series) == 1:
        yield Contradiction(
            f"keeps only the adapter of its last step, {recipe.steps}",
            "keep",
            f"set `keep: {{every: {max(1, recipe.steps // 8)}}}`, or remove `keep`",
        )


def _of_schedule(recipe: Recipe) -> Iterator[Contradiction]:
    warmup, steps = recipe.warmup, recipe.steps
    if 2 * warmup <= steps:
        return
    said = f"warms up for {warmup} of its {counted(steps, 'step')}"
    if warmup > steps:
        said += f", so the learning rate ends at {percent(steps / warmup)} of `lr`"
    elif recipe.schedule != "constant":
        said += f", so `schedule: {recipe.schedule}` has {counted(steps - warmup, 'step')} left"
    elif warmup == steps:
        said += ", so the learning rate reaches `lr` only in the last step"
    advice = f"set `warmup` to {steps // 10} (a tenth of `steps`), or raise `steps`"
    yield Contradiction(said, "warmup", advice)


def _of_average(recipe: Recipe) -> Iterator[Contradiction]:
    """The average follows quickly at first, whatever its decay: see `decay_at`."""
    if recipe.ema is None:
        return
    reached = decay_at(recipe.steps - 1, recipe.ema)
    if reached < recipe.ema:
        yield Contradiction(
            f"averages weights with a decay of {recipe.ema:g}, but in "
            f"{counted(recipe.steps, 'step')} the decay reaches only {reached:.4g}; any larger "
            "value trains the same",
            "ema",
            f"set `ema` to {math.floor(100 * reached) / 100:g} or less, or raise `steps`",
        )


def _of_noise_levels(recipe: Recipe) -> Iterator[Contradiction]:
    """Parameters of one distribution of noise levels beside another one."""
    fields = Recipe.model_fields
    for key, of in (
        ("logit_mean", "logit-normal"),
        ("logit_std", "logit-normal"),
        ("mode_scale", "mode"),
        ("shift", "shifted"),
    ):
        value = getattr(recipe, key)
        if value != fields[key].default and recipe.timesteps != of:
            yield Contradiction(
                f"`{key}: {value:g}` has no effect: it belongs to `timesteps: {of}`, and "
                f"`timesteps` is {recipe.timesteps}",
                key,
                f"set `timesteps: {of}`, or remove `{key}`",
            )


def _of_weighting(recipe: Recipe) -> Iterator[Contradiction]:
    """1 / sigma^2 has no finite mean where levels near 0 are not rare."""
    even = recipe.timesteps in ("uniform", "mode")
    if recipe.weighting_scheme == "sigma_sqrt" and even and recipe.min_timestep == 0:
        yield Contradiction(
            "`weighting_scheme: sigma_sqrt` divides by the square of the noise level, and "
            f"`timesteps: {recipe.timesteps}` draws levels near 0, so single steps outweigh all "
            "others",
            "weighting_scheme",
            "set `min_timestep: 50`, or `timesteps: sigmoid`",
        )


def of_selection(selection: Selection) -> Iterator[Contradiction]:
    """What in a selection chooses nothing beside its other values."""
    cells, counts = selection.cells, selection.per_cell
    letters = {letter for cell in cells or () for letter in cell.split("+")}
    if cells is not None and (lost := sorted(set(selection.characters or ()) - letters)):
        yield Contradiction(
            f"`characters` lists {listing(lost)}, who is in none of the `cells`",
            "cells",
            "add a cell with this character, or remove the letter",
        )
    if _is_nothing(counts, cells):
        yield Contradiction(
            "`per_cell` takes 0 photos of a cell, so nothing is left to train on",
            "per_cell",
            "write 1 or more, or remove `per_cell`",
            stops=True,
        )
    if cells is not None and isinstance(counts, dict) and (lost := sorted({*counts} - {*cells})):
        yield Contradiction(
            f"`per_cell` gives a number for {listing(lost)}, which `cells` leaves out",
            "per_cell",
            "add it to `cells`, or remove it from `per_cell`",
        )


def _is_nothing(counts: int | dict[str, int] | None, cells: list[str] | None) -> bool:
    """Whether no photo of any cell is taken; cells without a count are taken whole."""
    if isinstance(counts, dict):
        return cells is not None and all(counts.get(cell) == 0 for cell in cells)
    return counts == 0


def _of_kinds(variant: Variant) -> Iterator[Contradiction]:
    """Kinds of pictures that a variant does not make."""
    assert variant.train is not None
    wanted = variant.train.selection.kinds
    if wanted is None:
        return
    spec = variant.made.spec if variant.made else None
    there = {"photo": True, "composed": spec and spec.compose, "cropped": spec and spec.crop}
    lost = [kind for kind in wanted if not there[kind]]
    if lost:
        nothing = len(lost) == len(wanted)
        yield Contradiction(
            f"`kinds` asks for {listing(lost)} pictures, but the variant makes none"
            f"{', so nothing is left to train on' if nothing else ''}",
            "kinds",
            "set `compose` (for composed) or `crop` (for cropped), or remove them from `kinds`",
            stops=nothing,
        )


def of_base(
    recipe: Recipe, base: str, network: LocalNetwork, trained: Sequence[LayerShape]
) -> Iterator[Contradiction]:
    """What in a recipe has no use on a network. trained: the layers that it trains, those with the
    shortest sides first."""
    if recipe.adapter_type == "lora":  # a LoKr's rank may be any: beyond a size it means none
        yield from _of_rank(recipe, base, trained)
    usual = Recipe.model_fields["train_guidance"].default
    if recipe.train_guidance != usual and not network.takes_guidance:
        yield Contradiction(
            f"`train_guidance: {recipe.train_guidance:g}` has no effect: the base '{base}' has no "
            "guidance input",
            "train_guidance",
            "remove it",
        )


def _of_rank(recipe: Recipe, base: str, trained: Sequence[LayerShape]) -> Iterator[Contradiction]:
    """A rank above a layer's shorter side; once for `rank` and once for `rank_pattern`."""
    patterns = tuple((recipe.rank_pattern or {}).items())
    names = tuple(layer.name for layer in trained) if patterns else ()
    if not trained or (patterns and pattern_fault(names, "rank_pattern", patterns)):
        return  # targets or patterns are a problem of their own
    other = by_pattern(names, dict(patterns), "rank_pattern")
    told: dict[str, tuple[LayerShape, int]] = {}
    for layer in trained if patterns else trained[:1]:
        key = "rank_pattern" if layer.name in other else "rank"
        rank = other.get(layer.name, recipe.rank)
        if rank > _side(layer):
            told.setdefault(key, (layer, rank))
    for key, (layer, rank) in told.items():
        yield Contradiction(
            f"has rank {rank}, but {layer.name} of the base '{base}' is {layer.inputs} x "
            f"{layer.outputs}, and no rank can exceed the shorter side",
            key,
            f"set `{key}` to at most {_side(layer)}; 4 to 64 are usual",
        )


def _trained(layout: NetworkLayout, recipe: Recipe, architecture: Architecture) -> list[LayerShape]:
    """The layers that a recipe trains, those with the shortest sides first; none where its targets
    are a problem of their own."""
    chosen = layers_or_fault(layout.names, hashable(recipe.targets), architecture)
    if not isinstance(chosen, frozenset):
        return []
    return sorted((layer for layer in layout.layers if layer.name in chosen), key=_side)


def _side(layer: LayerShape) -> int:
    """The shorter one."""
    return min(layer.inputs, layer.outputs)
