"""The order in which claims about families are tested, and what is corrected for what.

First a fixed sequence, each at the full level as long as all before it are supported (closed
testing: Marcus, Peritz and Gabriel 1976, doi 10.1093/biomet/63.3.655); then the other primary
hypotheses, corrected by Holm among themselves. Only a claim that is supported opens the next one:
were any decision enough, two wrong ones could follow a right one. Knows p values; knows nothing of
what they are of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kindred.evidence.intervals import holm


@dataclass(frozen=True)
class Test:
    """How one hypothesis is read: `left`: of how many that are left it is one, by which the level
    of its interval follows; `p`: adjusted for those and for all that had to be decided before;
    `after`: the hypothesis that was not supported, so that this one is not tested ('': it is)."""

    left: int = 1
    p: float = 1.0
    after: str = ""


def tests(
    p: Mapping[str, float],
    primary: Sequence[str],
    sequence: Sequence[str],
    supported: Callable[[str], bool],
) -> dict[str, Test]:
    """How each hypothesis is read. p: one-sided, by hypothesis; primary: those that can be tested;
    supported: whether one of the sequence is, at the full level."""
    found = {name: Test(1, value) for name, value in p.items()}
    largest, after = 0.0, ""
    for name in (one for one in sequence if one in primary):
        largest = max(largest, p[name])
        found[name] = Test(1, largest, after)
        after = after or ("" if supported(name) else name)
    rest = [name for name in primary if name not in sequence]
    for name, (adjusted, left) in zip(rest, holm([p[one] for one in rest]), strict=True):
        found[name] = Test(left, max(largest, adjusted), after)
    return found
