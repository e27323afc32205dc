"""What a migration of the stores is made of: things to be renamed, and what is said of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from kindred.common.files import make_folder


@dataclass(frozen=True)
class Move:
    """One stored thing under its new key; `write` makes the new file where its text changes too."""

    kind: str
    old: Path
    new: Path
    write: Callable[[Path], None] | None = None

    def apply(self) -> None:
        """Do it; the old name goes when the new one is there."""
        make_folder(self.new.parent)
        if self.write is None:
            self.old.rename(self.new)
            return
        self.write(self.new)
        if self.old != self.new:
            self.old.unlink()


@dataclass
class Migration:
    """What would be done. `there`: kind -> how many are under their new key already. `left`:
    (kind, why) -> how many stay as they are. `unknown`: (kind, code hash) -> when it made what."""

    moves: list[Move] = field(default_factory=list)
    there: Counter[str] = field(default_factory=Counter)
    left: Counter[tuple[str, str]] = field(default_factory=Counter)
    unknown: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    pictures: dict[str, str] = field(default_factory=dict)  # old key -> new key

    def add(self, move: Move) -> None:
        """Note one thing to be renamed, unless its new place is taken."""
        if move.new != move.old and move.new.exists():
            self.there[move.kind] += 1
        else:
            self.moves.append(move)

    def note_unknown(self, kind: str, code: str, path: Path) -> None:
        """Note a thing that other code made."""
        self.unknown.setdefault((kind, code), []).append(path.stat().st_mtime)

    def lines(self) -> list[str]:
        """What a person is told: counts of every kind, and of what stays why."""
        counts = Counter(move.kind for move in self.moves)
        told = [
            f"{kind}: {counts[kind]} to be renamed"
            + (f", {self.there[kind]} already under the new key" if self.there[kind] else "")
            for kind in sorted({*counts, *self.there})
        ]
        told += [f"{kind}: {n} stay: {why}" for (kind, why), n in sorted(self.left.items())]
        for (kind, code), times in sorted(self.unknown.items()):
            first, last = (f"{datetime.fromtimestamp(t, UTC):%Y-%m-%d}" for t in _ends(times))
            told.append(
                f"{kind}: {len(times)} of other code {code}, made {first} to {last}; if that code "
                f"gave the results of today's, add --code {kind}={code}"
            )
        return told


def _ends(times: Iterable[float]) -> tuple[float, float]:
    times = sorted(times)
    return times[0], times[-1]
