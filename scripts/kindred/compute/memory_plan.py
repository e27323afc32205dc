"""Fitting a training into a GPU's memory: what a set-up needs, and the fastest one that fits.

Pure arithmetic on a transformer's shape: knows bytes and blocks, imports no torch, loads nothing.
Bytes of activations come from the architecture, counted on the real module
(tests/unit/compute/test_memory_plan.py counts them again); shares and times below are fitted to
what was measured on an H200 and an H100 (docs/reference/performance.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.compute.memory_limit import GIB, allocatable, card_for
from kindred.models.architectures.layout import (
    ActivationUnits,
    BlockShape,
    LayerShape,
    NetworkLayout,
)
from kindred.models.lora.lokr_shapes import LokrShape, lokr_shape

# The share of what the allocator may take that it can really fill: freed pieces leave holes.
FILLED = 0.95
# cuBLAS workspaces, position embeddings, batch and loss.
FIXED = 0.1 * GIB

# Time in forward passes of a block over one token: a backward pass, what a micro-step costs however
# small it is (steps are recorded), and what fetching an offloaded block costs beyond what hides
# behind arithmetic.
BACKWARD, STEP_TOKENS, FETCH = 1.6, 64, 0.35
# Optimizer states as a multiple of the adapter. Adafactor keeps a number a row and a column: as
# many as the adapter has at rank 1, fewer at every other.
STATES = {"adamw": 2.0, "adamw8bit": 0.55, "prodigy": 4.0, "adafactor": 1.0}


# What a VAE in float32 takes with its work on a picture of so many pixels; larger ones are decoded
# in tiles of that size when memory is short; as in rendering.
DECODING, DECODED = 2 * GIB, 512 * 512


@dataclass(frozen=True)
class DrawingDemand:
    """Pictures drawn between two steps: so many in one pass, with so many tokens each; pixels: of
    the largest; beside: bytes that are on the card for it alone."""

    images: int
    image_tokens: int
    text_tokens: int
    pixels: int
    beside: int = 0

    @property
    def decoding(self) -> float:
        """Bytes of the VAE and its work."""
        return DECODING * min(1.0, self.pixels / DECODED)


@dataclass(frozen=True)
class MemoryDemand:
    """A training as memory sees it: shape, precision, adapter, optimizer and largest batch.

    adapted: names of layers with an adapter. ranks: of those whose rank is another than `rank`.
    image_tokens, text_tokens: of one image. dtype_bytes: of compute precision. preserves: whether
    as many images again are asked of the base alone first, whose answers are then learned.
    compiled: whether blocks are compiled. drawing: pictures drawn on the way.
    """

    shape: NetworkLayout
    units: ActivationUnits
    adapted: frozenset[str]
    rank: int
    batch: int
    image_tokens: int
    text_tokens: int
    dtype_bytes: int = 2
    quantization: str | None = None
    optimizer: str = "adamw"
    dora: bool = False
    lokr: bool = False
    lokr_factor: int | None = None
    ema: bool = False
    preserves: bool = False
    compiled: bool = False
    ranks: Mapping[str, int] = field(default_factory=dict)
    drawing: DrawingDemand | None = None

    @property
    def tokens(self) -> int:
        """Tokens of one image with its text."""
        return self.image_tokens + self.text_tokens

    @cached_property
    def block_weights(self) -> list[int]:
        """Bytes of each block's frozen weights."""
        return [sum(self._weight(layer) for layer in b.layers) for b in self.shape.blocks]

    @cached_property
    def outside_weights(self) -> int:
        """Bytes of frozen weights outside the blocks."""
        return sum(self._weight(layer) for layer in self.shape.outside)

    @cached_property
    def adapter(self) -> float:
        """Bytes of the adapter with gradients, optimizer state and average, all in float32."""
        layers = [layer for layer in self.shape.layers if layer.name in self.adapted]
        numbers = sum(map(self._learned, layers))
        return 4 * numbers * (2 + STATES[self.optimizer] + self.ema)

    def _learned(self, layer: LayerShape) -> int:
        if self.lokr:
            return self._lokr(layer).numbers
        rank = self.ranks.get(layer.name, self.rank)
        return rank * (layer.inputs + layer.outputs) + self.dora * layer.outputs

    def _lokr(self, layer: LayerShape) -> LokrShape:
        rank = self.ranks.get(layer.name, self.rank)
        return lokr_shape(layer.inputs, layer.outputs, rank, self.lokr_factor)

    @cached_property
    def unpacked(self) -> int:
        """Bytes of the largest weight as arithmetic needs it: dequantized, or as DoRA reads it."""
        largest = max(layer.inputs * layer.outputs for layer in self.shape.layers)
        copies = {None: 0, "int8": 2}.get(self.quantization, 1)
        quantized = self.dtype_bytes * largest * copies
        return quantized + 3 * 4 * largest * self.dora

    def kept(self, block: BlockShape, images: int) -> float:
        """Bytes that a block keeps for its backward pass on a micro-batch of `images`."""
        return images * self._kept_of_one(block)

    @cached_property
    def kept_of_one(self) -> list[float]:
        """The same on one picture, of every block: each arrangement asks for all of them."""
        return [self._kept_of_one(block) for block in self.shape.blocks]

    def _kept_of_one(self, block: BlockShape) -> float:
        table = self.units
        units = table.kept[self.compiled][block.kind] * table.kept_share[self.compiled]
        return self.tokens * self._unit * units + self._adapter_inputs(block)

    def working(self, block: BlockShape, images: int) -> float:
        """Bytes that its backward pass has in work beside what it kept."""
        units = self.units.working[block.kind] + self.units.gpu[self.compiled]
        return images * self.tokens * self._unit * units + self.unpacked

    def working_of_each(self, images: int) -> list[float]:
        """The same of every block: it hangs on a block's kind alone, and each arrangement asks."""
        if images not in self._working:
            kinds = {block.kind: block for block in self.shape.blocks}
            known = {kind: self.working(block, images) for kind, block in kinds.items()}
            self._working[images] = [known[block.kind] for block in self.shape.blocks]
        return self._working[images]

    @cached_property
    def _working(self) -> dict[int, list[float]]:
        return {}

    @cached_property
    def drawn(self) -> float:
        """Bytes that drawing has in work beside weights and adapter: one block's pass, which keeps
        nothing for the next, and is not compiled; or the VAE's, after the last of them."""
        if self.drawing is None:
            return 0.0
        picture = self.drawing
        tokens = picture.image_tokens + picture.text_tokens
        alone = replace(
            self,
            adapted=frozenset(),
            image_tokens=picture.image_tokens,
            text_tokens=picture.text_tokens,
            compiled=False,
        )
        passes = max(alone.kept(block, picture.images) for block in self.shape.blocks)
        passes += 2 * picture.images * tokens * self._unit + self.unpacked
        return picture.beside + max(passes, picture.decoding)

    def inputs(self, images: int) -> int:
        """Bytes of a block's inputs: all that a checkpointed block keeps."""
        return images * self.tokens * self._unit

    @property
    def _unit(self) -> int:
        return self.shape.width * self.dtype_bytes

    def _adapter_inputs(self, block: BlockShape) -> float:
        """An adapter keeps its input: one for all layers that read the same, and none where
        attention keeps it as its result. DoRA reads a float32 copy, one a layer where nothing is
        compiled, and keeps its outputs too. LoKr keeps what its first product gives, as wide as a
        layer."""
        counted = {"image": self.image_tokens, "text": self.text_tokens, "all": self.tokens}
        total, seen = 0.0, set()
        for layer in block.layers:
            if layer.name in self.adapted and layer.reads in counted:
                total += self.dora * 8 * counted[layer.reads] * layer.outputs
                if self.lokr:
                    between = self._lokr(layer).between
                    total += self.dtype_bytes * counted[layer.reads] * between
                number = 4 if self.dora else self.dtype_bytes
                copied = self.dora and not self.compiled
                there = (layer.reads, layer.source) in seen
                if copied or not (there or (layer.source == "attended" and not self.dora)):
                    total += number * counted[layer.reads] * layer.inputs
                seen.add((layer.reads, layer.source))
        return total

    def _weight(self, layer: LayerShape) -> int:
        numbers, bias = layer.inputs * layer.outputs, self.dtype_bytes * layer.outputs
        if layer.kept:
            return self.dtype_bytes * numbers + bias
        if self.quantization == "nf4":  # a float32 scale for 64 numbers
            return numbers // 2 + numbers // 16 + bias
        if self.quantization == "nf4-double":  # a byte each, and a scale for 256 scales
            return numbers // 2 + numbers // 64 + numbers // 64**2 + bias
        if self.quantization == "int8":
            return numbers + 4 * layer.outputs + bias
        return self.dtype_bytes * numbers + bias


@dataclass(frozen=True)
class MemoryPlan:
    """How a training is arranged: so many images at once, the first `checkpointed` blocks in order
    of execution computed anew, `offloaded` blocks' weights in the machine's memory.

    peak: expected bytes allocated at most. time: expected, as a multiple of an unlimited card's.
    """

    batch: int
    micro_batch: int
    checkpointed: int
    offloaded: tuple[int, ...]
    blocks: int
    peak: float
    time: float
    host: int = 0

    @property
    def peak_gib(self) -> float:
        """Expected peak, GiB."""
        return self.peak / GIB

    def lines(self, allowed: float) -> list[str]:
        """What is printed before training; `allowed` in bytes."""
        pieces = -(-self.batch // self.micro_batch)
        said = [f"{self.checkpointed} of {self.blocks} blocks checkpointed"]
        if pieces > 1:
            said.append(f"batch of {self.batch} in {pieces} parts")
        if self.offloaded:
            host = f"{self.host / GIB:.1f} GiB of pinned machine memory"
            said.append(f"{counted(len(self.offloaded), 'block')} offloaded to {host}")
        return [
            f"memory plan: {', '.join(said)}",
            f"memory plan: expected peak {self.peak_gib:.1f} GiB of {allowed / GIB:.1f} usable, "
            f"expected time {self.time:.2f} x that on a card with room for everything",
        ]


def usable(memory_gib: float) -> float:
    """Bytes that a plan may count on where a process is to fit a card of `memory_gib`, and takes
    beside the allocator what is usual."""
    return allocatable(memory_gib) * FILLED


def spread(count: int, total: int) -> tuple[int, ...]:
    """`count` of `total` places, evenly apart, so that fetching hides behind blocks that stay."""
    return tuple(sorted({(2 * i + 1) * total // (2 * count) for i in range(count)}))


def peak(
    job: MemoryDemand, images: int, checkpointed: int, offloaded: tuple[int, ...] = ()
) -> float:
    """Bytes allocated at most in a micro-step of `images`, reached in some block's backward pass.

    While block i works, the blocks before it still hold what they kept; of the offloaded blocks'
    weights two are on the card, the one in use and the next. Pictures are drawn between two steps,
    when nothing is kept but weights and adapter.
    """
    away = [job.block_weights[i] for i in offloaded]
    pairs = [sum(away[i : i + 2]) for i in range(max(1, len(away) - 1))]
    weights = sum(job.block_weights) - sum(away) + max(pairs, default=0) + job.outside_weights
    held = highest = 0.0
    inputs = job.inputs(images)
    of_each = zip(job.kept_of_one, job.working_of_each(images), strict=True)
    for index, (of_one, working) in enumerate(of_each):
        kept = images * of_one
        reached = held + kept + working
        if reached > highest:
            highest = reached
        held += inputs if index < checkpointed else kept
    # The base's answer is kept through the pass that learns it; a block's inputs are wider.
    answer = inputs * job.preserves
    return FIXED + weights + job.adapter + max(answer + highest, job.drawn)


def seconds(job: MemoryDemand, images: int, checkpointed: int, offloaded: int) -> float:
    """Time of a whole batch in forward passes: forward, backward, and forward again where
    checkpointed."""
    passes = (1 + BACKWARD) * len(job.shape.blocks) + checkpointed + 2 * FETCH * offloaded
    if job.preserves:  # as many images again, and one pass more forward
        passes = 2 * passes + len(job.shape.blocks) + FETCH * offloaded
    return -(-job.batch // images) * passes * (images * job.tokens + STEP_TOKENS)


def plan(job: MemoryDemand, allowed: float) -> MemoryPlan:
    """The fastest arrangement within `allowed` bytes.

    Raises KindredError that says what is missing and what to change when there is none.
    """
    plans = list(_arrangements(job))
    fitting = [found for found in plans if found.peak <= allowed]
    if not fitting:
        raise _too_much(job, min(plans, key=lambda found: found.peak), allowed)
    return min(fitting, key=lambda found: (found.time, found.peak))


def fits(job: MemoryDemand, allowed: float) -> bool:
    """Whether there is an arrangement within `allowed` bytes."""
    return any(found.peak <= allowed for found in _arrangements(job))


def with_arrangement(
    job: MemoryDemand, images: int, checkpointed: int, away: tuple[int, ...]
) -> MemoryPlan:
    """The plan of one arrangement, whether it fits or not."""
    return MemoryPlan(
        batch=job.batch,
        micro_batch=images,
        checkpointed=checkpointed,
        offloaded=away,
        blocks=len(job.shape.blocks),
        peak=peak(job, images, checkpointed, away),
        time=seconds(job, images, checkpointed, len(away)) / seconds(job, job.batch, 0, 0),
        host=sum(job.block_weights[i] for i in away),
    )


def _arrangements(job: MemoryDemand) -> Iterator[MemoryPlan]:
    """Everything that can be done, in the order of: nothing, checkpoint, split batches, offload.

    Weights are offloaded only where all blocks are checkpointed: fetching them is dearer.
    """
    blocks = len(job.shape.blocks)
    for pieces in range(1, job.batch + 1):
        images = -(-job.batch // pieces)
        if -(-job.batch // images) != pieces:
            continue
        choices = [(count, ()) for count in range(blocks + 1)]
        choices += [(blocks, spread(count, blocks)) for count in range(3, blocks + 1)]
        for checkpointed, away in choices:
            yield with_arrangement(job, images, checkpointed, away)


def _too_much(job: MemoryDemand, least: MemoryPlan, allowed: float) -> KindredError:
    """By how much nothing fits, and what would help, the largest help first."""
    helps = {}
    for cure, other in _cures(job).items():
        images, away = least.micro_batch, least.offloaded
        helps[cure] = least.peak - peak(other, images, least.checkpointed, away)
    cures = [
        f"{cure} ({saved / GIB:.1f} GiB less)"
        for cure, saved in sorted(helps.items(), key=lambda item: -item[1])
        if saved > 0.05 * GIB
    ]
    need = card_for(least.peak / FILLED)
    short = (least.peak - allowed) / GIB
    return KindredError(
        f"training needs at least {need:.1f} GiB of GPU memory, {short:.1f} GiB more than there "
        "is, even with one image at a time and every block checkpointed and offloaded",
        "device: memory",
        f"change one of these: {'; '.join(cures)}" if cures else "use a card with more memory",
    )


def _cures(job: MemoryDemand) -> dict[str, MemoryDemand]:
    """Changes that make a training smaller, each with the job that it leads to."""
    cures = {}
    if job.quantization not in ("nf4", "nf4-double"):
        cures["a base with `quantization: nf4`"] = replace(job, quantization="nf4")
    if job.image_tokens > 1024:
        cures["photos of 512 px (`preprocess.resolutions`)"] = replace(job, image_tokens=1024)
    if job.text_tokens > 256:
        cures["`text_tokens: 256`"] = replace(job, text_tokens=256)
    if job.rank > 4 or job.ranks:
        without = " without `rank_pattern`" if job.ranks else ""
        cures[f"`rank: 4`{without}"] = replace(job, rank=4, ranks={})
    if job.drawing:
        cures["no `samples`"] = replace(job, drawing=None)
    if job.optimizer != "adamw8bit":
        cures["`optimizer: adamw8bit`"] = replace(job, optimizer="adamw8bit")
    return cures
