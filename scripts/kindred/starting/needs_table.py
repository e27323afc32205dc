"""README's table of what an experiment with photos takes: card, download, disk, hours, by base.

The figures are those that `new_experiment.py` would say for three people; nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kindred.common.errors import Problems
from kindred.config.base_config import DrawingDefaults
from kindred.config.config_files import ConfigFiles
from kindred.specs.character import Character
from kindred.starting import base_choice
from kindred.starting.base_choice import FittingBase
from kindred.starting.estimates import estimate
from kindred.starting.experiment_text import NewExperiment
from kindred.starting.folder_survey import FolderSurvey

CARDS = (8, 12, 16, 24)  # GiB, of usual cards
SHOWN = (12, 24)  # of which hours are told
HEADINGS = (
    *("base", "smallest card", "download", "disk"),
    *(f"{what}, {gib} GB card" for gib in SHOWN for what in ("one LoRA", "all")),
)


@dataclass(frozen=True)
class Need:
    """What one base takes. card_gib: the smallest of CARDS that it fits; hours: as words, for each
    of SHOWN one training, and all trainings and pictures."""

    base: str
    card_gib: int
    download_gib: float
    disk_gib: float
    hours: tuple[str, ...]

    @property
    def cells(self) -> Sequence[str]:
        """Of its row."""
        sizes = (f"{self.download_gib:.0f} GB", f"{self.disk_gib:.0f} GB")
        return (f"`{self.base}`", f"{self.card_gib} GB", *sizes, *self.hours)


def needs_table(found: Sequence[Need]) -> str:
    """The table, as Markdown."""
    rows = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1))]
    rows += [need.cells for need in found]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def needs(root: Path) -> list[Need]:
    """What each base that is suggested to people takes, those to prefer first: of every model the
    quantization that fits the smallest card. root: holds config/."""
    files = ConfigFiles(root, Problems())
    fitting = {gib: base_choice.fitting_bases(root, gib) for gib in CARDS}
    leanest: dict[str, str] = {}
    for one in (one for gib in sorted(fitting) for one in fitting[gib]):
        files.base(one.name, "--base")
        if files.suggested[one.name]:
            leanest.setdefault(one.base.model, one.name)
    names = sorted(leanest.values(), key=lambda name: files.suggested[name] or 0)
    return [_need(files, name, fitting) for name in names]


def _need(files: ConfigFiles, name: str, fitting: dict[int, list[FittingBase]]) -> Need:
    by_card = {gib: one for gib, all_ in fitting.items() for one in all_ if one.name == name}
    download = files.downloads[name] or 0.0
    found = {
        gib: estimate(one, _experiment(one, files.drawing[name], gib).amounts, gib, download)
        for gib, one in by_card.items()
    }
    steps = {gib: one.recipe.steps for gib, one in by_card.items()}
    hours = tuple(
        _hours(low, high)
        for gib in SHOWN
        for low, high in (
            tuple(step * steps[gib] / 3600 for step in found[gib].step_s),
            found[gib].hours,
        )
    )
    smallest = min(found)
    return Need(name, smallest, download, found[smallest].disk_gib, hours)


def _hours(low: float, high: float) -> str:
    """Least and most, as coarse as they are known."""
    return f"{low:.1g}–{high:.0f} h" if low < 1 else f"{low:.0f}–{high:.0f} h"


def _experiment(base: FittingBase, drawing: DrawingDefaults, gib: int) -> NewExperiment:
    people = {x: Character(name=f"{x}Ours", noun="person") for x in "ACJ"}
    survey = FolderSurvey(characters=people, photos=25, captioned=25, cells={}, guessed=())
    return NewExperiment("ours", "photos/ours", survey, base, drawing, gib)
