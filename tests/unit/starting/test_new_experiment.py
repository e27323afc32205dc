"""From a folder of photos to experiment files whose sizes, steps and rates suit the base."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import shipped_config
from photo_files import broken_files
from PIL import Image

import new_experiment as program
from kindred.common.errors import KindredError, ProblemsError
from kindred.compute.memory_limit import GIB
from kindred.config.load_plan import load_plan
from kindred.config.stranger_pictures import stranger_class_images
from kindred.starting import estimates, new_files
from kindred.starting.base_choice import chosen_base, fitting_bases, sizes
from kindred.starting.folder_survey import survey


def photo(path, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (number * 9 % 255, 80, 90)).save(path)


@pytest.fixture
def root(tmp_path):
    shipped_config.copy(tmp_path)
    for path in (tmp_path / "config/experiments").iterdir():
        path.unlink()
    return tmp_path


@pytest.fixture
def folder(root):
    for name in ("JRussell", "ARussell", "CRussell"):
        for number in range(3):
            photo(root / f"photos/ours/{name}/{name}-{number}.jpg", number)
    return root / "photos/ours"


def plan_of(root, name):
    return load_plan(root, {"experiments": [name]})


def run(root, *more):
    return program.main(["photos/ours", "--root", str(root), *more])


def test_people_are_read_from_folders_and_nouns_from_the_command_line(folder):
    found = survey(folder)
    assert {who.name for who in found.characters.values()} == {"JRussell", "ARussell", "CRussell"}
    assert len(found.guessed) == 3 and found.cells == {"J": 3, "A": 3, "C": 3}
    told = survey(folder, ["JRussell:man:adult", "ARussell:woman", "CRussell:child"])
    assert (told.characters["J"].noun, told.characters["J"].age, told.guessed) == (
        "man",
        "adult",
        (),
    )


def test_people_are_read_from_captions_with_their_class_nouns(root):
    folder, rows = root / "photos/ours", ["file_name,text"]
    for number in range(4):
        photo(folder / f"{number}.jpg", number)
        rows.append(f'{number}.jpg,"a photo of the man JRussell, smiling"')
    photo(folder / "4.jpg")
    rows.append("4.jpg,BSmith beside JRussell")  # named once: not a person to learn
    (folder / "captions.csv").write_text("\n".join(rows))
    found = survey(folder)
    assert {x: (who.name, who.noun) for x, who in found.characters.items()} == {
        "J": ("JRussell", "man")
    }
    assert (found.photos, found.captioned, found.cells) == (5, 5, {"J": 5})


def test_names_of_the_recommended_kind_are_found_in_captions(root):
    texts = [
        "the man Jorvek by a wall",
        "Amitas, a young woman, with the man Jorvek",
        "A man. Outside",
    ]
    texts += ["the woman Amitas on Sunday", "a man Outdoors"]
    rows = [f'{number}.jpg,"{text}","-"' for number, text in enumerate(texts)]
    rows += ['5.jpg,on a bench,"Celbon"', '6.jpg,asleep,"Celbon and Jorvek"', "7.jpg,a cat,J"]
    folder = root / "photos/ours"
    for number in range(len(rows)):
        photo(folder / f"{number}.jpg", number)
    (folder / "captions.csv").write_text("\n".join(["file,text,who", *rows]) + "\n")
    found = {who.name: who.noun for who in survey(folder).characters.values()}
    assert found == {"Jorvek": "man", "Amitas": "woman", "Celbon": "person"}


def test_a_folder_of_kohyas_tools_says_name_and_class(root):
    photo(root / "photos/ours/10_ada woman/1.jpg")
    found = survey(root / "photos/ours")
    assert [(who.name, who.noun) for who in found.characters.values()] == [("ada", "woman")]


@pytest.mark.parametrize("gib", [6, 12, 80])
def test_an_experiment_for_a_card_plans_and_nothing_in_it_is_unusual(root, folder, gib):
    people = ["--people", "JRussell:man", "ARussell:woman", "CRussell:child"]
    assert run(root, "--gpu", str(gib), *people) == 0
    for name in ("ours", "ours-first-look"):
        plan = plan_of(root, name)
        assert not shipped_config.warnings(plan)
    experiment = plan_of(root, "ours").experiments["ours"]
    assert set(experiment.variants) >= {"photos", "composed"}
    strangers = experiment.variants["composed"].strangers
    assert strangers == "ours-others" and not experiment.variants["photos"].made


@pytest.mark.parametrize("count", [1, 4])
def test_any_number_of_people_plans(root, count):
    names = [f"{letter}Russell" for letter in "JACBDE"[:count]]
    for name in names:
        photo(root / f"photos/ours/{name}/1.jpg")
    run(root, "--gpu", "12")
    run(root, "--base", "lab", "--name", "small")
    for name in ("ours", "small", "ours-first-look", "small-first-look"):
        assert len(plan_of(root, name).experiments[name].characters) == count


def test_the_miniature_gets_its_own_sizes(root, folder):
    run(root, "--base", "lab")
    plan = plan_of(root, "ours")
    assert not shipped_config.warnings(plan)
    assert plan.experiments["ours"].variants["composed"].train.recipe.steps == 300


def test_what_the_file_makes_is_what_was_counted(root, folder):
    new = new_files.new_experiment(root, "photos/ours", "ours", survey(folder), 12, None)
    new_files.write_files(new, root)
    plan = plan_of(root, "ours")
    experiment = plan.experiments["ours"]
    sets = experiment.prompt_sets.values()
    pictures = sum(len(one.full(name).seeds) for one in sets for name in one.prompts)
    runs = sum(len(variant.runs) for variant in experiment.variants.values())
    assert new.amounts.pictures == pictures * runs
    strangers = sum(len(own.names) for own in stranger_class_images(plan).values())
    # Some of these are drawn anyway, and are counted twice.
    assert 0.8 * new.amounts.strangers <= strangers <= new.amounts.strangers
    assert new.amounts.trainings == sum(len(one.runs) for one in experiment.trained)


def test_files_that_are_there_are_not_replaced_unasked(root, folder):
    run(root, "--gpu", "12")
    path = root / "config/experiments/ours.yaml"
    path.write_text("mine")
    with pytest.raises(KindredError, match="already exists"):
        run(root, "--gpu", "12")
    assert path.read_text() == "mine"
    run(root, "--gpu", "12", "--force")
    assert "Written by" in path.read_text()


def test_every_photo_that_can_t_be_read_is_named_with_its_cure(root, folder, capsys):
    sub = folder / "JRussell"
    broken = broken_files(sub) | {"same.jpg": "same", "lost.txt": "without a photo"}
    photo(sub / "same.jpg")
    photo(sub / "same.png")
    (sub / "lost.txt").write_text("JRussell")
    photo(sub / "there.jpg")
    (sub / "there.txt").write_text("JRussell")
    broken["nowhere.jpg"] = "link to a file that is not there"
    with pytest.raises(ProblemsError) as error:
        run(root, "--gpu", "12")
    told = error.value.problems
    assert len(told) == len(broken) and all(problem.cure for problem in told)
    for name, words in broken.items():
        assert any(name in one.where and words in one.what for one in told), name
    assert not (root / "config/experiments/ours.yaml").exists()


def test_files_that_are_not_used_are_told_by_reason(root, folder, capsys):
    people = "people: {J: {name: JRussell, class: man}}\nphotos: {JRussell/0.jpg: {left_out: dark}}"
    (folder / "people.yaml").write_text(people)
    photo(folder / "JRussell/0.jpg")
    (folder / "JRussell/0.txt").write_text("JRussell")
    for name in ("a.dng", "b.CR3", "CRussell/c.mov"):
        (folder / name).write_bytes(b"raw\0")
    run(root, "--gpu", "12")
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert told == [
        "warning: CRussell/c.mov: neither photo nor captions; not used",
        "warning: a.dng and b.CR3: a raw photo; not used. Export it as JPEG.",
    ]


@pytest.mark.parametrize("name", ["others", "2024-05-01", "null", "0x10"])
def test_any_name_of_folder_and_experiment_is_read_as_it_was_written(root, name):
    odd = 'photos/our "best" \\ Jörg\'s #1: 🎉'
    for number in range(4):
        photo(root / odd / f"JRussell/IMG_1 ({number}).JPG", number)
    more = ["--people", "JRussell:man", "--name", name, "--root", str(root)]
    assert program.main([odd, "--base", "lab", *more]) == 0
    for written in (name, f"{name}-first-look"):
        plan = plan_of(root, written)
        assert str(plan.datasets[name].source).endswith(odd)
        assert not shipped_config.warnings(plan)


@pytest.mark.parametrize("name", ["2024", "1e5", "true", "our photos"])
def test_a_name_that_the_command_line_reads_otherwise_is_refused_before_photos_are_read(root, name):
    with pytest.raises(KindredError, match="can't be the name of an experiment"):
        program.main(["photos/none", "--name", name, "--root", str(root)])


@pytest.mark.parametrize("target", ["new", "who"])
def test_make_passes_on_a_folder_as_it_was_written(tmp_path, target):
    (tmp_path / "envs").mkdir()
    for file in ("Makefile", "envs/requirements.txt"):
        shutil.copyfile(shipped_config.ROOT / file, tmp_path / file)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s" "$2" > asked\n')
    python.chmod(0o755)
    (tmp_path / ".venv/.ready").touch()
    folder = 'photos/our "best" Jörg\'s `x` & (2)'
    subprocess.run(["make", target, f"PHOTOS={folder}"], cwd=tmp_path, check=True)
    assert (tmp_path / "asked").read_text(encoding="utf-8") == folder
    assert subprocess.run(["make", target], cwd=tmp_path).returncode


def test_a_gpu_here_is_the_card_when_none_is_named(root, folder, monkeypatch):
    monkeypatch.setattr(new_files.nvml, "totals", lambda: {"GPU-1": 8 * GIB, "GPU-2": 24 * GIB})
    assert run(root) == 0
    assert "8 GiB" in (root / "config/experiments/ours.yaml").read_text()


def test_a_larger_card_gets_a_base_as_precise_or_more(root):
    assert chosen_base(root, 6, None).base.quantization == "nf4"
    assert chosen_base(root, 24, None).base.quantization is None
    for one in fitting_bases(root, 12):
        assert one.plan.peak < 12 * GIB and not one.plan.offloaded
    assert {one.name for one in fitting_bases(root, 8)} < {
        one.name for one in fitting_bases(root, 80)
    }


def test_sizes_are_of_the_area_asked_for():
    for edge in (512, 768, 1024):
        for width, height in sizes(edge):
            assert width % 64 == height % 64 == 0 and abs(width * height / edge**2 - 1) < 0.15


def test_hours_are_of_the_first_look_where_it_has_run(root, folder):
    log = root / "results/ours-first-look/photos/run-1/training.csv"
    log.parent.mkdir(parents=True)
    rows = [f"{step},0.1,1e-4,{30 + 2 * step},0" for step in range(1, 101)]  # 30 s of compiling
    log.write_text("\n".join(["step,loss,lr,seconds,memory_mib", *rows]))
    step, how = estimates.of_first_look(root / "results/ours-first-look")
    assert step == 2 and "first look" in how
    run(root, "--gpu", "12")
    text = (root / "config/experiments/ours.yaml").read_text()
    assert "measured: 89 steps of the first look; 2 s a step" in text


def test_arithmetic_says_that_it_is_no_measurement(root, folder):
    run(root, "--gpu", "12")
    assert "computed, not measured" in (root / "config/experiments/ours.yaml").read_text()
    small = estimates.computed(chosen_base(root, 12, None), 1024, 12)
    large = estimates.computed(chosen_base(root, 80, None), 1024, 80)
    assert all(low < high for low, high in (*small, *large)) and large[0][1] < small[0][1]


def test_measured_steps_lie_within_what_arithmetic_says(root):
    """docs/reference/performance.md: an H200, NF4, 1024 px, rank 16, plan for 12 GiB; seconds."""
    for name, measured in (("klein-4b", 0.208), ("z-image", 0.343)):
        base = chosen_base(root, 141, name)
        assert base.edge == 1024
        only = type(base)(base.name, base.base, base.recipe, (1024,), base.plan, base.shape)
        low, high = estimates.computed(only, 1024, 141)[0]
        assert low <= measured <= high


def test_a_licence_that_must_be_accepted_is_told_before_the_download(root, folder, capsys):
    run(root, "--gpu", "24", "--base", "klein-9b")
    told = (
        "licence: FLUX Non-Commercial License. Accept it on "
        "https://huggingface.co/black-forest-labs/FLUX.2-klein-base-9B and run"
    )
    assert told in capsys.readouterr().err
    assert "FLUX Non-Commercial License" in (root / "config/experiments/ours.yaml").read_text()
    run(root, "--gpu", "24", "--base", "klein-4b", "--force")
    assert "licence: " not in capsys.readouterr().err


def test_the_version_of_a_base_is_told_where_it_is_here(root, folder, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(root / "hub"))
    more = ("--gpu", "24", "--base", "klein-4b")
    run(root, *more)
    assert "version of the base" not in capsys.readouterr().err, "nothing to write yet"
    refs = root / "hub/models--black-forest-labs--FLUX.2-klein-base-4B/refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("a" * 40)
    run(root, *more, "--force")
    assert f"write `revision: {'a' * 40}` in the base's file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "said"),
    [("{who}/", "sub-folders of photos/ours seem"), ("", "captions in photos/ours seem")],
)
def test_who_is_not_in_people_is_told_of_wherever_they_are_named(root, place, said, capsys):
    rows = ["file,text"]
    for number, who in enumerate(["Jorvek", "Jorvek", "Amitas", "Amitas"]):
        name = place.format(who=who.lower()) + f"{number}.jpg"
        photo(root / "photos/ours" / name, number)
        rows += [] if place else [f"{name},the person {who} by a lake"]
    if not place:
        (root / "photos/ours/captions.csv").write_text("\n".join(rows))
    run(root, "--base", "lab", "--people", "Jorvek:man")
    (told,) = [x for x in capsys.readouterr().err.splitlines() if "not in --people" in x]
    assert f"warning: {said} to name people" in told and "experiment: amitas; their" in told.lower()
    run(root, "--base", "lab", "--people", "Jorvek:man", "Amitas:woman", "--force")
    assert "not in --people" not in capsys.readouterr().err


def test_a_judge_whose_packages_are_missing_is_told_of(root, folder, capsys, monkeypatch):
    run(root, "--gpu", "24")
    assert "make photo" not in capsys.readouterr().err

    monkeypatch.setattr(new_files, "installed", lambda package: None)
    run(root, "--gpu", "24", "--force")
    assert "Run `make photo` before the first run" in capsys.readouterr().err
    run(root, "--base", "lab", "--force")
    assert "make photo" not in capsys.readouterr().err
