"""What an experiment leaves to keep: a LoRA, the best pictures, a graph that draws more of them;
and which pictures are broken.

Knows the report's data and people's ratings; how it is shown is the templates' part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kindred.common.commands import snakemake
from kindred.common.sentences import counted
from kindred.evidence.adapter_choice import AdapterChoice, choose
from kindred.evidence.human_ratings import mean_ratings, read_ratings
from kindred.evidence.paired_choices import (
    Asked,
    Choice,
    Preference,
    preferences,
    read_choices,
)
from kindred.models.architectures.comfyui import ComfyGraph
from kindred.report.adapter_offer import (
    API,
    WORKFLOW,
    adapter_files,
    comfy_graph,
    offer,
    write_graphs,
)
from kindred.report.best_pictures import BestPicture, best_pictures, prompts_without, write_best
from kindred.report.broken_pictures import broken_pictures
from kindred.report.formatting import share
from kindred.report.next_experiments import Change
from kindred.report.recommendations import Recommendation
from kindred.report.report_data import Place, ReportData
from kindred.specs.report import ReportSpec

SHOWN, NAMED = 12, 8  # pictures and broken ones on the page
CAUSES = {
    "noise": "too high a learning rate, or too few sampling steps",
    "other": "values that are not numbers, from too high a learning rate, or from float16 where a "
    "base needs bfloat16",
}


@dataclass(frozen=True)
class Keeping:
    """What there is to keep. broken: key -> what is the matter with that picture. preferred: letter
    -> the variants whose pictures people chose between, most preferred first."""

    choice: AdapterChoice | None
    best: Sequence[BestPicture]
    broken: Mapping[str, str]
    graph: ComfyGraph | None
    preferred: Mapping[str, Sequence[Preference]] = field(default_factory=dict)

    @property
    def shown(self) -> list[Place]:
        """Places of the pictures that the page shows."""
        return [one.place for one in self.best[:SHOWN]]

    def write(self, path: Path) -> None:
        """The list of pictures at `path`, the pictures and both forms of the graph beside it."""
        write_best(path, self.best)
        write_graphs(path.parent, self.graph)


def look(
    data: ReportData,
    spec: ReportSpec,
    ratings: Sequence[Path],
    opened: bool,
    pairs: Sequence[Path] = (),
) -> Keeping:
    """What there is to keep. ratings, pairs: files of people's ratings, and of their choices of two
    pictures; `opened`: pictures are there, so that broken ones can be found."""
    choice = choose(data.variants, data.scores.values(), spec.order)
    broken = broken_pictures({row.key: row for row in data.pictures.values()}) if opened else {}
    rated = mean_ratings(read_ratings(ratings))
    names = [one.variant for one in choice.contenders] if choice else []
    best = best_pictures(data, names, rated, broken)
    made = None
    if choice and (place := _to_draw(data, choice, best)):
        files = adapter_files(data, spec, choice.leader.variant, choice.run)
        made = comfy_graph(data, spec, files, place)
    return Keeping(choice, best, broken, made, _preferred(data, read_choices(pairs)))


def _preferred(data: ReportData, choices: Sequence[Choice]) -> dict[str, list[Preference]]:
    """Letter -> the variants that were compared. A picture that two share is of the first."""
    pictures: dict[str, tuple[str, Asked]] = {}
    for place, row in data.pictures.items():
        pictures.setdefault(row.key, (place[0], place[2:]))
    found = {}
    for letter in data.characters:
        own = [one for one in choices if one.who == letter]
        if told := preferences(own, pictures):
            found[letter] = told
    return found


def _to_draw(data: ReportData, choice: AdapterChoice, best: Sequence[BestPicture]) -> Place | None:
    """The picture that the graph draws: the leader's best of most people, or else its first."""
    own = (choice.leader.variant, choice.run)
    liked = [one.place for one in best if one.place[:2] == own]
    asked = {(key, name): who for key, name, _, who in data.prompts}
    others = [place for place in data.pictures if place[:2] == own and asked.get(place[2:4])]
    return next(iter([*liked, *others]), None)


def words(data: ReportData, spec: ReportSpec, kept: Keeping) -> dict[str, Any]:
    """What page and Markdown say of it."""
    lacking = prompts_without(data, kept.best) if kept.choice else []
    return {
        **offer(data, spec, kept.choice),
        "graphs": [API, WORKFLOW] if kept.graph else [],
        "base": data.variants[kept.choice.leader.variant]["base"] if kept.choice else "",
        "kept": len(kept.best),
        "lacking": lacking,
        "broken": _broken(data, kept.broken),
        "preferred": {data.names[x]: _in_words(told) for x, told in kept.preferred.items()},
        "pairs_command": snakemake(spec.experiment, f"results/{spec.experiment}/pairs.html"),
    }


def _in_words(told: Sequence[Preference]) -> list[dict[str, str]]:
    """Rows of the table of choices."""
    return [
        {
            "variant": one.variant,
            "share": share(one.share),
            "range": f"{100 * one.low:.0f}–{100 * one.high:.0f}",
            "compared": str(one.compared),
        }
        for one in told
    ]


def _broken(data: ReportData, broken: Mapping[str, str]) -> list[str]:
    """Which pictures are broken, a sentence a kind and variant."""
    found: dict[tuple[str, str], list[str]] = {}
    for (variant, run, prompt_set, prompt, seed), row in data.pictures.items():
        if fault := broken.get(row.key):
            where = f"run {run}, {prompt_set}/{prompt}, seed {seed}"
            found.setdefault((variant, fault), []).append(where)
    told = []
    for (variant, fault), places in found.items():
        more = f"; and {len(places) - NAMED} more" if len(places) > NAMED else ""
        told.append(
            f"“{variant}”: {counted(len(places), 'picture')} {fault} "
            f"({'; '.join(places[:NAMED])}{more})"
        )
    return told


def advice_on_broken(data: ReportData, kept: Keeping) -> list[Recommendation]:
    """What to try where pictures are broken."""
    found = []
    for place, row in data.pictures.items():
        fault, variant = kept.broken.get(row.key), place[0]
        recipe = (data.specs.get(variant) or {}).get("recipe") or {}
        if fault and recipe.get("lr") and variant not in [one.change.of for one in found]:
            change = Change(
                "slower",
                f"Does half the learning rate keep the pictures of {variant} whole?",
                variant,
                {"slower": {"lr": recipe["lr"] / 2}},
            )
            found.append(
                Recommendation(
                    f"Pictures of “{variant}” are broken ({fault}).",
                    "Look at its training curve and test a lower learning rate. If the base's own "
                    "pictures are whole, it is not the drawing.",
                    CAUSES.get(fault, CAUSES["other"]) + ".",
                    change,
                )
            )
    return found
