"""Scores, reports and publications that are not as they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from mistakes import LETTERS, LOG, PNG, Mistake, of_file, of_value, picture_list, safetensors, write

import class_images as class_images_program
import doc_figures as doc_figures_program
import show_declared as show_declared_program
from kindred.common import chained_log, files
from kindred.common.errors import Problem, Problems
from kindred.common.experiment_log import entry_of, log_path
from kindred.evidence import families
from kindred.evidence.step_losses import read_losses
from kindred.rendering.manifest import Row
from kindred.report import (
    family_publishing,
    html_page,
    publication_checks,
    published_figures,
    rating_page,
    report_data,
    repository_pages,
    repository_publishing,
)
from kindred.report.picture_selection import Likeness
from kindred.report.publication_checks import Publication, figures_of
from kindred.report.report_data import Photo
from kindred.report.repository_publishing import Folders
from kindred.scoring import score_store, score_table
from kindred.scoring.image_vectors import ImageVectors
from kindred.scoring.training_pictures import training_pictures
from kindred.specs.families import FamiliesSpec
from kindred.specs.judge import JudgeSpec
from kindred.specs.report import ReportSpec
from kindred.specs.scoring import ComparedVariant, CompareSpec, Hypothesis, TrainedOn
from kindred.specs.step_series import SeriesSpec
from kindred.workflow import declaring, store_cleanup

JUDGE = JudgeSpec(kind="lab")
PICTURE = {"id": "p", "photo": "p", "cell": "J", "made": "", "pixels": "h", "bits": "0" * 32,
           "people": []}  # fmt: skip
PLACE = ("all", 1, "trio", "a", 1)


def noted(call: Callable[[Problems], object]) -> list[Problem]:
    """The problems that a check notes."""
    problems = Problems("x")
    call(problems)
    return problems.found


# Scores
def scores(version: int = score_table.VERSION, judge: str = "j") -> str:
    """A table with one row."""
    row = dict.fromkeys(score_table.COLUMNS, "") | {"version": version, "judge": judge}
    return ",".join(score_table.COLUMNS) + "\n" + ",".join(map(str, row.values())) + "\n"


def compared(root: Path, judge: str) -> object:
    """Scores of one run, read as `compare` does."""
    write(root / "all/run-1/scores/trio.csv", scores(judge=judge))
    variant = ComparedVariant(kind="trained", base="b", runs=[1])
    spec = CompareSpec(
        experiment="x", judge=JUDGE, characters=LETTERS, variants={"all": variant},
        prompt_sets={"trio": {"a": "x"}},
    )  # fmt: skip
    return score_table.read_experiment(spec, root, "j")


def scorer(root: Path, identity: str) -> object:
    """Nothing scored, by a judge; the references are lab@1's."""
    files.write_json(root / "r.json", {"judge": "lab@1"})
    asked = SimpleNamespace(
        spec=SimpleNamespace(judge=JUDGE), references=root / "r.json", manifest=None, base=None,
        variant="all", run=1,
    )  # fmt: skip
    found = score_store.Scorer(lambda _: SimpleNamespace(identity=identity))
    with pytest.MonkeyPatch.context() as patch:
        known = SimpleNamespace(facts=files.read_json(root / "r.json"))
        patch.setattr(found, "_references", lambda _: known)
        patch.setattr(found, "_training", lambda _: None)
        patch.setattr("kindred.scoring.score_images.score_images", lambda *_: [])
        patch.setattr("kindred.scoring.table_provenance.write_stored", lambda _: None)
        patch.setattr(score_store, "tables", lambda *_: SimpleNamespace(put=lambda *_, **__: None))
        asked.manifest = SimpleNamespace(rows=[])
        return found.score(asked, root, "k")


def of_training(*datasets: tuple[str, str]) -> object:
    """What variants are trained on, of datasets' vectors: (name, judge) each."""
    known = {
        name: ImageVectors.of(name, judge, "cosine", [PICTURE], np.ones((1, 2), np.float32))
        for name, judge in datasets
    }
    parts = [TrainedOn(dataset="a"), TrainedOn(dataset="b")]
    return training_pictures(parts, [], known, "JA")


# Reports
def report(keys: Mapping[str, str]) -> object:
    """Scores and pictures of one place, with these keys."""
    row = Row("a", "x", 1, 16, 16, keys["picture"], Path("a.png"))
    return report_data.check_keys({PLACE: {"key": keys["scores"]}}, {PLACE: row}, Path("results"))


def page(root: Path, picture: bytes | None, photo: bytes | None) -> object:
    """The pictures of a page: one that was drawn and one photo."""
    row = Row("a", "x", 1, 16, 16, "k", write(root / "a.png", picture))
    data = SimpleNamespace(pictures={PLACE: row}, folder=root, copy_pairs=[])
    alike = Likeness("J", (Photo(write(root / "photo.png", photo), ("J",)),), ())
    return html_page._album(data, ReportSpec(experiment="x"), [PLACE], [alike])


def rated(root: Path, count: int) -> object:
    row = Row("a", "x", 1, 16, 16, "k", root / "a.png")
    return rating_page.need_some([row] * count, root)


def figures(root: Path, figure: str) -> object:
    """The pages' figures, checked."""
    write(root / "docs/x/runs.csv", "variant,prompt_set,run,success\na,solo,1,0.5\n")
    write(root / "README.md", f'[{figure}](docs/x/runs.csv "a solo success")\n')
    return doc_figures_program.main(["--root", str(root), "--check"])


def mean(prompt_set: str) -> float:
    rows = [
        {"variant": "a", "prompt_set": "solo", "run": "1", "success": "0.5"},
        {"variant": "b", "prompt_set": "trio", "run": "1", "success": "0.5"},
    ]
    return published_figures.figure_of(rows, f"a {prompt_set} success")


# Publishing
HYPOTHESIS = {"primary": True, "label": "supported", "claim": "Names matter."}


def line(variant: str, success: str = "0.5") -> dict[str, str]:
    about = {"variant": variant, "run": "1", "prompt_set": "trio"}
    return {**about, "pictures": "4", "success": success, "identity": "0.6"}


RUNS = [line("all"), line("scrambled")]


def publication(root: Path, **changed: Any) -> list[Problem]:
    """What is refused of a publication that is right but for what is changed."""
    write(root / "power.json", changed.pop("power", '{"hypotheses": {"names": {}}}'))
    hypothesis = HYPOTHESIS | changed.pop("hypothesis", {})
    verdicts = {"hypotheses": {"names": hypothesis}, "pairing": "by prompt", "rules": "1"}
    given = {
        "experiment": {"name": "x", "judge": SimpleNamespace(kind="lab"), "casts": {}},
        "summary": {
            "variants": {"all": {"control": ""}, "scrambled": {"control": "scrambled of all"}},
            "prompt_sets": {"trio": {"prompts": {"card": {"text": "x", "asked": "A+C+J"}}}},
        },
        "verdicts": verdicts,
        "runs": RUNS,
        "page": "# A page",
        "entries": [],
    }
    for name, value in changed.items():
        given[name] = {**given[name], **value} if isinstance(value, dict) else value
    experiment = SimpleNamespace(**given.pop("experiment"))
    whole = Publication(experiment=experiment, results=root, **given)
    return noted(lambda problems: publication_checks.check(whole, problems))


def refused(said: str, **changed: Any) -> Mistake:
    """A publication that is right but for this."""
    return Mistake(said, lambda root: publication(root, **changed), publication)


def published(success: str) -> list[dict[str, Any]]:
    """A log in which the run of `all` was published with this success."""
    before = [line("all", success)]
    runs = {name: [int(run) for run in own] for name, own in figures_of(before).items()}
    return [
        {"kind": "published", "time": "2026-11-24", "runs": runs, "figures": figures_of(before)}
    ]


def shown(dataset: str = "ours", hide: bool = True, files: Sequence[str] = ()) -> list[Problem]:
    """What is refused of an experiment on photos of people. dataset: of the results."""
    variant = SimpleNamespace(name="all", dataset="ours", root="ours", files=files, runs=(1,))
    experiment = SimpleNamespace(
        name="x",
        file="",
        variants={"all": variant},
        prompt_sets={},
        hide_photos=hide,
        references=["ours"],
        shown=[],
    )
    plan = SimpleNamespace(datasets={"ours": SimpleNamespace(lab=None)})
    summary = {"variants": {"all": {"dataset": dataset, "runs": [1]}}, "prompt_sets": {}}
    return noted(
        lambda problems: publication_checks.check_may_be_shown(plan, experiment, summary, problems)
    )


def packed(root: Path, inside: bool) -> object:
    """An archive with one file, which lies below the root or beside it."""
    path = write(root / ("in/a" if inside else "a"), "x")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository_publishing, "needed", lambda *_: [path])
        return repository_publishing.pack(["x"], root / "out.tar.xz", Folders(root=root / "in"))


def logged(root: Path, page: str | None) -> object:
    """The log written into a page."""
    write(root / "docs/x/README.md", page)
    write(root / "docs/x/runs.csv", "variant,run\n")
    return repository_publishing.write_log("x", Folders(root=root, docs=root / "docs"))


def report_page(text: str) -> object:
    values = {"experiment": "x", "verdicts": []}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repository_pages, "fill", lambda *_: "# A page")
        return repository_pages.page(text, values)


def verdicts(root: Path, columns: Sequence[str]) -> object:
    write(root / "x/verdicts.csv", ",".join(columns) + "\n")
    return repository_pages.read_published(root)


# Families, preregistration, stores
def means(variant: str, prompt_set: str) -> list[Problem]:
    """Of a claim, in one family's summary."""
    summary = {"variants": {"all": {"measures": {"success": {"set:trio": {"mean": 0.5}}}}}}
    claim = Hypothesis(claim="c", variant=variant, against="all", prompt_set=prompt_set)
    return noted(lambda problems: families._means(claim, "x", summary, problems))


def left_without_copies(fewest: int) -> object:
    """Of a claim about a cast of which both variants have two pictures that copy nothing."""
    casts = {"casts": {"casts": {"A": {"mean": 1.0, "images": 2}}}}
    on_casts = {"measure": "cast", "prompt_set": "casts"}
    claim = {"claim": "c", "variant": "a", "against": "b", **on_casts}
    copies = {"variant": "a", "fewest": fewest}
    told = {"title": "t", "families": ["x"], "hypotheses": {"h": claim}, "copies": copies}
    summaries = {"x": {"variants": {key: {"casts": casts} for key in "ab"}}}
    return families._of_both(FamiliesSpec.model_validate(told), summaries, {"h": {"x": (1, 1)}})


def republished(figures: str) -> list[Problem]:
    """Figures of families, where those of the same runs were published before."""
    before = [{"kind": "published", "figures": "0", "runs": {"x/a": [1]}, "time": "2026-01-31"}]
    runs, log = {"x/a": [1]}, Path("x.jsonl")
    return noted(
        lambda problems: family_publishing._check_again(before, runs, figures, log, problems)
    )


def declared(root: Path, experiments: Sequence[str]) -> object:
    """Nothing declared, of an experiment that was planned or not."""
    claiming = SimpleNamespace(hypotheses={"h": None})
    plan = SimpleNamespace(experiments=dict.fromkeys(experiments, claiming))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(declaring, "planned", lambda _: (plan, root))
        patch.setattr(declaring, "planned_config", lambda: root)
        patch.setattr(declaring, "declaration_of", lambda *_: None)
        patch.setattr(declaring, "preregister", lambda *_: [])
        return declaring.declare("x", "")


def printed(root: Path, name: str) -> object:
    """The log of an experiment, printed."""
    write(log_path("x", root), "")
    chained_log.append(log_path("x", root), lambda _: [entry_of("looked", {"all": [1]})])
    return show_declared_program.main([name, "--root", str(root)])


def used(root: Path, settings: Mapping[str, str]) -> object:
    """What results refer to."""
    path = picture_list(root, settings=settings)
    write(root / "results/x/images/solo.json", path.read_text(encoding="utf-8"))
    safetensors(root / "results/lora.safetensors")
    return store_cleanup.referenced_by(root / "results")


def class_pictures(root: Path, adapters: Sequence[object]) -> object:
    write(root / "k.png", PNG)
    path = picture_list(root, adapters=adapters)
    out = ["--out", str(root / "out")]
    return class_images_program.main(["--manifest", str(path), *out])


def whole_table(row: str) -> str:
    return f"kind,people_found\n{row}"


def trained(root: Path) -> Path:
    """The adapter of a training that held photos out."""
    return safetensors(root / "v/run-1/lora.safetensors", held_out_loss="1")


def losses(adapter: Path, log: str = LOG) -> object:
    """The losses of a training's only kept step."""
    write(adapter.with_name("training.csv"), log)
    one = {"runs": [1], "steps": [1], "held_out": True}
    characters = {"J": {"name": "JRussell", "class": "man"}}
    spec = SeriesSpec(experiment="e", characters=characters, variants={"v": one})
    return read_losses(spec, adapter.parents[2])


MISTAKES = [
    # Scores
    of_file("scores of version 0, but this", "s.csv", scores(version=0), scores(),
            score_table.read_scores),
    Mistake("was scored by another judge or with other", lambda root: compared(root, "other"),
            lambda root: compared(root, "j")),
    of_file("no such file", "m.json", None, "{}", score_store._file),
    of_file("is empty or incomplete", "s.csv", "", whole_table("image,0\n"),
            lambda path: score_store.check_table(path, 1)),
    Mistake("made by the judge lab@1, but this judge is", lambda root: scorer(root, "lab@2"),
            lambda root: scorer(root, "lab@1")),
    Mistake("contains no loss on held-out photos",
            lambda root: losses(safetensors(root / "v/run-1/lora.safetensors")),
            lambda root: losses(trained(root))),
    Mistake("is not the log of a training",
            lambda root: losses(trained(root), "step,loss\n1,a\n"),
            lambda root: losses(trained(root))),
    of_value("vectors of b are missing", lambda given: of_training(*given), [("a", "j")],
             [("a", "j"), ("b", "j")]),
    of_value("were made by different judges", lambda given: of_training(*given),
             [("a", "j"), ("b", "k")], [("a", "j"), ("b", "j")]),
    # Reports
    of_value("1 picture differs from those that", report,
             {"picture": "k", "scores": "other"}, {"picture": "k", "scores": "k"}),
    Mistake("1 of 1 picture is missing (", lambda root: page(root, None, PNG),
            lambda root: page(root, PNG, PNG)),
    Mistake("this prepared photo is missing", lambda root: page(root, PNG, None),
            lambda root: page(root, PNG, PNG)),
    Mistake("no picture to rate", lambda root: rated(root, 0), lambda root: rated(root, 1)),
    of_file("is missing", "a.png", None, PNG, lambda path: rating_page.check_files([path])),
    Mistake("figures are out of date", lambda root: figures(root, "40 %"),
            lambda root: figures(root, "50 %")),
    of_value("a has no success in trio", mean, "trio", "solo"),
    # Publishing
    refused("runs 1 were published on 2026-11-24 with different figures", entries=published("0.9")),
    refused("has no power for these primary hypotheses: names", power=None),
    refused("primary hypotheses lack `rules`", verdicts={"rules": ""}),
    refused("figures of a group, but no", summary={"variants": {"all": {"control": ""}}}),
    refused("the label of names is 'refuted'", hypothesis={"label": "refuted"}),
    refused("says 'refuted'", hypothesis={"claim": "It is refuted."}),
    refused("says 'refuted'", page="# Refuted: names"),
    refused("labels on photos need a judge", experiment={"judge": SimpleNamespace(kind="photo")}),
    of_value("the results belong to another version of this file", lambda name: shown(name), "old",
             "ours"),
    of_value("these are photos of people, and Kindred does", lambda hide: shown(hide=hide), False,
             True),
    of_value("draws with LoRAs trained elsewhere, perhaps on photos of",
             lambda hide: shown(hide=hide, files=["a.safetensors"]), False, True),
    Mistake("no such file", repository_publishing.report_of,
            lambda root: repository_publishing.report_of(write(root / "report.md", "x").parent)),
    Mistake("not below", lambda root: packed(root, False), lambda root: packed(root, True)),
    Mistake("nothing was declared under this name", lambda root: printed(root, "y"),
            lambda root: printed(root, "x")),
    Mistake("this page does not exist yet", lambda root: logged(root, None),
            lambda root: logged(root, "# x\n\n## How to repeat\n")),
    Mistake("no section 'How to repeat'", lambda root: logged(root, "# x\n"),
            lambda root: logged(root, "# x\n\n## How to repeat\n")),
    of_value("no section 'What came out'", report_page, "# x\n", "# x\n\n## What came out\n\nx\n"),
    Mistake("its columns differ from today's", lambda root: verdicts(root, ["a"]),
            lambda root: verdicts(root, repository_pages.VERDICTS)),
    # Families, preregistration, stores
    of_value("no variant 'al'", lambda name: means(name, "trio"), "al", "all"),
    of_value("without copies no cast has 3 pictures", left_without_copies, 3, 2),
    of_value("all has no success in 'tri'", lambda name: means("all", name), "tri", "trio"),
    Mistake("no file config/families/x.yaml", lambda root: family_publishing.publish_families(
                "x", family_publishing.Folders(root=root)), None),
    Mistake("the same runs were published", lambda root: republished("1"),
            lambda root: republished("0")),
    Mistake("the plan has no experiment x", lambda root: declared(root, []),
            lambda root: declared(root, ["x"])),
    Mistake("it is from an older version, whose keys are", lambda root: used(root, {"code": "1"}),
            lambda root: used(root, {})),
    Mistake("its pictures were drawn with", lambda root: class_pictures(root, [{"name": "a"}]),
            lambda root: class_pictures(root, [])),
]  # fmt: skip
