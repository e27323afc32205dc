"""A memory plan carried out on a real transformer: which blocks are checkpointed, offloaded and
compiled, and what happens when a step fails for want of memory or of a compiler.

Knows torch, diffusers and memory_plan.py; knows nothing of data or optimizers. On a CPU nothing is
planned and nothing changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint

from kindred.common.backends import backend_of
from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.compute import compilation, memory_plan, roofline
from kindred.compute.block_offload import Offloader, place
from kindred.compute.compile_decision import Work, compiles
from kindred.compute.devices import Split, jobs_per_gpu
from kindred.compute.memory_limit import limit
from kindred.compute.memory_plan import GIB, DrawingDemand, MemoryDemand, MemoryPlan
from kindred.models import architectures
from kindred.models.architectures.interface import Architecture
from kindred.models.architectures.layout import NetworkLayout
from kindred.models.lora.layer_ranks import other_ranks
from kindred.models.lora.target_layers import target_layers
from kindred.models.opened_base import OpenedBase
from kindred.specs.training import Recipe, TrainSpec

# When memory ran out all the same, the plan is made anew for so much less, so many times.
TIGHTER, TRIES = 0.92, 4
RECOMPILES = 64


def fit_training(
    spec: TrainSpec,
    base: OpenedBase,
    datasets: Sequence[Any],
    device: torch.device,
    drawing: DrawingDemand | None = None,
) -> FittedMemory | None:
    """The plan for a training on a GPU, printed; None on a CPU, and where the GPU works in main
    memory.

    datasets: as the Trainer takes them. drawing: what is drawn on the way. Reads of the base its
    config.json only. Raises KindredError when nothing fits.
    """
    if not backend_of(device).cuda_api:
        return None
    job = memory_demand(spec, base.architecture, base.layout, datasets)
    allowed = allowance(device)
    compiled = backend_of(device).compiles
    job = replace(job, drawing=drawing, compiled=compiled)
    plain = replace(job, compiled=False)
    # What fits only when it is compiled has to be.
    if compiled and memory_plan.fits(plain, allowed):
        work = training_work(spec, base.architecture, job, datasets)
        job = job if compiles(work, device) else plain
    found = FittedMemory(job, allowed, device, preserve_rng=bool(spec.recipe.lora_dropout))
    found.tell()
    return found


def allowance(device: torch.device) -> float:
    """Bytes that a plan may count on: what is free of this job's share of the card, within the
    limit that torch is held to, but for holes."""
    free, total = torch.cuda.mem_get_info(device)
    return min(free, total / jobs_per_gpu(), limit(device)) * memory_plan.FILLED


def memory_demand(
    spec: TrainSpec, architecture: Architecture, layout: NetworkLayout, datasets: Sequence[Any]
) -> MemoryDemand:
    """The training as the memory model sees it: its largest bucket counts."""
    examples = [
        one for dataset in datasets for bucket in dataset.buckets.values() for one in bucket
    ]
    recipe, text = spec.recipe, architecture.text
    if architecture.activations is None:
        raise KindredError(
            f"nobody has measured how much GPU memory training {architecture.title} takes",
            f"base {spec.base.model}",
            "train on the CPU (`device: cpu`), or use another base",
        )
    names = [layer.name for layer in layout.layers]
    adapted = target_layers(names, recipe.targets, architecture)
    return MemoryDemand(
        shape=layout,
        units=architecture.activations,
        adapted=frozenset(adapted),
        rank=recipe.rank,
        ranks=other_ranks(adapted, recipe),
        batch=recipe.batch,
        image_tokens=max(architecture.tokens(*e.latent.shape[-2:]) for e in examples),
        text_tokens=max(text.lengths(example.text for example in examples)),
        dtype_bytes=getattr(torch, spec.base.dtype).itemsize,
        quantization=spec.base.quantization,
        optimizer=recipe.optimizer,
        dora=recipe.dora,
        lokr=recipe.adapter_type == "lokr",
        lokr_factor=recipe.lokr_factor,
        ema=bool(recipe.ema),
        preserves=bool(recipe.diff_output_preservation),
        compiled=True,
    )


def training_work(
    spec: TrainSpec, architecture: Architecture, job: MemoryDemand, datasets: Sequence[Any]
) -> Work:
    """All steps of a training, also those that were done before it went on. Where a base's own
    answers are learned, another pass asks for them."""
    recipe, operations = spec.recipe, 0.0
    each = recipe.steps * recipe.gradient_accumulation
    shapes = set()
    for dataset in datasets:
        buckets = [bucket for bucket in dataset.buckets.values() if bucket]
        passes = roofline.TRAINING + dataset.preserves
        for bucket in buckets:
            shape = bucket[0].latent.shape
            shapes |= {(shape, learns) for learns in (True, not dataset.preserves)}
            tokens = architecture.tokens(*shape[-2:])
            share = len(bucket) / sum(map(len, buckets))
            one = roofline.operations(job.shape, tokens, job.text_tokens, passes)
            operations += each * recipe.batch * share * one
    return Work(counted(recipe.steps, "step"), operations, min(len(shapes), each * len(datasets)))


@dataclass
class FittedMemory:
    """A job, its plan, and the transformer that is arranged by it."""

    job: MemoryDemand
    allowed: float
    device: torch.device
    preserve_rng: bool = True
    graphs: bool = True
    plan: MemoryPlan = field(init=False)
    transformer: Any = None
    offloader: Offloader | None = None
    order: Mapping[int, int] = field(default_factory=dict)
    tries: int = 0

    def __post_init__(self) -> None:
        # LLM int8 asks the GPU for outliers at every product, which can't be recorded.
        recorded = self.job.quantization != "int8" and backend_of(self.device).records
        self.graphs = self.graphs and recorded
        self.plan = memory_plan.plan(self.job, self.allowed)

    @property
    def micro_batch(self) -> int:
        """Most examples at once."""
        return self.plan.micro_batch

    def tell(self) -> None:
        """Print the plan."""
        for line in self.plan.lines(self.allowed):
            print(line, file=sys.stderr)

    @property
    def starts_in_main_memory(self) -> bool:
        """Whether weights are loaded into the machine's memory first: the card can't take all."""
        return bool(self.plan.offloaded)

    def apply(self, transformer: Any) -> None:
        """Arrange a transformer that has its adapter, wherever it was loaded. Its parts keep their
        names, its trained parameters stay the same objects."""
        self.transformer = transformer
        blocks = blocks_of(transformer)
        self.order = {id(block): index for index, block in enumerate(blocks)}
        on_card = backend_of(self.device).cuda_api
        if on_card:  # what loading took and freed may lie in another stream's
            torch.cuda.empty_cache()
        self._arrange()
        place(transformer, self.offloader.blocks if self.offloader else {}, self.device)
        if fast := architectures.of_network(transformer).fast_attention:
            fast(transformer, self.device)
        if self.job.compiled:
            # Sizes of buckets, blocks with and without gradients: each may be compiled once.
            torch._dynamo.config.recompile_limit = RECOMPILES
            if not compilation.compile_blocks(transformer):
                self._without_compiler()
        if on_card:  # what loading took is not the training's peak
            torch.cuda.reset_peak_memory_stats(self.device)

    def settle(self, broken: bool = False) -> None:
        """Send weights that are visiting the GPU home: nothing of one step is left to the next.
        `broken`: a recording failed, so nothing that it was to wait for will come."""
        if self.offloader:
            self.offloader.settle(broken)

    @contextmanager
    def without_gradients(self) -> Iterator[None]:
        """`with` the transformer arranged for passes without gradients, between two steps: weights
        that are away come when their block is called, and nothing is compiled."""
        fetching = self.offloader.fetching() if self.offloader else nullcontext()
        self.settle()
        try:
            with compilation.uncompiled(self.transformer), fetching:
                yield
        finally:
            self.settle()

    def run(self, block: Any, *arguments: Any) -> Any:
        """A block's call as the plan wants it; diffusers calls this in place of a checkpoint."""
        index = self.order[id(block)]
        if self.offloader and index in self.offloader.away:
            return self.offloader.run(index, *arguments)
        if index < self.plan.checkpointed:
            keep = self.preserve_rng
            return checkpoint(block, *arguments, use_reentrant=False, preserve_rng_state=keep)
        return block(*arguments)

    def retry(self, error: Exception) -> bool:
        """Whether a failed step is worth doing again, arranged in another way.

        Raises KindredError when memory runs out however it is arranged.
        """
        if isinstance(error, torch.OutOfMemoryError):
            self._tighten()
        elif self.job.compiled and not isinstance(error, KindredError):
            self._uncompile(error)
        else:
            return False
        return True

    def report(self, measured_mib: float) -> dict[str, Any]:
        """What lora.json says of the plan; the measured peak is printed too."""
        measured = measured_mib / 1024
        print(
            f"memory plan: measured peak {measured:.1f} GiB (expected {self.plan.peak_gib:.1f})",
            file=sys.stderr,
        )
        return {
            "usable_gib": round(self.allowed / GIB, 2),
            "expected_peak_gib": round(self.plan.peak_gib, 2),
            "measured_peak_gib": round(measured, 2),
            **_reserved(self.device),
            "checkpointed_blocks": self.plan.checkpointed,
            "offloaded_blocks": len(self.plan.offloaded),
            "micro_batch": self.plan.micro_batch,
            "compiled": self.job.compiled,
        }

    def _arrange(self) -> None:
        if self.plan.offloaded:
            blocks = blocks_of(self.transformer)
            away = {index: blocks[index] for index in self.plan.offloaded}
            if not self.offloader:
                self.offloader = Offloader({}, self.device, self.preserve_rng)
            self.offloader.add(away)
        if self.plan.checkpointed:
            self.transformer.enable_gradient_checkpointing(self.run)
        else:
            self.transformer.disable_gradient_checkpointing()

    def _uncompile(self, error: Exception) -> None:
        """Go on without the compiler."""
        compilation.disable_compilation(self.transformer, error)
        self._without_compiler()

    def _without_compiler(self) -> None:
        """Blocks that aren't compiled need more memory, and so another plan."""
        self.job = replace(self.job, compiled=False)
        self._replan()

    def _tighten(self) -> None:
        """Plan for less memory than the model of it believed in."""
        self.tries += 1
        short = (
            "the GPU ran out of memory, although the plan expected a peak of "
            f"{self.plan.peak_gib:.1f} of {self.allowed / GIB:.1f} GiB"
        )
        if self.tries > TRIES:
            raise KindredError(
                short,
                "device: memory",
                "lower device.memory_gib (or --memory-gib), and check that nothing else runs on "
                "the card",
            )
        print(f"warning: device: memory: {short}; trying again with less", file=sys.stderr)
        self.allowed *= TIGHTER
        self._replan()

    def _replan(self) -> None:
        """A new plan for the blocks as they are: weights once offloaded stay so."""
        found = memory_plan.plan(self.job, self.allowed)
        if self.offloader:
            away = tuple(sorted({*found.offloaded, *self.offloader.away}))
            found = memory_plan.with_arrangement(self.job, found.micro_batch, found.blocks, away)
        self.plan = found
        self.tell()
        self._arrange()


def checkpoint_unplanned(
    transformer: Any, device: torch.device, split: Split | None, recipe: Recipe
) -> None:
    """Have blocks computed anew where memory is short and nothing plans it: of a model that is
    split, since it is large for its cards, and on a GPU that works in main memory."""
    if split:
        transformer.enable_gradient_checkpointing()
    elif backend_of(device).shares_memory and not recipe.lora_dropout:
        checkpoint_all(transformer)


def checkpoint_all(transformer: Any) -> None:
    """Have every block computed anew in the backward pass, where nothing draws random numbers: to
    keep their state takes a part of torch that Apple's GPUs lack."""

    def run(block: Any, *arguments: Any) -> Any:
        return checkpoint(block, *arguments, use_reentrant=False, preserve_rng_state=False)

    transformer.enable_gradient_checkpointing(run)


def _reserved(device: torch.device) -> dict[str, float]:
    """What the allocator held at most: recordings keep their memory between steps."""
    if not backend_of(device).cuda_api:
        return {}
    return {"reserved_peak_gib": round(torch.cuda.max_memory_reserved(device) / GIB, 2)}


def blocks_of(transformer: Any) -> list[Any]:
    """The transformer's blocks in order of execution."""
    layout = architectures.of_network(transformer).layout(transformer.config)
    return [transformer.get_submodule(block.name) for block in layout.blocks]
