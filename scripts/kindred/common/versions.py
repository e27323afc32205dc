"""The version of what each step does, and the revision of the code that did it.

A step's version is part of the key of everything that it makes, and the param by which Snakemake
sees that it is stale. Raise it when the step's results change, and only then: renaming, moving and
rewriting code make nothing stale. tests/golden fails where results change and a version does not.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Protocol

VERSIONS = {
    # From photos and captions to encoded training data.
    "draw": 1,
    "preprocess": 2,
    "caption": 3,
    "audit": 22,
    "masks": 1,
    "compose": 1,
    "encode_images": 1,
    "encode_text": 1,
    "class_images": 1,
    # From training data to verdicts.
    "train": 1,
    "render": 1,
    "bring_in": 1,
    "face_detail": 2,
    "ceiling": 2,
    "compare_steps": 2,
    "references": 2,
    "calibrate": 1,
    "image_vectors": 1,
    "score": 4,
    "compare": 13,
    "power": 4,
    "families": 5,
    # What people look at.
    "sheet": 1,
    "curves": 2,
    "live": 3,
    "rating": 5,
    "pairs": 5,
    "report": 37,
    "families_report": 4,
    "families_rating": 5,
    "send_table": 2,
    # The lab's own models.
    "lab_draw": 1,
    "lab_identities": 1,
    "lab_text": 1,
    "lab_vae": 1,
    "lab_latents": 1,
    "lab_base": 1,
    "lab_judge": 1,
    "lab_captioner": 1,
    # What steps work with: a change of one of these makes stale what it had a part in. That of a
    # base model's architecture stands in its own facts.
    "blip": 1,
    "dealt": 2,  # which caption an image gets in that control
}


class Versioned(Protocol):
    """What has a name and a version of its own: an architecture of base models."""

    name: str
    version: int


def step_version(step: str, *parts: str | Versioned) -> str:
    """A step's version with those of the architecture, judge or captioner that it works with, as
    one text: 'score 1, blip 1'. Raises KeyError for what has none."""
    return ", ".join([f"{step} {VERSIONS[step]}", *map(part_version, parts)])


def part_version(part: str | Versioned) -> str:
    """'blip 1'. Raises KeyError for a name that has none."""
    return f"{part} {VERSIONS[part]}" if isinstance(part, str) else f"{part.name} {part.version}"


# Of what was made before revisions were written down.
UNRECORDED = "unrecorded"
# Set by Snakemake's main process for the programs that it starts.
REVISION_VARIABLE = "KINDRED_CODE_REVISION"


@cache
def code_revision() -> str:
    """The last commit that changed scripts/, '-dirty' behind it where files there were changed
    since; 'unknown' without git.

    Provenance: it stands in headers and lists, and in no key. Commits that touch other files alone,
    configuration above all, make no other revision.
    """
    if REVISION_VARIABLE in os.environ:
        return os.environ[REVISION_VARIABLE]
    commit = _git("log", "-1", "--format=%h", "--abbrev=12", "--", ".")
    if not commit:
        return "unknown"
    return commit + ("-dirty" if _git("status", "--porcelain", "--", ".") else "")


def _git(*arguments: str) -> str:
    """What git says of scripts/; '' where there is no git, or no repository."""
    here = Path(__file__).parents[2]
    try:
        found = subprocess.run(
            ["git", *arguments], cwd=here, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip()
