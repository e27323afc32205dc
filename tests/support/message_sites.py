"""Every message that a person may read, found in the source by its syntax tree: errors, problems,
warnings, notes on photos and captions, and findings of the audit.

Knows how they are written in code; knows nothing of when they come.
"""

from __future__ import annotations

import ast
import gc
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path

import pytest

from kindred.common.errors import KindredError, Problem, Problems
from kindred.common.sentences import plural
from kindred.config.contradictions import Contradiction
from kindred.data import photo_decoding
from kindred.data.audit.findings import Finding
from kindred.data.photo_decoding import _Unusable, note
from kindred.data.photo_folder import LeftOut
from kindred.models.lora.stated_values import AdapterFault

SCRIPTS = Path(__file__).parents[2] / "scripts"
GAP = "…"  # what is filled in
GUESS = "did you mean '…'?"
ONE: dict[str, str] = {}  # patterns of '… photos', as `counted` says it -> that of '1 photo'
# call -> (place of what is said, place of the cure or -1, what a person meets it as)
CALLS = {
    "KindredError": (0, 2, "error"),
    "Problem": (1, 2, "problem"),
    "problems.add": (1, 2, "problem"),
    "problems.warn": (1, 2, "warning"),
    "_Unusable": (0, 1, "problem"),
    "LeftOut": (1, 2, "warning"),
    "note": (1, -1, "warning"),
    "_note_once": (2, -1, "warning"),
    "Finding": (2, 4, "finding"),
    "Contradiction": (0, 2, "warning"),
    "AdapterFault": (0, 1, "problem"),
}
NOTES_IN = "kindred/data/"  # elsewhere `note` is a line of progress


@dataclass(frozen=True)
class Message:
    """One message: module and function, first and last line, kind, what it says and the cure, '…'
    for what is filled in."""

    module: str
    function: str
    line: int
    end: int
    kind: str
    what: str
    cure: str

    @property
    def key(self) -> str:
        """What it is known by, whatever line it stands on."""
        return f"{self.module}:{self.function}: {self.what}"

    @property
    def letters(self) -> int:
        """How much of what it says is always the same."""
        return len(self.what.replace(GAP, "").strip())

    def fits(self, said: str) -> bool:
        """Whether a text that was met is this message."""
        counted = "|".join(map(re.escape, sorted(ONE, key=len, reverse=True)))
        what = re.sub(counted, lambda many: f"(?:{many[0]}|{ONE[many[0]]})", re.escape(self.what))
        return re.fullmatch(what.replace(GAP, ".*"), said, re.DOTALL) is not None


def messages() -> tuple[Message, ...]:
    """All messages in the source, in its order."""
    return tuple(dict.fromkeys(message for _, message in _sites()))


@cache
def _sites() -> tuple[tuple[Message, Message], ...]:
    """(as it stands at a call, the same as it is known) for each place that says a message."""
    gc.disable()  # looking through so many trees for garbage takes a third of all this
    try:
        return _found()
    finally:
        gc.enable()


def _found() -> tuple[tuple[Message, Message], ...]:
    trees = {
        path.relative_to(SCRIPTS).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(SCRIPTS.rglob("*.py"))
    }
    constants = _constants(trees)
    found: dict[str, Message] = {}
    sites = []
    for module, tree in trees.items():
        for function, call in calls(tree):
            for message in _of_call(module, function, call, constants[module]):
                if message.letters:  # else it passes on what another place says
                    sites.append((message, found.setdefault(message.key, message)))
    return tuple(sites)


def calls(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.Call]]:
    """Every call with the function or class around it."""

    def visit(node: ast.AST, around: ast.AST) -> Iterator[tuple[ast.AST, ast.Call]]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            around = node
        if isinstance(node, ast.Call):
            yield around, node
        for child in ast.iter_child_nodes(node):
            yield from visit(child, around)

    yield from visit(tree, tree)


def message_at(path: str, line: int, said: str) -> Message | None:
    """The message that a text is that was said from a line of a file: of those there that fit, the
    one with most letters of its own. None for what is passed on, such as another error's words."""
    module = Path(path).resolve()
    if not module.is_relative_to(SCRIPTS):
        return None
    name = module.relative_to(SCRIPTS).as_posix()
    there = [
        known
        for one, known in _sites()
        if one.module == name and one.line <= line <= one.end and one.fits(said)
    ]
    return max(there, key=lambda one: one.letters, default=None)


@contextmanager
def heard() -> Iterator[set[Message]]:
    """Yield a set that every message which is said meanwhile goes into."""
    found: set[Message] = set()
    with pytest.MonkeyPatch.context() as patch:

        def listen(function: Callable[..., object], place: int) -> Callable[..., object]:
            @wraps(function)
            def said(*given: object, **named: object) -> object:
                frame = sys._getframe(1)
                what = given[place] if len(given) > place else named.get("what", named.get("why"))
                if message := message_at(frame.f_code.co_filename, frame.f_lineno, str(what)):
                    found.add(message)
                return function(*given, **named)

            return said

        for cls, place in ((KindredError, 1), (Problem, 2), (LeftOut, 2), (Finding, 3)):
            patch.setattr(cls, "__init__", listen(cls.__init__, place))
        for cls in (_Unusable, Contradiction, AdapterFault):
            patch.setattr(cls, "__init__", listen(cls.__init__, 1))
        patch.setattr(Problems, "add", listen(Problems.add, 2))
        patch.setattr(Problems, "warn", listen(Problems.warn, 2))
        patch.setattr(photo_decoding, "_note_once", listen(photo_decoding._note_once, 2))
        for module in [one for one in sys.modules.values() if vars(one).get("note") is note]:
            patch.setattr(module, "note", listen(note, 1))
        yield found


def kind_of(call: ast.Call) -> str:
    """The key in CALLS; '' for a call that says nothing to a person."""
    *owners, name = ast.unparse(call.func).split(".")
    if name in ("add", "warn"):
        return f"problems.{name}" if "problems" in owners else ""
    return name if name in CALLS else ""


def _of_call(
    module: str, around: ast.AST, call: ast.Call, constants: dict[str, str]
) -> Iterator[Message]:
    kind = kind_of(call)
    if not kind or ("note" in kind and not module.startswith(NOTES_IN)):
        return
    place, cure_place, met_as = CALLS[kind]
    reader = _Reader(around, call, constants)
    said = _argument(call, place, ("what", "why"))
    to_do = _argument(call, cure_place, ("cure",)) if cure_place >= 0 else None
    pairs = reader.pairs(said, to_do)
    for what in reader.texts(said):
        cures = pairs.get(what) or reader.texts(to_do)
        cure = " / ".join(dict.fromkeys(cures))
        name = getattr(around, "name", "")
        end = call.end_lineno or call.lineno
        yield Message(module, name, call.lineno, end, met_as, what, cure)


def _argument(call: ast.Call, place: int, names: Sequence[str]) -> ast.expr | None:
    named = [key.value for key in call.keywords if key.arg in names]
    if named:
        return named[0]
    given = call.args[: place + 1]
    return given[place] if len(given) > place and not _starred(given) else None


def _starred(given: Sequence[ast.expr]) -> bool:
    return any(isinstance(one, ast.Starred) for one in given)


class _Reader:
    """Texts of expressions at a call inside a function: what its names were given is looked up."""

    def __init__(self, around: ast.AST, call: ast.AST | None, constants: dict[str, str]) -> None:
        self._around, self._constants = around, constants
        self._before = list(_before(around, call)) if call else []

    def texts(self, node: ast.expr | None, depth: int = 0) -> list[str]:
        """What an expression may say, each once, in order."""
        if node is None:
            return [""]
        if isinstance(node, ast.IfExp):
            both = self.texts(node.body, depth) + self.texts(node.orelse, depth)
            return list(dict.fromkeys(both))
        if isinstance(node, ast.Name) and depth < 3:
            given = [
                text for value in self._given(node.id) for text in self.texts(value, depth + 1)
            ]
            if given:
                return list(dict.fromkeys(given))
        return [self._text(node)]

    def pairs(self, what: ast.expr | None, cure: ast.expr | None) -> dict[str, list[str]]:
        """What is said -> its cures, where both get their values in one assignment."""
        found: dict[str, list[str]] = {}
        if isinstance(what, ast.Name) and isinstance(cure, ast.Name):
            for node in ast.walk(self._around):
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                    names = [ast.unparse(one) for one in getattr(node.targets[0], "elts", [])]
                    if names == [what.id, cure.id]:
                        for text in self.texts(node.value.elts[0]):
                            found.setdefault(text, []).extend(self.texts(node.value.elts[1]))
        return found

    def _given(self, name: str) -> Iterator[ast.expr]:
        """The values that a name may have at the call: its last one, where that was always given
        on the way there, else all that it gets in the function."""
        for node in self._before:
            if last := list(_values(node, name)):
                yield from last
                return
        for node in ast.walk(self._around):
            yield from _values(node, name)

    def _text(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant):
            return str(node.value) if isinstance(node.value, str) else GAP
        if isinstance(node, ast.JoinedStr):
            return _one_gap("".join(map(self._text, node.values)))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _one_gap(self._text(node.left) + self._text(node.right))
        if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Name):
            return self._constants.get(node.value.id, GAP)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._constants.get(ast.unparse(node).split(".")[-1], GAP)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("did_you_mean"):
            return GUESS
        call = node.value if isinstance(node, ast.FormattedValue) else node
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("counted", "plural"):
            return self._of_number(call)
        return GAP

    def _of_number(self, node: ast.Call) -> str:
        """What a call of `counted` or `plural` says of numbers other than 1."""
        one, *several = map(self._text, node.args[1:])
        if one == GAP:
            return GAP
        many = plural(2, one, *several)
        if ast.unparse(node.func) == "counted":
            many, one = f"{GAP} {many}", f"1 {one}"
        ONE[re.escape(many)] = re.escape(one)
        return many


def _values(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """What one assignment gives a name."""
    if isinstance(node, ast.NamedExpr) and node.target.id == name:
        yield node.value
    for target in node.targets if isinstance(node, ast.Assign) else ():
        if isinstance(target, ast.Name) and target.id == name:
            yield node.value
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            for one, value in zip(target.elts, node.value.elts, strict=False):
                if isinstance(one, ast.Name) and one.id == name:
                    yield value


def _before(around: ast.AST, call: ast.AST) -> Iterator[ast.stmt]:
    """The statements that always run before a call in a function, the nearest first."""
    if around is call:
        return
    for block in ("body", "orelse", "handlers", "finalbody"):
        statements = getattr(around, block, None)
        for place, one in enumerate(statements if isinstance(statements, list) else ()):
            if any(node is call for node in ast.walk(one)):
                yield from _before(one, call)
                yield from reversed(statements[:place])


def _one_gap(text: str) -> str:
    return re.sub(f"{GAP}+", GAP, text)


def _constants(trees: Mapping[str, ast.Module]) -> dict[str, dict[str, str]]:
    """Module -> texts by their names in capitals, its own and those that it imports; a name that
    means one text everywhere is known to all."""
    own: dict[str, dict[str, str]] = {}
    for module, tree in trees.items():
        own[module] = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name, value = node.targets[0].id, node.value
                if name.isupper() and isinstance(value, ast.Constant | ast.JoinedStr):
                    own[module][name] = _Reader(node, None, {}).texts(value)[0]
    everywhere: dict[str, set[str]] = {}
    for texts in own.values():
        for name, text in texts.items():
            everywhere.setdefault(name, set()).add(text)
    common = {name: next(iter(texts)) for name, texts in everywhere.items() if len(texts) == 1}
    return {module: common | _imported(trees[module], own) | own[module] for module in trees}


def _imported(tree: ast.Module, own: Mapping[str, dict[str, str]]) -> dict[str, str]:
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            texts = own.get(node.module.replace(".", "/") + ".py", {})
            found |= {one.name: texts[one.name] for one in node.names if one.name in texts}
    return found
