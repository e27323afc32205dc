"""What class images make Snakemake do, spelled out job by job."""

from __future__ import annotations

import pytest
from workspace import EXPERIMENT_FILE, Workspace

pytestmark = pytest.mark.workflow

SHEETS_OF_ALL = [
    "tiny: page for ratings",
    "tiny: photos of ours beside renderings",
    "tiny: sheet of solo by all variants",
    "tiny: training curves",
]
BOTH = "prior-tiny-man+woman-{}-64x64"


def drawn(dataset: str) -> list[str]:
    """The jobs that make a dataset of class images."""
    return [
        f"class prompts of {dataset}",
        f"class pictures of {dataset}",
        *prepared(dataset),
    ]


def prepared(dataset: str) -> list[str]:
    """The jobs that make class pictures ready for training."""
    return [
        f"class images of {dataset}",
        f"photos of {dataset}",
        f"captions of {dataset}",
        f"tiny: encoding the photos of {dataset}",
        f"tiny: encoding the captions of {dataset}",
    ]


def trained(variant: str) -> list[str]:
    """The jobs that a variant has to itself."""
    return [f"tiny: settings of {variant}", f"tiny: training {variant}, run 1"]


def shown(variant: str) -> list[str]:
    """The jobs that show a variant's pictures."""
    return [f"tiny: solo by {variant}, run 1", f"tiny: sheet of solo by {variant}"]


def add(workspace: Workspace, *variants: str) -> None:
    """Write more variants into the experiment."""
    lines = "".join(f"  {line}\n" for line in variants)
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", f"{lines}prompt_sets:")


def adapter(variant: str) -> str:
    return f"results/tiny/{variant}/run-1/lora.safetensors"


@pytest.mark.long
def test_a_weight_draws_class_images_once_and_trains_on_them(workspace: Workspace):
    kept = "kept: {class_images_weight: 1.0, class_images_per_noun: 2}"
    add(workspace, kept, "same: {from: kept, rank: 1}", "man: {from: kept, characters: [J]}")
    dataset = BOTH.format(2)
    own = [job for name in ("kept", "same", "man") for job in trained(name) + shown(name)]
    expected = [*drawn(dataset), *drawn("prior-tiny-man-2-64x64"), *own, *SHEETS_OF_ALL]
    assert workspace.jobs() == sorted(expected)

    workspace.run(adapter("kept"))
    pictures = workspace.log(f"prior/{dataset}.pictures")
    assert "4 pictures, 0 in the store, 4 drawn; 1 base load" in pictures
    captions = workspace.root / "resources" / dataset / "photos/captions.csv"
    lines = captions.read_text(encoding="utf-8").splitlines()
    assert lines[1:] == [
        "man-10001.png,a photo of a man",
        "man-10002.png,a photo of a man",
        "woman-10001.png,a photo of a woman",
        "woman-10002.png,a photo of a woman",
    ]

    workspace.replace(EXPERIMENT_FILE, "class_images_per_noun: 2", "class_images_per_noun: 3")
    dataset = BOTH.format(3)
    assert workspace.jobs(adapter("kept")) == sorted([*drawn(dataset), *trained("kept")])
    workspace.run(f"resources/{dataset}/class.json")
    pictures = workspace.log(f"prior/{dataset}.pictures")
    assert "6 pictures, 4 in the store, 2 drawn; 1 base load" in pictures


def test_class_images_may_be_those_of_a_prompt_set(workspace: Workspace):
    own = "men: {class_images: class, preprocess: {buckets: [[64, 64]], min_side: 16}}"
    workspace.replace(EXPERIMENT_FILE, "\nbase:", f"\n  {own}\ndataset: ours\nbase:")
    add(workspace, "kept: {class_images: men, class_images_weight: 1}")
    with open(workspace.root / EXPERIMENT_FILE, "a", encoding="utf-8") as file:
        file.write("  class: {prompts: {man: a man}, seeds: 2, size: [64, 64], steps: 2}\n")
    drawn_by_base = ["tiny: encoding the prompts of class for tiny", "tiny: class by BASE, run 1"]
    expected = [*drawn_by_base, *prepared("men"), *trained("kept")]
    assert workspace.jobs(adapter("kept")) == sorted(expected)
