"""Which bases can be trained on a GPU of a size, and which of them to take.

Asks the planner of memory, with the bases' shapes; downloads nothing and makes no network.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kindred.benchmarking.random_weights import SHAPES, Shape
from kindred.common.errors import KindredError, Problems, did_you_mean
from kindred.compute import memory_plan
from kindred.compute.memory_plan import MemoryDemand, MemoryPlan
from kindred.config.config_files import ConfigFiles
from kindred.models.lora.layer_ranks import other_ranks
from kindred.models.lora.target_layers import target_layers
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe

LAB = "lab"
PX = 512  # where a base's training defaults name no sizes


@dataclass(frozen=True)
class FittingBase:
    """A base that can be trained: resolutions, px, of those that its training defaults name; the
    memory plan of the largest (none on a CPU); its shape."""

    name: str
    base: Base
    recipe: Recipe
    resolutions: tuple[int, ...]
    plan: MemoryPlan | None
    shape: Shape | None

    @property
    def edge(self) -> int:
        """Of the largest photos, px."""
        return max(self.resolutions)


def fitting_bases(root: Path, memory_gib: float) -> list[FittingBase]:
    """Every base in config/bases that can be trained by its own training defaults on a card of so
    many GiB with no weights in main memory, those to prefer first."""
    files = ConfigFiles(root, Problems())
    found = (on_card(files, name, memory_gib) for name in sorted(files.names("bases")))
    return sorted(
        (one for one in found if one and one.plan and not one.plan.offloaded),
        key=lambda one: files.suggested[one.name] or sys.maxsize,
    )


def chosen_base(
    root: Path,
    memory_gib: float,
    name: str | None,
    fitting: Sequence[FittingBase] | None = None,
) -> FittingBase:
    """The base called `name`, or the one to prefer on a card of `memory_gib`. fitting: those that
    do, where they are planned already.

    Raises KindredError when there is no such base, or none fits.
    """
    files = ConfigFiles(root, Problems())
    if fitting is None:
        fitting = fitting_bases(root, memory_gib)
    if name is None:
        if not fitting:
            raise KindredError(
                f"no base can be trained on a card of {memory_gib:g} GiB",
                "--gpu",
                "use a larger card",
            )
        return fitting[0]
    if name not in files.names("bases"):
        cure = did_you_mean(name, files.names("bases"))
        raise KindredError(f"no file config/bases/{name}.yaml", "--base", cure)
    found = on_card(files, name, memory_gib)
    if found is None:
        raise KindredError(
            f"the base '{name}' has no training defaults that fit on a card of {memory_gib:g} GiB",
            "--base",
            f"remove --base, or use one of: {listed(fitting) or 'none'}",
        )
    return found


def on_card(files: ConfigFiles, name: str, memory_gib: float) -> FittingBase | None:
    """A base by its training defaults on such a card, at the resolutions that fit without weights
    in main memory, or else at the least with them; None where it has no defaults, or nothing
    fits."""
    base = files.base(name, "--base")
    defaults = files.defaults.get(name)
    shape = shape_of(name)
    if base is None or defaults is None or shape is None or name in files.distilled:
        return None
    recipe, edges = defaults.recipe(), sorted(defaults.resolutions or [PX])
    plans = {edge: _planned(base, recipe, shape, edge, memory_gib) for edge in edges}
    inside = [edge for edge, plan in plans.items() if plan and not plan.offloaded]
    edges = inside or [edge for edge, plan in plans.items() if plan][:1]
    if not edges:
        return None
    return FittingBase(name, base, recipe, tuple(edges), plans[edges[-1]], shape)


def lab_base(root: Path) -> FittingBase:
    """The miniature that is trained on a CPU."""
    files = ConfigFiles(root, Problems())
    base, recipe = files.base(LAB, "--base"), files.recipe("lab-character", "recipe", LAB)
    files.problems.raise_if_any()
    assert base is not None and recipe is not None
    return FittingBase(LAB, base, recipe, (128,), None, None)


def shape_of(name: str) -> Shape | None:
    """The shape of a base by its file's name: that of the longest beginning which is one's name."""
    fitting = [key for key in SHAPES if name == key or name.startswith(f"{key}-")]
    return SHAPES[max(fitting, key=len)] if fitting else None


def tokens_of(shape: Shape, edge: int) -> int:
    """Image tokens of a square picture."""
    return shape.known.tokens(*[edge // shape.known.latent_px] * 2)


def listed(bases: Sequence[FittingBase]) -> str:
    """Names for a person, with the largest size that fits."""
    return ", ".join(f"{one.name} ({one.edge} px)" for one in bases)


def _planned(
    base: Base, recipe: Recipe, shape: Shape, edge: int, memory_gib: float
) -> MemoryPlan | None:
    known = shape.known
    if known.activations is None:
        return None
    adapted = target_layers(shape.layout.names, recipe.targets, known)
    demand = MemoryDemand(
        shape=shape.layout,
        units=known.activations,
        adapted=frozenset(adapted),
        rank=recipe.rank,
        ranks=other_ranks(adapted, recipe),
        batch=recipe.batch,
        image_tokens=tokens_of(shape, edge),
        text_tokens=shape.tokens,
        quantization=base.quantization,
        optimizer=recipe.optimizer,
        compiled=True,
    )
    try:
        return memory_plan.plan(demand, memory_plan.usable(memory_gib))
    except KindredError:
        return None


def sizes(edge: int) -> Iterator[tuple[int, int]]:
    """[width, height] of a portrait, and of a picture of two and of three, px: of about `edge`
    squared, multiples of 64."""
    for ratio in (0.8, 1.25, 1.5):
        width = round(edge * ratio**0.5 / 64) * 64
        yield width, round(edge * edge / width / 64) * 64
