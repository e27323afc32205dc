from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from photo_files import (
    broken_files,
    linear_grey_profile,
    red_green_swapped_profile,
    srgb_profile,
)
from PIL import Image, ImageCms

from kindred.data import aspect_buckets
from kindred.data.photo_decoding import PhotoError, crop_to_bucket, read_photo

RED, BLUE = (255, 0, 0), (0, 0, 255)


def halves(size=(96, 64)) -> Image.Image:
    """Left half red, right half blue."""
    image = Image.new("RGB", size, BLUE)
    image.paste(RED, (0, 0, size[0] // 2, size[1]))
    return image


def prepared(path: Path, size=(64, 64), background="#ffffff"):
    photo = read_photo(path, path.name)
    return crop_to_bucket(
        photo, aspect_buckets.covered_box(photo.size, size), size, background
    ), photo


def near(pixel, colour, within=6) -> bool:
    return all(abs(a - b) <= within for a, b in zip(pixel, colour, strict=True))


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "heic", "avif", "bmp"])
def test_usual_formats(tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    halves().save(path)
    image, photo = prepared(path, (96, 64))
    assert image.mode == "RGB" and photo.size == (96, 64) and photo.notes == []
    assert near(image.getpixel((10, 32)), RED) and near(image.getpixel((86, 32)), BLUE)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "LAB", "YCbCr", "LA", "I;16"])
def test_any_pixel_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / "photo.tif"
    grey = Image.new("L", (64, 64), 255)
    grey.paste(0, (0, 0, 32, 64))
    if mode == "I;16":
        Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(path)
    elif mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        rgb = grey.convert("RGB")
        ImageCms.profileToProfile(rgb, ImageCms.createProfile("sRGB"), lab, outputMode="LAB").save(
            path
        )
    elif mode == "P":
        path = tmp_path / "photo.png"
        grey.convert("P").save(path)
    elif mode in {"LA", "YCbCr"}:
        path = tmp_path / ("photo.png" if mode == "LA" else "photo.jpg")
        (grey.convert("LA") if mode == "LA" else grey.convert("RGB")).save(path)
    else:
        grey.convert(mode).save(path)
    image, _ = prepared(path)
    assert image.mode == "RGB"
    assert near(image.getpixel((5, 32)), (0, 0, 0)) and near(image.getpixel((60, 32)), (255,) * 3)


def test_sixteen_bits_keep_their_middle_grey(tmp_path):
    Image.fromarray(np.full((64, 64), 32896, np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(np.full((64, 64), 0.5, np.float32)).save(tmp_path / "b.tif")
    for name in ("a.png", "b.tif"):
        assert near(prepared(tmp_path / name)[0].getpixel((3, 3)), (128, 128, 128), 1)


def test_floats_beyond_any_range_are_refused(tmp_path):
    Image.fromarray(np.full((64, 64), 1e9, np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(PhotoError, match="8 or 16 bits"):
        read_photo(tmp_path / "a.tif", "a.tif")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, suffix, orientation):
    upright = Image.new("RGB", (96, 64), (0, 0, 0))
    upright.paste(RED, (0, 0, 48, 32))
    upright.paste(BLUE, (48, 32, 96, 64))
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(turned[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"photo.{suffix}"
    stored.save(path, exif=exif)
    image, photo = prepared(path, (96, 64))
    assert photo.size == (96, 64)
    assert near(image.getpixel((10, 10)), RED, 20) and near(image.getpixel((86, 54)), BLUE, 20)


def test_heic_is_turned_once(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = halves().transpose(Image.Transpose.ROTATE_90)
    file = pillow_heif.HeifFile()
    file.add_frombytes("RGB", stored.size, stored.tobytes())
    file.save(tmp_path / "a.heic", exif=exif.tobytes(), quality=95)
    image, photo = prepared(tmp_path / "a.heic", (96, 64))
    assert photo.size == (96, 64)
    assert near(image.getpixel((10, 32)), RED, 20) and near(image.getpixel((86, 32)), BLUE, 20)


def test_colours_go_through_the_embedded_profile(tmp_path):
    for name, mode in (("a.png", "RGB"), ("b.png", "RGBA"), ("c.jpg", "RGB"), ("d.webp", "RGB")):
        path = tmp_path / name
        Image.new(mode, (64, 64), "red").save(path, icc_profile=red_green_swapped_profile())
        image, photo = prepared(path)
        assert near(image.getpixel((9, 9)), (0, 255, 0), 4) and photo.notes == [], name


def test_an_srgb_profile_changes_nothing_to_speak_of(tmp_path):
    Image.new("RGB", (64, 64), (200, 120, 40)).save(tmp_path / "a.png", icc_profile=srgb_profile())
    assert near(prepared(tmp_path / "a.png")[0].getpixel((9, 9)), (200, 120, 40), 1)


def test_grey_goes_through_a_grey_profile(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (64, 64), 55).save(path, icc_profile=linear_grey_profile())
    image, photo = prepared(path)
    assert photo.notes == [] and near(image.getpixel((9, 9)), (128, 128, 128), 3)


@pytest.mark.parametrize(
    ("mode", "profile"), [("CMYK", srgb_profile()), ("RGB", linear_grey_profile())]
)
def test_a_profile_for_other_pixels_is_ignored_aloud(tmp_path, mode, profile):
    white = (0, 0, 0, 0) if mode == "CMYK" else (255, 255, 255)
    Image.new(mode, (64, 64), white).save(tmp_path / "a.jpg", icc_profile=profile)
    image, photo = prepared(tmp_path / "a.jpg")
    assert near(image.getpixel((9, 9)), (255, 255, 255), 2)
    assert "profile" in [note["kind"] for note in photo.notes]


def test_a_damaged_profile_is_ignored_aloud(tmp_path):
    halves().save(tmp_path / "a.png", icc_profile=b"no profile at all")
    image, photo = prepared(tmp_path / "a.png", (96, 64))
    assert near(image.getpixel((10, 32)), RED, 1)
    assert [note["kind"] for note in photo.notes] == ["profile"]


def test_transparency_shows_the_background(tmp_path):
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (32, 0, 64, 64))
    image.save(tmp_path / "a.png")
    palette = Image.new("P", (64, 64), 0)
    palette.putpalette([255, 0, 0])
    palette.save(tmp_path / "b.png", transparency=0)
    result, photo = prepared(tmp_path / "a.png", background="#00ff00")
    assert result.getpixel((5, 5)) == (0, 255, 0) and result.getpixel((60, 5)) == BLUE
    assert [note["kind"] for note in photo.notes] == ["transparent"]
    assert prepared(tmp_path / "b.png", background="#102030")[0].getpixel((5, 5)) == (16, 32, 48)


def test_a_large_jpeg_decoded_small_shows_the_same(tmp_path):
    gradient = Image.linear_gradient("L").resize((1600, 1200)).rotate(37).convert("RGB")
    gradient.save(tmp_path / "a.jpg", quality=95)
    full = read_photo(tmp_path / "a.jpg", "a.jpg")
    fast = read_photo(tmp_path / "a.jpg", "a.jpg", enough=256)
    assert fast.image.width < full.image.width and fast.size == full.size == (1600, 1200)
    box, bucket = (200.0, 0.0, 1400.0, 1200.0), (128, 128)
    one, other = (
        np.asarray(crop_to_bucket(p, box, bucket, "#ffffff")).astype(int) for p in (full, fast)
    )
    assert np.abs(one - other).max() <= 8


def test_every_broken_file_is_one_clear_line(tmp_path):
    for name, words in broken_files(tmp_path).items():
        with pytest.raises(PhotoError) as caught:
            read_photo(tmp_path / name, name)
        message = str(caught.value.problem)
        assert message.startswith(f"{name}: ") and words in message and ". " in message
        assert "\n" not in message and "Traceback" not in message


def test_an_animation_gives_its_first_frame_and_says_so(tmp_path):
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    image, photo = prepared(tmp_path / "a.webp")
    assert near(image.getpixel((5, 5)), RED) and photo.notes[0]["kind"] == "frames"


def jpeg(size=(320, 400)):
    grain = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grain).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2] + bytes(len(data) // 2 - 2) + b"\xff\xd9",
        lambda data: data[: len(data) // 3] + b"\xff\xd9" + data[len(data) // 3 :],
        lambda data: data[: len(data) // 2],
    ],
    ids=["zeros", "early end", "cut"],
)
def test_what_a_decoder_goes_on_after_is_heard(tmp_path, damage):
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg())
    assert read_photo(path, "a.jpg").notes == []
    path.write_bytes(damage(jpeg()))
    with pytest.raises(PhotoError, match="is damaged"):
        read_photo(path, "a.jpg")


def test_bytes_too_many_are_a_note(tmp_path):
    path, data = tmp_path / "a.jpg", jpeg()
    path.write_bytes(data[:-2] + b"\0" * 9 + data[-2:])
    assert [note["kind"] for note in read_photo(path, "a.jpg").notes] == ["damaged"]


def test_a_picture_of_black_and_white_alone_may_be_a_mask(tmp_path):
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (16, 16, 48, 48))
    mask.save(tmp_path / "a.png")
    assert [n["kind"] for n in read_photo(tmp_path / "a.png", "a").notes] == ["mask"]
