"""Publishing an experiment: its tables, its page, the list of all, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import reported
from PIL import Image
from safetensors.numpy import save_file
from synthetic import Made

import publish_results
import show_declared
from kindred.common.chained_log import read_log
from kindred.common.errors import KindredError, ProblemsError
from kindred.common.experiment_log import log_path, note_runs
from kindred.common.files import read_json, write_csv, write_json
from kindred.config.declaration import declaration_of
from kindred.config.load_plan import load_plan
from kindred.evidence.preregistration import Found, preregister, runs_looked_at
from kindred.report import published_log, repository_pages, repository_sheets
from kindred.report.formatting import effect

ROOT = Path(__file__).parents[3]
NAME = "synthetic"
EXPERIMENT = """
title: Made up
{share}
characters:
  J: {{name: JRussell, class: man, age: adult}}
  A: {{name: ARussell, class: woman, age: adult}}
  C: {{name: CRussell, class: child, age: child}}
datasets:
  russell: {source}
base: lab
recipe: lab-character
runs: 3
variants:
  all: {{}}
  no-trio: {{cells: [J, A, C, A+C, C+J]}}
  all-again: {{from: all, steps: 2001}}
  scrambled: {{from: all, control: {{pairing: scrambled}}}}
{more}
prompt_sets:
  headshot: {{prompts: {{J: "headshot of {{J}}"}}, seeds: 2, size: [128, 144], steps: 24}}
  trio: {{prompts: {{card: "{{J}}, {{A}} and {{C}}"}}, seeds: {seeds}, size: [192, 96], steps: 24}}
  pair: {{prompts: {{JA: "{{J}} and {{A}}"}}, seeds: 2, size: [128, 144], steps: 24}}
  plain: {{prompts: {{man: a man}}, seeds: 2, size: [128, 144], steps: 24}}
judge: lab
hypotheses:
  names-matter: {{claim: a, variant: all, against: scrambled, prompt_set: trio, margin: {margin}}}
  trio-photos: {{claim: b, variant: all, against: no-trio, prompt_set: trio}}
  "null": {{claim: c, variant: all-again, against: all, prompt_set: headshot, primary: false}}
"""
DRAWN = "{lab: {family: russell, coverage: {J: 4, A: 3, C: 8, A+C: 3, C+J: 7}, seed: 1}}"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    root = tmp_path_factory.mktemp("experiment")
    made = reported.build(root)
    reported.run_report(made, made.results, sheets=["trio"])
    shutil.copytree(ROOT / "config", root / "config")
    configure(root)
    declare(root, Found())
    note_runs(log_path(NAME, root), "looked", runs_looked_at(made.results))
    found = {"hypotheses": {"names-matter": {}, "trio-photos": {}}}
    (made.results / "power.json").write_text(json.dumps(found))
    return made


@pytest.fixture
def changed(made, tmp_path, monkeypatch) -> Made:
    """A copy whose files may be changed; it uses the store of the original."""
    reported.keep_parts(monkeypatch)
    shutil.copytree(made.results, tmp_path / "results" / NAME)
    shutil.copytree(made.root / "config", tmp_path / "config")
    return Made(tmp_path, made.spec)


def configure(root: Path, **changed: object) -> None:
    given = {"source": DRAWN, "share": "", "more": "", "margin": 0.1, "seeds": 2} | changed
    text = EXPERIMENT.format(**given)
    (root / "config" / "experiments" / f"{NAME}.yaml").write_text(text, encoding="utf-8")


def declare(root: Path, found: Found, why: str = "") -> None:
    plan = load_plan(root, {"experiments": [NAME]})
    now = declaration_of(plan, plan.experiments[NAME], root / "config", why)
    preregister(log_path(NAME, root), now, found)


def run(made: Made, docs: Path, store: Path | None = None) -> Path:
    store = store or made.root / "resources" / "store" / "images"
    publish_results.main(
        [
            *(NAME, "--root", str(made.root), "--results", str(made.root / "results")),
            *("--store", str(store), "--docs", str(docs)),
        ]
    )
    return docs / NAME


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory) -> Path:
    return run(made, tmp_path_factory.mktemp("docs"))


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.long
def test_figures_of_runs_are_those_of_a_recount(made, folder):
    images = [row for row in table(made.results / "scores.csv") if row["kind"] == "image"]
    lines = table(folder / "runs.csv")
    assert list(lines[0]) == [
        *("variant", "run", "prompt_set", "pictures", "cast", "success", "count", "identity"),
        *("adherence", "missing", "duplicated", "strangers"),
    ]
    assert len(lines) == (4 * 3 + 1) * 4
    for line in lines:
        own = [
            row
            for row in images
            if all(row[key] == line[key] for key in ("variant", "run", "prompt_set"))
        ]
        assert int(line["pictures"]) == len(own) > 0
        for name in ("success", "count", "identity", "adherence"):
            known = [float(row[name]) for row in own if row[name] != ""]
            assert bool(line[name]) == bool(known)
            if known:
                assert float(line[name]) == pytest.approx(sum(known) / len(known), abs=5.1e-5)
        asked = [row for row in own if row["asked"]]
        counts = {
            "missing": lambda row: (
                sum(map(bool, row["missing"].split("+"))) / len(row["asked"].split("+"))
            ),
            "duplicated": lambda row: row["duplicated"] != "",
            "strangers": lambda row: int(row["strangers"]) > 0,
        }
        for name, count in counts.items():
            wanted = sum(map(count, asked)) / len(asked) if asked else None
            assert float(line[name] or "nan") == pytest.approx(
                float("nan") if wanted is None else wanted, abs=5.1e-5, nan_ok=True
            )


def test_means_over_runs_are_those_of_the_summary(made, folder):
    summary, lines = read_json(made.results / "summary.json"), table(folder / "runs.csv")
    for measure in ("success", "identity", "missing", "duplicated", "strangers", "adherence"):
        own = [x for x in lines if x["variant"] == "no-trio" and x["prompt_set"] == "trio"]
        mean = sum(float(x[measure]) for x in own) / len(own)
        told = summary["variants"]["no-trio"]["measures"][measure]["set:trio"]["mean"]
        assert mean == pytest.approx(told, abs=2e-4), measure


def test_figures_of_prompts_are_those_of_a_recount(made, folder):
    images = [row for row in table(made.results / "scores.csv") if row["kind"] == "image"]
    lines = table(folder / "prompts.csv")
    assert len(lines) == sum(map(len, made.spec.prompt_sets.values()))
    assert len(lines[0]) == 2 + 3 * 5
    line = next(x for x in lines if (x["prompt_set"], x["prompt"]) == ("trio", "snow"))
    own = [row for row in images if (row["variant"], row["prompt"]) == ("no-trio", "snow")]
    assert len(own) == 6
    right = sum(row["success"] == "1" for row in own) / 6
    assert float(line["no-trio success"]) == pytest.approx(right, abs=5.1e-5)
    identity = sum(float(row["identity"]) for row in own) / 6
    assert float(line["no-trio identity"]) == pytest.approx(identity, abs=1e-4)


def test_beside_every_effect_stands_what_the_scrambled_control_reads(made, folder):
    summary = read_json(made.results / "summary.json")
    trio = summary["variants"]["scrambled"]["measures"]["success"]["set:trio"]
    text = (folder / "README.md").read_text(encoding="utf-8")
    table = text.partition("### Beside scrambled captions")[2]
    line = next(x for x in table.splitlines() if x.startswith("| trio-photos |"))
    assert line.split(" | ")[-1].startswith(f"{100 * trio['mean']:.0f} %")
    assert text.index("## Does it know who is who?") < text.index("## What came out")


def test_verdicts_have_the_interval_that_decides(made, folder):
    found = read_json(made.results / "verdicts.json")["hypotheses"]
    lines = table(folder / "verdicts.csv")
    assert [x["primary"] for x in lines] == ["1", "1", "0"]
    for line in lines:
        one = found[line["hypothesis"]]
        decides = one["adjusted"] if one["primary"] else one
        assert float(line["low"]) == decides["low"] and float(line["high"]) == decides["high"]
        assert float(line["effect"]) == one["difference"] and line["label"] == one["label"]
        assert (line["runs"], line["base"], line["claim"]) == ("3", "lab", one["claim"])
    levels = {float(x["level"]) for x in lines if x["primary"] == "1"}
    assert max(levels) > 0.95


def test_the_page_stands_alone(made, folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# A family of three, made up\n")
    for part in ("| trio-photos |", "## How to repeat", "## Data", "| no-trio |", "Versions: "):
        assert part in text
    assert f"snakemake --config experiments={NAME}\n" in text
    assert str(made.root) not in text and "report.html" not in text and "sheets/" not in text
    assert "## In short" not in text  # a page may get other labels, which that would not follow
    assert "\n\n\n" not in text and text.count("## What came out") == 1
    docs = folder.parent
    for link in re.findall(r"\]\(([^)]+)\)", text):
        if link.startswith("../../../"):
            assert (made.root / link.removeprefix("../../../")).is_file(), link
        elif not link.startswith("../"):  # what people write
            assert (folder / link).is_file(), link
    assert {path.name for path in docs.iterdir()} == {"hypotheses.md", NAME}


def section(text: str) -> str:
    """Of a page, what was declared and changed."""
    return text.partition(f"## {repository_pages.DECLARED}\n")[2].partition("\n## ")[0]


def shown(made: Made, capsys) -> str:
    """What is printed of the log."""
    capsys.readouterr()
    show_declared.main([NAME, "--root", str(made.root)])
    return capsys.readouterr().out


def test_what_is_unchanged_is_called_so_and_publishing_is_logged(made, folder):
    said = section((folder / "README.md").read_text(encoding="utf-8"))
    entries = read_log(log_path(NAME, made.root))
    assert [one["kind"] for one in entries] == ["declared", "looked", "published"]
    assert entries[-1]["versions"] == published_log.versions_now()
    assert published_log.made_by(entries) in said and "composites made by version" in said
    assert f"Hypotheses declared {entries[0]['time']}, unchanged since (`" in said
    assert "declared once, amended never, published once." in said
    assert f"`python scripts/show_declared.py {NAME}`" in said
    assert entries[2]["runs"] == {name: [1, 2, 3] for name in made.spec.variants if name != "BASE"}


def test_what_was_changed_after_results_is_exploratory_and_never_unchanged(
    made, changed, tmp_path, capsys
):
    store = made.root / "resources" / "store" / "images"
    configure(changed.root, margin=0.2)
    folder = run(changed, tmp_path / "docs", store=store)
    text = (folder / "README.md").read_text(encoding="utf-8")
    said = section(text)
    assert "amended 1 time since" in said and "unchanged since" not in text
    assert "amended once (1 of them when results had been seen)" in said
    row = (
        "| hypothesis names-matter: margin (no reason given) | 0.1 | 0.2 | results | names-matter |"
    )
    assert row in shown(changed, capsys)
    found = {one["hypothesis"]: one["label"] for one in table(folder / "verdicts.csv")}
    assert found["names-matter"] == "exploratory" != found["trio-photos"]
    claims = {name: one.claim for name, one in changed.spec.hypotheses.items()}
    assert f"| names-matter | {claims['names-matter']} | exploratory | " in text
    assert f"| trio-photos | {claims['trio-photos']} | exploratory | " not in text
    # What is changed of a page that is published is written into it without its results.
    configure(changed.root, margin=0.3)
    declare(changed.root, Found(), why="a slip")
    shutil.rmtree(changed.results)
    where = ["--root", str(changed.root), "--docs", str(tmp_path / "docs")]
    publish_results.main([NAME, "--log", *where])
    after = (folder / "README.md").read_text(encoding="utf-8")
    assert "amended 2 times" in section(after)
    assert "margin (a slip) | 0.2 | 0.3 |" in shown(changed, capsys)
    assert after.replace(section(after), said) == text


def test_wording_alone_is_a_change_too_and_touches_no_claim(made, changed, tmp_path, capsys):
    path = changed.root / "config" / "experiments" / f"{NAME}.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# a comment\n", encoding="utf-8")
    folder = run(changed, tmp_path / "docs", store=made.root / "resources" / "store" / "images")
    said = section((folder / "README.md").read_text(encoding="utf-8"))
    assert "amended 1 time since" in said and "wording alone" in shown(changed, capsys)
    assert "exploratory" not in {one["label"] for one in table(folder / "verdicts.csv")}


def test_everything_refused_is_said_at_once(made, changed, folder, tmp_path):
    (changed.results / "power.json").unlink()
    configure(changed.root, source=f"{{source: {tmp_path}}}")
    path = changed.results / "scores.csv"
    lines = table(path)
    right = next(one for one in lines if (one["kind"], one["success"]) == ("image", "1"))
    right["success"] = "0"
    write_csv(path, list(lines[0]), lines)
    with pytest.raises(ProblemsError) as error:
        run(changed, tmp_path / "docs")
    said = str(error.value)
    for part in ("photos of people", "names-matter, trio-photos", "published on"):
        assert part in said
    assert all(problem.where and problem.cure for problem in error.value.problems)
    assert not (tmp_path / "docs").exists()


def test_sheets_are_few_small_and_named_after_their_prompts(folder):
    files = sorted((folder / "pictures").iterdir())
    assert [path.name for path in files] == ["trio.webp"]
    for path in files:
        assert path.stat().st_size <= repository_sheets.BYTES
        with Image.open(path) as image:
            assert image.format == "WEBP" and image.height > 5 * 60
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "- card: “a Christmas card with JRussell, ARussell and CRussell”" in text


def test_a_second_time_gives_equal_bytes(made, folder, tmp_path):
    again = run(made, tmp_path)
    run(made, tmp_path)
    before = {p.relative_to(folder.parent): p for p in folder.parent.rglob("*") if p.is_file()}
    after = {p.relative_to(tmp_path): p for p in again.parent.rglob("*") if p.is_file()}
    assert before.keys() == after.keys() and len(before) == 6
    for name, path in before.items():
        assert path.read_bytes() == after[name].read_bytes(), name


def test_without_the_store_pictures_of_an_earlier_time_stay(made, folder, tmp_path, capsys):
    out = run(made, tmp_path / "new", store=tmp_path / "nothing")
    assert not (out / "pictures").exists()
    assert "![" not in (out / "README.md").read_text(encoding="utf-8")
    assert "no prompt's pictures are all in" in capsys.readouterr().err
    shutil.copytree(folder.parent, tmp_path / "old")
    (tmp_path / "old" / NAME / "pictures" / "pair.webp").write_bytes(b"no longer asked about")
    out = run(made, tmp_path / "old", store=tmp_path / "nothing")
    for name in ("README.md", "pictures/trio.webp"):
        assert (out / name).read_bytes() == (folder / name).read_bytes()
    assert not (out / "pictures" / "pair.webp").exists()


def packed(made: Made, out: Path, store: Path) -> None:
    where = ["--root", str(made.root), "--results", str(made.root / "results")]
    publish_results.main([NAME, *where, "--store", str(store), "--pack", str(out)])


def test_what_is_packed_gives_the_same_page_on_another_computer(made, folder, tmp_path, capsys):
    store = made.root / "resources" / "store" / "images"
    packed(made, tmp_path / "brought.tar.xz", store)
    other = tmp_path / "other"
    with tarfile.open(tmp_path / "brought.tar.xz") as archive:
        archive.extractall(other, filter="data")
    assert (other / log_path(NAME)).is_file() and (other / f"results/{NAME}/power.json").is_file()
    shutil.copytree(made.root / "config", other / "config", dirs_exist_ok=True)
    out = run(Made(other, made.spec), tmp_path / "docs")
    for path in (p for p in folder.rglob("*") if p.is_file()):
        assert (out / path.relative_to(folder)).read_bytes() == path.read_bytes(), path
    pictures = [p for p in (other / "resources").rglob("*") if p.is_file()]
    assert 0 < len(pictures) < sum(p.is_file() for p in store.rglob("*"))
    packed(made, tmp_path / "words.tar.xz", tmp_path / "nothing")
    assert "no pictures of trio" in capsys.readouterr().err


def test_results_behind_a_link_are_packed_and_those_elsewhere_are_not(changed, made, tmp_path):
    (tmp_path / "results").rename(tmp_path / "disk")
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    packed(changed, tmp_path / "out.tar.xz", tmp_path / "nothing")
    with tarfile.open(tmp_path / "out.tar.xz") as archive:
        found = archive.getmember(f"results/{NAME}/report.md")
        assert found.isfile() and found.size > 0
    elsewhere = ["--root", str(made.root), "--results", str(tmp_path / "disk")]
    elsewhere += ["--store", str(tmp_path / "nothing"), "--pack", str(tmp_path / "no.tar.xz")]
    with pytest.raises(KindredError, match=r"is not below .*. Set --root"):
        publish_results.main([NAME, *elsewhere])
    assert not (tmp_path / "no.tar.xz").exists()


def test_nothing_is_packed_of_results_that_are_not_finished(changed, tmp_path):
    (changed.results / "report.md").unlink()
    with pytest.raises(KindredError, match=r"report\.md: no such file. Run `snakemake`"):
        packed(changed, tmp_path / "out.tar.xz", tmp_path / "nothing")
    assert not (tmp_path / "out.tar.xz").exists()


def test_scores_of_other_pictures_are_refused(made, changed, tmp_path):
    path = changed.manifest("all", 1, "trio")
    manifest = read_json(path)
    manifest["images"][0]["key"] = "0" * 64
    write_json(path, manifest)
    with pytest.raises(ProblemsError, match="1 picture differs from those that were scored"):
        run(changed, tmp_path / "docs", store=made.root / "resources" / "store" / "images")


def test_real_photos_are_refused_unless_they_may_be_shared(made, changed, tmp_path):
    store = made.root / "resources" / "store" / "images"
    (tmp_path / "ours").mkdir()
    real = f"{{source: {tmp_path}/ours}}"
    configure(changed.root, source=real)
    with pytest.raises(
        ProblemsError, match=r"datasets.russell: these are photos of people.*hide_photos: true"
    ):
        run(changed, tmp_path / "docs", store=store)
    assert not (tmp_path / "docs").exists()
    configure(changed.root, source=real, share="hide_photos: true")
    assert (run(changed, tmp_path / "docs", store=store) / "runs.csv").is_file()


def test_results_of_another_configuration_are_refused(changed, tmp_path):
    text = (changed.root / "config" / "experiments" / f"{NAME}.yaml").read_text(encoding="utf-8")
    path = changed.root / "config" / "experiments" / f"{NAME}.yaml"
    path.write_text(text.replace("no-trio", "other"), encoding="utf-8")
    with pytest.raises(ProblemsError, match=r"variants.no-trio: the results belong to another"):
        run(changed, tmp_path / "docs")
    assert not (tmp_path / "docs").exists()


def test_results_of_what_is_gone_are_refused_and_nothing_is_logged(changed, tmp_path):
    path = tmp_path / f"config/experiments/{NAME}.yaml"
    path.write_text(path.read_text().replace("runs: 3", "runs: 2").replace("  plain: ", "  new: "))
    entries = read_log(log_path(NAME, tmp_path))
    with pytest.raises(ProblemsError) as caught:
        run(changed, tmp_path / "docs", tmp_path / "store")
    for place in ("variants.all-again.runs", "prompt_sets.plain"):
        assert f"{NAME}.yaml: {place}: the results belong to another version" in str(caught.value)
    assert read_log(log_path(NAME, tmp_path)) == entries


def test_a_lora_trained_elsewhere_may_be_of_real_people(changed, tmp_path):
    layer = "transformer.transformer_blocks.0.attn.to_q.lora"
    weights = {f"{layer}_{x}.weight": np.zeros((2, 2), np.float32) for x in "AB"}
    save_file(weights, tmp_path / "theirs.safetensors")
    base = changed.root / "lab" / "base"
    base.mkdir(parents=True)
    shutil.copy(ROOT / "lab" / "base" / "model_index.json", base)
    configure(changed.root, more=f"  theirs: {{adapter: {tmp_path}/theirs.safetensors}}")
    with pytest.raises(ProblemsError, match=r"variants.theirs: draws with LoRAs"):
        run(changed, tmp_path / "docs")


def test_words_above_the_marker_are_kept(made, tmp_path, monkeypatch):
    reported.keep_parts(monkeypatch)
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "hypotheses.md").write_text("# Mine\n\nMy words.\n", encoding="utf-8")
    run(made, docs)
    first = (docs / "hypotheses.md").read_text(encoding="utf-8")
    assert first.startswith(f"# Mine\n\nMy words.\n\n{repository_pages.MARKER}\n")
    (docs / "hypotheses.md").write_text(first.replace("My words", "Other words"), encoding="utf-8")
    run(made, docs)
    second = (docs / "hypotheses.md").read_text(encoding="utf-8")
    assert second == first.replace("My words", "Other words")


def test_the_list_has_a_line_a_hypothesis_primary_ones_first(folder):
    text = (folder.parent / "hypotheses.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith(f"| [{NAME}]({NAME}/README.md)")]
    claims = [x["claim"] for x in table(folder / "verdicts.csv")]
    assert len(lines) == 3 and all(c in line for c, line in zip(claims, lines, strict=True))
    assert text.index("## What was asked") < text.index("## What else was asked")
    assert re.search(r"lab: of 2 primary hypotheses .*; FLUX\.1-dev: not yet run", text)


def test_what_is_run_where_is_said_of_each_base():
    def line(base: str, label: str, primary: str = "1") -> dict[str, str]:
        return {"base": base, "label": label, "primary": primary}

    told = [line("flux-dev-nf4", "supported"), line("flux-dev-nf4", "no difference", "0")]
    assert (
        repository_pages.where_run(told)
        == "lab: not yet run; FLUX.1-dev: of 1 primary hypothesis 1 supported"
    )
    assert repository_pages.where_run([]) == "lab: not yet run; FLUX.1-dev: not yet run"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Base: /home/me/models/flux@0123.", "Base: flux@0123."),
        ("(~/models/flux/tokenizer)", "(tokenizer)"),
        ("../judges/mine", "mine"),
        (r"C:\models\flux\base", "base"),
        ("lab/base/tokenizer_2 and black-forest-labs/FLUX.1-dev", None),
        ("https://example.org/a/b and A/B and l</w> l/", None),
    ],
)
def test_paths_of_the_own_computer_are_cut_to_their_last_name(text, left):
    assert repository_pages.LOCAL_PATH.sub(r"\1", text) == (text if left is None else left)


def test_a_report_without_its_first_section_is_refused(changed, made, tmp_path):
    (changed.results / "report.md").write_text("# Nothing\n", encoding="utf-8")
    with pytest.raises(KindredError, match="no section 'What came out'"):
        run(changed, tmp_path / "docs", store=made.root / "resources" / "store" / "images")


def test_effects_are_said_in_points_or_on_their_scale():
    assert effect(0.31, 0.184, -0.02, "success") == "+31 points (+18 to −2)"
    assert effect(-0.12, -0.2, 0.05, "identity") == "−0.12 (−0.20 to +0.05)"
    assert effect(None, None, None, "success") == "–"


def test_columns_are_spread_over_the_prompts():
    seeds = {f"p{n}": [1, 2] for n in range(24)}
    assert [name for name, _ in repository_sheets.columns_of(list(seeds), seeds)] == [
        *("p0", "p6", "p12", "p18"),
    ]
    few = {"a": [1, 2, 3], "b": [7]}
    assert repository_sheets.columns_of(["a", "b"], few) == [
        ("a", 1),
        ("a", 2),
        ("a", 3),
        ("b", 7),
    ]


@pytest.mark.long
def test_a_sheet_of_many_variants_still_fits():
    rng = io.BytesIO(bytes(range(256)) * 200)
    picture = Image.frombytes("RGB", (96, 48), rng.read(96 * 48 * 3))
    rows = [repository_sheets.SheetRow(f"variant-{n}", [picture] * 6) for n in range(23)]
    data, columns = repository_sheets.small_webp(
        repository_sheets.Sheet("many", list("abcdef"), rows)
    )
    assert len(data) <= repository_sheets.BYTES and len(columns) >= 2
