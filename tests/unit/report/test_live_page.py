"""The page that shows trainings reads what they write, again and again, opened from the disk."""

import json
import time

import pytest
from browser import browser
from PIL import Image
from synthetic import CHARACTERS

import live_page as program
from kindred.common.files import write_json, write_jsonl
from kindred.specs.report import LivePageSpec

PROMPTS = {"two": "JRussell and ARussell <at sea>", "man": "a man"}
TOLD = {
    "run": "all/run-1",
    "state": "training",
    "why": "",
    "warning": "",
    "step": 40,
    "steps": 100,
    "left": 300.0,
    "loss": [[step, 1 / step] for step in range(1, 41)],
    "held_out": [[20, 0.4], [40, 0.3]],
    "pictures": [[20, "two", 1, "samples/step-000020/two-1.png"]],
}


@pytest.fixture
def made(tmp_path):
    """An experiment's folder with its page, and two photos of J and one of A."""
    dataset = tmp_path / "resources/ours"
    names = {"j1": ["J"], "j2": ["J"], "a1": ["A"]}
    images = [{"image_id": name, "photo": name, "width": 48, "height": 64} for name in names]
    (dataset / "images").mkdir(parents=True)
    for name in names:
        Image.new("RGB", (48, 64), "teal").save(dataset / f"images/{name}.png")
    write_json(dataset / "images.json", images)
    rows = [{"id": name, "characters": who} for name, who in names.items()]
    write_jsonl(dataset / "captions.jsonl", rows)
    return tmp_path / "results/one"


def page_of(made, **given):
    told = {"variants": {"all": [1, 2]}, "prompts": PROMPTS, "every": 20, "datasets": ["ours"]}
    spec = LivePageSpec(experiment="one", characters=CHARACTERS, **{**told, **given})
    out, resources = made / "live.html", made.parents[1] / "resources"
    program.main(["--spec", spec.canonical(), "--resources", str(resources), "--out", str(out)])
    return out


def tell(made, **given):
    """What a training writes, and the pictures that it names."""
    told = {**TOLD, "told": round(time.time()), **given}
    folder = made / told["run"]
    for _, _, _, file in told["pictures"]:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48), "orange").save(folder / file)
    (folder / "live.js").write_text(f"live({json.dumps(told)});\n")


def test_it_holds_photos_of_who_is_asked_for_unless_they_are_hidden(made):
    text = page_of(made).read_text()
    assert text.count("data:image/webp") == 3 and "<at sea>" not in text
    assert "data:image/webp" not in page_of(made, hide_photos=True).read_text()
    assert "pictures that they" not in page_of(made, prompts={}, every=0).read_text()


def test_it_shows_what_is_new_by_itself(made, tmp_path):
    page = page_of(made)
    tell(made)
    figures = "document.querySelectorAll('.figures')[{}].textContent"
    pictures = "[...document.querySelectorAll('figure[data-step] img')]"
    with browser(tmp_path) as window:
        window.open(page)
        window.until(f"{pictures}.length === 1 && {pictures}[0].naturalWidth === 64")
        said = window.run(figures.format(0))
        assert said.startswith("step 40 of 100 · 5 min left · loss 0.0250") and "0.3000" in said
        assert window.run(figures.format(1)) == "not started"
        assert window.run("document.querySelector('.prompt p').textContent") == PROMPTS["two"]
        photos = "document.querySelectorAll('.photos img').length"
        assert window.run(photos) == 3
        assert window.run("document.querySelectorAll('svg path.held-out').length") == 1
        newer = [[40, "two", 1, "samples/step-000040/two-1.png"]]
        newer += [[40, "man", 1, "samples/step-000040/man-1.png"]]
        risen = {"state": "failed", "why": "the loss is nan", "warning": "it rises"}
        tell(made, step=60, pictures=[*TOLD["pictures"], *newer], **risen)
        window.until(f"{pictures}.length === 3")
        captions = "[...document.querySelectorAll('.prompt figcaption')].map(x => x.textContent)"
        assert window.run(captions) == ["photos", "step 40", "step 20", "step 40"]
        assert window.run(figures.format(0)).startswith("failed · step 60 of 100")
        assert (
            window.run("document.querySelector('.why').textContent") == "the loss is nan it rises"
        )
        window.devtools(
            "Emulation.setDeviceMetricsOverride",
            **{"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
        )
        assert window.run("document.documentElement.scrollWidth <= 390")
        assert not [said for said in window.errors() if "ERR_FILE_NOT_FOUND" not in said]
