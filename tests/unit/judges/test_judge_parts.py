"""What a judge of photographs is put together from: geometry, bodies, OpenCV's engine, and vision
models of the real classes with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny_onnx
import tiny_vision
from PIL import Image, ImageDraw

from kindred.common.errors import KindredError, ProblemsError
from kindred.judges import open_judge
from kindred.judges.face_body_matching import Person, match_faces_to_people
from kindred.judges.face_geometry import Face, grown, overlap, strongest, turned, turned_back, unit
from kindred.judges.image_similarity import Similarity
from kindred.judges.person_detector import PersonDetector
from kindred.judges.photo_judge import PhotoJudge
from kindred.judges.prompt_adherence import Adherence
from kindred.specs.judge import JudgeSpec, PretrainedModel

EMBEDDING = unit([3, 4])


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    kinds = ("clip", "siglip", "dinov2", "yolos")
    return {kind: getattr(tiny_vision, kind)(folder / kind) for kind in kinds}


def pictures(count: int = 4) -> list[Image.Image]:
    """Noise of several sizes."""
    rng = np.random.default_rng(0)
    sizes = [(48, 64), (40, 40), (90, 50)]
    shapes = [(*sizes[i % len(sizes)], 3) for i in range(count)]
    return [Image.fromarray(rng.integers(0, 256, shape, np.uint8)) for shape in shapes]


@pytest.mark.parametrize("turns", range(4))
def test_boxes_turn_with_their_pictures(turns):
    pixels = np.zeros((30, 50))
    pixels[4:9, 20:42] = 1
    rows, columns = np.nonzero(np.rot90(pixels, turns))
    seen = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert turned((20, 4, 42, 9), turns, (50, 30)) == seen
    assert turned_back(seen, turns, (50, 30)) == (20, 4, 42, 9)


def test_boxes_of_other_sizes_can_be_the_same_face():
    assert overlap((0, 0, 10, 10), (2, 2, 6, 6)) == 1
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0
    assert overlap((0, 0, 10, 10), (5, 5, 5, 5)) == 0
    finds = [((20, 0, 30, 10), 0.5), ((0, 0, 10, 10), 0.7), ((1, 1, 9, 9), 0.9)]
    kept = strongest(finds, lambda f: f[0], lambda f: f[1])
    assert [score for _, score in kept] == [0.9, 0.5]


def test_a_grown_box_stays_inside_the_picture():
    assert grown((40, 40, 60, 60), 2, (100, 100)) == (30, 30, 70, 70)
    assert grown((0, 90, 20, 110), 2, (100, 100)) == (0, 80, 30, 100)


def test_a_vector_of_zeros_is_no_embedding():
    assert np.allclose(EMBEDDING, [0.6, 0.8])
    with pytest.raises(ValueError):
        unit([0, 0, 0])


def face(x: float, y: float, size: float = 10) -> Face:
    return Face((x, y, x + size, y + size), 0.5, EMBEDDING)


def test_each_body_gets_its_own_face():
    left, right = Person((0, 0, 50, 100), 0.9), Person((40, 0, 90, 100), 0.8)
    seen = match_faces_to_people([right, left], [face(60, 5), face(42, 5)])
    assert [(one.box, one.head) for one in seen] == [
        (left.box, (42, 5, 52, 15)),
        (right.box, (60, 5, 70, 15)),
    ]
    assert all(one.embedding is EMBEDDING for one in seen)


def test_a_child_in_front_keeps_the_lower_face():
    parent, child = Person((0, 0, 60, 100), 0.9), Person((10, 40, 50, 100), 0.9)
    seen = {
        one.box: one.head
        for one in match_faces_to_people([parent, child], [face(20, 45), face(25, 5)])
    }
    assert seen == {parent.box: (25, 5, 35, 15), child.box: (20, 45, 30, 55)}


def test_someone_from_behind_counts_but_can_not_be_read():
    away = Person((0, 0, 50, 100), 0.9)
    [seen] = match_faces_to_people([away], [])
    assert seen.embedding is None and seen.head == away.box


def test_a_face_without_a_body_counts_too():
    [seen] = match_faces_to_people([], [face(5, 5)])
    assert seen.head == seen.box == (5, 5, 15, 15)
    both = match_faces_to_people([Person((0, 0, 40, 90), 0.9)], [face(60, 5)])
    assert [one.embedding is None for one in both] == [True, False]
    assert match_faces_to_people([], []) == []


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_adherence_belongs_to_its_picture_and_prompt(models, kind):
    judge = Adherence.open(PretrainedModel(model=str(models[kind])))
    images, prompts = pictures(), ["a man", "the snow", "a man", "a red hat"]
    cosines = judge.cosines(images, prompts)
    assert all(-1 <= cosine <= 1 for cosine in cosines)
    assert len(set(np.round(cosines, 4))) == 4
    assert judge.cosines(images[::-1], prompts[::-1])[::-1] == pytest.approx(cosines, abs=1e-5)
    alone = [judge.cosines([i], [p])[0] for i, p in zip(images, prompts, strict=True)]
    assert alone == pytest.approx(cosines, abs=1e-4)
    assert judge.cosines([], []) == []
    with pytest.raises(ValueError):
        judge.cosines(images, prompts[:2])


def test_a_prompt_longer_than_the_model_reads_is_said_once(models, capsys):
    judge = PhotoJudge(
        _nobody(), adherence=Adherence.open(PretrainedModel(model=str(models["clip"])))
    )
    long = "a man and a woman and a girl in the snow at the beach"
    for _ in range(2):
        assert None not in judge.adherence(pictures(2), [long, "a man"])
    warnings = capsys.readouterr().err
    assert warnings.count("judges only the beginning of 'a man and a woman") == 1
    assert "'a man'" not in warnings


def test_likeness_of_whole_pictures(models):
    judge = Similarity.open(PretrainedModel(model=str(models["dinov2"])))
    images = pictures()
    vectors = judge.vectors([*images, images[1].copy()])
    assert vectors.shape == (5, 16)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert vectors[4] @ vectors[1] == pytest.approx(1, abs=1e-5)
    assert vectors[0] @ vectors[1] < 0.999
    assert judge.vectors([]).shape == (0, 16)


def test_a_persons_box_is_in_pixels_of_the_picture(models):
    finder = PersonDetector.open(PretrainedModel(model=str(models["yolos"])))
    [person] = finder.find(Image.new("RGB", (200, 80)))
    assert person.box == pytest.approx((20, 8, 80, 72), abs=0.01)
    assert person.score > 0.99


def test_other_things_are_not_people(tmp_path):
    finder = PersonDetector.open(
        PretrainedModel(model=str(tiny_vision.yolos(tmp_path, ("dog", "person"))))
    )
    assert finder.find(Image.new("RGB", (200, 80))) == []


def test_a_detector_without_people_is_refused(tmp_path):
    path = tiny_vision.yolos(tmp_path, ("dog", "kite"))
    with pytest.raises(KindredError, match="does not know 'person', only dog and kite"):
        PersonDetector.open(PretrainedModel(model=str(path)))


def _nobody():
    """An engine that finds no face."""

    class Nobody:
        identity, calibration = "nobody@1", None

        @staticmethod
        def faces(_image: Image.Image) -> list[Face]:
            return []

    return Nobody()


def test_without_extra_models_a_judge_says_that_it_can_not_tell():
    judge = PhotoJudge(_nobody())
    assert judge.adherence(pictures(2), ["a", "b"]) == [None, None]
    assert judge.whole(pictures(2)) is None
    assert judge.counts == "faces" and judge.identity == "nobody@1"


def test_all_parts_together(models):
    spec = JudgeSpec(
        kind="photo",
        detectors=["hog"],
        person_detector=PretrainedModel(model=str(models["yolos"])),
        adherence=PretrainedModel(model=str(models["siglip"])),
        similarity=PretrainedModel(model=str(models["dinov2"])),
    )
    judge = open_judge(spec)
    assert judge.counts == "people"
    assert [len(people) for people in judge.find(pictures(3))] == [1, 1, 1]
    assert judge.whole(pictures(3)).shape == (3, 16)
    assert all(isinstance(x, float) for x in judge.adherence(pictures(2), ["a man", "a hat"]))
    for name in ("people=", "adherence=", "similarity=", str(models["siglip"])):
        assert name in judge.identity


def test_another_model_is_another_identity(models, tmp_path):
    model = PretrainedModel(model=str(models["dinov2"]))
    before = Similarity.open(model).identity
    settings = models["dinov2"] / "preprocessor_config.json"
    text = settings.read_text()
    settings.write_text(json.dumps({**json.loads(text), "do_center_crop": False}))
    try:
        assert Similarity.open(model).identity != before
    finally:
        settings.write_text(text)


def test_a_model_of_another_kind_is_refused(models):
    with pytest.raises(KindredError, match=r"adherence.*'dinov2' model.*clip"):
        Adherence.open(PretrainedModel(model=str(models["dinov2"])))


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KindredError, match="similarity: 'nobody/nothing' can't be loaded"):
        Similarity.open(PretrainedModel(model="nobody/nothing", revision="1234"))
    with pytest.raises(KindredError, match="can't be loaded"):
        Similarity.open(PretrainedModel(model=str(tmp_path)))


def test_damaged_and_incomplete_weights_are_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    weights = tiny_vision.dinov2(tmp_path) / "model.safetensors"
    tensors = load_file(weights)
    tensors.pop("layernorm.weight")
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(KindredError, match=r"lacks 1 weight, e\.g\. layernorm\.weight"):
        Similarity.open(PretrainedModel(model=str(tmp_path)))
    weights.write_bytes(weights.read_bytes()[:2000])
    with pytest.raises(KindredError, match=r"similarity.*can't be loaded"):
        Similarity.open(PretrainedModel(model=str(tmp_path)))


@pytest.fixture(scope="module")
def opencv_files(tmp_path_factory) -> dict[str, str]:
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    folder = tmp_path_factory.mktemp("onnx")
    return {
        "detector": str(tiny_onnx.detector(folder / "detector.onnx")),
        "recogniser": str(tiny_onnx.descriptor(folder / "recogniser.onnx")),
    }


def squares(size: tuple[int, int], *cells: tuple[int, int], factor: int = 1) -> Image.Image:
    """Black, with a white square in each of the cells: a face to the tiny detector."""
    image, side = Image.new("RGB", size), tiny_onnx.CELL * factor
    for column, row in cells:
        box = (column * side, row * side, (column + 1) * side - 1, (row + 1) * side - 1)
        ImageDraw.Draw(image).rectangle(box, fill="white")
    return image


@pytest.mark.parametrize("size", [(320, 320), (300, 200), (1024, 768)])
def test_opencvs_faces_at_any_size(opencv_files, size):
    judge = open_judge(JudgeSpec(kind="yunet-sface", files=opencv_files))
    [[left, right], nobody] = judge.find([squares(size, (6, 3), (2, 1)), Image.new("RGB", size)])
    assert left.head == pytest.approx((64, 32, 96, 64), abs=0.5)
    assert right.head == pytest.approx((192, 96, 224, 128), abs=0.5)
    assert np.linalg.norm(left.embedding) == pytest.approx(1, abs=1e-5)
    assert nobody == []


def test_opencvs_boxes_are_in_pixels_of_a_large_picture(opencv_files):
    judge = open_judge(JudgeSpec(kind="yunet-sface", files=opencv_files))
    [[seen]] = judge.find([squares((2560, 1280), (3, 2), factor=2)])
    assert seen.head == pytest.approx((192, 128, 256, 192), abs=1)


def test_opencvs_missing_and_unreadable_files(opencv_files, tmp_path):
    with pytest.raises(ProblemsError) as caught:
        open_judge(JudgeSpec(kind="yunet-sface", files={"detector": str(tmp_path / "gone.onnx")}))
    assert "gone.onnx" in str(caught.value) and "files.recogniser: no file is named" in str(
        caught.value
    )
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"no model")
    with pytest.raises(KindredError, match=r"junk\.onnx.*OpenCV.*can't read"):
        open_judge(JudgeSpec(kind="yunet-sface", files={**opencv_files, "detector": str(junk)}))
    with pytest.raises(ProblemsError, match=r"SHA-256.*expected 0000"):
        open_judge(JudgeSpec(kind="yunet-sface", files=opencv_files, sha256={"detector": "0" * 64}))


def test_insightfaces_faces(tmp_path):
    pytest.importorskip("insightface", reason="insightface is not installed")
    tiny_onnx.scrfd(tmp_path / "detector.onnx")
    recogniser = tiny_onnx.descriptor(tmp_path / "recogniser.onnx")
    spec = JudgeSpec(kind="insightface", model=str(tmp_path))
    size = (tiny_onnx.SIDE, tiny_onnx.SIDE)
    [[left, right], nobody] = open_judge(spec).find(
        [squares(size, (6, 3), (2, 1)), Image.new("RGB", size)]
    )
    assert left.head == pytest.approx((64, 32, 96, 64), abs=0.5)
    assert right.head == pytest.approx((192, 96, 224, 128), abs=0.5)
    assert np.linalg.norm(left.embedding) == pytest.approx(1, abs=1e-5)
    assert nobody == []
    recogniser.unlink()
    with pytest.raises(KindredError, match="no insightface model for recognition"):
        open_judge(spec)
