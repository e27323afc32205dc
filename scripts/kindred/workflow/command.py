"""What can be told to a program on its command line."""

from __future__ import annotations

from kindred.common.errors import KindredError

# Of one word; Linux takes 128 KiB of a whole command.
LONGEST = 100_000


def one_word(text: str, otherwise: str) -> str:
    """The text itself. Raises KindredError, which says `otherwise`, when it is too long."""
    if len(text.encode()) > LONGEST:
        raise KindredError(otherwise)
    return text
