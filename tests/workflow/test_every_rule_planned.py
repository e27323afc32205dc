"""A job of whatever rule does what was submitted: planned again when it starts, it has the same
command, inputs, outputs and log, whatever became of config/ meanwhile."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator

import pytest
import workspace as support
from workspace import EXPERIMENT_FILE, Workspace, copy_repository, set_up

from kindred.workflow import frozen_plan

pytestmark = [pytest.mark.workflow, pytest.mark.long]
# They name files, print or look at nodes, and make nothing of the configuration.
MAKE_NOTHING = {
    *("all", "ceiling", "families", "figures_to_send", "lab_models", "power"),
    *("trained_together", "drawn_together", "scored_together", "check_cluster"),
}
FAMILIES = """
title: Of one
families: [family]
hypotheses:
  heads:
    {claim: More heads., variant: composed, against: scrambled, measure: cast, prompt_set: casts}
"""
PARTS = {
    "lab": (
        "family",
        *("lab_models", "families", "results/family/pairs.html", "figures_to_send", "all"),
        *("trained_together", "drawn_together", "scored_together", "check_cluster"),
    ),
    "steps": ("steps,preservation", "all"),
    "elsewhere": ("tiny", "all"),
}


def summary(place: Workspace, experiments: str, *targets: str, **variables: str) -> set[str]:
    """A line for each file that rules make: rule, log, inputs, command."""
    mode = ("--mode", "remote") if variables else ()
    command = place.command("--nolock", "--detailed-summary", *mode, *targets)
    done = subprocess.run(
        [*command, "--config", f"experiments=[{experiments}]"],
        cwd=place.root,
        env=support.environment() | variables,
        capture_output=True,
        text=True,
        timeout=support.TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()[1:]]
    # Without date, status and what is to be done.
    return {"\t".join([row[0], *row[2:6]]) for row in rows if len(row) > 5}


def rules_of(rows: set[str]) -> set[str]:
    """Names of the rules in a summary; a dataset's name at the end is cut off."""
    names, known = {row.split("\t")[1] for row in rows}, all_rules()
    return {name if name in known else name.split("_")[0] for name in names}


def all_rules() -> set[str]:
    texts = [path.read_text("utf-8") for path in (support.REPOSITORY / "rules").glob("*.smk")]
    return set(re.findall(r"^ *rule (\w+):", "\n".join(texts), re.M)) - MAKE_NOTHING


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Workspace]]:
    """The shipped experiments with claims about families, and one with pictures made elsewhere."""
    folder = tmp_path_factory.mktemp("planned")
    shipped = copy_repository(folder / "shipped")
    (shipped.root / "lab").symlink_to(support.REPOSITORY / "lab")
    for old in (shipped.root / "config/families").glob("*.yaml"):
        old.unlink()
    (shipped.root / "config/families/one.yaml").write_text(FAMILIES, encoding="utf-8")
    tiny = Workspace(folder / "tiny")
    set_up(tiny.root)
    (tiny.root / "config/judges/tiny.yaml").write_text("kind: photo\n")
    (tiny.root / "theirs").mkdir()
    photo = tiny.root / "photos/J-01.jpg"
    (tiny.root / "theirs/J-1.jpg").write_bytes(photo.read_bytes())
    theirs = "judge: tiny\nsamples: {prompts: [a man]}\nvariants:\n  theirs: {pictures: theirs}\n"
    theirs += "  fine: {from: both, face_detail: {}}\n"
    tiny.replace(EXPERIMENT_FILE, "variants:\n", theirs)
    yield {"lab": shipped, "steps": shipped, "elsewhere": tiny}


def test_every_rule_is_planned_from_the_copy(places: dict[str, Workspace]):
    found: set[str] = set()
    for part, (experiments, *targets) in PARTS.items():
        place, config = places[part], places[part].root / "config"
        planned = summary(place, experiments, *targets)
        found |= rules_of(planned)
        taken = frozen_plan.FrozenPlan.take(config, {"experiments": experiments.split(",")})
        copy = taken.write(place.root / frozen_plan.PLANS)
        away = config.rename(place.root / "away")
        try:
            variables = {frozen_plan.VARIABLE: str(copy.relative_to(place.root))}
            again = summary(place, experiments, *targets, **variables)
        finally:
            away.rename(config)
        assert again == planned and len(again) > 10, sorted(again ^ planned)[:4]
    assert all_rules() <= found, all_rules() - found
