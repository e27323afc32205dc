"""One training by several processes, a GPU each: who does which micro-steps, and their sum.

Data parallel as accumulation is: the recipe's micro-steps are dealt out, gradients are added up, so
the result is that of one process within rounding. Knows torch.distributed; nothing of models.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from kindred.common.backends import backend_of
from kindred.common.errors import KindredError

if TYPE_CHECKING:
    import torch

PROCESSES = "KINDRED_PROCESSES"


def wanted() -> int:
    """How many processes share a training. Raises KindredError for a nonsense environment."""
    text = os.environ.get(PROCESSES, "1")
    if not text.isdigit() or int(text) < 1:
        raise KindredError(
            f"{PROCESSES}={text} is not a number of processes",
            cure="set it to a whole number, 1 or more",
        )
    return int(text)


def launched() -> bool:
    """Whether this process is one of several that were started together."""
    return "WORLD_SIZE" in os.environ


def is_follower() -> bool:
    """Whether this process is one of several and not the first."""
    return int(os.environ.get("RANK", "0")) > 0 and launched()


def check(accumulation: int) -> None:
    """Raise KindredError when there is not a micro-step of every step for each process."""
    if accumulation < wanted():
        raise KindredError(
            f"{wanted()} processes share the micro-steps of a step, but the recipe has "
            f"`gradient_accumulation: {accumulation}`",
            "device: processes",
            "raise `gradient_accumulation` to the number of processes or more (with a smaller "
            "`batch` for the same effective batch), or set `processes: 1`",
        )


def launch(arguments: Sequence[str]) -> NoReturn:
    """Go on as `wanted()` processes of this program, under torch's launcher, which ends all when
    one fails. (accelerate's launcher is the same one, and wants all GPUs visible to all.)"""
    options = ["--standalone", "--nproc-per-node", str(wanted())]
    module, program = ["-m", "torch.distributed.run"], sys.argv[0]
    os.execv(sys.executable, [sys.executable, *module, *options, "--", program, *arguments])


@dataclass(frozen=True)
class ProcessGroup:
    """This process's number among `size`."""

    number: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> ProcessGroup:
        """Wait for the others; alone when this process was not started with any."""
        if not launched():
            return cls()
        import torch.distributed as dist

        library = "nccl" if backend_of(device).cuda_api else "gloo"  # by AMD's name: RCCL
        dist.init_process_group(library, device_id=device if device.index is not None else None)
        return cls(dist.get_rank(), dist.get_world_size())

    @property
    def first(self) -> bool:
        """Whether this one writes files and speaks."""
        return self.number == 0

    def does(self, part: int) -> bool:
        """Whether micro-step `part` of a step is this process's."""
        return part % self.size == self.number

    def add_up(
        self, parameters: Sequence[torch.nn.Parameter], loss: torch.Tensor, stopping: bool
    ) -> tuple[torch.Tensor, bool]:
        """Sum gradients and loss over all processes, in place of the gradients; and whether any of
        them is asked to stop."""
        if self.size == 1:
            return loss, stopping
        import torch
        import torch.distributed as dist

        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        extra = torch.stack([loss.float(), loss.new_tensor(float(stopping))])
        flat = torch.cat([*(p.grad.float().flatten() for p in parameters), extra])
        dist.all_reduce(flat)
        sums = flat.split([*(p.numel() for p in parameters), 2])
        for parameter, total in zip(parameters, sums, strict=False):
            parameter.grad.copy_(total.view_as(parameter))
        return sums[-1][0], bool(sums[-1][1] > 0)

    def leave(self) -> None:
        """Say goodbye to the others once all have come this far."""
        if self.size > 1:
            import torch.distributed as dist

            dist.destroy_process_group()
