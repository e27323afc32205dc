"""Seconds a picture: batched against one at a time, adapters merged against active, and the cost
of adding one seed. On the lab's base by default; times are best of the repeats, taken in turns.

    python benchmarks/render.py [--base lab/base] [--threads 2] [--steps 24]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import torch  # noqa: E402

import encode_prompts  # noqa: E402
import render as render_program  # noqa: E402
from kindred.models import identity, loading  # noqa: E402
from kindred.models.lora import injection  # noqa: E402
from kindred.models.lora.adapters import read_adapters  # noqa: E402
from kindred.rendering.image_plan import plan  # noqa: E402
from kindred.rendering.pipeline import RenderPipeline, Texts  # noqa: E402
from kindred.rendering.prompt_embeddings import read_texts  # noqa: E402
from kindred.specs.base_model import Base  # noqa: E402
from kindred.specs.rendering import PromptSet, RenderSpec  # noqa: E402

SIZE = (128, 144)
PROMPT = "a man and a woman at the beach"


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", default="lab/base")
    parser.add_argument("--tokens", type=int, default=56)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--repeats", type=int, default=2)
    return parser.parse_args()


def best(tasks: dict[str, Callable[[], None]], repeats: int) -> dict[str, float]:
    """Least seconds of each task; the tasks take turns, so that all meet the same machine."""
    seconds = {name: float("inf") for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(repeats):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    return seconds


def spec_of(options: argparse.Namespace, seeds: int, **more: object) -> RenderSpec:
    """One prompt with that many seeds."""
    base = Base(model=options.base, dtype=options.dtype, text_tokens=options.tokens)
    width, height = SIZE
    prompt_set = PromptSet(
        prompts={"p": PROMPT}, seeds=range(seeds), width=width, height=height, steps=options.steps
    )
    return RenderSpec(base=base, prompt_set=prompt_set, name="bench", **more)


def embed(options: argparse.Namespace, folder: Path) -> tuple[Path, Texts]:
    """The prompt, encoded by the program that does it in the workflow."""
    spec = spec_of(options, 1)
    out = folder / "prompts.safetensors"
    text = {"encoder": spec.base.text_encoder().model_dump(), "prompts": {"p": PROMPT}}
    arguments = ["--spec", encode_prompts.PromptTexts(**text).canonical(), "--out", str(out)]
    arguments += ["--store", str(folder / "encoded"), "--device", options.device]
    encode_prompts.main(arguments)
    return out, read_texts(out, [PROMPT], spec.base)


def random_adapter(options: argparse.Namespace, path: Path) -> Path:
    """An adapter of the character recipe's shape: rank 16 on all linear layers."""
    transformer = loading.load_transformer(spec_of(options, 1).base, "cpu")
    injection.add_lora(transformer, injection.Recipe(rank=16), run=1)
    injection.save_lora(path, injection.lora_state(transformer), transformer, {})
    return path


def drawing_table(options: argparse.Namespace, texts: Texts, adapter: Path) -> None:
    """Seconds a picture by batch size and by how adapters are applied."""
    started = time.perf_counter()
    painter = RenderPipeline.load(spec_of(options, 1), [], options.device)
    print(f"base load (imports done)        {time.perf_counter() - started:7.2f} s")
    adapters = read_adapters([adapter])
    painters = {
        merge: RenderPipeline.load(spec_of(options, 1, merge=merge), adapters, options.device)
        for merge in (True, False)
    }

    def drawing(drawer: RenderPipeline, count: int) -> Callable[[], None]:
        pictures = plan(spec_of(options, count), [], "base")
        return lambda: drawer.draw(pictures, texts)

    tasks = {f"base, {n} at once": drawing(painter, n) for n in (1, 2, 4, 8)}
    tasks["adapter merged, 4 at once"] = drawing(painters[True], 4)
    tasks["adapter active, 4 at once"] = drawing(painters[False], 4)
    width, height = SIZE
    latents = torch.zeros(1, 16, height // 8, width // 8, device=options.device)
    tasks["of it decoding, 1 at once"] = lambda: painter.coding.decode(latents)
    for name, seconds in best(tasks, options.repeats).items():
        count = int(name.split(", ")[1].split()[0])
        print(f"{name:31} {seconds / count:7.3f} s a picture")


def adding_a_seed(options: argparse.Namespace, prompts: Path, folder: Path) -> None:
    """The render program on 4 seeds, again, and with one more."""
    for label, seeds in (("4 seeds", 4), ("the same again", 4), ("one seed added", 5)):
        arguments = ["--spec", spec_of(options, seeds).canonical(), "--prompts", str(prompts)]
        arguments += ["--store", str(folder / "store"), "--out", str(folder / "bench.json")]
        arguments += ["--device", options.device, "--threads", str(options.threads)]
        started = time.perf_counter()
        render_program.main(arguments)
        print(f"{label:31} {time.perf_counter() - started:7.2f} s", flush=True)


def main() -> int:
    """Print the tables."""
    options = parse()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    if not identity.is_local(options.base):
        print(f"{options.base}: no such folder; give --base a FluxPipeline folder")
        return 1
    print(
        f"{options.base}, {options.dtype}, {SIZE[0]} x {SIZE[1]} px, {options.steps} steps, "
        f"{options.device}, {options.threads} threads, torch {torch.__version__}, "
        f"{platform.machine()}, load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prompts, texts = embed(options, folder)
        drawing_table(options, texts, random_adapter(options, folder / "lora.safetensors"))
        adding_a_seed(options, prompts, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
