"""How long `make look` takes on a GPU: from a folder of photos to a picture of everybody by the
base and one by a LoRA of 100 steps. To reach: three minutes.

Makes a fresh copy, draws seventeen photos of three people with captions, writes FLUX.2 klein 4B in
its full size with random weights, as it would lie on the disk after the download, then runs
new_experiment.py and the first look as a person would. Pictures are noise; seconds and memory are
the real ones, a job's with its wait for the GPU. Without a GPU it says so and measures nothing, or
with --tiny runs a tiny model.

    python benchmarks/first_look.py [--gpu 24]
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

import torch
import yaml
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM

from kindred.benchmarking import random_weights
from kindred.benchmarking.empty_jobs import copy_workflow
from kindred.common.files import write_json
from kindred.lab.miniatures.klein.tokenizer import save_tokenizer
from kindred.models import quantized_weights
from kindred.models.identity import INDEX

ROOT = Path(__file__).parents[1]
COVERAGE = "J: 3, A: 3, C: 3, AC: 2, AJ: 2, CJ: 2, ACJ: 2"
TOKENS = 512
# Qwen3-4B, by its published configuration.
FULL = {
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 151936,
}
TINY = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 28,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 4096,
}


def write_base(folder: Path, shape: str, text: dict[str, int], device: str) -> None:
    """Random weights of a base in diffusers' folders."""
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    net = random_weights.transformer(shape, device, dtype=dtype)
    net.save_config(folder / "transformer")
    weights = folder / "transformer" / quantized_weights.WEIGHTS["diffusers"]
    quantized_weights.write(weights, net.state_dict())
    del net
    random_weights.vae(shape, device, torch.float32).save_pretrained(folder / "vae")
    random_weights.scheduler(shape).save_pretrained(folder / "scheduler")
    save_tokenizer(folder, ["a photo of a man, a woman and a child"], ["Russell"], TOKENS)
    config = Qwen3Config(**text, head_dim=128, tie_word_embeddings=True, dtype=dtype)
    with torch.device("meta"):
        names = {name: value.shape for name, value in Qwen3ForCausalLM(config).named_parameters()}
    # Norms scale by one, all else is small.
    state = {
        name: torch.ones(size, dtype=dtype)
        if len(size) == 1
        else (torch.randn(size, device=device, dtype=dtype) * random_weights.SPREAD).cpu()
        for name, size in names.items()
    }
    (folder / "text_encoder").mkdir()
    config.architectures = ["Qwen3ForCausalLM"]
    config.save_pretrained(folder / "text_encoder")
    save_file(state, folder / "text_encoder/model.safetensors", {"format": "pt"})
    write_json(folder / INDEX, {"_class_name": "Flux2KleinPipeline", "is_distilled": False})


def fresh_copy(root: Path, device: str) -> None:
    """What a clone has, and a base file that names the random one."""
    root.mkdir()
    copy_workflow(ROOT, root)
    os.symlink(ROOT / "lab", root / "lab")
    path = root / "config/bases/klein-4b.yaml"
    base = yaml.safe_load(path.read_text(encoding="utf-8"))
    base |= {"model": str(root / "base")}
    if device == "cpu":
        base |= {"quantization": None, "dtype": "float32", "text_tokens": 32}
        base["training_defaults"] |= {"resolutions": [256], "optimizer": "adamw"}
    path.write_text(yaml.safe_dump(base), encoding="utf-8")


def timed(root: Path, *command: str) -> float:
    """Seconds of a command in the copy."""
    began = time.monotonic()
    subprocess.run([sys.executable, *command], cwd=root, check=True)
    return time.monotonic() - began


def main() -> int:
    """Copy, write, look, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpu", default="24", help="GiB of the card that the experiment is for")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, on the CPU")
    options = parser.parse_args()
    if not options.tiny and not torch.cuda.is_available():
        print("needs a GPU; nothing was measured")
        return 0
    device = "cpu" if options.tiny else "cuda"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "kindred"
        fresh_copy(root, device)
        album = ["--family", "russell", "--seed", "3", "--coverage", COVERAGE]
        size = "1" if options.tiny else "4"
        timed(root, "scripts/lab_family.py", *album, "--scale", size, "--out", "photos/ours")
        shape, text = ("tiny-klein", TINY) if options.tiny else ("klein-4b", FULL)
        write_base(root / "base", shape, text, device)
        asked = ("--gpu", options.gpu, "--base", "klein-4b")
        new = timed(root, "scripts/new_experiment.py", "photos/ours", *asked)
        cores = ("-m", "snakemake", "--cores", "all")
        look = timed(
            root, *cores, "--config", "experiments=ours-first-look", f"device={{kind: {device}}}"
        )
        for path in sorted(root.glob("benchmarks/**/*.tsv")):
            with open(path, encoding="utf-8", newline="") as file:
                (row,) = csv.DictReader(file, delimiter="\t")
            print(f"{row['s']:>9} s  {path.relative_to(root / 'benchmarks').with_suffix('')}")
        print(f"{new:.0f} s for the experiment's file, {look:.0f} s for the first look")
    return 0


if __name__ == "__main__":
    sys.exit(main())
