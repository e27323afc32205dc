"""Albums of the lab's families: coverage notation, exact files, captions as a user writes them."""

import csv
import json
import re

import pytest
from PIL import Image

import lab_family
from kindred.common.errors import KindredError
from kindred.world.albums import truth_path, write_dataset
from kindred.world.families import FAMILIES, family, parse_coverage, photo_names
from kindred.world.vocabulary import SIZES

FIRST = "J: 4, A: 3, C: 8, AC: 3, CJ: 7"


def labels(out):
    with (out / "captions.csv").open(encoding="utf-8") as file:
        return {row["Filename"]: row["Label"] for row in csv.DictReader(file)}


def test_coverage_takes_letters_in_any_order():
    assert parse_coverage(FIRST) == {"J": 4, "A": 3, "C": 8, "AC": 3, "CJ": 7}
    assert parse_coverage("jca:2,", "JAC") == {"ACJ": 2}
    assert parse_coverage("A+J: 2", "JA") == {"AJ": 2}


def test_every_mistake_in_a_coverage_is_named():
    with pytest.raises(KindredError) as caught:
        parse_coverage("J 4, X: 1, AC: 1, CA: 2, JJ: 1", "JAC")
    for words in (
        "J 4",
        "no member has the letter X",
        "cell AC is given twice",
        "somebody twice",
    ):
        assert words in str(caught.value)
    with pytest.raises(KindredError, match="contains no cell"):
        parse_coverage(" ")


def test_photo_names_are_known_beforehand():
    names = photo_names(FIRST)
    assert len(names) == 25
    assert names[:2] == ["J-01.jpg", "J-02.jpg"] and names[-1] == "CJ-07.jpg"


def test_an_album_has_exactly_its_coverage(tmp_path):
    out = tmp_path / "russell"
    names = write_dataset(out, "russell", "J: 1, C: 2, JC: 1, ACJ: 1", seed=3)
    assert sorted(p.name for p in out.iterdir()) == sorted([*names, "captions.csv"])
    assert names == photo_names("J: 1, C: 2, JC: 1, ACJ: 1")
    texts = labels(out)
    facts = json.loads(truth_path(out).read_text())["photos"]
    assert list(texts) == names and set(facts) == set(names)
    for name in names:
        cell = set(name.split("-")[0])
        assert {person["name"][0] for person in facts[name]["people"]} == cell
        assert {m[0] for m in re.findall(r"\b([A-Z])Russell", texts[name])} == cell
        assert facts[name]["caption"] == texts[name]
        assert not re.search("hair|beard|glasses|pigtails|bald", texts[name])
    assert Image.open(out / "J-01.jpg").size == (512, 576)
    assert Image.open(out / "ACJ-01.jpg").size == (768, 384)


def test_a_larger_album_holds_the_smaller_one(tmp_path):
    write_dataset(tmp_path / "a", "okorie", "N: 1", seed=1, scale=1)
    write_dataset(tmp_path / "b", "okorie", "T: 1, N: 2", seed=1, scale=1)
    write_dataset(tmp_path / "c", "okorie", "N: 1", seed=2, scale=1)
    first, same, other = ((tmp_path / k / "N-01.jpg").read_bytes() for k in "abc")
    assert first == same != other


def test_hats_and_class_nouns_are_dials(tmp_path):
    for share in (0.0, 1.0):
        out = tmp_path / str(share)
        write_dataset(out, "russell", "JA: 4", 5, scale=1, hats=share, class_nouns=share > 0)
        facts = json.loads(truth_path(out).read_text())["photos"]
        hats = [person["hat"] for photo in facts.values() for person in photo["people"]]
        assert all((hat is not None) == (share > 0) for hat in hats)
        for text in labels(out).values():
            assert bool(re.search(r"\b(adult|man|woman)\b", text)) == (share > 0)


@pytest.mark.parametrize("name", FAMILIES)
def test_families_are_distinct_people_who_share_what_the_dial_says(name):
    for shared in (0, 3, 12):
        first, *others = family(name, shared).members
        for person in others:
            same = [a == b for a, b in zip(first.traits, person.traits, strict=True)]
            assert sum(same) >= shared
    letters = FAMILIES[name].letters
    assert len(set(letters)) == len(letters) == len(FAMILIES[name].members)


def test_unknown_families_and_dials_are_refused():
    with pytest.raises(KindredError, match="russell"):
        family("smith")
    with pytest.raises(KindredError, match="0 to 16"):
        family("russell", 17)


def test_the_program_writes_an_album(tmp_path, capsys):
    out = tmp_path / "album"
    assert lab_family.main(["--coverage", "C: 1", "--scale", "1", "--out", str(out)]) == 0
    assert (out / "C-01.jpg").exists() and truth_path(out).exists()
    assert "1 photo and captions.csv" in capsys.readouterr().out


def test_hats_are_said_in_every_caption_or_in_none(tmp_path):
    said = {}
    for say in (True, False, None):
        out = tmp_path / str(say)
        write_dataset(out, "russell", {"J": 4, "CJ": 4}, seed=1, scale=1, hats=1.0, say_hats=say)
        photos = json.loads(truth_path(out).read_text(encoding="utf-8"))["photos"]
        assert all(person["hat"] for photo in photos.values() for person in photo["people"])
        said[say] = [
            photo["caption"].count(person["hat"])
            for photo in photos.values()
            for person in photo["people"]
        ]
        pictures = [(out / name).read_bytes() for name in photos]
        assert said.setdefault("pictures", pictures) == pictures
    assert all(said[True]) and not any(said[False])
    assert 0 < sum(map(bool, said[None])) < len(said[None])


def shapes_of(out):
    photos = json.loads(truth_path(out).read_text(encoding="utf-8"))["photos"]
    return {name: (facts["width"], facts["height"]) for name, facts in photos.items()}


def test_any_shape_is_as_frequent_in_a_cell_as_every_other(tmp_path):
    cells = {"J": 9, "AC": 6, "ACJ": 6}
    write_dataset(tmp_path / "a", "russell", cells, seed=1, scale=1, any_shape=True)
    shapes = shapes_of(tmp_path / "a")
    orders = set()
    for cell, count in cells.items():
        own = [shape for name, shape in shapes.items() if name.split("-")[0] == cell]
        turns = [tuple(own[k : k + 3]) for k in range(0, count, 3)]
        assert all(sorted(turn) == sorted(SIZES.values()) for turn in turns)
        orders |= set(turns)
    assert len(orders) > 2  # by seed, not in one order


def test_a_larger_album_of_any_shape_holds_the_smaller_one(tmp_path):
    given = {"seed": 1, "scale": 1, "any_shape": True}
    write_dataset(tmp_path / "a", "russell", "J: 2", **given)
    write_dataset(tmp_path / "b", "russell", "C: 1, J: 5", **given)
    write_dataset(tmp_path / "c", "russell", "J: 5", **given | {"seed": 2})
    small, large, other = (shapes_of(tmp_path / name) for name in "abc")
    assert small.items() <= large.items()
    assert (tmp_path / "a/J-01.jpg").read_bytes() == (tmp_path / "b/J-01.jpg").read_bytes()
    assert [large[name] for name in other] != list(other.values())


def test_the_program_draws_any_shape(tmp_path):
    out = tmp_path / "album"
    options = ["--coverage", "JA: 3", "--scale", "1", "--any-shape", "--out", str(out)]
    assert lab_family.main(options) == 0
    assert sorted(shapes_of(out).values()) == sorted(SIZES.values())
