"""Pictures inside a page: sizes, budget, and nothing but pixels."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from kindred.report import thumbnails
from kindred.report.rating_page import in_one_size
from kindred.report.thumbnails import LARGE_EDGES, Thumbnail, make_thumbnails, missing


def noise(path: Path, size: tuple[int, int], seed: int = 0) -> Path:
    """A picture that compresses badly."""
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def opened(text: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(text)))


def test_a_small_picture_is_kept_whole_and_once(tmp_path):
    one = make_thumbnails({"a": noise(tmp_path / "a.png", (192, 96))}, 10**6)["a"]
    assert one.large == ""
    assert (one.width, one.height) == (192, 96)
    assert opened(one.small).size == (192, 96)
    assert one.uri.startswith("data:image/webp;base64,")


def test_a_large_picture_gets_a_thumbnail_and_a_larger_one(tmp_path):
    one = make_thumbnails({"a": noise(tmp_path / "a.png", (1600, 800))}, 10**8)["a"]
    assert opened(one.small).size == (256, 128)
    assert opened(one.large).size == (LARGE_EDGES[0], LARGE_EDGES[0] // 2)


@pytest.fixture(scope="module")
def noises(tmp_path_factory) -> tuple[dict[str, Path], int]:
    """Four large pictures, and how many characters they take where there is room."""
    folder = tmp_path_factory.mktemp("noise")
    files = {str(n): noise(folder / f"{n}.png", (700, 700), n) for n in range(4)}
    return files, sum(one.size for one in make_thumbnails(files, 10**9).values())


@pytest.mark.parametrize("share", [pytest.param(0.9, marks=pytest.mark.long), 0.6, 0.45])
def test_together_they_keep_to_the_budget(noises, share):
    files, whole = noises
    budget = round(whole * share)
    made = make_thumbnails(files, budget)
    assert sum(one.size for one in made.values()) <= budget
    assert all(one.large for one in made.values())


def test_without_room_there_are_thumbnails_alone(tmp_path):
    made = make_thumbnails({"a": noise(tmp_path / "a.png", (700, 700))}, 0)
    assert made["a"].small and not made["a"].large


def test_a_page_with_room_tries_one_size_and_one_of_a_single_size_none(tmp_path, monkeypatch):
    """Trying takes longer than making a page of a few pictures."""
    files = {"a": noise(tmp_path / "a.png", (1200, 600))}
    made: list[int] = []
    webp = thumbnails._webp
    monkeypatch.setattr(
        thumbnails, "_webp", lambda image, quality: made.append(image.width) or webp(image, quality)
    )
    make_thumbnails(files, 10**8)
    assert made == [1024, 256] * 2  # the sample, the page
    made.clear()
    assert set(in_one_size(files, 10**8, 768)) == {"a"} and made == [768]


def test_only_pixels_are_copied(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("kindred", "SECRET recipe")
    picture = Image.new("RGB", (64, 64), "red")
    exif = picture.getexif()
    exif[0x010F] = "SECRET camera"
    picture.save(tmp_path / "a.png", pnginfo=info, exif=exif)
    data = base64.b64decode(make_thumbnails({"a": tmp_path / "a.png"}, 10**6)["a"].small)
    assert b"SECRET" not in data
    assert not opened(base64.b64encode(data).decode()).getexif()


def test_equal_files_give_equal_thumbnails_and_none_give_none(tmp_path):
    files = {"a": noise(tmp_path / "a.png", (300, 300)), "b": noise(tmp_path / "b.png", (300, 300))}
    made = make_thumbnails(files, 10**6)
    assert made["a"] == made["b"] == make_thumbnails(files, 10**6)["a"]
    assert isinstance(made["a"], Thumbnail)
    assert make_thumbnails({}, 10**6) == {}


def test_missing_files_are_found(tmp_path):
    (tmp_path / "empty.png").touch()
    there = noise(tmp_path / "there.png", (8, 8))
    gone = tmp_path / "gone.png"
    assert missing([there, tmp_path / "empty.png", gone]) == [tmp_path / "empty.png", gone]
