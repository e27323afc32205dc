"""What miniatures' saved pipelines have in common."""

from __future__ import annotations

from pathlib import Path

from kindred.common.files import read_json, write_json


def load_in_float32(config: Path) -> None:
    """Let a plain from_pretrained widen the stored bfloat16: transformers takes the type a config
    names, diffusers float32, and a pipeline of both types doesn't run."""
    write_json(config, read_json(config) | {"dtype": "float32"})
