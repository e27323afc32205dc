"""Strangers in composites, and shapes that don't tell who is in a picture."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

import caption
import lab_family
import make_composites
import preprocess
import segment_people
from kindred.characters.near_names import near_names
from kindred.common.errors import ProblemsError
from kindred.common.files import read_json, read_jsonl, write_csv
from kindred.data import person_masks
from kindred.data.caption_pairing import heads_said
from kindred.data.composites.stranger_names import stranger_names
from kindred.data.dataset import DatasetImage, read_dataset
from kindred.specs.character import Character
from kindred.world.albums import truth_path, write_dataset

WHO = {
    "J": {"name": "JRussell", "class": "man", "age": "adult"},
    "A": {"name": "ARussell", "class": "woman", "age": "adult"},
    "C": {"name": "CRussell", "class": "child", "age": "child"},
}
BUCKETS = {"buckets": [[128, 144], [144, 128], [192, 96]], "min_side": 64}
NOUNS = ("a man", "a woman", "a boy", "a girl", "a child")


def prepared(root: Path) -> Path:
    """Images, captions and masks of the photos drawn in a folder."""
    source, images = ["--source", str(root / "photos")], str(root / "images.json")
    folder = ["--images-dir", str(root / "images")]
    preprocess.main(["--spec", json.dumps(BUCKETS), *source, *folder, "--out", images])
    spec, captions = ["--spec", json.dumps({"characters": WHO})], str(root / "captions.jsonl")
    caption.main([*spec, *source, "--images", images, *folder, "--out", captions])
    truth = ["--truth", str(truth_path(root / "photos")), "--store", str(root / "store")]
    read = ["--images", images, "--captions", captions]
    segment_people.main([*spec, *source, *read, *truth, "--out", str(root / "masks.json")])
    return root


@pytest.fixture(scope="module")
def album(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("album")
    write_dataset(root / "photos", "russell", {"J": 2, "A": 2, "C": 2}, seed=1, scale=1)
    return prepared(root)


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("others")
    options = ["--strangers", "8", "--seed", "3", "--scale", "1"]
    assert lab_family.main([*options, "--out", str(root / "photos")]) == 0
    return prepared(root)


def files(root: Path) -> list[str]:
    return [str(root / name) for name in ("photos", "images.json", "captions.jsonl", "masks.json")]


def make(album: Path, others: Path, out: Path, beside=None, **asked) -> list[dict]:
    """Run make_composites.py: rows of made.json, each with its caption, letters and size."""
    strangers = {"of": "others", "share": 0.5, **(beside or {})}
    compose = {"strangers": strangers, "background": "any", **asked}
    spec = {"characters": WHO, "preprocess": BUCKETS, "compose": compose}
    where = zip(("--source", "--images", "--captions", "--masks"), files(album), strict=True)
    given = [word for pair in where for word in pair]
    given += ["--strangers", *files(others), "--store", str(album / "store")]
    given += ["--photos", str(out / "photos"), "--made", str(out / "made.json")]
    given += ["--masks-out", str(out / "masks.json")]
    assert make_composites.main(["--spec", json.dumps(spec), *given]) == 0
    known = person_masks.read(out / "masks.json")
    with open(out / "photos/captions.csv", encoding="utf-8", newline="") as file:
        said = {row["Filename"]: row["Label"] for row in csv.DictReader(file)}
    rows = []
    for name, facts in read_json(out / "made.json").items():
        if "kind" in facts:
            with Image.open(out / "photos" / name) as image:
                size = image.size
            letters = [person.letter for person in known[name].people]
            rows.append({**facts, "caption": said[name], "letters": letters, "size": size})
    return rows


def test_strangers_have_their_share_and_captions_say_them_by_class_nouns(album, others, tmp_path):
    rows = make(album, others, tmp_path, cells={"J": 20, "A+J": 20, "A+C+J": 4})
    beside = {
        cell: Counter(r.get("strangers", 0) for r in rows if r["cell"] == cell)
        for cell in ("J", "A+J", "A+C+J")
    }
    assert beside == {"J": {0: 10, 1: 5, 2: 5}, "A+J": {0: 10, 1: 10}, "A+C+J": {0: 4}}
    for row in rows:
        count = row.get("strangers", 0)
        assert row["letters"].count("") == count
        assert sorted(filter(None, row["letters"])) == row["cell"].split("+")
        assert sum(row["caption"].count(noun) for noun in NOUNS) == count
        assert all(WHO[x]["name"] in row["caption"] for x in row["cell"].split("+"))
        assert not any("man-" in name or "girl-" in name for name in row["of"])
    places = {row["letters"].index("") for row in rows if row.get("strangers") == 1}
    assert places == {0, 1, 2}


def test_composites_without_strangers_are_as_they_were(album, others, tmp_path):
    """A stranger changes only the composites that one stands in."""
    plain = make(album, others, tmp_path / "plain", cells={"A+J": 6}, strangers=None)
    mixed = make(album, others, tmp_path / "mixed", cells={"A+J": 6})
    same = [one == other for one, other in zip(plain, mixed, strict=True)]
    assert same == ["strangers" not in row for row in mixed] and any(same) and not all(same)


def names_in(caption: str) -> list[str]:
    """Made-up names: written as these characters' names are, and nobody's."""
    own = {who["name"] for who in WHO.values()}
    return [word for word in re.findall(r"\b[A-Z]{2}[a-z]+\b", caption) if word not in own]


def test_strangers_stand_alone_too_and_go_by_names_of_their_own(album, others, tmp_path):
    beside = {"alone": 12, "named": 0.5}
    rows = make(album, others, tmp_path, beside, cells={"A+J": 20}, canvas="any")
    alone = [row for row in rows if not row["cell"]]
    assert Counter(row["strangers"] for row in alone) == {1: 4, 2: 4, 3: 4}
    assert not any(who["name"] in row["caption"] for row in alone for who in WHO.values())
    for row in rows:
        named = tuple(row.get("named", ()))
        assert len(named) in (0, row.get("strangers", 0))
        assert sorted(names_in(row["caption"])) == sorted(row.get("named", ()))
        item = DatasetImage("x", "x", row["cell"], 1, 1, "", row["caption"], "", "composed", named)
        assert heads_said(item) == len(row["letters"])
    # A photo has one person, who has one name: 8 at most, though there are more captions.
    every = {name for row in rows for name in names_in(row["caption"])}
    assert 3 < len(every) <= 8
    assert 0 < sum("named" in row for row in rows) < sum("strangers" in row for row in rows)
    # What is there without these options is there with them, in the same places.
    without = make(album, others, tmp_path / "without", cells={"A+J": 20}, canvas="any")
    for row, other in zip([row for row in rows if row["cell"]], without, strict=True):
        assert (row["sha256"], row["of"]) == (other["sha256"], other["of"])
        assert row["caption"] == other["caption"] or "named" in row


def test_a_name_of_a_stranger_is_never_nearly_that_of_a_character():
    who = {"A": Character(name="Renol", noun="woman")}
    sources = [f"{n}.png" for n in range(400)]
    names = stranger_names(sources, who, 0)
    assert names == stranger_names(reversed(sources), who, 0)
    assert len(set(names.values())) == len(sources)
    assert not any(near_names(name, who) for name in names.values())
    assert all(name[0].isupper() and name[1:].islower() for name in names.values())
    small = stranger_names(sources[:9], {"A": Character(name="renol", noun="woman")}, 0)
    assert all(name.islower() for name in small.values())
    family = {x: Character(name=one["name"], noun=one["class"]) for x, one in WHO.items()}
    assert all(name[:2].isupper() for name in stranger_names(sources[:9], family, 0).values())


@pytest.mark.long
def test_any_canvas_is_every_shape_in_turn_whoever_is_in_it(album, others, tmp_path):
    rows = make(album, others, tmp_path, cells={"J": 9, "A+C+J": 9}, canvas="any")
    for cell in ("J", "A+C+J"):
        shapes = Counter(round(r["size"][0] / r["size"][1], 2) for r in rows if r["cell"] == cell)
        assert shapes == {0.89: 3, 1.12: 3, 2.0: 3}


def test_photos_that_show_no_one_stranger_are_noted(album, others, tmp_path, capsys):
    """Somebody's name, several people said, nobody said."""
    root = tmp_path / "others"
    (root / "photos").mkdir(parents=True)
    for file in (others / "photos").iterdir():
        (root / "photos" / file.name).write_bytes(file.read_bytes())
    truth_path(root / "photos").write_bytes(truth_path(others / "photos").read_bytes())
    names = sorted(path.name for path in (root / "photos").glob("*.jpg"))
    captions = [
        "JRussell in the park",
        "a man and a woman",
        "a portrait",
        "an old man in a blue coat",
    ]
    wrong = dict(zip(names, captions, strict=False))
    for name in names[4:]:
        (root / "photos" / name).unlink()
    rows = [{"Filename": name, "Label": text} for name, text in wrong.items()]
    write_csv(root / "photos/captions.csv", ("Filename", "Label"), rows)
    rows = make(album, prepared(root), tmp_path, cells={"J": 20})
    said = capsys.readouterr().err
    assert (
        "its caption names JRussell" in said and said.count("says nobody like 'a man', once") == 2
    )
    assert {r["caption"].count("a man") for r in rows if r.get("strangers")} == {1}
    assert {r.get("strangers", 0) for r in rows} == {0, 1}  # two would be the same one twice
    worn = [row["caption"] for row in rows if "in a blue coat" in row["caption"]]
    assert worn and all("a man in a blue coat" in text for text in worn)


def test_without_anybody_to_cut_out_the_cure_is_said(album, tmp_path):
    with pytest.raises(ProblemsError, match="strangers of others: nobody can be cut out"):
        make(album, album, tmp_path, cells={"J": 2})


def test_captions_may_call_strangers_by_made_up_names(album, others, tmp_path):
    """The whole way: composites, prepared and captioned, are what training reads."""
    make(album, others, tmp_path, {"share": 1, "alone": 6, "named": 1}, cells={"A+J": 2})
    source, images = ["--source", str(tmp_path / "photos")], str(tmp_path / "images.json")
    folder = ["--images-dir", str(tmp_path / "images")]
    told = ["--out", images, "--made", str(tmp_path / "made.json")]
    preprocess.main(["--spec", json.dumps(BUCKETS), *source, *folder, *told])
    spec, captions = json.dumps({"characters": WHO}), str(tmp_path / "captions.jsonl")
    caption.main(["--spec", spec, *source, "--images", images, *folder, "--out", captions])
    read = [one for one in read_dataset(images, captions) if one.made]
    assert Counter(one.cell for one in read) == {"": 6, "A+J": 2}
    assert {one.cell: heads_said(one) for one in read if one.cell} == {"A+J": 3}
    assert all(len(one.named) == heads_said(one) for one in read if not one.cell)
    assert not any(row["warnings"] for row in read_jsonl(captions) if "made" in row)
