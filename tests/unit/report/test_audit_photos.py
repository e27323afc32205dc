"""Photos on the audit page: beside what is said of them, each once, with links; on a phone too."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest
from browser import browser
from drawn_faces import DrawnFaces, draw

import audit
import caption
import preprocess
from kindred.report import audit_photos
from kindred.report.audit_photos import begins_with
from kindred.starting.who_is_who import who_is_who

WHO = {
    "J": {"name": "Jorvek", "class": "man"},
    "A": {"name": "Amitas", "class": "woman"},
    "C": {"name": "Celbon", "class": "child"},
}
CAPTIONS = {
    "summer 1: beach/a.png": ("J", "the man Jorvek by the sea, who looks at the ships"),
    "b.png": ("A", "the woman Amitas in a room with many windows"),
    "c.png": ("JA", "the man Jorvek in front of a wall of bricks"),
    "d.png": ("J", "the child Celbon and nobody else at all"),
}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Makes the page of a small folder, with or without photos; returns its path."""
    root = tmp_path_factory.mktemp("audited")
    photos, dataset = root / "photos/ours", root / "resources/ours"
    for n, (name, (letters, _)) in enumerate(CAPTIONS.items()):
        draw(photos / name, letters, 3 * n)
    rows = [f'"{name}","{text}"\n' for name, (_, text) in CAPTIONS.items()]
    (photos / "captions.csv").write_text("file,text\n" + "".join(rows))
    people = [":".join(who.values()) for who in WHO.values()]
    found = who_is_who(photos, DrawnFaces(), people, root / "faces")
    for name, (letters, _) in CAPTIONS.items():
        for face, letter in enumerate(letters):
            found.decide(name, face, letter)
    found.save()
    where = ["--images-dir", str(dataset / "images")]
    images, captions = str(dataset / "images.json"), str(dataset / "captions.jsonl")
    small = json.dumps({"resolutions": [128], "min_side": 64})
    preprocess.main(["--spec", small, "--source", str(photos), *where, "--out", images])
    spec = {"characters": WHO}
    told = ["--spec", json.dumps(spec), "--source", str(photos), "--images", images, *where]
    caption.main([*told, "--out", captions])

    def make(**more):
        folder = root / "results/e/audit"
        given = ["--spec", json.dumps(spec | more), "--images", images, "--captions", captions]
        out = ["--out", str(folder / "ours.json"), "--page", str(folder / "ours.html")]
        assert audit.main([*given, "--photos", str(photos), *out]) == 0
        return folder / "ours.html"

    return make


def test_a_line_begins_with_the_longest_name_of_a_photo():
    sources = frozenset({"a", "a b.png", "a b.png c.png"})
    assert begins_with("a b.png c.png: is blurred", sources) == "a b.png c.png"
    assert begins_with("a b.png", sources) == "a b.png"
    assert begins_with("a b.pngs", sources) == "a"
    assert begins_with("beach", sources) == ""


def test_photos_stand_beside_what_is_said_of_them_and_lead_to_their_files(page, tmp_path):
    path = page()
    with browser(tmp_path) as window:
        window.open(path)
        assert window.run("document.querySelector('.state').textContent").find("Not ready") > 0
        assert window.run("document.querySelectorAll('.people-shown > div').length") == 3
        lines = window.run(
            "[...document.querySelectorAll('.finding.warning li')].map(one =>"
            " [one.innerText, one.querySelector('a.photo')?.getAttribute('href'),"
            " getComputedStyle(one.querySelector('a.photo') || one).backgroundImage.slice(0, 30)])"
        )
        said = [line for line in lines if "Amitas can be seen" in line[0]]
        assert said[0][1] == "../../../photos/ours/c.png" and "data:image/webp" in said[0][2]
        links = window.run("[...document.querySelectorAll('a.photo')].map(one => one.href)")
        files = {Path(unquote(link.removeprefix("file://"))) for link in links}
        assert len(files) == 4 and all(file.is_file() for file in files)
        assert window.errors() == []
    text = path.read_text()
    assert text.count("data:image/webp") == 4, "each once, wherever it is shown"


def test_on_a_phone_nothing_reaches_beyond_the_screen(page, tmp_path):
    with browser(tmp_path) as window:
        phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        window.devtools("Emulation.setDeviceMetricsOverride", **phone)
        window.open(page())
        window.run("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert window.run("document.documentElement.scrollWidth") == 360
        beyond = "one => one.getBoundingClientRect().right > 360.5"
        assert window.run(f"[...document.querySelectorAll('body *')].filter({beyond}).length") == 0
        first = "document.querySelector('.state h2').getBoundingClientRect().bottom"
        assert window.run(first) < 740, "ready or not is on the first screen"


def test_hidden_photos_are_not_in_the_page(page):
    text = page(hide_photos=True).read_text()
    assert "data:image" not in text and "photos/ours" not in text and "Amitas can be seen" in text


def test_photos_that_are_gone_have_no_picture(page, monkeypatch):
    monkeypatch.setattr(audit_photos, "MOST", 2)
    text = page().read_text()
    assert text.count("data:image/webp") == 2 and "windows" in text
