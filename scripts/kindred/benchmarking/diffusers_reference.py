"""Timing of diffusers' own NF4 LoRA script on the same random weights, in a process of its own.

The script is taken from a checkout and runs as it is: its loading of base and photos is answered
with made-up ones of the right shapes, and its steps are timed from one backward pass to the next.
Knows the script's interface; knows nothing of ours.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from kindred.benchmarking import random_weights, train_step_speed
from kindred.common.errors import KindredError, run_main
from kindred.common.files import write_json

FOLDER = "examples/research_projects/flux_lora_quantization"
SCRIPT = "train_dreambooth_lora_flux_miniature.py"
# What the script reads photos with; where they are not installed, nothing of them is needed.
PHOTO_PACKAGES = {
    "datasets": "load_dataset",
    "pandas": "read_parquet",
    "torchvision": "transforms",
    "torchvision.transforms": "functional",
    "torchvision.transforms.functional": "crop",
}


class Enough(BaseException):
    """All steps are measured."""


class MadeUpPhotos(torch.utils.data.Dataset):
    """What the script's dataset gives, with random content."""

    resolution, tokens, joint, pooled = 512, 512, 4096, 768

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __len__(self) -> int:
        return 30

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {
            "instance_images": torch.rand(3, self.resolution, self.resolution) * 2 - 1,
            "prompt_embeds": torch.randn(self.tokens, self.joint),
            "pooled_prompt_embeds": torch.randn(self.pooled),
            "text_ids": torch.zeros(self.tokens, 3),
        }


def script_of(checkout: Path) -> Path:
    """The script's path. Raises KindredError when the checkout lacks it."""
    path = checkout / FOLDER / SCRIPT
    if not path.exists():
        raise KindredError(
            f"has no {FOLDER}/{SCRIPT}",
            f"--diffusers {checkout}",
            "give a checkout of diffusers",
        )
    return path


def imported(path: Path) -> ModuleType:
    """The script as a module, not yet run."""
    roots = {name.partition(".")[0] for name in PHOTO_PACKAGES}
    missing = {root for root in roots if importlib.util.find_spec(root) is None}
    for name, item in PHOTO_PACKAGES.items():
        if name.partition(".")[0] in missing:
            sys.modules[name] = ModuleType(name)
            setattr(sys.modules[name], item, None)
    spec = importlib.util.spec_from_file_location("reference_script", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Figures of the script's steps, with gradient checkpointing and 8-bit Adam as documented."""
    device = torch.device(options.device)
    module = imported(script_of(options.diffusers))
    config = random_weights.SHAPES[options.shape]
    MadeUpPhotos.resolution, MadeUpPhotos.tokens = options.resolution, options.text_tokens
    MadeUpPhotos.joint = config["joint_attention_dim"]
    MadeUpPhotos.pooled = config["pooled_projection_dim"]
    answer(module, options.shape, device)
    times: list[float] = []
    clock(module, device, times, options.warm, options.steps)
    with tempfile.TemporaryDirectory() as folder:
        module.args = module.parse_args(arguments(options, folder, device))
        with suppress(Enough):
            module.main(module.args)
    seconds = [after - before for before, after in pairwise(times)]
    return train_step_speed.figures(seconds, device)


def arguments(options: argparse.Namespace, folder: str, device: torch.device) -> list[str]:
    """The script's command line."""
    given = {
        "pretrained_model_name_or_path": "made-up",
        "data_df_path": "made-up",
        "output_dir": folder,
        "mixed_precision": "bf16",
        "weighting_scheme": "none",
        "resolution": options.resolution,
        "max_sequence_length": options.text_tokens,
        "train_batch_size": 1,
        "rank": options.rank,
        "guidance_scale": 1,
        "report_to": "all",
        "max_train_steps": options.warm + options.steps + 9,
        "num_train_epochs": 9,
        "lr_warmup_steps": 0,
        "seed": 0,
    }
    switches = ["--gradient_checkpointing", "--cache_latents"]
    switches += ["--use_8bit_adam"] if device.type == "cuda" else []
    return [*switches, *(f"--{name}={value}" for name, value in given.items())]


def answer(module: ModuleType, shape: str, device: torch.device) -> None:
    """Let the script's loaders give random weights, built on the device."""

    def gives(make: Any) -> ModuleType:
        stand_in = ModuleType("loader")
        stand_in.from_pretrained = lambda *_, **__: make()  # type: ignore[attr-defined]
        return stand_in

    def network() -> Any:
        net = random_weights.transformer(shape, device, "nf4")
        net.is_quantized = True
        return net

    module.AutoencoderKL = gives(lambda: random_weights.vae(shape, device, torch.float32))
    module.FlowMatchEulerDiscreteScheduler = gives(random_weights.scheduler)
    module.FluxTransformer2DModel = gives(network)
    module.DreamBoothDataset = MadeUpPhotos


def clock(
    module: ModuleType, device: torch.device, times: list[float], warm: int, steps_wanted: int
) -> None:
    """Note the time of every backward pass after `warm` of them; Enough after the last."""
    backward, seen = module.Accelerator.backward, 0

    def noted(self: Any, loss: torch.Tensor, **kwargs: Any) -> None:
        nonlocal seen
        backward(self, loss, **kwargs)
        train_step_speed.wait(device)
        seen += 1
        if seen == warm and device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        if seen >= warm:
            times.append(time.perf_counter())
        if len(times) > steps_wanted:
            raise Enough

    module.Accelerator.backward = noted


def main(argv: list[str] | None = None) -> int:
    """Measure and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--diffusers", required=True, type=Path, help="checkout of diffusers")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--shape", default="flux-dev", choices=sorted(random_weights.SHAPES))
    for name, default in (("resolution", 512), ("text-tokens", 512), ("rank", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("warm", 3), ("steps", 20)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args(argv)
    if options.device == "cpu":  # the script asks for a GPU by itself
        os.environ["ACCELERATE_USE_CPU"] = "true"
    found = measure(options)
    write_json(options.out, found)
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    run_main(main)
