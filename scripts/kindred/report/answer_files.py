"""Tables of people's answers to a page, kept up to date while they answer.

Knows the three kinds of pages, their tables' columns and where Snakemake looks for them; knows no
server, and not what answers are used for.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.common.commands import snakemake
from kindred.common.errors import KindredError, did_you_mean
from kindred.common.files import write_text
from kindred.common.written_text import check_text, nfc
from kindred.config.albums import experiment_names
from kindred.config.family_files import family_specs
from kindred.evidence import human_ratings, paired_choices, who_is_it
from kindred.report import rating_page

AGAIN = "reload the page"
LONGEST = 40  # characters of a person's name, as on the pages
LONG = 200  # characters of anything else
Row = dict[str, str]


@dataclass(frozen=True)
class AnswerKind:
    """A kind of page. page: its file. table: between the name of what it is about and '.csv'.
    folder: of config/ where tables lie. asked: the columns that say what was asked; answers: what
    may stand in columns that are answers."""

    page: str
    table: str
    folder: str
    columns: tuple[str, ...]
    asked: tuple[str, ...]
    answers: Mapping[str, tuple[str, ...]]


KINDS = (
    AnswerKind(
        "rating.html",
        "ratings",
        "experiments",
        rating_page.COLUMNS,
        ("key",),
        {"rating": human_ratings.GRADES},
    ),
    AnswerKind(
        "pairs.html",
        "pairs",
        "experiments",
        paired_choices.COLUMNS,
        ("who", "left", "right"),
        {"choice": paired_choices.CHOICES},
    ),
    AnswerKind(
        "who.html",
        "who",
        "families",
        who_is_it.COLUMNS,
        ("key",),
        {"send": ("0", "1"), "clothes": ("", "0", "1")},
    ),
)


@dataclass(frozen=True)
class AnswerFiles:
    """The tables of one page's answers, a file a person. name: of the experiment or the families;
    folder: where the tables lie; command: what reads them."""

    kind: AnswerKind
    name: str
    folder: Path
    command: str = "snakemake"

    def of(self, rater: str) -> list[Row]:
        """A person's answers. Raises KindredError for a table that can't be read."""
        return [row for row in _read(self.file(rater)) if row["rater"] == rater]

    def save(self, rater: str, rows: list[Any]) -> Path:
        """Put a person's answers in the place of those to the same questions; the file, as it is
        then. Raises KindredError, and changes nothing, for what the page can't have sent."""
        new = [self._checked(rater, row) for row in rows]
        file = self.file(rater)
        kept = {self._asked(row): row for row in _read(file)} if file.exists() else {}
        kept |= {self._asked(row): row for row in new}
        text = io.StringIO()
        table = csv.DictWriter(text, self.kind.columns, lineterminator="\n", extrasaction="ignore")
        table.writeheader()
        table.writerows(kept.values())
        write_text(file, text.getvalue(), durable=True)
        return file

    def file(self, rater: str) -> Path:
        """The table that has a person's answers already, or else one of their own."""
        begin = f"{self.name}.{self.kind.table}"
        files = sorted(self.folder.glob(f"{begin}*.csv"))
        own = [file for file in files if any(row["rater"] == rater for row in _read(file))]
        plain = re.sub(r"[^\w-]+", "-", rater.casefold()).strip("-") or "somebody"
        named = self.folder / f"{begin}-{plain}.csv"
        return named if named in own or not own else own[0]

    def _asked(self, row: Mapping[str, str]) -> tuple[str, ...]:
        return row["rater"], *(row.get(column) or "" for column in self.kind.asked)

    def _checked(self, rater: str, row: Any) -> Row:
        """A row as text. Raises KindredError for one that no page sends."""
        if not isinstance(row, Mapping):
            raise KindredError("this answer does not come from the page", self.kind.page, AGAIN)
        told = {name: _text(row.get(name, "")) for name in self.kind.columns} | {"rater": rater}
        wrong = [name for name, known in self.kind.answers.items() if told[name] not in known]
        if wrong or not all(told[name] for name in self.kind.asked):
            raise KindredError("this answer does not come from the page", self.kind.page, AGAIN)
        return told


def answer(files: AnswerFiles, change: Any) -> dict[str, Any]:
    """What a page asks of the server: {rater, rows} to save, {rater} alone to read; its answer.
    Raises KindredError for what the page can't have sent, and where nothing can be written."""
    if not isinstance(change, Mapping) or not isinstance(change.get("rows", []), list):
        raise KindredError("this answer does not come from the page", files.kind.page, AGAIN)
    rater = _text(change.get("rater", "")).strip()
    if not 0 < len(rater) <= LONGEST:
        raise KindredError(
            "the answer has no name", files.kind.page, "enter a short name on the page"
        )
    if "rows" in change:
        return {"file": str(files.save(rater, change["rows"]))}
    return {"file": str(files.file(rater)), "rows": files.of(rater)}


def _text(value: Any) -> str:
    text = nfc(" ".join(str(value).split()))
    check_text(text, "the page's answer")
    if len(text) > LONG:
        raise KindredError("an answer is too long", "the page's answer", AGAIN)
    return text


def _read(file: Path) -> list[Row]:
    """Rows of a table; none where there is no file. Raises KindredError where it can't be read."""
    try:
        with open(file, newline="", encoding="utf-8-sig") as opened:
            rows = list(csv.DictReader(opened))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        cure = "correct it or move it away, so that answers can be saved here"
        raise KindredError(f"can't be read ({error})", str(file), cure) from error
    return [row | {"rater": row.get("rater") or ""} for row in rows]


def answered_page(what: str, pairs: bool, root: Path) -> tuple[Path, AnswerFiles]:
    """The page of an experiment (`pairs`: that of pairs), or by its path; and where its answers
    belong. Raises KindredError where there is none, or none that can save by itself."""
    given = Path(what)
    known = {kind.page: kind for kind in KINDS}
    page = given if given.name in known else Path("results", what, KINDS[pairs].page)
    where, kind = page.as_posix(), known[page.name]
    config, name = root / "config", page.parent.name
    families = family_specs(config) if kind.folder == "families" else {}
    experiments = families[name].families if name in families else name
    cure = f"run `snakemake {snakemake(experiments, where).partition(' ')[2]}`"
    try:
        text = (root / page).read_text(encoding="utf-8")
    except OSError as error:
        described = {**families, **dict.fromkeys(experiment_names(config))}
        if name not in described:
            raise KindredError(
                f"no file config/{kind.folder}/{name}.yaml describes what this page is of",
                where,
                did_you_mean(name, described),
            ) from error
        raise KindredError("is missing", where, cure) from error
    if MARK not in text:
        raise KindredError("is an old page that can't save answers by itself", where, cure)
    return root / page, AnswerFiles(kind, name, config / kind.folder, snakemake(experiments))


MARK = 'meta[name="kindred-server"]'  # what the script of such a page looks for


def served(page: Path, address: str) -> str:
    """The page's HTML, told the server that saves its answers."""
    told = f'<head>\n<meta name="kindred-server" content="{address}">'
    return page.read_text(encoding="utf-8").replace("<head>", told, 1)
