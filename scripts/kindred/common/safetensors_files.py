"""Reading and writing safetensors files so that equal contents are equal bytes.

The library writes header entries in the order of a hash map, another one in each process; here
the header is written sorted. Headers and raw bytes can be read without importing torch.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common.errors import KindredError
from kindred.common.files import atomic_write, missing, unreadable
from kindred.common.sentences import counted

if TYPE_CHECKING:
    import torch

LENGTH = struct.Struct("<Q")
NOT_KEPT = "nothing of it was kept; check the photo, the model or the learning rate behind it"
AGAIN = (
    "if a step made it, delete it and run `snakemake`, which makes it again; otherwise download it "
    "again"
)
# Types of tensors: as `struct` reads one number, and (bits of a number, those of its exponent).
NUMBERS = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h", "U8": "B"}
EXPONENTS = {
    "F64": (64, 0x7FF0_0000_0000_0000),
    "F32": (32, 0x7F80_0000),
    "F16": (16, 0x7C00),
    "BF16": (16, 0x7F80),
}


def save(
    path: Path | str,
    tensors: Mapping[str, torch.Tensor],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a safetensors file, atomically and with deterministic bytes. Raises KindredError for
    numbers that are not finite: nothing that was made from them is kept."""
    from safetensors.torch import save as serialize

    check_finite(tensors, str(path), read=False)

    plain = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    data = serialize(plain)
    (length,) = LENGTH.unpack_from(data)
    header = json.loads(data[LENGTH.size : LENGTH.size + length])
    header["__metadata__"] = {"format": "pt", **(metadata or {})}
    text = json.dumps(header, sort_keys=True, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with atomic_write(path) as temporary, open(temporary, "wb") as file:
        file.write(LENGTH.pack(len(text)) + text)
        file.write(memoryview(data)[LENGTH.size + length :])


def load(
    path: Path | str,
    names: Iterable[str] | None = None,
    called: Mapping[str, str] | None = None,
) -> dict[str, torch.Tensor]:
    """The tensors of a file (all, or the named ones) on the CPU.

    Raises KindredError naming the file when it is missing, broken, lacks a name or holds numbers
    that are not finite; `called`: what a person calls a tensor, by its name.
    """
    from safetensors import safe_open

    entries, _ = header(path)
    wanted = list(entries) if names is None else list(names)
    lacking = [name for name in wanted if name not in entries]
    if lacking:
        raise KindredError(
            f"has no tensor named {', '.join(lacking)}", str(path), "delete it and run `snakemake`"
        )
    with safe_open(str(path), framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in wanted}
    check_finite(tensors, str(path), called)
    return tensors


def check_finite(
    tensors: Mapping[str, torch.Tensor],
    where: str,
    called: Mapping[str, str] | None = None,
    read: bool = True,
) -> None:
    """Raise KindredError naming the first tensor that holds infinity or what is no number;
    `called`: as a person calls it, by its name. read: it comes from that file, and is not to go
    there."""
    for name, tensor in tensors.items():
        if bad := not_finite(tensor):
            said = (called or {}).get(name, f"'{name}'")
            what = (
                f"{said} has {counted(bad, 'value that is', 'values that are')} infinite or not a "
                "number"
            )
            raise KindredError(what, where, AGAIN if read else NOT_KEPT)


def not_finite(tensor: torch.Tensor) -> int:
    """How many values are infinite or no numbers."""
    # 8-bit floats can't be asked, and are made of others that were.
    asked = tensor.is_floating_point() and tensor.element_size() > 1
    return int((~tensor.isfinite()).sum()) if asked else 0


def header(path: Path | str) -> tuple[dict[str, Any], dict[str, str]]:
    """(entry per tensor: dtype, shape, data_offsets; metadata), without torch.

    Raises KindredError naming the file when it is missing, can't be read or is no whole safetensors
    file.
    """
    try:
        with open(path, "rb") as file:
            entries, start = _read_header(file)
        metadata = entries.pop("__metadata__", {})
        end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
        size = Path(path).stat().st_size
        if size != start + end:
            raise ValueError("it is cut short" if size < start + end else "it has no end")
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise unreadable(path, error) from error
    except (ValueError, KeyError, TypeError, struct.error) as error:
        what = f"is not a complete safetensors file ({error})"
        raise KindredError(what, str(path), f"{AGAIN}, or convert it to safetensors") from None
    return entries, metadata


@contextmanager
def raw_tensors(path: Path | str) -> Iterator[Callable[[str], bytes]]:
    """A function of a name, giving that tensor's bytes, without torch: the file is opened and its
    header read once. The function raises KeyError for a name that the file has not."""
    with open(path, "rb") as file:
        entries, start = _read_header(file)

        yield lambda name: _bytes_of(file, start, entries[name])


def scalars(path: Path | str, names: Iterable[str]) -> dict[str, float]:
    """Tensors of one number each, without torch; NaN for one of more numbers, or of another kind
    than a number. Raises KeyError when the file has none of a name."""
    with open(path, "rb") as file:
        entries, start = _read_header(file)
        return {
            name: _number(_bytes_of(file, start, entries[name]), entries[name]["dtype"])
            for name in names
        }


def _number(data: bytes, dtype: str) -> float:
    if dtype == "BF16":  # the upper half of a float32
        data, dtype = bytes(2) + data, "F32"
    kind = NUMBERS.get(dtype, "")
    if not kind or len(data) != struct.calcsize(kind):
        return float("nan")
    return float(struct.unpack(f"<{kind}", data)[0])


def first_not_finite(path: Path | str) -> str:
    """Name of the first tensor that holds infinity or what is no number, '' for none; without
    torch. Raises KindredError when it is no whole safetensors file."""
    import numpy as np

    entries, _ = header(path)
    with open(path, "rb") as file:
        _, start = _read_header(file)
    for name, entry in sorted(entries.items()):
        # A number is none where all bits of its exponent are set.
        bits, exponent = EXPONENTS.get(entry["dtype"], (0, 0))
        begin, end = entry["data_offsets"]
        if bits and end > begin:
            count = (end - begin) * 8 // bits
            values = np.memmap(path, f"<u{bits // 8}", "r", start + begin, (count,))
            if ((values & exponent) == exponent).any():
                return name
    return ""


def content_hash(path: Path | str, more: str = "") -> str:
    """Hex SHA-256 of a file's tensors (names, types, shapes, bytes) and of `more`, not of its
    header's text; without torch. Raises KindredError when it is no whole safetensors file."""
    entries, _ = header(path)
    digest = hashlib.sha256(more.encode())
    with open(path, "rb") as file:
        _, start = _read_header(file)
        with (
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            memoryview(data) as view,
        ):
            for name, entry in sorted(entries.items()):
                begin, end = entry["data_offsets"]
                digest.update(f"\0{name}\0{entry['dtype']} {entry['shape']}\0".encode())
                with view[start + begin : start + end] as part:
                    digest.update(part)
    return digest.hexdigest()


def _bytes_of(file: Any, start: int, entry: Mapping[str, Any]) -> bytes:
    """The bytes of a header's entry; `start`: where tensor bytes begin."""
    begin, end = entry["data_offsets"]
    file.seek(start + begin)
    return file.read(end - begin)


def _read_header(file: Any) -> tuple[dict[str, Any], int]:
    """(header, offset where tensor bytes begin)."""
    (length,) = LENGTH.unpack(file.read(LENGTH.size))
    if length > os.fstat(file.fileno()).st_size:  # before reading: a stranger's "length" is huge
        raise ValueError("its header is cut short")
    text = file.read(length)
    return json.loads(text), LENGTH.size + length
