"""Many small trainings in the time of one: which can share a forward pass, and the loop they share.

A step of a small base costs a GPU the same time for one batch as for many. Members keep their own
data, seeds, rates, lengths and adapters, so each ends where it would end alone, to rounding: sums
are taken in another order. Knows nothing of files.
"""

from __future__ import annotations

import math
import resource
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from kindred import compiling
from kindred.feeding import Choice, Feed, Feeder, Samples, Tables
from kindred.progress import Progress
from kindred.schedules import learning_rate
from kindred.spec.train import Recipe, TrainSpec
from kindred.stacked import Adapters, Start, prepare, start_of
from kindred.training import MIB, Stream

READ_EVERY, RECOMPILES = 20, 64
# Members that are finished still cost their share of a step; going on without them costs a copy.
DROP_AT = 1 / 8
BETAS, EPSILON = (0.9, 0.999), 1e-8  # torch.optim.AdamW's, as kindred.optimizers leaves them


@dataclass
class Member:
    """One training of a stack; streams as the Trainer takes them. `job`: whatever asked for it."""

    spec: TrainSpec
    run: int
    streams: Sequence[Stream]
    job: Any = None

    @property
    def recipe(self) -> Recipe:
        """Its hyper-parameters."""
        return self.spec.recipe

    def shape(self) -> tuple[Any, ...]:
        """What must be equal within a stack."""
        example = _examples(self.streams)[0]
        tokens = (example.latent[0].numel() // 4, example.text.states.shape[0])
        return self.spec.base.canonical(), self.recipe.batch, len(self.streams), *tokens


@dataclass
class Trained:
    """What became of one member; told of it like of a Trainer."""

    state: dict[str, torch.Tensor]
    config: Any
    rows: list[dict[str, float]]
    seconds: float
    device: torch.device
    fitting: Any = None

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The adapter's tensors."""
        return list(self.state.values())

    @property
    def done(self) -> int:
        """Steps done."""
        return len(self.rows)

    def is_number(self) -> bool:
        """Whether every loss and every weight is a number."""
        whole = all(bool(torch.isfinite(value).all()) for value in self.parameters)
        return whole and all(math.isfinite(row["loss"]) for row in self.rows)

    def smoothed(self) -> float:
        """Mean loss of the last tenth of the steps."""
        last = self.rows[-max(1, len(self.rows) // 10) :]
        return sum(row["loss"] for row in last) / len(last)

    def peak_memory_mib(self) -> float:
        """Most memory used by the process that trained all members."""
        return self.rows[-1]["memory_mib"]


def mixed_sizes(streams: Sequence[Stream]) -> str:
    """Why pictures can't share a forward pass; '' when they can."""
    found = sorted({example.latent[0].numel() // 4 for example in _examples(streams)})
    return f"pictures of {' and '.join(map(str, found))} tokens" if len(found) > 1 else ""


def stacks(members: Sequence[Member], most: int) -> list[list[Member]]:
    """Members in stacks of at most `most`, the longest trainings first; those of one rank and run
    stand together, because ranks are filled up to the highest and runs share their noise."""
    groups: dict[tuple[Any, ...], list[Member]] = {}
    for member in members:
        groups.setdefault(member.shape(), []).append(member)
    found = []
    for group in groups.values():
        group.sort(key=lambda member: (-member.recipe.steps, member.recipe.rank, member.run))
        count = math.ceil(len(group) / most)
        size = math.ceil(len(group) / count)
        found += [group[start : start + size] for start in range(0, len(group), size)]
    return found


def parts(steps: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Which members take part until when: (last step + 1, their numbers) of each part. Those that
    have finished stay until they are an eighth of the stack."""
    found: list[tuple[int, list[int]]] = []
    members = list(range(len(steps)))
    for stop in sorted(set(steps)):
        going_on = [m for m in members if steps[m] > stop]
        if len(members) - len(going_on) >= DROP_AT * len(members):
            found.append((stop, members))
            members = going_on
    return found


def controls(recipe: Recipe, step: int) -> tuple[float, float, float, float, float]:
    """An optimizer step in numbers: step size with the first bias correction, root of the second,
    what weight decay leaves, most gradient norm, and how much the average takes in. A finished
    member gets numbers that change nothing."""
    most = recipe.clip or math.inf
    root = math.sqrt(1 - BETAS[1] ** (step + 1))
    if step >= recipe.steps:
        return 0.0, root, 1.0, most, 0.0
    rate = learning_rate(step, recipe)
    taken = 1 - min(recipe.ema, (1 + step) / (10 + step)) if recipe.ema else 0.0
    correction = 1 - BETAS[0] ** (step + 1)
    return rate / correction, root, 1 - rate * recipe.weight_decay, most, taken


@dataclass
class Together:
    """One stack in training.

    network: the transformer, frozen; plain again after `train`. scheduler: the base's settings.
    threads: how many draw noise. compiled: whether its blocks are to be compiled.
    """

    network: Any
    members: Sequence[Member]
    scheduler: Mapping[str, Any]
    threads: int = 1
    compiled: bool = False
    starts: dict[tuple[Any, ...], Start] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.device = next(self.network.parameters()).device
        self.dtype = self.network.dtype
        self.own = [self._start(member) for member in self.members]
        self.positions = prepare(self.network)
        streams = [stream for member in self.members for stream in member.streams]
        self.tables = Tables(streams, self.positions.plain, self.dtype, self.device)
        feeds = [
            [Feed.of(stream, m.recipe, m.run, self.tables) for stream in m.streams]
            for m in self.members
        ]
        self.feeder = Feeder(feeds, self.scheduler, self.threads)
        self.network.train()

    def train(self, what: str) -> list[Trained]:
        """All members, each to its last step, in the order of `members`."""
        self.adapters = Adapters(self.network, [start.state for start in self.own])
        began = time.monotonic()
        try:
            if self.compiled:
                # Each number of members may be compiled once.
                torch._dynamo.config.recompile_limit = RECOMPILES
                self.compiled = compiling.compiled(self.network)
            with warnings.catch_warnings():
                # Of views into a table; its way costs nothing here.
                warnings.filterwarnings("ignore", message="grad and param do not obey")
                rows = self._steps(what)
        finally:
            self.adapters.remove()
            self.positions.turns = None
            self.feeder.close()
        seconds = (time.monotonic() - began) / len(self.members)
        states = [
            self.adapters.state(self.last[number], start.state)
            for number, start in enumerate(self.own)
        ]
        return [
            Trained(state, start.config, of_member, seconds, self.device)
            for state, start, of_member in zip(states, self.own, rows, strict=True)
        ]

    def _steps(self, what: str) -> list[list[dict[str, float]]]:
        steps = [member.recipe.steps for member in self.members]
        plan = parts(steps)
        choices = (self.feeder.ahead if self.device.type == "cuda" else self.feeder.choices)(plan)
        self.last: dict[int, torch.Tensor] = {}
        rows: list[list[dict[str, float]]] = [[] for _ in steps]
        step, began = 0, time.monotonic()
        values = self.adapters.values
        self.moments = [torch.zeros_like(values), torch.zeros_like(values)]
        self.average = values.clone() if any(m.recipe.ema for m in self.members) else None
        with Progress(what, max(steps), "step") as progress:
            before = list(range(len(steps)))
            for stop, active in plan:
                self._keep([before.index(number) for number in active], active)
                self.control = self._controls(active, step, stop)
                before, unread, first = active, [], step
                while step < stop:
                    unread.append(self._step(self.control[step - first], next(choices)))
                    step += 1
                    self._set_aside(step, active)
                    if len(unread) == READ_EVERY or step == stop:
                        losses = torch.stack(unread).tolist()
                        seconds = (time.monotonic() - began) / len(steps)
                        self._note(rows, step - len(unread), active, losses, seconds)
                        unread = []
                    progress.update()
        return rows

    def _keep(self, places: list[int], active: Sequence[int]) -> None:
        """Go on with the members at these places of the tables."""
        members = [self.members[number] for number in active]
        if len(places) < len(self.adapters.values):
            self.adapters.hold(self.adapters.values[places])
            self.moments = [moment[places] for moment in self.moments]
            self.average = None if self.average is None else self.average[places]
        self.adapters.scale([_scale(member.recipe) for member in members])
        tensor = self.adapters.values.new_tensor
        self.shares = tensor([[s.weight for s in m.streams] for m in members])
        guidance = [m.recipe.guidance for m in members for _ in range(self._samples(m))]
        self.guidance = tensor(guidance) if self.network.config.guidance_embeds else None

    def _controls(self, active: Sequence[int], start: int, stop: int) -> torch.Tensor:
        """[steps, 5, G, 1] on the device: sent once, because a step waits for what is sent."""
        recipes = [self.members[number].recipe for number in active]
        told = [[controls(recipe, step) for recipe in recipes] for step in range(start, stop)]
        return torch.tensor(told).transpose(1, 2)[..., None].contiguous().to(self.device)

    def _step(self, control: torch.Tensor, choice: Choice) -> torch.Tensor:
        """One step of the members at work; their losses of the photos [G]."""
        samples = self.tables.look_up(choice.to(self.device))
        # From here to the end of `_update` nothing depends on the host: what a CUDA graph would
        # record, once choices are padded to one number of noises and copied to a fixed place.
        try:
            losses = self._gradients(samples)
        except Exception as error:
            if not self.compiled or isinstance(error, torch.OutOfMemoryError):
                raise
            compiling.eager(self.network, error)
            self.compiled = False
            losses = self._gradients(samples)
        self._update(control)
        return losses[:, 0]

    def _gradients(self, samples: Samples) -> torch.Tensor:
        """Fill the table of gradients; the losses [G, streams]."""
        self.adapters.slopes.zero_()
        self.positions.turns = (samples.cosines, samples.sines)
        sigmas = samples.sigmas[:, None, None]
        noisy = (1 - sigmas) * samples.latents + sigmas * samples.noise
        no_ids = noisy.new_zeros(1, 3)
        predicted = self.network(
            hidden_states=noisy.to(self.dtype),
            encoder_hidden_states=samples.states,
            pooled_projections=samples.pooled,
            timestep=samples.sigmas,
            guidance=self.guidance,
            img_ids=no_ids,
            txt_ids=no_ids,
            return_dict=False,
        )[0]
        target = samples.noise - samples.latents
        errors = (predicted.float() - target).square().mean(-1) * samples.weights
        losses = errors.reshape(*self.shares.shape, -1).mean(-1)
        # Members share nothing that learns, so the sum's gradient is each one's own.
        (losses * self.shares).sum().backward()
        return losses.detach()

    @torch.no_grad()
    def _update(self, control: torch.Tensor) -> None:
        """Clip each member's gradient, then AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101)
        in torch's order of operations. control: see `controls`, [5, G, 1]."""
        size, root, left, most, taken = control
        values, slopes = self.adapters.values, self.adapters.slopes
        first, second = self.moments
        norms = torch.linalg.vector_norm(slopes, dim=1, keepdim=True)
        slopes.mul_((most / (norms + 1e-6)).clamp_(max=1))
        values.mul_(left)
        first.lerp_(slopes, 1 - BETAS[0])
        second.mul_(BETAS[1]).addcmul_(slopes, slopes, value=1 - BETAS[1])
        values.addcdiv_(first * size, second.sqrt().div_(root).add_(EPSILON), value=-1)
        if self.average is not None:
            self.average.lerp_(values, taken)

    def _set_aside(self, done: int, active: Sequence[int]) -> None:
        """Copy the adapters of members that have just finished."""
        for place, number in enumerate(active):
            recipe = self.members[number].recipe
            if recipe.steps == done:
                table = self.average if recipe.ema else self.adapters.values
                self.last[number] = table[place].detach().cpu().clone()

    def _note(
        self,
        rows: list[list[dict[str, float]]],
        first: int,
        active: Sequence[int],
        losses: list[list[float]],
        seconds: float,
    ) -> None:
        memory = self._peak_memory_mib()
        for step, of_step in enumerate(losses, first):
            for number, loss in zip(active, of_step, strict=True):
                recipe = self.members[number].recipe
                if step < recipe.steps:
                    row = {"step": step + 1, "loss": round(loss, 6)}
                    row |= {"lr": learning_rate(step, recipe), "seconds": round(seconds, 3)}
                    rows[number].append(row | {"memory_mib": memory})

    def _peak_memory_mib(self) -> float:
        if self.device.type == "cuda":
            return round(torch.cuda.max_memory_allocated(self.device) / MIB, 1)
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)

    def _start(self, member: Member) -> Start:
        recipe = member.recipe
        key = (recipe.rank, recipe.alpha, str(recipe.targets), recipe.rslora, member.run)
        if key not in self.starts:
            self.starts[key] = start_of(self.network, recipe, member.run)
        return self.starts[key]

    @staticmethod
    def _samples(member: Member) -> int:
        return member.recipe.batch * len(member.streams)


def _scale(recipe: Recipe) -> float:
    """peft's factor of an adapter's product (rsLoRA: Kalajdzievski 2023, arXiv 2312.03732)."""
    alpha = recipe.alpha or recipe.rank
    return alpha / math.sqrt(recipe.rank) if recipe.rslora else alpha / recipe.rank


def _examples(streams: Sequence[Stream]) -> list[Any]:
    return [e for stream in streams for bucket in stream.buckets.values() for e in bucket]
