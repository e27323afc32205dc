"""The small files that experiments name: bases, recipes and judges, each read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from kindred.common.errors import KindredError, Problems, did_you_mean
from kindred.common.files import read_json
from kindred.config.base_config import (
    DEFAULTS,
    BaseConfig,
    DrawingDefaults,
    Fits,
    TrainingDefaults,
)
from kindred.config.yaml_document import read_document
from kindred.models.architectures.interface import Architecture, Guidance
from kindred.models.identity import INDEX, architecture_of
from kindred.models.local_network import LocalNetwork, local_network, small_file
from kindred.models.training_adapter import KEY, note_faults
from kindred.specs.base_model import Base
from kindred.specs.comfyui import ComfyFiles
from kindred.specs.judge import JudgeSpec
from kindred.specs.spec_model import SpecModel
from kindred.specs.training import Recipe

Model = TypeVar("Model", bound=SpecModel)


@dataclass
class ConfigFiles:
    """The small files that experiments name: bases, recipes and judges, each read once. `config`:
    the folder they lie in, where it is not config/ below `root`."""

    root: Path
    problems: Problems
    bases: dict[str, Base] = field(default_factory=dict)
    fits: dict[str, Fits] = field(default_factory=dict)
    defaults: dict[str, TrainingDefaults | None] = field(default_factory=dict)
    siblings: dict[str, str | None] = field(default_factory=dict)
    drawing: dict[str, DrawingDefaults] = field(default_factory=dict)
    comfyui: dict[str, ComfyFiles | None] = field(default_factory=dict)
    downloads: dict[str, float | None] = field(default_factory=dict)
    gated: dict[str, str | None] = field(default_factory=dict)
    suggested: dict[str, int | None] = field(default_factory=dict)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    judges: dict[str, JudgeSpec] = field(default_factory=dict)
    config: Path | None = None

    def __post_init__(self) -> None:
        self.folder = self.config or self.root / "config"
        self._broken: set[tuple[str, str]] = set()
        self._networks: dict[str, LocalNetwork | None] = {}

    def names(self, kind: str) -> set[str]:
        """What config/<kind> holds."""
        return {path.stem for path in (self.folder / kind).glob("*.yaml")}

    def base(self, name: str, where: str) -> Base | None:
        """A base by its file name."""
        if name not in self.bases and (found := self._read("bases", name, BaseConfig, where)):
            self.bases[name], self.fits[name] = found.base(), found.fits
            self.defaults[name] = found.training_defaults
            self.downloads[name], self.gated[name] = found.download_gib, found.gated
            self.suggested[name] = found.suggested
            self.siblings[name], self.drawing[name] = found.fast_sibling, found.drawing_defaults
            self.comfyui[name] = found.comfyui
            place = f"{self.folder / 'bases' / name}.yaml"
            self._note_training_adapter(name, place)
        return self.bases.get(name)

    def _note_training_adapter(self, name: str, place: str) -> None:
        try:
            note_faults(self.bases[name], self.root, f"{place}: {KEY}", self.problems)
        except KindredError:  # of no known architecture, which is said elsewhere
            return

    def network(self, name: str) -> LocalNetwork | None:
        """A base's transformer; None where its configuration can't be read on this computer, which
        is said when the base is loaded."""
        if name not in self._networks and name in self.bases:
            base = self.bases[name]
            try:
                architecture = architecture_of(base, self.root)
                found = local_network(base.model, base.revision, architecture, self.root)
            except KindredError:
                found = None
            self._networks[name] = found
        return self._networks.get(name)

    @property
    def distilled(self) -> set[str]:
        """Bases that others' adapters are drawn on in few steps, and that training would change
        back, because nothing is fused into them meanwhile."""
        given = {name for name, usual in self.drawing.items() if usual.model_fields_set}
        return {name for name in given if self.bases[name].training_adapter is None}

    def architecture(self, name: str) -> Architecture | None:
        """A base's architecture; None where it can't be told here."""
        try:
            return architecture_of(self.bases[name], self.root) if name in self.bases else None
        except KindredError:
            return None

    def guidance(self, name: str, architecture: Architecture) -> Guidance:
        """How a base follows its prompt, by those of its small files that are on this computer."""
        base, found = self.bases[name], []
        for part in (INDEX, f"{architecture.parts.network.folder}/config.json"):
            file = small_file(base.model, base.revision, part, self.root)
            found.append(read_json(file) if file else {})
        return architecture.guidance(*found)

    def usual_guidance(self, name: str) -> float | None:
        """The scale that a base draws at where a prompt set says none; None where it can't be
        told."""
        architecture = self.architecture(name)
        return architecture and architecture.default_guidance

    def recipe(self, name: str, where: str, base: str) -> Recipe | None:
        """A recipe by its file name, or the training defaults of a base that was read."""
        if name == DEFAULTS:
            return self._defaults(base, where)
        if name not in self.recipes and (recipe := self._read("recipes", name, Recipe, where)):
            self.recipes[name] = recipe
        return self.recipes.get(name)

    def _defaults(self, base: str, where: str) -> Recipe | None:
        if base not in self.bases:
            return None
        found = self.defaults[base]
        if (self.folder / "recipes" / f"{DEFAULTS}.yaml").exists():
            what = (
                f"config/recipes/{DEFAULTS}.yaml is never read, because `{DEFAULTS}` means the "
                "base's training defaults"
            )
            self.problems.add(where, what, "rename the file, and write its new name here")
        elif found is None:
            what = f"the base '{base}' has no `training_defaults`"
            cure = (
                "name a recipe in config/recipes, or add `training_defaults` to "
                f"config/bases/{base}.yaml"
            )
            self.problems.add(where, what, cure)
        return found and found.recipe()

    def judge(self, name: str, where: str) -> JudgeSpec | None:
        """A judge by its file name."""
        if name not in self.judges and (judge := self._read("judges", name, JudgeSpec, where)):
            self.judges[name] = judge
        return self.judges.get(name)

    def _read(self, kind: str, name: str, model: type[Model], where: str) -> Model | None:
        if (kind, name) in self._broken:
            return None
        self._broken.add((kind, name))
        if name not in self.names(kind):
            self._broken.discard((kind, name))
            what = f"no file config/{kind}/{name}.yaml"
            self.problems.add(where, what, did_you_mean(name, self.names(kind)))
            return None
        document = read_document(self.folder / kind / f"{name}.yaml", self.problems)
        return document.validate(model, self.problems) if document else None
