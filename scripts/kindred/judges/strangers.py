"""A population of strangers that a face engine knows without anybody's photos.

The file holds the mean and the spread of real people's descriptors, one a person, and nobody's own:
strangers are drawn from a normal distribution with these, the same every time. Made by
benchmarks/real_faces.py; knows nothing of pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

DLIB = Path(__file__).with_name("dlib_strangers.npz")
DRAWN, SEED = 2000, 1
TOWARDS_ROUND = 0.1  # share of the spread that is taken to be the same in all directions


def population(file: Path = DLIB) -> np.ndarray:
    """Strangers' faces, [DRAWN, D] unit vectors."""
    with np.load(file) as known:
        mean, spread = known["mean"].astype(np.float64), known["spread"].astype(np.float64)
    noise = np.random.default_rng(SEED).standard_normal((DRAWN, spread.shape[1]))
    faces = mean + noise @ spread.T
    return (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)


def spread_of(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D] and a root [D, D] of the covariance of faces [N, D], one a person."""
    centred = faces - faces.mean(0)
    covariance = centred.T @ centred / (len(faces) - 1)
    size = len(covariance)
    even = np.trace(covariance) / size * np.eye(size)
    values, axes = np.linalg.eigh((1 - TOWARDS_ROUND) * covariance + TOWARDS_ROUND * even)
    return faces.mean(0), axes * np.sqrt(np.maximum(values, 0))


def save(file: Path, faces: np.ndarray) -> None:
    """Write what `population` reads, of faces [N, D] of as many people."""
    mean, spread = spread_of(faces)
    np.savez_compressed(file, mean=mean.astype(np.float32), spread=spread.astype(np.float16))
