"""What a folder holds: photos, captions, and what is neither, each told by its reason."""

import os
import time

import pytest

from kindred.common.errors import ProblemsError
from kindred.data.photo_folder import (
    PHOTOS,
    as_inputs,
    check_inputs,
    dated_in_future,
    scan,
)

JXL = b"\x00\x00\x00\x0cJXL \r\n\x87\n"


def folder(tmp_path, *names, **contents):
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return scan(tmp_path)


def told(source):
    return {one.path.relative_to(source.root).as_posix(): one.why for one in source.left_out}


@pytest.mark.parametrize(
    "bin_", ["#recycle", "$RECYCLE.BIN", "@Recycle", "@eaDir", "lost+found", "__MACOSX", ".trash"]
)
def test_bins_of_systems_are_passed_over(tmp_path, bin_):
    found = folder(tmp_path, "a.jpg", f"{bin_}/b.jpg", f"{bin_}/b.txt")
    assert [photo.name for photo in found.photos] == ["a.jpg"]
    assert found.left_out == [] and found.sidecars == []


@pytest.mark.parametrize(
    "mask",
    ["ada-masklabel.png", "ada.mask.png", "ada_mask.png", "mask_ada.png", "ada-depth.png",
     "ada_thumb.jpg", "Ada-Mask.PNG", "ada-preview.jpg"],
)  # fmt: skip
def test_masks_and_thumbnails_beside_photos_are_no_photos(tmp_path, mask):
    found = folder(tmp_path, "ada.jpg", mask, "ada.txt", mask.rsplit(".", 1)[0] + ".txt")
    assert [photo.name for photo in found.photos] == ["ada.jpg"]
    assert told(found)[mask].startswith("belongs to the photo 'ada'")
    assert [path.name for path in found.sidecars] == ["ada.txt"]


def test_a_photo_that_is_called_like_a_mask_is_one_where_it_is_nobody_s(tmp_path):
    found = folder(tmp_path, "party-mask.jpg", "mask_ball.jpg", "sub/ada-mask.png", "ada.jpg")
    assert len(found.photos) == 4 and found.left_out == []


def test_photos_that_lie_too_deep_are_counted(tmp_path):
    found = folder(tmp_path, "a.jpg", "ada/2024/1.jpg", "ada/2024/2.heic", "ada/2024/x/3.png")
    (deep,) = found.left_out
    assert deep.count == 3 and deep.path.name == "2024"
    assert "3 photos lie in a folder of a folder" in str(deep) and "Move them up" in str(deep)


@pytest.mark.parametrize(
    ("name", "start", "kind"),
    [("b.jxl", b"", ".jxl"), ("b.jp2", b"", ".jp2"), ("b.JPG_large", b"\xff\xd8\xff\xe0", "JPEG"),
     ("b.bin", JXL, "JPEG XL"), ("b.jpe", b"", ".jpe"), ("b", b"\x89PNG\r\n", "PNG")],
)  # fmt: skip
def test_pictures_of_kinds_that_are_not_read_are_said_to_be_pictures(tmp_path, name, start, kind):
    (tmp_path / name).write_bytes(start)
    found = folder(tmp_path, "a.jpg", "a.txt", "b.txt")
    assert told(found)[name] == f"a picture of a kind that is not read ({kind})"
    assert [path.name for path in found.sidecars] == ["a.txt"], "its caption is no orphan"


@pytest.mark.parametrize("name", ["a<b>.jpg", "a{b}.jpg", "<Ada>/a.jpg", "x>y.txt"])
def test_signs_of_snakemake_in_names_are_told_at_the_start(tmp_path, name):
    found = folder(tmp_path, "ok.jpg", name)
    with pytest.raises(ProblemsError, match=r"Rename it without \{ \} < >"):
        check_inputs(found)


def test_names_that_are_no_text_are_told_escaped(tmp_path):
    found = folder(tmp_path, "ok.jpg")
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb") as file:
        file.write(b"x")
    (tmp_path / "two\nlines.jpg").write_bytes(b"x")
    found = scan(tmp_path)
    with pytest.raises(ProblemsError) as raised:
        check_inputs(found)
    said = str(raised.value)
    assert (
        r"caf\udce9.jpg" in said and r"two\nlines.jpg" in said and len(raised.value.problems) == 2
    )
    said.encode("utf-8")


def test_names_with_other_ends_of_lines_are_names(tmp_path):
    check_inputs(folder(tmp_path, "a\u2028b.jpg", "a\u0085b.png"))


def test_dates_in_the_future(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")
    assert not dated_in_future(path) and not dated_in_future(tmp_path / "none")
    os.utime(path, (time.time() + 86400,) * 2)
    assert dated_in_future(path)


def test_files_dated_in_the_future_stand_in_a_record(tmp_path):
    record = tmp_path / "made" / "record.json"
    files = [tmp_path / name for name in ("a.jpg", "b.jpg")]
    for path in files:
        path.write_bytes(b"x")
    assert as_inputs(files, record) == [str(path) for path in files] and not record.exists()
    os.utime(files[0], (time.time() + 86400,) * 2)
    assert as_inputs(files, record) == [str(files[1]), str(record)]
    written = record.stat().st_mtime_ns
    as_inputs(files, record)
    assert record.stat().st_mtime_ns == written, "nothing changed, so nothing is made anew"
    files[0].write_bytes(b"another")
    os.utime(files[0], (time.time() + 86400,) * 2)
    as_inputs(files, record)
    assert record.stat().st_mtime_ns > written


def test_every_kind_that_is_read_is_no_unread_one(tmp_path):
    found = folder(tmp_path, *(f"a{n}{suffix}" for n, suffix in enumerate(sorted(PHOTOS))))
    assert len(found.photos) == len(PHOTOS) and found.left_out == []
