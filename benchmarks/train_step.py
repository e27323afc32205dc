"""Time of a whole training step beside the bare forward and backward of the same modules.

Runs both in turns in one process, so that a busy machine slows both, and prints medians. The
target on the lab base on a CPU is a ratio of at most 1.3.

    python benchmarks/train_step.py --base lab/base --threads 1
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from kindred.common.errors import run_main
from kindred.compute import devices
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="lab/base", help="FluxPipeline folder")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--text-tokens", type=int, default=56)
    parser.add_argument("--width", type=int, default=144)
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--targets", default="all-linear")
    parser.add_argument("--photos", type=int, default=25)
    parser.add_argument("--steps", type=int, default=40, help="of each kind")
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def made_up_photos(options: argparse.Namespace, network: Any) -> dict[str, list[Any]]:
    """Random latents and embeddings of the right shapes, in one bucket."""
    import torch

    from kindred.training.batches import Example

    config = network.config
    shape = (config.in_channels // 4, options.height // 8, options.width // 8)
    states = (options.text_tokens, config.joint_attention_dim)
    return {
        "one": [
            Example(
                str(number),
                str(number),
                torch.randn(shape),
                {"t5": torch.randn(states), "clip": torch.randn(config.pooled_projection_dim)},
            )
            for number in range(options.photos)
        ]
    }


def timed(work: Callable[[], Any], device: Any) -> float:
    """Seconds of one call."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    options = parse(argv)
    name = devices.acquire_device(options.device)
    import torch

    from kindred.models import loading
    from kindred.models.lora import injection
    from kindred.models.opened_base import open_base
    from kindred.training.batches import make_batch
    from kindred.training.flow_matching import flow_loss
    from kindred.training.trainer import Trainer, WeightedDataset

    device = devices.prepare(name, options.threads)
    base = Base(model=options.base, dtype=options.dtype, text_tokens=options.text_tokens)
    recipe = Recipe(rank=options.rank, batch=options.batch, targets=options.targets)
    network = loading.load_transformer(base, device)
    parameters = injection.add_lora(network, recipe, 0)
    scheduler = open_base(base).scheduler
    photos = made_up_photos(options, network)
    stream = WeightedDataset("photos", 1.0, photos, photos["one"][0].text)
    trainer = Trainer(network, parameters, [stream], recipe, 0, scheduler)
    feeds = trainer.feeds()
    batch = make_batch(
        photos["one"][: options.batch],
        stream.empty,
        recipe,
        trainer.architecture,
        scheduler,
        0,
        ("bare",),
    ).to(device)

    def whole() -> None:
        loss, rate = trainer.step(feeds)
        trainer.note(loss, rate)

    def bare() -> None:
        flow_loss(trainer.denoiser, **batch.inputs, guidance=1.0).backward()
        for parameter in parameters:
            parameter.grad = None

    for _ in range(3):
        whole()
        bare()
    pairs = [(timed(whole, device), timed(bare, device)) for _ in range(options.steps)]
    step, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    print(f"{options.base}: {millions:.1f} M parameters, {device}, torch {torch.__version__}")
    print(
        f"batch {options.batch}, {options.width}x{options.height} px, {options.text_tokens} text "
        f"tokens, rank {options.rank} on {options.targets}, {torch.get_num_threads()} threads"
    )
    print(f"whole training step   {1000 * step:8.1f} ms")
    print(f"forward and backward  {1000 * plain:8.1f} ms")
    print(f"ratio (median of {len(pairs)} pairs) {ratio:.2f}")
    return 0


if __name__ == "__main__":
    run_main(main)
