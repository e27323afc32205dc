"""One kind of work at full size with random weights, in a process of its own: what
test_memory_gpu.py watches from outside.

    python memory_work.py train|sample|draw|encode|judge [cuda|cpu] [flux-dev|tiny]

Takes its device as the programs do, so KINDRED_MEMORY_GIB holds. The last line of what it prints
are figures in GiB as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

from kindred.compute import devices, memory_limit

TOKENS = {"flux-dev": 512, "tiny": 16}
EDGE = {"flux-dev": 1024, "tiny": 64}


def train(device: Any, shape: str) -> dict[str, Any]:
    """Four steps at 512 px, planned for what the process may take."""
    trainer, fit = fitted_trainer(device, shape)
    train_steps(trainer, trainer.feeds())
    return {"tries": fit.tries, "expected": fit.plan.peak_gib}


def sample(device: Any, shape: str) -> dict[str, Any]:
    """A picture of 1024 px between steps of 512 px, in a plan that leaves room for it."""
    from kindred.benchmarking.render_speed import Scene
    from kindred.compute.memory_plan import DrawingDemand
    from kindred.models.architectures.flux1.facts import FLUX1
    from kindred.rendering.pipeline import TILE
    from kindred.training.sampler import drawn_in_room, visiting

    tokens = FLUX1.tokens(EDGE[shape] // FLUX1.latent_px, EDGE[shape] // FLUX1.latent_px)
    asked = DrawingDemand(1, tokens, TOKENS[shape], EDGE[shape] ** 2)
    trainer, fit = fitted_trainer(device, shape, asked)
    feeds = trainer.feeds()
    train_steps(trainer, feeds)
    scene = Scene(trainer.transformer, EDGE[shape], TOKENS[shape], 4, shape, device)
    FLUX1.latent_coding(scene.vae).decode_in_tiles(TILE)  # as when memory runs out
    scene.vae.to("cpu")
    with trainer.as_saved(), visiting(scene.vae, device):
        picture = drawn_in_room(trainer, scene.ours)
    assert picture.shape == (1, EDGE[shape], EDGE[shape], 3)
    train_steps(trainer, feeds)
    return {"tries": fit.tries, "expected": fit.plan.peak_gib}


def train_steps(trainer: Any, feeds: Any) -> None:
    """Four, with losses that are possible."""
    losses = [trainer.step(feeds)[0].item() for _ in range(4)]
    assert all(0 < loss < 100 for loss in losses), losses


def fitted_trainer(device: Any, shape: str, drawing: Any = None) -> tuple[Any, Any]:
    """(trainer, its memory plan) for photos of 512 px, and for what is drawn between steps."""
    import torch

    from kindred.benchmarking import random_weights
    from kindred.benchmarking.train_step_speed import made_up
    from kindred.compute import memory_fitting
    from kindred.models.architectures.flux1.facts import FLUX1
    from kindred.models.lora import injection
    from kindred.specs.base_model import Base
    from kindred.specs.training import Recipe, TrainSpec
    from kindred.training.trainer import Trainer, WeightedDataset

    cuda = device.type == "cuda"
    kind = "nf4" if cuda else None
    recipe = Recipe(rank=4, targets="attention", optimizer="adamw8bit" if cuda else "adamw")
    base = Base(model="random", quantization=kind)
    spec = TrainSpec(base=base, recipe=recipe, characters={}, dataset="random")
    # As the programs do: before the weights, which are counted in the plan and not in what is free.
    allowed = memory_fitting.allowance(device) if cuda else 1e12
    net = random_weights.transformer(shape, device, kind)
    photos = made_up(shape, EDGE[shape] // 2, TOKENS[shape])
    datasets = [WeightedDataset("photos", 1.0, {"all": photos}, photos[0].text)]
    job = memory_fitting.memory_demand(spec, FLUX1, FLUX1.layout(net.config), datasets)
    job = replace(job, compiled=cuda, drawing=drawing)
    fit = memory_fitting.FittedMemory(job, allowed, device, preserve_rng=False)
    fit.tell()
    if fit.starts_in_main_memory:
        torch.nn.Module.to(net, "cpu")
    parameters = injection.add_lora(net, recipe, 0)
    fit.apply(net)
    scheduler = dict(random_weights.scheduler(shape).config)
    return Trainer(net, parameters, datasets, recipe, 0, scheduler, fit), fit


def draw(device: Any, shape: str) -> dict[str, Any]:
    """Two pictures of 1024 px in four steps, by the program's own pipeline."""
    import torch

    from kindred.benchmarking import random_weights
    from kindred.common.hashing import caption_hash
    from kindred.models import loading
    from kindred.rendering import pipeline, precision
    from kindred.rendering.image_plan import plan
    from kindred.specs.base_model import Base
    from kindred.specs.rendering import PromptSet, RenderSpec

    def load(base: Base, place: Any, in_main_memory: bool = False, places: Any = None) -> Any:
        assert places is None
        return random_weights.transformer(
            shape, place, base.quantization, in_main_memory=in_main_memory
        )

    loading.load_transformer = load
    pipeline.load_vae = lambda *_: random_weights.vae(shape, device, torch.float32)
    kind, edge = ("nf4" if device.type == "cuda" else None), EDGE[shape]
    prompts = PromptSet(prompts={"a": "x"}, seeds=[1, 2], width=edge, height=edge, steps=4)
    base = Base(model="random", architecture="flux1", quantization=kind, text_tokens=TOKENS[shape])
    opened = pipeline.open_base(base)
    scheduler = dict(random_weights.scheduler(shape).config)
    vars(opened).update(scheduler=scheduler, guidance="embedded")
    pipeline.open_base = lambda _: opened
    spec = RenderSpec(base=base, prompt_set=prompts, name="p", batch=2)
    texts = {caption_hash("x"): random_weights.text(shape, TOKENS[shape])}
    one = pipeline.RenderPipeline.load(spec, [], device)
    images = one.draw(plan(spec, [], "base@1"), texts, fill_to=2)
    assert [image.size for image in images] == [(edge, edge)] * 2
    return {"offloaded": precision.is_offloaded(one.transformer), **one.notes()}


def encode(device: Any, shape: str) -> dict[str, Any]:
    """A text by T5-XXL in bfloat16, on the GPU or visiting it, and a photo by the VAE."""
    import torch
    from PIL import Image
    from transformers import T5Config, T5EncoderModel

    from kindred.benchmarking import random_weights
    from kindred.compute.group_offload import stream_blocks
    from kindred.data.text_encoding import WORKING
    from kindred.models.architectures.flux1.facts import FLUX1

    vae = random_weights.vae(shape, device, torch.float32)
    FLUX1.latent_coding(vae).encode(Image.new("RGB", (EDGE[shape], EDGE[shape])))
    del vae
    full = shape == "flux-dev"
    sizes = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 24, "num_heads": 64}
    small = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
    config = T5Config(
        vocab_size=32128, feed_forward_proj="gated-gelu", **(sizes if full else small)
    )
    with torch.device("meta"):
        net = T5EncoderModel(config).to(torch.bfloat16).eval().requires_grad_(False)
    size = sum(weight.nbytes for weight in net.parameters())
    fits = device.type == "cpu" or size + WORKING <= memory_limit.available(device)
    net = net.to_empty(device=device if fits else "cpu")
    for weight in net.parameters():
        weight.data.fill_(0.01)
    if not fits:
        stream_blocks(net.encoder, device)
    ids = torch.ones(1, TOKENS[shape], dtype=torch.long, device=net.device)
    with torch.inference_mode():
        states = net(ids)[0]
    assert states.isfinite().all() and states.device.type == device.type
    return {"streamed": not fits}


def judge(device: Any, shape: str) -> dict[str, Any]:
    """Sixteen pictures at once by a vision model of SigLIP so400m's size, in float32."""
    import torch
    from transformers import SiglipVisionConfig, SiglipVisionModel

    from kindred.judges.pretrained_vision import BATCH

    sizes = {"hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27}
    more = {"num_attention_heads": 16, "patch_size": 14, "image_size": 384}
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}
    given = sizes | more if shape == "flux-dev" else small | {"num_attention_heads": 4}
    with torch.device(device):
        net = SiglipVisionModel(SiglipVisionConfig(**given)).eval()
    edge = net.config.image_size
    with torch.inference_mode():
        found = net(torch.rand(BATCH, 3, edge, edge, device=device)).pooler_output
    assert len(found) == BATCH and found.isfinite().all()
    return {}


def main() -> None:
    """Do the work that was asked for."""
    task, kind, shape = [*sys.argv[1:], *("cuda", "flux-dev")[len(sys.argv) - 2 :]]
    name = devices.acquire_device(kind)
    import torch

    device = devices.prepare(name, 0)
    tasks = {one.__name__: one for one in (train, sample, draw, encode, judge)}
    found = tasks[task](device, shape)
    if device.type == "cuda":
        found["outside"] = memory_limit._outside.get(device.index, 0) / memory_limit.GIB
        found["limit"] = memory_limit.limit(device) / memory_limit.GIB
        found["allocated"] = torch.cuda.max_memory_allocated(device) / memory_limit.GIB
        found["reserved"] = torch.cuda.max_memory_reserved(device) / memory_limit.GIB
    print(json.dumps(found))


if __name__ == "__main__":
    main()
