"""A training loop's bookkeeping: learning rate, averaged weights, resumable checkpoints, log.

Knows nothing of what is trained. A stage that is stopped and started again continues from its
last checkpoint with the same data order, because order and noise are functions of (seed, step).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from kindred.common.backends import backend_of
from kindred.common.errors import KindredError
from kindred.common.files import make_folder, writing
from kindred.common.progress import Progress
from kindred.training.checkpoints import read_checkpoint, write_checkpoint
from kindred.training.ema import EMA
from kindred.training.lr_schedules import warmup_cosine


def generator(seed: int, step: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Randomness of one step: the same whether or not the run was interrupted before it."""
    return torch.Generator(device).manual_seed(seed * 1_000_003 + step)


def ema_of(module: nn.Module, decay: float) -> EMA:
    """The average of what is trained of a module, in float32."""
    return EMA((p for p in module.parameters() if p.requires_grad), decay, torch.float32)


class TrainingLoop:
    """Iterate over steps; sets the learning rate, checkpoints `parts`, logs losses. A checkpoint
    that can't be read is as none: the stage begins anew, with a warning.

    `parts` maps names to anything with state_dict/load_state_dict.
    """

    def __init__(
        self,
        what: str,
        folder: Path,
        steps: int,
        lr: float,
        warmup: int,
        parts: dict[str, Any],
        checkpoint_s: float = 60.0,
    ) -> None:
        make_folder(folder)
        self.what, self.steps, self.lr, self.warmup = what, steps, lr, warmup
        self.parts, self.checkpoint_s = parts, checkpoint_s
        self.checkpoint, self.log = folder / f"{what}.pt", folder / f"{what}.csv"
        self.start = 0
        self.figures: dict[str, torch.Tensor] = {}
        if self.checkpoint.exists() and (state := read_checkpoint(self.checkpoint)):
            self.start = state["step"]
            for name, part in parts.items():
                part.load_state_dict(state[name])

    def __iter__(self) -> Iterator[int]:
        if rank() > 0:
            for step in range(self.start, self.steps):
                self._set_rate(step)
                yield step
            return
        saved = began = time.monotonic()
        with Progress(self.what, self.steps, "step", initial=self.start) as progress:
            for step in range(self.start, self.steps):
                self._set_rate(step)
                yield step
                progress.update(1)
                if step % 100 == 99 or step + 1 == self.steps:
                    self._log(step + 1, time.monotonic() - began)
                if time.monotonic() - saved > self.checkpoint_s:
                    self.save(step + 1)
                    saved = time.monotonic()
        self.save(self.steps)

    def _set_rate(self, step: int) -> None:
        factor = warmup_cosine(step, self.steps, self.warmup)
        for group in self.parts["optimizer"].param_groups:
            group["lr"] = self.lr * factor

    def save(self, step: int) -> None:
        """Write the checkpoint in the place of the one before."""
        state = {name: part.state_dict() for name, part in self.parts.items()}
        write_checkpoint(self.checkpoint, {"step": step, **state})

    def note(self, **figures: torch.Tensor) -> None:
        """Keep this step's figures; they are read from the device only when logged."""
        self.figures = {name: value.detach() for name, value in figures.items()}

    def _log(self, step: int, seconds: float) -> None:
        values = {name: float(value) for name, value in self.figures.items()}
        new = not self.log.exists()
        row = [str(step), f"{seconds:.1f}", *(f"{v:.6g}" for v in values.values())]
        with writing(self.log), open(self.log, "a", encoding="utf-8") as file:
            if new:
                file.write(",".join(["step", "seconds", *values]) + "\n")
            file.write(",".join(row) + "\n")


def adamw(module: nn.Module, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW with weight decay on matrices and kernels only; fused where the device has it."""
    trained = [p for p in module.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
    fused = backend_of(trained[0].device).cuda_api
    return torch.optim.AdamW(groups, lr=lr, betas=(0.9, 0.99), fused=fused)


def pick_device(name: str) -> torch.device:
    """`auto` is a CUDA device where there is one, else the CPU. Under torchrun each process takes
    its own device and joins the others. Raises KindredError for another kind of device."""
    if name == "mps":
        raise KindredError(
            "the lab's models can't be trained on an Apple GPU",
            "--device mps",
            "use --device cpu, or the models that come with the repository",
        )
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        # cuDNN attention met an illegal memory access in compiled graphs of these shapes.
        torch.backends.cuda.enable_cudnn_sdp(False)
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(device)
    else:
        # The fused attention's backward in bfloat16 is five times slower than plain products here;
        # the switch works on CPUs in spite of its name.
        torch.backends.cuda.enable_flash_sdp(False)
    if "WORLD_SIZE" in os.environ and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return device


def fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 faster than float32."""
    return device.type == "cuda" or torch.cpu._is_avx512_bf16_supported()


def rank() -> int:
    """This process's number among those that train together; 0 when alone."""
    return dist.get_rank() if dist.is_initialized() else 0


def share() -> slice:
    """This process's rows of a batch that every process drew alike."""
    return slice(rank(), None, dist.get_world_size() if dist.is_initialized() else 1)


def average_gradients(module: nn.Module) -> None:
    """Mean of the gradients over the processes: one batch in shares equals the batch in one."""
    if dist.is_initialized():
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        parts = flat.split([g.numel() for g in gradients])
        shaped = [part.view_as(g) for part, g in zip(parts, gradients, strict=True)]
        torch._foreach_copy_(gradients, shaped)
