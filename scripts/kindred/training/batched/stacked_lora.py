"""Many LoRAs on one frozen transformer at once: layers that hold one low-rank product a member.

The batch axis holds the members' samples one member after another, each with as many. All numbers
of all adapters lie in one table, a row a member, so that clipping and the optimizer are a few
operations whatever the number of layers. Knows nothing of data.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import torch

from kindred.common.seeds import seed_of
from kindred.models.lora import injection
from kindred.specs.training import Recipe

DOWN, UP = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True)
class Start:
    """What one adapter starts from: its tensors by diffusers' names, peft's configuration, and
    what each layer's product is multiplied by."""

    state: dict[str, torch.Tensor]
    config: Any
    scales: dict[str, float]


def start_of(network: Any, recipe: Recipe, run: int) -> Start:
    """The very values that `lora.add_lora` draws for this run; `network` itself gets no adapter."""
    shared = {id(t): t for t in chain(network.parameters(), network.buffers())}
    other = copy.deepcopy(network, shared)
    injection.add_lora(other, recipe, run)
    state = {name: value.detach().cpu() for name, value in injection.lora_state(other).items()}
    scales = {
        name: float(part.scaling[injection.ADAPTER])
        for name, part in other.named_modules()
        if hasattr(part, "lora_A")
    }
    return Start(state, other.peft_config[injection.ADAPTER], scales)


@dataclass
class Starts:
    """What the adapters of a network start from. Putting one on it takes peft a quarter of a
    second, so that is done once for all runs of the same settings; the others' values are drawn
    as peft draws them, where that is proved to give the very values of the first."""

    network: Any
    known: dict[str, tuple[Start, bool]] = field(default_factory=dict)

    def of(self, recipe: Recipe, run: int) -> Start:
        """What `start_of` gives."""
        told = {"rank", "alpha", "rank_pattern", "alpha_pattern", "targets", "rslora"}
        settings = recipe.model_dump_json(include=told)
        if settings not in self.known:
            first = start_of(self.network, recipe, run)
            again = self._drawn(first, run)
            proved = all(torch.equal(value, again[name]) for name, value in first.state.items())
            self.known[settings] = first, proved
            return first
        first, proved = self.known[settings]
        if not proved:
            return start_of(self.network, recipe, run)
        return replace(first, state=self._drawn(first, run))

    def _drawn(self, like: Start, run: int) -> dict[str, torch.Tensor]:
        """A run's values in the places of another's: peft makes a layer for A and one for B, draws
        A anew and sets B to zero, and holds both in the precision of the layer beside them."""
        source = torch.Generator().manual_seed(seed_of(run, "adapter"))
        found = {}
        for name in like.state:
            if name.endswith(DOWN):
                path = name.removesuffix(DOWN)
                down, up = (torch.empty_like(like.state[path + part]) for part in (DOWN, UP))
                for value in (down, up, down):
                    torch.nn.init.kaiming_uniform_(value, a=math.sqrt(5), generator=source)
                plain = self.network.get_submodule(path.removeprefix(injection.PREFIX)).weight
                found[name] = down.to(plain.dtype).to(down.dtype)
                found[path + UP] = up.zero_()
        return {name: found[name] for name in like.state}


class BatchedLoraLinear(torch.nn.Module):
    """A frozen linear layer plus each member's own product: down [G, r, in], up [G, out, r], scales
    [G, 1, 1] or None where all are 1. Takes [G * n, ..., in], member after member."""

    down: torch.nn.Parameter
    up: torch.nn.Parameter

    def __init__(self, plain: torch.nn.Linear) -> None:
        super().__init__()
        self.plain = plain
        self.scales: torch.Tensor | None = None

    @property
    def weight(self) -> torch.Tensor:
        """The frozen weight: some networks ask a layer for its precision."""
        return self.plain.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Of [..., in] the [..., out]. The product is in the precision of x, as in `add_lora`."""
        result = self.plain(x)
        members = self.down.shape[0]
        rows = x.reshape(members, -1, x.shape[-1])
        low = torch.bmm(rows, self.down.to(x.dtype).transpose(1, 2))
        if self.scales is not None:
            low = low * self.scales.to(x.dtype)
        whole = result.reshape(members, -1, result.shape[-1])
        return torch.baddbmm(whole, low, self.up.to(x.dtype).transpose(1, 2)).view(result.shape)


class Adapters:
    """The members' adapters as a table `values` [G, numbers], with `slopes` like it for gradients.

    Layers hold views into both, so what is done to the table is done to all of them. A smaller rank
    and layers that a member leaves alone are filled up with zeros: where both factors are zero both
    gradients are, so they stay.
    """

    def __init__(self, network: Any, starts: Sequence[Mapping[str, torch.Tensor]]) -> None:
        """Puts a StackedLinear in place of every layer that some member adapts; `starts`: what each
        member's adapter starts from, by diffusers' names."""
        self.network = network
        self.shapes: dict[str, tuple[int, int]] = {}
        for name, value in chain.from_iterable(start.items() for start in starts):
            high, wide = self.shapes.get(name, (0, 0))
            self.shapes[name] = (max(high, value.shape[0]), max(wide, value.shape[1]))
        table = torch.stack([torch.cat([*map(torch.flatten, self._full(one))]) for one in starts])
        device = next(network.parameters()).device
        self.layers: dict[str, BatchedLoraLinear] = {}
        for name in self.shapes:
            if name.endswith(DOWN):
                path = name.removeprefix(injection.PREFIX).removesuffix(DOWN)
                self.layers[path] = BatchedLoraLinear(network.get_submodule(path))
        self.hold(table.to(device))
        # Last: where there is no memory for the tables the network stays as it was.
        for path, layer in self.layers.items():
            network.set_submodule(path, layer)

    def hold(self, values: torch.Tensor) -> None:
        """Go on with this table [G, numbers]; G may be another one."""
        self.values, self.slopes = values, torch.zeros_like(values)
        start = 0
        for name, shape in self.shapes.items():
            part = slice(start, start := start + math.prod(shape))
            views = [t[:, part].view(-1, *shape) for t in (self.values, self.slopes)]
            parameter = torch.nn.Parameter(views[0])
            # Gradients are added into the table because they lie there already.
            parameter.grad = views[1]
            is_down = name.endswith(DOWN)
            path = name.removeprefix(injection.PREFIX).removesuffix(DOWN if is_down else UP)
            setattr(self.layers[path], "down" if is_down else "up", parameter)

    def rate_ratios(self, ratios: Sequence[float | None]) -> torch.Tensor | None:
        """[G, numbers] or None where no member has one: what each number's learning rate is
        multiplied by, `ratios` for each member's B and 1 else (LoRA+)."""
        if not any(ratios):
            return None
        parts = [
            torch.full((math.prod(shape),), not name.endswith(DOWN))
            for name, shape in self.shapes.items()
        ]
        ups = torch.cat(parts).to(self.values.device)
        of_ups = self.values.new_tensor([ratio or 1.0 for ratio in ratios])[:, None]
        return torch.where(ups, of_ups, 1.0)

    def scale(self, scales: Sequence[Mapping[str, float]]) -> None:
        """Multiply each member's products by its `scales`, by names of layers."""
        sent: dict[tuple[float, ...], torch.Tensor | None] = {}
        for path, layer in self.layers.items():
            factors = tuple(one.get(path, 1.0) for one in scales)
            if factors not in sent:
                ones = all(factor == 1 for factor in factors)
                sent[factors] = None if ones else self.values.new_tensor(factors)[:, None, None]
            layer.scales = sent[factors]

    def state(self, row: torch.Tensor, like: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """A row of the table [numbers] as tensors of the names and shapes of `like`."""
        parts = row.split([math.prod(shape) for shape in self.shapes.values()])
        full = {n: p.view(self.shapes[n]) for n, p in zip(self.shapes, parts, strict=True)}
        cut = {name: (value.shape[0], value.shape[1]) for name, value in like.items()}
        return {name: full[name][:high, :wide].clone() for name, (high, wide) in cut.items()}

    def _full(self, start: Mapping[str, torch.Tensor]) -> Iterator[torch.Tensor]:
        for name, shape in self.shapes.items():
            value = torch.zeros(shape)
            if name in start:
                value[: start[name].shape[0], : start[name].shape[1]] = start[name]
            yield value

    def remove(self) -> None:
        """Give the network its plain layers back."""
        for path, layer in self.layers.items():
            self.network.set_submodule(path, layer.plain)
