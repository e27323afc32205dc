"""What the lab's base must be able to do, measured: pictures are drawn or generated, the judge
reads them, and the shares that are right are compared with a target.

Knows prompts with known facts and how to count; the judge's own gates are in judge_gates.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from PIL import Image
from scipy.optimize import linear_sum_assignment

from kindred.common.errors import KindredError
from kindred.common.progress import track
from kindred.common.sentences import listing
from kindred.judges.lab_inference import DetectedPerson, LabDetector
from kindred.lab.judge_labels import person_words
from kindred.models.architectures.interface import Conditioning
from kindred.models.architectures.noise_levels import schedule
from kindred.models.loading import load_text_encoder, load_transformer, load_vae
from kindred.models.opened_base import open_base
from kindred.rendering.sampling import denoise, initial_noise
from kindred.specs.base_model import Base
from kindred.world.drawing import draw
from kindred.world.people import Person, named_strangers, random_person
from kindred.world.phrases import PLACE_PHRASES, TEMPLATES, prompt
from kindred.world.scene import Figure, Scene, sample_scene
from kindred.world.vocabulary import LANDSCAPE, PORTRAIT, WIDE, hats_style_visible

STEPS, BATCH = 24, 8
SIZE_FOR = {1: PORTRAIT, 2: LANDSCAPE, 3: WIDE, 4: WIDE}
UNSAID = {"gaze", "hat_colour"}
SAME = 0.5  # normalised identity from which a face counts as the person


@dataclass(frozen=True)
class Gate:
    """A figure and what it should be. `least`: at least the target; otherwise at most."""

    name: str
    figure: float
    target: float
    least: bool = True
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the figure meets its target."""
        return self.figure >= self.target if self.least else self.figure <= self.target

    def __str__(self) -> str:
        sign = "≥" if self.least else "≤"
        mark = "reached" if self.reached else "NOT REACHED"
        return f"{self.name:<64} {self.figure:>8.3f}  {sign} {self.target:<6g} {mark} {self.note}"


class SampleRenderer:
    """The base, loaded once, taking pictures of prompts at its architecture's usual guidance."""

    def __init__(self, model: Path | str, tokens: int, device: torch.device) -> None:
        spec = Base(model=str(model), dtype="float32", text_tokens=tokens)
        self.base, encoder = open_base(spec), spec.text_encoder()
        architecture = self.base.architecture
        names = [tensor.name for tensor in architecture.text.tensors]
        self.encoders = {name: load_text_encoder(encoder, name, device) for name in names}
        self.denoiser = architecture.denoiser(load_transformer(spec, device))
        self.vae = load_vae(spec, device)
        self.coding = architecture.latent_coding(self.vae)
        self.scale = self.base.cfg_scale(architecture.default_guidance)
        self.device = device

    @torch.inference_mode()
    def take(
        self, prompts: Sequence[str], size: tuple[int, int], first_seed: int, what: str
    ) -> list[Image.Image]:
        """One picture of `size` (width, height) a prompt; picture k has seed first_seed + k."""
        pictures: list[Image.Image] = []
        firsts = range(0, len(prompts), BATCH)
        for first in track(firsts, what, len(firsts), "batch"):
            texts = list(prompts[first : first + BATCH])
            seeds = range(first_seed + first, first_seed + first + len(texts))
            shape = self.coding.shape(*size)
            noise = initial_noise(seeds, *shape).to(self.device)
            shift = self.base.shift(self.base.architecture.tokens(*shape[1:]), STEPS)
            latents = self._denoise(noise, texts, schedule(shift, STEPS))
            pictures += [Image.fromarray(p) for p in self.coding.decode(latents).numpy()]
        return pictures

    def _denoise(
        self, noise: torch.Tensor, texts: list[str], sigmas: Sequence[float]
    ) -> torch.Tensor:
        """Latents of prompts, by a second pass over the empty text where the base is guided so."""
        architecture = self.base.architecture
        if self.scale is None:
            guidance, negative = architecture.default_guidance, None
        else:
            empty = architecture.text.unconditional
            guidance, negative = self.scale, self._read([empty] * len(texts))
        read = self._read(texts)
        return denoise(self.denoiser, noise, read, sigmas, guidance, negative=negative)

    def _read(self, texts: list[str]) -> Conditioning:
        """A batch's conditioning; what occurs twice is encoded once."""
        once = {
            text: {name: encode(text) for name, encode in self.encoders.items()}
            for text in dict.fromkeys(texts)
        }
        return self.base.architecture.text.collate([once[text] for text in texts])


def describe(figure: Figure) -> tuple[str, dict[str, str]]:
    """A phrase of the pretraining grammar for one unnamed person, and the facts it states, in the
    judge's words."""
    person = figure.person
    words = person_words(figure)
    facts = {name: word for name, word in words.items() if word and name not in UNSAID}
    hair = {
        "bald": "",
        "pigtails": f"{person.hair_colour} pigtails",
        "bob": f"a {person.hair_colour} bob",
        "ponytail": f"a {person.hair_colour} ponytail",
        "bun": f"a {person.hair_colour} bun",
    }.get(person.hair_style, f"{person.hair_style} {person.hair_colour} hair")
    looks = [hair] + ["a beard"] * person.beard + ["glasses"] * person.glasses
    looks = [look for look in looks if look]
    noun = f"a {'bald ' if person.hair_style == 'bald' else ''}{person.kind}"
    with_looks = f" with {listing(looks)}" if looks else ""
    a = "an" if figure.clothes_colour[0] == "o" else "a"
    clothes = (
        f"{figure.clothes_colour} overalls"
        if figure.clothes == "overalls"
        else f"{a} {figure.clothes_colour} {figure.clothes}"
    )
    hat = ""
    if figure.hat:
        colour = "" if figure.hat == "santa hat" else f"{figure.hat_colour} "
        hat = f" and {'an' if colour.startswith('o') else 'a'} {colour}{figure.hat}"
    mood = {"serious": "looking serious", "surprised": "looking surprised", "sad": "looking sad"}
    pose = {"arms crossed": "with crossed arms"}.get(figure.pose, figure.pose)
    text = f"{noun}{with_looks} in {clothes}{hat} {pose}"
    return f"{text} {mood.get(figure.expression, figure.expression)}", facts


def plain_scene(rng: Random, count: int) -> Scene:
    """A scene of unnamed people whose every stated fact can be seen: nobody hugs or hides hair."""
    while True:
        people = [random_person(rng) for _ in range(count)]
        scene = sample_scene(rng, people, size=SIZE_FOR[count])
        hidden = any(f.hat and not hats_style_visible(f.person.hair_style) for f in scene.figures)
        if (
            scene.framing != "headshot"
            and not hidden
            and all(f.pose != "hugging" for f in scene.figures)
        ):
            return scene


def caption_gates(studio: SampleRenderer, judge: LabDetector, count: int, seed: int) -> list[Gate]:
    """Unseen captions of one to four unnamed people: is in the picture what they say?"""
    rng, tasks = Random(seed), defaultdict(list)
    for k in range(count):
        people = 1 + k % 4
        scene = plain_scene(rng, people)
        # The full description of more people does not fit the text length.
        if people == 1:
            phrase, facts = describe(scene.figures[0])
            tasks[1].append((f"{phrase} {PLACE_PHRASES[scene.place][0]}", scene, facts))
        else:
            tasks[people].append((crowd(scene), scene, None))
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for people, rows in tasks.items():
        pictures = studio.take([row[0] for row in rows], SIZE_FOR[people], seed, f"{people} people")
        for (_, scene, facts), sighting in zip(rows, judge.look(pictures), strict=True):
            group = "count of 4" if people == 4 else "count of 1-3"
            _count(asked, right, group, len(sighting.people) == people)
            _count(asked, right, "place", sighting.says("place") == scene.place)
            if facts and len(sighting.people) == 1:
                for name, word in facts.items():
                    _count(asked, right, name, sighting.people[0].says(name) == word)
            elif len(sighting.people) == people:
                for figure, seen in zip(scene.figures, sighting.people, strict=True):
                    _count(asked, right, "kind", seen.says("kind") == figure.person.kind)
    share = {name: right[name] / asked[name] for name in asked}
    targets = {
        "count of 1-3": 0.99,
        "count of 4": 0.9,
        "place": 0.99,
        "hair_style": 0.99,
        "hair_colour": 0.99,
        "beard": 0.99,
        "glasses": 0.99,
        "clothes": 0.97,
        "clothes_colour": 0.97,
        "hat": 0.97,
        "pose": 0.97,
        "kind": 0.97,
        "expression": 0.75,
    }
    return [
        Gate(f"base, unseen captions: {name.replace('_', ' ')}", share[name], target, note=n)
        for name, target in targets.items()
        if name in share
        for n in [f"({asked[name]} asked)"]
    ]


def crowd(scene: Scene) -> str:
    """A group caption that says kinds from left to right."""
    nouns = [f"a {figure.person.kind}" for figure in scene.figures]
    listed = f"{', '.join(nouns[:-1])} and {nouns[-1]}"
    return f"from left to right: {listed} {PLACE_PHRASES[scene.place][0]}"


def _count(asked: Counter[str], right: Counter[str], name: str, ok: bool) -> None:
    asked[name] += 1
    right[name] += ok


class Faces:
    """Reference embeddings of named people: the mean of several drawings, unit length."""

    def __init__(self, judge: LabDetector, people: Sequence[Person], views: int = 6) -> None:
        self.people = list(people)
        rng = Random(99)
        drawings = [
            draw(sample_scene(rng, [p], size=PORTRAIT, hat=None, framing="headshot")).image
            for p in self.people
            for _ in range(views)
        ]
        rows = [
            s.people[0].embedding if s.people else np.zeros(judge.config.embedding)
            for s in judge.look(drawings)
        ]
        means = np.asarray(rows).reshape(len(self.people), views, -1).mean(axis=1)
        self.table = means / np.linalg.norm(means, axis=1, keepdims=True).clip(min=1e-6)
        calibration = judge.config.calibration
        if not {"stranger", "same"} <= calibration.keys():
            raise KindredError(
                "the judge was never calibrated", cure="train it again until it finishes"
            )
        self.stranger, self.same = calibration["stranger"], calibration["same"]

    def identity(self, seen: Sequence[DetectedPerson], rows: Sequence[int]) -> np.ndarray:
        """Normalised identity [found, asked]: 0 a stranger, 1 another drawing of the person."""
        found = np.asarray([s.embedding for s in seen])
        return (found @ self.table[list(rows)].T - self.stranger) / (self.same - self.stranger)


def match_identities(identity: np.ndarray) -> Iterator[tuple[int, int]]:
    """(found, asked) pairs of the best one-to-one match (Hungarian)."""
    return zip(*linear_sum_assignment(-identity), strict=True)


def name_gates(studio: SampleRenderer, judge: LabDetector, each: int, seed: int) -> list[Gate]:
    """Named strangers alone, and in pairs and trios through all templates."""
    people, rng = named_strangers(), Random(seed)
    faces = Faces(judge, people)
    alone = list(range(0, len(people), 3))
    pictures = studio.take(
        [f"headshot of {people[i].name}" for i in alone], PORTRAIT, seed, "named, alone"
    )
    hits = [
        bool(s.people) and int((s.people[0].embedding @ faces.table.T).argmax()) == i
        for i, s in zip(alone, judge.look(pictures), strict=True)
    ]
    gates = [
        Gate(
            "named stranger alone: the right one is nearest of all 360", float(np.mean(hits)), 0.95
        )
    ]
    for count in (2, 3):
        counted, right = [], []
        by_template: Counter[str] = Counter()
        tasks = []
        for template in TEMPLATES:
            for _ in range(each):
                rows = rng.sample(range(len(people)), count)
                text = prompt(template, [people[i] for i in rows], rng.choice(list(PLACE_PHRASES)))
                tasks.append((template, rows, text))
        pictures = studio.take([t[2] for t in tasks], SIZE_FOR[count], seed, f"{count} named")
        for (template, rows, _), sighting in zip(tasks, judge.look(pictures), strict=True):
            ok = len(sighting.people) == count
            counted.append(ok)
            by_template[template] += ok
            if ok:
                identity = faces.identity(sighting.people, rows)
                right += [
                    identity[f].argmax() == a and identity[f, a] >= SAME
                    for f, a in match_identities(identity)
                ]
        worst, times = min(by_template.items(), key=lambda item: item[1])
        who = "pairs" if count == 2 else "trios"
        gates += [
            Gate(
                f"{who} of named strangers, 12 templates: count",
                float(np.mean(counted)),
                0.97,
                note=f"(worst: {worst!r} {times}/{each})",
            ),
            Gate(
                f"{who} of named strangers: right name on right head",
                float(np.mean(right)) if right else 0.0,
                0.9,
            ),
        ]
    return gates


def vae_gates(studio: SampleRenderer, judge: LabDetector, count: int, seed: int) -> list[Gate]:
    """Round trips of unseen drawings: noise, and whether the expression is still read right."""
    rng, psnr, read, before = Random(seed), [], [], []
    for k in track(range(count), "VAE round trips", count):
        scene = sample_scene(rng, count=1 + k % 3)
        picture = draw(scene, masks=False).image
        back = round_trip(studio.vae, picture)
        difference = np.asarray(picture, np.float64) - np.asarray(back, np.float64)
        psnr.append(10 * np.log10(255**2 / np.mean(difference**2)))
        for seen, results in zip(judge.look([picture, back]), (before, read), strict=True):
            if len(seen.people) == len(scene.figures):
                pairs = zip(seen.people, scene.figures, strict=True)
                results += [s.says("expression") == f.expression for s, f in pairs]
            else:
                results += [False] * len(scene.figures)
    return [
        Gate("VAE, unseen drawings: PSNR in dB", float(np.mean(psnr)), 31.0),
        Gate(
            "VAE: expression still read right",
            float(np.mean(read)),
            0.8,
            note=f"(before the VAE {np.mean(before):.3f})",
        ),
    ]


@torch.inference_mode()
def round_trip(vae: Any, picture: Image.Image) -> Image.Image:
    """A picture through the autoencoder and back."""
    signed = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None] / 127.5 - 1
    latents = vae.encode(signed.to(vae.device)).latent_dist.mode()
    pixels = vae.decode(latents).sample[0].clamp(-1, 1).add(1).mul(127.5).round()
    return Image.fromarray(pixels.permute(1, 2, 0).to(torch.uint8).cpu().numpy())
