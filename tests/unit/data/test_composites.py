"""Pictures made of photos: people cut out, set side by side and cropped out, and their captions."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

import caption
import make_composites
import preprocess
import segment_people as masks_program
from kindred.characters import person_labels
from kindred.common.errors import ProblemsError
from kindred.common.files import read_json, read_jsonl
from kindred.data import person_masks
from kindred.data.composites import captions, compositing
from kindred.data.composites.cutouts import cut_out, without
from kindred.specs.character import Character
from kindred.world.albums import truth_path, write_dataset

WHO = {
    "J": {"name": "JRussell", "class": "man", "age": "adult"},
    "A": {"name": "ARussell", "class": "woman", "age": "adult"},
    "C": {"name": "CRussell", "class": "child", "age": "child"},
}
CHARACTERS = {letter: Character(**one) for letter, one in WHO.items()}
BUCKETS = {"buckets": [[128, 144], [144, 128], [192, 96]], "min_side": 64}


@pytest.fixture(scope="module")
def album(tmp_path_factory) -> Path:
    """A drawn album with prepared photos, captions and masks."""
    root = tmp_path_factory.mktemp("album")
    write_dataset(root / "photos", "russell", {"J": 3, "A": 3, "C": 3, "CJ": 2}, seed=1, scale=2)
    prepared(root)
    where = ["--source", str(root / "photos"), *files(root), "--store", str(root / "store")]
    spec = json.dumps({"characters": WHO})
    truth = ["--truth", str(truth_path(root / "photos"))]
    masks_program.main(["--spec", spec, *where, *truth, "--out", str(root / "masks.json")])
    return root


def files(root: Path) -> list[str]:
    return ["--images", str(root / "images.json"), "--captions", str(root / "captions.jsonl")]


def prepared(root: Path, *made: str) -> None:
    source = ["--source", str(root / "photos"), "--images-dir", str(root / "images")]
    images = str(root / "images.json")
    preprocess.main(["--spec", json.dumps(BUCKETS), *source, "--out", images, *made])
    out = ["--images", images, "--out", str(root / "captions.jsonl")]
    caption.main(["--spec", json.dumps({"characters": WHO}), *source, *out])


def make(album: Path, out: Path, *options: str, **asked) -> dict:
    """Run make_composites.py; made.json."""
    spec = {"characters": WHO, "preprocess": {"buckets": BUCKETS["buckets"]}, **asked}
    where = ["--source", str(album / "photos"), *files(album), "--store", str(album / "store")]
    made = ["--photos", str(out / "photos"), "--made", str(out / "made.json")]
    made += ["--masks", str(album / "masks.json"), "--masks-out", str(out / "masks.json")]
    assert make_composites.main(["--spec", json.dumps(spec), *where, *made, *options]) == 0
    return read_json(out / "made.json")


def test_composites_show_whom_their_captions_name_where_they_say(album, tmp_path):
    made = make(album, tmp_path, compose={"cells": ["A+J", "A+C+J"], "per_cell": 3})
    prepared(tmp_path, "--made", str(tmp_path / "made.json"))
    rows = {row["id"]: row for row in read_jsonl(tmp_path / "captions.jsonl")}
    known = person_masks.read(tmp_path / "masks.json")
    names = [name for name, row in made.items() if row.get("kind") == "composed"]
    assert len(names) == 6 and len(rows) == 6 + 11
    for name in names:
        row = rows[Path(name).parent.name + "-" + Path(name).stem]
        assert row["made"] == "composed" and "+".join(row["characters"]) == made[name]["cell"]
        letters = [person.letter for person in known[name].people]
        # Every second caption names them in any order and does not say who stands where.
        told = int(name[-6:-4]) % 2 == 1
        assert person_labels.order_said(row["caption"], CHARACTERS) == (letters if told else None)
        mask = known[name].indices()
        with Image.open(tmp_path / "photos" / name) as image:
            assert mask.shape == (image.height, image.width)
        middles = [np.flatnonzero((mask == k + 1).any(0)).mean() for k in range(len(letters))]
        assert middles == sorted(middles)
        for index, person in enumerate(known[name].people):
            x0, y0, x1, y1 = map(round, person.head)
            assert y0 >= 0 and y1 <= mask.shape[0]
            assert (mask[y0:y1, max(0, x0) : x1] == index + 1).mean() > 0.5
    unmade = [row for row in rows.values() if "made" not in row]
    assert len(unmade) == 11


def test_more_composites_leave_the_first_as_they_are_and_another_seed_does_not(album, tmp_path):
    few = make(album, tmp_path / "few", compose={"cells": ["A+J"], "per_cell": 1})
    more = make(album, tmp_path / "more", compose={"cells": ["A+J"], "per_cell": 2})
    other = make(album, tmp_path / "other", compose={"cells": ["A+J"], "per_cell": 1, "seed": 1})
    name = "composed/A+J-01.png"
    assert few[name] == more[name] and set(more) - set(few) == {"composed/A+J-02.png"}
    assert few[name]["sha256"] != other[name]["sha256"]


@pytest.mark.parametrize("background", ["any", "plain"])
def test_workers_do_not_change_what_is_made(album, tmp_path, background):
    asked = {"cells": ["A+J", "C"], "per_cell": 3, "background": background, "canvas": "any"}
    for workers in ("1", "3"):
        out = tmp_path / workers
        make(album, out, "--workers", workers, compose=asked, crop="solos")
    for name in ("made.json", "masks.json", "photos/captions.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()


def test_a_mistake_while_drawing_leaves_the_old_folder(album, tmp_path, monkeypatch):
    make(album, tmp_path, crop="solos")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    monkeypatch.setattr(compositing, "composite_people", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make(album, tmp_path, compose={"cells": ["A+J"]})
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_plain_backgrounds_say_so(album, tmp_path):
    make(album, tmp_path, compose={"cells": ["A+J"], "per_cell": 1, "background": "plain"})
    text = (tmp_path / "photos/captions.csv").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("composed"))
    assert line.strip('"').endswith("in front of a plain wall")
    with Image.open(tmp_path / "photos/composed/A+J-01.png") as image:
        top = np.asarray(image)[0]
        assert (top == top[0]).all(1).mean() > 0.5


def test_any_background_is_every_photos_in_turn_with_its_place(album, tmp_path):
    places = [captions.place(row["caption"]) for row in read_jsonl(album / "captions.jsonl")]
    places = [place for place in places if place]
    rounds = {"cells": ["A+C+J"], "per_cell": 2 * len(places), "background": "any"}
    made = make(album, tmp_path, compose=rounds)
    prepared(tmp_path, "--made", str(tmp_path / "made.json"))
    rows = read_jsonl(tmp_path / "captions.jsonl")
    said = [row["caption"] for row in rows if "made" in row]
    found = {place: sum(caption.endswith(f" {place}") for caption in said) for place in places}
    assert found == {place: 2 * places.count(place) for place in places} and len(found) > 3
    shown = {source for row in made.values() if row.get("kind") for source in row["of"]}
    assert len(shown) >= len(places)


def test_somebody_alone_stands_at_other_places(album, tmp_path):
    made = make(album, tmp_path, compose={"cells": {"A": 6, "A+J": 1}, "background": "any"})
    assert sum(row.get("cell") == "A+J" for row in made.values()) == 1
    prepared(tmp_path, "--made", str(tmp_path / "made.json"))
    rows = [row for row in read_jsonl(tmp_path / "captions.jsonl") if "made" in row]
    rows = [row for row in rows if row["characters"] == ["A"]]
    assert len(rows) == 6
    assert len({captions.place(row["caption"]) for row in rows} - {""}) > 2
    for name in (name for name, row in made.items() if row.get("cell") == "A"):
        with Image.open(tmp_path / "photos" / name) as image:
            assert image.width < image.height


def test_crops_show_one_person_each(album, tmp_path):
    made = make(album, tmp_path, crop="solos")
    crops = {name: row for name, row in made.items() if row.get("kind") == "cropped"}
    assert sorted(row["cell"] for row in crops.values()) == ["C", "C", "J", "J"]
    known = person_masks.read(tmp_path / "masks.json")
    for name, row in crops.items():
        assert [person.letter for person in known[name].people] == [row["cell"]]
        assert 0.05 < (known[name].indices() == 1).mean() < 0.95


def test_own_photos_stay_as_they_are(album, tmp_path):
    photo = album / "photos/J-01.jpg"
    before = photo.read_bytes(), photo.stat().st_mode, photo.stat().st_nlink
    make(album, tmp_path, crop="solos")
    assert (photo.read_bytes(), photo.stat().st_mode, photo.stat().st_nlink) == before
    assert (tmp_path / "photos/J-01.jpg").read_bytes() == before[0]


def test_cells_of_somebody_never_seen_are_named(album, tmp_path):
    nobody = WHO | {"B": {"name": "BRussell", "class": "man"}}
    with pytest.raises(ProblemsError, match="from which BRussell could be cut"):
        make(album, tmp_path, characters=nobody, compose={"cells": ["B+J"]})
    assert not (tmp_path / "photos").exists()


def test_relative_sizes_come_from_photos_of_two_and_else_from_age():
    ages = {"J": "adult", "A": "adult", "C": "child"}
    told = compositing.relative_sizes(ages, [])
    assert told == pytest.approx({"J": 1, "A": 1, "C": compositing.CHILD})
    seen = compositing.relative_sizes(ages, [("C", "J", 0.6)] * 50)
    assert seen["C"] / seen["J"] == pytest.approx(0.6, abs=0.02)
    assert seen["A"] == pytest.approx(1)


def figure(height=200, width=120):
    """A round head on a neck above broad shoulders."""
    rows, columns = np.mgrid[:height, :width]
    head = (rows - 40) ** 2 + (columns - 60) ** 2 < 30**2
    neck = (rows >= 65) & (rows < 85) & (abs(columns - 60) < 10)
    return head | neck | ((rows >= 85) & (abs(columns - 60) < 50))


def test_a_head_is_found_above_the_neck():
    x0, y0, x1, y1 = person_masks.head_of(figure())
    assert (x0, y0) == (31, 11) and x1 == 90 and 65 <= y1 <= 85


def test_somebody_cut_out_keeps_their_pixels_and_is_gone_from_the_photo():
    outline = figure()
    pixels = np.full((200, 120, 3), (20, 120, 200), np.uint8)
    pixels[outline] = (200, 40, 40)
    photo = Image.fromarray(pixels)
    one = cut_out(photo, outline, None)
    cut = np.asarray(one.pixels)
    inside = cut[..., :3][cut[..., 3] > 250]
    assert (inside == (200, 40, 40)).all() and one.cut and not one.sides
    left = np.asarray(without(photo, outline)).astype(int)
    assert abs(left - (20, 120, 200)).max() <= 2


def test_what_is_behind_somebody_is_what_is_beside_them():
    outline = np.zeros((60, 200), bool)
    outline[20:50, 80:110] = True
    pixels = np.zeros((60, 200, 3), np.uint8)
    pixels[:, ::20] = 250  # posts
    pixels[40:] = (10, 90, 10)  # a meadow in front of them
    pixels[outline] = (200, 40, 40)
    left = np.asarray(without(Image.fromarray(pixels), outline))
    assert (left[40:] == (10, 90, 10)).all()  # ends where it did
    behind = left[:40, 78:112]
    assert ((behind == 0) | (behind == 250)).all() and (behind == 250).any()  # sharp, no blur
    assert (behind[25] == behind[39]).all()  # and upright
    untouched = np.ones(200, bool)
    untouched[75:115] = False
    assert (left[:, untouched] == pixels[:, untouched]).all()


def test_with_nothing_beside_somebody_colours_run_in_from_above_and_below():
    outline = np.zeros((60, 40), bool)
    outline[20:40] = True
    pixels = np.full((60, 40, 3), 80, np.uint8)
    pixels[outline] = 200
    assert abs(np.asarray(without(Image.fromarray(pixels), outline)).astype(int) - 80).max() <= 1


def test_backgrounds_keep_their_height():
    source = Random(0)
    pixels = np.array([[source.randrange(256)] * 3 for _ in range(30)], np.uint8)
    picture = Image.fromarray(np.repeat(pixels[None], 20, 0))
    wide = np.asarray(compositing.extended(picture, (70, 20)))
    assert (wide[0] == np.concatenate([pixels[19::-1], pixels, pixels[:9:-1]])).all()
    narrow = np.asarray(compositing.extended(picture, (10, 20)))
    assert (narrow[0] == pixels[10:20]).all()


def test_everybody_fits_on_the_canvas_and_children_are_smaller():
    outline = figure()
    photo = Image.fromarray(np.full((200, 120, 3), 99, np.uint8))
    one = cut_out(photo, outline, None)
    placed = compositing.place_people([one] * 3, [1.0, 0.8, 1.0], (600, 300), Random(1))
    picture, mask, heads = compositing.composite_people(Image.new("RGB", (600, 300)), placed)
    assert picture.size == (600, 300) and set(np.unique(mask)) == {0, 1, 2, 3}
    tall = [y1 - y0 for _, y0, _, y1 in heads]
    assert tall[1] / tall[0] == pytest.approx(0.8, abs=0.02) and heads[1][1] > heads[0][1]
    assert all(left[2] <= right[0] + 2 for left, right in pairwise(heads))
    assert heads[0][0] >= 0 and heads[2][2] <= 600 and (mask[-1] > 0).any()


def headshot(below):
    """Cut out of a photo that ends `below` px under the chin of a head of 60 px."""
    outline = figure()
    outline[70 + below :] = False
    photo = Image.fromarray(np.full((70 + below, 120, 3), 99, np.uint8))
    return cut_out(photo, outline[: 70 + below], (30, 10, 90, 70))


@pytest.mark.parametrize("below", [15, 30, 100])
def test_bodies_of_headshots_are_continued_and_heads_stay_where_heads_are(below):
    placed = compositing.place_people([headshot(below)] * 3, [1.0, 0.8, 1.0], (600, 300), Random(2))
    picture, mask, heads = compositing.composite_people(Image.new("RGB", (600, 300)), placed)
    assert {1, 2, 3} <= set(mask[-1])  # all go down to the lower edge
    lowest, highest = compositing.HEADROOM
    for x0, y0, x1, _ in (heads[0], heads[2]):
        assert 300 * lowest - 1 <= y0 <= 300 * highest + 1 and 40 < x1 - x0 < 200
    assert heads[1][3] <= 300 * compositing.CHIN + 1
    assert (np.asarray(picture)[-1][mask[-1] > 0] > 40).all()  # edges are soft


def test_a_body_is_continued_by_part_of_a_head_and_no_more():
    (one,) = compositing.place_people([headshot(1)], [1.0], (300, 300), Random(2))
    (whole,) = compositing.place_people([headshot(100)], [1.0], (300, 300), Random(2))
    assert one.below == pytest.approx(compositing.CONTINUED * one.scale * 60)
    assert one.y > whole.y + 3  # set lower instead
    _, mask, _ = compositing.composite_people(Image.new("RGB", (300, 300)), [one])
    assert mask[-1].any()


def test_who_is_seen_to_the_feet_stands_on_them():
    outline = np.zeros((260, 120), bool)
    outline[:200] = figure()
    photo = Image.fromarray(np.full((260, 120, 3), 99, np.uint8))
    placed = compositing.place_people([cut_out(photo, outline, None)], [1.0], (300, 300), Random(2))
    assert not placed[0].cutout.cut and placed[0].below == 0


def test_the_lowest_row_that_is_wholly_theirs_goes_on():
    pixels = np.arange(40, dtype=np.uint8).reshape(5, 2, 4)
    pixels[..., 3] = np.array([255, 255, 255, 90, 90])[:, None]
    person = Image.frombytes("RGBX", (2, 5), pixels.tobytes())
    longer = np.asarray(compositing.continued(person, 4))
    assert longer.shape == (9, 2, 4) and (longer[:2] == pixels[:2]).all()
    assert (longer[2:] == pixels[2]).all()
