"""An untrained lab judge with small networks: real files, quick to load, no idea of anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from kindred.judges.lab_networks import Judge, JudgeConfig, save_judge
from kindred.lab.judge_labels import vocabulary

SMALL = {
    "finder_widths": (8, 8, 8, 8),
    "face_widths": (8, 8, 8, 8),
    "face_blocks": (1, 0, 0, 0),
    "reader_widths": (8, 8, 8, 8),
}


def build(folder: Path, seed: int = 0, threshold: float = 0.0) -> Path:
    """Write config.json and model.safetensors; the folder."""
    torch.manual_seed(seed)
    judge = Judge(JudgeConfig(**vocabulary(), **SMALL))
    ends = {"stranger": 0.0, "same": 0.8}
    judge.config = replace(judge.config, threshold=threshold, calibration=ends)
    save_judge(judge, folder)
    return folder
