"""Reference photos, scores of pictures, and the two programs, with a judge that knows the truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from oracle import Oracle
from prepared_dataset import prepare

import image_vectors as vectors_program
import kindred.judges
import reference_photos as references_program
import score as score_program
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.hashing import pixel_hash
from kindred.data.dataset_photos import DatasetPhoto
from kindred.judges.interface import Calibration
from kindred.rendering.manifest import read_manifest
from kindred.scoring.image_distance import COPIES, COSINE, distances, small_copies
from kindred.scoring.image_vectors import describe_dataset
from kindred.scoring.references import (
    build_references,
    load,
    own_similarity,
    save,
    stranger_similarity,
)
from kindred.scoring.score_images import VariantRun, score_images
from kindred.scoring.score_table import COLUMNS, VERSION, read_scores, write_scores
from kindred.scoring.training_pictures import training_pictures
from kindred.specs.casts import AskedCast
from kindred.specs.character import Character
from kindred.specs.judge import JudgeSpec
from kindred.specs.scoring import ReferenceSpec, ScoreSpec, TrainedOn, VectorSpec

CHARACTERS = {
    "J": Character(name="JRussell", noun="man"),
    "A": Character(name="ARussell", noun="woman"),
    "C": Character(name="CRussell", noun="child"),
}
JUDGE = JudgeSpec(kind="lab")
WHOSE = VariantRun("all", 2)
TRAINED_ON = [TrainedOn(dataset="ours")]
NOTHING = training_pictures([], [], {}, [])
PROMPTS = {
    "J": "headshot of JRussell",
    "A+J": "JRussell and ARussell at the beach",
    "A+C+J": "a Christmas card with JRussell, ARussell and CRussell",
    "": "a man at the beach",
}


def photos_of(folder: Path, oracle: Oracle, cells: list[str], **drawn) -> list[DatasetPhoto]:
    """Prepared photos, one a cell."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, cell in enumerate(cells):
        name = f"{cell}-{number:02d}"
        oracle.draw(cell, number, **drawn).save(folder / f"{name}.png")
        found.append(DatasetPhoto(name, folder / f"{name}.png", frozenset(cell)))
    return found


def spec_of(judge: JudgeSpec = JUDGE) -> ReferenceSpec:
    return ReferenceSpec(judge=judge, characters=CHARACTERS, datasets=["ours"])


def manifest_of(
    folder: Path, oracle: Oracle, pictures: list[tuple[str, str]], name: str = "m"
) -> Path:
    """A manifest of (asked cell, who is drawn); every second one is the next seed."""
    rows, seeds = [], {}
    for number, (asked, drawn) in enumerate(pictures):
        path = folder / f"{name}-{number}.png"
        oracle.draw(drawn, 100 + number).save(path)
        seeds[asked] = seeds.get(asked, 0) + 1
        rows.append(
            {
                "name": asked or "plain",
                "prompt": PROMPTS[asked],
                "seed": seeds[asked],
                "width": 1,
                "height": 1,
                "key": f"{number:064x}",
                "path": str(path),
            }
        )
    content = {"prompt_set": "mixed", "settings": {}, "adapters": [], "images": rows}
    (folder / f"{name}.json").write_text(json.dumps(content))
    return folder / f"{name}.json"


@pytest.fixture
def oracle():
    return Oracle()


@pytest.fixture
def known(tmp_path, oracle):
    cells = ["J", "J", "J", "A", "A", "C", "C", "AJ"]
    photos = photos_of(tmp_path / "photos", oracle, cells)
    return build_references(oracle, {"ours": photos}, spec_of())


def test_references_are_photos_of_one_character_alone(known):
    characters = known.facts["characters"]
    assert characters["J"]["photos"] == ["ours/J-00", "ours/J-01", "ours/J-02"]
    assert {x: len(rows) for x, rows in known.faces.items()} == {"J": 3, "A": 2, "C": 2}
    assert all(entry["warning"] == "" for entry in characters.values())
    assert all(0.97 < entry["same"] < 1 for entry in characters.values())
    assert abs(known.facts["stranger"]) < 0.3
    assert "relatives" in known.facts["source"]
    assert known.facts["distance"] == COPIES


def test_characters_without_reference_photos_are_named(tmp_path, oracle):
    photos = photos_of(tmp_path / "a", oracle, ["J", "J", "A", "CJ"])
    photos += photos_of(tmp_path / "b", oracle, ["C"], blind="C")
    found = build_references(oracle, {"ours": photos}, spec_of())
    said = {x: entry["warning"] for x, entry in found.facts["characters"].items()}
    assert said["J"] == ""
    assert "only one photo shows ARussell alone" in said["A"]
    assert "in no photo of CRussell alone does the judge find exactly one person" in said["C"]
    assert set(found.faces) == {"J"}
    none = build_references(oracle, {"ours": photos[3:4]}, spec_of())
    assert "no photo shows JRussell alone" in none.facts["characters"]["J"]["warning"]
    assert none.faces == {}


def test_a_photo_in_two_datasets_counts_once(tmp_path, oracle):
    photos = photos_of(tmp_path, oracle, ["J", "J"])
    found = build_references(oracle, {"ours": photos, "theirs": photos}, spec_of())
    assert found.facts["characters"]["J"]["photos"] == ["ours/J-00", "ours/J-01"]


def test_photos_that_are_unlike_each_other_are_no_references(tmp_path):
    oracle = Oracle(noise=20.0)
    oracle.calibration = Calibration(stranger=0.3)
    photos = photos_of(tmp_path, oracle, ["J", "J", "J", "A", "A", "A"])
    found = build_references(oracle, {"ours": photos}, spec_of())
    assert "check that they all show JRussell" in found.facts["characters"]["J"]["warning"]
    assert found.faces == {}


def test_ends_of_the_scale_by_hand():
    faces = {"A": np.eye(3)[[0, 0]], "J": np.array([[0.6, 0.8, 0.0]])}
    assert stranger_similarity(faces, Calibration())[0] == pytest.approx(0.6)
    assert stranger_similarity(faces, Calibration(0.1, source="known")) == (0.1, "known")
    assert stranger_similarity({"A": faces["A"]}, Calibration())[0] is None
    assert own_similarity(faces["A"], Calibration(same=0.3)) == pytest.approx(1)
    assert own_similarity(faces["J"], Calibration(same=0.3)) == 0.3
    assert own_similarity(
        np.array([[1.0, 0], [0.6, 0.8], [0, 1.0]]), Calibration()
    ) == pytest.approx((0.6 + 0 + 0.8) / 3)


def test_references_survive_saving(tmp_path, known):
    save(known, tmp_path / "r.json", tmp_path / "r.safetensors")
    first = (tmp_path / "r.safetensors").read_bytes()
    again = load(tmp_path / "r.json", tmp_path / "r.safetensors")
    assert again.facts == known.facts
    np.testing.assert_allclose(again.faces["J"], known.faces["J"], atol=1e-6)
    save(again, tmp_path / "r.json", tmp_path / "r.safetensors")
    assert first == (tmp_path / "r.safetensors").read_bytes()
    facts = json.loads((tmp_path / "r.json").read_text())
    (tmp_path / "r.json").write_text(json.dumps(facts | {"hash": "0" * 12}))
    with pytest.raises(KindredError, match=r"does not belong to r\.json"):
        load(tmp_path / "r.json", tmp_path / "r.safetensors")
    (tmp_path / "r.json").write_text(json.dumps(facts | {"version": 0}))
    with pytest.raises(KindredError, match="another version"):
        load(tmp_path / "r.json", tmp_path / "r.safetensors")


def test_scores_tell_what_was_drawn(tmp_path, oracle, known):
    pictures = [
        ("J", "J"),
        ("J", "A"),
        ("A+J", "JA"),
        ("A+J", "J"),
        ("A+C+J", "JJC"),
        ("A+C+J", "AC?"),
        ("", "?"),
        ("", "J"),
    ]
    manifest = read_manifest(manifest_of(tmp_path, oracle, pictures))
    spec = ScoreSpec(judge=JUDGE, characters=CHARACTERS, trained_on=TRAINED_ON)
    rows = score_images(oracle, known, NOTHING, manifest, None, spec, WHOSE)
    images = [row for row in rows if row["kind"] == "image"]
    assert [row["success"] for row in images] == [True, False, True, *[False] * 3, None, None]
    assert [row["count"] for row in images] == [True, True, True, False, True, True, None, None]
    assert [row["missing"] for row in images] == ["", "J", "", "A", "A", "J", "", ""]
    assert [row["duplicated"] for row in images] == [*[""] * 4, "J", "", "", ""]
    assert [row["unasked"] for row in images] == ["", "A", *[""] * 5, "J"]
    assert [row["strangers"] for row in images] == [0, 0, 0, 0, 0, 1, 1, 0]
    assert [row["adherence"] for row in images] == [None, None, 1, 1, None, None, 1, 1]
    people = [row for row in rows if row["kind"] == "person"]
    assert len(people) == sum(len(drawn) for _, drawn in pictures)
    first = people[0]
    assert first["assigned"] == first["found"] == "J"
    assert first["identity"] == pytest.approx(1, abs=0.1)
    assert first["margin"] > 0.5
    assert images[0]["identity"] == pytest.approx(first["identity"])
    assert images[3]["identity"] == pytest.approx(0.5, abs=0.1)
    assert {row["run"] for row in rows} == {2} and {row["variant"] for row in rows} == {"all"}


def test_only_pictures_whose_prompts_ask_for_garments_tell_what_people_wear(
    tmp_path, oracle, known
):
    """And the judge is asked about no others."""
    asked_about = []
    wears = oracle.wears
    oracle.wears = lambda images, *rest: asked_about.append(len(images)) or wears(images, *rest)
    path = manifest_of(tmp_path, oracle, [("J", "J"), ("A+J", "AJ?"), ("", "?")])
    worn = {"A": "red shirt", "J": "blue coat"}
    given = {"canvas": "144x128", "wording": "garments"}
    casts = {
        "A+J": AskedCast(name="A+J", members=["A", "J"], wears=worn, **given),
        "J": AskedCast(name="J", members=["J"], **given),
    }
    spec = ScoreSpec(judge=JUDGE, characters=CHARACTERS, casts=casts)
    rows = score_images(oracle, known, NOTHING, read_manifest(path), None, spec, WHOSE)
    told = {
        cell: [row["wears"] for row in rows if row["kind"] == "person" and row["prompt"] == cell]
        for cell in ("J", "A+J", "plain")
    }
    assert told == {"J": [""], "A+J": ["red shirt", "blue coat", ""], "plain": [""]}
    assert asked_about == [1]


def test_copies_of_a_photo_and_of_a_composite_are_told(tmp_path, oracle, known):
    photos = {f"{c}-{n:02d}": (oracle.draw(c, n), c) for n, c in enumerate("JJJAACC")}
    composite = oracle.draw("AJ", 70)
    people = [(letter, head) for head, letter in oracle.truth[pixel_hash(composite)]]
    made = photos | {"made": (composite, "AJ")}
    folder = prepare(tmp_path / "resources", made, {"made": people})
    training = training_pictures(
        TRAINED_ON, [], {"ours": describe_dataset(oracle, "ours", folder)}, sorted(CHARACTERS)
    )
    path = manifest_of(tmp_path, oracle, [("J", "J"), ("J", "J"), ("A+J", "AJ")])
    rows = json.loads(path.read_text())
    rows["images"][1]["path"] = str(folder / "images" / "J-01.png")
    rows["images"][2]["path"] = str(folder / "images" / "made.png")
    path.write_text(json.dumps(rows))
    spec = ScoreSpec(judge=JUDGE, characters=CHARACTERS, trained_on=TRAINED_ON)
    found = score_images(oracle, known, training, read_manifest(path), None, spec, WHOSE)
    fresh, photo, copy = [row for row in found if row["kind"] == "image"]
    assert photo["nearest"] == "ours/J-01"
    assert photo["nearest_distance"] == pytest.approx(0, abs=1e-3)
    assert copy["nearest_composite"] == "ours/made"
    assert copy["nearest_composite_distance"] == pytest.approx(0, abs=1e-3)
    assert fresh["nearest_distance"] > 0.02
    assert [row["copied"] for row in (fresh, photo, copy)] == [False, True, True]
    assert [row["copied_by_bits"] for row in (fresh, photo, copy)] == [False, True, True]
    assert [row["same_layout"] for row in (fresh, photo, copy)] == [False, False, True]
    assert fresh["diversity"] == pytest.approx(photo["diversity"]) != 0
    write_scores(tmp_path / "s.csv", found)
    written = [row for row in read_scores(tmp_path / "s.csv") if row["kind"] == "image"]
    assert [row["copied"] for row in written] == ["0", "1", "1"]
    assert [row["nearest_bits"] for row in written[1:]] == ["0", "0"]


def test_drift_compares_only_prompts_without_names_with_the_base(tmp_path, oracle, known):
    mine = read_manifest(manifest_of(tmp_path, oracle, [("J", "J"), ("", "?"), ("", "J")], "m"))
    base = read_manifest(manifest_of(tmp_path, oracle, [("J", "?"), ("", "?"), ("", "?")], "b"))
    spec = ScoreSpec(judge=JUDGE, characters=CHARACTERS)
    rows = score_images(oracle, known, NOTHING, mine, base, spec, WHOSE)
    drift = [row["drift"] for row in rows if row["kind"] == "image"]
    assert drift[0] is None
    assert drift[1] == pytest.approx(0, abs=1e-3)
    assert drift[2] > 0.02


def test_distances_by_hand():
    a = np.array([[0.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(distances(a, a, COPIES), [[0, 1], [1, 0]])
    unit = np.array([[1.0, 0.0], [0.6, 0.8]])
    np.testing.assert_allclose(distances(unit, unit, COSINE), [[0, 0.4], [0.4, 0]], atol=1e-9)
    assert small_copies([]).shape[0] == 0


def test_pictures_missing_from_the_store_are_named_with_the_cure(tmp_path, oracle, known):
    path = manifest_of(tmp_path, oracle, [("J", "J"), ("J", "J"), ("A+J", "AJ")])
    for number in (0, 2):
        (tmp_path / f"m-{number}.png").unlink()
    spec = ScoreSpec(judge=JUDGE, characters=CHARACTERS)
    with pytest.raises(ProblemsError, match=r"2 of 3 missing .*m-0\.png.*Draw them again"):
        score_images(oracle, known, NOTHING, read_manifest(path), None, spec, WHOSE)
    (tmp_path / "m-0.png").write_bytes(b"half")
    (tmp_path / "m-2.png").write_bytes(b"a picture")
    with pytest.raises(ProblemsError, match=r"m-0\.png"):
        score_images(oracle, known, NOTHING, read_manifest(path), None, spec, WHOSE)


def test_score_files_keep_their_values_and_their_version(tmp_path, oracle, known):
    manifest = read_manifest(manifest_of(tmp_path, oracle, [("J", "J"), ("", "?")]))
    spec = ScoreSpec(judge=JUDGE, characters=CHARACTERS)
    path = tmp_path / "scores.csv"
    write_scores(path, score_images(oracle, known, NOTHING, manifest, None, spec, WHOSE))
    rows = read_scores(path)
    assert [row["kind"] for row in rows] == ["image", "person", "image", "person"]
    assert rows[0]["success"] == "1" and rows[2]["success"] == "" and rows[0]["strangers"] == "0"
    text = path.read_text()
    path.write_text(text.replace(f"\n{VERSION},", "\n9,"))
    with pytest.raises(
        KindredError, match=r"scores\.csv: contains scores of version 9.*scores again"
    ):
        read_scores(path)
    path.write_text(text.replace("people_found", "people"))
    with pytest.raises(KindredError, match=r"without people_found, with people. "):
        read_scores(path)
    path.write_text(",".join(COLUMNS) + "\n1,2\n")
    with pytest.raises(KindredError, match="can't be read as a table of scores"):
        read_scores(path)
    with pytest.raises(KindredError, match="no such file"):
        read_scores(tmp_path / "none.csv")


def test_both_programs_from_files_to_file(tmp_path, oracle, monkeypatch, capsys):
    monkeypatch.setattr(kindred.judges, "open_judge", lambda spec, device: oracle)
    resources = ["--resources", str(tmp_path / "resources")]
    photos = {f"{c}-{n:02d}": (oracle.draw(c, n), c) for n, c in enumerate("JJAAC")}
    prepare(tmp_path / "resources/ours", photos)
    files = ["--references", "r.json", "--vectors", "r.safetensors"]
    files = [x if x.startswith("--") else str(tmp_path / x) for x in files]
    made = ["--facts", files[1], *files[2:], *resources]
    assert references_program.main(["--spec", spec_of().canonical(), *made, "--device", "cpu"]) == 0
    said = capsys.readouterr().err
    assert "J: 2 reference photos" in said and "only one photo shows CRussell alone" in said
    vectors = ["--spec", VectorSpec(judge=JUDGE, dataset="ours").canonical(), *resources]
    out = ["--out", str(tmp_path / "vectors/ours.json"), "--device", "cpu"]
    assert vectors_program.main([*vectors, *out]) == 0
    manifest = manifest_of(tmp_path, oracle, [("J", "J"), ("A+J", "AJ")])
    spec = ScoreSpec(judge=JUDGE, characters=CHARACTERS, trained_on=TRAINED_ON).canonical()
    files += ["--training", out[1]]
    command = ["--spec", spec, "--manifest", str(manifest), *files, "--variant", "all"]
    command += ["--run", "1", "--out", str(tmp_path / "s.csv"), "--device", "cpu"]
    command += ["--store", str(tmp_path / "store")]
    assert score_program.main(command) == 0
    images = [row for row in read_scores(tmp_path / "s.csv") if row["kind"] == "image"]
    assert [row["success"] for row in images] == ["1", "1"]
    assert [row["copied"] for row in images] == ["0", "0"]
    plain = manifest_of(tmp_path, oracle, [("", "?")], "plain")
    base = manifest_of(tmp_path, oracle, [("", "J")], "base")
    command[command.index(str(manifest))] = str(plain)
    assert score_program.main([*command, "--base", str(base)]) == 0
    assert float(read_scores(tmp_path / "s.csv")[0]["drift"]) > 0.02
    assert score_program.main([*command, "--base"]) == 0
    assert read_scores(tmp_path / "s.csv")[0]["drift"] == ""
    oracle.identity = "oracle@2"
    with pytest.raises(
        KindredError, match=r"made by the judge oracle@1, but this judge is oracle@2"
    ):
        score_program.main([*command, "--store", str(tmp_path / "other")])
