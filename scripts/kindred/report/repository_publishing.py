"""Publishing a finished experiment: its page of the repository with tables and sheets, or an
archive of all that this needs, for another machine.

Knows which files are read and written, and what may be shown; pages and sheets are made by others.
"""

from __future__ import annotations

import csv
import os
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common.chained_log import Entry, packed_path, read_log
from kindred.common.errors import KindredError, Problems
from kindred.common.experiment_log import entry_of, log_path, note_runs
from kindred.common.files import atomic_write, write_csv, write_text
from kindred.common.sentences import counted
from kindred.config.declaration import alike, declaration_of
from kindred.config.load_plan import load_plan
from kindred.config.plan import Experiment, Plan
from kindred.evidence import amendments
from kindred.evidence.preregistration import Found, preregister, runs_looked_at
from kindred.rendering.image_store import ImageStore
from kindred.report import (
    measure_notes,
    publication_checks,
    published_tables,
    repository_pages,
    repository_sheets,
)
from kindred.report.published_labels import with_todays_labels
from kindred.report.published_log import log_of, versions_now
from kindred.report.report_data import (
    Place,
    check_keys,
    images_of,
    in_page_order,
    read_pictures,
    read_versioned,
)
from kindred.report.scrambled import beside, reading, scrambled_of
from kindred.scoring.score_table import read_scores
from kindred.training.start_marker import trainings_begun

EXPLORATORY = "exploratory"
Json = Mapping[str, Any]
Scores = Mapping[Place, Mapping[str, str]]


@dataclass(frozen=True)
class Folders:
    """Where things lie: `root` holds config/, `store` the pictures."""

    root: Path = Path(".")
    results: Path = Path("results")
    store: Path = Path("resources/store/images")
    docs: Path = Path("docs/findings")


class NotDrawn(Exception):
    """Why there is no sheet; no mistake of anybody's."""


def draw_sheets(
    folder: Path, out: Path, store: ImageStore, summary: Json, verdicts: Json, scores: Scores
) -> list[dict[str, Any]]:
    """Write out/<prompt_set>.webp; what the page says of each. Where pictures are not in the store
    the sheet of an earlier time is kept, and a note says so. Sheets of other prompt sets go.

    Raises ProblemsError where the pictures are not those that were scored.
    """
    shown = []
    wanted = repository_sheets.sets_shown(summary, verdicts)
    for old in out.glob("*.webp"):
        if old.stem not in wanted:
            old.unlink()
    for prompt_set in wanted:
        path = out / f"{prompt_set}.webp"
        try:
            data, said = draw_sheet(folder, store, summary, prompt_set, scores)
            with atomic_write(path) as temporary:
                temporary.write_bytes(data)
        except NotDrawn as why:
            kept = path.is_file()
            how = "left as it is" if kept else "left out"
            print(f"note: {path} is {how}: {why}", file=sys.stderr)
            if not kept:
                continue
            said = repository_pages.columns_said(out.parent / "README.md", prompt_set)
        shown.append({"prompt_set": prompt_set, "columns": said})
    return shown


def bases_shown(variants: Mapping[str, Json]) -> list[str]:
    """The bases that variants were trained or drawn on."""
    found = {one["base"] for one in variants.values()}
    return sorted(found.union(*(one.get("drawn_on", {}).values() for one in variants.values())))


def variants_shown(summary: Json) -> dict[str, Any]:
    """Every variant that has runs, in the page's order; a sheet shows the first run of each."""
    return {name: one for name, one in in_page_order(summary).items() if one["runs"]}


def choose(
    folder: Path, store: ImageStore, summary: Json, prompt_set: str, scores: Scores
) -> tuple[list[repository_sheets.Column], dict[Place, Path]]:
    """A sheet's columns and the files of its pictures. Raises NotDrawn, and ProblemsError where the
    pictures are not those that were scored."""
    runs = [(name, one["runs"][0]) for name, one in variants_shown(summary).items()]
    try:
        pictures, _ = read_pictures(folder, runs, [prompt_set])
    except KindredError as error:
        raise NotDrawn(error) from None
    check_keys(scores, pictures, folder)
    # Only some may have been brought from another machine.
    lost = {place[3:] for place, row in pictures.items() if not store.has(row.key)}
    seeds: dict[str, dict[int, None]] = {}
    for _, _, _, name, seed in pictures:
        if (name, seed) not in lost:
            seeds.setdefault(name, {})[seed] = None
    if not seeds:
        raise NotDrawn(f"no prompt's pictures are all in {store.root}")
    prompts = list(summary["prompt_sets"][prompt_set]["prompts"])
    columns = repository_sheets.columns_of(
        prompts, {name: list(own) for name, own in seeds.items()}
    )
    keys = {place: row.key for place, row in pictures.items() if place[3:] in columns}
    return columns, {place: store.path(key) for place, key in keys.items()}


def draw_sheet(
    folder: Path, store: ImageStore, summary: Json, prompt_set: str, scores: Scores
) -> tuple[bytes, list[str]]:
    """The sheet as WebP, and a line about each of its prompts. Raises as `choose` does."""
    columns, files = choose(folder, store, summary, prompt_set, scores)
    title = f"{prompt_set} by every variant"
    sheet = repository_sheets.sheet_of(title, columns, variants_shown(summary), prompt_set, files)
    drawn = repository_sheets.small_webp(sheet)
    if drawn is None:
        raise NotDrawn(f"too many variants for {repository_sheets.BYTES // 1000} kB")
    data, kept = drawn
    names = dict.fromkeys(columns[n][0] for n in kept)
    texts = {n: p["text"] for n, p in summary["prompt_sets"][prompt_set]["prompts"].items()}
    return data, [f"{name}: “{' '.join(texts[name].split())}”" for name in names]


def report_of(folder: Path) -> str:
    """The report's words. Raises KindredError where it is not written yet."""
    try:
        return (folder / "report.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KindredError("no such file", f"{folder}/report.md", "run `snakemake`") from None


def needed(name: str, folders: Folders) -> Iterator[Path]:
    """The files that `publish` reads of an experiment. Raises KindredError where figures or report
    are missing; sheets whose pictures are not there are noted and left out."""
    folder = folders.results / name
    report_of(folder)
    summary = read_versioned(folder / "summary.json")
    verdicts = read_versioned(folder / "verdicts.json")
    scores = images_of(read_scores(folder / "scores.csv"))
    for file in ("report.md", "summary.json", "verdicts.json", "scores.csv"):
        yield folder / file
    log = log_path(name, folders.root)
    others = (folder / "power.json", log, packed_path(log))
    yield from (path for path in others if path.is_file())
    for prompt_set in repository_sheets.sets_shown(summary, verdicts):
        try:
            _, files = choose(folder, ImageStore(folders.store), summary, prompt_set, scores)
        except NotDrawn as why:
            print(f"note: {name}: no pictures of {prompt_set}: {why}", file=sys.stderr)
            continue
        for variant, one in variants_shown(summary).items():
            yield folder / variant / f"run-{one['runs'][0]}" / "images" / f"{prompt_set}.json"
        yield from files.values()


def pack(names: Sequence[str], out: Path, folders: Folders) -> str:
    """Write what all pages need into one archive, with paths from the root; what was written, in a
    line. Raises KindredError for a file that is not below it."""
    root = os.path.abspath(folders.root)
    named: dict[Path, Path] = {}
    for path in (path for name in names for path in needed(name, folders)):
        # As it is called, not as links resolve: folders of results often lie on another disk.
        full = Path(os.path.abspath(path))
        if not full.is_relative_to(root):
            raise KindredError(
                f"is not below {root}", str(path), "set --root to a folder that contains it"
            )
        named[full.relative_to(root)] = full
    with (
        atomic_write(out) as temporary,
        tarfile.open(temporary, "w:xz", dereference=True) as archive,
    ):
        for name, full in named.items():
            archive.add(full, name)
    size = out.stat().st_size / 2**20
    return f"{out}: {counted(len(named), 'file')}, {size:.1f} MiB"


def publish(name: str, folders: Folders, why: str = "") -> Path:
    """Write docs/findings/<experiment>, and into the log that it is published; its page. What was
    changed and not logged yet is logged first, with `why`.

    Raises ProblemsError, with everything at once for which it is not published.
    """
    plan = load_plan(folders.root, {"experiments": [name]})
    experiment = plan.experiments[name]
    folder, out = folders.results / name, folders.docs / name
    summary = read_versioned(folder / "summary.json")
    verdicts = read_versioned(folder / "verdicts.json")
    rows = [row for row in read_scores(folder / "scores.csv") if row["kind"] == "image"]
    report = report_of(folder)
    variants = in_page_order(summary)
    lines_of_runs = published_tables.of_runs(rows, variants)
    problems = Problems(f"{name} is not published")
    publication_checks.check_may_be_shown(plan, experiment, summary, problems)
    # What is not published changes nothing in the log.
    log = log_path(name, folders.root)
    entries = read_log(log) if problems else stated_now(plan, experiment, folders, why)
    parts = (experiment, folder, summary, verdicts, lines_of_runs, report, entries)
    publication_checks.check(publication_checks.Publication(*parts), problems)
    problems.raise_if_any()
    runs = runs_looked_at(folder)
    figures = publication_checks.figures_of(lines_of_runs)
    noted = {"figures": figures, "versions": versions_now()}
    now = entry_of("published", runs, **noted)
    told = amendments.summed_up([*entries, now], runs)
    verdicts = with_labels(verdicts, told["exploratory"])
    sheets = draw_sheets(
        folder, out / "pictures", ImageStore(folders.store), summary, verdicts, images_of(rows)
    )
    lines = published_tables.of_verdicts(verdicts, variants, read_table(out / "verdicts.csv"))
    trained = [one for one in variants.values() if one["kind"] == "trained"]
    values = {
        "experiment": name,
        "variants": len(variants),
        "runs": sum(len(one["runs"]) for one in trained),
        "pictures": len(rows),
        "bases": bases_shown(variants),
        "verdicts": [one | beside_scrambled(one, variants) for one in lines],
        "scrambled": scrambled_of(variants),
        "sheets": sheets,
        "configs": alike(folders.root / "config", name),
        "log": told,
        "casts": bool(summary.get("casts")),
    }
    page = repository_pages.page(report, values)
    write_csv(out / "runs.csv", published_tables.RUNS, lines_of_runs)
    write_csv(out / "prompts.csv", *published_tables.of_prompts(rows, variants))
    columns, casts = published_tables.of_casts(variants)
    if casts:
        write_csv(out / measure_notes.CASTS, columns, casts)
    write_csv(out / "verdicts.csv", published_tables.VERDICTS, lines)
    write_text(out / "README.md", page)
    note_runs(log, "published", runs, **noted)
    write_log(name, folders)
    return out / "README.md"


def stated_now(plan: Plan, experiment: Experiment, folders: Folders, why: str) -> list[Entry]:
    """The experiment's log, with what is declared as it is now; [] where nothing is claimed."""
    if not experiment.hypotheses:
        return []
    now = declaration_of(plan, experiment, folders.root / "config", why)
    results = folders.results / experiment.name
    found = Found(trainings_begun(results), runs_looked_at(results))
    return preregister(log_path(experiment.name, folders.root), now, found)


def with_labels(verdicts: Json, exploratory: Json) -> Json:
    """Verdicts, those of exploratory hypotheses called so."""
    called = {"label": EXPLORATORY, "label_words": EXPLORATORY.capitalize()}
    hypotheses = {
        name: {**one, **called} if name in exploratory else one
        for name, one in verdicts["hypotheses"].items()
    }
    return {**verdicts, "hypotheses": hypotheses}


def write_log(name: str, folders: Folders) -> Path:
    """Write into a page that is published what the log says by now; the page. Raises KindredError
    where there is none, or none with such a section."""
    path = folders.docs / name / "README.md"
    if not path.is_file():
        raise KindredError(
            "this page does not exist yet", str(path), "publish the experiment first"
        )
    entries = read_log(log_path(name, folders.root))
    log = log_of(entries, published_runs(folders.docs / name / "runs.csv"))
    page = path.read_text(encoding="utf-8")
    write_text(path, repository_pages.with_log(page, log, name, str(path)))
    return path


def relabel(docs: Path) -> list[Path]:
    """Label everything that is published by the rules of today; the pages that changed."""
    pages = []
    for path in sorted(docs.glob("*/verdicts.csv")):
        runs, prompts = (read_table(path.with_name(f"{name}.csv")) for name in ("runs", "prompts"))
        before = read_table(path)
        lines = with_todays_labels(before, runs, prompts)
        if lines == before:
            continue
        kept = [{key: line[key] for key in published_tables.VERDICTS} for line in lines]
        write_csv(path, published_tables.VERDICTS, kept)
        page = path.with_name("README.md")
        text = page.read_text(encoding="utf-8")
        write_text(page, repository_pages.with_labels(text, kept))
        pages.append(page)
    return pages


def read_table(path: Path) -> list[dict[str, str]]:
    """The lines of a published table; [] where there is none."""
    if not path.is_file():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def published_runs(path: Path) -> dict[str, list[int]]:
    """Variant -> its runs in a runs.csv."""
    found: dict[str, set[int]] = {}
    for line in read_table(path):
        found.setdefault(line["variant"], set()).add(int(line["run"]))
    return {name: sorted(runs) for name, runs in found.items()}


def beside_scrambled(line: published_tables.Line, variants: Mapping[str, Json]) -> dict[str, str]:
    """What the variant of a hypothesis reads, and the scrambled control by the same measure; '–'
    where there is none."""
    place = line["variant"], line["measure"], line["prompt_set"]
    without = scrambled_of(variants, line["variant"]) is None
    return {
        "reads": reading(variants[line["variant"]], *place[1:]),
        "scrambled": "–" if without else beside(variants, *place),
    }


def write_index(docs: Path, root: Path) -> Path:
    """The list of everything that is published, below a text of your own, all of it labelled by the
    rules of today, each page with a note of its measure; where it lies. root: holds config/."""
    relabel(docs)
    measure_notes.write_notes(docs, root)
    path = docs / "hypotheses.md"
    before = path.read_text(encoding="utf-8") if path.is_file() else None
    write_text(path, repository_pages.index(docs, before))
    return path
