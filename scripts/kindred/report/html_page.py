"""The report put together: every section's content, in the order of the page.

Knows what stands in which section; how it looks is the templates' part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kindred.characters.face_calibration import DRAWN, FAMILY, HALF, SHIPPED
from kindred.common.errors import Problems
from kindred.common.made_pictures import AGAIN
from kindred.common.sentences import counted, plural
from kindred.evidence.labels import CONTRADICTED, SUPPORTED
from kindred.evidence.verdict_sentences import never_tested
from kindred.rendering.manifest import ADVICE
from kindred.report import formatting, keeping, svg_plots
from kindred.report.best_pictures import BestPicture
from kindred.report.cast_section import hypotheses_beside, who_is_who
from kindred.report.claims_in_short import claims_in_short
from kindred.report.copies_table import copies
from kindred.report.copy_pairs import CopyPair
from kindred.report.coverage_chart import coverage_svg
from kindred.report.formatting import deciding
from kindred.report.keeping import Keeping, advice_on_broken
from kindred.report.next_experiments import as_yaml
from kindred.report.picture_selection import (
    Block,
    Likeness,
    Line,
    all_places,
    leading_variants,
    likenesses,
    select_pictures,
    success_of,
)
from kindred.report.power_section import power_section
from kindred.report.provenance import provenance
from kindred.report.recommendations import best_variant, recommendations
from kindred.report.report_data import Place, ReportData
from kindred.report.rising_losses import rising_words
from kindred.report.same_noise import same_noise
from kindred.report.scrambled import scrambled_of
from kindred.report.seen_without_claims import seen_without_claims
from kindred.report.step_section import step_figure, step_section
from kindred.report.tables import (
    bleed,
    columns,
    legend,
    likenesses_by_size,
    parts,
    shares_of_own,
    variant_rows,
)
from kindred.report.templates import fill
from kindred.report.tested_judge import judge_test, untested_here
from kindred.report.thumbnails import Thumbnail, make_thumbnails, missing
from kindred.report.training_curves import smooth
from kindred.report.trainings_needed import for_verdict
from kindred.specs.report import ReportSpec

MEGABYTE = 1_000_000
SMOOTHING = 0.97
MATRICES = 12
PLOTTED = 40
# What a threshold can follow from.
THRESHOLD_LINES = {
    DRAWN: "faces that the base draws",
    SHIPPED: "shipped strangers",
    HALF: "half way",
    FAMILY: "the family’s other photos",
}
TONES = {SUPPORTED: "good", CONTRADICTED: "bad"}


def build(data: ReportData, spec: ReportSpec, kept: Keeping) -> tuple[str, str]:
    """(HTML, Markdown). Raises ProblemsError naming pictures that are missing."""
    alike = likenesses(data)
    shown_alike = list(dict.fromkeys([*all_places([], alike), *kept.shown]))
    blocks = select_pictures(data, max(0, spec.images - len(shown_alike)))
    places = list(dict.fromkeys([*all_places(blocks, alike), *kept.shown]))
    album = _album(data, spec, places, alike)
    content = content_of(data, spec, kept)
    page = {
        **content,
        "best_pictures": [_kept(data, one, album) for one in kept.best[: len(kept.shown)]],
        "likeness": [_likeness(data, one, album, spec.hide_photos) for one in alike],
        "gallery": _blocks(data, blocks, album),
        "likeness_variants": len({name for one in alike for name, _ in one.drawn}),
        "left_out": sum(block.left_out for block in blocks),
        "coverage": [
            Markup(coverage_svg(audit["cells"], data.names)) for audit in data.audits.values()
        ],
        "differences": _difference_plot(data),
        "one_margin": _one_margin(data),
        "beyond_words": formatting.BEYOND,
        "beyond": formatting.BEYOND if _beyond(content) else "",
        "success": _success_plot(data),
        "curves": _curves(data),
        "held_out_drawn": any(run.held_out for run in data.curves.values()),
        "step_figure": Markup(step_figure(data.series) or "") if data.series else "",
        "step_pairs": [_pair(one, album) for one in data.copy_pairs],
        "larges": {one.id: one.large for one in album.pictures.values() if one.large},
    }
    return fill("report.html", page), fill("report.md", content)


def build_words(data: ReportData, spec: ReportSpec, kept: Keeping) -> str:
    """The Markdown alone; no picture is opened."""
    return fill("report.md", content_of(data, spec, kept))


def content_of(data: ReportData, spec: ReportSpec, kept: Keeping) -> dict[str, Any]:
    """What page and Markdown share: everything but pictures and plots."""
    summary, verdicts = data.summary, data.verdicts
    matrices = [bleed(data, name) for name in data.variants]
    scrambled = hypotheses_beside(data)
    return {
        "spec": spec,
        "title": summary.get("title") or spec.experiment,
        "noise": same_noise(data),
        "question": summary.get("question", ""),
        "in_short": claims_in_short(data, kept.choice is not None),
        "who": who_is_who(data),
        "names": data.names,
        "tones": TONES,
        "hypotheses": {
            name: one
            | {"sentence": _without_badge(one), "scrambled": scrambled[name]}
            | {"advice": for_verdict(one, bool(data.power))}
            for name, one in data.hypotheses.items()
        },
        "declared": verdicts["declared"],
        "judge": summary["judge"],
        "untested": never_tested(summary["judge"]),
        "judge_test": judge_test(summary),
        "to_test": f"make rate EXPERIMENT={spec.experiment}" if untested_here(summary) else "",
        "threshold_lines": THRESHOLD_LINES,
        "controls": summary["controls"],
        "ratings": summary["ratings"],
        "warnings": [] if spec.hide_photos else summary["warnings"],
        "unsaid": len(summary["warnings"]) if spec.hide_photos else 0,
        "references": {} if spec.hide_photos else summary["references"],
        "audits": data.audits,
        "columns": columns(data),
        "legend": legend(columns(data)),
        "variants": variant_rows(data, spec.made),
        "parts": parts(data),
        "copies": copies(data, spec),
        "likeness_rows": likenesses_by_size(data),
        "of_own": shares_of_own(data),
        "sizes": [formatting.group(size) for size in data.by_size],
        "matrices": [one for one in matrices if one],
        "matrices_open": MATRICES,
        "scrambled_row": scrambled_of(data.variants),
        "advice": [
            {"one": one, "yaml": as_yaml(data, spec, one.change) if one.change else ""}
            for one in [*advice_on_broken(data, kept), *recommendations(data, spec, kept.choice)]
        ],
        "best": best_variant(data, kept.choice),
        "keeping": keeping.words(data, spec, kept),
        "seen": seen_without_claims(data, kept.choice),
        "power": power_section(data.power) if data.power else None,
        "series": step_section(data.series, data.names) if data.series else None,
        "rising": rising_words(data.curves),
        "provenance": provenance(data, spec.hide_photos),
        "verdicts": verdicts,
    }


def _beyond(content: Mapping[str, Any]) -> bool:
    """Whether some interval on the page reaches beyond its scale."""
    rows = [*content["variants"], *content["likeness_rows"]]
    return any(formatting.is_beyond(cell.range) for row in rows for cell in row["cells"])


def _without_badge(hypothesis: Mapping[str, Any]) -> str:
    """The sentence without the label in front, which the badge beside it says."""
    word, sentence = hypothesis["label_words"], hypothesis["sentence"]
    said = sentence.removeprefix(f"{word}. ").removeprefix(f"{word}: ")
    return said[:1].upper() + said[1:]


class EmbeddedImages:
    """Pictures on the page by key, each with a short id that its larger version has too."""

    def __init__(self, thumbnails: Mapping[str, Thumbnail]) -> None:
        self.pictures = {
            key: _Shown(f"p{index}", one) for index, (key, one) in enumerate(thumbnails.items())
        }

    def __getitem__(self, key: str) -> _Shown:
        return self.pictures[key]


class _Shown:
    """A thumbnail with its id."""

    def __init__(self, identity: str, thumbnail: Thumbnail) -> None:
        self.id, self.uri, self.large = identity, thumbnail.uri, thumbnail.large
        self.width, self.height = thumbnail.width, thumbnail.height


def _album(
    data: ReportData, spec: ReportSpec, places: Sequence[Place], alike: Sequence[Likeness]
) -> EmbeddedImages:
    files = {data.pictures[place].key: data.pictures[place].path for place in places}
    photos = {str(photo.path): photo.path for one in alike for photo in one.photos}
    photos |= {str(one.photo): one.photo for one in data.copy_pairs}
    files |= {one.key: one.picture for one in data.copy_pairs}
    lost = set(missing([*files.values(), *photos.values()]))
    problems = Problems("pictures are missing")
    drawn = [path for path in files.values() if path in lost]
    if drawn:
        few = ", ".join(map(str, drawn[:3])) + (" ..." if len(drawn) > 3 else "")
        what = (
            f"{len(drawn)} of {counted(len(files), 'picture')} {plural(len(drawn), 'is', 'are')} "
            f"missing ({few})"
        )
        problems.add(str(data.folder), what, ADVICE)
    for path in sorted(path for path in photos.values() if path in lost):
        problems.add(str(path), "this prepared photo is missing", AGAIN)
    problems.raise_if_any()
    return EmbeddedImages(make_thumbnails({**files, **photos}, round(spec.megabytes * MEGABYTE)))


def _likeness(
    data: ReportData, one: Likeness, album: EmbeddedImages, share: bool
) -> dict[str, Any]:
    who = data.characters[one.letter]
    drawn = []
    for variant, places in one.drawn:
        found = data.variants[variant]["identity"].get(one.letter, {}).get("1")
        drawn.append(
            {
                "variant": variant,
                "likeness": formatting.value_of(found, "identity"),
                "pictures": [_picture(data, place, album) for place in places],
            }
        )
    photos = [
        {"shown": album[str(photo.path)], "alt": f"photo {number} of {who.name}"}
        for number, photo in enumerate(one.photos, 1)
    ]
    reference = data.summary["references"].get(one.letter) or {}
    return {
        "name": who.name,
        "noun": who.noun,
        "photos": photos,
        "drawn": drawn,
        "warning": _without_names(reference.get("warning", ""), who.name)
        if share
        else reference.get("warning", ""),
    }


def _without_names(warning: str, name: str) -> str:
    """A warning about reference photos, which would name files, in words that do not."""
    return f"something is amiss with the reference photos of {name}" if warning else ""


def _blocks(
    data: ReportData, blocks: Sequence[Block], album: EmbeddedImages
) -> list[dict[str, Any]]:
    """Prompts with their rows of pictures. Of each size of group the first prompt is unfolded;
    rows of further training runs are folded within each."""
    found, sizes = [], set()
    for block in blocks:
        size = block.asked.count("+")
        runs = [line.run for line in block.lines]
        found.append(
            {
                "prompt_set": block.prompt_set,
                "text": block.text,
                "open": (size > 0 or not found) and size not in sizes,
                "several": len(set(runs)) > 1,
                "first": [_row(data, x, album) for x in block.lines if x.run == runs[0]],
                "more": [_row(data, x, album) for x in block.lines if x.run != runs[0]],
            }
        )
        sizes.add(size)
    return found


def _row(data: ReportData, line: Line, album: EmbeddedImages) -> dict[str, Any]:
    tiles = [
        (_picture(data, place, album) if place else {"shown": None}) | {"variant": name}
        for name, place in zip(data.variants, line.places, strict=True)
    ]
    shown = next(tile["shown"] for tile in tiles if tile["shown"])
    return {
        "run": line.run,
        "seed": line.seed,
        "tiles": tiles,
        "wide": shown.width > 1.5 * shown.height,
    }


def _picture(data: ReportData, place: Place, album: EmbeddedImages) -> dict[str, Any]:
    variant, run, _, _, seed = place
    row = data.pictures[place]
    said, tone = formatting.outcome(
        data.scores.get(place), data.names, data.summary["judge"]["counts"]
    )
    more = f"{variant}, run {run}, seed {seed}"
    return {
        "shown": album[row.key],
        "outcome": said,
        "tone": tone,
        "alt": f"“{row.prompt}” by {more}" + (f": {said}" if said else ""),
        "prompt": row.prompt,
    }


def _kept(data: ReportData, one: BestPicture, album: EmbeddedImages) -> dict[str, Any]:
    told = _picture(data, one.place, album)
    rated = None if one.rating is None else f"rated {formatting.number(one.rating)}"
    return told | {"variant": one.place[0], "seed": one.place[4], "file": one.file, "rated": rated}


def _pair(one: CopyPair, album: EmbeddedImages) -> dict[str, Any]:
    """A picture and what was trained on beside it."""
    by = f"by “{one.variant}”, run {one.run}, seed {one.seed}"
    return {
        "drawn": {"shown": album[one.key], "alt": f"“{one.prompt}” {by}"},
        "trained_on": {"shown": album[str(one.photo)], "alt": f"trained on: {one.name}"},
        "one": one,
    }


def _difference_plot(data: ReportData) -> Markup | None:
    """Differences that hypotheses are decided by, with their intervals; drawn twice, because the
    letters of a plot that shrinks to a phone's width can't be read there."""
    rows = []
    for name, one in _plotted(data).items():
        low, high = deciding(one)
        tone = TONES.get(one["label"], "")
        rows.append(svg_plots.Interval(name, one["difference"], low, high, tone))
    if not rows:
        return None
    title, margin = "Differences that the hypotheses are decided by", _one_margin(data)
    axis = "difference: variant − the one it is compared with"
    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    far = any(abs(end) > 1 for end in ends)  # beyond all differences of shares that there are
    options = {"line_at": 0.0, "margin": margin, "span": (-1.03, 1.03) if far else None}
    wide = svg_plots.intervals_svg({"": rows}, title, axis, **options)
    narrow = svg_plots.intervals_svg({"": rows}, title, "difference", narrow=True, **options)
    return Markup(wide + narrow)


def _plotted(data: ReportData) -> dict[str, Mapping[str, Any]]:
    """Hypotheses about shares that have a difference: those that fit one axis of points."""
    return {
        name: one
        for name, one in data.hypotheses.items()
        if one["difference"] is not None and formatting.kind_of(one["measure"]).percent
    }


def _one_margin(data: ReportData) -> float | None:
    """The margin of all plotted hypotheses; None when they differ, so that no band is right."""
    margins = {one["margin"] for one in _plotted(data).values()}
    return margins.pop() if len(margins) == 1 else None


def _success_plot(data: ReportData) -> Markup | None:
    """Success by variant, a panel for each number of people asked for."""
    shown = leading_variants(data, PLOTTED)
    panels = {}
    for size in data.by_size:
        found = [data.variants[name]["measures"].get("success", {}) for name in shown]
        statistics = [one.get(f"asked:{size}") or {} for one in found]
        if any(one.get("mean") is not None for one in statistics):
            panels[f"asked for {formatting.group(size)}"] = [
                svg_plots.Interval(name, one.get("mean"), one.get("low"), one.get("high"))
                for name, one in zip(shown, statistics, strict=True)
            ]
    if not panels:
        return None
    title = "Share of pictures in which everyone asked for is right"
    return Markup(svg_plots.intervals_svg(panels, title, "", span=(-0.03, 1.03)))


def _curves(data: ReportData) -> Markup | None:
    """Smoothed loss of every training, and the loss on held-out photos: the baseline first, then by
    success."""
    lines: dict[str, list[tuple[list[int], list[float]]]] = {}
    held_out: dict[str, list[tuple[Any, ...]]] = {}
    order = sorted(
        {name for name, _ in data.curves},
        key=lambda name: (name != data.summary["baseline"], -success_of(data, name), name),
    )
    for name in order:
        runs = [run for (owner, _), run in data.curves.items() if owner == name]
        lines[name] = [(run.steps, smooth(run.losses, SMOOTHING)) for run in runs]
        held_out[name] = [tuple(zip(*run.held_out, strict=True)) for run in runs if run.held_out]
    return Markup(svg_plots.curves_svg(lines, held_out)) if lines else None
