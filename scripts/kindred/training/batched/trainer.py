"""Many small trainings in the time of one: the loop they share.

A step of a small base costs a GPU the same time for one batch as for many. Members keep their own
data, seeds, rates, lengths and adapters, so each ends where it would end alone, to rounding: sums
are taken in another order. Knows nothing of files.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from kindred.common.backends import backend_of
from kindred.common.errors import KindredError
from kindred.common.progress import Progress
from kindred.compute import compilation
from kindred.compute.cuda_graphs import CapturedGraph
from kindred.compute.devices import peak_memory_mib
from kindred.models import architectures
from kindred.training.batched.data_feed import (
    DataFeed,
    DeviceTables,
    Samples,
    StepFeeder,
    StepInputs,
)
from kindred.training.batched.held_out import HeldOutLosses
from kindred.training.batched.members import (
    BETAS,
    EPSILON,
    BatchedRun,
    Trained,
    controls,
    parts,
)
from kindred.training.batched.stacked_lora import Adapters, Starts
from kindred.training.held_out_curve import COLUMN, is_due
from kindred.training.lr_schedules import learning_rate
from kindred.training.training_log import READ_EVERY, ZEROS, fault_of

RECOMPILES = 64


@dataclass
class BatchedTrainer:
    """One stack in training.

    network: the transformer, frozen; plain again after `train`. scheduler: the base's settings.
    threads: how many draw noise. compiled: whether its blocks are to be compiled.
    """

    network: Any
    members: Sequence[BatchedRun]
    scheduler: Mapping[str, Any]
    threads: int = 1
    compiled: bool = False

    def __post_init__(self) -> None:
        self.device = next(self.network.parameters()).device
        architecture = architectures.of_network(self.network)
        if architecture.batched_inputs is None:
            raise KindredError(
                "this base can't train several adapters together yet",
                architecture.title,
                "train each adapter alone",
            )
        starts = Starts(self.network)
        self.own = [starts.of(member.recipe, member.run) for member in self.members]
        self.series = [{*m.recipe.series, m.recipe.steps} for m in self.members]
        self.inputs = architecture.batched_inputs(self.network)
        denoiser = architecture.denoiser(self.network)
        datasets = [dataset for member in self.members for dataset in member.read]
        self.tables = DeviceTables(datasets, denoiser, self.inputs, architecture.text)
        feeds = [
            [DataFeed.of(dataset, m.recipe, m.run, self.tables) for dataset in m.datasets]
            for m in self.members
        ]
        self.feeder = StepFeeder(feeds, architecture, self.scheduler, self.threads)
        self.held_out = HeldOutLosses(self.members, self.tables, self.members[0].recipe.batch)
        self.network.train()

    def train(self, what: str) -> list[Trained]:
        """All members, each to its last step, in the order of `members`."""
        self.adapters = Adapters(self.network, [start.state for start in self.own])
        began = time.monotonic()
        try:
            if self.compiled:
                # Each number of members may be compiled once.
                torch._dynamo.config.recompile_limit = RECOMPILES
                self.compiled = compilation.compile_blocks(self.network)
            with warnings.catch_warnings():
                # Of views into a table; its way costs nothing here.
                warnings.filterwarnings("ignore", message="grad and param do not obey")
                rows = self._steps(what)
        finally:
            self.adapters.remove()
            self.inputs.release()
            self.feeder.close()
        seconds = (time.monotonic() - began) / len(self.members)
        return [self._trained(number, of_one, seconds) for number, of_one in enumerate(rows)]

    def _trained(self, number: int, rows: list[dict[str, float]], seconds: float) -> Trained:
        start, kept = self.own[number], self.kept[number].items()
        states = {step: self.adapters.state(row, start.state) for step, row in kept}
        last = states.pop(self.members[number].recipe.steps)
        fault = self.faults.get(number, "")
        for step, loss in self.held_out_losses[number].items():
            rows[step - 1][COLUMN] = round(loss, 6)
        return Trained(last, states, start.config, rows, seconds, self.device, fault)

    def _steps(self, what: str) -> list[list[dict[str, float]]]:
        steps = [member.recipe.steps for member in self.members]
        plan = parts(steps)
        backend = backend_of(self.device)
        choices = (self.feeder.ahead if backend.cuda_api else self.feeder.choices)(plan)
        self.kept: list[dict[int, torch.Tensor]] = [{} for _ in steps]
        self.held_out_losses: list[dict[int, float]] = [{} for _ in steps]
        self.zeros, self.faults = [0] * len(steps), dict[int, str]()
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
                # Each part has tables of its own, and so a recording.
                work = CapturedGraph(self._work, self.device) if backend.records else self._work
                while step < stop:
                    choice = next(choices).to(self.device)
                    figures = work(self.control[step - first], *vars(choice).values())
                    unread.append(figures.clone())
                    step += 1
                    self._set_aside(step, active)
                    self._take_held_out(step, active)
                    if len(unread) == READ_EVERY or step == stop:
                        read = torch.stack(unread).tolist()
                        seconds = (time.monotonic() - began) / len(steps)
                        self._note(rows, step - len(unread), active, read, seconds)
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
        self.adapters.scale([self.own[number].scales for number in active])
        self.ratios = self.adapters.rate_ratios([m.recipe.loraplus_lr_ratio for m in members])
        tensor = self.adapters.values.new_tensor
        self.shares = tensor([[s.weight for s in m.datasets] for m in members])
        guidance = [m.recipe.train_guidance for m in members for _ in range(self._samples(m))]
        self.guidance = tensor(guidance)

    def _controls(self, active: Sequence[int], start: int, stop: int) -> torch.Tensor:
        """[steps, 5, G, 1] on the device: sent once, because a step waits for what is sent."""
        recipes = [self.members[number].recipe for number in active]
        told = [[controls(recipe, step) for recipe in recipes] for step in range(start, stop)]
        return torch.tensor(told).transpose(1, 2)[..., None].contiguous().to(self.device)

    def _work(self, control: torch.Tensor, *choice: torch.Tensor) -> torch.Tensor:
        """One step of the members at work; [G, 2]: losses of their photos, and norms of their
        gradients. Nothing in it depends on the host, so that a GPU can record it."""
        samples = self.tables.look_up(StepInputs(*choice))
        try:
            losses = self._gradients(samples)
        except Exception as error:
            on_gpu = backend_of(self.device).cuda_api
            recording = on_gpu and torch.cuda.is_current_stream_capturing()
            if not self.compiled or recording or isinstance(error, torch.OutOfMemoryError):
                raise
            compilation.disable_compilation(self.network, error)
            self.compiled = False
            losses = self._gradients(samples)
        norms = self._update(control)
        return torch.cat([losses[:, :1], norms], dim=1)

    def _gradients(self, samples: Samples) -> torch.Tensor:
        """Fill the table of gradients; the losses [G, datasets]."""
        self.adapters.slopes.zero_()
        predicted = self._velocity(samples, self.guidance)
        target = samples.noise - samples.latents
        errors = (predicted.float() - target).square().mean(-1) * samples.weights
        losses = errors.reshape(*self.shares.shape, -1).mean(-1)
        # Members share nothing that learns, so the sum's gradient is each one's own.
        (losses * self.shares).sum().backward()
        return losses.detach()

    def _velocity(self, samples: Samples, guidance: torch.Tensor) -> torch.Tensor:
        """What the network with each member's adapter says of noised samples, as tokens."""
        sigmas = samples.sigmas[:, None, None]
        noisy = (1 - sigmas) * samples.latents + sigmas * samples.noise
        told = samples.text, guidance, samples.rows
        return self.inputs.packed_velocity(noisy, samples.sigmas, *told)

    @torch.no_grad()
    def _update(self, control: torch.Tensor) -> torch.Tensor:
        """Clip each member's gradient, then AdamW (Loshchilov and Hutter 2017, arXiv 1711.05101)
        in torch's order of operations; norms of gradients before [G, 1]. control: see `controls`,
        [5, G, 1]."""
        size, root, left, most, taken = control
        if self.ratios is not None:
            size, left = size * self.ratios, 1 - (1 - left) * self.ratios
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
        return norms

    def _set_aside(self, done: int, active: Sequence[int]) -> None:
        """Copy the adapters of members that have just finished, or are kept on the way."""
        for place, number in enumerate(active):
            if done in self.series[number]:
                averaged = self.members[number].recipe.ema
                table = self.average if averaged else self.adapters.values
                self.kept[number][done] = table[place].detach().cpu().clone()

    @torch.no_grad()
    def _take_held_out(self, done: int, active: Sequence[int]) -> None:
        """Note the loss on held-out photos of members where it is due, by what is kept of them:
        the average where there is one."""
        members = [(number, self.members[number]) for number in active]
        due = [n for n, one in members if one.held_out and is_due(one.recipe, done)]
        if not due:
            return
        values, trained = self.adapters.values, None
        if self.average is not None:
            trained = values.clone()
            averaged = [bool(one.recipe.ema) for _, one in members]
            chosen = torch.tensor(averaged, device=self.device)[:, None]
            values.copy_(torch.where(chosen, self.average, values))
        losses = dict(zip(active, self.held_out.take(active, self._velocity), strict=True))
        if trained is not None:
            values.copy_(trained)
        for number in due:
            self.held_out_losses[number][done] = losses[number]

    def _note(
        self,
        rows: list[list[dict[str, float]]],
        first: int,
        active: Sequence[int],
        figures: list[list[list[float]]],
        seconds: float,
    ) -> None:
        memory = peak_memory_mib(self.device)
        for step, of_step in enumerate(figures, first):
            for number, (loss, norm) in zip(active, of_step, strict=True):
                recipe = self.members[number].recipe
                if step < recipe.steps:
                    row = {"step": step + 1, "loss": round(loss, 6)}
                    row |= {"lr": learning_rate(step, recipe), "seconds": round(seconds, 3)}
                    rows[number].append(row | {"memory_mib": memory})
                    self._note_fault(number, row, norm)

    def _note_fault(self, number: int, row: dict[str, float], norm: float) -> None:
        """Keep the first reason why a member's adapter is of no use."""
        self.zeros[number] = self.zeros[number] + 1 if norm == 0 else 0
        most = min(ZEROS, self.members[number].recipe.steps)
        if error := fault_of(row, norm, self.zeros[number], most):
            self.faults.setdefault(number, str(error))

    @staticmethod
    def _samples(member: BatchedRun) -> int:
        return member.recipe.batch * len(member.datasets)
