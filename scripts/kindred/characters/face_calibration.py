"""How far faces tell the people of one family apart: thresholds, lead, confusions, photos in doubt.

Knows unit vectors of faces by letter and a population of strangers; knows nothing of pixels, ages
or sexes. Everything is measured by leaving each photo out against the others of its person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any

import numpy as np
from scipy.stats import beta

from kindred.common.sentences import listing

Faces = Mapping[str, np.ndarray]  # letter -> [R, D] unit vectors
UNSURE, STRANGER = "unsure", "stranger"
# What a threshold can follow from: the shipped population of strangers, faces that the base itself
# draws, the middle of a stranger's and one's own likeness, the family's other photos.
SHIPPED, DRAWN, HALF, FAMILY = "shipped", "drawn", "half way", "family"
ENOUGH = 60  # faces that the base draws; of fewer the report says so
STRANGERS_PASS, RELATIVES_PASS = 0.01, 0.05  # shares that a threshold lets through
CONFUSED = 0.05  # share of photos that may carry another member's name
IN_DOUBT = 0.6  # likeness to the others of one's name, 0 a stranger, 1 usual, below which it is odd
HALF_WAY = 0.5  # of a stranger's and one's own likeness: no threshold is lower
FEWEST = 3  # photos of which one can be told to be unlike the others
SEPARABLE, INSEPARABLE = 0.20, 0.10  # bounds on the share of confusions between two members


_LATER = ("lines", "drawn")


@dataclass(frozen=True)
class FaceCalibration:
    """How to name faces of one family, and how often that is right.

    stranger: mean cosine of strangers with the references. own: letter -> mean cosine of a photo
    with the person's others. thresholds: letter -> cosine from which a face may be that person.
    lead: how much more identity the best must have than the runner-up. confusion: letter -> answer
    -> photos left out, answers being letters, UNSURE and STRANGER. strangers_named: letter -> share
    of the population that passes. look_alikes: pairs 'A+J' -> 'separable', 'not separable' or
    'too few photos'. lines: letter -> what a threshold can follow from -> cosine; the highest is
    the threshold. drawn: letter -> 'faces' that the base drew and those of them that 'passed'
    before they counted. These two stay out of `as_dict` where no such faces are known.
    """

    stranger: float
    own: dict[str, float]
    thresholds: dict[str, float]
    lead: float
    confusion: dict[str, dict[str, int]]
    strangers_named: dict[str, float]
    look_alikes: dict[str, str]
    strangers: int
    lines: dict[str, dict[str, float]] = field(default_factory=dict)
    drawn: dict[str, dict[str, int]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, numbers rounded to five places."""
        found = _rounded(asdict(self))
        return found if self.drawn else {k: v for k, v in found.items() if k not in _LATER}

    def name(self, cosines: Mapping[str, float]) -> str:
        """Whose face it is by its mean cosine with each person's references: a letter, UNSURE where
        the runner-up is too near, STRANGER below everybody's threshold."""
        passing = [x for x in cosines if cosines[x] >= self.thresholds[x]]
        if not passing:
            return STRANGER
        identity = {x: self.identity(x, cosine) for x, cosine in cosines.items()}
        best = max(passing, key=lambda x: identity[x])
        others = [value for x, value in identity.items() if x != best]
        ahead = not others or identity[best] - max(others) >= self.lead
        return best if ahead else UNSURE

    def identity(self, letter: str, cosine: float) -> float:
        """A cosine on the person's scale: 0 a stranger, 1 another own photo."""
        return (cosine - self.stranger) / (self.own[letter] - self.stranger)


def in_doubt(faces: np.ndarray, stranger: float) -> list[int]:
    """Rows of one name's photos [R, D] that are probably of another person: less like the rest than
    IN_DOUBT, where `stranger` (a cosine) is 0 and the usual pair 1. The worst goes first, then the
    rest is looked at again; of fewer than FEWEST nobody can say which is wrong."""
    left, odd = list(range(len(faces))), []
    cosines = faces @ faces.T
    while len(left) >= FEWEST:
        own = cosines[np.ix_(left, left)]
        usual = float(np.median(own[np.triu_indices(len(left), 1)]))
        likeness = (own.sum(1) - np.diag(own)) / (len(left) - 1)
        worst = int(likeness.argmin())
        if usual <= stranger or likeness[worst] >= stranger + IN_DOUBT * (usual - stranger):
            break
        odd.append(left.pop(worst))
    return sorted(odd)


def calibrate(faces: Faces, strangers: np.ndarray, drawn: Faces | None = None) -> FaceCalibration:
    """What two photos or more of each person tell; `strangers` [S, D] unit vectors. People with one
    photo are left out: they have no scale. drawn: letter -> faces that the base draws of the same
    class noun; of them and of `strangers` the stricter ones count."""
    faces = {letter: rows for letter, rows in sorted(faces.items()) if len(rows) > 1}
    means = {letter: rows.mean(0) for letter, rows in faces.items()}
    left_out = {letter: _left_out(letter, faces, means) for letter in faces}
    own = {x: float(np.mean([row[x] for row in rows])) for x, rows in left_out.items()}
    far = {x: strangers @ mean for x, mean in means.items()}
    stranger = float(np.mean(list(far.values()))) if far else 0.0
    lines = {x: _lines(x, own[x], left_out, far[x], stranger) for x in faces}
    told = {}
    for x in faces:
        cosines = drawn[x] @ means[x] if drawn and x in drawn else np.zeros(0)
        if len(cosines):
            before = max(lines[x].values())
            told[x] = {"faces": len(cosines), "passed": int((cosines >= before).sum())}
            lines[x][DRAWN] = beyond(cosines, STRANGERS_PASS)
    thresholds = {x: max(lines[x].values()) for x in faces}
    found = FaceCalibration(stranger, own, thresholds, 0.0, {}, {}, {}, len(strangers), lines, told)
    found = replace(found, lead=_lead(found, left_out))
    confusion = {
        x: _counts([found.name(row) for row in rows], list(faces)) for x, rows in left_out.items()
    }
    named = {x: float((far[x] >= thresholds[x]).mean()) for x in faces}
    alike = {f"{a}+{b}": _look_alikes(a, b, left_out) for a, b in combinations(faces, 2)}
    return replace(found, confusion=confusion, strangers_named=named, look_alikes=alike)


def _lines(
    letter: str,
    own: float,
    left_out: Mapping[str, list[dict[str, float]]],
    far: np.ndarray,
    stranger: float,
) -> dict[str, float]:
    """What a person's threshold can follow from, as cosines; `far`: of the shipped strangers."""
    lines = {
        SHIPPED: above(far, STRANGERS_PASS),
        HALF: stranger + HALF_WAY * (own - stranger),
    }
    relatives = [row[letter] for x, rows in left_out.items() if x != letter for row in rows]
    return lines | ({FAMILY: above(relatives, RELATIVES_PASS)} if relatives else {})


def _left_out(letter: str, faces: Faces, means: Faces) -> list[dict[str, float]]:
    """Of each photo of one person, its mean cosine with everybody's references without itself."""
    rows, count, result = faces[letter], len(faces[letter]), []
    for row in rows:
        cosines = {x: float(mean @ row) for x, mean in means.items()}
        cosines[letter] = float((means[letter] * count - row) @ row / (count - 1))
        result.append(cosines)
    return result


def above(values: Sequence[float] | np.ndarray, share: float) -> float:
    """The least value that at most this share of values lies above."""
    return float(np.quantile(np.asarray(values), 1 - share, method="higher"))


def beyond(values: Sequence[float] | np.ndarray, share: float) -> float:
    """The least value, in five places, that at most this share of values reaches: of fewer than
    100 and 1 %, a value that none reaches."""
    ordered = np.sort(np.asarray(values))[::-1]
    return float(np.floor(ordered[int(share * len(ordered))] * 1e5 + 1) / 1e5)


def _lead(found: FaceCalibration, left_out: Mapping[str, list[dict[str, float]]]) -> float:
    """The least lead with which at most CONFUSED of all photos carry another member's name."""
    wrong, total = [], 0
    for letter, rows in left_out.items():
        for row in rows:
            total += 1
            identity = sorted((found.identity(x, cosine), x) for x, cosine in row.items())
            if identity[-1][1] != letter:
                wrong.append(identity[-1][0] - identity[-2][0])
    allowed = int(CONFUSED * total)
    wrong.sort(reverse=True)
    return float(np.nextafter(wrong[allowed], np.inf)) if len(wrong) > allowed else 0.0


def _counts(answers: Sequence[str], letters: Sequence[str]) -> dict[str, int]:
    return {answer: answers.count(answer) for answer in (*letters, UNSURE, STRANGER)}


def _look_alikes(one: str, other: str, left_out: Mapping[str, list[dict[str, float]]]) -> str:
    rows = [(x, y, row) for x, y in ((one, other), (other, one)) for row in left_out[x]]
    low, high = bounds(sum(row[y] >= row[x] for x, y, row in rows), len(rows))
    if high <= SEPARABLE:
        return "separable"
    return "not separable" if low > INSEPARABLE else "too few photos"


def bounds(errors: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of a share by Clopper and Pearson (1934)."""
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, errors, count - errors + 1)) if errors else 0.0
    high = float(beta.ppf(1 - tail, errors + 1, count - errors)) if errors < count else 1.0
    return low, high


def sentence(found: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """How far the judge can be believed for these people, of `FaceCalibration.as_dict`."""
    table = found["confusion"]
    total = sum(sum(row.values()) for row in table.values())
    if not total:
        return "Nobody has two photos alone, so how far this judge can be believed is not known."
    right = sum(row[letter] for letter, row in table.items())
    open_ = sum(row[UNSURE] + row[STRANGER] for row in table.values())
    wrong = total - right - open_
    most = bounds(wrong, total)[1]
    said = (
        f"Of {total} photos, each left out in turn, this judge names {right} rightly, {wrong} as "
        f"another member (at most {most:.0%} by a 95 % interval) and leaves {open_} unnamed."
    )
    alike = [pair for pair, verdict in found["look_alikes"].items() if verdict == "not separable"]
    few = [pair for pair, verdict in found["look_alikes"].items() if verdict == "too few photos"]
    for pairs, what in ((alike, "can't be told apart"), (few, "have too few photos to tell")):
        if pairs:
            both = "; ".join(" and ".join(names[x] for x in pair.split("+")) for pair in pairs)
            said += f" {both} {what}."
    return said + _strangers_said(found, names)


def _strangers_said(found: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Which strangers decide, and how many there are; '' where only one population is known."""
    drawn: Mapping[str, Mapping[str, int]] = found.get("drawn", {})
    if not drawn:
        return ""
    counts = listing([f"{one['faces']} for {names[x]}" for x, one in drawn.items()])
    lines = found["lines"]
    bases = [names[x] for x in drawn if lines[x][DRAWN] > lines[x][SHIPPED]]
    shipped = [names[x] for x in drawn if lines[x][DRAWN] <= lines[x][SHIPPED]]
    parts = [f"the base's for {listing(bases)}"] if bases else []
    parts += [f"the shipped ones for {listing(shipped)}"] if shipped else []
    said = (
        f" Strangers are {found['strangers']} shipped faces and faces that the base draws of the "
        f"same class noun ({counts}). The stricter ones count: {listing(parts)}."
    )
    few = [names[x] for x, one in drawn.items() if one["faces"] < ENOUGH]
    return said + (f" For {listing(few)} the base drew fewer than {ENOUGH}." if few else "")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return round(value, 5) if isinstance(value, float) else value
