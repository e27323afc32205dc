"""The judge's gates: how well it does on fresh drawings, as they are and after the autoencoder.

Pure functions of a judge and pictures. Every figure rests on what the judge found by itself: a
person whom it did not find counts as not recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image

from kindred.judges.lab_inference import DetectedPerson, DetectedScene, LabDetector, to_tensor
from kindred.lab import acceptance_images as pictures
from kindred.lab.acceptance_images import AcceptanceImage, Swap
from kindred.lab.judge_dataset import round_trip
from kindred.lab.judge_labels import ATTRIBUTES, person_words
from kindred.world.vocabulary import TRAITS

Change = Callable[[Sequence[Image.Image]], list[Image.Image]]
Figures = dict[str, float]

# Figure -> what it should reach. "vae " in front: after the autoencoder's round trip.
TARGETS: Figures = {
    "count 1-3": 0.99,
    "count": 0.98,
    "place": 0.99,
    "AUC": 0.998,
    "rank-1 of 100": 0.98,
    "vae rank-1 of 100": 0.96,
    "vae TPR at 1 % FPR": 0.95,
    "worst trait": 0.6,
    "family top-1": 0.97,
    "vae family top-1": 0.93,
    "same face, other looks": 0.8,
}
REFERENCES = 3  # pictures by which family and strangers are known
CEILINGS: Figures = {"other face, same looks": 0.3}


@dataclass(frozen=True)
class GatePictures:
    """Everything drawn for one measurement."""

    scenes: list[AcceptanceImage]
    identities: list[AcceptanceImage]
    swaps: list[Swap]
    family: list[AcceptanceImage]


def draw_gate_pictures(seed: int = 1, size: float = 1.0) -> GatePictures:
    """Draw the pictures; `size` scales their number (1: about 1,500)."""
    many = [max(4, round(n * size)) for n in (600, 200, 80, 20)]
    return GatePictures(
        pictures.scene_pictures(seed * 10, many[0]),
        pictures.identity_pictures(seed * 10 + 1, many[1], 4),
        pictures.swap_pictures(seed * 10 + 2, many[2]),
        pictures.family_pictures(
            seed * 10 + 3, max(2, round(50 * size)), REFERENCES + 3, REFERENCES + many[3]
        ),
    )


def measure(judge: LabDetector, drawn: GatePictures, vae: Any = None) -> Figures:
    """All figures; those after the autoencoder carry "vae " in front. `vae`: AutoencoderKL."""
    figures = measure_changed(judge, drawn, list)
    if vae is not None:
        device = next(vae.parameters()).device

        def through(images: Sequence[Image.Image]) -> list[Image.Image]:
            return vae_images(vae, images, device)

        after = measure_changed(judge, drawn, through)
        figures |= {f"vae {name}": value for name, value in after.items()}
    return figures


def measure_changed(judge: LabDetector, drawn: GatePictures, change: Change) -> Figures:
    """Figures on pictures after `change`."""
    return (
        scene_figures(judge, drawn.scenes, change)
        | identity_figures(judge, drawn.identities, change)
        | swap_figures(judge, drawn.swaps, change)
        | family_figures(judge, drawn.family, change)
    )


def failures(figures: Figures) -> list[str]:
    """Gates that are not reached, in words; figures that were not measured are left out."""
    low = [
        f"{name}: {figures[name]:.3f} is below {target}"
        for name, target in TARGETS.items()
        if name in figures and not figures[name] >= target
    ]
    high = [
        f"{name}: {figures[name]:.3f} is above {target}"
        for name, target in CEILINGS.items()
        if name in figures and not figures[name] <= target
    ]
    return low + high


def vae_images(vae: Any, images: Sequence[Image.Image], device: torch.device) -> list[Image.Image]:
    """Pictures through the autoencoder and back to 8 bits."""
    out: list[Image.Image | None] = [None] * len(images)
    for size in {image.size for image in images}:
        rows = [i for i, image in enumerate(images) if image.size == size]
        for first in range(0, len(rows), 64):
            chunk = rows[first : first + 64]
            tensor = to_tensor([images[i] for i in chunk], size).to(device)
            soft = (round_trip(vae, tensor).clamp(-1, 1) + 1) * 127.5
            pixels = soft.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
            for i, array in zip(chunk, pixels, strict=True):
                out[i] = Image.fromarray(np.ascontiguousarray(array))
    return [image for image in out if image is not None]


def match(sighting: DetectedScene, picture: AcceptanceImage) -> list[DetectedPerson | None]:
    """Whom the judge found at each true head: the nearest, within half a head; each once."""
    left = list(sighting.people)
    out: list[DetectedPerson | None] = []
    for head in picture.heads:
        reach = (head[2] - head[0]) / 2
        near = min(left, key=lambda seen: _distance(seen.head, head), default=None)
        if near is not None and _distance(near.head, head) <= reach:
            left.remove(near)
            out.append(near)
        else:
            out.append(None)
    return out


def _distance(a: Sequence[float], b: Sequence[float]) -> float:
    return float(np.hypot(a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3]) / 2)


def scene_figures(
    judge: LabDetector, drawn: list[AcceptanceImage], change: Change = list
) -> Figures:
    """Count, place and attributes: shares read right. Attributes: of people found."""
    sightings = judge.look(change([p.image for p in drawn]))
    true = np.array([len(p.scene.figures) for p in drawn])
    right = np.array([len(s.people) for s in sightings]) == true
    figures = {
        "count": _mean(right),
        "count 1-3": _mean(right[true <= 3]),
        "count 4": _mean(right[true == 4]),
        "place": _mean(
            [s.says("place") == p.scene.place for s, p in zip(sightings, drawn, strict=True)]
        ),
    }
    hits: dict[str, list[bool]] = {name: [] for name in ATTRIBUTES}
    for sighting, p in zip(sightings, drawn, strict=True):
        for seen, figure in zip(match(sighting, p), p.scene.figures, strict=True):
            words = person_words(figure)
            for name in ATTRIBUTES if seen is not None else ():
                if words[name] is not None:
                    hits[name].append(seen.says(name) == words[name])
    return figures | {name: _mean(values) for name, values in hits.items()}


def identity_figures(
    judge: LabDetector, drawn: list[AcceptanceImage], change: Change = list
) -> Figures:
    """Likeness of people never seen: AUC, TPR at 1 % FPR, rank-1 of 100, every trait.

    Rank-1: one picture of each of 100 people is known; another picture of each is asked for.
    """
    found, who, traits = _embeddings(judge, drawn, change)
    known = ~np.isnan(found[:, 0])
    e, w = found[known], who[known]
    likeness = e @ e.T
    upper = np.triu(np.ones(likeness.shape, bool), 1)
    same = likeness[upper & (w[:, None] == w[None])]
    other = likeness[upper & (w[:, None] != w[None])]
    read = e @ judge.net.face.read_traits.weight.detach().cpu().numpy().T
    trait = {f"trait {n}": _corr(read[:, k], traits[known][:, k]) for k, n in enumerate(TRAITS)}
    return {
        "found": _mean(known),
        "same mean": _mean(same),
        "same sd": _spread(same),
        "stranger mean": _mean(other),
        "stranger sd": _spread(other),
        "AUC": auc(same, other),
        "TPR at 1 % FPR": tpr(same, other, 0.01),
        "rank-1 of 100": rank_one(found, who, 100),
        "worst trait": min(trait.values()),
        **trait,
    }


def _embeddings(
    judge: LabDetector, drawn: list[AcceptanceImage], change: Change
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of everybody drawn: embedding [M, D] (NaN when not found), who [M], traits [M, T]."""
    sightings = judge.look(change([p.image for p in drawn]))
    empty = np.full(judge.config.embedding, np.nan, np.float32)
    rows = [
        (empty if seen is None else seen.embedding, who, figure.person.traits)
        for sighting, p in zip(sightings, drawn, strict=True)
        for seen, who, figure in zip(match(sighting, p), p.who, p.scene.figures, strict=True)
    ]
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def auc(same: np.ndarray, other: np.ndarray) -> float:
    """Probability that a same-person likeness exceeds a stranger's, ties counted half; NaN where
    either is empty."""
    if not (len(same) and len(other)):
        return float("nan")
    other = np.sort(other)
    below = np.searchsorted(other, same, "left") + np.searchsorted(other, same, "right")
    return float(below.mean() / (2 * len(other)))


def tpr(same: np.ndarray, other: np.ndarray, fpr: float) -> float:
    """Share of same-person likenesses above the one that only `fpr` of strangers' exceed."""
    return _mean(same > np.quantile(other, 1 - fpr)) if len(other) else float("nan")


def rank_one(embedding: np.ndarray, who: np.ndarray, of: int) -> float:
    """Share of people whose second picture is nearest to their first among `of` people; averaged
    over as many groups of `of` as there are, at least one."""
    people = np.unique(who)
    first, second = zip(*(np.flatnonzero(who == p)[:2] for p in people), strict=True)
    gallery, probe = embedding[list(first)], embedding[list(second)]
    hits = []
    for start in range(0, max(1, len(people) - of + 1), of):
        g, p = gallery[start : start + of], probe[start : start + of]
        likeness = np.nan_to_num(p @ g.T, nan=-2.0)
        hits += list((likeness.argmax(1) == np.arange(len(g))) & (likeness.max(1) > -2))
    return _mean(hits)


def swap_figures(judge: LabDetector, drawn: list[Swap], change: Change = list) -> Figures:
    """Mean likeness of a face under other looks, and of another face under the same looks."""
    parts = [[s.person for s in drawn], [s.restyled for s in drawn], [s.stranger for s in drawn]]
    seen = []
    for part in parts:
        sightings = judge.look(change([p.image for p in part]))
        seen.append([match(s, p)[0] for s, p in zip(sightings, part, strict=True)])
    same, other = (
        [float(a.embedding @ b.embedding) for a, b in zip(seen[0], column, strict=True) if a and b]
        for column in seen[1:]
    )
    return {"same face, other looks": _mean(same), "other face, same looks": _mean(other)}


def family_figures(
    judge: LabDetector, drawn: list[AcceptanceImage], change: Change = list
) -> Figures:
    """Top-1 among the families and strangers, by the mean of REFERENCES pictures of each."""
    found, who, _ = _embeddings(judge, drawn, change)
    people = np.unique(who)
    references, probes = [], []
    for person in people:
        rows = np.flatnonzero(who == person)
        mean = np.nan_to_num(found[rows[:REFERENCES]]).sum(0)
        references.append(mean / max(1e-6, float(np.linalg.norm(mean))))
        probes += [(row, person) for row in rows[REFERENCES:]]
    likeness = np.nan_to_num(found[[row for row, _ in probes]] @ np.array(references).T, nan=-2.0)
    right = (likeness.argmax(1) == np.array([p for _, p in probes])) & (likeness.max(1) > -2)
    kin = np.array([person < pictures.family_size() for _, person in probes])
    return {"family top-1": _mean(right[kin]), "family and strangers top-1": _mean(right)}


def looks_readable(
    judge: LabDetector, drawn: list[AcceptanceImage], change: Change = list
) -> Figures:
    """Guard: how well looks can be read linearly from the embedding, beyond the commonest answer.

    For each look a ridge regression on half of the people, tried on the others; the figure is
    accuracy minus the share of the commonest word. Near 0 is what is wanted.
    """
    found, who, _ = _embeddings(judge, drawn, change)
    words = [person_words(figure) for p in drawn for figure in p.scene.figures]
    out = {}
    for name in ("kind", "hair_style", "hair_colour", "beard", "glasses", "hat", "clothes_colour"):
        rows = [i for i, w in enumerate(words) if w[name] and not np.isnan(found[i, 0])]
        _, labels = np.unique([words[i][name] for i in rows], return_inverse=True)
        if len(rows) < 20:
            continue
        x = np.c_[found[rows], np.ones(len(rows))].astype(np.float64)
        train = who[rows] % 2 == 0
        onehot = np.eye(labels.max() + 1)[labels]
        gram = x[train].T @ x[train] + 1e-2 * np.eye(x.shape[1])
        said = (x[~train] @ np.linalg.solve(gram, x[train].T @ onehot[train])).argmax(1)
        common = np.bincount(labels[~train]).max() / (~train).sum()
        out[f"readable {name}"] = _mean(said == labels[~train]) - float(common)
    return out


def _corr(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 2 and a.std() > 0 and b.std() > 0 else 0.0


def _spread(values: np.ndarray) -> float:
    return float(values.std()) if len(values) else float("nan")


def _mean(values: Any) -> float:
    values = np.asarray(values, float)
    return float(values.mean()) if values.size else float("nan")
