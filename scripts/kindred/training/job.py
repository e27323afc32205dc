"""One training as it is asked for: what it reads, checked, and the key its adapter lies under.

Imports no torch, so that a training whose adapter is in the store takes no time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from kindred.common.files import read_json
from kindred.models.opened_base import OpenedBase, open_base
from kindred.specs.training import TrainSpec
from kindred.training import adapter_store, kept_states
from kindred.training.kept_steps import KeptSteps
from kindred.training.live_log import LiveLog
from kindred.training.samples import Samples
from kindred.training.training_data import (
    DataSource,
    TrainingFiles,
    held_out_source,
    load_sources,
)


@dataclass(frozen=True)
class TrainingJob:
    """One run of a variant. facts: everything that its adapter and its log depend on. files: what
    it reads. held_out: photos that it does not train on, for their loss."""

    spec: TrainSpec
    run: int
    out_dir: Path
    base: OpenedBase
    sources: Sequence[DataSource]
    facts: dict[str, Any]
    files: TrainingFiles
    held_out: DataSource | None = None

    @classmethod
    def read(cls, spec: TrainSpec, run: int, files: TrainingFiles, out_dir: Path) -> TrainingJob:
        """Read and check what it trains on. Raises KindredError (or ProblemsError, listing all)
        for what is missing or does not match."""
        sources = load_sources(spec, files, run)
        held_out = held_out_source(spec, files)
        base = open_base(spec.base)
        known = [*sources, held_out] if held_out else sources
        facts = adapter_store.training_facts(spec, run, known, base)
        return cls(spec, run, out_dir, base, sources, facts, files, held_out)

    def for_run(self, run: int, out_dir: Path) -> TrainingJob:
        """The same with another run's seed, where that changes no pairs."""
        return replace(self, run=run, out_dir=out_dir, facts=self.facts | {"run": run})

    def keeping(self, steps: Sequence[int]) -> TrainingJob:
        """The same with the adapters of these steps kept besides its own."""
        both = sorted({*self.spec.recipe.series, *steps})
        if both == self.spec.recipe.series:
            return self
        recipe = self.spec.recipe.model_copy(update={"keep": both})
        return replace(self, spec=self.spec.model_copy(update={"recipe": recipe}))

    @cached_property
    def key(self) -> str:
        """Of the finished adapter and of its checkpoints."""
        return adapter_store.training_key(self.facts)

    @cached_property
    def state_key(self) -> str:
        """Of the last states of all trainings that differ in `steps` alone."""
        settings = adapter_store.settings_hash(self.spec, {"steps"})
        return adapter_store.training_key({**self.facts, "spec_hash": settings})

    @cached_property
    def samples(self) -> Samples | None:
        """The pictures that it draws on its way; None where it draws none."""
        file, texts = self.files.samples, self.files.sample_texts
        if file is None or texts is None:
            return None
        steps = self.spec.recipe.steps
        return Samples.of(file, texts, self.base, self.out_dir, self.key, steps)

    def tell_finished(self) -> None:
        """Have the live page know that its adapter lies in its folder."""
        if self.samples:
            self.samples.remove_others()
        LiveLog(self.out_dir, self.spec.recipe.steps, self.samples).finish()

    def states(self, checkpoints: Path) -> list[Path]:
        """States of equal or shorter trainings from which this one goes on, oldest first. Says
        where none can be kept, or the newest can't be gone on from."""
        recipe = self.spec.recipe
        if why := kept_states.why_none(recipe):
            if recipe.keep_state:
                print(f"no state is kept: {why}", file=sys.stderr)
            return []
        folder = checkpoints / kept_states.STATES / self.state_key
        return kept_states.states_up_to(folder, recipe.steps)

    def state_lost(self) -> str:
        """What to say of a finished training that was to keep its state, and did not."""
        told = read_json(self.out_dir / "lora.json")
        if not self.spec.recipe.keep_state or "state" in told:
            return ""
        return "; it kept no state, so a longer training starts from the beginning"

    def kept_steps(self, store: Path) -> KeptSteps:
        """Those of its adapters that are kept on the way."""
        return KeptSteps(store, self.facts, self.spec.recipe.series[:-1])

    def is_there(self, store: Path) -> bool:
        """Whether the store has its adapter whole, and all that are kept on the way."""
        return adapter_store.has(store, self.key) and not self.kept_steps(store).lacking()

    def fetch(self, store: Path) -> bool:
        """Copy the finished adapter to `out_dir`; False when the store lacks it, or one that is
        kept on the way."""
        return self.is_there(store) and adapter_store.fetch(store, self.key, self.out_dir)
