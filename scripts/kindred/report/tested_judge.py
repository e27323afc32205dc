"""What a reader is told of how the judge was tested, and how to test it.

Knows the judge as summary.json has it, and people's ratings; computes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.common.sentences import counted
from kindred.evidence.verdict_sentences import never_tested


def judge_test(summary: Mapping[str, Any]) -> str:
    """What the judge was tested with and what came out, in sentences."""
    judge, rated = summary["judge"], _rated(summary)
    if judge["trusted"] is not None:
        reached = "reaches" if judge["trusted"] else "does not reach"
        said = f"It {reached} what it has to on pictures whose answers are known."
    elif not (believed := judge.get("believed")):
        said = never_tested(judge)
    elif any(sum(row.values()) for row in believed["confusion"].values()):
        said = f"It was tested on the reference photos alone. {believed['said']}"
    else:
        said = believed["said"]
    if not rated:
        return said
    photos = counted(rated, "rated picture")
    return f"{said} “Rated by people” says how far it agrees with {photos}."


def untested_here(summary: Mapping[str, Any]) -> bool:
    """Whether neither a test nor people's ratings say how far the judge is right on pictures."""
    return summary["judge"]["trusted"] is None and not _rated(summary)


def _rated(summary: Mapping[str, Any]) -> int:
    """Pictures that people rated and the judge judged."""
    return summary["ratings"]["judge"]["images"] if summary["ratings"] else 0
