"""What the docs name is there: files, modules, programs, rules, configuration keys, identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from kindred.config import base_fit, json_schema, user_schema  # noqa: F401 - define the keys
from kindred.specs.spec_model import SpecModel

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "scripts" / "kindred"
DOCS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "tests/README.md")),
    # The table of messages is written from the code itself.
    *sorted(
        path
        for room in (".", "guide", "findings", "reference", "decisions")
        for path in (ROOT / "docs" / room).glob("*.md")
        if path.name not in ("messages.md", "hypotheses.md")
    ),
]
PACKAGES = {path.name for path in LIBRARY.iterdir() if path.is_dir()}
CODE = ("scripts", "rules", "config", "tests", "benchmarks", "report", "profiles", "envs")
FOLDERS = {*CODE, "docs", "lab"}
THEIRS = {
    "config/families",
    "config/experiments/ours.yaml",
    "config/experiments/tour.yaml",
}  # what people make
# Keys that others' files have, each with whose.
FOREIGN_KEYS = {"script": "a rule of Snakemake", "made_with": "a picture's own record"}

each_doc = pytest.mark.parametrize("doc", DOCS, ids=lambda path: str(path.relative_to(ROOT)))


def text_of(doc: Path) -> str:
    """Without what the glossary says that others call it."""
    text = doc.read_text(encoding="utf-8")
    if doc.name == "glossary.md":
        text = re.sub(r"^(\|[^|\n]*\|[^|\n]*\|[^|\n]*\|)[^|\n]*\|$", r"\1", text, flags=re.M)
    return text


def paths_in(text: str) -> Iterator[tuple[str, bool]]:
    """Every path that begins with a folder of ours, and whether it goes on with what is any. Not
    those of an old revision, `git show 0123456789ab:docs/...`."""
    for match in re.finditer(
        r"(?<![\w/.~-])(?<![0-9a-f]{12}:)((?:[\w.-]+/)+[\w.-]*\w)([<*{])?", text
    ):
        if match[1].split("/")[0] in FOLDERS | PACKAGES:
            yield match[1], bool(match[2])


def lies(path: str, is_begin: bool) -> bool:
    """Whether it is a file or folder of the repository, a module of the library, or a test file."""
    places = [root / path for root in (ROOT, LIBRARY, ROOT / "tests")]
    if is_begin:
        return any(list(place.parent.glob(f"{place.name}*")) for place in places)
    return any(place.exists() or place.with_name(f"{place.name}.py").exists() for place in places)


@each_doc
def test_paths_are_there(doc):
    named = list(paths_in(text_of(doc)))
    assert [path for path, begun in named if not lies(path, begun) and path not in THEIRS] == []


@each_doc
def test_python_files_are_there(doc):
    ours = {path.name for folder in CODE for path in (ROOT / folder).rglob("*.py")}
    assert set(re.findall(r"(?<![\w/.-])(\w+\.py)\b", text_of(doc))) <= ours


@each_doc
def test_dotted_names_are_there(doc):
    for name in re.findall(r"\bkindred(?:\.\w+)+", text_of(doc)):
        module, _, attribute = name.rpartition(".")
        try:
            import_module(name)
        except ModuleNotFoundError:
            assert hasattr(import_module(module), attribute), name


@pytest.mark.parametrize("folder", ["scripts", "rules", "tests", "benchmarks"])
def test_modules_that_the_code_speaks_of_are_there(folder):
    """In comments, docstrings and templates of commands; imports see to themselves."""
    files = [path for kind in ("*.py", "*.smk") for path in (ROOT / folder).rglob(kind)]
    named = {
        (name, path.name)
        for path in files
        for name in re.findall(r"\bkindred\.[a-z_]+(?:\.\w+)+", path.read_text("utf-8"))
    }
    assert {(name, file) for name, file in named if not is_there(name)} == set()


def is_there(name: str) -> bool:
    """Whether a dotted name is a package, a module, or in a module; or what a package defines."""
    place = LIBRARY.parent.joinpath(*name.split("."))
    if place.is_dir() or place.with_suffix(".py").exists():
        return True
    parent, _, attribute = name.rpartition(".")
    return place.parent.with_suffix(".py").exists() or hasattr(import_module(parent), attribute)


def rules() -> set[str]:
    files = [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
    found = (
        re.findall(r"^\s*rule (\w+):", path.read_text(encoding="utf-8"), re.M) for path in files
    )
    return {name for names in found for name in names}


@each_doc
def test_what_snakemake_is_asked_for_is_a_rule(doc):
    text = text_of(doc)
    asked = re.findall(r"`snakemake ([^`\n]+)`", text) + re.findall(r"^snakemake (.+)$", text, re.M)
    words = {line.split("#")[0].split()[0] for line in asked if line.split("#")[0].strip()}
    named = set(re.findall(r"\brules? `(\w+)`", text)) | set(re.findall(r"`rule (\w+)`", text))
    plain = {word for word in words if re.fullmatch(r"\w+", word)} | named
    assert plain <= rules()


def keys() -> set[str]:
    """Every key of every model, by all its names."""
    models, found = [SpecModel], set()
    for model in models:
        models += model.__subclasses__()
        found |= set(model.model_fields)
        found |= {field.alias for field in model.model_fields.values() if field.alias}
    return found


@each_doc
def test_keys_are_those_of_the_configuration(doc):
    named = set(re.findall(r"`(\w+):(?: [^`]*)?`", text_of(doc)))
    assert named - set(FOREIGN_KEYS) <= keys()


@pytest.fixture(scope="module")
def words() -> set[str]:
    """Every word of the code."""
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*") if path.is_file()]
    kinds = (".py", ".smk", ".yaml", ".html", ".txt", ".toml")
    texts = [path for path in files if path.suffix in kinds and path != Path(__file__)]
    texts += [ROOT / "Snakefile", ROOT / "Makefile"]
    found = {
        word for path in texts for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))
    }
    return found | {path.stem for path in files}


@each_doc
def test_identifiers_are_those_of_the_code(doc, words):
    spans = re.findall(r"`([^`\n]+)`", text_of(doc))
    named = {word for span in spans for word in re.findall(r"[A-Za-z]\w*\w", span) if "_" in word}
    assert [word for word in named - words if not word.endswith("_")] == []


def test_what_is_gone_is_seen():
    """The tests above find what they are for."""
    gone = "see `scripts/nothing.py`, `data/nothing` and tests/unit/x/test_<module>.py"
    assert [path for path, begun in paths_in(gone) if not lies(path, begun)] == [
        *("scripts/nothing.py", "data/nothing", "tests/unit/x/test_")
    ]
    assert {"train", "render", "trained_together", "drawn_together"} <= rules()
    assert {"max_grad_norm", "prompt_sets", "memory_gib", "class"} <= keys()
    assert "nothing_of_ours" not in keys()
    assert is_there("kindred.judges.open_judge") and not is_there(f"kindred.lab.{None}")
