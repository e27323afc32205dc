"""People of people.yaml whom an experiment does not have: said while planning, once."""

import pytest
import small_config

from kindred.config.load_plan import load_plan
from kindred.data.people_file import NAME

PEOPLE = "people:\n  J: {name: JRussell, class: man}\n"
MORE = "  A: {name: ARussell, class: woman}\n  C: {name: CRussell, class: child}\n"


@pytest.fixture
def root(tmp_path, base):
    """A folder with a configuration of one person, JRussell."""
    return small_config.write(tmp_path, str(base), "  all: {}\n  more: {rank: 8}\n")


def told(root, people):
    (root / "photos" / NAME).write_text(people)
    return [str(one) for one in load_plan(root).warnings]


def test_they_are_named_once_however_many_variants_train_on_the_folder(root):
    (line,) = told(root, PEOPLE + MORE)
    assert "one.yaml" in line and "characters" in line
    assert line.endswith(
        "photos/people.yaml names people who are not in this experiment: ARussell and CRussell; "
        "their faces count as other people's. Add them to `characters`, or ignore this if nobody "
        "should learn them."
    )


def test_nothing_is_said_where_all_are_there_or_nobody_was_asked(root):
    assert told(root, PEOPLE) == []
    assert told(root, "people: {}\n") == []
    (root / "photos" / NAME).unlink()
    assert load_plan(root).warnings == ()


def test_a_character_in_no_photo_is_warned_of_where_captions_and_names_tell_it(root):
    folder = root / "photos"
    for name in ("a", "b"):
        (folder / f"{name}.jpg").touch()
    assert load_plan(root).warnings == ()
    (folder / "captions.csv").write_text("file,text\na.jpg,a man\nb.jpg,another man\n")
    (line,) = [str(one) for one in load_plan(root).warnings]
    assert "one.yaml" in line and "characters.J: going by captions and names of files, no" in line
    assert line.endswith("Add photos, write 'JRussell' in their captions, or remove the character.")
    (folder / "captions.csv").write_text("file,text\na.jpg,the man JRussell\nb.jpg,a man\n")
    assert load_plan(root).warnings == ()


def test_of_a_captioner_s_photos_names_tell_it(root):
    file = root / "config/experiments/one.yaml"
    captioner = "{source: photos, captioner: {model: nobody/blip}}"
    file.write_text(file.read_text().replace("{source: photos}", captioner))
    photo = root / "photos/a.jpg"
    photo.touch()
    assert "no photo of 'ours' shows JRussell" in str(load_plan(root).warnings[0])
    photo.rename(root / "photos/JRussell 1.jpg")
    assert load_plan(root).warnings == ()
