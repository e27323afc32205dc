"""Rule files as they were parsed before: the same text, until anything it follows from changes."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake import __version__, api
from snakemake.parser import parse
from snakemake.sourcecache import LocalSourceFile

from kindred.workflow import parsed_rules
from kindred.workflow.parsed_rules import ParsedRules

ROOT = Path(__file__).parents[3]
RULE = 'rule one:\n    output:\n        "made",\n    shell:\n        "touch {output}"\n'


class Counting:
    """Snakemake's parser, and how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, path, workflow, linemap, **told):
        self.times += 1
        return parse(path, workflow, linemap, **told)


@pytest.fixture
def workflow():
    def opened(path):
        return Path(path.get_path_or_uri(secret_free=True)).open()

    return SimpleNamespace(sourcecache=SimpleNamespace(open=opened))


def parsed(rules: ParsedRules, file: Path, workflow, **told):
    lines: dict[int, int] = {}
    text, count = rules.parse(LocalSourceFile(str(file)), workflow, linemap=lines, **told)
    return text, count, lines


@pytest.mark.parametrize("file", sorted(ROOT.glob("rules/*.smk")), ids=lambda file: file.stem)
def test_what_is_kept_is_what_the_parser_gives(file: Path, workflow, tmp_path: Path):
    lines: dict[int, int] = {}
    text, count = parse(LocalSourceFile(str(file)), workflow, linemap=lines, rulecount=3)
    first = ParsedRules(anew := Counting(), __version__, tmp_path / "kept")
    assert parsed(first, file, workflow, rulecount=3) == (text, count, lines)
    first.save()
    later = ParsedRules(anew, __version__, tmp_path / "kept")
    again = parsed(later, file, workflow, rulecount=3)
    assert again == (text, count, lines) and anew.times == 1
    own = compile(text, str(file), "exec")
    assert parsed_rules._compile(again[0], str(file), "exec") == own


def test_what_it_follows_from_is_parsed_anew_when_it_changes(workflow, tmp_path: Path):
    file, anew, kept = tmp_path / "a.smk", Counting(), tmp_path / "kept"
    file.write_text(RULE)

    def times(version: str = __version__, **told) -> int:
        rules = ParsedRules(anew, version, kept)
        assert parsed(rules, file, workflow, **told)[:2] == parse(
            LocalSourceFile(str(file)), workflow, linemap={}, **told
        )
        rules.save()
        return anew.times

    assert times() == times() == 1
    file.write_text(RULE.replace("one", "two"))
    assert times() == times() == 2
    assert times(rulecount=4) == times(rulecount=4) == 3
    assert times("0.1", rulecount=4) == 4
    kept.write_bytes(b"cut")
    assert times("0.1", rulecount=4) == times("0.1", rulecount=4) == 5
    file.rename(tmp_path / "b.smk")
    file = tmp_path / "b.smk"
    assert times("0.1", rulecount=4) == 6


def test_what_lies_elsewhere_is_left_to_snakemake(workflow, tmp_path: Path):
    rules = ParsedRules(lambda *told, **more: ("text", 1), __version__, tmp_path / "kept")
    remote = SimpleNamespace(get_path_or_uri=lambda secret_free: "https://example.org/a.smk")
    assert rules.parse(remote, workflow, linemap={}) == ("text", 1)
    rules.save()
    assert not (tmp_path / "kept").exists()


def test_a_folder_that_can_t_be_written_keeps_nothing(workflow, tmp_path: Path):
    (tmp_path / "file").touch()
    file = tmp_path / "a.smk"
    file.write_text(RULE)
    rules = ParsedRules(parse, __version__, tmp_path / "file/kept")
    assert "touch" in parsed(rules, file, workflow)[0]
    rules.save()


def test_snakemake_s_module_takes_them_and_compiles_all_else(tmp_path: Path):
    module = SimpleNamespace(parse=parse)
    rules = parsed_rules.keep_parsed(module, __version__)
    assert module.parse == rules.parse
    assert eval(module.compile("1 + 1", "x", "eval")) == 2
    assert callable(sys.modules[api.Workflow.__module__].parse), (
        "Snakemake still has what is replaced"
    )
