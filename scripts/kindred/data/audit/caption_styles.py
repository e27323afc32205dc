"""Whether a caption is a list of tags or a sentence, by how it is put together.

Knows the small words of English that sentences have and lists of tags lack.
"""

from __future__ import annotations

import re
from typing import Literal

Style = Literal["tags", "sentence", ""]

LINKS = frozenset(
    """
    a an the and or of in on at to with by for from as into onto over under behind beside between
    near next is are was were be has have had who which that his her their its he she they while
    """.split()  # noqa: SIM905
)
FEWEST = 3  # items that make a list
LONGEST = 3.0  # words of an item, on average, in a list of tags
LINKED = 0.25  # share of items with a small word up to which they are tags
UNDERLINED = re.compile(r"[^\W_]+_[^\W_]")  # long_hair, looking_at_viewer


def style_of(caption: str) -> Style:
    """'tags' for "1girl, long hair, smile", 'sentence' for "a woman smiles at the beach", '' where
    a caption is too short to tell, as a name alone."""
    items = [item.split() for item in re.split(r"[,;|]", caption) if item.strip()]
    words = [re.sub(r"^\W+|\W+$", "", word).casefold() for item in items for word in item]
    linked = [any(word.casefold().strip(".!?") in LINKS for word in item) for item in items]
    underlined = sum(bool(UNDERLINED.search(word)) for word in words)
    is_list = len(items) >= FEWEST and len(words) <= LONGEST * len(items)
    if (is_list and sum(linked) <= LINKED * len(items)) or (underlined >= 2 and not any(linked)):
        return "tags"
    return "sentence" if len(words) >= 4 and any(linked) else ""
