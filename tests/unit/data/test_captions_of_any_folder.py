"""Folders nobody tidied up: whatever their names and tables look like, a photo's caption is what
was written for it, or the run stops.

Hypothesis writes folders: photos with names from all of Unicode (both spellings of accents, pairs
that differ in case alone, spaces, dots, quotes, line ends), in folders or not, captioned beside
them or in tables of every form and dialect, with spare columns, by tidy and by careless people. A
captioner stands ready, so that nothing stops only because a caption was not found.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kindred.common.errors import KindredError
from kindred.data import caption_cache
from kindred.data.captioning import caption_images
from kindred.data.photo_folder import check_ids, check_inputs, scan
from kindred.specs.dataset import CaptionSpec

pytestmark = pytest.mark.long

SPEC = CaptionSpec(
    characters={
        "J": {"name": "JRussell", "class": "man"},
        "A": {"name": "ARussell", "class": "woman"},
    },
    captioner={"model": "none"},
)
BY_CAPTIONER = "what a captioner saw"
EXAMPLES = 2000  # about 30 s

# Pieces that have cost people captions, among any text.
# fmt: off
AWKWARD_NAMES = [
    "ada", "Ada", "ADA", "1", "ada ", " ada", "ada.", "ada.jpg", "ada.png", "a da", "a\nb", "x",
    "Zoë", unicodedata.normalize("NFD", "Zoë"), "ZOË", "İda", "ida", "ıda", "ß", "ss", "ﬁ", "fi",
    "a,b", 'a"b', "'ada'", "a;b", "a\tb", "a\\b", "photos", "ada-1", "K", "k", "#1", "=1",
    "readme", "ada-mask", "thumb-ada", "100%", "\u202eada", "a\u2028b", "\ufeffada", "~ada",
]
AWKWARD_TEXTS = [
    "JRussell", "the woman ARussell", " by a wall", ",", ", ", ";", "\t", "\n", "\r\n", '"', '""',
    "'", "  ", "é", "e\u0301", "\u2028", "\x85", "\xa0", "#", "=", "\\", '\\"', "\\n", "0", "7",
    "🙂", "ß", "İ", "{", "}", "|", "a.jpg", '" ', ' "', "1,5", "J", "\ufeff", "\x1c", "\x07",
]
# fmt: on
STEMS = st.one_of(
    st.sampled_from(AWKWARD_NAMES),
    st.text(
        st.characters(exclude_characters="/", exclude_categories=["Cs", "Cc"]),
        min_size=1,
        max_size=6,
    ),
)
FOLDERS = st.one_of(
    st.just(""),
    st.sampled_from(["ada", "Ada", "photos", "a b", "Zoë", "a.b", "JRussell", "a,b"]),
)
SUFFIXES = st.sampled_from([".jpg", ".jpg", ".JPG", ".png", ".jpeg", ".webp"])
PIECES = st.one_of(
    st.sampled_from(AWKWARD_TEXTS),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=4),
)
OTHERS = ["n", "year", "width", "notes", "", "score", "tags"]


@dataclass
class Folder:
    """A folder to be written: photos' names with their captions ('' is none), and the files."""

    captions: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)


def told(text: str) -> str:
    """A caption as it is to be trained: one spelling of accents, single spaces."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def spelt(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def is_another_s(written: str, name: str, names: list[str]) -> bool:
    """Whether a spelling is exactly another photo's, so that who writes it means that one."""
    path = written.replace("\\", "/")
    whole = {spelt(one) for one in names if one != name}
    whole |= {spelt(str(PurePosixPath(one).with_suffix(""))) for one in names if one != name}
    parts = [part for part in path.split("/") if part]
    ends = {spelt("/".join(parts[n:])) for n in range(len(parts))}
    return bool(whole & (ends | {spelt(one.strip()) for one in ends} | {spelt(written)}))


@st.composite
def names_as_written(draw: st.DrawFn, name: str, names: list[str]) -> str:
    """How a person writes a photo's name in a table."""
    path = PurePosixPath(name)
    ways = {
        "path": name,
        "name": path.name,
        "stem": str(path.with_suffix("")),
        "windows": "C:\\Users\\me\\photos\\" + name.replace("/", "\\"),
        "absolute": f"/home/me/photos/{name}",
        "below": f"photos/{name}",
        "dot": f"./{name}",
        "upper": name.upper(),
        "decomposed": unicodedata.normalize("NFD", name),
        "spaces": f" {name} ",
    }
    written = ways[draw(st.sampled_from([*["path"] * 6, *ways]))]
    return name if is_another_s(written, name, names) else written


@st.composite
def csv_tables(draw: st.DrawFn, rows: list[tuple[str, str]]) -> bytes:
    """A CSV of (file name, caption), by a program or by hand."""
    delimiter = draw(st.sampled_from(",,,;\t"))
    style = draw(st.sampled_from(["minimal", "minimal", "all", "spaced", "hand", "backslash"]))
    keys = [
        draw(st.sampled_from(["file_name", "Filename", "image", "File Name"])),
        draw(st.sampled_from(["text", "caption", "Label", "prompt"])),
    ]
    spare = draw(st.lists(st.sampled_from(OTHERS), max_size=2))
    numbers = draw(st.booleans())
    order = draw(st.permutations(range(len(keys) + len(spare))))
    table = [[*keys, *spare]]
    for name, text in rows:
        rest = [
            draw(st.sampled_from(["1", "2.5", "-3"] if numbers else ["", "", "x"])) for _ in spare
        ]
        table.append([name, text, *rest])
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    lines = [[row[n] for n in order] for row in table]
    if style in ("minimal", "all"):
        buffer = io.StringIO(newline="")
        quoting = csv.QUOTE_ALL if style == "all" else csv.QUOTE_MINIMAL
        writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=end)
        writer.writerows(lines)
        text = buffer.getvalue()
    else:
        write = {
            "spaced": lambda one: ' "' + one.replace('"', '""') + '" ',
            "hand": lambda one: one,
            "backslash": lambda one: '"' + one.replace('"', '\\"') + '"',
        }[style]
        if style == "hand":  # who writes so presses Enter for a new row alone
            lines = [[" ".join(one.splitlines()) for one in line] for line in lines]
        text = "".join(delimiter.join(map(write, line)) + end for line in lines)
    gap = draw(st.sampled_from(["", "", end, delimiter * (len(lines[0]) - 1) + end]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    try:
        return (text + gap).encode(encoding)
    except UnicodeEncodeError:  # of a program that would not have saved it so
        return (text + gap).encode("utf-8")


@st.composite
def json_tables(draw: st.DrawFn, rows: list[tuple[str, str]]) -> bytes:
    """JSON lines of (file name, caption)."""
    key = draw(st.sampled_from(["text", "caption", "prompt"]))
    ascii_only = draw(st.booleans())
    lines = []
    for name, text in rows:
        value = draw(st.sampled_from([text, text, text, text, [text], {"en": text}]))
        record = {"file_name": name, key: value, "n": draw(st.sampled_from([1, None, "x"]))}
        line = json.dumps(record, ensure_ascii=ascii_only)
        if draw(st.integers(0, 9)) == 0:  # said twice in one object
            line = line[:-1] + f', "{key}": "w0 of another"}}'
        lines.append(line)
    return ("\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))).encode("utf-8")


@st.composite
def folders(draw: st.DrawFn) -> Folder:
    """A folder of one to five photos, most with a caption."""
    count = draw(st.integers(1, 5))
    names: list[str] = []
    for _ in range(count):
        folder, name = draw(FOLDERS), draw(STEMS) + draw(SUFFIXES)
        path = f"{folder}/{name}" if folder else name
        if not name.startswith(".") and len(name.encode()) < 200 and path not in names:
            names.append(path)
    written: dict[str, str] = {}
    for number, name in enumerate(names):
        pieces = "".join(draw(st.lists(PIECES, max_size=4)))
        pieces = pieces.lstrip("\ufeff")  # at a file's beginning it is the mark of its encoding
        written[name] = f"{pieces} w{number}" if draw(st.booleans()) else f"w{number}{pieces}"
        if draw(st.integers(0, 9)) == 0:
            written[name] = ""
    made = Folder(written)
    whole_name = draw(st.booleans())
    tables: dict[str, list[str]] = {}
    for name in names:
        if not written[name]:
            continue
        form = draw(st.sampled_from(["sidecar", "csv", "csv", "tsv", "jsonl", "folder.csv"]))
        if form == "sidecar":
            path = PurePosixPath(name)
            beside = name if whole_name else str(path.with_suffix(""))
            made.files[beside + draw(st.sampled_from([".txt", ".txt", ".caption"]))] = written[
                name
            ].encode()
        else:
            folder = str(PurePosixPath(name).parent)
            place = f"{folder}/" if form == "folder.csv" and folder != "." else ""
            ending = "csv" if form == "folder.csv" else form
            tables.setdefault(f"{place}captions.{ending}", []).append(name)
    for table, own in tables.items():
        rows = []
        for name in own:
            if "/" in table:
                rows.append((PurePosixPath(name).name, written[name]))
            else:
                rows.append((draw(names_as_written(name, names)), written[name]))
        write = json_tables if table.endswith(".jsonl") else csv_tables
        made.files[table] = draw(write(rows))
    return made


def write(made: Folder, root: Path) -> list[str]:
    """Write a folder; the photos that the file system took."""
    for name, content in made.files.items():
        put(root / name, content)
    return [name for name in made.captions if put(root / name, b"not opened here")]


def put(path: Path, content: bytes) -> bool:
    """Write a file unless the file system refuses its name; whether it did."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except (OSError, ValueError):
        return False
    return True


def captions_of(root: Path) -> dict[str, tuple[str, str]]:
    """Photo's name -> (caption, author), as the steps before training read them. Raises
    KindredError where they stop."""
    found = scan(root)
    check_ids(found)
    check_inputs(found)
    images = [
        {
            "image_id": photo.id,
            "photo": photo.id,
            "source": photo.name,
            "height": 1,
            "pixel_hash": "0",
        }
        for photo in found.photos
    ]
    rows = caption_images(images, SPEC, root, root, root / "none")
    sources = {image["image_id"]: image["source"] for image in images}
    return {sources[row["id"]]: (row["caption"], row["author"]) for row in rows}


@pytest.fixture
def described(monkeypatch):
    """A captioner that sees the same in all photos."""
    monkeypatch.setattr(
        caption_cache, "describe_all", lambda images, *_: dict.fromkeys(images, BY_CAPTIONER)
    )


def test_a_caption_is_what_was_written_for_its_photo_or_the_run_stops(tmp_path, described):
    outcomes: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(made=folders())
    def holds(made: Folder) -> None:
        root = tmp_path / f"{outcomes.total()}" / "photos"
        try:
            outcomes[outcome(made, root)] += 1
        finally:
            shutil.rmtree(root.parent, ignore_errors=True)

    holds()
    assert outcomes["captioned"] > EXAMPLES / 5, outcomes  # else it says little


def outcome(made: Folder, root: Path) -> str:
    """What became of a folder. Raises AssertionError for a caption that is not its photo's."""
    if not write(made, root):
        return "no photo"
    try:
        found = captions_of(root)
    except KindredError:
        return "stopped"
    for name, (caption, author) in found.items():
        expected = told(made.captions[name])
        assert caption == expected if author == "file" else not expected, (name, made)
    return "captioned"
