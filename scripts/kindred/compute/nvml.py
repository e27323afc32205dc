"""What the driver says of GPU memory: of a whole card, and of each process on it.

Through NVIDIA's management library, which comes with the driver: it counts what torch's allocator
does not see (the CUDA context, kernels, libraries' own memory), and counting makes no context.
Knows the library's C functions; knows nothing of torch. Where the library is missing or silent,
nothing is found and nothing fails.
"""

from __future__ import annotations

import ctypes
from typing import Any

LIBRARY = "libnvidia-ml.so.1"
NOT_AVAILABLE = 2**64 - 1  # what is said of a process where the system keeps its memory secret
MOST_PROCESSES = 256
# (card's UUID, process) -> bytes
Usage = dict[tuple[str, int], int]


class _Process(ctypes.Structure):
    _fields_ = (
        ("pid", ctypes.c_uint),
        ("memory", ctypes.c_ulonglong),
        ("gpu_instance", ctypes.c_uint),
        ("compute_instance", ctypes.c_uint),
    )


class _Memory(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_ulonglong) for name in ("total", "free", "used"))


def _open() -> Any:
    """The library, ready for use; None where there is none or its driver does not answer."""
    try:
        library = ctypes.CDLL(LIBRARY)
        return None if library.nvmlInit_v2() else library
    except (OSError, AttributeError):
        return None


def _cards(library: Any) -> dict[str, ctypes.c_void_p]:
    """UUID -> handle of every card."""
    count, found = ctypes.c_uint(), {}
    library.nvmlDeviceGetCount_v2(ctypes.byref(count))
    for index in range(count.value):
        handle, text = ctypes.c_void_p(), ctypes.create_string_buffer(96)
        if not library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
            library.nvmlDeviceGetUUID(handle, text, len(text))
            found[text.value.decode()] = handle
    return found


def processes() -> Usage:
    """Bytes that each process takes of each card, by all that it does there."""
    library, found = _open(), {}
    if library is None:
        return found
    try:
        for card, handle in _cards(library).items():
            count, rows = ctypes.c_uint(MOST_PROCESSES), (_Process * MOST_PROCESSES)()
            if not library.nvmlDeviceGetComputeRunningProcesses_v3(
                handle, ctypes.byref(count), rows
            ):
                found |= {
                    (card, row.pid): row.memory
                    for row in rows[: count.value]
                    if row.memory != NOT_AVAILABLE
                }
    except AttributeError:  # a driver older than the functions
        return {}
    finally:
        library.nvmlShutdown()
    return found


def used() -> dict[str, int]:
    """Bytes taken of each card (by its UUID), by whomever."""
    return _memory("used")


def totals() -> dict[str, int]:
    """Bytes that each card (by its UUID) has."""
    return _memory("total")


def _memory(entry: str) -> dict[str, int]:
    library, found = _open(), {}
    if library is None:
        return found
    try:
        for card, handle in _cards(library).items():
            memory = _Memory()
            if not library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)):
                found[card] = getattr(memory, entry)
    finally:
        library.nvmlShutdown()
    return found
