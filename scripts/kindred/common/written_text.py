"""Text that people and other programs wrote: read as UTF-8, and free of what no text holds.

The one place where a file's bytes become text that is trained on, drawn from, or shown.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

from kindred.common.errors import KindredError

SPACES = frozenset("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85")  # what `str.split` takes for space
UTF16 = "save it as UTF-8 (what old editors call 'Unicode' is UTF-16)"


def nfc(text: str) -> str:
    """One spelling of accented letters: file systems, spreadsheets and keyboards differ in it."""
    return unicodedata.normalize("NFC", text)


def read_written_text(path: Path, where: str) -> str:
    """The text of a file, without a byte order mark. Raises KindredError at `where` for other
    encodings than UTF-8 and for control characters."""
    try:
        data = path.read_bytes()
    except OSError as error:
        cure = "give yourself read access to it"
        raise KindredError(f"can't be read ({error.strerror})", where, cure) from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4000]:
        raise KindredError("is not UTF-8 text; it looks like UTF-16", where, UTF16)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        cure = "save it as UTF-8 (in Excel: 'CSV UTF-8')"
        raise KindredError("is not UTF-8 text", where, cure) from None
    check_text(text, where)
    return text


def check_text(text: str, where: str) -> None:
    """Raise KindredError at `where`, with the line, for characters that no text holds."""
    bad = next((sign for sign in text if is_no_text(sign)), None)
    if bad is not None:
        line = text[: text.index(bad)].count("\n") + 1
        at = f" in line {line}" if "\n" in text.strip() else ""
        what = f"contains the control character U+{ord(bad):04X}{at}"
        raise KindredError(
            what,
            where,
            "delete that character; if there are many, save the file as UTF-8 text again",
        )


def is_no_text(sign: str) -> bool:
    """Whether a character is a control character other than space, half of a pair, or none."""
    if sign in SPACES:
        return False
    code = ord(sign)
    return unicodedata.category(sign) in ("Cc", "Cs") or code & 0xFFFE == 0xFFFE
