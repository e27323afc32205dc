"""People found by a segmentation model or a judge: outlines, and who is who."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_vision
from PIL import Image

from kindred.common.errors import KindredError
from kindred.data import person_masks, person_segmentation
from kindred.data.segmentation_model import Segmenter
from kindred.judges.interface import DetectedPerson
from kindred.specs.character import Character
from kindred.specs.judge import PretrainedModel

CHARACTERS = {
    "J": Character(**{"name": "JRussell", "class": "man"}),
    "C": Character(**{"name": "CRussell", "class": "child"}),
}
LEFT, RIGHT = np.array([1.0, 0.0]), np.array([0.0, 1.0])


class Judge:
    """Sees two people at the same places in every picture, with the faces it is told."""

    def __init__(self, *faces):
        self.faces = faces

    def find(self, images):
        boxes = [(4.0, 8.0, 20.0, 48.0), (34.0, 8.0, 60.0, 48.0)]
        people = zip(boxes, self.faces, strict=False)
        return [[DetectedPerson(box, (*box[:3], 20.0), 0.9, face) for box, face in people]] * len(
            images
        )


@pytest.fixture
def photos(tmp_path):
    for name in ("a", "b"):
        Image.new("RGB", (64, 48), "white").save(tmp_path / f"{name}.png")
    return tmp_path


def found(photos, find, **captions):
    texts = {f"{name}.png": text for name, text in captions.items()}
    return person_segmentation.from_finder(find, photos, texts, CHARACTERS, photos / "store")


def test_boxes_of_a_judge_are_outlines_and_captions_say_who(photos):
    find = person_segmentation.boxes_of(Judge(LEFT, RIGHT))
    masked = found(photos, find, a="CRussell on the left and JRussell on the right")["a.png"]
    assert [person.letter for person in masked.people] == ["C", "J"]
    mask = masked.indices()
    assert set(np.unique(mask)) == {0, 1, 2}
    assert (mask[:, :20] != 2).all() and (mask[:, 34:] != 1).all() and mask[40, 12] == 1
    assert mask[8, 4] == 0 and mask[47, 4] == 1  # shoulders are round, the lower edge is not


def test_faces_known_from_other_photos_say_who_else(photos, capsys):
    find = person_segmentation.boxes_of(Judge(LEFT, RIGHT))
    pair = "CRussell on the left and JRussell on the right"
    masked = found(photos, find, a=pair, b="JRussell and CRussell")
    assert [person.letter for person in masked["b.png"].people] == ["C", "J"]
    assert "warning" not in capsys.readouterr().err


def test_people_nobody_can_tell_apart_stay_unknown(photos, capsys):
    masked = found(
        photos, person_segmentation.boxes_of(Judge(None, None)), a="JRussell and CRussell"
    )
    assert [person.letter for person in masked["a.png"].people] == ["", ""]
    assert "a.png: can't tell who is who" in capsys.readouterr().err


def test_a_photo_of_nobody_has_an_empty_mask(photos):
    masked = found(photos, person_segmentation.boxes_of(Judge()), a="JRussell")["a.png"]
    assert masked.people == () and masked.indices().shape == (48, 64)
    assert not masked.indices().any()


def test_large_photos_are_scaled_down_and_bad_ones_named(tmp_path):
    Image.new("RGB", (4100, 1000), "red").save(tmp_path / "wide.jpg")
    assert person_segmentation.upright(tmp_path / "wide.jpg").size == (2048, 500)
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    with pytest.raises(KindredError, match=r"bad\.jpg"):
        person_segmentation.upright(tmp_path / "bad.jpg")


def test_heads_of_a_judge_go_to_the_outlines_that_hold_them(photos):
    left = np.zeros((48, 64), bool)
    left[:, :30] = True
    find = person_segmentation.with_faces(
        lambda _: [person_segmentation.SegmentedPerson(left)], Judge(LEFT, RIGHT)
    )
    (person,) = find(Image.new("RGB", (64, 48)))
    assert person.head == (4.0, 8.0, 20.0, 20.0) and person.face is LEFT


def test_a_segmentation_model_of_the_real_class_gives_outlines(tmp_path):
    segmenter = Segmenter.open(PretrainedModel(model=str(tiny_vision.detr(tmp_path / "detr"))))
    people = segmenter.find(Image.new("RGB", (64, 48), "white"))
    assert people and all(person.outline.shape == (48, 64) for person in people)
    assert sum(person.outline.mean() for person in people) > 0.5
    assert segmenter.find(Image.new("RGB", (48, 64), "white"))[0].outline.shape == (64, 48)


def test_other_labels_are_no_people(tmp_path):
    folder = tiny_vision.detr(tmp_path / "detr", labels=("dog", "person"))
    segmenter = Segmenter.open(PretrainedModel(model=str(folder)))
    assert segmenter.find(Image.new("RGB", (64, 48), "white")) == []
    folder = tiny_vision.detr(tmp_path / "dogs", labels=("dog", "cat"))
    with pytest.raises(KindredError, match="does not know 'person', only cat and dog"):
        Segmenter.open(PretrainedModel(model=str(folder)))


def test_a_missing_model_is_said(tmp_path):
    with pytest.raises(KindredError, match=r"segmenter: .* can't be loaded"):
        Segmenter.open(PretrainedModel(model=str(tmp_path / "none")))


def test_masks_of_one_content_are_kept_once(tmp_path):
    one = person_masks.store_mask(np.eye(4, dtype=np.uint8), tmp_path)
    assert person_masks.store_mask(np.eye(4, dtype=np.uint8), tmp_path) == one
    assert len(list(tmp_path.iterdir())) == 1
