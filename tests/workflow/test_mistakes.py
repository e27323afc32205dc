"""A person's mistake ends in its message, all at once and without a stack trace."""

from __future__ import annotations

import pytest
from workspace import EXPERIMENT_FILE, Workspace

pytestmark = pytest.mark.workflow


def refused(workspace: Workspace, *arguments: str) -> str:
    output = workspace.run(*arguments, fails=True)
    assert "Traceback" not in output
    return output


def test_configuration(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "only-J: {characters: [J]}", "only-J: {charcters: [J]}")
    workspace.replace(EXPERIMENT_FILE, "class: woman", "clas: woman")
    output = refused(workspace, "-n")
    assert (
        "tiny.yaml:14: variants.only-J.charcters: unknown key. Did you mean 'characters'?"
    ) in output
    assert "tiny.yaml:5: characters.A.clas: unknown key. Did you mean 'class'?" in output
    assert "File " not in output


def test_an_experiment_that_does_not_exist(workspace: Workspace):
    output = refused(workspace, "-n", "--config", "experiments=tinny")
    assert "no file config/experiments/tinny.yaml. Did you mean 'tiny'?" in output


def test_files_of_what_is_no_longer_configured(workspace: Workspace):
    adapter = "results/tiny/gone/run-1/lora.safetensors"
    assert f"error: {adapter}: the experiment 'tiny' has no trained" in refused(workspace, adapter)
    photos = "resources/gone/images.json"
    assert f"error: {photos}: no configured experiment has a data" in refused(workspace, photos)


def test_an_empty_photo_folder(workspace: Workspace):
    for photo in (workspace.root / "photos").glob("*.jpg"):
        photo.unlink()
    assert "error: photos: contains no photo" in refused(workspace, "-n")


def test_a_link_to_nothing_and_braces_in_names(workspace: Workspace):
    photos = workspace.root / "photos"
    (photos / "gone.jpg").symlink_to("nowhere.jpg")
    (photos / "J-01.jpg").rename(photos / "{J}-01.jpg")
    output = refused(workspace, "-n")
    assert "gone.jpg: is a link" in output and "{J}-01.jpg: has a brace" in output


def test_snakemake_s_own_signs_in_paths_are_named_or_work(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "source: photos", "source: 'photos {J}'")
    (workspace.root / "photos").rename(workspace.root / "photos {J}")
    assert "photos {J}: has a brace in its name. Rename" in refused(workspace, "-n")
    (workspace.root / "photos {J}").rename(workspace.root / "photos")
    workspace.replace(EXPERIMENT_FILE, "source: 'photos {J}'", "source: photos")
    (workspace.root / "bases {a} <b>").mkdir()
    (workspace.root / "base").rename(workspace.root / "bases {a} <b>/base")
    workspace.replace("config/bases/tiny.yaml", "model: base", "model: 'bases {a} <b>/base'")
    workspace.run("resources/encoded/tiny/ours/latents.safetensors")


def test_braces_in_the_path_of_the_checkout(workspace: Workspace, tmp_path):
    moved = Workspace(workspace.root.rename(workspace.root.parent / "work {a}"))
    try:
        assert "work {a}: its path contains a brace" in refused(moved, "-n")
    finally:
        moved.root.rename(workspace.root)


def test_broken_photos_are_all_named(workspace: Workspace):
    photos = workspace.root / "photos"
    (photos / "J-01.jpg").write_bytes(b"")
    (photos / "J-02.jpg").write_text("no photo", encoding="utf-8")
    output = refused(workspace, "resources/ours/images.json")
    once_and_last(output, workspace.log("preprocess/ours"))
    assert "J-01.jpg" in output and "J-02.jpg" in output


def once_and_last(output: str, log: str):
    told = log.partition("error: ")[2]
    assert told and output.count(told) == 1 and output.endswith(f"\nerror: {told}")
    assert "RuleException" not in output and "Error in rule" not in output


def test_an_empty_caption(workspace: Workspace):
    (workspace.root / "photos/captions.csv").write_text("Filename,Label\nJ-01.jpg,\n")
    once_and_last(refused(workspace), workspace.log("caption/ours"))


@pytest.mark.long
def test_a_base_whose_folder_is_gone(workspace: Workspace):
    (workspace.root / "config/bases/tiny.yaml").write_text("model: bases/gone\n")
    output = refused(workspace, "-n")
    assert "base bases/gone: is no folder with a model_index.json" in output


def test_a_cell_without_photos_is_refused_before_training(workspace: Workspace):
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:", "  alone: {cells: [A+J, J]}\nprompt_sets:")
    workspace.run("-n")
    (workspace.root / "photos" / "AJ-01.jpg").unlink()
    table = workspace.root / "photos" / "captions.csv"
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not line.startswith("AJ")), encoding="utf-8")
    output = refused(workspace, "results/tiny/audit/ours.html")
    assert "A+J" in output and "alone or with others: " in output
    output = refused(workspace, "results/tiny/alone/run-1/lora.safetensors")
    assert "A+J" in output
    assert "training: " not in workspace.log("tiny/train/alone.run-1")


def test_a_download_for_the_cpu_is_refused_where_nobody_asked_for_it(
    workspace: Workspace, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("HF_HUB_CACHE", str(workspace.root / "hub"))
    workspace.replace(
        "config/bases/tiny.yaml", "model: base", "model: org/name\narchitecture: flux1"
    )
    said = refused(workspace, "--config", "device={kind: auto}")
    assert "no GPU was found here, so this would download tiny and work on the CPU" in said
    assert "Finished job" not in said
