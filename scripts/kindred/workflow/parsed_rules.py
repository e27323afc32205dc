"""Rule files as Snakemake parsed them before.

Snakemake parses each rule file anew at every start, in Python, which takes longer than most of what
planning is about. What comes of it follows from the file's text and path, the number of rules
before it and Snakemake itself: under a hash of these it is kept, as Python keeps the bytecode of
modules. Whatever is in doubt is parsed by Snakemake.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write
from kindred.common.hashing import sha256_text

FILE = Path(".snakemake/kindred/parsed-rules")


class ParsedText(str):
    """The Python text that Snakemake makes of a rule file, with its bytecode."""

    bytecode: CodeType


@dataclass
class ParsedRules:
    """Stands in for Snakemake's parser and, for what that made, for `compile`."""

    parse_anew: Callable[..., tuple[str, int]]
    version: str  # of Snakemake
    file: Path = FILE
    # Path -> hash, text, bytecode, number of rules, line of the text -> line of the rule file.
    kept: dict[str, tuple[str, str, CodeType, int, dict[int, int]]] = field(default_factory=dict)
    changed: bool = False

    def __post_init__(self) -> None:
        try:
            self.kept = marshal.loads(self.file.read_bytes())
        except (OSError, EOFError, ValueError, TypeError):
            self.kept = {}

    def parse(
        self, path: Any, workflow: Any, linemap: dict[int, int], rulecount: int = 0, **told: Any
    ) -> tuple[str, int]:
        """As `snakemake.parser.parse`."""
        place = path.get_path_or_uri(secret_free=True)
        if told or not os.path.isfile(place):
            return self.parse_anew(path, workflow, linemap, rulecount=rulecount, **told)
        text = Path(place).read_text(encoding="utf-8")
        key = sha256_text(repr((text, place, rulecount, self.version, sys.version)))
        if self.kept.get(place, ("",))[0] != key:
            lines: dict[int, int] = {}
            code, rules = self.parse_anew(path, workflow, lines, rulecount=rulecount)
            self.kept[place] = key, code, compile(code, place, "exec"), rules, lines
            self.changed = True
        _, code, bytecode, rules, lines = self.kept[place]
        linemap.update(lines)
        parsed = ParsedText(code)
        parsed.bytecode = bytecode
        return parsed, rules

    def save(self) -> None:
        """Write down what was parsed anew; a folder that can't be written keeps nothing."""
        if not self.changed:
            return
        try:
            with atomic_write(self.file) as temporary:
                temporary.write_bytes(marshal.dumps(self.kept))
        except KindredError:
            return


def keep_parsed(module: Any, version: str) -> ParsedRules:
    """Have the module `snakemake.workflow` take rule files as they were parsed before."""
    rules = ParsedRules(module.parse, version)
    module.parse = rules.parse
    module.compile = _compile
    return rules


def _compile(source: Any, filename: str, mode: str) -> CodeType:
    """As Python's `compile`, which Snakemake calls for what its parser gave."""
    return source.bytecode if isinstance(source, ParsedText) else compile(source, filename, mode)
