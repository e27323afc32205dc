"""Timing of diffusers' own NF4 LoRA scripts on the same random weights, in a process of its own.

A script is taken from a checkout and runs as it is: its loading of base and photos is answered
with made-up ones of the right shapes, and its steps are timed from one backward pass to the next.
Knows the scripts' interfaces; knows nothing of ours.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from kindred.benchmarking import random_weights, train_step_speed
from kindred.common.errors import KindredError, run_main
from kindred.common.files import write_json
from kindred.models.lora.target_layers import target_layers

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
    """What a script's dataset gives, with random content: those of its own embeddings for FLUX.1,
    one caption for all with the others."""

    base, resolution, tokens = "tiny", 512, 512
    count = num_instance_images = 30
    custom_instance_prompts = None

    def __init__(self, *_: Any, **__: Any) -> None:
        self.buckets = [(self.resolution, self.resolution)]
        self.pixel_values = [(None, 0)] * self.count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        photo = torch.rand(3, self.resolution, self.resolution) * 2 - 1
        if random_weights.SHAPES[self.base].architecture != "flux1":
            return {
                "index": index,
                "instance_images": photo,
                "instance_prompt": "x",
                "bucket_idx": 0,
            }
        text = random_weights.text(self.base, self.tokens)
        return {
            "instance_images": photo,
            "prompt_embeds": text["t5"].float(),
            "pooled_prompt_embeds": text["clip"].float(),
            "text_ids": torch.zeros(self.tokens, 3),
        }


class MadeUpTexts(torch.nn.Module):
    """In place of a pipeline that encodes prompts."""

    def __init__(self, base: str, tokens: int) -> None:
        super().__init__()
        self.base, self.tokens = base, tokens
        self.weight = torch.nn.Parameter(torch.zeros(1), requires_grad=False)

    def encode_prompt(self, **_: Any) -> tuple[Any, Any]:
        """(embeddings, text ids) of any prompt, as the base's own pipeline gives them."""
        (states,) = random_weights.text(self.base, self.tokens).values()
        states = states.to(self.weight.device)
        if random_weights.SHAPES[self.base].architecture == "z-image":
            return [states], []
        from kindred.models.architectures.klein.denoiser import text_ids

        return states[None], text_ids(self.tokens)[None].to(states.device)


@dataclass(frozen=True)
class Script:
    """A script of a checkout: where it is, and the names under which it loads a base's parts."""

    path: str
    network: str
    vae: str
    text_encoder: str = ""
    tokenizer: str = ""
    pipeline: str = ""


DREAMBOOTH = "examples/dreambooth/train_dreambooth_lora"
SCRIPTS = {
    "flux1": Script(
        "examples/research_projects/flux_lora_quantization/train_dreambooth_lora_flux_miniature.py",
        "FluxTransformer2DModel",
        "AutoencoderKL",
    ),
    "klein": Script(
        f"{DREAMBOOTH}_flux2_klein.py",
        "Flux2Transformer2DModel",
        "AutoencoderKLFlux2",
        "Qwen3ForCausalLM",
        "Qwen2TokenizerFast",
        "Flux2KleinPipeline",
    ),
    "z-image": Script(
        f"{DREAMBOOTH}_z_image.py",
        "ZImageTransformer2DModel",
        "AutoencoderKL",
        "Qwen3Model",
        "Qwen2Tokenizer",
        "ZImagePipeline",
    ),
}


def script_of(checkout: Path, base: str) -> tuple[Script, Path]:
    """The script for a base and its path. Raises KindredError when the checkout lacks it, and for
    a base without one."""
    known = random_weights.SHAPES[base].architecture
    if known not in SCRIPTS:
        raise KindredError(
            f"Kindred knows no diffusers script for {base}",
            "--diffusers",
            f"remove it, or use a base of one of {', '.join(SCRIPTS)}",
        )
    path = checkout / SCRIPTS[known].path
    if not path.exists():
        raise KindredError(
            f"has no {SCRIPTS[known].path}",
            f"--diffusers {checkout}",
            "set --diffusers to a checkout of diffusers",
        )
    return SCRIPTS[known], path


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
    """Figures of a script's steps in its leanest set-up: 4-bit weights, gradient checkpointing,
    latents encoded before, 8-bit Adam, encoders off the GPU."""
    device = torch.device(options.device)
    script, path = script_of(options.diffusers, options.base)
    module = imported(path)
    MadeUpPhotos.base = options.base
    MadeUpPhotos.resolution, MadeUpPhotos.tokens = options.resolution, options.text_tokens
    answer(module, script, options, device)
    times: list[float] = []
    clock(module, device, times, options.warm, options.steps)
    with tempfile.TemporaryDirectory() as folder:
        asked = arguments(options, folder, device)
        asked += dreambooth_arguments(options, Path(folder)) if script.pipeline else []
        module.args = module.parse_args(asked)
        with suppress(Enough):
            module.main(module.args)
    seconds = [after - before for before, after in pairwise(times)]
    return train_step_speed.figures(seconds, device)


def arguments(options: argparse.Namespace, folder: str, device: torch.device) -> list[str]:
    """What all scripts are told."""
    given = {
        "pretrained_model_name_or_path": "made-up",
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
    own = random_weights.SHAPES[options.base].architecture == "flux1"
    given |= {"data_df_path": "made-up"} if own else {}
    return [*switches, *(f"--{name}={value}" for name, value in given.items())]


def dreambooth_arguments(options: argparse.Namespace, folder: Path) -> list[str]:
    """What the scripts of examples/dreambooth are told besides: the layers that we train."""
    quantized = folder / "quantization.json"
    kind = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
    quantized.write_text(json.dumps(kind), encoding="utf-8")
    shape = random_weights.SHAPES[options.base]
    layers = target_layers(shape.layout.names, options.targets, shape.known)
    given = {
        "instance_data_dir": str(folder),
        "instance_prompt": "x",
        "bnb_quantization_config_path": str(quantized),
        "lora_layers": ",".join(layers),
        "lora_alpha": options.rank,
    }
    return ["--offload", *(f"--{name}={value}" for name, value in given.items())]


def answer(
    module: ModuleType, script: Script, options: argparse.Namespace, device: torch.device
) -> None:
    """Let a script's loaders give random weights, built on the device."""

    def gives(make: Callable[[], Any], like: type = object) -> type:
        return type("Loader", (like,), {"from_pretrained": staticmethod(lambda *_, **__: make())})

    def network() -> Any:
        net = random_weights.transformer(options.base, device, "nf4")
        net.is_quantized = True
        return net

    def vae() -> Any:
        return random_weights.vae(options.base, device, torch.float32)

    setattr(module, script.network, gives(network))
    setattr(module, script.vae, gives(vae))
    plan = partial(random_weights.scheduler, options.base)
    module.FlowMatchEulerDiscreteScheduler = gives(plan)  # type: ignore[attr-defined]
    module.DreamBoothDataset = MadeUpPhotos  # type: ignore[attr-defined]
    if script.pipeline:
        setattr(module, script.tokenizer, gives(lambda: None))
        setattr(module, script.text_encoder, gives(lambda: torch.nn.Linear(1, 1)))
        texts = partial(MadeUpTexts, options.base, options.text_tokens)
        # Its own class besides: the script packs latents by it.
        setattr(module, script.pipeline, gives(texts, getattr(module, script.pipeline)))


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
    parser.add_argument("--base", default="flux-dev", choices=sorted(random_weights.SHAPES))
    parser.add_argument("--targets", default="attention")
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
