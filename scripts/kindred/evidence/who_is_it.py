"""What people say of who is in a picture, not knowing who was asked for: reading it, how far they
agree, and how far the judge agrees with them.

Knows config/families/<name>.who*.csv, which the page saves: rater, key, who ('A+J', '' for nobody
of the family), others (how many more people), clothes and send (1 yes, 0 no, '' not asked); and
rows of scores. Knows nothing of the page.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from kindred.characters.face_calibration import bounds
from kindred.common.errors import Problems
from kindred.common.sentences import counted
from kindred.evidence.rater_agreement import alpha, nominal
from kindred.evidence.variant_statistics import number

COLUMNS = ("rater", "key", "who", "others", "clothes", "send")
WHO = re.compile(r"([A-Z](\+[A-Z])*)?")
BELIEVED, AT_LEAST = 0.9, 0.8  # of people: the share on which judge and raters agree, and its end
Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """One person's word on one picture. None: not asked, or not answered."""

    rater: str
    key: str
    who: frozenset[str]
    others: int
    clothes: bool | None
    send: bool | None


@dataclass(frozen=True)
class Judged:
    """What the judge says of a picture: who of the `family` is in it, whether it is right; who was
    asked for, and how many others."""

    variant: str
    family: frozenset[str]
    found: frozenset[str]
    right: bool
    asked: frozenset[str]
    others: int

    def is_right(self, answer: Answer) -> bool:
        """Whether somebody saw exactly who was asked for."""
        return answer.who == self.asked and answer.others == self.others


def read_answers(paths: Sequence[Path]) -> list[Answer]:
    """All answers; of the same person on the same picture the last one in a file counts. A name
    that occurs in several files stands for several people, 'me (<file stem>)'.

    Raises ProblemsError naming every line that is none.
    """
    problems = Problems("answers can't be read")
    files = [(path.stem, _read(path, problems)) for path in paths]
    problems.raise_if_any()
    files_of = Counter(name for _, found in files for name in {one["rater"] for one in found})
    last: dict[tuple[str, str], Answer] = {}
    for stem, found in files:
        for one in found:
            name = one["rater"] or "someone"
            name = f"{name} ({stem})" if files_of[one["rater"]] > 1 else name
            last[name, one["key"]] = Answer(
                name,
                one["key"],
                frozenset(filter(None, one["who"].split("+"))),
                int(one["others"]),
                _truth(one["clothes"]),
                _truth(one["send"]),
            )
    return list(last.values())


def _truth(text: str) -> bool | None:
    return {"1": True, "0": False}.get(text)


def _read(path: Path, problems: Problems) -> list[dict[str, str]]:
    again = "save it again from the page"
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if lacking:
                problems.add(str(path), f"has no column {', '.join(lacking)}", again)
                return []
            rows = [{name: (row[name] or "").strip() for name in COLUMNS} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.add(str(path), f"can't be read ({error})", again)
        return []
    found = []
    for line, row in enumerate(rows, 2):
        known = WHO.fullmatch(row["who"]) and row["others"].isdigit() and row["key"]
        if not known or {row["clothes"], row["send"]} - {"0", "1", ""}:
            problems.add(
                f"{path}:{line}", "is not an answer about a picture", f"remove it, or {again}"
            )
        else:
            found.append(row)
    return found


def judged_pictures(rows: Iterable[Mapping[str, str]], letters: Sequence[str]) -> dict[str, Judged]:
    """What the judge says of a family's pictures of cast sets, by key. rows: of its scores."""

    def parts(text: str) -> frozenset[str]:
        return frozenset(filter(None, text.split("+")))

    return {
        row["key"]: Judged(
            row["variant"],
            frozenset(letters),
            parts(row["asked"]) - parts(row["missing"]) | parts(row["unasked"]),
            row["cast_right"] == "1",
            parts(row["asked"]),
            int(row["strangers_asked"]),
        )
        for row in rows
        if row["kind"] == "image" and row["cast_right"]
    }


def who_is_it(answers: Sequence[Answer], judged: Mapping[str, Judged]) -> Json | None:
    """How far people agree, and the judge with them; None without answers. `strange`: pictures
    answered about that are none of these; `arms`: of each variant.

    Of each picture and each person of its family raters say yes or no; where as many say either,
    it is left out beside the judge."""
    known = [one for one in answers if one.key in judged]
    if not known:
        return None
    by_key: dict[str, list[Answer]] = defaultdict(list)
    for one in known:
        by_key[one.key].append(one)
    people = _share(
        (most == (who in judged[key].found))
        for key, given in by_key.items()
        for who in sorted(judged[key].family)
        if (most := _most([who in one.who for one in given])) is not None
    )
    pictures = _share(
        (most == judged[key].right)
        for key, given in by_key.items()
        if (most := _most([judged[key].is_right(one) for one in given])) is not None
    )
    found: Json = {
        "pictures": len(by_key),
        "answers": len(known),
        "raters": sorted({one.rater for one in known}),
        "strange": len({one.key for one in answers} - {*judged}),
        "alpha": _alphas(by_key, judged),
        "judge": {"people": people, "pictures": pictures, "believed": _believed(people)},
        "arms": _arms(by_key, judged),
    }
    return found | {"sentence": _sentence(found)}


def _most(answers: Sequence[bool]) -> bool | None:
    """What more than half say; None where as many say either."""
    yes = sum(answers)
    return None if 2 * yes == len(answers) else 2 * yes > len(answers)


def _share(same: Iterable[bool]) -> Json:
    """How often, with the bounds of Clopper and Pearson at 95 %."""
    values = list(same)
    if not values:
        return {"same": 0, "of": 0, "share": None, "low": None, "high": None}
    low, high = bounds(sum(values), len(values))
    ends = {"low": number(low), "high": number(high)}
    return {"same": sum(values), "of": len(values), "share": number(fmean(values)), **ends}


def _believed(people: Json) -> bool | None:
    if people["share"] is None:
        return None
    return people["share"] >= BELIEVED and people["low"] >= AT_LEAST


def _alphas(by_key: Mapping[str, Sequence[Answer]], judged: Mapping[str, Judged]) -> Json:
    """Of each person's being there, of whether to send it, and of the clothes."""
    present = [
        [int(who in one.who) for one in given]
        for key, given in by_key.items()
        for who in judged[key].family
    ]
    units = {
        "who": present,
        "send": [[int(x.send) for x in own if x.send is not None] for own in by_key.values()],
        "clothes": [
            [int(x.clothes) for x in own if x.clothes is not None] for own in by_key.values()
        ],
    }
    return {name: number(alpha(own, 2, nominal)) for name, own in units.items()}


def _arms(by_key: Mapping[str, Sequence[Answer]], judged: Mapping[str, Judged]) -> Json:
    """Of each variant means over pictures of the means over people."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key, given in by_key.items():
        own = found[judged[key].variant]
        own["right"].append(fmean(judged[key].is_right(one) for one in given))
        own["judged_right"].append(judged[key].right)
        for name in ("send", "clothes"):
            if said := [value for one in given if (value := getattr(one, name)) is not None]:
                own[name].append(fmean(said))
    keys = ("right", "judged_right", "send", "clothes")
    return {
        name: {
            "pictures": len(own["right"]),
            **{key: number(fmean(own[key])) if own[key] else None for key in keys},
        }
        for name, own in sorted(found.items())
    }


def _sentence(found: Json) -> str:
    raters, count = len(found["raters"]), found["pictures"]
    text = f"{counted(raters, 'person')} said who is in {counted(count, 'picture')}"
    if found["alpha"]["who"] is not None:
        text += f"; they agree by an alpha of {found['alpha']['who']:.2f} (Krippendorff)"
    people = found["judge"]["people"]
    if people["share"] is None:
        return f"{text}."
    ends = f"{100 * people['low']:.0f} to {100 * people['high']:.0f} %"
    text += f"; the judge says the same of {100 * people['share']:.0f} % of people ({ends})"
    enough = "believed" if found["judge"]["believed"] else "not believed"
    least = f"{100 * BELIEVED:.0f} % are asked for, and {100 * AT_LEAST:.0f} % at the lower end"
    return f"{text}, so it is {enough}: {least}."
