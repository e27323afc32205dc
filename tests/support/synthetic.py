"""Made-up experiments with planted effects: pictures drawn by the lab's world, scores to match.

Nothing is trained and no judge looks: the truth of each drawing is turned into the likeness that
a judge would report, and the real scoring functions make rows of it. Knows how results/ and
resources/ lie; asserts nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from types import MappingProxyType

import numpy as np
from kept_drawings import drawn_once
from PIL import Image
from prepared_dataset import random_vectors

from kindred.characters.cells import cell_name
from kindred.characters.trigger_words import letters_in
from kindred.common.files import write_csv, write_json, write_jsonl
from kindred.common.hashing import caption_hash, pixel_hash, sha256_text
from kindred.judges.interface import Box, DetectedPerson
from kindred.rendering.image_store import ImageStore
from kindred.scoring.identity_assignment import assign_identities
from kindred.scoring.score_table import Row, image_row, person_rows, write_scores
from kindred.specs.casts import AskedCast, CastPrompt
from kindred.specs.character import Character
from kindred.specs.judge import JudgeSpec
from kindred.specs.scoring import ComparedVariant, CompareSpec, Hypothesis, TrainedOn
from kindred.world.drawing import draw
from kindred.world.families import FAMILIES
from kindred.world.people import random_person
from kindred.world.scene import sample_scene
from kindred.world.vocabulary import LANDSCAPE, PORTRAIT, WIDE

JUDGE_HASH = "0123456789ab"
CHARACTERS = {
    "J": Character(name="JRussell", noun="man", age="adult"),
    "A": Character(name="ARussell", noun="woman", age="adult"),
    "C": Character(name="CRussell", noun="child", age="child"),
}
LETTERS = tuple(sorted(CHARACTERS))
PROMPTS = {
    "headshot": {letter: f"headshot of {who.name}" for letter, who in CHARACTERS.items()},
    "pair": {
        "C-J": "CRussell and JRussell at the beach",
        "A-C": "ARussell and CRussell in the kitchen",
        "A-J": "ARussell and JRussell in the park",
    },
    "trio": {
        "card": "a Christmas card with JRussell, ARussell and CRussell",
        "snow": "adult JRussell, adult ARussell and child CRussell in the snow",
        "beach": "JRussell, ARussell and CRussell at the beach",
        "park": "a photo of CRussell, ARussell and JRussell in the park",
        "lake": "a family portrait of JRussell, ARussell and CRussell by the lake",
        "studio": "from left to right: ARussell, CRussell, JRussell",
    },
    "plain": {"man": "a man in the park", "women": "two women at the beach"},
}
SIZES = {1: PORTRAIT, 2: LANDSCAPE, 3: WIDE, 0: PORTRAIT}
TRAINED_ON = [TrainedOn(dataset="russell")]
COVERAGE = {"J": 4, "A": 3, "C": 8, "A+C": 3, "C+J": 7}


@dataclass(frozen=True)
class Arm:
    """How a made-up variant draws: chances for one picture, on average over runs and prompts.

    alone: a person asked for alone is right. group: each person of a pair or trio is right.
    count: the number of people is right. stranger: somebody asked for who is no character is drawn
    as a stranger. placed, dressed: people of a cast set stand and are dressed as asked. run_sd:
    spread between runs, in logits.
    """

    alone: float = 0.9
    group: float = 0.8
    count: float = 0.9
    stranger: float = 0.7
    placed: float = 0.7
    dressed: float = 0.5
    run_sd: float = 0.4
    kind: str = "trained"
    control: str = ""
    only: str | None = None


ARMS: dict[str, Arm] = {
    "all": Arm(),
    "no-trio": Arm(group=0.6, count=0.8),
    "all-again": Arm(control="null of all"),
    "scrambled": Arm(alone=0.1, group=0.1, count=0.5, control="scrambled"),
    "BASE": Arm(alone=0.0, group=0.0, count=0.8, run_sd=0, kind="base", control="base"),
}
HYPOTHESES = {
    "names-matter": Hypothesis(
        claim="With captions on the wrong photos the family can't be drawn.",
        variant="all",
        against="scrambled",
        prompt_set="trio",
    ),
    "trio-photos": Hypothesis(
        claim="The trio has to be photographed.",
        variant="all",
        against="no-trio",
        prompt_set="trio",
    ),
    "null": Hypothesis(
        claim="Training again makes it better.",
        variant="all-again",
        against="all",
        prompt_set="trio",
        primary=False,
    ),
}


@dataclass(frozen=True)
class Made:
    """Where a made-up experiment lies, and what `compare` is told about it."""

    root: Path
    spec: CompareSpec

    @property
    def results(self) -> Path:
        """results/<experiment>."""
        return self.root / "results" / self.spec.experiment

    def scores(self, variant: str, run: int, prompt_set: str) -> Path:
        """A score file."""
        return self.results / variant / f"run-{run}" / "scores" / f"{prompt_set}.csv"

    def manifest(self, variant: str, run: int, prompt_set: str) -> Path:
        """A manifest of pictures."""
        return self.results / variant / f"run-{run}" / "images" / f"{prompt_set}.json"


@dataclass
class _Draw:
    """One picture to be: who is asked for, and who will be in it."""

    asked: list[str]
    people: list[str] = field(default_factory=list)  # letters; '' is a stranger
    cast: AskedCast | None = None
    worn: list[str] = field(default_factory=list)


def make(
    root: Path,
    arms: Mapping[str, Arm] = ARMS,
    runs: int = 3,
    seeds: Sequence[int] = (1, 2, 3, 4),
    prompts: Mapping[str, Mapping[str, str]] = PROMPTS,
    hypotheses: Mapping[str, Hypothesis] = HYPOTHESES,
    pictures: bool = True,
    name: str = "synthetic",
    casts: Mapping[str, Mapping[str, CastPrompt]] = MappingProxyType({}),
) -> Made:
    """Write a whole experiment below `root`: scores, manifests, summaries of training, references,
    the dataset; with `pictures` also the drawings. `casts`: cast sets beside the other prompt sets.
    Equal arguments give equal files."""
    variants = {
        variant: ComparedVariant(
            kind=arm.kind,
            base="lab",
            runs=[1] if arm.kind == "base" else list(range(1, runs + 1)),
            dataset="russell" if arm.kind == "trained" else None,
            control=arm.control,
            spec=sha256_text(variant) if arm.kind == "trained" else "",
            only=arm.only,
            trained_on=TRAINED_ON,
            held_out=["others"],
        )
        for variant, arm in arms.items()
    }
    spec = CompareSpec(
        experiment=name,
        title="A family of three, made up",
        question="Can one LoRA draw each member, a pair and the whole family?",
        judge=JudgeSpec(kind="lab", model="lab/judge"),
        characters=CHARACTERS,
        variants=variants,
        prompt_sets={key: dict(texts) for key, texts in prompts.items()}
        | {key: {name: one.text for name, one in own.items()} for key, own in casts.items()},
        casts={key: {name: one.cast for name, one in own.items()} for key, own in casts.items()},
        hypotheses={
            key: h for key, h in hypotheses.items() if {h.variant, h.against} <= set(variants)
        },
    )
    made = Made(root, spec)
    _dataset(root, pictures)
    _references(made.results)
    for name in ("russell", "others"):
        random_vectors(made.results / f"vectors/{name}.json", COVERAGE, "lab/judge@synthetic")
    for variant, arm in arms.items():
        for run in variants[variant].runs:
            _run(made, variant, arm, run, seeds, pictures)
    return made


def _run(
    made: Made, variant: str, arm: Arm, run: int, seeds: Sequence[int], pictures: bool
) -> None:
    shift = arm.run_sd * Random(f"{variant} {run}").gauss(0, 1)
    for prompt_set, prompts in made.spec.prompt_sets.items():
        rows: list[Row] = []
        images = []
        for prompt, text in prompts.items():
            asked = letters_in(text, CHARACTERS)
            hard = 0.5 * Random(f"{prompt_set} {prompt}").gauss(0, 1)
            for seed in seeds:
                rng = Random(f"{variant} {run} {prompt_set} {prompt} {seed}")
                luck = 0.5 * Random(f"{prompt} {seed}").gauss(0, 1)
                cast = made.spec.casts.get(prompt_set, {}).get(prompt)
                chance = shift + hard + luck
                drawn = (
                    _sample_cast(cast, arm, chance, rng)
                    if cast
                    else _sample(asked, text, arm, chance, rng)
                )
                key = sha256_text(f"{variant} {run} {prompt_set} {prompt} {seed}")
                keys = {
                    "judge": JUDGE_HASH,
                    "variant": variant,
                    "run": run,
                    "prompt_set": prompt_set,
                    "prompt": prompt,
                    "seed": seed,
                    "key": key,
                }
                row = {"name": prompt, "prompt": text, "seed": seed, "key": key}
                images.append(row)
                heads = _picture(made.root, row, drawn, pictures)
                rows += _score(keys, drawn, heads, rng)
        write_scores(made.scores(variant, run, prompt_set), rows)
        manifest = {
            "prompt_set": prompt_set,
            "settings": {"steps": 24, "guidance": 3.5, "base": "lab/base@0123456789ab"},
            "adapters": [],
            "images": images,
        }
        write_json(made.manifest(variant, run, prompt_set), manifest)
    if arm.kind == "trained":
        _training(made.results / variant, run)


def _sample(asked: list[str], text: str, arm: Arm, shift: float, rng: Random) -> _Draw:
    """Who ends up in a picture."""
    if not asked:
        count = 2 if "two" in text else 1
        return _Draw(
            asked, [rng.choice(LETTERS) if rng.random() < 0.1 else "" for _ in range(count)]
        )
    right = _chance(arm.alone if len(asked) == 1 else arm.group, shift)
    people = [letter if rng.random() < right else _other(letter, rng) for letter in asked]
    return _Draw(asked, _miscounted(people, arm, shift, rng))


def _sample_cast(cast: AskedCast, arm: Arm, shift: float, rng: Random) -> _Draw:
    """Who ends up in a picture of a cast, where, and in what."""
    asked = cast.order or [*cast.members, *[""] * cast.strangers]
    chances = {True: arm.alone if cast.heads == 1 else arm.group, False: arm.stranger}
    people = [
        who if rng.random() < _chance(chances[bool(who)], shift) else _other(who, rng)
        for who in asked
    ]
    if rng.random() > _chance(arm.placed, shift):
        rng.shuffle(people)
    people = _miscounted(people, arm, shift, rng)
    garments = list(cast.wears.values())
    worn = [
        cast.wears.get(who, "") if rng.random() < arm.dressed else rng.choice([*garments, ""])
        for who in people
    ]
    return _Draw(sorted(cast.members), people, cast, worn)


def _other(who: str, rng: Random) -> str:
    return rng.choice([*(x for x in LETTERS if x != who), ""] if who else LETTERS)


def _miscounted(people: list[str], arm: Arm, shift: float, rng: Random) -> list[str]:
    """People with somebody too many or too few, as often as the arm miscounts."""
    if rng.random() > _chance(arm.count, shift):
        if len(people) > 1 and (len(people) == 3 or rng.random() < 0.5):
            people.pop(rng.randrange(len(people)))
        else:
            people.append("")
    return people


def _chance(mean: float, shift: float) -> float:
    """The chance after moving it on the logit scale."""
    if mean <= 0 or mean >= 1:
        return mean
    return 1 / (1 + math.exp(-(math.log(mean / (1 - mean)) + shift)))


def _score(keys: Row, drawn: _Draw, heads: Sequence[Box], rng: Random) -> list[Row]:
    identity = np.array(
        [
            [
                rng.gauss(0.93, 0.08) if letter == who else rng.gauss(0.02, 0.12)
                for letter in LETTERS
            ]
            for who in drawn.people
        ]
    ).reshape(len(drawn.people), len(LETTERS))
    strangers = drawn.cast.strangers if drawn.cast else None
    matched = assign_identities(drawn.asked, identity, LETTERS, 0.5, strangers=strangers)
    people = [DetectedPerson(head, head, 0.9, None) for head in heads]
    extra = {
        "adherence": min(1.0, max(0.0, rng.gauss(0.9, 0.1))),
        "nearest": f"{cell_name(drawn.asked or ['J']).replace('+', '')}-01",
        "nearest_distance": abs(rng.gauss(0.3, 0.05)),
        "nearest_bits": rng.randrange(20, 60),
        "copied": rng.random() < 0.05,
        "copied_by_bits": rng.random() < 0.02,
        "diversity": abs(rng.gauss(0.25, 0.03)),
        "drift": None if drawn.asked or keys["variant"] == "BASE" else abs(rng.gauss(0.1, 0.03)),
    }
    return [
        image_row(keys, drawn.asked, matched, len(people), extra, drawn.cast),
        *person_rows(keys, people, matched, identity * 0.85, identity, LETTERS, drawn.worn),
    ]


def _picture(root: Path, row: Row, drawn: _Draw, pictures: bool) -> list[Box]:
    """Draw a picture into the store and complete its row of the manifest; its head boxes."""
    store = ImageStore(root / "resources" / "store" / "images")
    size = SIZES[max(len(drawn.asked), len(drawn.people))]
    row |= {"width": size[0], "height": size[1], "path": store.path(row["key"]).as_posix()}
    if not pictures:
        return [(20.0 * n, 10.0, 20.0 * n + 16, 30.0) for n in range(len(drawn.people))]
    settings = {"prompt": row["prompt"], "seed": row["seed"]}

    def drawing() -> list[Box]:
        rng = Random(row["key"])
        people = _people(drawn.people, rng)
        made = draw(sample_scene(rng, people, size=size, shuffle=False), masks=False)
        store.put_image(row["key"], made.image, settings)
        return list(made.heads)

    return drawn_once([row["key"], settings, drawn.people, size], store.path(row["key"]), drawing)


def _people(letters: Sequence[str], rng: Random) -> list:
    family = FAMILIES["russell"]
    return [family.member(letter) if letter else random_person(rng) for letter in letters]


def _training(folder: Path, run: int) -> None:
    rng = Random(f"{folder.name} {run}")
    steps, loss, rows = 60, 0.9, []
    for step in range(1, steps + 1):
        loss = 0.97 * loss + 0.03 * 0.35 + rng.gauss(0, 0.02)
        rows.append({"step": step, "loss": round(loss, 4), "lr": 1e-3, "seconds": step * 0.2})
    write_csv(folder / f"run-{run}" / "training.csv", ("step", "loss", "lr", "seconds"), rows)
    write_json(
        folder / f"run-{run}" / "lora.json",
        {
            "run": run,
            "seed": run,
            "steps": steps,
            "seconds": round(80 + rng.random() * 5, 1),
            "peak_memory_mib": 700,
            "final_loss": 0.4,
            "dataset": "russell",
            "photos_per_cell": COVERAGE,
            "device": "cpu",
            "versions": {"torch": "2.13.0", "diffusers": "0.42.1", "peft": "0.21.2"},
        },
    )
    write_json(
        folder / "spec.json",
        {
            "base": {"model": "lab/base"},
            "dataset": "russell",
            "recipe": {"rank": 16, "steps": 600, "lr": 0.003},
            **({"pairing": "scrambled"} if folder.name == "scrambled" else {}),
        },
    )


@cache
def _photo(image_id: str, *letters: str) -> tuple[str, Image.Image, str]:
    """Where a photo was taken, its picture and the hash of its pixels."""
    rng = Random(image_id)
    scene = sample_scene(rng, _people(letters, rng), size=SIZES[len(letters)])
    image = draw(scene, masks=False).image
    return scene.place, image, pixel_hash(image)


def _dataset(root: Path, pictures: bool) -> None:
    """resources/russell as preprocess and caption leave it."""
    folder = root / "resources" / "russell"
    images, captions = [], []
    for cell, count in COVERAGE.items():
        letters = cell.split("+")
        for number in range(1, count + 1):
            image_id = f"{''.join(letters)}-{number:02d}"
            place, image, pixels = _photo(image_id, *letters)
            if pictures:
                (folder / "images").mkdir(parents=True, exist_ok=True)
                image.save(folder / "images" / f"{image_id}.png")
            caption = f"{' and '.join(CHARACTERS[x].name for x in letters)}, {place}"
            images.append(
                {
                    "image_id": image_id,
                    "photo": image_id,
                    "source": f"{image_id}.jpg",
                    "width": image.width,
                    "height": image.height,
                    "pixel_hash": pixels,
                    "warnings": [],
                }
            )
            captions.append(
                {
                    "id": image_id,
                    "caption": caption,
                    "author": "file",
                    "characters": sorted(letters),
                    "nouns": [],
                    "caption_hash": caption_hash(caption),
                    "warnings": [],
                }
            )
    write_json(folder / "images.json", images)
    write_jsonl(folder / "captions.jsonl", captions)


def _references(results: Path) -> None:
    write_json(
        results / "references.json",
        {
            "version": 1,
            "judge": "lab/judge@synthetic",
            "hash": JUDGE_HASH,
            "counts": "people",
            "gates": {"measured": True, "figures": {"count": 0.99}, "failures": []},
            "stranger": 0.01,
            "source": "held-out drawings",
            "recognised": 0.5,
            "distance": "small copies",
            "characters": {
                letter: {
                    "photos": [f"russell/{letter}-{n:02d}" for n in range(1, COVERAGE[letter] + 1)],
                    "same": 0.86,
                    "warning": "",
                }
                for letter in LETTERS
            },
        },
    )


def vectors_of(made: Made) -> list[str]:
    """How compare.py is told of the vectors."""
    return [
        "--vectors",
        *(str(path) for path in sorted((made.results / "vectors").glob("*.json"))),
    ]


def compared(made: Made, *options: str) -> Made:
    """Run scripts/compare.py on a made-up experiment: scores.csv, summary.json, verdicts.json."""
    import compare

    results = made.results
    files = {name: str(results / name) for name in ("scores.csv", "summary.json", "verdicts.json")}
    compare.main(
        [
            *("--spec", made.spec.canonical(), "--results", str(results)),
            *("--references", str(results / "references.json"), *vectors_of(made)),
            *("--scores", files["scores.csv"], "--summary", files["summary.json"]),
            *("--verdicts", files["verdicts.json"], *options),
        ]
    )
    return made
