"""Pages of the repository about finished experiments, and the list of all of them.

Knows the sections of report.md, the tables that are published and what lies under docs/findings;
draws no pictures.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.report import published_verdicts
from kindred.report.published_labels import words_of
from kindred.report.published_sections import body_of, in_short
from kindred.report.published_tables import VERDICTS, Line
from kindred.report.published_verdicts import said, told_of, verdict_table
from kindred.report.templates import fill

MARKER = "<!-- Everything below is written by scripts/publish_results.py. -->"
INTRODUCTION = """# Every hypothesis that was tested

All claims of published experiments, with the label that their figures earned. Each experiment has
a folder with its page, its figures as CSV and a few small pictures.

After `snakemake`, a program writes them from `results/<experiment>`. Run it by hand:

    python scripts/publish_results.py <experiment> ...
"""
CAME_OUT, SHEETS, DECLARED, WHO = (
    "What came out",
    "The same prompts by every variant",
    "What was declared, and what was changed",
    "Does it know who is who?",
)
IN_SHORT = "In short"  # its labels would not follow those of the table
REPEAT = "## How to repeat"
# How pages ended their methods before there was a log.
UNLOGGED = re.compile(r"^Hypotheses declared .*since\.\n?", re.MULTILINE)
UNCLAIMED = "figures, no claims"  # of an experiment without hypotheses
TABLES_SHOWN = 2  # of who is who; the others are folded
LOCAL_ONLY = re.compile(r"^(Repeat it: .*|The page with all pictures, .*)\n?", re.MULTILINE)
# A path from the root, a home or the folder above; neither an address nor a path of the repository.
LOCAL_PATH = re.compile(
    r"""(?<![\w.:/<~])(?:~|\.\.|[A-Za-z]:)?[/\\](?:[^\s/\\`|;,()"']+[/\\])+([^\s/\\`|;,()"']+)"""
)
WORLDS = {"lab": "lab", "flux-dev": "FLUX.1-dev"}  # start of a base's file name -> how it is called


def page(report: str, values: Mapping[str, Any]) -> str:
    """README.md of an experiment out of its report.md and what published.md needs besides.

    Raises KindredError when the report lacks its first section.
    """
    text = LOCAL_PATH.sub(r"\1", LOCAL_ONLY.sub("", report))
    head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    named = {part.partition("\n")[0].strip(): part for part in sections}
    if CAME_OUT not in named:
        raise KindredError(
            f"has no section '{CAME_OUT}'",
            f"results/{values['experiment']}/report.md",
            "run `snakemake`, which writes the report again",
        )
    apart = (CAME_OUT, SHEETS, DECLARED, WHO, IN_SHORT)
    rest = {name: part for name, part in named.items() if name not in apart}
    told, words = told_of(body_of(named[CAME_OUT]), values["verdicts"])
    filled = fill(
        "published.md",
        {
            **values,
            "head": head.strip(),
            "table": verdict_table(values["verdicts"], told),
            "who": _who(named[WHO]) if WHO in named else "",
            "came_out": words,
            "sections": in_short(rest),
        },
    )
    return re.sub(r"\n{3,}", "\n\n", filled).strip() + "\n"


def with_labels(page: str, lines: Sequence[Line]) -> str:
    """A page with the labels of these lines in its table; advice that a decided claim no longer
    needs goes."""
    before, heading, rest = page.partition(f"## {CAME_OUT}\n")
    words, next_heading, more = rest.partition("\n## ")
    return before + heading + published_verdicts.with_labels(words, lines) + next_heading + more


def with_log(page: str, log: Mapping[str, Any], name: str, where: str) -> str:
    """The page of an experiment with its section of the log as the log is now. Raises KindredError
    for a page without a place for it."""
    before, there, rest = UNLOGGED.sub("", page).partition(f"## {DECLARED}\n")
    if there:
        rest = rest[rest.index("\n## ") + 1 :] if "\n## " in rest else ""
    else:
        before, there, rest = before.partition(REPEAT)
        rest = there + rest
    if not rest.startswith(REPEAT):
        raise KindredError("has no section 'How to repeat'", where, "publish the experiment again")
    section = fill("declared-in-short.md", {"log": log, "experiment": name}).strip()
    return f"{before.rstrip()}\n\n## {DECLARED}\n\n{section}\n\n{rest}"


def columns_said(readme: Path, prompt_set: str) -> list[str]:
    """What a page written before says of the columns of a sheet, a line each; [] without one."""
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    after = text.partition(f"](pictures/{prompt_set}.webp)\n")[2].lstrip("\n")
    lines = after.partition("\n\n")[0].splitlines()
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]


def _who(section: str) -> str:
    """What is said of names, without its heading, with all but the first tables folded away."""
    words, *tables = section.partition("\n")[2].split("\n### ")
    shown = "\n### ".join([words, *tables[:TABLES_SHOWN]]).strip()
    if len(tables) <= TABLES_SHOWN:
        return shown
    more = "\n\n".join(f"### {table.strip()}" for table in tables[TABLES_SHOWN:])
    summary = f"<details><summary>{counted(len(tables) - TABLES_SHOWN, 'more table')}</summary>"
    return f"{shown}\n\n{summary}\n\n{more}\n\n</details>"


def read_published(docs: Path) -> dict[str, list[Line]]:
    """Experiment -> lines of its verdicts.csv, of every folder of `docs` that has one. Raises
    KindredError for a file with other columns."""
    found = {}
    for path in sorted(docs.glob("*/verdicts.csv")):
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != VERDICTS:
                raise KindredError("its columns differ from today's", str(path), "publish it again")
            found[path.parent.name] = list(reader)
    return found


def index(docs: Path, before: str | None) -> str:
    """docs/findings/hypotheses.md: what stands above the marker in `before`, then every published
    hypothesis and experiment."""
    published = read_published(docs)
    every = [
        one | {"experiment": name, "said": said(one), "words": words_of(one)}
        for name, lines in published.items()
        for one in lines
    ]
    primary = {
        "heading": "What was asked",
        "words": "Primary hypotheses. Each experiment's page says when they were declared, and how "
        "often they were changed after results had been seen. The interval in brackets decides. "
        "It is corrected after Holm for the primary hypotheses of an experiment.",
        "lines": [one for one in every if one["primary"] == "1"],
    }
    other = {
        "heading": "What else was asked",
        "words": "Other hypotheses, with 95 % intervals that are not corrected for their number.",
        "lines": [one for one in every if one["primary"] != "1"],
    }
    experiments = [
        {
            "name": name,
            "title": _title(docs / name) or name,
            "said": where_run(lines) if lines else UNCLAIMED,
        }
        for name, lines in published.items()
    ]
    written = fill("published-index.md", {"parts": [primary, other], "experiments": experiments})
    written = re.sub(r"\n{3,}", "\n\n", written).replace("\n\n- [", "\n- [").strip()
    written = written.replace("## Experiments\n- [", "## Experiments\n\n- [")
    above = (INTRODUCTION if before is None else before).partition(MARKER)[0].rstrip()
    return f"{above}\n\n{MARKER}\n\n{written}\n"


def where_run(lines: Sequence[Line]) -> str:
    """'lab: of 6 primary hypotheses 4 supported, 2 undecided; FLUX.1-dev: not yet run'."""
    primary = [one for one in lines if one["primary"] == "1"]
    those, word = (primary, "primary hypothesis") if primary else (list(lines), "hypothesis")
    by_world: dict[str, list[Line]] = {world: [] for world in WORLDS.values()}
    for one in those:
        by_world.setdefault(_world(one["base"]), []).append(one)
    parts = []
    for world, own in by_world.items():
        found = Counter(one["label"] for one in own)
        numbers = ", ".join(f"{count} {label}" for label, count in found.items())
        said = f"of {counted(len(own), word)} {numbers}" if own else "not yet run"
        parts.append(f"{world}: {said}")
    return "; ".join(parts)


def _world(base: str) -> str:
    """How the base (or 'a+b') of a verdict is called."""
    return next((name for start, name in WORLDS.items() if base.startswith(start)), base)


def _title(folder: Path) -> str:
    """The heading of an experiment's page."""
    path = folder / "README.md"
    first = path.read_text(encoding="utf-8").partition("\n")[0] if path.is_file() else ""
    return first.removeprefix("# ").strip()
