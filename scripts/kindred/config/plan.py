"""What is to be built: every experiment resolved into the specifications its steps are given.

Knows which slice of the configuration goes to which step (a slice more would rerun that step
needlessly); knows nothing of rules, jobs or file names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kindred.common.errors import Problem
from kindred.config.amounts_told import training_amounts
from kindred.config.base_config import DrawingDefaults
from kindred.config.device_config import DeviceConfig
from kindred.config.lab_album import LabFamily
from kindred.config.lab_config import LabConfig
from kindred.config.tracker_config import TrackerConfig
from kindred.models.identity import architecture_of, place_of
from kindred.specs.base_model import Base
from kindred.specs.casts import AskedCast
from kindred.specs.character import Character
from kindred.specs.comfyui import ComfyFiles
from kindred.specs.composites import CompositeSpec, MaskSpec
from kindred.specs.dataset import (
    AuditSpec,
    AuditThresholds,
    CaptionSpec,
    Misfit,
    PreprocessSpec,
)
from kindred.specs.face_detail import DetailOf
from kindred.specs.judge import JudgeSpec
from kindred.specs.reference_pictures import ReferencePictures, ShownPhotos
from kindred.specs.rendering import PromptSet, PromptTexts, RenderSpec
from kindred.specs.samples import SAMPLES, SampleSpec
from kindred.specs.scoring import Hypothesis, TrainedOn
from kindred.specs.step_series import SELECTION, TakenStep
from kindred.specs.training import Selection, TrainSpec


@dataclass(frozen=True)
class ClassImages:
    """Pictures of a prompt set by a base alone, used as a dataset. `asked_by`: (experiment, prompt
    set) where an experiment asks every variant for them; else they are drawn for this alone."""

    base: str
    prompt_set: PromptSet
    asked_by: tuple[str, str] | None = None

    @property
    def names(self) -> list[str]:
        """The photos' file names, as scripts/class_images.py gives them."""
        asked = self.prompt_set
        return [f"{n}-{seed:04d}.png" for n in asked.prompts for seed in asked.full(n).seeds or ()]


@dataclass(frozen=True)
class CompositeSource:
    """Pictures made of the photos of the dataset `of`, and trained on besides them."""

    of: str
    spec: CompositeSpec

    @property
    def strangers(self) -> str:
        """The dataset of the strangers who are cut in; '' where none are."""
        compose = self.spec.compose
        return compose.strangers.of if compose and compose.strangers else ""


@dataclass(frozen=True)
class Dataset:
    """Photos with captions, and how they are prepared."""

    name: str
    source: str | None
    lab: LabFamily | None
    preprocess: PreprocessSpec
    caption: CaptionSpec
    thresholds: AuditThresholds
    class_images: ClassImages | None = None
    made: CompositeSource | None = None


@dataclass(frozen=True)
class Variant:
    """One training set-up, or several variants' adapters loaded together, or LoRA files trained
    elsewhere (one a run) at a weight, or the base with reference pictures, or the base alone. base:
    what its adapters are of."""

    name: str
    base: str
    dataset: str | None
    runs: tuple[int, ...]
    train: TrainSpec | None = None
    adapters: tuple[tuple[str, float], ...] = ()
    apart: tuple[tuple[str, ...], ...] = ()  # names of whom each is of, where they are kept apart
    files: tuple[str, ...] = ()
    weight: float = 1.0
    class_images: str | None = None
    made: CompositeSource | None = None
    draw_on: str | None = None  # the base that all its pictures are drawn on, if it is another one
    take: TakenStep = "last"  # which of the kept steps is each run's result
    references: ShownPhotos | None = None  # the base is shown these photos, and nothing is trained
    pictures: str = ""  # the folder of its pictures, if they were made elsewhere
    detail: DetailOf | None = None  # another one's pictures, faces drawn again by its adapters

    @property
    def root(self) -> str | None:
        """The dataset of photos that it trains on: without what is made of them."""
        return self.made.of if self.made else self.dataset

    @property
    def strangers(self) -> str:
        """The dataset of the strangers who are cut into its composites; '' where none are."""
        return self.made.strangers if self.made else ""

    @property
    def needs_masks(self) -> bool:
        """Whether people's outlines are needed to train it."""
        weighed = self.train is not None and self.train.recipe.weighs_people
        return self.made is not None or weighed

    @property
    def holds_out(self) -> bool:
        """Whether it keeps photos away from training."""
        return self.train is not None and self.train.selection.held_out is not None

    @cached_property
    def spec(self) -> str:
        """The canonical string of the training specification; '' when nothing is trained."""
        return self.train.canonical() if self.train else ""

    def shares_trainings(self, other: Variant) -> bool:
        """Whether some adapters of both are the same: equal training under equal seeds."""
        return bool(self.spec) and self.spec == other.spec and bool({*self.runs} & {*other.runs})

    def shares_runs(self, other: Variant) -> bool:
        """Whether some pictures of both are by the same adapters on the same base."""
        alike = (self.draw_on, self.take) == (other.draw_on, other.take)
        return alike and self.shares_trainings(other)

    def shares_adapters(self, other: Variant) -> bool:
        """Whether both draw with the same adapters, run by run, at whatever weights, on whatever
        base."""
        if self.shares_trainings(other):
            return True
        own, others = ({name for name, _ in one.loads} for one in (self, other))
        return bool(own) and own == others and bool({*self.runs} & {*other.runs})

    @property
    def text_tokens(self) -> int:
        """Length in tokens of the captions it trains on."""
        if self.train is None:
            raise ValueError(f"variant {self.name} is not trained")
        return self.train.text_tokens()

    @property
    def loads(self) -> tuple[tuple[str, float], ...]:
        """Variants whose adapters it renders with, and their weights: itself, others or none."""
        return ((self.name, self.weight),) if self.train or self.files else self.adapters

    def adapter(self, experiment: str, run: int) -> str:
        """The adapter that is its own in a run; the only file trained elsewhere serves every run.
        Raises ValueError when it has none."""
        if self.files:
            return self.files[0 if len(self.files) == 1 else run - 1]
        if self.train is None:
            raise ValueError(f"variant {self.name} has no adapter of its own")
        folder = f"results/{experiment}/{self.name}/run-{run}"
        return f"{folder}/{'' if self.take == 'last' else 'chosen/'}lora.safetensors"


@dataclass(frozen=True)
class Experiment:
    """One experiment file, resolved."""

    name: str
    title: str
    question: str
    characters: dict[str, Character]
    variants: dict[str, Variant]
    prompt_sets: dict[str, PromptSet]
    hypotheses: dict[str, Hypothesis]
    judge: JudgeSpec | None = None
    hide_photos: bool = False
    photos: tuple[str, ...] = ()
    masks: dict[str, MaskSpec] = field(default_factory=dict)
    casts: dict[str, dict[str, AskedCast]] = field(default_factory=dict)
    misfits: tuple[Misfit, ...] = ()
    held_out: dict[str, str] = field(default_factory=dict)  # drawn photos -> others, not trained on
    file: str = ""  # that describes it, without its ending; one with albums describes several
    selection: PromptSet | None = None  # what kept steps are compared by, and its casts
    selection_casts: dict[str, AskedCast] = field(default_factory=dict)
    samples: SampleSpec | None = None  # what trainings draw on their way
    # Prompt set -> base -> the other base that draws it.
    drawn_on: dict[str, dict[str, str]] = field(default_factory=dict)

    def asked(self, prompt_set: str) -> PromptSet:
        """A prompt set, or the one that kept steps are compared by, or that trainings draw."""
        chosen = prompt_set == SELECTION and self.selection
        drawn = prompt_set == SAMPLES and self.samples and self.samples.prompt_set
        return chosen or drawn or self.prompt_sets[prompt_set]

    @property
    def in_series(self) -> list[Variant]:
        """The variants whose kept steps are compared by their pictures."""
        known = self.selection and self.judge
        return [v for v in self.trained if known and v.train and v.train.recipe.series]

    @property
    def with_losses(self) -> list[Variant]:
        """The variants that keep steps and know the loss on held-out photos at each."""
        return [v for v in self.trained if v.holds_out and v.train and v.train.recipe.series]

    @property
    def compares_steps(self) -> bool:
        """Whether kept steps are compared by anything."""
        return bool(self.in_series or self.with_losses)

    def drawing_base(self, variant: str, prompt_set: str) -> str:
        """The base that draws a variant's pictures of a prompt set."""
        own = self.variants[variant]
        return own.draw_on or self.drawn_on.get(prompt_set, {}).get(own.base, own.base)

    def drawn_elsewhere(self, variant: str) -> dict[str, str]:
        """Prompt set -> the base that draws it for a variant, where that is not the variant's."""
        own = {name: self.drawing_base(variant, name) for name in self.prompt_sets}
        return {name: one for name, one in own.items() if one != self.variants[variant].base}

    @property
    def bases(self) -> list[str]:
        """The bases that something is trained or drawn on."""
        drawn = {self.drawing_base(v, name) for v in self.variants for name in self.prompt_sets}
        return sorted({one.base for one in self.variants.values()} | drawn)

    def asked_of(
        self, variant: str, prompt_set: str, usual: Mapping[str, DrawingDefaults]
    ) -> PromptSet:
        """A prompt set as a variant draws it: on another base than its own with what is `usual`
        there."""
        asked, base = self.asked(prompt_set), self.drawing_base(variant, prompt_set)
        if base == self.variants[variant].base:
            return asked
        return asked.model_copy(update=usual[base].model_dump(exclude_none=True))

    @property
    def trained(self) -> list[Variant]:
        """The variants that are trained here."""
        return [variant for variant in self.variants.values() if variant.train]

    @property
    def datasets(self) -> list[str]:
        """The datasets that some variant trains on."""
        return sorted({variant.dataset for variant in self.trained if variant.dataset})

    @property
    def photos_trained_on(self) -> list[str]:
        """The datasets of photos that some variant trains on, without what is made of them."""
        return sorted({variant.root for variant in self.trained if variant.root})

    @property
    def references(self) -> list[str]:
        """The datasets whose photos show a judge the characters: those trained on, or, where
        nothing is trained here, all there are. Pictures made of photos are never among them."""
        return self.photos_trained_on or sorted(self.photos)

    def trained_on(self, variant: str) -> list[TrainedOn]:
        """The photos and composites that a variant's adapters were trained on. Of the base, and of
        files trained elsewhere: all that anything is trained on here, or else all photos; of one
        that draws with reference pictures: the photos that those are from."""
        if shown := self.variants[variant].references:
            return [TrainedOn(dataset=shown.dataset)]
        loaded = [self.variants[name].train for name, _ in self.variants[variant].loads]
        known = [train for train in loaded if train is not None]
        if not known or len(known) < len(loaded):
            return [TrainedOn(dataset=name) for name in self.datasets or self.references]
        found: list[TrainedOn] = []
        for train in known:
            plain = train.selection == Selection()
            given = {} if plain else {"selection": train.selection}
            part = TrainedOn(dataset=train.dataset, **given)
            found += [] if part in found else [part]
        return found

    def held_out_for(self, variant: str) -> list[str]:
        """The datasets of drawn photos that a variant was not trained on, of the families that it
        was trained on; none where photos are not drawn."""
        roots = {one.dataset: one.root for one in self.trained}
        used = {roots.get(part.dataset, part.dataset) for part in self.trained_on(variant)}
        return sorted(self.held_out[root] for root in used & self.held_out.keys())

    @property
    def shown(self) -> list[ShownPhotos]:
        """The reference pictures of all variants that draw with some, each kind once."""
        found = [one.references for one in self.variants.values() if one.references]
        return [shown for place, shown in enumerate(found) if shown not in found[:place]]

    @property
    def named(self) -> dict[str, Character]:
        """Characters without their age, on which no picture and no score depends."""
        return {x: Character(name=c.name, noun=c.noun) for x, c in self.characters.items()}

    @property
    def class_image_datasets(self) -> list[str]:
        """The datasets of class images that some variant trains on besides."""
        return sorted({v.class_images for v in self.trained if v.class_images})

    def cells_asked(self, dataset: str) -> list[str]:
        """The cells that variants on this dataset ask for by name."""
        asked: set[str] = set()
        for variant in self.trained:
            if variant.dataset == dataset and variant.train:
                asked.update(variant.train.selection.cells or ())
                if isinstance(variant.train.selection.per_cell, dict):
                    asked.update(variant.train.selection.per_cell)
        return sorted(asked)


@dataclass(frozen=True)
class Plan:
    """All experiments to be built and what they share."""

    experiments: dict[str, Experiment]
    datasets: dict[str, Dataset]
    bases: dict[str, Base]
    device: DeviceConfig = field(default_factory=DeviceConfig)
    lab: LabConfig = field(default_factory=LabConfig)
    masks: dict[str, MaskSpec] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    why: str = ""
    drawing: dict[str, DrawingDefaults] = field(default_factory=dict)
    comfyui: dict[str, ComfyFiles | None] = field(default_factory=dict)
    tracker: TrackerConfig | None = None

    def environment(self) -> dict[str, str]:
        """What programs are told of the machine, and of where trainings tell their losses."""
        return self.device.environment() | (self.tracker.environment() if self.tracker else {})

    def variant(self, experiment: str, name: str) -> Variant:
        """A variant by its experiment's and its own name."""
        return self.experiments[experiment].variants[name]

    def audit_spec(self, experiment: str, dataset: str) -> AuditSpec:
        """Who should be in the photos, and every encoder's token limit."""
        chosen = self.experiments[experiment]
        tokenizers: dict[str, int] = {}
        named: dict[str, str] = {}
        for variant in chosen.trained:
            if variant.dataset == dataset:
                base = self.bases[variant.base]
                named |= {base.model: base.architecture} if base.architecture else {}
                for reader in architecture_of(base).text.tokenizers:
                    name = place_of(base, reader.folder)
                    limit = reader.limit or variant.text_tokens
                    tokenizers[name] = min(limit, tokenizers.get(name, limit))
        thresholds = self.datasets[dataset].thresholds
        given: dict = {"thresholds": thresholds} if thresholds.model_fields_set else {}
        given |= {"architectures": named} if named else {}
        cells = chosen.cells_asked(dataset)
        if cells:
            given["cells"] = cells
        # What is said of another dataset's photos is said on that one's page.
        of_others = {f"datasets.{name}.preprocess" for name in self.datasets if name != dataset}
        misfits = [one for one in chosen.misfits if one.where not in of_others]
        if misfits:
            given["misfits"] = misfits
        own = [(v.name, v.train) for v in chosen.trained if v.train and v.dataset == dataset]
        trainings = training_amounts(chosen.name, own)
        if trainings:
            given["trainings"] = trainings
        if chosen.hide_photos:
            given["hide_photos"] = True
        return AuditSpec(characters=chosen.characters, tokenizers=tokenizers, **given)

    def prompt_texts(self, experiment: str, prompt_set: str, base: str) -> PromptTexts:
        """What a base's text encoders are to read for a prompt set."""
        texts = self.experiments[experiment].asked(prompt_set).texts_to_encode()
        return PromptTexts(encoder=self.bases[base].text_encoder(), prompts=texts)

    def render_spec(self, experiment: str, variant: str, prompt_set: str) -> RenderSpec:
        """The prompt set on the base that draws it for the variant, with its adapters."""
        chosen = self.experiments[experiment]
        own, shown = chosen.variants[variant], chosen.variants[variant].references
        given: dict = {"weights": [weight for _, weight in own.loads]} if own.loads else {}
        given |= {"apart": [list(names) for names in own.apart]} if own.apart else {}
        if shown:
            given["references"] = ReferencePictures(**shown.model_dump(), characters=chosen.named)
        return RenderSpec(
            base=self.bases[chosen.drawing_base(variant, prompt_set)],
            prompt_set=chosen.asked_of(variant, prompt_set, self.drawing),
            name=prompt_set,
            **given,
        )
