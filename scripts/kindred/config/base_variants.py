"""The bases alone, as variants that every experiment has besides its own.

Knows their names; knows nothing of what is drawn.
"""

from __future__ import annotations

from kindred.config.plan import Variant
from kindred.config.user_schema import BASE_VARIANT


def base_variants(default: str, variants: list[Variant]) -> list[Variant]:
    """The base without adapter, once for every base in use: `BASE`, others `BASE-<name>`; and
    `<that>-on-<other>` where variants of it are drawn on another one. None where there are
    pictures made elsewhere and nothing else: no base has a part in these."""
    drawn_here = [one for one in variants if not one.pictures]
    if variants and not drawn_here:
        return []
    variants = drawn_here
    others = sorted({variant.base for variant in variants} - {default})
    names = {default: BASE_VARIANT} | {base: f"{BASE_VARIANT}-{base}" for base in others}
    plain = [Variant(name, base, None, (1,)) for base, name in names.items()]
    drawn = sorted({(one.base, one.draw_on) for one in variants if one.draw_on})
    return plain + [
        Variant(f"{names[base]}-on-{other}", base, None, (1,), draw_on=other)
        for base, other in drawn
    ]
