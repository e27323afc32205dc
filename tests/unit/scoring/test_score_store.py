"""The store of finished tables, and many tables scored in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_judge
from PIL import Image
from prepared_dataset import prepare

import kindred.judges
import score as score_program
import score_batched as together_program
from kindred.common.errors import KindredError
from kindred.common.versions import VERSIONS
from kindred.data.dataset_photos import DatasetPhoto
from kindred.judges import open_judge
from kindred.scoring import image_vectors, score_store
from kindred.scoring.image_vectors import describe_dataset
from kindred.scoring.references import build_references, save
from kindred.scoring.score_store import ScoreRequest
from kindred.specs.character import Character
from kindred.specs.judge import JudgeSpec
from kindred.specs.scoring import ReferenceSpec, ScoreSpec, TrainedOn

HERE = ["--device", "cpu", "--threads", "1"]
CHARACTERS = {
    "J": Character(name="JRussell", noun="man"),
    "A": Character(name="ARussell", noun="woman"),
}
PROMPTS = {"J": "headshot of JRussell", "plain": "a man with long red hair at the beach"}


def noise(path: Path, seed: int) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (36, 32, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).resize((128, 144)).save(path)
    return path


def manifest(folder: Path, first: int, count: int = 6) -> Path:
    """A list of `count` pictures of each prompt, drawn from seed `first` on."""
    rows = []
    for name, prompt in PROMPTS.items():
        for n in range(count):
            number = first + len(rows)
            path = noise(folder / f"store/{number}.png", number)
            size = {"width": 128, "height": 144}
            row = {"name": name, "prompt": prompt, "seed": n, **size, "path": str(path)}
            rows.append({**row, "key": f"{number:064x}"})
    out = folder / f"list-{first}.json"
    content = {"prompt_set": "mixed", "settings": {}, "adapters": [], "images": rows}
    out.write_text(json.dumps(content))
    return out


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(specification, references, vectors, lists of pictures: two runs' and the base's)."""
    folder = tmp_path_factory.mktemp("world")
    judge = JudgeSpec(kind="lab", model=str(tiny_judge.build(folder / "judge")))
    photos = [
        DatasetPhoto(f"{who}-{n}", noise(folder / f"{who}-{n}.png", n), frozenset(who))
        for n, who in enumerate("JJAA")
    ]
    asked = ReferenceSpec(judge=judge, characters=CHARACTERS, datasets=["ours"])
    files = folder / "references.json", folder / "references.safetensors"
    save(build_references(open_judge(judge), {"ours": photos}, asked), *files)
    pictures = {p.image_id: (Image.open(p.path), *p.letters) for p in photos}
    ours = describe_dataset(open_judge(judge), "ours", prepare(folder / "ours", pictures))
    image_vectors.save(ours, folder / "ours.json")
    trained_on = [TrainedOn(dataset="ours")]
    spec = ScoreSpec(judge=judge, characters=CHARACTERS, trained_on=trained_on)
    return spec, *files, [manifest(folder, first) for first in (100, 200, 300)]


def trained(world) -> Path:
    """The vectors of what was trained on."""
    return world[1].with_name("ours.json")


def asked_of(world, **change):
    spec, references, vectors, (own, _, base) = world
    given = {"manifest": own, "base": base, "references": references, "vectors": vectors}
    given |= {"training": [trained(world)]}
    return ScoreRequest.read(**({"spec": spec, "variant": "all", "run": 1, **given} | change))


def command_of(world, out: Path, run: int = 1) -> list[str]:
    spec, references, vectors, lists = world
    return [
        *("--spec", spec.canonical(), "--manifest", str(lists[run - 1]), "--base", str(lists[2])),
        *("--references", str(references), "--vectors", str(vectors), "--variant", "all"),
        *("--training", str(trained(world))),
        *("--run", str(run), "--out", str(out / f"{run}.csv"), "--store", str(out / "store")),
    ]


def jobs_of(world, out: Path) -> dict:
    spec, references, vectors, lists = world
    jobs = [
        {
            "spec": "all",
            "manifest": str(lists[run - 1]),
            "base": [str(lists[2])],
            "references": str(references),
            "vectors": str(vectors),
            "training": [str(trained(world))],
            "variant": "all",
            "run": run,
            "out": str(out / f"{run}.csv"),
        }
        for run in (1, 2)
    ]
    return {"specs": {"all": json.loads(spec.canonical())}, "jobs": jobs}


def together(wanted, out: Path) -> dict:
    """The summary; raises what the program raises."""
    command = ["--jobs", json.dumps(wanted), "--store", str(out / "store")]
    try:
        assert together_program.main([*command, "--out", str(out / "done.json"), *HERE]) == 0
    finally:
        done = json.loads((out / "done.json").read_text())
    return done


def test_tables_are_those_of_the_single_program_and_the_judge_is_loaded_once(
    world, tmp_path, monkeypatch, capsys
):
    opened = []
    monkeypatch.setattr(kindred.judges, "open_judge", lambda *a: opened.append(a) or open_judge(*a))
    done = together(jobs_of(world, tmp_path), tmp_path)
    assert (done["scored"], done["found"], done["failed"]) == (2, 0, []) and len(opened) == 1
    for run in (1, 2):
        assert score_program.main([*command_of(world, tmp_path, run), *HERE]) == 0
        assert "already scored" in capsys.readouterr().err
        own = tmp_path / "alone"
        assert score_program.main([*command_of(world, own, run), *HERE]) == 0
        assert "12 pictures" in capsys.readouterr().err
        assert (own / f"{run}.csv").read_bytes() == (tmp_path / f"{run}.csv").read_bytes()
    assert (tmp_path / "1.csv").read_bytes() != (tmp_path / "2.csv").read_bytes()
    done = together(jobs_of(world, tmp_path), tmp_path)
    assert (done["scored"], done["found"]) == (0, 2)


def test_a_table_from_the_store_needs_no_torch(world, tmp_path):
    assert score_program.main([*command_of(world, tmp_path), *HERE]) == 0
    program = "import sys, score; print(score.main(sys.argv[1:]), 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, *command_of(world, tmp_path)],
        cwd=Path(score_program.__file__).parent,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "0 False", done.stderr
    assert "already scored" in done.stderr


def test_whatever_changes_scores_changes_the_key(world, tmp_path, monkeypatch):
    spec, references, _, (own, other, _) = world
    judge = spec.judge.model_copy(update={"recognised": 0.7})
    named = {"J": CHARACTERS["J"]}
    copied = tmp_path / "copied.json"
    copied.write_text(references.read_text() + "\n")
    rows = json.loads(own.read_text())
    rows["images"].reverse()
    turned = tmp_path / "turned.json"
    turned.write_text(json.dumps(rows))
    changes = [
        {},
        {"spec": spec.model_copy(update={"judge": judge})},
        {"spec": spec.model_copy(update={"characters": named})},
        {"spec": spec.model_copy(update={"trained_on": []})},
        {"manifest": other},
        {"manifest": turned},
        {"base": None},
        {"base": other},
        {"references": copied},
        {"vectors": copied},
        {"training": []},
        {"training": [copied]},
        {"variant": "none"},
        {"run": 2},
    ]
    keys = [asked_of(world, **change).key() for change in changes]
    score_store._version.cache_clear()
    monkeypatch.setattr(score_store, "version_of", lambda _: "another model")
    keys.append(asked_of(world).key())
    score_store._version.cache_clear()
    monkeypatch.undo()
    monkeypatch.setitem(VERSIONS, "score", VERSIONS["score"] + 1)
    keys.append(asked_of(world).key())
    assert len(set(keys)) == len(keys) == len(changes) + 2


def test_what_is_broken_does_not_stop_the_others(world, tmp_path):
    wanted = jobs_of(world, tmp_path)
    wanted["jobs"].insert(0, {**wanted["jobs"][0], "manifest": str(tmp_path / "none.json")})
    spoilt = Path(json.loads(world[3][1].read_text())["images"][3]["path"])
    whole = spoilt.read_bytes()
    spoilt.write_bytes(b"no picture")
    try:
        with pytest.raises(KindredError, match=r"2 of 3 jobs failed: .*1\.csv, .*2\.csv"):
            together(wanted, tmp_path)
    finally:
        spoilt.write_bytes(whole)
    done = json.loads((tmp_path / "done.json").read_text())
    why = [failure["why"] for failure in done["failed"]]
    assert "none.json: no such file" in why[0] and "pictures can't be read" in why[1]
    assert done["scored"] == 1


def test_a_lost_picture_is_named_though_the_table_is_there(world, tmp_path):
    assert score_program.main([*command_of(world, tmp_path), *HERE]) == 0
    lost = Path(json.loads(world[3][0].read_text())["images"][0]["path"])
    kept = lost.read_bytes()
    lost.unlink()
    try:
        with pytest.raises(KindredError, match="1 of 12 missing"):
            score_program.main([*command_of(world, tmp_path), *HERE])
    finally:
        lost.write_bytes(kept)
