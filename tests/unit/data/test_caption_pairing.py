"""Rule 1: an image never meets another image's caption, unless a study asks for it."""

import random

import pytest

from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import write_json, write_jsonl
from kindred.common.hashing import caption_hash
from kindred.data.caption_pairing import (
    CaptionedImage,
    check_pairs,
    heads_said,
    make_pairs,
    names_right,
)
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
    assert "not encoded" in found["photo-0"] and "32x48" in found["photo-1"]
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


@pytest.mark.parametrize(
    ("captions", "which"),
    [(["only one"], "1 caption does"), (["same", "same", "other"], "3 captions do")],
)
def test_scrambled_that_is_impossible(captions, which):
    said = f"every photo must get the caption of another, which {which} not allow"
    with pytest.raises(KindredError, match=said):
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
    assert "c: is listed twice" in text and "c: has no caption" in text
    assert "d: has no image" in text and "a: its caption_hash" in text


def shown(name, cell, size, caption, made=""):
    return DatasetImage(
        name, name, cell, *size, f"pixels-{name}", caption, caption_hash(caption), made
    )


UPRIGHT, WIDE = (32, 48), (64, 32)
ALBUM = [
    *(
        shown(f"{x}{n}", x, UPRIGHT, f"{x}Ray, a man in red, number {n}")
        for x in "AB"
        for n in "12"
    ),
    *(shown(f"w{x}{n}", x, WIDE, f"wide {x}Ray {n}") for x in "AB" for n in "123"),
    *(shown(f"p{n}", "A+B", WIDE, f"ARay and BRay {n}") for n in "12"),
    *(
        shown(f"s{x}{n}", x, WIDE, f"{x}Ray and a small woman in the snow {n}", "composed")
        for x in "AB"
        for n in "12"
    ),
]


def test_dealt_captions_keep_shape_and_number_of_people_and_lose_who_is_who():
    owners = {one.caption_hash: one for one in ALBUM}
    shares = []
    for seed in range(20):
        pairs = make_pairs(ALBUM, "dealt", seed)
        assert {pair.caption_hash for pair in pairs} == {*owners}  # each caption is used once
        for pair in pairs:
            own, other = pair.item, owners[pair.caption_hash]
            assert (own.width, own.height) == (other.width, other.height)
            assert heads_said(own) == heads_said(other)
        shares.append(names_right(pairs, ALBUM))
    # By chance: 1/2 of 14 in groups of A and B alike, all of 2 pairs.
    assert 0.4 < sum(shares) / len(shares) < 0.8
    assert names_right(make_pairs(ALBUM, "matched", 0), ALBUM) == 1.0
    assert make_pairs(ALBUM, "dealt", 3) == make_pairs(ALBUM, "dealt", 3)
    assert make_pairs(ALBUM, "dealt", 3) != make_pairs(ALBUM, "dealt", 4)


def test_heads_are_characters_and_in_composites_strangers():
    said = {
        "ARay and a woman": 2,
        "A man in a red coat, adult woman ARay and an old woman": 3,
        "the woman ARay at the beach": 1,
    }
    for text, heads in said.items():
        assert heads_said(shown("x", "A", WIDE, text, "composed")) == heads
    assert heads_said(shown("x", "A", WIDE, "ARay, a man in red")) == 1
    for text in ("a photo of man aray", "a photo of man ARAY", "in a hat and woman aray"):
        assert heads_said(shown("x", "A", WIDE, text, "composed"), ["aray"]) == 1


def test_names_in_small_letters_are_no_strangers_where_captions_are_dealt():
    texts = ("a photo of man aray", "aray and a woman")
    album = [shown(f"{t}{n}", "A", WIDE, f"{t} {n}", "composed") for t in texts for n in "12345"]
    owner = {one.caption_hash: one.photo[:-1] for one in album}
    pairs = make_pairs(album, "dealt", 3, ["aray"])
    assert all(owner[pair.caption_hash] == pair.item.photo[:-1] for pair in pairs)


def test_sizes_of_one_photo_are_dealt_one_caption():
    items = []
    for one in ALBUM[:4]:
        small = DatasetImage(
            f"{one.image_id}@16", one.photo, one.cell, 16, 24, f"small-{one.image_id}",
            one.caption, one.caption_hash,
        )  # fmt: skip
        items += [one, small]
    given = {}
    for pair in make_pairs(items, "dealt", 1):
        given.setdefault(pair.item.photo, set()).add(pair.caption_hash)
    assert all(len(hashes) == 1 for hashes in given.values())
