"""Rule 1: an image never meets another image's caption, unless a study asks for it."""

import random

import pytest

from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import write_json, write_jsonl
from kindred.common.hashing import caption_hash
from kindred.data.caption_pairing import CaptionedImage, check_pairs, make_pairs
from kindred.data.dataset import DatasetImage, read_dataset


def item(name, caption=None):
    caption = caption or f"caption of {name}"
    return DatasetImage(name, name, "J", 32, 48, f"pixels-{name}", caption, caption_hash(caption))


ITEMS = [item(f"photo-{n}") for n in range(7)]
LATENTS = {one.pixel_hash: {"shape": [16, 6, 4]} for one in ITEMS}
TEXTS = {one.caption_hash for one in ITEMS}


def check(pairs, pairing="matched", latents=LATENTS, texts=TEXTS):
    check_pairs(pairs, ITEMS, pairing, latents, texts, 8)


def test_matched_pairs_pass():
    check(make_pairs(ITEMS, "matched", 0))


def test_every_mismatch_is_listed():
    pairs = make_pairs(ITEMS, "matched", 0)
    pairs[1], pairs[4] = (
        CaptionedImage(pairs[1].item, pairs[4].caption_hash),
        CaptionedImage(pairs[4].item, pairs[1].caption_hash),
    )
    with pytest.raises(ProblemsError) as error:
        check(pairs)
    assert [p.where for p in error.value.problems] == ["photo-1", "photo-4"]
    assert "caption of photo-4" in str(error.value)


def test_missing_latent_wrong_shape_missing_text_and_foreign_pixels():
    latents = dict(LATENTS)
    del latents["pixels-photo-0"]
    latents["pixels-photo-1"] = {"shape": [16, 4, 6]}
    pairs = make_pairs(ITEMS, "matched", 0)
    pairs[3] = CaptionedImage(item("photo-3", "changed"), ITEMS[3].caption_hash)
    other = DatasetImage("photo-5", "photo-5", "J", 32, 48, "other", ITEMS[5].caption, "x")
    pairs[5] = CaptionedImage(other, ITEMS[5].caption_hash)
    with pytest.raises(ProblemsError) as error:
        check(pairs, latents=latents, texts=TEXTS - {ITEMS[6].caption_hash})
    found = {p.where: p.what for p in error.value.problems}
    assert set(found) == {"photo-0", "photo-1", "photo-5", "photo-6"}
    assert "no latent" in found["photo-0"] and "32x48" in found["photo-1"]
    assert "not encoded" in found["photo-6"]


@pytest.mark.parametrize("count", [2, 3, 25])
@pytest.mark.parametrize("seed", range(5))
def test_scrambled_moves_every_caption_and_loses_none(count, seed):
    some = [item(f"photo-{n}") for n in range(count)]
    pairs = make_pairs(some, "scrambled", seed)
    assert all(pair.caption_hash != pair.item.caption_hash for pair in pairs)
    assert sorted(p.caption_hash for p in pairs) == sorted(i.caption_hash for i in some)
    assert pairs == make_pairs(some, "scrambled", seed)


def test_scrambled_with_captions_that_repeat():
    some = [item(f"photo-{n}", f"text {n % 2}") for n in range(6)]
    random.Random(0).shuffle(some)
    pairs = make_pairs(some, "scrambled", 1)
    assert all(pair.caption_hash != pair.item.caption_hash for pair in pairs)


def test_scrambled_resolutions_of_a_photo_stay_together():
    def size(name, resolution):
        return DatasetImage(
            f"{name}@{resolution}", name, "J", 32, 32, name, name, caption_hash(name)
        )

    some = [size(name, r) for name in "abc" for r in (512, 768)]
    by_photo = {}
    for pair in make_pairs(some, "scrambled", 0):
        by_photo.setdefault(pair.item.photo, set()).add(pair.caption_hash)
    assert all(len(captions) == 1 for captions in by_photo.values())


@pytest.mark.parametrize("captions", [["only one"], ["same", "same", "other"]])
def test_scrambled_that_is_impossible(captions):
    with pytest.raises(KindredError, match="another caption than its own"):
        make_pairs([item(str(n), text) for n, text in enumerate(captions)], "scrambled", 0)


def test_a_scrambled_run_that_is_not_scrambled_is_refused():
    with pytest.raises(ProblemsError, match="kept its own caption"):
        check(make_pairs(ITEMS, "matched", 0), "scrambled")


def test_dataset_that_does_not_fit_together(tmp_path):
    def image(name):
        return {"image_id": name, "photo": name, "pixel_hash": name, "width": 32, "height": 32}

    def row(name, text, of=None):
        hashed = caption_hash(of or text)
        return {"id": name, "caption": text, "caption_hash": hashed, "characters": ["J"]}

    write_json(tmp_path / "i.json", [image("a"), image("b"), image("c"), image("c")])
    rows = [row("a", "edited", "before"), row("b", "fine"), row("d", "no image")]
    write_jsonl(tmp_path / "c.jsonl", rows)
    with pytest.raises(ProblemsError) as error:
        read_dataset(tmp_path / "i.json", tmp_path / "c.jsonl")
    text = str(error.value)
    assert len(error.value.problems) == 4
    assert "c: stands twice" in text and "c: has no caption" in text
    assert "d: has no image" in text and "a: its caption_hash" in text
