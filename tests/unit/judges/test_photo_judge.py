"""The judge of photographs on real ones: the astronaut Eileen Collins (scikit-image), the admiral
Grace Hopper (matplotlib), a photographer in profile, and pictures of nobody."""

from __future__ import annotations

import io
import shutil
import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from kindred.common.errors import KindredError, ProblemsError
from kindred.data.dataset_photos import DatasetPhoto
from kindred.judges import open_judge
from kindred.judges.interface import DetectedPerson
from kindred.judges.model_files import Part, locate, package_folder
from kindred.judges.photo_judge import PhotoJudge
from kindred.rendering.manifest import Manifest, Row
from kindred.scoring.references import build_references
from kindred.scoring.score_images import VariantRun, score_images
from kindred.scoring.training_pictures import training_pictures
from kindred.specs.character import Character
from kindred.specs.judge import JudgeSpec
from kindred.specs.scoring import ReferenceSpec, ScoreSpec

SAMPLES = {
    "astronaut": ("skimage", "data/astronaut.png"),
    "camera": ("skimage", "data/camera.png"),
    "hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    **{name: ("skimage", f"data/{name}") for name in ("chelsea.png", "coffee.png", "rocket.jpg")},
    **{name: ("skimage", f"data/{name}") for name in ("brick.png", "hubble_deep_field.jpg")},
}


def photo(name: str) -> Image.Image:
    package, file = SAMPLES[name]
    path = package_folder(package, "pip install -r envs/requirements-dev.txt") / file
    with Image.open(path) as image:
        return image.convert("RGB")


@pytest.fixture(scope="module")
def quick():
    return open_judge(JudgeSpec(kind="photo", detectors=["hog"]))


@pytest.fixture(scope="module")
def thorough():
    return open_judge(JudgeSpec(kind="photo", detectors=["cnn", "hog"]))


@pytest.fixture(scope="module")
def collins(quick) -> np.ndarray:
    """The astronaut's embedding."""
    return quick.find([photo("astronaut")])[0][0].embedding


def recompressed(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def side_by_side(*images: Image.Image) -> Image.Image:
    out = Image.new("RGB", (sum(i.width for i in images), max(i.height for i in images)), "white")
    left = 0
    for image in images:
        out.paste(image, (left, 0))
        left += image.width
    return out


CHANGES = {
    "turned left": lambda i: i.rotate(15, Image.Resampling.BICUBIC),
    "turned right": lambda i: i.rotate(-15, Image.Resampling.BICUBIC),
    "on her side": lambda i: i.rotate(90, expand=True),
    "on her head": lambda i: i.rotate(180),
    "on her other side": lambda i: i.rotate(270, expand=True),
    "half": lambda i: i.resize((256, 256)),
    "a quarter": lambda i: i.resize((128, 128)),
    "double": lambda i: i.resize((1024, 1024)),
    "recompressed": lambda i: recompressed(i, 30),
    "badly recompressed": lambda i: recompressed(i, 10),
    "mirrored": ImageOps.mirror,
    "grey": lambda i: i.convert("L"),
    "dark": lambda i: i.point(lambda value: value // 3),
}


def test_a_face_is_found_where_it_is(quick, collins):
    [[seen]] = quick.find([photo("astronaut")])
    x0, y0, x1, y1 = seen.head
    eyes_and_nose = [(195, 101), (255, 104), (224, 135)]
    assert all(x0 < x < x1 and y0 < y < y1 for x, y in eyes_and_nose)
    assert x1 - x0 < 130
    assert np.linalg.norm(seen.embedding) == pytest.approx(1, abs=1e-5)
    assert seen.attributes == {}
    assert quick.counts == "faces"
    assert not quick.gates.measured


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_photo_still_shows_the_same_person(quick, collins, change):
    [people] = quick.find([CHANGES[change](photo("astronaut"))])
    assert len(people) == 1
    assert people[0].embedding @ collins > 0.95


def test_a_lying_head_gets_its_box_in_the_picture_as_it_is(quick):
    upright = photo("astronaut")
    [[as_is], [lying]] = quick.find([upright, upright.rotate(90, expand=True)])
    x0, y0, x1, y1 = as_is.head
    assert lying.head == pytest.approx((y0, 512 - x1, y1, 512 - x0), abs=4)


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_face_says_how_its_picture_becomes_upright(quick, turns):
    lying = photo("astronaut").rotate(-90 * turns, expand=True)
    assert [face.turns for face in quick.engine.faces(lying)] == [turns]


def test_two_people_in_one_picture_are_told_apart(quick, collins):
    hopper = photo("hopper")
    [[woman, admiral], [alone]] = quick.find([side_by_side(photo("astronaut"), hopper), hopper])
    assert woman.embedding @ collins > 0.98
    assert admiral.embedding @ alone.embedding > 0.98
    assert max(admiral.embedding @ collins, alone.embedding @ collins) < 0.9


def test_the_same_person_twice_is_found_twice(quick, collins):
    astronaut = photo("astronaut")
    [people] = quick.find([side_by_side(astronaut, ImageOps.mirror(astronaut))])
    assert [person.embedding @ collins > 0.95 for person in people] == [True, True]
    assert people[0].head[2] < 512 < people[1].head[0]


@pytest.mark.parametrize("name", ["chelsea.png", "coffee.png", "rocket.jpg", "brick.png"])
def test_where_nobody_is_nobody_is_found(quick, name):
    assert quick.find([photo(name)]) == [[]]


@pytest.mark.parametrize("size", [(1, 1), (9, 400), (64, 64)])
def test_tiny_and_narrow_pictures_do_no_harm(quick, size):
    assert quick.find([Image.new("RGBA", size, "pink")]) == [[]]


@pytest.mark.long
def test_the_second_detector_finds_faces_in_profile_too(quick, thorough, collins):
    tilted = photo("astronaut").rotate(45, Image.Resampling.BICUBIC)
    pictures = [photo("camera"), tilted, photo("chelsea.png")]
    assert quick.find(pictures[:1]) == [[]]
    [[profile], [seen], nobody] = thorough.find(pictures)
    assert profile.embedding @ collins < 0.9
    assert seen.embedding @ collins > 0.95
    assert nobody == []


@pytest.mark.long
def test_both_detectors_find_one_face_once(thorough, collins):
    [[seen]] = thorough.find([photo("astronaut")])
    assert seen.embedding @ collins > 0.999


def test_answers_are_the_same_every_time(quick, collins):
    [[again]] = quick.find([photo("astronaut")])
    assert (again.embedding == collins).all()


def test_cosines_mean_what_dlibs_distances_mean(quick):
    import dlib

    from kindred.judges.dlib_faces import SAME_PERSON, as_cosine

    def descriptor(image: Image.Image) -> np.ndarray:
        """Before it is brought to unit length."""
        engine, pixels = quick.engine, np.ascontiguousarray(image.convert("RGB"))
        [found] = engine.faces(image)
        rectangle = dlib.rectangle(*(round(edge) for edge in found.box))
        points = engine.landmarks(pixels, rectangle)
        return np.array(engine.recogniser.compute_face_descriptor(pixels, points))

    one, other = photo("astronaut"), photo("hopper")
    first, again, stranger = map(descriptor, (one, recompressed(one, 10), other))
    near, far = np.linalg.norm(again - first), np.linalg.norm(stranger - first)
    assert near < SAME_PERSON < far
    for vector, distance in ((again, near), (stranger, far)):
        cosine = vector @ first / np.linalg.norm(vector) / np.linalg.norm(first)
        assert cosine == pytest.approx(as_cosine(distance), abs=0.015)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory) -> list[DatasetPhoto]:
    """Four photos of each woman, as they might be taken in other light or with another camera, and
    one in which no face is seen."""
    folder = tmp_path_factory.mktemp("photos")
    changes = ["turned left", "badly recompressed", "mirrored", "half"]
    photos = []
    for letter, name in (("E", "astronaut"), ("G", "hopper")):
        for change in changes:
            path = folder / f"{letter}-{change}.png"
            CHANGES[change](photo(name)).save(path)
            photos.append(DatasetPhoto(path.stem, path, frozenset({letter})))
    away = folder / "E-away.png"
    photo("chelsea.png").save(away)
    return [*photos, DatasetPhoto("E-away", away, frozenset({"E"}))]


@pytest.mark.long
def test_from_reference_photos_to_scores(quick, gallery, tmp_path):
    who = {
        "E": Character(name="ECollins", noun="woman"),
        "G": Character(name="GHopper", noun="woman"),
    }
    told = {"judge": JudgeSpec(kind="photo", detectors=["hog"]), "characters": who}
    known = build_references(quick, {"women": gallery}, ReferenceSpec(datasets=["women"], **told))
    assert {letter: len(faces) for letter, faces in known.faces.items()} == {"E": 4, "G": 4}
    assert "E-away" in known.facts["characters"]["E"]["warning"]
    astronaut, hopper = photo("astronaut"), photo("hopper")
    drawn = {
        "both": ("ECollins and GHopper in space", side_by_side(hopper, astronaut)),
        "twin": ("ECollins and GHopper in space", side_by_side(astronaut, astronaut)),
        "other": ("headshot of GHopper", astronaut),
        "nobody": ("headshot of GHopper", photo("chelsea.png")),
    }
    rows = []
    for name, (prompt, image) in drawn.items():
        path = tmp_path / f"{name}.png"
        image.save(path)
        rows.append(Row(name, prompt, 1, *image.size, name, path))
    manifest = Manifest(tmp_path / "m.json", "set", {}, [], rows)
    nothing = training_pictures([], [], {}, [])
    told = ScoreSpec(**told), VariantRun("v", 0)
    scored = score_images(quick, known, nothing, manifest, None, *told)
    of = {row["prompt"]: row for row in scored if row["kind"] == "image"}
    both, twin, other, nobody = (of[name] for name in drawn)
    assert (both["count"], both["success"], both["missing"], both["strangers"]) == (1, 1, "", 0)
    assert both["identity"] > 0.8
    assert (twin["count"], twin["success"]) == (1, 0)
    assert (twin["missing"], twin["duplicated"]) == ("G", "E")
    assert (other["count"], other["success"], other["unasked"]) == (1, 0, "E")
    assert other["identity"] < 0.5
    assert (nobody["people_found"], nobody["missing"], nobody["identity"]) == (0, "G", 0)


def test_what_changes_answers_changes_the_identity(quick, thorough, tmp_path):
    other = tmp_path / "landmarks.dat"
    folder = package_folder("face_recognition_models") / "models"
    shutil.copy(folder / "shape_predictor_5_face_landmarks.dat", other)
    same = open_judge(
        JudgeSpec(kind="photo", detectors=["hog"], files={"landmarks": str(other)})
    ).identity
    assert quick.identity != thorough.identity
    assert quick.identity == same and "dlib-hog@" in same


def test_every_missing_or_wrong_model_file_is_named_at_once(tmp_path):
    damaged = tmp_path / "landmarks.dat"
    damaged.write_bytes(b"half a file")
    spec = JudgeSpec(
        kind="photo",
        detectors=["hog"],
        files={"landmarks": str(damaged), "recogniser": str(tmp_path / "gone.dat")},
        sha256={"landmarks": "C4B1" + "0" * 60, "landmark": "0" * 64},
    )
    with pytest.raises(ProblemsError) as caught:
        open_judge(spec)
    message = str(caught.value)
    assert "landmarks.dat" in message and "expected c4b1" in message
    assert "gone.dat: the judge's recogniser is missing" in message
    assert "Did you mean 'landmarks'" in message
    assert len(caught.value.problems) == 3


def test_a_damaged_package_is_noticed_before_it_is_read(tmp_path):
    from kindred.judges.dlib_faces import PARTS

    for part in PARTS.values():
        (tmp_path / part.file).write_bytes(b"something else")
    with pytest.raises(ProblemsError) as caught:
        locate(PARTS, dict.fromkeys(PARTS, tmp_path), {}, {})
    assert len(caught.value.problems) == 3
    assert "requirements-photo.txt" in str(caught.value)


def test_a_file_that_the_user_names_may_be_another_version(tmp_path):
    own = tmp_path / "own.dat"
    own.write_bytes(b"my own")
    parts = {"detector": Part("theirs.dat", sha256="0" * 64)}
    assert locate(parts, {}, {"detector": str(own)}, {}) == {"detector": own}


def test_missing_packages_are_named_with_the_cure(monkeypatch):
    with pytest.raises(KindredError, match=r"'no_such_package'.*requirements-photo\.txt"):
        package_folder("no_such_package")
    monkeypatch.delitem(sys.modules, "kindred.judges.dlib_faces", raising=False)
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(KindredError, match=r"dlib-bin.*requirements-photo\.txt"):
        open_judge(JudgeSpec(kind="photo", detectors=["cnn", "hog"]))


def test_the_weights_are_found_without_setuptools(monkeypatch):
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    monkeypatch.delitem(sys.modules, "face_recognition_models", raising=False)
    open_judge(JudgeSpec(kind="photo", detectors=["hog"]))
    assert "face_recognition_models" not in sys.modules


def test_only_the_five_point_landmarks_are_used():
    from kindred.judges.dlib_faces import PARTS

    assert not any("68" in part.file for part in PARTS.values())


def test_insightface_says_what_it_needs():
    with pytest.raises(KindredError, match=r"insightface.*(licence|folder)"):
        open_judge(JudgeSpec(kind="insightface", model="no/such/pack"))


class _Words:
    """Stands for the model of pictures and words: how red or blue a picture is."""

    identity = "words"

    def cosines(self, images, prompts):
        channels = {"red": 0, "blue": 2}
        return [
            float(np.asarray(image)[..., channels[prompt.split()[-2]]].mean()) / 255
            for image, prompt in zip(images, prompts, strict=True)
        ]


def _dressed() -> tuple[Image.Image, list[DetectedPerson]]:
    """Two people below whose chins a picture is red and blue; of a third the face alone is seen."""
    image = Image.new("RGB", (90, 60), "green")
    image.paste("red", (0, 20, 30, 60))
    image.paste("blue", (30, 20, 60, 60))
    boxes = [((0, 0, 30, 60), (5, 0, 25, 20)), ((30, 0, 60, 60), (35, 0, 55, 20))]
    boxes += [((65, 0, 85, 20), (65, 0, 85, 20))]
    return image, [DetectedPerson(box, head, 0.9, None) for box, head in boxes]


def test_garments_are_read_below_the_chin(quick):
    image, people = _dressed()
    asked = ["blue coat", "red coat"]
    told = PhotoJudge(quick.engine, adherence=_Words()).wears([image], [people], [asked])
    assert told == [["red coat", "blue coat", ""]]


def test_without_a_model_for_words_no_garment_is_read(quick):
    image, people = _dressed()
    assert quick.wears([image], [people], [["red coat"]]) == [["", "", ""]]
