"""docs/reference/workflow.md: every file that comes out, its rule, and what it holds.

Which files there are is read from the rules; what they hold stands here, and a test holds both
against each other. Knows the text of rule files; runs none.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EXPERIMENT = "results/<experiment>"
RUN = f"{EXPERIMENT}/<variant>/run-<k>"
DATASET = "resources/<dataset>"
HEADINGS = {
    "results/": "What people open, and what it was made of",
    "resources/": "What is made once and used again",
    "lab/": "The lab's models, by `snakemake lab_models`",
}
# How rules name things, and how the page does.
WORDS = {
    **dict.fromkeys(("masked", "made", "drawn", "prior"), "<dataset>"),
    **{"run": "<k>", "step": "<n>", "LAB": "lab", "LAB_WORK": "resources/lab"},
}
# Outputs that are no text in a rule: what they are, as the rule says it.
CALLS = {
    r"source_files\(\w+\)\[0\]": f"{DATASET}/photos/<photo>",
    r"source_files\(\w+\)\[1\]": f"{DATASET}/photos/captions.csv",
}
EVERY = "every rule"
FAMILIES = "results/families/<name>"
# Folder -> file -> what it holds, in the order of the page.
FOLDERS: Mapping[str, Mapping[str, str]] = {
    EXPERIMENT: {
        "report.html": "the page to look at, in one file: which LoRA to take, figures, pictures",
        "report.md": "the same as text",
        "best/pictures.json": (
            "list of the best picture of every prompt; the pictures lie beside it"
        ),
        "live.html": "trainings while they run: loss, time left, pictures",
        "rating.html": "a page on which to rate pictures without knowing what drew them",
        "pairs.html": "a page that asks which of two pictures looks more like somebody",
        "figures-to-send.csv": "a small table of what came out, without anybody's name",
        "curves.png": "the loss of all trainings",
        "sheets/<prompt_set>.png": "all variants under each other, the same seed in a column",
        "likeness/<dataset>.png": "photos of each person beside pictures",
        "audit/<dataset>.html": "what photos and captions can and can't teach, as a page",
        "audit/<dataset>.json": "the same as data: findings, coverage, tokens",
        "verdicts.json": "every hypothesis with its label and numbers",
        "summary.json": "all figures of all variants with their intervals",
        "scores.csv": "every picture and every person in it, of all variants",
        "declared.json": "hypotheses and design as they were before training",
        "power.json": "what differences the design can find",
        "series.json": "how the kept steps of trainings compare, and which to take",
        "samples.json": "what trainings draw on their way",
        "references.json": "by which photos the judge knows everybody, and the scale of likeness",
        "references.safetensors": "faces of these photos as unit vectors [photos, D], by letter",
        "calibrated.json": "the same with thresholds also by strangers that the base draws",
        "calibrated.safetensors": "faces of the photos and of these strangers, by class noun",
        "vectors/<dataset>.json": "the photos and composites among which copies are looked for",
        "vectors/<dataset>.npy": "whole pictures as vectors [pictures, W], in that order",
        "ceiling.json": "how many of the lab's own drawings of casts are judged right",
        "ceiling/images/<prompt_set>.json": "list of these drawings",
        "ceiling/scores/<prompt_set>.csv": "their scores",
        "ceiling/scores/<prompt_set>.json": "what they were scored with",
        "<together>/trained.json": "what was trained together, and what is left to `train`",
        "<together>/to_train.json": "what was to be trained together",
    },
    f"{EXPERIMENT}/<variant>": {
        "sheets/<prompt_set>.png": "all pictures of a variant by one prompt set",
        "spec.json": "all settings of a variant's trainings, defaults included",
        "together/rendered.json": "what was drawn together, and what is left to `render`",
        "together/to_render.json": "what was to be drawn together",
        "together/scored.json": "what was scored together, and what is left to `score`",
        "together/to_score.json": "what was to be scored together",
    },
    RUN: {
        "lora.safetensors": (
            "the LoRA; loads in diffusers unchanged, its header says how it came about"
        ),
        "lora.json": "seconds, memory, steps, last loss, versions; how many samples were drawn",
        "training.csv": "a row a step: loss, learning rate; held-out loss where there is one",
        "steps/<n>/lora.safetensors": "the adapter after n steps, of recipes that keep some",
        "steps/<n>/images/selection.json": "list of the pictures of that step",
        "steps/<n>/scores/selection.csv": "their scores",
        "steps/<n>/scores/selection.json": "what they were scored with",
        "chosen/lora.safetensors": "the adapter of the step that the run is judged by",
        "chosen/chosen.json": "which step that is, and why",
        "images/<prompt_set>.json": "list of pictures: prompt, seed, size, key in the store",
        "scores/<prompt_set>.csv": "a row an image and a row a person in it",
        "scores/<prompt_set>.json": "what they were scored with",
    },
    FAMILIES: {
        "declared.json": "claims about families as they were before training",
        "power.json": "what differences so many families can show",
        "verdicts.json": "every claim about families with its label and numbers",
        "who.html": "a page that asks people who is in pictures",
        "report.html": "the page about all families, in one file",
        "report.md": "the same as text",
    },
    DATASET: {
        "photos/<photo>": "photos that the lab draws; class images that the base draws",
        "photos/captions.csv": "captions of drawn photos, of composites, of class images",
        "photos.truth.json": "who stands where in drawn photos",
        "images.json": "a row a prepared photo: size, bucket, hash of its pixels",
        "captions.jsonl": "a row a photo: caption, who wrote it, which characters it names",
        "masks.json": "who is where in the photos: outlines, boxes of heads",
        "made.json": "photos with the composites and crops that were made of them",
        "class.safetensors": "texts such as “a photo of a man” as the base reads them",
        "class.json": "list of the base's pictures of them",
    },
    "resources/encoded/<base>": {
        "<dataset>/latents.safetensors": "photos as the base's autoencoder gives them",
        "<dataset>/text-<tokens>.safetensors": "captions as the base reads them",
        "<dataset>/class-text-<tokens>.safetensors": "captions without names, likewise",
        "prompts/<experiment>/<prompt_set>.safetensors": "prompts, likewise",
    },
    "resources": {
        "cluster/<node>.txt": "what a cluster's node has and lacks",
        "lab/drawings-<part>.done": "that the drawings which the lab's base learns are there",
        "lab/identities.done": "that the drawings by which its judge learns people are there",
        "lab/latents-<part>.safetensors": "drawings as latents; removed when the base is trained",
        "lab/work/captioner-gates.json": "how well the captioner does what it must",
    },
    "lab": {
        "base/<file>": "the base: tokenizers and text encoders, autoencoder, denoiser",
        "judge/config.json": "the judge's settings",
        "judge/model.safetensors": "its weights",
        "judge/gates.json": "how well it does what it must",
        "captioner/config.json": "the captioner's settings",
        "captioner/model.safetensors": "its weights",
        "captioner/tokenizer.json": "its words",
    },
}
HOLDS: Mapping[str, str] = {
    f"{folder}/{name}": holds for folder, files in FOLDERS.items() for name, holds in files.items()
}


@dataclass(frozen=True)
class Beside:
    """What a program writes that no rule names as its output. `by`: a rule, or a program's file."""

    path: str
    by: str
    holds: str


BESIDE = (
    Beside(
        f"{EXPERIMENT}/best/<prompt_set>-<prompt>-seed-<seed>.png",
        "report",
        "the best picture of a prompt",
    ),
    Beside(
        f"{EXPERIMENT}/best/comfyui-workflow.json",
        "report",
        "a workflow to drag into ComfyUI; `comfyui-api.json` beside it is the same for its API",
    ),
    Beside(f"{RUN}/live.js", "train", "figures of the training, for the live page"),
    Beside(
        f"{RUN}/samples/step-<n>/<prompt>-<seed>.png", "train", "pictures drawn while it trains"
    ),
    Beside(
        f"{DATASET}/images/<id>.png", "preprocess", "prepared photos, upright, in their buckets"
    ),
    Beside("resources/training/", "train", "last states of trainings that are not finished"),
    Beside("resources/store/adapters/", "train", "finished adapters by all that they follow from"),
    Beside("resources/store/images/", "render", "pictures by all that they follow from"),
    Beside("resources/store/scores/", "score", "tables of scores by all that they follow from"),
    Beside("resources/store/encoded/", "encode_images", "photos and texts by their content"),
    Beside("resources/store/masks/", "masks_<dataset>", "outlines by the pixels of the photo"),
    Beside("resources/store/quantized/", "train", "4- and 8-bit weights of bases"),
    Beside(
        "resources/faces/", "who_is_who.py", "faces found in photos, for the question who is who"
    ),
    Beside("logs/", EVERY, "what each job printed"),
    Beside("benchmarks/", EVERY, "seconds and memory of each job"),
)


def outputs(rules: Path) -> dict[str, list[str]]:
    """Pattern -> the rules that make it, of all files in a folder, in the order of the rules.

    Raises ValueError for an output that can't be read from the rule's text.
    """
    found: dict[str, list[str]] = {}
    for file in sorted(rules.glob("*.smk")):
        for rule, text in _blocks(file.read_text(encoding="utf-8")):
            for pattern in _patterns(text, f"{file}: {rule}"):
                found.setdefault(pattern, []).append(rule)
    return found


def outputs_tables(rules: Path) -> str:
    """All files by the folder that they lie in, as Markdown. Raises ValueError naming those of
    which nothing is said."""
    found = outputs(rules)
    if lacking := sorted(found.keys() - HOLDS.keys()):
        raise ValueError(f"say in FOLDERS of {Path(__file__).name} what these hold: {lacking}")
    made = [(path, by, HOLDS[path]) for path, by in found.items()]
    beside = [(one.path, [one.by], one.holds) for one in BESIDE]
    order = {path: n for n, path in enumerate([*HOLDS, *(one.path for one in BESIDE)])}
    rows = sorted([*made, *beside], key=lambda row: order[row[0]])
    parts = []
    for folder, heading in (HEADINGS | {"": "Beside them"}).items():
        own = [row for row in rows if _folder(row[0]) == folder]
        lines = [f"| `{path}` | {_named(by)} | {holds} |" for path, by, holds in own]
        parts.append(
            "\n".join(
                [f"**{heading}**", "", "| file | rule | what it holds |", "|---|---|---|", *lines]
            )
        )
    return "\n\n".join(parts)


def _named(rules: Sequence[str]) -> str:
    return ", ".join(one if one == EVERY else f"`{one}`" for one in rules)


def _folder(path: str) -> str:
    return next((folder for folder in HEADINGS if path.startswith(folder)), "")


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """(Rule, the text of its `output:`) of a rule file."""
    lines, rule = text.split("\n"), ""
    for n, line in enumerate(lines):
        if match := re.fullmatch(r"\s*rule ?(\w*):", line):
            rule = match[1]
        elif not rule and (match := re.fullmatch(r'\s*f"(.+)",?', line)):
            rule = _worded(match[1])  # behind `name:`
        if match := re.fullmatch(r"(\s+)output:", line):
            block = []
            for later in lines[n + 1 :]:
                if later.strip() and not later.startswith(match[1] + " "):
                    break
                block.append(later)
            yield rule, textwrap.dedent("\n".join(block))


def _patterns(block: str, where: str) -> Iterator[str]:
    """The files that an output block names, with <words> for what may be any."""
    call = ast.parse(f"_(\n{block}\n)", mode="eval").body
    assert isinstance(call, ast.Call)
    for value in [*call.args, *(one.value for one in call.keywords)]:
        name = (
            value.func.id
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
            else ""
        )
        if name == "multiext":
            start, *ends = map(_text, value.args)
            yield from (_worded(start + end) for end in ends)
            continue
        text = _text(value.args[0] if name in ("report", "touch", "temp", "expand") else value)
        known = [path for code, path in CALLS.items() if re.fullmatch(code, ast.unparse(value))]
        if not text and not known:
            raise ValueError(f"{where}: {ast.unparse(value)} names no file that a page could name")
        yield known[0] if known else _worded(text)


def _text(node: ast.expr) -> str:
    """A text, with {name} for what an f-string puts in; '' of anything else."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = (
            f"{{{ast.unparse(one.value)}}}" if isinstance(one, ast.FormattedValue) else _text(one)
            for one in node.values
        )
        return "".join(parts)
    return ""


def _worded(text: str) -> str:
    """{wildcards} as <words>."""
    return re.sub(r"\{(\w+)\}", lambda match: WORDS.get(match[1], f"<{match[1]}>"), text)
