"""Parts of Markdown pages that a program writes, between two comments, among people's words."""

from __future__ import annotations

import re
from pathlib import Path

from kindred.common.errors import KindredError
from kindred.common.files import write_text


def with_block(page: str, name: str, written: str, where: str) -> str:
    """The page's text with `written` between the comments that name the block; the first one may
    say by which command it is written.

    Raises KindredError where the page hasn't got them.
    """
    start, end = f"<!-- {name}: written by a program -->", f"<!-- end of {name} -->"
    begin = re.search(rf"<!-- {re.escape(name)}: written by .+? -->", page)
    _, ends, after = page[begin.end() :].partition(end) if begin else ("", "", "")
    if not begin or not ends:
        cure = f"add the lines {start} and {end} where it belongs"
        raise KindredError(f"the page has no place for the block '{name}'", where, cure)
    return f"{page[: begin.end()]}\n\n{written.strip()}\n\n{end}{after}"


def write_block(page: Path, name: str, written: str) -> None:
    """Write a block into a page. Raises as `with_block` does."""
    text = page.read_text(encoding="utf-8")
    write_text(page, with_block(text, name, written, str(page)))
