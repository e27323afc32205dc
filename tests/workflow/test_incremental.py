"""What a change makes Snakemake do, spelled out job by job."""

from __future__ import annotations

import os
import shutil
import time

import pytest
from PIL import Image, ImageOps
from workspace import EXPERIMENT_FILE, RECIPE_FILE, Workspace

from kindred.common.versions import VERSIONS

pytestmark = pytest.mark.workflow

SHEETS_OF_ALL = [
    "tiny: page for ratings",
    "tiny: photos of ours beside renderings",
    "tiny: sheet of solo by all variants",
    "tiny: training curves",
]
TRAINED = ["both", "only-J"]
VARIANTS = ["BASE", *TRAINED]
PICTURES = [f"tiny: solo by {name}, run 1" for name in VARIANTS]
SHEETS = [f"tiny: sheet of solo by {name}" for name in VARIANTS]
TRAININGS = [f"tiny: training {name}, run 1" for name in TRAINED]
AFTER_TRAINING = [
    *TRAININGS,
    *[line for line in PICTURES + SHEETS if "BASE" not in line],
    *SHEETS_OF_ALL,
]
AFTER_CAPTIONS = ["captions of ours", "tiny: audit of ours", "tiny: encoding the captions of ours"]
AFTER_PHOTOS = ["photos of ours", "tiny: encoding the photos of ours", *AFTER_CAPTIONS]


def only(variant: str) -> list[str]:
    """The jobs that a trained variant has to itself, and the sheets it is part of."""
    return [
        f"tiny: settings of {variant}",
        f"tiny: training {variant}, run 1",
        f"tiny: solo by {variant}, run 1",
        f"tiny: sheet of solo by {variant}",
        *SHEETS_OF_ALL,
    ]


def test_nothing_changed(workspace: Workspace):
    assert workspace.jobs() == []
    assert "Nothing to be done" in workspace.run()


def test_results_are_where_the_layout_says(workspace: Workspace):
    root = workspace.root
    for name in TRAINED:
        folder = root / "results/tiny" / name
        assert (folder / "spec.json").exists()
        for file in ("lora.safetensors", "lora.json", "training.csv", "images/solo.json"):
            assert (folder / "run-1" / file).exists(), file
    assert (root / "results/tiny/BASE/run-1/images/solo.json").exists()
    assert len(list((root / "resources/store/images").rglob("*.png"))) == 2 * len(VARIANTS)
    assert (root / "results/tiny/audit/ours.html").exists()


def test_a_touched_photo_or_caption_file_is_nothing(workspace: Workspace):
    later = time.time() + 60
    for name in ("J-01.jpg", "captions.csv"):
        os.utime(workspace.root / "photos" / name, (later, later))
    assert workspace.jobs() == []


def test_a_variant_added(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", "  more: {rank: 1}\nprompt_sets:")
    assert workspace.jobs() == sorted(only("more"))


def test_a_variant_that_preserves_the_bases_answers_added(workspace: Workspace):
    change = "  kept: {diff_output_preservation: 1}\nprompt_sets:"
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", change)
    encoded = "tiny: encoding the captions of ours without names"
    assert workspace.jobs() == sorted([*only("kept"), encoded])


def test_a_variant_asking_for_a_cell_added(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", "  pair: {cells: [A+J]}\nprompt_sets:")
    assert workspace.jobs() == sorted([*only("pair"), "tiny: audit of ours"])


def test_a_run_added(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "only-J: {", "only-J: {runs: 2, ")
    assert workspace.jobs() == sorted(
        [
            "tiny: training only-J, run 2",
            "tiny: solo by only-J, run 2",
            "tiny: sheet of solo by only-J",
            "tiny: page for ratings",
            "tiny: sheet of solo by all variants",
            "tiny: training curves",
        ]
    )


def test_a_prompt_added(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "    seeds:", "      A: headshot of {A}\n    seeds:")
    assert workspace.jobs() == sorted(
        [
            "tiny: encoding the prompts of solo for tiny",
            *PICTURES,
            *SHEETS,
            "tiny: page for ratings",
            "tiny: sheet of solo by all variants",
            "tiny: photos of ours beside renderings",
        ]
    )


SAMPLES = 'samples: {every: 2, prompts: ["headshot of %s"]}\nprompt_sets:'
ON_THE_WAY = ["tiny: encoding the prompts of samples for tiny", "tiny: what is drawn in trainings"]
LIVE = "tiny: page that shows trainings while they run"


def test_pictures_on_the_way_added(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", SAMPLES % "{J}")
    assert workspace.jobs() == sorted([*ON_THE_WAY, LIVE, *AFTER_TRAINING])


@pytest.mark.long
def test_other_pictures_on_the_way_train_nothing(workspace: Workspace):
    adapter = workspace.root / "results/tiny/both/run-1/lora.safetensors"
    before = adapter.read_bytes()
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", SAMPLES % "{J}")
    workspace.run()
    assert adapter.read_bytes() == before
    assert "already trained" in workspace.log("tiny/train/both.run-1")
    assert "finished" in (adapter.parent / "live.js").read_text()
    change = 'every: 2, prompts: ["headshot', 'every: 1, prompts: ["photo'
    workspace.replace(EXPERIMENT_FILE, *change)
    assert workspace.jobs() == sorted([*ON_THE_WAY, LIVE])


def test_a_seed_added_is_one_base_load_and_one_picture(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "seeds: [1, 2]", "seeds: [1, 2, 3]")
    expected = [
        *PICTURES,
        *SHEETS,
        "tiny: page for ratings",
        "tiny: sheet of solo by all variants",
        "tiny: photos of ours beside renderings",
    ]
    assert workspace.jobs() == sorted(expected)
    workspace.run("results/tiny/both/run-1/images/solo.json")
    log = workspace.log("tiny/render/both.run-1.solo")
    assert "3 pictures, 2 in the store, 1 drawn; 1 base load" in log


@pytest.mark.long
def test_rank_changed_and_changed_back(workspace: Workspace):
    adapter = workspace.root / "results/tiny/both/run-1/lora.safetensors"
    before = adapter.read_bytes()
    workspace.replace(EXPERIMENT_FILE, "both: {}", "both: {rank: 4}")
    assert workspace.jobs() == sorted(only("both"))
    workspace.run(str(adapter.relative_to(workspace.root)))
    assert adapter.read_bytes() != before
    workspace.replace(EXPERIMENT_FILE, "both: {rank: 4}", "both: {}")
    assert workspace.jobs() == sorted(only("both"))
    workspace.run()
    assert adapter.read_bytes() == before
    assert "already trained" in workspace.log("tiny/train/both.run-1")
    assert "2 pictures, 2 in the store, 0 drawn" in workspace.log("tiny/render/both.run-1.solo")
    assert workspace.jobs() == []


@pytest.mark.long
def test_a_photo_edited_retrains_only_what_saw_it(workspace: Workspace):
    path = workspace.root / "photos" / "A-01.jpg"
    with Image.open(path) as photo:
        ImageOps.mirror(photo).save(path, quality=95)
    assert workspace.jobs() == sorted([*AFTER_PHOTOS, *AFTER_TRAINING])
    workspace.run()
    assert "1 prepared, 3 kept" in workspace.log("preprocess/ours")
    assert "4 latents: 1 encoded, 3 kept" in workspace.log("encode/tiny/ours.latents")
    assert "already trained" in workspace.log("tiny/train/only-J.run-1")
    assert "already trained" not in workspace.log("tiny/train/both.run-1")
    assert workspace.jobs() == []


def test_a_caption_edited_retrains_only_what_saw_it(workspace: Workspace):
    table = workspace.root / "photos" / "captions.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    lines = [line + " on a sunny day" if line.startswith("A-01") else line for line in lines]
    lines = [line.replace('" on a sunny day', ' on a sunny day"') for line in lines]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert workspace.jobs() == sorted([*AFTER_CAPTIONS, *AFTER_TRAINING])
    workspace.run()
    assert "4 captions and the empty one, 2 new encodings" in workspace.log(
        "encode/tiny/ours.text-56"
    )
    assert "already trained" in workspace.log("tiny/train/only-J.run-1")
    assert "already trained" not in workspace.log("tiny/train/both.run-1")


def test_a_photo_added_and_a_photo_removed(workspace: Workspace):
    photos = workspace.root / "photos"
    (photos / "A-01.jpg").rename(workspace.root / "A-01.jpg")
    assert workspace.jobs() == sorted([*AFTER_PHOTOS, *AFTER_TRAINING])
    (workspace.root / "A-01.jpg").rename(photos / "A-01.jpg")
    shutil.copyfile(photos / "J-01.jpg", photos / "J-03.jpg")
    assert workspace.jobs() == sorted([*AFTER_PHOTOS, *AFTER_TRAINING])


def raise_version(workspace: Workspace, step: str) -> None:
    """What a developer does whose change gives other results."""
    now = VERSIONS[step]
    workspace.replace(
        "scripts/kindred/common/versions.py", f'"{step}": {now},', f'"{step}": {now + 1},'
    )


def test_the_version_of_training_raised(workspace: Workspace):
    raise_version(workspace, "train")
    assert workspace.jobs() == sorted(AFTER_TRAINING)


def test_the_version_of_rendering_raised_retrains_nothing(workspace: Workspace):
    raise_version(workspace, "render")
    found = workspace.jobs()
    assert set(PICTURES) <= set(found)
    assert not [job for job in found if "training " in job and "curves" not in job]


def test_code_edited_is_nothing_while_its_version_stays(workspace: Workspace):
    for file in ("train.py", "kindred/training/trainer.py", "kindred/rendering/sampling.py"):
        path = workspace.root / "scripts" / file
        text = path.read_text(encoding="utf-8")
        assert text.startswith('"""')
        edited = '"""Other words. ' + text[3:] + "\n# A new comment.\nEDITED = True\n"
        path.write_text(edited, encoding="utf-8")
    workspace.replace(
        "scripts/kindred/common/progress.py", "LINE_EVERY_S = 10.0", "LINE_EVERY_S = 5.0"
    )
    assert workspace.jobs() == []


def test_a_module_nobody_uses_is_nothing(workspace: Workspace):
    (workspace.root / "scripts/kindred/common/unused.py").write_text("A = 1\n", encoding="utf-8")
    assert workspace.jobs() == []


def test_the_recipe_file_edited(workspace: Workspace):
    workspace.replace(RECIPE_FILE, "lr: 1e-3", "lr: 2e-3")
    settings = [f"tiny: settings of {name}" for name in TRAINED]
    assert workspace.jobs() == sorted([*settings, *AFTER_TRAINING])


def test_another_device_is_nothing(workspace: Workspace):
    workspace.replace("config/config.yaml", "threads: 1", "threads: 2, memory_gib: 11.5")
    assert workspace.jobs() == []


def test_a_character_s_age_is_audited_and_no_more(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "class: man}", "class: man, age: adult}")
    told = [
        "tiny: audit of ours",
        "tiny: page for ratings",
        "tiny: photos of ours beside renderings",
    ]
    assert workspace.jobs() == told


def test_a_prepared_base_replaced(workspace: Workspace):
    import tiny_base

    tiny_base.build(workspace.root / "base", seed=1)
    found = workspace.jobs()
    assert set(TRAININGS + PICTURES) <= set(found)
    assert "tiny: encoding the photos of ours" in found
    assert "photos of ours" not in found


@pytest.mark.long
def test_a_lost_result_is_made_again(workspace: Workspace):
    (workspace.root / "results/tiny/both/run-1/lora.safetensors").unlink()
    assert "tiny: training both, run 1" in workspace.jobs()
    workspace.run()
    assert "already trained" in workspace.log("tiny/train/both.run-1")
