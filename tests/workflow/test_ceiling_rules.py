"""The ceiling of casts in real Snakemake: what it needs, and what makes it anew."""

from __future__ import annotations

import pytest
import tiny_judge
from workspace import EXPERIMENT_FILE, Workspace, copy

from kindred.common.files import read_json
from kindred.scoring.score_table import read_scores

pytestmark = pytest.mark.workflow

PHOTOS = """  ours:
    source: photos
    preprocess: {buckets: [[64, 64]], min_side: 16}
"""
DRAWN = """  ours:
    lab: {family: russell, coverage: {J: 2, A: 1}, scale: 1}
    preprocess: {buckets: [[64, 64]], min_side: 16}
"""
CASTS = """prompt_sets:
  casts:
    casts: {of: [J, A], strangers: false, shapes: [[144, 128], [192, 96]], wordings: 1, pictures: 1}
    steps: 2
"""
SUMMED_UP = [
    "tiny: drawing the casts of casts",
    "tiny: scores of the drawn casts of casts",
    "tiny: the ceiling",
]
MADE = [
    "lab: drawing the photos of ours",
    "photos of ours",
    "captions of ours",
    "tiny: reference photos of everybody",
    *SUMMED_UP,
]


@pytest.fixture
def drawn(started: Workspace, tmp_path) -> Workspace:
    """The workspace with drawn people and casts of them, of which nothing is built."""
    workspace = copy(started, tmp_path / "kindred")
    tiny_judge.build(workspace.root / "judge")
    judge = workspace.root / "config/judges/tiny.yaml"
    judge.parent.mkdir(exist_ok=True)
    judge.write_text("kind: lab\nmodel: judge\n")
    workspace.replace(EXPERIMENT_FILE, PHOTOS, DRAWN)
    workspace.replace(EXPERIMENT_FILE, "prompt_sets:\n", f"judge: tiny\n{CASTS}")
    return workspace


@pytest.mark.long
def test_the_ceiling_needs_photos_and_no_training(drawn: Workspace):
    assert drawn.jobs("ceiling") == sorted(MADE)


@pytest.mark.long
def test_the_ceiling_is_made_and_follows_casts_alone(drawn: Workspace):
    drawn.run("ceiling")
    folder = drawn.root / "results/tiny"
    rows = [row for row in read_scores(folder / "ceiling/scores/casts.csv") if row["asked"]]
    assert sorted(row["cast"] for row in rows) == ["A", "A", "A+J", "A+J", "J", "J"]
    # To a judge that has learned nothing no photo shows anybody alone: nothing can be said.
    assert read_json(folder / "ceiling.json") == {"mean": None, "casts": {}, "pictures": 0}
    assert drawn.jobs("ceiling") == []
    drawn.replace(EXPERIMENT_FILE, "    steps: 2\n", "    steps: 3\n")
    assert drawn.jobs("ceiling") == []
    drawn.replace(EXPERIMENT_FILE, "[192, 96]]", "[192, 96], [128, 144]]")
    assert drawn.jobs("ceiling") == sorted(SUMMED_UP)
