"""Folders, cards and names that no new experiment can be made for."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest
import shipped_config
from drawn_faces import DrawnFaces, draw
from mistakes import Mistake, of_file, write
from PIL import Image

from kindred.common.errors import Problems
from kindred.data.caption_records import Hint, by_captioner
from kindred.data.captioning import caption_photos
from kindred.data.instructed_captioner import kind_of
from kindred.data.people_file import NAME, PeopleFile, in_characters, read_people
from kindred.data.photo_faces import check_entry
from kindred.judges.interface import Calibration
from kindred.report.answer_files import KINDS, MARK, AnswerFiles, answer, answered_page
from kindred.specs.character import Character
from kindred.specs.dataset import Captioner, CaptionSpec
from kindred.starting import estimates, review_page, review_server
from kindred.starting.base_choice import chosen_base, lab_base
from kindred.starting.folder_survey import survey
from kindred.starting.new_files import new_experiment, refuse_existing, write_files
from kindred.starting.who_is_who import free_letter, who_is_who

LETTERS = [chr(ord("A") + n) for n in range(26)]
ROOT = shipped_config.ROOT


def folder(root: Path, people: list[str], name: str = "") -> object:
    """A look through a folder with one photo."""
    path = root / name / "1.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48)).save(path)
    survey(root, people)
    return None


def closed(root: Path, denied: bool) -> object:
    """A look through a folder that may be read or not."""
    with pytest.MonkeyPatch.context() as patch:
        if denied:
            patch.setattr(Path, "iterdir", _deny)
        return folder(root, ["JRussell:man"])


def _deny(path: Path) -> Iterator[Path]:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def made(root: Path, name: str = "ours", base: str | None = "lab", replaced: bool = True) -> object:
    """An experiment for the folder, written."""
    refuse_existing(name, root, replaced)
    folder(root, ["JRussell:man"])
    new = new_experiment(ROOT, ".", name, survey(root, ["JRussell:man"]), None, base)
    write_files(new, root)
    return None


def again(root: Path, replaced: bool) -> object:
    """The same twice."""
    made(root)
    return made(root, replaced=replaced)


def card(gib: float, base: str | None) -> object:
    """A base chosen for a card."""
    chosen_base(ROOT, gib, base)
    return None


def timed(asked: bool) -> object:
    """Steps of the miniature, timed or not."""
    if asked:
        estimates.timed_steps(lab_base(ROOT), 0)
    return None


def people(text: str) -> str:
    """A people.yaml with one photo."""
    return "people: {J: {name: JRussell, class: man}}\nphotos:\n  a.jpg: " + text + "\n"


def wrong_people(said: str, wrong: str) -> Mistake:
    """A people.yaml with a mistake in it."""
    return of_file(said, NAME, wrong, people(RIGHT), read_people)


def as_characters(name: str) -> object:
    """People of the file as an experiment's, who calls J so."""
    problems = Problems()
    known = {"J": Character.model_validate({"name": "JRussell", "class": "man"})}
    own = {"J": Character.model_validate({"name": name, "class": "man"})}
    in_characters(PeopleFile(known), own, NAME, problems)
    problems.raise_if_any()
    return None


def described(root: Path, text: str) -> list[dict[str, str]]:
    """Notes on what a captioner wrote of J, who stands beside somebody else."""
    who = {"J": ("JRussell", "man"), "A": ("ARussell", "woman")}
    known = {x: Character.model_validate({"name": n, "class": c}) for x, (n, c) in who.items()}
    hint = Hint(["J"], NAME, ("J", ""), (20, 70))
    row = by_captioner("in a park", "captioner", hint, CaptionSpec(characters=known), [text, ""])
    return [one for one in row["warnings"] if one["kind"] == "faces"]


def described_alone(text: str) -> list[dict[str, str]]:
    """Notes on what a captioner wrote of J, a man, who is alone."""
    known = {"J": Character.model_validate({"name": "JRussell", "class": "man"})}
    row = by_captioner(text, "captioner", Hint(["J"], NAME), CaptionSpec(characters=known))
    return [one for one in row["warnings"] if one["kind"] == "class"]


def kind(root: Path, config: str) -> object:
    """The kind of a captioner's folder with this configuration."""
    kind_of(Captioner(model=str(write(root / "model/config.json", config).parent)))
    return None


def judged(root: Path, knows_strangers: bool) -> object:
    """A folder's faces named by a judge."""
    engine = DrawnFaces()
    if not knows_strangers:
        engine.calibration = Calibration()
    who_is_who(draw(root / "ours/1.png", "J", 1).parent, engine, [], root / "faces")
    return None


def rated(root: Path, change: object = None) -> object:
    """An answer on a rating page. change: what is said otherwise."""
    files = AnswerFiles(KINDS[0], "ours", root if root.is_dir() else root.parent)
    return answer(files, {"rater": "me", "rows": []} | (change or {}))


def rating_page(root: Path, text: str | None = "") -> object:
    """A page that is asked for."""
    write(root / "config/experiments/ours.yaml", "title: x\n")
    write(root / "results/ours/rating.html", text)
    return answered_page("ours", False, root)


def reviewed(root: Path, change: object) -> object:
    """A decision on the review page."""
    photos = draw(root / "ours/1.png", "J", 1).parent
    review_page.answer(who_is_who(photos, DrawnFaces(), [], root / "faces"), change)
    return None


def served(port: int) -> object:
    """A server that could or couldn't get a port."""
    with socket.socket() as taken:
        taken.bind((review_server.HOST, 0))
        taken.listen()
        before, review_server.PORT = review_server.PORT, port and taken.getsockname()[1]
        try:
            review_server.ReviewServer(str, str).http.server_close()
        finally:
            review_server.PORT = before
    return None


def stored(root: Path, damaged: bool) -> object:
    """An entry of the store of faces looked at."""
    judged(root, True)
    entry = next((root / "faces").glob("*.npz"))
    if damaged:
        entry.write_bytes(b"half")
    check_entry(entry)
    return None


def placed(root: Path, decided: bool) -> list[dict[str, str]]:
    """Notes on the captions of a folder whose people.yaml leaves a face open or not."""
    draw(root / "1.png", "J", 1)
    write(root / "captions.csv", "file_name,text\n1.png,JRussell\n")
    faces = RIGHT if decided else "{faces: [{who: maybe J, at: [1, 2]}]}"
    write(root / NAME, people(faces).replace("a.jpg", "1.png"))
    spec = CaptionSpec(characters={"J": {"name": "JRussell", "class": "man"}})
    rows = caption_photos({"1.png": {}}, spec, root, root, root / "store")
    return rows["1.png"]["warnings"]


ASKED = {"people": {"J": {"name": "JRussell", "class": "man"}}, "faces": [[0, 0, "J"]]}
RIGHT = "{faces: [{who: J, at: [1, 2]}]}"
MANY = [f"{chr(65 + n)}Russell{n}:man" for n in range(26)] + ["BSmith:man"]
MISTAKES = [
    Mistake("can't tell who is in the photos", lambda root: folder(root, []),
            lambda root: folder(root, ["JRussell:man"])),
    Mistake("can't be read: permission denied", lambda root: closed(root, True),
            lambda root: closed(root, False)),
    Mistake("does not describe a person", lambda root: folder(root, ["J Russell"]),
            lambda root: folder(root, ["JRussell:man:adult"])),
    Mistake("two people are called '", lambda root: folder(root, ["JRussell:man", "JRussell:boy"]),
            lambda root: folder(root, ["JRussell:man", "ARussell:boy"])),
    Mistake("more than 26 people", lambda root: folder(root, MANY),
            lambda root: folder(root, MANY[:-1])),
    Mistake("more than 26 people", lambda _: free_letter(dict.fromkeys(LETTERS), "J"),
            lambda _: free_letter(dict.fromkeys(LETTERS[:-1]), "J")),
    Mistake("can't tell strangers from people whom it knows", lambda root: judged(root, False),
            lambda root: judged(root, True)),
    Mistake("is damaged", lambda root: stored(root, True),
            lambda root: ((root / "faces").exists() and rmtree(root / "faces"),
                          stored(root, False))),
    Mistake("this answer does not come from the", lambda root: rated(root, {"rows": [3]}), rated),
    Mistake("this answer does not come from", lambda root: rated(root, {"rows": [{"key": "k"}]}),
            rated),
    Mistake("this answer does not come from the", lambda root: rated(root, {"rows": 3}), rated),
    Mistake("the answer has no name", lambda root: rated(root, {"rater": ""}), rated),
    Mistake("an answer is too long", lambda root: rated(root, {"rater": "x" * 300}), rated),
    of_file("can't be read (", "ours.ratings-me.csv", b"\xff\xfe", b"rater,key,rating\n", rated),
    Mistake("no file config/experiments/ours.yaml describes what this page is of",
            lambda root: answered_page("ours", False, root),
            lambda root: rating_page(root, MARK)),
    Mistake("is missing", lambda root: rating_page(root, None),
            lambda root: rating_page(root, MARK)),
    Mistake("is an old page that can't save answers by itself", rating_page,
            lambda root: rating_page(root, MARK)),
    Mistake("this decision does not come from the", lambda root: reviewed(root, {"faces": [3]}),
            lambda root: reviewed(root, {})),
    Mistake("this decision does not come from the page", lambda root: reviewed(root, []),
            lambda root: reviewed(root, {})),
    Mistake("page names unknown faces: J",
            lambda root: (reviewed(root, ASKED), reviewed(root, {"people": {"J": None}})),
            lambda root: reviewed(root, ASKED)),
    Mistake("can't be a person's name", lambda root: reviewed(root, {"people": {"J": {}}}),
            lambda root: reviewed(root, {"people": ASKED["people"]})),
    Mistake("the text has more than", lambda root: reviewed(root, {"captions": [[0, "x" * 3000]]}),
            lambda root: reviewed(root, {"captions": [[0, "x"]]})),
    Mistake("can't open a port", lambda _: served(1), lambda _: served(0)),
    Mistake("names who is not there: ARussell; left out",
            lambda root: described(root, "a man with arussell"),
            lambda root: described(root, "a man in a coat")),
    Mistake("the captioner calls JRussell 'woman'; left out",
            lambda _: described_alone("a woman in a coat"),
            lambda _: described_alone("a man in a coat")),
    Mistake("can't be loaded", lambda root: kind(root, "{}"),
            lambda root: kind(root, '{"model_type": "blip"}')),
    Mistake("calls J 'JRussell', but the experiment", lambda _: as_characters("JSmith"),
            lambda _: as_characters("JRussell")),
    Mistake("1 face is not decided", lambda root: placed(root, False),
            lambda root: placed(root, True)),
    wrong_people("can't be read as YAML", people("{faces: [")),
    wrong_people("can't be read as YAML ('a.jpg' stands twice)", people("{}\n  a.jpg: {}")),
    wrong_people("is not a key that belongs here", people("{face: []}")),
    wrong_people("must be keys with values", people("J")),
    wrong_people("must be one capital letter", people("{}").replace("{J:", "{Jo:")),
    wrong_people("must be a list", people("{faces: J}")),
    wrong_people("is not a text", people("{caption: [a]}")),
    wrong_people("does not say where the face is", people("{faces: [{who: J}]}")),
    wrong_people("'K' is not listed under `people`", people("{faces: [{who: K, at: [1, 2]}]}")),
    Mistake("no base can be trained on a card of", lambda _: card(1, None),
            lambda _: card(8, None)),
    Mistake("no file config/bases/klein.yaml", lambda _: card(8, "klein"),
            lambda _: card(8, "klein-4b")),
    Mistake("no training defaults that fit on a card of 6", lambda _: card(6, "klein-4b-distilled"),
            lambda _: card(6, "klein-4b")),
    Mistake("can't be the name of an experiment", lambda root: made(root, "our photos"), made),
    Mistake("Snakemake would read a value", lambda root: made(root, "2024"), made),
    Mistake("there is no NVIDIA GPU here, and the", lambda root: made(root, base=None), made),
    Mistake("already exists", lambda root: again(root, False), lambda root: again(root, True)),
    Mistake("steps can only be timed on a GPU", lambda _: timed(True), lambda _: timed(False)),
]  # fmt: skip
