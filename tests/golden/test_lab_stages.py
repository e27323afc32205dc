"""The stages of the lab's base give what they gave when their versions were set, in the tiny
setting."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from golden import Output, check
from golden_steps import Steps
from transformers import CLIPTokenizer

import lab_draw_shards
import lab_encode
import lab_tokenizers
import lab_train_base
import lab_train_vae
from kindred.common.files import read_json
from kindred.common.safetensors_files import load
from kindred.common.versions import VERSIONS
from kindred.lab.miniatures.flux1 import text_encoders
from kindred.lab.settings import LabSettings
from kindred.models.opened_base import open_base
from kindred.specs.base_model import Base

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONFIG = ROOT / "config/lab"
STAGES = ("lab_base", "lab_text", "lab_vae", "lab_latents", "lab_draw")
# AdamW's first steps turn with the sign of gradients near zero, so with the machine: up to half of
# this was seen between two.
OF_TRAINING = 1e-2
# Golden file -> the settings.
BASES = {"lab_base.flux1": "tiny.yaml", "lab_base.klein": "tiny-klein.yaml"}


def built(root: Path, settings: Path) -> Path:
    """The base's stages by the real programs, one after the other; the base's folder."""
    base, corpus = root / "base", str(root / "drawings")
    common = ["--settings", str(settings)]
    work = ["--work", str(root / "work"), "--device", "cpu"]
    pictures = str(LabSettings.load(settings).corpus.first)
    lab_draw_shards.main(["--count", pictures, "--workers", "1", "--out", corpus, "--shard", "8"])
    lab_tokenizers.main([*common, "--corpus", corpus, "--out", str(base)])
    lab_train_vae.main([*common, "--corpus", corpus, "--out", str(base / "vae"), *work])
    latents = str(root / "latents.safetensors")
    lab_encode.main(
        [*common, "--base", str(base), "--corpus", corpus, "--out", latents, "--device", "cpu"]
    )
    lab_train_base.main([*common, "--base", str(base), "--latents", latents, *work])
    return base


def output_of(root: Path, base: Path) -> Output:
    """Small files exactly; latents, losses and matrices of weights as numbers, those of all layers
    of a kind in one row."""
    output = Output()
    for path in sorted(base.rglob("*.json")):
        if path.name == "tokenizer.json":
            continue  # what it makes of captions stands in the latents' file
        told = read_json(path)
        for library in ("_diffusers_version", "transformers_version"):
            told.pop(library, None)
        output.add_json(str(path.relative_to(base)), told)
    rows = defaultdict(list)
    for path in (root / "latents.safetensors", *sorted(base.rglob("*.safetensors"))):
        for name, tensor in sorted(load(path).items()):
            where = f"{path.relative_to(root).parent} {name}"
            if not tensor.is_floating_point():
                output.exact[where] = tensor.tolist()
            elif tensor.ndim > 1:
                rows[re.sub(r"\.\d+\.", ".N.", where)].append(tensor.float().numpy().ravel())
    output.numbers |= {name: np.concatenate(parts) for name, parts in rows.items()}
    for path in sorted((root / "work").glob("*.csv")):
        told = [{k: v for k, v in r.items() if k != "seconds"} for r in csv.DictReader(path.open())]
        output.numbers[path.name] = np.array([[float(v) for v in r.values()] for r in told])
    return output


@pytest.fixture
def one_clip_tokenizer(monkeypatch):
    """The shipped one: the trainer of byte pairs breaks ties by chance."""
    shipped = CLIPTokenizer.from_pretrained(ROOT / "lab/base/tokenizer")
    monkeypatch.setattr(text_encoders, "clip_tokenizer", lambda *_: shipped)


@pytest.fixture
def in_float32(monkeypatch):
    """As on a CPU that multiplies bfloat16 no faster: figures would follow the machine."""
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.long
def test_the_stages_give_what_they_gave(name, tmp_path, update, one_clip_tokenizer, in_float32):
    base = built(tmp_path, CONFIG / BASES[name])
    versions = {stage: VERSIONS[stage] for stage in STAGES}
    check(HERE / f"{name}.json", versions, output_of(tmp_path, base), update, OF_TRAINING)
    if name != "lab_base.flux1":  # the shipped one is used in every workflow test
        is_a_base(tmp_path / "steps", base, name.removeprefix("lab_base."))


def is_a_base(root: Path, base: Path, architecture: str) -> None:
    """It is opened as its architecture, a LoRA learns on it, and it draws with that."""
    assert open_base(Base(model=str(base))).architecture.name == architecture
    steps = Steps(root)
    steps.base = str(base)
    assert steps.train.exact["summary"]["steps"] == 3
    assert any(tensor.any() for key, tensor in steps.train.numbers.items() if "lora_B" in key)
    assert all(picture.size == (64, 64) for picture in steps.render.pictures.values())
