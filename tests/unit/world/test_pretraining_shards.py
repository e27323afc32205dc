"""Shards: the same by seed, arrays that agree with the captions, finished ones kept."""

import numpy as np

import lab_draw_shards
from kindred.world.people import named_strangers
from kindred.world.pretraining_shards import (
    ATTRIBUTES,
    SHARD,
    captions_path,
    draw_shard,
    plan_shards,
    read_shard,
)
from kindred.world.vocabulary import KINDS, PLACES, PORTRAIT, TRAITS, WIDE


def test_a_shard_reads_back_and_depends_on_its_seed_alone(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        draw_shard(seed, 6, WIDE, tmp_path / f"{name}.npz")
    (a, words), (b, same), (c, other) = (read_shard(tmp_path / f"{k}.npz") for k in "abc")
    assert words == same != other
    assert all(np.array_equal(a[key], b[key]) for key in a)
    assert not np.array_equal(a["images"], c["images"])
    assert a["images"].shape == (6, 96, 192, 3) and a["images"].dtype == np.uint8
    assert a["traits"].shape == (6, 4, len(TRAITS)) and a["heads"].shape == (6, 4, 4)
    assert len(words) == 6 and set(words[0]) == {"short", "detailed"}


def test_arrays_are_padded_and_agree_with_the_captions(tmp_path):
    draw_shard(3, 40, PORTRAIT, tmp_path / "s.npz")
    arrays, captions = read_shard(tmp_path / "s.npz")
    strangers = named_strangers()
    for n, count in enumerate(arrays["n_people"]):
        for key in ATTRIBUTES:
            assert (arrays[key][n, :count] >= 0).all() and (arrays[key][n, count:] == -1).all()
        assert (arrays["heads"][n, count:] == 0).all()
        for k in range(count):
            index = arrays["names"][n, k]
            if index >= 0:
                person = strangers[index]
                assert person.name in captions[n]["short"]
                assert KINDS[arrays["kind"][n, k]] == person.kind
                assert np.allclose(arrays["traits"][n, k], person.traits)
    assert arrays["place"].max() < len(PLACES)


def test_finished_shards_are_kept_and_missing_ones_drawn_again(tmp_path):
    argv = [
        "--count",
        "9",
        "--shard",
        "3",
        "--size",
        "wide",
        "--workers",
        "1",
        "--out",
        str(tmp_path),
    ]
    assert lab_draw_shards.main(argv) == 0
    shards = sorted(tmp_path.glob("*.npz"))
    assert len(shards) == 3
    before = [read_shard(path)[0]["images"] for path in shards]
    assert not np.array_equal(before[0], before[1])
    kept = shards[0].stat().st_mtime_ns
    shards[1].unlink()
    captions_path(shards[2]).unlink()
    assert lab_draw_shards.main(argv) == 0
    assert shards[0].stat().st_mtime_ns == kept
    for path, images in zip(shards, before, strict=True):
        assert np.array_equal(read_shard(path)[0]["images"], images)
        assert captions_path(path).exists()


def test_a_mixture_has_every_size(tmp_path):
    shards = plan_shards(tmp_path, "mixed", 1, 100, SHARD, None)
    assert sum(shard.count for shard in shards) == 100
    assert len({shard.size for shard in shards}) == 3
    assert len({shard.seed for shard in shards}) == len(shards)
