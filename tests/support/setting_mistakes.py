"""Claims, families, bases, options, environments and programs that are not as they should be."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import torch
from mistakes import (
    CAPTION,
    IMAGE,
    LETTERS,
    LOG,
    PNG,
    Mistake,
    of_file,
    of_value,
    of_variable,
    picture_list,
    safetensors,
    write,
)

import contact_sheet as contact_sheet_program
import export_lora
import migrate_stores
import page_picture as page_picture_program
import plot_training_curves
from kindred.common import amounts, file_lock, files
from kindred.compute import data_parallel, devices, memory_limit
from kindred.config import family_files
from kindred.judges import lab_networks, model_files
from kindred.lab import pretraining_corpus
from kindred.models import architectures, identity, tokenizers
from kindred.models.lora import adapters
from kindred.rendering import manifest
from kindred.report import doc_figures, published_figures, sheet_contents
from kindred.specs.base_model import Base
from kindred.specs.report import SheetSpec
from kindred.training.batched import jobs
from kindred.workflow import frozen_plan, store_cleanup
from kindred.world import families

FIGURES = "variant,prompt_set,run,success\na,solo,1,0.5\n"


def locked(path: Path) -> object:
    with file_lock.lock(path, "waiting"):
        return None


def sheet(root: Path, *options: str) -> object:
    picture_list(root)
    write(root / "k.png", PNG)
    files.write_json(root / "images.json", [IMAGE])
    files.write_jsonl(root / "captions.jsonl", [CAPTION])
    spec = SheetSpec(characters=LETTERS).canonical()
    words = ["--spec", spec, "--manifest", f"x={root}/m.json", "--out", f"{root}/s.png", *options]
    return contact_sheet_program.main(words)


def of_photos(root: Path) -> list[str]:
    return ["--images", f"{root}/images.json", "--captions", f"{root}/captions.jsonl",
            "--images-dir", f"{root}"]  # fmt: skip


def architecture_of(base: Base) -> object:
    return identity.architecture_of(base)


def architecture_in(root: Path, index: dict[str, str] | None) -> object:
    """Of a base's folder with this model_index.json."""
    write(root / "model_index.json", None if index is None else json.dumps(index))
    return identity.architecture_of(Base(model=str(root)))


def lab_judge(root: Path) -> Path:
    """A folder with a small lab judge."""
    import tiny_judge

    tiny_judge.build(root / "judge")
    return root / "judge"


def part(
    folder: Path | None,
    files: dict[str, str] | None = None,
    hashes: dict[str, str] | None = None,
) -> object:
    """A judge's one model file, found."""
    if folder is not None and folder.name != "gone":
        write(folder / "face.onnx", "model")
    parts = {"face": model_files.Part("face.onnx", source=", from its page")}
    return model_files.locate(
        parts, dict.fromkeys(parts, folder) if folder else {}, files or {}, hashes or {}
    )


def link_lock(root: Path, target: str | None) -> object:
    """A lock whose file is a link to nowhere, and taken away."""
    (root / "lock").unlink(missing_ok=True)
    if target:
        (root / "lock").symlink_to(root / target)
    return locked(root / "lock")


def one_sheet(root: Path, prompts: list[str]) -> object:
    write(root / "k.png", PNG)
    labelled = [("x", manifest.read_manifest(picture_list(root)))]
    return sheet_contents.comparison(labelled, SheetSpec(prompts=prompts))


def figure(what: str) -> str:
    rows = [{"variant": "a", "prompt_set": "solo", "run": "1", "success": "0.5"}]
    return published_figures.figure_of(rows, what)


def verdict(what: str) -> str:
    line = {"hypothesis": "a", "label": "undecided", "x": "", "margin": "0.1", "measure": "success"}
    return doc_figures.verdict_of([line], what)


def cell(what: str) -> str:
    return published_figures.cell_of("# Page\n\n## A\n\n| name | x |\n|---|---|\n| a | 1 |\n", what)


def exported(root: Path, name: str, *options: str) -> object:
    adapter = safetensors(root / "a.safetensors")
    return export_lora.main(["--adapter", str(adapter), "--out", str(root / name), *options])


def migrated(code: str) -> object:
    return migrate_stores.main(["--root", "/nowhere", "--code", code])


def curves(root: Path, run: str) -> object:
    words = ["--spec", "{}", "--run", run, "--out", str(root / "c.png")]
    return plot_training_curves.main(words)


CLAIMS = """title: Two families
families: [one, two]
hypotheses:
  h: {claim: c, variant: a, against: b, prompt_set: casts, measure: cast}
"""


def claims(root: Path, text: str, name: str = "both") -> object:
    """What config/families says."""
    for old in root.glob("families/*"):
        old.unlink()
    for experiment in ("one", "two"):
        write(root / f"experiments/{experiment}.yaml", "title: x\n")
    write(root / f"families/{name}.yaml", text)
    return family_files.family_specs(root)


def asked_of(root: Path, variant: str) -> object:
    """What a claim asks of its experiments."""
    found = claims(root, CLAIMS.replace("variant: a", f"variant: {variant}"))
    one = {"variants": {"a": None, "b": None}, "prompt_sets": {"casts": None}}
    names = {name: SimpleNamespace(name=name, **one) for name in ("one", "two")}
    return family_files.check_asked(found, names)


TOKENIZER = str(Path(__file__).parents[2] / "lab/base/tokenizer")
MODEL = {"_class_name": "FluxPipeline"}
MISTAKES = [
    # Claims about families
    Mistake("its name can't be the name of a folder", lambda root: claims(root, CLAIMS, "a b"),
            lambda root: claims(root, CLAIMS)),
    Mistake("lists an experiment twice", lambda root: claims(root, CLAIMS.replace("two", "one")),
            lambda root: claims(root, CLAIMS)),
    Mistake("no file config/experiments/tow.yaml",
            lambda root: claims(root, CLAIMS.replace("two", "tow")),
            lambda root: claims(root, CLAIMS)),
    Mistake("and both would write the same log", lambda root: claims(root, CLAIMS, "one"),
            lambda root: claims(root, CLAIMS)),
    Mistake("'k' is not a primary hypothesis of this",
            lambda root: claims(root, f"{CLAIMS}sequence: [k]\n"),
            lambda root: claims(root, f"{CLAIMS}sequence: [h]\n")),
    Mistake("'three' is not one of this file's families",
            lambda root: claims(root, CLAIMS.replace("claim: c", "claim: c, families: [three]")),
            lambda root: claims(root, CLAIMS.replace("claim: c", "claim: c, families: [two]"))),
    Mistake("experiment one has no variant 'aa'", lambda root: asked_of(root, "aa"),
            lambda root: asked_of(root, "a")),
    Mistake("`paired` compares single runs, but here the unit is a family",
            lambda root: claims(root, CLAIMS.replace("claim: c", "claim: c, paired: true")),
            lambda root: claims(root, CLAIMS)),
    # The lab's families
    of_value("no family 'rusell'", families.family, "rusell", "russell"),
    of_value("99", lambda n: families.family("russell", n), 99, 3),
    of_value("is not a cell with a number of photos", families.parse_coverage, "J", "J: 1"),
    of_value("names somebody twice", families.parse_coverage, "JJ: 1", "J: 1"),
    of_value("has more than four people", families.parse_coverage, "ABCDE: 1", "ABCD: 1"),
    of_value("no member has the letter X", lambda t: families.parse_coverage(t, "JA"), "X: 1",
             "J: 1"),
    of_value("cell J is given twice", families.parse_coverage, "J: 1, J: 2", "J: 3"),
    of_value("contains no cell", families.parse_coverage, "", "J: 1"),
    Mistake("contains no drawings", lambda root: pretraining_corpus.shards([root]),
            lambda root: pretraining_corpus.shards([write(root / "a.npz", b"").parent])),
    # Bases and adapters
    of_value("architecture: 'sd1' is not known", lambda n: architectures.by_name(n, "x"), "sd1",
             "flux1"),
    of_value("not know the architecture of a Other", lambda i: architectures.by_index(i, "x"),
             {"_class_name": "Other"}, MODEL),
    of_value("with a network of class int", architectures.of_network, 1,
             type("FluxTransformer2DModel", (), {})()),
    Mistake("has no model_index.json", lambda root: architecture_in(root, None),
            lambda root: architecture_in(root, MODEL)),
    of_value("no such folder", architecture_of, Base(model="./gone"),
             Base(model="./gone", architecture="flux1")),
    of_value("which would tell its architecture", architecture_of, Base(model="org/model"),
             Base(model="org/model", architecture="flux1")),
    Mistake("contains no LoRA weights",
            lambda root: adapters.read_adapters([safetensors(root / "a", {"b": torch.ones(1)})]),
            lambda root: adapters.read_adapters([safetensors(root / "a")])),
    Mistake("is not valid JSON",
            lambda root: adapters.content_hash(
                safetensors(root / "a", **{adapters.CONFIG_KEY: "{"})),
            lambda root: adapters.content_hash(safetensors(root / "a"))),
    Mistake("2 weights are given for 1",
            lambda root: adapters.read_adapters([safetensors(root / "a")], [1, 2]),
            lambda root: adapters.read_adapters([safetensors(root / "a")], [1])),
    Mistake("contains no lab judge (config.json and", lambda root: lab_networks.load_judge(root),
            lambda root: lab_networks.load_judge(lab_judge(root))),
    Mistake("is not the configuration of a lab judge (see",
            lambda root: lab_networks.JudgeConfig.from_json(write(root / "c.json", "{}")),
            lambda root: lab_networks.JudgeConfig.from_json(lab_judge(root) / "config.json")),
    Mistake("no such part", lambda root: part(root, files={"fcae": "x"}), lambda root: part(root)),
    Mistake("no file is named", lambda root: part(None), lambda root: part(root)),
    Mistake("the judge's face is missing", lambda root: part(root / "gone"),
            lambda root: part(root)),
    Mistake("the judge's face has SHA-256", lambda root: part(root, hashes={"face": "0" * 64}),
            lambda root: part(root)),
    of_value("can't be loaded", tokenizers.load_tokenizer, "/nowhere", TOKENIZER),
    # Options and environments
    of_variable("KINDRED_PROCESSES=x", data_parallel.PROCESSES, "x", data_parallel.wanted),
    of_variable("step, but the recipe has", data_parallel.PROCESSES, "2",
                lambda: data_parallel.check(1)),
    of_variable("=none", devices.JOBS_PER_GPU, "none", devices.jobs_per_gpu),
    of_variable("KINDRED_MEMORY_GIB=x", memory_limit.MEMORY_GIB, "x", memory_limit.card_gib),
    of_value("'12T' is not an amount in GiB", amounts.gib("--gpu"), "12T", "12G"),
    of_value("can't be saved for", frozen_plan._check_overrides, {"a": float("nan")}, {"a": 1}),
    Mistake("the configuration with which this job was planned no longer",
            lambda root: frozen_plan.load_frozen(root, root / "gone"), None),
    of_value("there is no list of pictures in", lambda used: store_cleanup.prunable([], 1, used),
             store_cleanup.Used(frozenset(), frozenset(), 0),
             store_cleanup.Used(frozenset(), frozenset(), 1)),
    of_value("must be a JSON list", lambda text: jobs.read_jobs(text, None), "[1]", "[]"),
    of_value("unknown keys: x", lambda text: jobs.read_jobs(text, None), '[{"x": 1}]', "[]"),
    of_value("an entry has no", lambda text: jobs.read_jobs(text, None), '[{"run": 1}]', "[]"),
    Mistake("can't be locked", lambda root: link_lock(root, "gone/lock"),
            lambda root: link_lock(root, None)),
    Mistake("can't be written", lambda root: files.write_text(write(root / "a", "") / "b", "x"),
            lambda root: files.write_text(write(root / "a", None) / "b", "x")),
    # Programs
    Mistake("lacks a label or a file", lambda root: sheet_contents.read_labelled("x"),
            lambda root: sheet_contents.read_labelled(f"x={picture_list(root)}")),
    Mistake("there is no prompt 'b'", lambda root: one_sheet(root, ["b"]),
            lambda root: one_sheet(root, ["a"])),
    Mistake("needs --images, --captions", sheet, lambda root: sheet(root, *of_photos(root))),
    of_file("no such table", "f.csv", None, FIGURES, published_figures.read_table),
    of_value("does not name a figure", figure, "a solo", "a solo success"),
    of_value("no hypothesis 'b'", verdict, "b label", "a label"),
    of_value("does not name a figure", verdict, "a size", "a label"),
    of_value("no section 'B'", cell, "B > a: x", "A > a: x"),
    of_value("no row 'b'", cell, "b: x", "a: x"),
    of_value("no variant 'b'", figure, "b solo success", "a solo success"),
    of_value("no measure 'sucess'", figure, "a solo sucess", "a solo success"),
    Mistake("there is no such page", lambda root: page_picture_program.main(
        [f"{root}/report.html", "--out", f"{root}/report.webp"]), None),
    Mistake("is the adapter itself", lambda root: exported(root, "a.safetensors"), None),
    Mistake("is not a size", lambda root: exported(root, "b.x", "--resolution", "big"), None),
    Mistake("is not a format that Kindred writes",
            lambda root: exported(root, "b.x", "--format", "diffusers"), None),
    of_value("is not STEP=HASH", migrated, "x", "train=0"),
    Mistake("lacks a label or a file", lambda root: curves(root, "t.csv"),
            lambda root: curves(root, f"a={write(root / 't.csv', LOG)}")),
]  # fmt: skip
