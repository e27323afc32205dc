"""Whether a PNG file is there to its end, without decoding it."""

from __future__ import annotations

import os
from pathlib import Path

from kindred.common.errors import KindredError

BEGIN = b"\x89PNG\r\n\x1a\n"
END = b"\x00\x00\x00\x00IEND\xaeB`\x82"  # a chunk without content, with its checksum
AGAIN = "delete it and run again"


def check(path: Path | str) -> None:
    """Raise KindredError naming the file when it is missing, empty, cut short or no PNG."""
    try:
        with open(path, "rb") as file:
            begin = file.read(len(BEGIN))
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - len(END)))
            end = file.read()
    except OSError as error:
        what = f"can't be read ({error.strerror or error})"
        raise KindredError(what, str(path), AGAIN) from None
    if begin != BEGIN or end != END:
        what = (
            "is incomplete" if BEGIN.startswith(begin) or begin == BEGIN else ("is not a PNG file")
        )
        raise KindredError(what if size else "is empty", str(path), AGAIN)
