"""The ceiling's drawings: who was asked for, in the order asked, on the canvas asked, stored."""

from __future__ import annotations

import numpy as np
import pytest

import draw_ceiling
from kindred.lab import ceiling
from kindred.models import loading
from kindred.rendering.image_store import settings_of
from kindred.rendering.manifest import open_pictures, read_manifest
from kindred.specs.ceiling import CeilingSpec
from kindred.world.drawing import draw
from kindred.world.families import FAMILIES, family

NAMES = {"J": "TOkorie", "A": "NOkorie", "C": "EOkorie"}


def cast(name, members, strangers=0, **told):
    return {
        "name": name,
        "members": members,
        "strangers": strangers,
        "canvas": "192x96",
        "wording": "bare",
        **told,
    }


ASKED = {
    "row": (
        "from left to right: EOkorie, a woman, TOkorie by the lake",
        (128, 144),
        cast("pair+1", ["C", "J"], 1, order=["C", "", "J"]),
    ),
    "worn": (
        "a photo of TOkorie in a blue shirt and NOkorie in a red sweater",
        (192, 96),
        cast("A+J", ["J", "A"], wears={"J": "blue shirt", "A": "red sweater"}),
    ),
    "nouns": ("a photo of a man, a child and a woman", (144, 128), cast("nouns-3", [], 3)),
    "alone": ("a photo of EOkorie", (144, 128), cast("C", ["C"])),
}


def spec_of(model, asked=ASKED, seeds=(1, 2), families=None):
    return CeilingSpec(
        encoder={"model": str(model)},
        name="casts",
        families=families or {"okorie": None},
        characters=NAMES,
        prompts={
            name: {"text": text, "seeds": list(seeds), "width": size[0], "height": size[1]}
            for name, (text, size, _) in asked.items()
        },
        casts={name: told for name, (_, _, told) in asked.items()},
    )


@pytest.fixture(scope="module")
def spec(tiny_folder):
    return spec_of(tiny_folder)


def scenes(spec):
    known = ceiling.members(spec)
    for picture in ceiling.plan(spec):
        yield picture, ceiling.scene_of(picture, spec.casts[picture.name], known)


def test_pictures_show_whom_they_were_asked_for_from_left_to_right(spec):
    who = {letter: FAMILIES["okorie"].member(name[0]) for letter, name in NAMES.items()}
    letter_of = {person: letter for letter, person in who.items()}
    for picture, scene in scenes(spec):
        cast = spec.casts[picture.name]
        drawing = draw(scene)
        assert drawing.image.size == picture.size
        mask = np.array(drawing.masks)
        assert sorted(set(mask.ravel()) - {0}) == list(range(1, cast.heads + 1))
        # Where each person is seen, by the truth of the drawing.
        middle = {k: np.nonzero(mask == k)[1].mean() for k in range(1, cast.heads + 1)}
        row = [scene.figures[k - 1].person for k in sorted(middle, key=middle.get)]
        shown = [letter_of.get(person, "") for person in row]
        assert sorted(filter(None, shown)) == sorted(cast.members)
        if cast.order:
            assert shown == cast.order
            assert row[1].kind == "woman" and scene.place == "lake"
        for figure in scene.figures:
            garment = cast.wears.get(letter_of.get(figure.person, ""))
            assert garment in (None, f"{figure.clothes_colour} {figure.clothes}")
        if picture.name == "nouns":
            assert sorted(p.kind.replace("boy", "girl") for p in row) == ["girl", "man", "woman"]


def test_who_stands_where_is_free_where_the_prompt_does_not_say(tiny_folder):
    many = spec_of(tiny_folder, {"worn": ASKED["worn"]}, range(12))
    first = {scene.figures[0].person.name for _, scene in scenes(many)}
    assert first == {"TOkorie", "NOkorie"}


def test_members_are_those_of_the_dial(tiny_folder):
    dialled = ceiling.members(spec_of(tiny_folder, families={"okorie": 12}))
    usual = ceiling.members(spec_of(tiny_folder))
    assert dialled["J"] == family("okorie", 12).member("T") != usual["J"]


def run(spec, folder):
    arguments = ["--spec", spec.canonical(), "--store", str(folder / "store")]
    arguments += ["--out", str(folder / "casts.json"), "--device", "cpu", "--threads", "1"]
    assert draw_ceiling.main(arguments) == 0
    return read_manifest(folder / "casts.json")


def test_pictures_are_stored_once_and_listed_like_rendered_ones(
    spec, tmp_path, monkeypatch, capsys
):
    manifest = run(spec, tmp_path)
    assert "8 drawn, 0 kept" in capsys.readouterr().err
    assert [row.name for row in manifest.rows] == [name for name in sorted(ASKED) for _ in range(2)]
    assert manifest.prompts() == {name: text for name, (text, _, _) in ASKED.items()}
    for row, picture in zip(manifest.rows, open_pictures([manifest]).values(), strict=True):
        assert picture.size == (row.width, row.height) == ASKED[row.name][1]
    told = settings_of(next(row.path for row in manifest.rows if row.name == "row"))
    assert told["cast"]["order"] == ["C", "", "J"] and told["made_with"]["device"] == "cpu"
    assert "cast" not in manifest.settings

    before = (tmp_path / "casts.json").read_bytes()
    monkeypatch.setattr(loading, "load_vae", None)  # nothing is loaded for what is there
    run(spec, tmp_path)
    assert "0 drawn, 8 kept" in capsys.readouterr().err
    assert (tmp_path / "casts.json").read_bytes() == before


def test_pictures_went_through_the_autoencoder(spec, tmp_path):
    one = spec_of(spec.encoder.model, {"alone": ASKED["alone"]}, [1])
    manifest = run(one, tmp_path)
    ((picture, scene),) = scenes(one)
    (shown,) = open_pictures([manifest]).values()
    drawn = np.asarray(draw(scene).image, np.float64)
    # Random weights make another picture of it: what is stored is not the drawing itself.
    assert np.abs(np.asarray(shown, np.float64) - drawn).mean() > 5
    assert picture.key == manifest.rows[0].key


def test_keys_follow_from_all_that_pixels_do(spec, tiny_folder):
    keys = [picture.key for picture in ceiling.plan(spec)]
    assert len(set(keys)) == len(keys) == 8
    text, size, told = ASKED["worn"]
    for asked, families in (
        ({"worn": (text, (128, 144), told)}, None),
        ({"worn": (text, size, {**told, "wears": {"J": "blue shirt"}})}, None),
        ({"worn": ASKED["worn"]}, {"okorie": 5}),
    ):
        other = spec_of(tiny_folder, asked, (1, 2), families)
        assert not {picture.key for picture in ceiling.plan(other)} & set(keys)
    same = spec_of(tiny_folder, {"worn": ASKED["worn"]}, (2, 3))
    assert len({picture.key for picture in ceiling.plan(same)} & set(keys)) == 1
