"""What a published page says of its experiment's log: claims and changes, and which versions of the
drawn people and of composites it shows.

Knows entries of a log; reads no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kindred.common.chained_log import Entry
from kindred.common.versions import VERSIONS
from kindred.evidence import amendments

# Steps whose versions a page names; base and judge are named by their hashes.
DRAWN_BY = {"draw": "People are drawn", "compose": "composites made"}


def versions_now() -> dict[str, int]:
    """What is noted in the log when an experiment is published."""
    return {step: VERSIONS[step] for step in DRAWN_BY}


def log_of(entries: Sequence[Entry], runs: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """What a page says of its log. runs: those published, by variant."""
    said = {"made": made_by(entries), "entries": counted(entries)}
    return {**amendments.summed_up(entries, runs), **said}


def counted(entries: Sequence[Entry]) -> str:
    """How many declarations and changes a log has, and when they were written, in words."""
    shown = [one for one in entries if one["kind"] in ("declared", "amended", "published")]
    if not shown:
        return ""
    counts = Counter(one["kind"] for one in shown)
    late = sum(one["kind"] == "amended" and one["seen"] == "results" for one in shown)
    said = [f"declared {times(counts['declared'])}", f"amended {times(counts['amended'])}"]
    said[1] += f" ({late} of them when results had been seen)" if late else ""
    said.append(f"published {times(counts['published'])}")
    first, last = (one["time"][:10] for one in (shown[0], shown[-1]))
    return f"From {first} to {last}: {', '.join(said)}."


def times(count: int) -> str:
    """'once', '3 times'."""
    return "once" if count == 1 else f"{count} times" if count else "never"


def made_by(entries: Sequence[Entry]) -> str:
    """Which drawn people and composites were published last, in words; '' where nothing was."""
    published = [one for one in entries if one["kind"] == "published"]
    if not published:
        return ""
    if "versions" not in published[-1]:  # they were not noted from the start
        return f"Drawn people and composites are those of revision {published[-1]['commit']}."
    numbers = published[-1]["versions"]
    said = [f"{words} by version {numbers[step]}" for step, words in DRAWN_BY.items()]
    return f"{', '.join(said)} of their steps."
