"""Steps too few to see every photo and batches larger than all of them: said while planning."""

import pytest
import small_config

from kindred.config.load_plan import load_plan
from kindred.config.photo_amounts import takes_all
from kindred.specs.training import Selection

DRAWN = "{lab: {family: russell, coverage: {J: 4, A: 3}}}"


@pytest.fixture
def root(tmp_path, base):
    """A folder with a configuration, its base the tiny one, and five photos."""
    small_config.write(tmp_path, str(base))
    for number in range(5):
        (tmp_path / f"photos/{number}.jpg").touch()
    return tmp_path


def told(root, variants, dataset="{source: photos}"):
    small_config.write_experiment(root, variants)
    path = root / "config/experiments/one.yaml"
    text = path.read_text().replace("{source: photos}", dataset)
    path.write_text(text.replace("  J: {", "  A: {name: ARussell, class: woman}\n  J: {"))
    return [str(one).split("variants.")[-1] for one in load_plan(root).warnings]


def test_photos_that_no_step_reaches(root):
    (line,) = told(root, "  a: {steps: 2, batch: 2}\n  b: {from: a, rank: 8}\n  c: {steps: 5}\n")
    assert line == (
        "a: sees 4 pictures in 2 steps, but 'ours' has 5, so at least 1 is never seen. "
        "Set `steps` to 3 or more, or choose fewer photos."
    )
    assert told(root, "  a: {steps: 2, batch: 2, gradient_accumulation: 2}\n") == []
    assert told(root, "  a: {steps: 2, batch: 2, total: 4}\n") == [], "the audit knows"
    both = "{source: photos, preprocess: {resolutions: [256, 512]}}"
    assert "'ours' has 10, so at least 1" in told(root, "  a: {steps: 9}\n", both)[0]


def test_of_drawn_photos_too(root):
    assert (
        "'ours' has 7, so at least 5" in told(root, "  a: {steps: 2, balance: repeat}\n", DRAWN)[0]
    )


def test_a_batch_that_is_larger_than_all_photos(root):
    (line,) = told(root, "  a: {batch: 6}\n  b: {batch: 5}\n")
    assert "a: fills batches of 6 from the 5 pictures of 'ours'" in line
    assert line.endswith("Set `batch` to 5 or less.")


@pytest.mark.parametrize(
    ("selection", "all_of_them"),
    [
        ({}, True),
        ({"seed": 3, "balance": "repeat"}, True),
        ({"balance": "drop"}, False),
        ({"characters": ["J"]}, False),
        ({"per_cell": 2}, False),
        ({"kinds": ["photo"]}, False),
    ],
    ids=str,
)
def test_selections_that_take_everything(selection, all_of_them):
    assert takes_all(Selection(**selection)) is all_of_them
