from __future__ import annotations

import pytest

from kindred.common.errors import ProblemsError
from kindred.data import aspect_buckets
from kindred.specs.dataset import PreprocessSpec


def test_buckets_keep_area_multiples_and_aspect():
    sizes = aspect_buckets.buckets_of(512, 16, 2.0)
    assert (512, 512) in sizes and (592, 448) in sizes and (448, 592) in sizes
    for width, height in sizes:
        assert width % 16 == 0 and height % 16 == 0
        assert max(width, height) / min(width, height) <= 2
        assert width * height == pytest.approx(512 * 512, rel=0.03)


@pytest.mark.parametrize(
    ("photo", "bucket"),
    [
        ((4000, 3000), (592, 448)),
        ((3000, 4000), (448, 592)),
        ((1000, 1000), (512, 512)),
        ((9000, 1000), (720, 368)),
    ],
)
def test_nearest_bucket_is_nearest_in_aspect(photo, bucket):
    assert aspect_buckets.nearest_bucket(photo, aspect_buckets.buckets_of(512, 16, 2.0)) == bucket


def test_of_equal_aspects_the_larger_bucket_wins():
    assert aspect_buckets.nearest_bucket((200, 200), [(128, 128), (256, 256), (64, 64)]) == (
        256,
        256,
    )


def test_cover_keeps_the_centre_and_all_that_the_bucket_allows():
    assert aspect_buckets.covered_box((400, 200), (100, 100)) == (100, 0, 300, 200)
    assert aspect_buckets.covered_box((200, 400), (100, 100)) == (0, 100, 200, 300)
    assert aspect_buckets.cut_share((400, 200), (100, 100)) == pytest.approx(0.5)
    assert aspect_buckets.cut_share((300, 200), (96, 64)) == pytest.approx(0)


def test_enlargement_is_that_of_the_side_that_needs_more():
    assert aspect_buckets.enlargement((50, 200), (100, 100)) == pytest.approx(2)
    assert aspect_buckets.enlargement((400, 200), (100, 100)) == pytest.approx(0.5)


def test_several_resolutions_have_suffixes_and_one_has_none():
    assert list(aspect_buckets.bucket_sets(PreprocessSpec(resolutions=[512]))) == [""]
    assert list(aspect_buckets.bucket_sets(PreprocessSpec(resolutions=[768, 512]))) == [
        "@512",
        "@768",
    ]
    explicit = PreprocessSpec(buckets=[(128, 144), (192, 96)])
    assert aspect_buckets.bucket_sets(explicit) == {"": [(128, 144), (192, 96)]}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ('{"buckets": [[100, 128]]}', "nearest: 96"),
        ('{"background": "white"}', "#rrggbb"),
        ('{"resolutions": []}', "at least one"),
        ('{"resolutions": [8]}', "smaller than `multiple`"),
        ('{"resolution": [512]}', "Did you mean 'resolutions'"),
    ],
)
def test_unusable_settings_say_what_to_do(spec, message):
    with pytest.raises(ProblemsError, match=message):
        PreprocessSpec.read(spec)
