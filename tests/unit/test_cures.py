"""A cure in a message works: each mistake is made, its message read, its cure followed, and then
the message is gone and nothing new has come.

docs/reference/messages.md lists every message of the source. Each is met here, or has a reason in
message_reasons why it is not. The page is written by
`python -m pytest tests/unit/test_cures.py --update-golden`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path

import audit_mistakes
import config_mistakes
import folder_mistakes
import pytest
from message_reasons import REASONS
from message_sites import GAP, Message, heard, messages

from kindred.common.errors import KindredError, ProblemsError, message
from kindred.config.load_plan import load_plan

TABLE = Path(__file__).parents[2] / "docs/reference/messages.md"
LEAST = 446  # messages that are met here; more may come, fewer may not
MET: set[Message] = set()
# Mistakes in files and the like; imported when they are made, for together they need everything.
FILES = ("file", "setting", "finding", "adapter", "report", "judge", "machine", "starting")


def said(look: Callable[[], Iterable[str]]) -> list[str]:
    """What a person reads of something: problems where it stops, else notes and warnings."""
    with heard() as found:
        try:
            return list(look())
        except ProblemsError as error:
            return [problem.what for problem in error.problems]
        except KindredError as error:
            return [error.what]
        finally:
            MET.update(found)


def check(mistake: str, wrong: Callable[[], object], look: Callable[[], Iterable[str]],
          cure: Callable[[], object]) -> None:  # fmt: skip
    """Make a mistake, read of it, follow the cure, and read nothing of it and nothing new."""
    before = said(look)
    assert not any(mistake in text for text in before), before
    wrong()
    told = said(look)
    assert any(mistake in text for text in told), told
    cure()
    after = said(look)
    assert not any(mistake in text for text in after), after
    assert set(after) <= set(before), after


def config(folder: Path) -> Callable[[], Iterator[str]]:
    """How the configuration below a folder is read: its warnings."""
    return lambda: (warning.what for warning in load_plan(folder).warnings)


def check_configurations(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """(what a mistake says, its check) for each mistake in a configuration."""
    for number, (mistake, wrong, cure) in enumerate(config_mistakes.MISTAKES):
        root = folder / f"config-{number}"

        def run(root=root, mistake=mistake, wrong=wrong, cure=cure) -> None:
            config_mistakes.write(root)
            edit = config_mistakes.edit
            check(mistake, lambda: edit(root, wrong), config(root), lambda: edit(root, cure))

        yield mistake, run


def check_folders(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """The same for mistakes in folders of photos."""
    cases = [*folder_mistakes.MISTAKES, *folder_mistakes.broken(folder / "broken")]
    for number, (mistake, wrong, cure) in enumerate(cases):
        root = folder / f"photos-{number}"

        def run(root=root, mistake=mistake, wrong=wrong, cure=cure) -> None:
            put = folder_mistakes.put
            put(root, folder_mistakes.FILES)
            images = root.with_name(f"{root.name}-images")
            look = lambda: folder_mistakes.said_of(root, images)  # noqa: E731
            check(mistake, lambda: put(root, wrong), look, lambda: put(root, cure))

        yield mistake, run


def check_audits(_: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """The same for datasets that are warned of."""
    for mistake, wrong, cured in audit_mistakes.MISTAKES:

        def run(mistake=mistake, wrong=wrong, cured=cured) -> None:
            told = said(lambda: audit_mistakes.found(wrong))
            assert any(mistake in text for text in told), told
            after = said(lambda: audit_mistakes.found(cured))
            assert not any(mistake in text for text in after), after

        yield mistake, run


def words(found: object) -> list[str]:
    """What a list of findings, faults, problems or notes says; of anything else only errors are of
    interest."""
    if not isinstance(found, list):
        return []
    texts = (
        one.get("what") if isinstance(one, dict) else getattr(one, "what", None) for one in found
    )
    return [text for text in texts if text is not None]


def check_files(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """The same for files, options, environments, and whatever else is read of a folder of its
    own."""
    modules = [import_module(f"{name}_mistakes") for name in FILES]
    cases = [one for module in modules for one in module.MISTAKES]
    for number, (mistake, wrong, cured) in enumerate(cases):
        root = folder / f"file-{number}"

        def run(root=root, mistake=mistake, wrong=wrong, cured=cured) -> None:
            root.mkdir()
            told = said(lambda: words(wrong(root)))
            assert any(mistake in text for text in told), told
            if cured:
                assert said(lambda: words(cured(root))) == []

        yield mistake, run


def table(met: set[str]) -> str:
    """docs/reference/messages.md. met: keys of messages that were met."""
    left = [one for one in messages() if re.search("[a-z]{3}", one.what)]
    lines = [HEAD]
    for heading, modules in GROUPS.items():
        own = [one for one in left if one.module.startswith(modules)]
        left = [one for one in left if one not in own]
        rows = {row(one): None for one in sorted(own, key=in_order)}
        lines += [f"\n## {heading}\n", "| message | kind | what to do |", "|---|---|---|", *rows]
    assert not left, f"say in GROUPS where these belong: {left}"
    lines += ["\n## Messages that no test meets\n"]
    lines += [f"- {cell(one.what)}: {reason_of(one)}" for one in messages() if one.key not in met]
    return "\n".join(lines) + "\n"


def row(one: Message) -> str:
    """A message as a row of the table."""
    cures = [message("", "", cure).removeprefix(". ") for cure in one.cure.split(" / ") if cure]
    cures = ["The message says it." if cure == f"{GAP}." else cure for cure in cures]
    kind = {"problem": "error"}.get(one.kind, one.kind)
    return f"| {cell(one.what)} | {kind} | {cell(' Or: '.join(cures))} |"


def in_order(one: Message) -> str:
    """What a reader looks for: the words that are always the same, without signs."""
    return re.sub(r"[^a-z ]", "", one.what.casefold()).strip()


def reason_of(one: Message) -> str:
    """Why it is not met here; empty for one without a reason."""
    return next((why for site, why in REASONS.items() if one.key.startswith(site)), "")


def cell(text: str) -> str:
    """As a cell of a table in Markdown can hold it."""
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


# Heading -> how the names of modules begin that say such messages; the first that fits counts.
GROUPS = {
    "Configuration": ("kindred/config/", "kindred/specs/"),
    "The audit of photos and captions": ("kindred/data/audit/",),
    "Photos, captions and names": ("kindred/data/", "kindred/starting/", "kindred/characters/"),
    "LoRA files": ("kindred/models/lora/", "export_lora.py"),
    "Base models": ("kindred/models/",),
    "GPUs and memory": ("kindred/compute/",),
    "Training": ("kindred/training/",),
    "Drawing pictures": ("kindred/rendering/", "class_images.py"),
    "Judges and scores": ("kindred/judges/", "kindred/scoring/"),
    "Publishing results": (
        "kindred/report/family_publishing",
        "kindred/report/publication",
        "kindred/report/repository",
        *("kindred/report/doc_figures", "doc_figures.py", "show_declared.py"),
    ),
    "Comparing, rating and reports": (
        *("kindred/evidence/", "kindred/report/"),
        *("choose_step.py", "contact_sheet.py", "page_picture.py", "plot_training_curves.py"),
    ),
    "Snakemake, Slurm and the stores": ("kindred/workflow/", "migrate_stores.py"),
    "Files and disks": ("kindred/common/",),
    "The lab's own models, and benchmarks": (
        *("kindred/lab/", "kindred/world/", "lab_", "kindred/benchmarking/"),
    ),
}
HEAD = """# What does this message mean?

A message says where something is wrong, what is wrong, and what to do:

    config/experiments/ours.yaml:12: variants.all.rnak: unknown key. Did you mean 'rank'?

To find a message here, search this page for a few of its words that are not names or numbers of
yours: … stands for those.

- **error**: the program stops. It lists all errors that it finds, not only the first.
- **warning**: the program continues.
- **finding**: a line of a dataset's audit page. Nothing stops, but the result may be worse.

A test causes each of these messages, follows the advice where a program can, and checks that the
message is gone. The last section lists the exceptions.

<!-- Written by `python -m pytest tests/unit/test_cures.py --update-golden`; don't edit. -->"""


@pytest.mark.long
@pytest.mark.minutes
def test_each_cure_works(tmp_path, update, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed = {}
    for checks in (check_configurations, check_folders, check_audits, check_files):
        for mistake, run in checks(tmp_path):
            try:
                run()
            except Exception as error:
                failed[mistake] = f"{type(error).__name__}: {error}"
    assert not failed, "\n".join(f"{mistake}: {why}" for mistake, why in failed.items())
    met = {one.key for one in MET}
    if update:
        TABLE.write_text(table(met), encoding="utf-8")
    assert len(met) >= LEAST
    unmet = [one for one in messages() if one.key not in met]
    assert not [one.key for one in unmet if not reason_of(one)], "no mistake and no reason"
    left = {site for site in REASONS if not any(one.key.startswith(site) for one in unmet)}
    assert not left, "these are met, or are no messages: take them out of REASONS"
    assert table(met) == TABLE.read_text(encoding="utf-8"), "run this with --update-golden"


def test_the_table_lists_every_message():
    met = {one.key for one in messages() if not reason_of(one)}
    written = TABLE.read_text(encoding="utf-8")
    assert table(met) == written, "run this module with --update-golden, all of its tests"
