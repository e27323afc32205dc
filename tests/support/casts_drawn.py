"""Pictures of casts for tests, written as who was asked for and who is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kindred.evidence.cast_images import CastImage
from kindred.specs.casts import AskedCast

WIDE, LANDSCAPE = "192x96", "144x128"


def asked(
    cast: str,
    strangers: int = 0,
    canvas: str = WIDE,
    wording: str = "bare",
    order: Sequence[str] = (),
    wears: Mapping[str, str] | None = None,
) -> AskedCast:
    """A cast of the letters of `cast` and of strangers: 'AJ' beside one is called 'A+J+1'."""
    name = "+".join([*cast, *([str(strangers)] if strangers else [])])
    return AskedCast(
        name=name,
        members=list(cast),
        strangers=strangers,
        canvas=canvas,
        wording=wording,
        order=list(order),
        wears=dict(wears or {}),
    )


def drawn(
    who: AskedCast | str,
    found: str,
    run: int = 1,
    seed: int = 1,
    wears: Sequence[str] | None = None,
    likeness: float = 0.9,
) -> CastImage:
    """A picture of `found`, letters from left to right with '.' for a stranger, each member that
    alike and everybody else 0.1."""
    who = asked(who) if isinstance(who, str) else who
    letters = tuple("" if x == "." else x for x in found)
    members = sorted(x for x in letters if x)
    return CastImage(
        run=run,
        prompt=f"{who.name}.{who.canvas}.{who.wording}",
        seed=seed,
        asked=who,
        right=members == sorted(who.members) and len(letters) == who.heads,
        found=letters,
        likeness=tuple({x: likeness if x == letter else 0.1 for x in "ACJ"} for letter in letters),
        wears=tuple(wears or [""] * len(letters)),
    )
