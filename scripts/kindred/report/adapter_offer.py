"""Which LoRA to take, in words: or that it isn't decided, and what would decide; its files, the
command that makes them ComfyUI's, and a graph that draws with them.

Knows an experiment's figures and where adapters lie; whether a choice is decided is
evidence/adapter_choice.py.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from kindred.common.files import write_json
from kindred.common.sentences import counted, listing
from kindred.evidence.adapter_choice import CASTS, AdapterChoice, Contender
from kindred.evidence.verdict_sentences import never_tested
from kindred.models import architectures
from kindred.models.architectures.comfyui import ComfyGraph, graph
from kindred.rendering.manifest import Row, read_manifest
from kindred.report import formatting
from kindred.report.figure_counts import figure_counts
from kindred.report.formatting import share
from kindred.report.next_experiments import more_runs
from kindred.report.report_data import Place, ReportData
from kindred.report.trainings_needed import for_choice
from kindred.specs.comfyui import ComfyPicture
from kindred.specs.report import LoadedAdapter, ReportSpec

API, WORKFLOW = "comfyui-api.json", "comfyui-workflow.json"
# Tools beside ComfyUI -> the format that they read (docs/guide/other-tools.md).
FORMATS = {"ai-toolkit": "ai-toolkit", "kohya’s sd-scripts and musubi-tuner": "kohya"}
RIGHT = {
    CASTS: "exactly the people asked for are there, each once and recognised",
    "success": "everyone asked for is there, once and recognisable, and nobody else",
}


@dataclass(frozen=True)
class AdapterFile:
    """An adapter to load: where it lies from the project's folder, its name in ComfyUI, its weight;
    `trained`: here, so that it has to be exported."""

    path: str
    name: str
    weight: float
    trained: bool


def offer(data: ReportData, spec: ReportSpec, choice: AdapterChoice | None) -> dict[str, Any]:
    """What the page says at its top."""
    if choice is None:
        none = "No LoRA was trained or loaded here, so there is none to take."
        empty = ("counts", "mind", "files", "links", "commands", "open")
        lists: dict[str, Any] = {x: [] for x in empty}
        return {"said": none, "decide": "", "needs": "", **lists}
    files = adapter_files(data, spec, choice.leader.variant, choice.run)
    return {
        "said": _said(choice),
        "counts": figure_counts(data, choice),
        "mind": _mind(data, choice),
        "files": files,
        "links": [_from_page(spec, one.path) for one in files],
        "commands": [_command(data, one) for one in files if one.trained],
        "formats": FORMATS,
        "decide": _decide(spec, choice),
        "needs": for_choice(choice),
        "open": [one.variant for one in choice.open],
    }


def _said(choice: AdapterChoice) -> str:
    """One sentence or two: which, and how sure."""
    if len(choice.tied) > 1:
        return _said_tie(choice)
    leader = choice.leader
    seen = f"in {share(leader.share)} of its pictures {RIGHT[choice.measure]}"
    named = f"“{leader.variant}”" + (f", run {choice.run}" if leader.runs > 1 else "")
    which = f"{named}," if leader.runs > 1 else named
    if choice.useless:
        return (
            f"Take none yet. {which} does best: {seen}. That is not shown to be more than the base "
            f"draws by itself ({_points(choice.over_base)})."
        )
    if len(choice.contenders) == 1:
        return f"Take {named}, the only one there is. {seen[:1].upper()}{seen[1:]}."
    if choice.decided:
        nearest = min(choice.contenders[1:], key=lambda one: one.lead[0] if one.lead else 0.0)
        return (
            f"Take {named}: {seen}. It is ahead of every other variant. The nearest, "
            f"“{nearest.variant}”, is behind by {_points(nearest.lead)}."
        )
    if not choice.open:
        return (
            f"Take {which} for now: {seen}. It is ahead of the others, but single trainings differ "
            "by chance, so it is not decided."
        )
    return (
        f"Take {which} for now; it is not decided. {seen[:1].upper()}{seen[1:]}."
        f"{_perhaps(choice.open)}"
    )


def _said_tie(choice: AdapterChoice) -> str:
    """The same where several are right equally often: which they are, which one is named, why."""
    leader, tied = choice.leader, choice.tied
    said = (
        f"{listing(f'“{one.variant}”' for one in tied)} do equally well: in {share(leader.share)} "
        f"of the pictures of each {RIGHT[choice.measure]}."
    )
    why = _why_named(tied)
    if choice.useless:
        return (
            f"Take none yet. {said} For “{leader.variant}” that is not shown to be more than the "
            f"base draws by itself ({_points(choice.over_base)}). It is the one named here because "
            f"it {why}."
        )
    named = f"“{leader.variant}”" + (f", run {choice.run}," if leader.runs > 1 else "")
    behind = [one for one in choice.open if one not in tied]
    return f"{said} Take {named} for now, because it {why}.{_perhaps(behind)}"


def _why_named(tied: Sequence[Contender]) -> str:
    """Why the first of equal ones is named."""
    first = tied[0]
    alike = [one for one in tied if one.likeness == first.likeness]
    if len(alike) == 1 and first.likeness is not None:
        told = f" (likeness {first.likeness:.2f})"
        return ("is more alike" if len(tied) == 2 else "is the most alike") + told
    fewest = [one for one in alike if one.steps == first.steps]
    if any(one.steps is None for one in alike) or len(fewest) == len(alike):
        return "comes first in the experiment"
    if len(fewest) > 1:
        return "comes first in the experiment of those that were trained for the fewest steps"
    return "was trained for fewer steps" if len(tied) == 2 else "was trained for the fewest steps"


def _perhaps(rivals: Sequence[Contender]) -> str:
    """' Perhaps as good: …', at most three; '' of nothing."""
    if not rivals:
        return ""
    others = listing(f"“{one.variant}” ({_ahead(one)})" for one in rivals[:3])
    more = f" and {len(rivals) - 3} more" if len(rivals) > 3 else ""
    return f" Perhaps as good: {others}{more}."


def _ahead(one: Contender) -> str:
    return f"{share(one.share)}, behind by {_points(one.lead)}" if one.lead else share(one.share)


def _points(lead: tuple[float, float, float] | None) -> str:
    if lead is None:
        return "not compared"
    value, low, high = lead
    ends = f"{formatting.signed(low)} to {formatting.signed(high)}"
    return f"{counted(round(100 * value), 'point')}, {ends}".replace("-", "−")


def _mind(data: ReportData, choice: AdapterChoice) -> list[str]:
    """What keeps the choice from being believed, or is to be known with it."""
    found = []
    judge = data.summary["judge"]
    if data.settings.get(choice.leader.variant, {}).get("apart"):
        found.append(
            "Its LoRAs are kept apart while drawing, which ComfyUI's own nodes don't do. Loaded "
            "one after the other there, they add up, as without keep_apart."
        )
    if judge["trusted"] is False:
        found.append(
            "The judge is not to be trusted here. Look at the pictures before you believe this."
        )
    if judge["trusted"] is None and judge.get("believed"):
        found.append(judge["believed"]["said"])
    if untested := never_tested(judge):
        found.append(untested)
    if choice.leader.runs > 1:
        runs = choice.leader.runs
        found.append(
            f"The best of its {runs} trainings are right equally often. Run {choice.run} is the "
            "first of these."
            if choice.run_tied
            else f"Of its {runs} trainings, run {choice.run} was right most often. That may be "
            "chance."
        )
    return found


def _decide(spec: ReportSpec, choice: AdapterChoice) -> str:
    """The experiment that would decide; '' where nothing is open, or more runs would not."""
    needed = choice.runs_needed
    if not needed or choice.useless:
        return ""
    names = [choice.leader.variant, *(one.variant for one in choice.open)]
    return more_runs(spec, names, needed)


def adapter_files(data: ReportData, spec: ReportSpec, variant: str, run: int) -> list[AdapterFile]:
    """The adapters that a variant's run draws with."""
    stem = f"{spec.experiment}-{variant}"
    runs = data.variants[variant]["runs"]
    loaded = spec.loaded.get(variant)
    if loaded is None:
        chosen = "chosen/" if data.variants[variant].get("take") else ""
        own = f"results/{spec.experiment}/{variant}/run-{run}/{chosen}lora.safetensors"
        name = f"{stem}-run-{run}" if len(runs) > 1 else stem
        return [AdapterFile(own, f"{name}.safetensors", 1.0, True)]
    return [_of_run(one, runs.index(run), spec) for one in loaded]


def _of_run(one: LoadedAdapter, place: int, spec: ReportSpec) -> AdapterFile:
    path = one.files[place if len(one.files) > 1 else 0]
    parts = PurePosixPath(path).parts
    trained = parts[:2] == ("results", spec.experiment)
    name = f"{spec.experiment}-{parts[2]}-{parts[3]}.safetensors" if trained else parts[-1]
    return AdapterFile(path, name, one.weight, trained)


def _from_page(spec: ReportSpec, path: str) -> str:
    """A path as results/<experiment>/report.html links it; '' for one outside the project."""
    own = f"results/{spec.experiment}/"
    if path.startswith(own):
        return path.removeprefix(own)
    return "" if Path(path).is_absolute() else f"../../{path}"


def _command(data: ReportData, one: AdapterFile) -> str:
    """The command that writes a file trained here for ComfyUI, with the names that it learned."""
    _, _, trained, *_ = PurePosixPath(one.path).parts
    learned = data.variants.get(trained, {}).get("only")
    names = [name for letter, name in sorted(data.names.items()) if learned in (None, letter)]
    words = ["python", "scripts/export_lora.py", "--format", "comfyui", "--adapter", one.path]
    # git ignores this folder: the file holds people's faces and names.
    words += ["--out", f"loras/{one.name}", "--trigger", *names]
    return shlex.join(words)


def comfy_graph(
    data: ReportData, spec: ReportSpec, files: list[AdapterFile], place: Place
) -> ComfyGraph | None:
    """The graph that draws a picture of this experiment again, with these adapters; None where its
    base is none of ComfyUI's."""
    variant, run, prompt_set, _, _ = place
    drawn = data.variants[variant]
    name = (drawn.get("drawn_on") or {}).get(prompt_set, drawn["base"])
    base = spec.bases.get(name)
    known = [one for one in architectures.every() if base and one.name == base.architecture]
    if base is None or not known or known[0].comfyui is None:
        return None
    manifest = read_manifest(data.folder / variant / f"run-{run}" / "images" / f"{prompt_set}.json")
    picture = _comfy_picture(data.pictures[place], manifest.settings, files)
    cfg = known[0].cfg_scale(picture.guidance_scale)
    return graph(known[0].comfyui, base.comfyui, picture, cfg)


def _comfy_picture(row: Row, settings: Mapping[str, Any], files: list[AdapterFile]) -> ComfyPicture:
    return ComfyPicture(
        loras={one.name: one.weight for one in files},
        prompt=row.prompt,
        negative=settings.get("negative") or "",
        width=row.width,
        height=row.height,
        steps=settings["steps"],
        guidance_scale=settings["guidance"],
        seed=row.seed,
    )


def write_graphs(folder: Path, made: ComfyGraph | None) -> None:
    """Both forms of the graph; where there is none, an earlier report's go."""
    for name in (API, WORKFLOW):
        (folder / name).unlink(missing_ok=True)
    if made:
        write_json(folder / API, made.api())
        write_json(folder / WORKFLOW, made.workflow())
