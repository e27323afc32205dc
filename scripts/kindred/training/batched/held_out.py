"""The loss on held-out photos of many trainings at once: the samples of training/held_out_loss.py
as rows of the tables. Knows nothing of adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from kindred.training.batched.data_feed import DeviceTables, Samples, StepInputs
from kindred.training.batched.members import BatchedRun
from kindred.training.held_out_loss import HeldOutSample, samples_of

Velocity = Callable[[Samples, torch.Tensor], torch.Tensor]


class HeldOutLosses:
    """Takes the held-out losses of a stack. most: samples of each member at once.

    Members that hold out the same photos share their noise.
    """

    def __init__(self, members: Sequence[BatchedRun], tables: DeviceTables, most: int) -> None:
        self.members, self.tables, self.most = members, tables, most
        self.samples = [samples_of(one.held_out) if one.held_out else [] for one in members]

    def __bool__(self) -> bool:
        """Whether some member holds anything out."""
        return any(self.samples)

    @torch.no_grad()
    def take(self, active: Sequence[int], velocity: Velocity) -> list[float]:
        """The loss of each member at work, in their order; NaN where it holds nothing out.

        velocity: (samples, guidance [N]) -> what the network says of them, as tokens.
        """
        device = self.tables.latents.device
        guidance = [self.members[n].recipe.train_guidance for n in active for _ in range(self.most)]
        told = torch.tensor(guidance, device=device)
        total = torch.zeros(len(active), dtype=torch.float64)
        for inputs, counted in self._choices(active):
            samples = self.tables.look_up(inputs.to(device))
            predicted = velocity(samples, told).float()
            errors = (predicted - (samples.noise - samples.latents)).square().mean((1, 2))
            total += (errors.cpu().double().view(counted.shape) * counted).sum(1)
        counts = torch.tensor([len(self.samples[n]) for n in active], dtype=torch.float64)
        return [float(loss) for loss in total / counts]

    def _choices(self, active: Sequence[int]) -> Iterator[tuple[StepInputs, torch.Tensor]]:
        """All samples, `most` of each member at once, and which of them count [members, most]:
        who has fewer is filled up with samples of anybody."""
        own = [self.samples[n] for n in active]
        filling = next(samples[0] for samples in own if samples)
        for start in range(0, max(map(len, own)), self.most):
            parts = [samples[start : start + self.most] for samples in own]
            counted = torch.tensor([[n < len(p) for n in range(self.most)] for p in parts])
            yield self._inputs([p + [filling] * (self.most - len(p)) for p in parts]), counted

    def _inputs(self, parts: Sequence[Sequence[HeldOutSample]]) -> StepInputs:
        noises: dict[tuple[tuple[str, float], ...], int] = {}
        draws, drawn = [], []
        for part in parts:
            key = tuple((one.example.pixel_hash, one.sigma) for one in part)
            if key not in noises:
                noises[key] = len(drawn)
                drawn.append(torch.stack([one.noise.flatten() for one in part]))
            draws.append(noises[key])
        every = [one for part in parts for one in part]
        pictures = [self.tables.picture[id(one.example)] for one in every]
        texts = [self.tables.text[id(one.example.text)] for one in every]
        return StepInputs(
            rows=torch.tensor([pictures, texts]),
            sigmas=torch.tensor([one.sigma for one in every]),
            noise=torch.stack(drawn),
            draws=torch.tensor(draws),
        )
