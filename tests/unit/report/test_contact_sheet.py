"""Contact sheets: layout, pages, what manifests become, and the programs."""

import json

import pytest
from PIL import Image

import contact_sheet as sheet_program
from kindred.common.errors import KindredError, ProblemsError
from kindred.data.dataset_photos import read_photos
from kindred.rendering.manifest import read_manifest
from kindred.report.contact_sheet import Sheet, SheetRow, draw_sheet, pages
from kindred.report.image_text import fit_within, text_width, wrap
from kindred.report.sheet_contents import comparison, likeness
from kindred.specs.report import SheetSpec

CHARACTERS = {
    "J": {"name": "JRussell", "class": "man"},
    "A": {"name": "ARussell", "class": "woman"},
}


def colour(index):
    return (40 + 20 * index % 200, 200 - 15 * index % 200, 90)


def tile(index, size=(32, 48)):
    return Image.new("RGB", size, colour(index))


def grid(rows, columns, **more):
    lines = [
        SheetRow(f"row {r}", [tile(r * columns + c) for c in range(columns)]) for r in range(rows)
    ]
    return Sheet("Title", [f"seed {c}" for c in range(columns)], lines, cell=60, **more)


def position(page, wanted):
    """x, y of the first pixel of a colour, or None."""
    pixels = page.load()
    return next(
        ((x, y) for y in range(page.height) for x in range(page.width) if pixels[x, y] == wanted),
        None,
    )


def test_pictures_stand_in_their_row_and_column():
    page = draw_sheet(grid(2, 3))
    at = [[position(page, colour(r * 3 + c)) for c in range(3)] for r in range(2)]
    assert all(at[0][c][0] == at[1][c][0] for c in range(3))
    assert all(at[r][0][1] == at[r][1][1] == at[r][2][1] for r in range(2))
    assert at[0][0][0] < at[0][1][0] < at[0][2][0] and at[0][0][1] < at[1][0][1]


def test_same_sheet_same_bytes():
    assert draw_sheet(grid(2, 2)).tobytes() == draw_sheet(grid(2, 2)).tobytes()


def test_a_place_without_a_picture_stays_empty():
    lines = [SheetRow("a", [tile(0), None]), SheetRow("b", [None, tile(1)])]
    page = draw_sheet(Sheet("t", ["1", "2"], lines, cell=60))
    first, second = position(page, colour(0)), position(page, colour(1))
    assert first[0] < second[0] and first[1] < second[1]


@pytest.mark.parametrize("sections", [False, True])
def test_pages_fit_and_show_every_picture_once(sections):
    sheet = grid(7, 9)
    if sections:
        rows = [SheetRow(r.label, r.pictures, f"part {i // 2}") for i, r in enumerate(sheet.rows)]
        sheet = Sheet(sheet.title, sheet.columns, rows, cell=60)
    parts = pages(sheet, width=420, height=520)
    assert len(parts) > 4
    assert all(part.page == f"page {n} of {len(parts)}" for n, part in enumerate(parts, 1))
    shown = [id(p) for part in parts for row in part.rows for p in row.pictures]
    assert sorted(shown) == sorted(id(p) for row in sheet.rows for p in row.pictures)
    for part in parts:
        drawn = draw_sheet(part)
        assert drawn.width <= 420 and drawn.height <= 520


def test_a_section_moves_to_the_next_page_whole():
    rows = [SheetRow(str(i), [tile(i)], f"part {i // 3}") for i in range(6)]
    sheet = Sheet("Title", ["seed 0"], rows, cell=60)
    parts = pages(sheet, height=draw_sheet(sheet).height - 1)
    assert [[row.label for row in part.rows] for part in parts] == [
        ["0", "1", "2"],
        ["3", "4", "5"],
    ]


def test_a_sheet_that_fits_is_one_page():
    sheet = grid(2, 2)
    assert pages(sheet) == [sheet]


def test_wrap_loses_nothing_and_fits():
    text = "a very-long-variant-name-that-goes-on-and-on and a prompt about JRussell"
    lines = wrap(text, 16, 120)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(text_width(line, 16) <= 120 for line in lines)
    assert lines[1].endswith("-")
    cut = wrap(text, 16, 120, lines=2)
    assert len(cut) == 2 and cut[1].endswith("…") and text_width(cut[1], 16) <= 120


def test_fit_keeps_aspect_and_area_and_limits_enlarging():
    wide, tall = (
        fit_within(Image.new("RGB", (192, 96)), 150),
        fit_within(Image.new("L", (128, 144)), 150),
    )
    assert wide.width == pytest.approx(2 * wide.height, abs=2)
    assert wide.width * wide.height == pytest.approx(tall.width * tall.height, rel=0.03)
    assert fit_within(Image.new("RGB", (20, 20)), 150).size == (30, 30)
    assert fit_within(Image.new("RGB", (2000, 1000)), 100).size == (141, 71)


@pytest.fixture
def manifest(tmp_path):
    """A function that writes a manifest with its pictures: {prompt name: (text, seeds)}."""

    def write(file, prompts, first=0):
        images = []
        for name, (text, seeds) in prompts.items():
            for seed in seeds:
                path = tmp_path / f"store/{file}-{name}-{seed}.png"
                path.parent.mkdir(exist_ok=True)
                tile(first + len(images)).save(path)
                row = {"name": name, "prompt": text, "seed": seed, "width": 32, "height": 48}
                images.append({**row, "key": path.stem, "path": str(path)})
        value = {"prompt_set": "heads", "settings": {"steps": 4, "guidance": 3.5}}
        path = tmp_path / f"{file}.json"
        path.write_text(json.dumps({**value, "adapters": [], "images": images}))
        return path

    return write


HEADS = {
    "J": ("headshot of JRussell", [1, 2]),
    "pair": ("JRussell and ARussell's dog", [1]),
}


def test_variants_stand_under_each_prompt_with_seeds_in_columns(manifest):
    named = [(n, read_manifest(manifest(n, HEADS, i * 3))) for i, n in enumerate(["all", "BASE"])]
    sheet = comparison(named, SheetSpec())
    assert sheet.columns == ["seed 1", "seed 2"]
    assert [(row.section, row.label) for row in sheet.rows] == [
        ("J: “headshot of JRussell”", "all"),
        ("J: “headshot of JRussell”", "BASE"),
        ("pair: “JRussell and ARussell's dog”", "all"),
        ("pair: “JRussell and ARussell's dog”", "BASE"),
    ]
    assert sheet.rows[1].pictures[1].getpixel((0, 0)) == colour(4)
    assert sheet.rows[2].pictures[1] is None
    assert "4 steps" in sheet.subtitle and "guidance 3.5" in sheet.subtitle


def test_one_manifest_shows_its_prompts_in_rows(manifest):
    sheet = comparison([("all · run 1", read_manifest(manifest("m", HEADS)))], SheetSpec())
    assert sheet.title == "all · run 1"
    assert [(row.label, row.section) for row in sheet.rows] == [
        ("J", "“headshot of JRussell”"),
        ("pair", "“JRussell and ARussell's dog”"),
    ]


def test_prompts_and_seeds_can_be_chosen_and_are_checked(manifest):
    named = [("all", read_manifest(manifest("m", HEADS)))]
    sheet = comparison(named, SheetSpec(prompts=["J"], seeds=[2, 9]))
    (row,) = sheet.rows
    assert row.pictures[0].getpixel((0, 0)) == colour(1) and row.pictures[1] is None
    with pytest.raises(KindredError, match=r"no prompt 'piar'. Did you mean 'pair'"):
        comparison(named, SheetSpec(prompts=["piar"]))


def test_pictures_that_are_not_shown_may_be_missing(manifest, tmp_path):
    named = [("all", read_manifest(manifest("m", HEADS)))]
    (tmp_path / "store/m-J-1.png").unlink()
    assert comparison(named, SheetSpec(prompts=["pair"])).rows
    with pytest.raises(ProblemsError, match=r"m\.json: 1 of 3 missing .*Draw them again"):
        comparison(named, SheetSpec())


@pytest.fixture
def photos(tmp_path):
    """images.json, captions.jsonl and photos: two of J alone, one of J and A."""
    who = {"both": ["A", "J"], "jim1": ["J"], "jim2": ["J"], "nobody": []}
    for index, name in enumerate(who):
        tile(10 + index).save(tmp_path / f"{name}.png")
    small = {"image_id": "jim1@16", "photo": "jim1", "width": 16, "height": 16}
    rows = [{"image_id": n, "photo": n, "width": 32, "height": 48} for n in who]
    (tmp_path / "images.json").write_text(json.dumps([*rows, small]))
    who["jim1@16"] = ["J"]
    rows = [json.dumps({"id": name, "characters": letters}) for name, letters in who.items()]
    (tmp_path / "captions.jsonl").write_text("\n".join(rows))
    return tmp_path


def test_photos_stand_beside_renderings_of_that_character_alone(manifest, photos):
    named = [("all", read_manifest(manifest("m", HEADS)))]
    images = json.loads((photos / "images.json").read_text())
    captions = [json.loads(x) for x in (photos / "captions.jsonl").read_text().splitlines()]
    spec = SheetSpec(characters=CHARACTERS, photos=2)
    sheet = likeness(named, spec, read_photos(images, captions, photos))
    assert [(row.section, row.label) for row in sheet.rows] == [
        ("JRussell, man", "all · J"),
        ("ARussell, woman", "no prompt names only this one"),
    ]
    shown = [[p and p.getpixel((0, 0)) for p in row.pictures] for row in sheet.rows]
    assert shown[0] == [colour(11), colour(12), colour(0), colour(1)]
    assert shown[1] == [colour(10), None, None, None]
    assert draw_sheet(sheet).height > 100


def test_program_writes_pages_and_removes_those_of_an_earlier_sheet(manifest, tmp_path):
    out = tmp_path / "sheets/heads.all.png"
    out.parent.mkdir()
    (out.parent / "heads.all.page2.png").touch()
    (out.parent / "heads.all-2.png").touch()
    many = {"J": ("headshot of JRussell", list(range(40)))}
    arguments = ["--manifest", f"all={manifest('many', many)}", "--out", str(out)]
    assert sheet_program.main(["--spec", '{"title":"Heads"}', *arguments]) == 0
    names = sorted(path.name for path in out.parent.iterdir())
    assert names[:2] == ["heads.all-2.png", "heads.all.page2.png"]
    first = out.read_bytes()
    sheet_program.main(["--spec", '{"title":"Heads","seeds":[1]}', *arguments])
    assert sorted(p.name for p in out.parent.iterdir()) == ["heads.all-2.png", "heads.all.png"]
    sheet_program.main(["--spec", '{"title":"Heads"}', *arguments])
    assert out.read_bytes() == first


def test_program_says_what_is_wrong(manifest, tmp_path):
    out = ["--out", str(tmp_path / "x.png")]
    path = manifest("m", HEADS)
    with pytest.raises(KindredError, match="Write it as LABEL=FILE"):
        sheet_program.main(["--spec", "{}", "--manifest", str(path), *out])
    with pytest.raises(KindredError, match="needs --images"):
        spec = json.dumps({"characters": CHARACTERS})
        sheet_program.main(["--spec", spec, "--manifest", f"a={path}", *out])
