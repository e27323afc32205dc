"""Compiling a transformer's repeated blocks, and going on without where that fails.

Knows torch.compile; knows nothing of what the network is used for. Compiling costs about a minute
and happens at the first call, so a failure shows there: whoever calls catches it, calls `eager` and
calls again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from kindred.common.errors import first_line_of


def compile_blocks(network: Any) -> bool:
    """Have the blocks compiled at their first call; False, with a warning, where that can't be."""
    try:
        network.compile_repeated_blocks()
    except Exception as error:
        disable_compilation(network, error)
        return False
    return True


def is_compiled(network: Any) -> bool:
    """Whether some block is compiled, or is about to be."""
    return any(part._compiled_call_impl is not None for part in network.modules())


@contextmanager
def uncompiled(network: Any) -> Iterator[None]:
    """`with` the blocks as they are without compiling, for passes of other shapes or between steps;
    afterwards what was compiled is there again."""
    known = {part: part._compiled_call_impl for part in network.modules()}
    for part in known:
        part._compiled_call_impl = None
    try:
        yield
    finally:
        for part, compiled in known.items():
            part._compiled_call_impl = compiled


def disable_compilation(network: Any, error: BaseException) -> None:
    """Give up compiling, and say why in one line."""
    for part in network.modules():
        part._compiled_call_impl = None
    torch._dynamo.reset()
    reason = first_line_of(error)
    print(
        f"warning: the network can't be compiled here ({reason}); continuing without compilation, "
        "more slowly",
        file=sys.stderr,
    )
