"""Publishing claims about several families: a page of the repository and its tables.

Knows results/families/<name>/ and the log; pages of single experiments are repository_publishing's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kindred.common.chained_log import Entry, read_log
from kindred.common.errors import KindredError, Problems
from kindred.common.experiment_log import log_path, note_runs
from kindred.common.files import read_json, write_csv, write_text
from kindred.common.hashing import spec_hash
from kindred.config.declaration import families_declaration
from kindred.config.family_files import family_specs
from kindred.config.load_plan import load_plan
from kindred.evidence.amendments import summed_up
from kindred.evidence.families import runs_compared
from kindred.evidence.preregistration import Found, preregister
from kindred.report.families_page import families_content, in_order
from kindred.report.family_mistakes import HEADINGS, mistakes
from kindred.report.publication_checks import check_may_be_shown
from kindred.report.report_data import read_versioned
from kindred.report.repository_publishing import Folders, with_labels
from kindred.report.templates import fill
from kindred.scoring.score_table import read_scores

ARMS = ("prompt_set", "arm", "family", "figure", "value", "low", "high", "families")
CLAIMS = (
    *("hypothesis", "variant", "against", "measure", "margin", "family", "difference"),
    *("low", "high", "level", "p_adjusted", "label"),
)
Json = Mapping[str, Any]


def publish_families(name: str, folders: Folders, why: str = "") -> Path:
    """Write docs/findings/<name>: README.md, arms.csv, claims.csv, mistakes.csv; and into the log
    that it is published. What was changed and not logged yet is logged first, with `why`. Figures
    are published whatever they say; the page.

    Raises ProblemsError, with everything at once for which it is not published.
    """
    config = folders.root / "config"
    spec = family_specs(config).get(name)
    if spec is None:
        what = f"no file config/families/{name}.yaml"
        raise KindredError(what, str(config), "give the name of such a file, without .yaml")
    plan = load_plan(folders.root, {"experiments": list(spec.families)})
    folder = folders.results / "families" / name
    verdicts = read_versioned(folder / "verdicts.json")
    power = read_json(folder / "power.json")
    summaries = {
        one: read_versioned(folders.results / one / "summary.json") for one in spec.families
    }
    runs, log = runs_compared(summaries), log_path(name, folders.root)
    now = families_declaration(plan, name, spec, config, why)
    problems = Problems(f"{name} is not published")
    for one, summary in summaries.items():
        check_may_be_shown(plan, plan.experiments[one], summary, problems)
    # What is not published changes nothing in the log.
    entries = read_log(log) if problems else preregister(log, now, Found(looked=runs))
    figures = {"all": {"all": spec_hash(verdicts["arms"])[:16]}}
    _check_again(entries, runs, figures, log, problems)
    problems.raise_if_any()
    note_runs(log, "published", runs, figures=figures)
    told = summed_up(preregister(log, now, Found(looked=runs)), runs)
    verdicts = with_labels({**verdicts, "declared": told}, told["exploratory"])
    out = folders.docs / name
    write_csv(out / "arms.csv", ARMS, list(_arms(verdicts["arms"])))
    write_csv(out / "claims.csv", CLAIMS, list(claim_rows(verdicts)))
    claimed = {arm for one in spec.hypotheses.values() for arm in (one.variant, one.against)}
    scores = (read_scores(folders.results / one / "scores.csv") for one in summaries)
    wrong = mistakes(zip(summaries.values(), scores, strict=True), claimed)
    write_csv(out / "mistakes.csv", HEADINGS, list(wrong))
    write_text(out / "README.md", fill("families.md", families_content(verdicts, power)))
    return out / "README.md"


def _check_again(
    entries: list[Entry], runs: Mapping[str, Any], figures: Json, log: Path, problems: Problems
) -> None:
    """Note runs that were published before with other figures."""
    for one in (x for x in entries if x["kind"] == "published"):
        if one["figures"] != figures and {*one["runs"]} & {*runs}:
            problems.add(
                str(log),
                f"the same runs were published on {one['time'][:10]} with different figures",
                "train new runs with other numbers, and publish those",
            )


def _arms(arms: Json) -> Iterator[dict[str, Any]]:
    """Every arm's means over families, and all casts in every family."""
    for prompt_set, one in arms.items():
        for arm, told in one["variants"].items():
            head = {"prompt_set": prompt_set, "arm": arm}
            cells = {**told["figures"], **told["kinds"]}
            for figure, cell in cells.items():
                if cell:
                    ends = {key: cell[key] for key in ("low", "high", "families")}
                    yield {**head, "family": "", "figure": figure, "value": cell["mean"], **ends}
            for family, value in told["by_family"].items():
                yield {
                    **dict.fromkeys(ARMS, ""),
                    **head,
                    "family": family,
                    "figure": "casts",
                    "value": value,
                }


def claim_rows(verdicts: Json) -> Iterator[dict[str, Any]]:
    """Every claim's mean difference with the interval that decides it, then each family's."""
    for name, one in in_order(verdicts).items():
        head = {"hypothesis": name} | {key: one[key] for key in ("variant", "against", "measure")}
        head["margin"] = one["margin"]
        ends = {key: one["adjusted"][key] for key in ("low", "high", "level")}
        whole = {"family": "", "difference": one["difference"], **ends}
        yield {**head, **whole, "p_adjusted": one["p_adjusted"], "label": one["label"]}
        for family, value in one["by_family"].items():
            yield {**dict.fromkeys(CLAIMS, ""), **head, "family": family, "difference": value}
