"""Blocks whose frozen weights live in the machine's memory and visit the GPU only to be used.

Such a block is checkpointed: its forward pass runs without a graph, and it is computed anew just
before its backward pass, with its weights fetched both times. While one works, the next in the
direction of travel is on its way over a stream of its own. Knows plain and bitsandbytes weights;
adapters, which train, stay where they are.

Why not a library's: diffusers' group offloading and accelerate's hooks take a block's weights away
when its forward pass ends, and so in a checkpoint before its backward pass; diffusers' with
streams also puts back trained parameters as they were when offloading began.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

from kindred.common.backends import backend_of
from kindred.compute.memory_plan import spread

# Where a tensor is referred to: objects and attributes that all hold the same one.
Places = Sequence[tuple[Any, str]]


@dataclass
class Slot:
    """One frozen tensor: who holds it, its copy at home, what stands in for it."""

    places: Places
    home: torch.Tensor
    nothing: torch.Tensor

    def put(self, tensor: torch.Tensor) -> None:
        """Let every holder have `tensor`."""
        for holder, name in self.places:
            setattr(holder, name, tensor)


@dataclass
class FetchedBlock:
    """Copies of a block's tensors on the device, and when they will be there."""

    tensors: list[torch.Tensor]
    arrival: torch.cuda.Event | None


class Offloader:
    """Blocks by their number in the order of execution, which need not be without gaps.

    device: where they compute. preserve_rng: whether they draw random numbers (dropout).
    """

    def __init__(
        self, blocks: Mapping[int, torch.nn.Module], device: torch.device, preserve_rng: bool = True
    ) -> None:
        self.device, self.preserve_rng = device, preserve_rng
        cuda = backend_of(device).cuda_api
        self.stream = torch.cuda.Stream(device) if cuda else None
        self.blocks: dict[int, torch.nn.Module] = {}
        self.away: tuple[int, ...] = ()
        self.slots: dict[int, list[Slot]] = {}
        self.add(blocks)
        self.visits: dict[int, FetchedBlock] = {}
        # The first block with an adapter has no input with a gradient; this one stands in for it.
        self.anchor = torch.zeros((), device=device, requires_grad=True)

    def add(self, blocks: Mapping[int, torch.nn.Module]) -> None:
        """Take the weights of more blocks home; those that are there already are left alone."""
        for index in blocks.keys() - self.blocks.keys():
            self.blocks[index] = blocks[index]
            self.slots[index] = [_slot(p, self.device) for p in frozen(blocks[index])]
            _settle(blocks[index], self.device)
        self.away = tuple(sorted(self.blocks))

    def run(self, index: int, *arguments: Any) -> Any:
        """The block's call, checkpointed; where nothing in it or before it is trained, without a
        backward pass."""
        if not self._learns(index, arguments):
            with torch.no_grad():
                self._enter(index)
                return self.blocks[index](*arguments)

        def call(_: torch.Tensor, *given: Any) -> Any:
            self._enter(index)
            return self.blocks[index](*given)

        # Reentrant: a graph that is kept, even one without activations, would hold the weights.
        return checkpoint(
            call,
            self.anchor,
            *arguments,
            use_reentrant=True,
            preserve_rng_state=self.preserve_rng,
        )

    def _learns(self, index: int, arguments: Sequence[Any]) -> bool:
        """Whether a gradient goes through a block or into it."""
        tensors = [one for one in tree_leaves(arguments) if isinstance(one, torch.Tensor)]
        return any(one.requires_grad for one in (*self.blocks[index].parameters(), *tensors))

    def fetch_before_calls(self) -> None:
        """Have weights in place whenever a block is called, for passes without gradients: nothing
        is checkpointed, and `run` is not to be used."""
        self._hook_calls()

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """`with` that, between two steps that use `run`; not while blocks are compiled."""
        hooks = self._hook_calls()
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _hook_calls(self) -> list[Any]:
        return [
            block.register_forward_pre_hook(partial(self._enter_of, index))
            for index, block in self.blocks.items()
        ]

    def settle(self, broken: bool = False) -> None:
        """Send all visiting weights home; `broken`: without waiting for those under way, which were
        part of a recording that failed."""
        for index in list(self.visits):
            if broken:
                self.visits[index].arrival = None
            self._leave(index)

    def present(self) -> list[int]:
        """Numbers of the blocks that are on the device or on their way, in the order of asking."""
        return list(self.visits)

    def _enter_of(self, index: int, *_: Any) -> None:
        self._enter(index)

    def _enter(self, index: int) -> None:
        """Have a block's weights in place and the next one's on their way; the others go.

        The block before is done by now: backward passes too come here one after the other. The last
        of the forward pass stays for the backward pass to begin with, and the other way round.
        """
        place = self.away.index(index) + (-1 if torch.is_grad_enabled() else 1)
        coming = self.away[place] if 0 <= place < len(self.away) else None
        for other in [other for other in self.visits if other not in (index, coming)]:
            self._leave(other)
        self._fetch(index)
        visit = self.visits[index]
        if visit.arrival:
            torch.cuda.current_stream(self.device).wait_event(visit.arrival)
            visit.arrival = None
        for slot, tensor in zip(self.slots[index], visit.tensors, strict=True):
            slot.put(tensor)
        if coming is not None:
            self._fetch(coming)

    def _fetch(self, index: int) -> None:
        """Begin to copy a block's weights to the device, once what runs there now is done.

        Memory is taken on the stream that computes, which waits for the copy before it uses or
        frees it: so no block's memory is ever given away while a copy is under way.
        """
        if index in self.visits:
            return
        homes = [slot.home for slot in self.slots[index]]
        if self.stream is None:
            self.visits[index] = FetchedBlock([home.clone() for home in homes], None)
            return
        tensors = [torch.empty_like(home, device=self.device) for home in homes]
        self.stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self.stream):
            for tensor, home in zip(tensors, homes, strict=True):
                tensor.copy_(home, non_blocking=True)
            arrival = self.stream.record_event()
        self.visits[index] = FetchedBlock(tensors, arrival)

    def _leave(self, index: int) -> None:
        visit = self.visits.pop(index)
        if visit.arrival:
            torch.cuda.current_stream(self.device).wait_event(visit.arrival)
        for slot in self.slots[index]:
            slot.put(slot.nothing)


def frozen(block: torch.nn.Module) -> Iterator[Places]:
    """Every frozen tensor of a block: weights and biases, and what quantized weights need beside
    them. A second level of scales is a 256th of the first and stays on the device."""
    for module in block.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                continue
            places: list[tuple[Any, str]] = [(parameter, "data")]
            state = getattr(parameter, "quant_state", None)
            if state is not None:
                yield [(state, "absmax")]
            if name == "weight" and hasattr(parameter, "CB"):
                if parameter.CB is not None:
                    module.init_8bit_state()
                places.append((module.state, "CB"))
            yield places


def weight_bytes(part: torch.nn.Module) -> int:
    """Bytes of the frozen tensors of a network or block, with what quantized weights need. Touches
    nothing."""
    kept = [parameter for parameter in part.parameters() if not parameter.requires_grad]
    states = [getattr(parameter, "quant_state", None) for parameter in kept]
    scales = [state.absmax for state in states if state is not None]
    return sum(tensor.nbytes for tensor in [*kept, *scales])


def to_offload(sizes: Sequence[int], over: float) -> tuple[int, ...]:
    """Which blocks (bytes of each) are to be away from the card for `over` bytes less there, evenly
    apart. The one in use and the next are there all the same; where nothing is enough, all are
    away."""
    if over <= 0:
        return ()
    for count in range(3, len(sizes)):
        away = spread(count, len(sizes))
        there = sorted((sizes[index] for index in away), reverse=True)[:2]
        if sum(sizes[index] for index in away) - sum(there) >= over:
            return away
    return tuple(range(len(sizes)))


def place(transformer: torch.nn.Module, away: Mapping[int, Any], device: torch.device) -> None:
    """Bring to the device what is not there of a transformer that was loaded into the machine's
    memory, but for the blocks in `away`. Trained parameters stay the objects that they are."""
    for parameter in transformer.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(device)
    numbers = {id(block): index for index, block in away.items()}
    for child in transformer.children():
        parts = child if isinstance(child, torch.nn.ModuleList) else [child]
        for part in parts:
            if id(part) not in numbers:
                part.to(device)


def _settle(block: torch.nn.Module, device: torch.device) -> None:
    """Bring what is small or trained of an offloaded block to the device, to stay there."""
    for module in block.modules():
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad:
                parameter.data = parameter.data.to(device)
            state = getattr(parameter, "quant_state", None)
            for holder, names in (
                (state, ("code", "offset")),
                (_nested(state), ("code", "absmax")),
            ):
                _move(holder, names, device)
        _move(getattr(module, "state", None), ("SCB",), device)


def _nested(state: Any) -> Any:
    return getattr(state, "state2", None)


def _move(holder: Any, names: Sequence[str], device: torch.device) -> None:
    for name in names:
        value = getattr(holder, name, None)
        if isinstance(value, torch.Tensor):
            setattr(holder, name, value.to(device))


def _slot(places: Places, device: torch.device) -> Slot:
    """Take a tensor home, pinned where it must travel to a GPU, and leave nothing in its place."""
    holder, name = places[0]
    home = getattr(holder, name).detach().to("cpu")
    if backend_of(device).cuda_api:
        home = home.pin_memory()
    slot = Slot(places, home, torch.empty(0, dtype=home.dtype, device=device))
    slot.put(slot.nothing)
    return slot
