"""Which rendered pictures are copies of what was trained on: planted copies, figures by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from oracle import Oracle
from prepared_dataset import prepare

import image_vectors as program
import kindred.judges
from kindred.common.errors import KindredError
from kindred.common.hashing import pixel_hash
from kindred.data.image_quality import difference_hash
from kindred.scoring import image_vectors
from kindred.scoring.image_distance import COPIES, small_copies
from kindred.scoring.image_vectors import ImageVectors, describe_dataset
from kindred.scoring.training_pictures import (
    differing_bits,
    hash_bytes,
    read_vectors,
    same_layout,
    told_of_variants,
    training_pictures,
)
from kindred.specs.judge import JudgeSpec
from kindred.specs.scoring import ComparedVariant, CompareSpec, TrainedOn, VectorSpec
from kindred.specs.training import Selection

LETTERS = ["A", "C", "J"]
PHOTOS = ["J", "J", "J", "A", "A", "A", "C", "C", "C", "AJ"]
COMPOSITES = ["AJ", "CJ", "ACJ"]


@pytest.fixture(scope="module")
def oracle():
    return Oracle()


@pytest.fixture(scope="module")
def drawn(oracle):
    """Photos and composites by id: (picture, letters)."""
    photos = {f"{c}-{n:02d}": (oracle.draw(c, n), c) for n, c in enumerate(PHOTOS)}
    made = {f"made-{c}": (oracle.draw(c, 50 + n), c) for n, c in enumerate(COMPOSITES)}
    return photos, made


@pytest.fixture(scope="module")
def folders(drawn, oracle, tmp_path_factory):
    """resources/ with the photos, the photos with composites, and an album not trained on."""
    root, (photos, made) = tmp_path_factory.mktemp("resources"), drawn
    people = {name: _people(oracle, image) for name, (image, _) in made.items()}
    prepare(root / "ours", photos)
    prepare(root / "ours-composed", photos | made, people)
    others = {f"{c}-{n:02d}": (oracle.draw(c, 900 + n), c) for n, c in enumerate(PHOTOS)}
    prepare(root / "ours-held-out", others)
    return root


def _people(oracle, image):
    """(Letter, head) of everybody in a picture, from the left."""
    return [(letter, head) for head, letter in oracle.truth[pixel_hash(image)]]


@pytest.fixture(scope="module")
def known(folders, oracle):
    names = ("ours", "ours-composed", "ours-held-out")
    return {name: describe_dataset(oracle, name, folders / name) for name in names}


def compared(training, images):
    """The columns of pictures."""
    hashes = hash_bytes([difference_hash(image) for image in images])
    return [one.columns for one in training.comparisons(small_copies(images), hashes)]


def test_planted_copies_of_a_photo_and_of_a_composite_are_found(known, drawn, oracle):
    photos, made = drawn
    training = training_pictures([TrainedOn(dataset="ours-composed")], [], known, LETTERS)
    images = [photos["J-01"][0], made["made-CJ"][0], oracle.draw("CJ", 777)]
    photo, composite, fresh = compared(training, images)
    assert photo["nearest"] == "ours-composed/J-01"
    assert photo["nearest_distance"] == pytest.approx(0, abs=1e-3)
    assert composite["nearest_composite"] == "ours-composed/made-CJ"
    assert composite["nearest_composite_distance"] == pytest.approx(0, abs=1e-3)
    assert composite["nearest_distance"] > training.line
    assert (photo["nearest_bits"], composite["nearest_bits"]) == (0, 0)
    told = [(one["copied"], one["copied_by_bits"]) for one in (photo, composite, fresh)]
    assert told == [(True, True), (True, True), (False, False)]


def test_without_composites_a_copy_of_one_is_no_copy(known, drawn):
    photos, made = drawn
    training = training_pictures([TrainedOn(dataset="ours")], [], known, LETTERS)
    photo, composite = compared(training, [photos["J-01"][0], made["made-CJ"][0]])
    assert photo["copied"] and not composite["copied"]
    assert photo["nearest_composite"] == "" and photo["nearest_composite_distance"] is None
    assert training.told()["composites"] == 0


def test_only_what_a_selection_takes_was_trained_on(known, drawn):
    photos, made = drawn
    selection = Selection(cells=["J", "A+J"], kinds=["photo", "composed"])
    parts = [TrainedOn(dataset="ours-composed", selection=selection)]
    training = training_pictures(parts, [], known, LETTERS)
    images = [photos["J-01"][0], photos["C-07"][0], made["made-AJ"][0], made["made-CJ"][0]]
    assert [one["copied"] for one in compared(training, images)] == [True, False, True, False]
    told = training.told()
    assert (told["photos"], told["composites"], told["real_photos"]) == (4, 1, 10)
    # What the selection leaves out of the photos was not trained on.
    assert [row["cell"] for row in training.held_out.rows] == ["A"] * 3 + ["C"] * 3
    assert len(told["held_out"]) == 6
    other = training_pictures(parts, ["ours-held-out"], known, LETTERS)
    assert len(other.told()["held_out"]) == len(PHOTOS)


def test_a_photo_of_several_datasets_counts_once(known):
    parts = [TrainedOn(dataset="ours"), TrainedOn(dataset="ours-composed")]
    training = training_pictures(parts, [], known, LETTERS)
    told = training.told()
    assert (told["photos"], told["composites"], told["real_photos"]) == (10, 3, 10)
    assert training.line > 0.02 and told["held_out"] == []


def made_up(vectors, bits=None, made=None) -> dict[str, ImageVectors]:
    """Vectors of a dataset `ours`, each picture of its own pixels."""
    count = len(vectors)
    rows = [
        {
            "id": f"p{n}",
            "photo": f"p{n}",
            "cell": "J",
            "made": (made or [""] * count)[n],
            "pixels": f"{n}",
            "bits": (bits or ["0" * 32] * count)[n],
            "people": None,
        }
        for n in range(count)
    ]
    facts = {"dataset": "ours", "judge": "j", "distance": COPIES, "pictures": rows}
    return {"ours": ImageVectors(facts, np.asarray(vectors, float))}


def test_the_line_is_the_quantile_of_distances_to_the_nearest_other_photo():
    places = [0.0, 1.0, 3.0, 7.0, 15.0]
    known = made_up([[x] for x in places])
    training = training_pictures([TrainedOn(dataset="ours")], [], known, LETTERS)
    # Nearest others: 1, 1, 2, 4, 8; a hundredth of the way through four gaps.
    assert training.line == pytest.approx(np.quantile([1, 1, 2, 4, 8], 0.01)) == 1.0
    known = made_up([[x] for x in (0.0, 1.0, 3.0, 7.0, 7.5)])
    training = training_pictures([TrainedOn(dataset="ours")], [], known, LETTERS)
    # Sorted: .5, .5, 1, 1, 2.
    assert training.line == pytest.approx(0.5)
    known = made_up([[0.0], [2.0], [5.0], [11.0]], made=["", "", "", "composed"])
    training = training_pictures([TrainedOn(dataset="ours")], [], known, LETTERS)
    # 2, 2, 3 of the photos alone; 0.02 of the way from the first to the second.
    assert training.line == pytest.approx(2.0)
    nearest = training.distance(np.array([[10.0], [4.0]]))
    np.testing.assert_allclose(nearest, [1.0, 1.0])


def test_one_photo_has_no_line_and_nothing_is_called_a_copy():
    training = training_pictures([TrainedOn(dataset="ours")], [], made_up([[1.0]]), LETTERS)
    (one,) = training.comparisons(np.array([[1.0]]), hash_bytes(["0" * 32]))
    assert training.line is None and one.columns["copied"] is None
    assert one.columns["nearest"] == "ours/p0"


def test_nothing_trained_on_is_nothing_to_copy():
    training = training_pictures([], [], {}, LETTERS)
    (one,) = training.comparisons(np.zeros((1, 4)), hash_bytes(["f" * 32]))
    assert one.columns["nearest"] == one.columns["nearest_composite"] == ""
    assert {one.columns[key] for key in ("nearest_distance", "nearest_bits", "copied")} == {None}


def test_bits_by_hand():
    a = hash_bytes(["0" * 32, "f" * 32])
    b = hash_bytes(["0" * 31 + "7", "f" * 32])
    assert differing_bits(a, b).tolist() == [[3, 128], [125, 0]]


COMPOSITE = {
    "people": [
        {"letter": "J", "head": [0.1, 0.2, 0.3, 0.6]},
        {"letter": "", "head": [0.6, 0.2, 0.8, 0.6]},
    ]
}


@pytest.mark.parametrize(
    ("people", "same"),
    [
        ([("J", (20, 20, 60, 60)), ("", (120, 20, 160, 60))], True),
        ([("", (120, 20, 160, 60)), ("J", (20, 20, 60, 60))], True),  # in any order of finding
        ([("J", (29, 20, 69, 60)), ("", (120, 29, 160, 69))], True),  # 9 of 200 px
        ([("J", (31, 20, 71, 60)), ("", (120, 20, 160, 60))], False),  # 11 of 200 px
        ([("J", (20, 20, 60, 71)), ("", (120, 20, 160, 60))], False),
        ([("", (20, 20, 60, 60)), ("J", (120, 20, 160, 60))], False),
        ([("J", (20, 20, 60, 60))], False),
        ([], False),
    ],
)
def test_the_same_layout_is_the_same_order_and_heads_at_the_same_places(people, same):
    assert same_layout(COMPOSITE, (200, 100), people) is same


def test_a_layout_that_is_not_known_is_not_compared():
    assert same_layout(None, (200, 100), []) is None
    assert same_layout({"people": None}, (200, 100), []) is None
    unknown = {"people": [COMPOSITE["people"][0], {"letter": "A", "head": None}]}
    assert same_layout(unknown, (200, 100), [("J", (20, 20, 60, 60))]) is None


def test_composites_know_where_their_heads_are(known, drawn, oracle):
    image, _ = drawn[1]["made-ACJ"]
    row = next(r for r in known["ours-composed"].pictures if r["id"] == "made-ACJ")
    people = _people(oracle, image)
    assert [one["letter"] for one in row["people"]] == ["A", "C", "J"]
    assert same_layout(row, image.size, people) is True
    assert all(r["people"] is None for r in known["ours"].pictures)


def test_from_datasets_to_what_comparing_is_told(folders, oracle, known, tmp_path, monkeypatch):
    monkeypatch.setattr(kindred.judges, "open_judge", lambda spec, device: oracle)
    judge, files = JudgeSpec(kind="lab"), []
    for name in known:
        files.append(tmp_path / f"{name}.json")
        spec = VectorSpec(judge=judge, dataset=name).canonical()
        where = ["--resources", str(folders), "--out", str(files[-1]), "--device", "cpu"]
        assert program.main(["--spec", spec, *where]) == 0
    again = read_vectors(files)
    assert {name: one.facts for name, one in again.items()} == {
        name: one.facts for name, one in known.items()
    }
    variants = {
        "with": ComparedVariant(
            kind="trained",
            base="b",
            runs=[1],
            trained_on=[TrainedOn(dataset="ours-composed")],
            held_out=["ours-held-out"],
        ),
        "without": ComparedVariant(
            kind="trained", base="b", runs=[1], trained_on=[TrainedOn(dataset="ours")]
        ),
    }
    who = {letter: {"name": f"{letter}Russell", "class": "man"} for letter in LETTERS}
    spec = CompareSpec(
        experiment="e", judge=judge, characters=who, variants=variants, prompt_sets={}
    )
    told = told_of_variants(spec, files)
    assert [(one["composites"], len(one["held_out"])) for one in told.values()] == [(3, 10), (0, 0)]
    # Hardly any photo of the second album is taken for a copy.
    assert np.mean(np.array(told["with"]["held_out"]) < told["with"]["line"]) <= 0.2


def test_files_that_do_not_belong_together_are_refused(known, tmp_path):
    image_vectors.save(known["ours"], tmp_path / "ours.json")
    assert image_vectors.load(tmp_path / "ours.json").facts == known["ours"].facts
    image_vectors.save(known["ours-held-out"], tmp_path / "other.json")
    (tmp_path / "other.npy").replace(tmp_path / "ours.npy")
    with pytest.raises(KindredError, match=r"ours\.npy: does not belong to ours\.json"):
        image_vectors.load(tmp_path / "ours.json")
    (tmp_path / "ours.npy").write_bytes(b"none")
    with pytest.raises(KindredError, match=r"ours\.npy: can't be read"):
        image_vectors.load(tmp_path / "ours.json")
    facts = json.loads((tmp_path / "ours.json").read_text())
    (tmp_path / "ours.json").write_text(json.dumps(facts | {"version": 0}))
    with pytest.raises(KindredError, match="vectors of another version"):
        image_vectors.load(tmp_path / "ours.json")
    with pytest.raises(KindredError, match="the vectors of theirs are missing"):
        training_pictures([TrainedOn(dataset="theirs")], [], known, LETTERS)
    other = ImageVectors({**known["ours"].facts, "judge": "other"}, known["ours"].vectors)
    parts = [TrainedOn(dataset="ours")]
    with pytest.raises(KindredError, match="were made by different judges"):
        training_pictures(parts, ["ours-held-out"], {**known, "ours": other}, LETTERS)
