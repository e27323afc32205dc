from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from photo_files import broken_files, red_green_swapped_profile
from PIL import Image, ImageEnhance, ImageFilter, PngImagePlugin

import preprocess
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.hashing import pixel_hash, sha256_file
from kindred.data import image_quality
from kindred.data.photo_folder import check_ids, check_inputs, scan


def picture(seed: int, size=(160, 120)) -> Image.Image:
    """A colourful picture unlike that of another seed, sharp."""
    channels = []
    for channel in range(3):
        values = bytes(
            (i * 97 * (seed + 3) * (channel + 2) + i * i * seed) % 256 for i in range(48)
        )
        channels.append(Image.frombytes("L", (8, 6), values).resize(size, Image.Resampling.NEAREST))
    return Image.merge("RGB", channels)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed, name in enumerate(["a.jpg", "b.png", "c.webp"]):
        picture(seed).save(folder / name)
    return folder


def run(source, *changes: tuple[str, object]):
    spec = {"resolutions": [128], "min_side": 16, **dict(changes)}
    out = source.parent / "out"
    arguments = ["--spec", json.dumps(spec), "--source", str(source)]
    preprocess.main([*arguments, "--images-dir", str(out / "images"), "--out", str(out / "i.json")])
    return json.loads((out / "i.json").read_text()), out / "images"


def kinds(row) -> list[str]:
    return [item["kind"] for item in row["warnings"]]


def stamps(folder) -> dict[str, tuple[int, bytes]]:
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.iterdir()}


def test_rows_tell_the_truth_about_the_images(source):
    rows, images = run(source)
    assert [row["image_id"] for row in rows] == ["a", "b", "c"]
    assert sorted(p.name for p in images.iterdir()) == ["a.png", "b.png", "c.png"]
    for row in rows:
        with Image.open(images / f"{row['image_id']}.png") as image:
            assert image.mode == "RGB" and image.size == (row["width"], row["height"]) == (144, 112)
            assert pixel_hash(image) == row["pixel_hash"]
        assert row["source_sha256"] == sha256_file(source / row["source"])
        assert (row["source_width"], row["source_height"]) == (160, 120)
        assert row["bucket"] == "144x112"


def test_same_photos_same_bytes(source):
    first = stamps(run(source)[1])
    for path in (source.parent / "out/images").iterdir():
        path.unlink()
    second = stamps(run(source)[1])
    assert {k: v[1] for k, v in first.items()} == {k: v[1] for k, v in second.items()}


def test_prepared_images_carry_no_metadata_of_the_photo(source):
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "Camera"
    profile = red_green_swapped_profile()
    for name in ("a.jpg", "b.png", "c.webp"):
        picture(1).save(source / name, exif=exif, icc_profile=profile, dpi=(72, 72))
    for path in run(source)[1].iterdir():
        with Image.open(path) as image:
            image.load()
            assert set(image.info) == {"kindred"} and not image.getexif()


def test_only_what_changed_is_prepared_again(source):
    rows, images = run(source)
    before = stamps(images)
    (source / "a.jpg").touch()
    assert stamps(run(source)[1]) == before
    picture(9).save(source / "a.jpg")
    again, _ = run(source)
    after = stamps(images)
    assert [name for name in after if after[name] != before[name]] == ["a.png"]
    assert again[0]["pixel_hash"] != rows[0]["pixel_hash"] and again[1:] == rows[1:]


def test_other_settings_prepare_again_and_thresholds_do_not(source):
    _, images = run(source)
    before = stamps(images)
    assert stamps(run(source, ("min_side", 999))[1]) == before
    changed = stamps(run(source, ("resolutions", [64]))[1])
    assert all(changed[name][1] != before[name][1] for name in before)


def test_a_prepared_image_that_somebody_altered_is_made_again(source):
    rows, images = run(source)
    right = (images / "a.png").read_bytes()
    with Image.open(images / "a.png") as image:
        text = image.text["kindred"]
        altered = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    info = PngImagePlugin.PngInfo()
    info.add_itxt("kindred", text)
    altered.save(images / "a.png", pnginfo=info)
    (images / "b.png").write_bytes(b"half of a pict")
    assert run(source)[0] == rows
    assert (images / "a.png").read_bytes() == right


def test_images_of_removed_photos_go_and_strangers_stay(source):
    _, images = run(source)
    picture(5).save(images / "mine.png")
    (source / "c.webp").unlink()
    rows, _ = run(source)
    assert [row["image_id"] for row in rows] == ["a", "b"]
    assert sorted(p.name for p in images.iterdir()) == ["a.png", "b.png", "mine.png"]


def test_all_broken_photos_are_listed_and_nothing_made_is_lost(source):
    _, images = run(source)
    before = stamps(images)
    expected = broken_files(source)
    (source / "b.png").unlink()
    picture(7).save(source / "new.png")
    with pytest.raises(ProblemsError) as caught:
        run(source)
    assert sorted(p.where for p in caught.value.problems) == sorted(expected)
    after = stamps(images)
    assert set(after) == {*before, "new.png"} and all(after[n] == before[n] for n in before)


def test_several_resolutions_share_a_photo_and_have_their_own_ids(source):
    rows, _ = run(source, ("resolutions", [96, 128]))
    assert [r["image_id"] for r in rows] == [f"{s}@{r}" for s in "abc" for r in (96, 128)]
    assert {row["photo"] for row in rows} == {"a", "b", "c"}
    assert not any("duplicate" in kind for row in rows for kind in kinds(row))


def test_warnings_name_what_is_wrong(source):
    picture(4, (40, 30)).save(source / "small.png")
    picture(6, (600, 100)).save(source / "wide.png")
    soft = picture(8, (640, 480)).filter(ImageFilter.GaussianBlur(40))
    soft.save(source / "soft.png")
    rows = {row["image_id"]: row for row in run(source, ("min_side", 64))[0]}
    assert kinds(rows["a"]) == []
    assert kinds(rows["small"]) == ["small", "enlarged"]
    assert kinds(rows["wide"]) == ["cut"]
    assert kinds(rows["soft"]) == ["blurred"]


def test_copies_are_found_and_different_photos_are_not(source):
    original = picture(1)
    (source / "twin.png").write_bytes((source / "b.png").read_bytes())
    buffer = io.BytesIO()
    ImageEnhance.Brightness(original.resize((152, 114))).enhance(1.05).save(buffer, "JPEG")
    (source / "z.jpg").write_bytes(buffer.getvalue())
    rows = {row["image_id"]: row for row in run(source)[0]}
    assert kinds(rows["twin"]) == ["duplicate"] and kinds(rows["z"]) == ["near-duplicate"]
    assert "b.png" in rows["twin"]["warnings"][0]["what"]
    assert [kinds(rows[name]) for name in "abc"] == [[], [], []]


def test_sub_folders_are_read_and_their_name_is_in_the_id(source):
    (source / "JRussell").mkdir()
    picture(3).save(source / "JRussell" / "a.jpg")
    (source / ".hidden.jpg").write_text("x")
    (source / "x.truth.json").write_text("{}")
    rows, _ = run(source)
    assert [row["image_id"] for row in rows] == ["JRussell-a", "a", "b", "c"]
    assert rows[0]["source"] == "JRussell/a.jpg"


def test_useless_files_are_named(source, capsys):
    (source / "clip.mov").write_bytes(b"x")
    (source / "IMG_1.CR2").write_bytes(b"x")
    (source / "dataset.toml").write_text("num_repeats = 10")
    run(source)
    told = capsys.readouterr().err
    assert "dataset.toml: settings of another tool, not followed" in told
    assert "clip.mov: neither photo nor captions" in told and "IMG_1.CR2: a raw photo" in told


def test_the_program_ends_with_status_1_and_no_stack_trace(source):
    broken_files(source)
    program = Path(preprocess.__file__)
    out = ["--images-dir", str(source.parent / "i"), "--out", str(source.parent / "i.json")]
    done = subprocess.run(
        [sys.executable, str(program), "--spec", "{}", "--source", str(source), *out],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and not (source.parent / "i.json").exists()
    assert "8 of 11 photos can't be used" in done.stderr and "Traceback" not in done.stderr


def test_leftovers_of_a_killed_run_are_swept_up(source):
    _, images = run(source)
    (images / ".tmp-half.png").write_bytes(b"half")
    run(source)
    assert sorted(p.name for p in images.iterdir()) == ["a.png", "b.png", "c.png"]


def test_photos_that_would_share_an_id_are_refused(source):
    picture(3).save(source / "A.png")
    with pytest.raises(ProblemsError, match=r"A\.png and a\.jpg"):
        check_ids(scan(source))


def test_a_missing_or_empty_folder_is_said(tmp_path):
    with pytest.raises(KindredError, match="no such folder"):
        scan(tmp_path / "nope")
    with pytest.raises(KindredError, match=r"contains no photo"):
        scan(tmp_path)


def test_difference_hash_survives_compression_and_tells_pictures_apart():
    hashes = [image_quality.difference_hash(picture(seed)) for seed in range(6)]
    buffer = io.BytesIO()
    picture(2).resize((100, 80)).save(buffer, "JPEG", quality=60)
    with Image.open(buffer) as worse:
        pairs = image_quality.near_copies([*hashes, image_quality.difference_hash(worse)], 8)
    assert [(i, j) for i, j, _ in pairs] == [(2, 6)]


def test_sharpness_falls_with_blur():
    image = picture(1, (256, 192))
    values = [
        image_quality.sharpness(image.filter(ImageFilter.GaussianBlur(radius)))
        for radius in (0, 1, 3)
    ]
    assert values[0] > 4 * values[1] > 4 * values[2] > 0


def test_links_to_nothing_and_braces_are_said_together(source):
    (source / "gone.jpg").symlink_to(source / "nowhere.jpg")
    picture(4).save(source / "{x}.png")
    with pytest.raises(ProblemsError) as caught:
        check_inputs(scan(source))
    told = {problem.where: problem.what for problem in caught.value.problems}
    assert set(told) == {"gone.jpg", "{x}.png"}
    assert "link" in told["gone.jpg"] and "brace" in told["{x}.png"]
