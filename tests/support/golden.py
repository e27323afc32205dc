"""What a step gave once, and whether it gives the same today: tests/golden/<step>.json.

Texts and whole numbers are held exactly, by a digest. Numbers are compared, never hashed: by their
mean, deviation and 8 sums with fixed signs, within a thousandth of the deviation. Pictures are
compared by the means of 8 x 8 blocks, within 2 of 255; single values within what each may differ.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kindred.common.hashing import spec_hash

PROJECTIONS = 8
SHARE = 1e-3  # of the deviation
LEVELS = 2.0  # of 255
DIGITS = 16  # of a digest
Json = dict[str, Any]


@dataclass
class Output:
    """What a step gave. `exact`: JSON without floats; `values`: name -> (value, may differ by)."""

    exact: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, Image.Image] = field(default_factory=dict)
    values: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add_json(self, name: str, value: Any, within: float | None = None) -> None:
        """A JSON value: its floats as numbers, or with `within` as single values; the rest
        exactly."""
        floats: dict[str, float] = {}
        self.exact[name] = _without_floats(value, "", floats)
        if within is None:
            self.numbers[name] = list(floats.values())
        else:
            self.values |= {f"{name}{place}": (v, within) for place, v in floats.items()}


def _without_floats(value: Any, place: str, floats: dict[str, float]) -> Any:
    if isinstance(value, float):
        floats[place] = value
        return "a number"
    if isinstance(value, Mapping):
        return {k: _without_floats(v, f"{place}.{k}", floats) for k, v in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_without_floats(v, f"{place}[{n}]", floats) for n, v in enumerate(value)]
    return value


def described(output: Output) -> Json:
    """The output as a golden file holds it, without the version."""
    return {
        "digests": {name: spec_hash(value)[:DIGITS] for name, value in output.exact.items()},
        "numbers": {name: _numbers(value) for name, value in output.numbers.items()},
        "pictures": {name: _blocks(image) for name, image in output.pictures.items()},
        "values": {name: [value, within] for name, (value, within) in output.values.items()},
    }


def _numbers(value: Any) -> Json:
    """Shape, mean, deviation, and sums with fixed signs over the root of the count."""
    array = np.asarray(value, dtype=np.float64)
    flat = array.ravel()
    if not flat.size:
        return {"shape": list(array.shape), "mean": 0.0, "deviation": 0.0, "projections": []}
    signs = (np.random.RandomState(n).randint(0, 2, flat.size) for n in range(PROJECTIONS))
    return {
        "shape": list(array.shape),
        "mean": float(flat.mean()),
        "deviation": float(flat.std()),
        "projections": [float(flat @ (2 * s - 1) / np.sqrt(flat.size)) for s in signs],
    }


def _blocks(image: Image.Image) -> Json:
    """Size, and the means of 8 x 8 blocks by channel."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.float64)
    rows = [band.mean(0) for band in np.array_split(pixels, 8, axis=0)]
    means = [part.mean(0) for row in rows for part in np.array_split(row, 8, axis=0)]
    return {"size": list(image.size), "blocks": np.round(means, 1).tolist()}


def differences(golden: Json, today: Json, share: float = SHARE) -> list[str]:
    """What differs, in words; both as `described` gives them. share: of an array's deviation, how
    far its numbers may be apart."""
    found = []
    for kind in ("digests", "numbers", "pictures", "values"):
        old, new = golden[kind], today[kind]
        found += [f"{name}: is gone" for name in old if name not in new]
        found += [f"{name}: is new" for name in new if name not in old]
        both = (name for name in old if name in new)
        apart = ((name, _differs(kind, old[name], new[name], share)) for name in both)
        found += [f"{name}: {why}" for name, why in apart if why]
    return found


def _differs(kind: str, old: Any, new: Any, share: float) -> str:
    if kind == "digests":
        return "" if old == new else "another text"
    if kind == "values":
        (before, within), (after, _) = old, new
        return "" if abs(before - after) <= within else f"{after:.8g}, was {before:.8g}"
    if kind == "pictures":
        if old["size"] != new["size"]:
            return f"size {new['size']}, was {old['size']}"
        apart = np.abs(np.subtract(old["blocks"], new["blocks"])).max()
        return "" if apart <= LEVELS else f"blocks differ by up to {apart:.1f} of 255"
    if old["shape"] != new["shape"]:
        return f"shape {new['shape']}, was {old['shape']}"
    allowed = share * old["deviation"] + 1e-9 * max(1.0, abs(old["mean"]))
    before, after = ([one["mean"], one["deviation"], *one["projections"]] for one in (old, new))
    apart = np.abs(np.subtract(before, after)).max()
    return "" if apart <= allowed else f"differs by {apart:.3g}, {allowed:.3g} is allowed"


def _text(golden: Json) -> str:
    """A line for each entry. Arrays' numbers have the digits that a difference shows in."""
    numbers = {name: _rounded(one) for name, one in golden["numbers"].items()}
    parts = []
    for kind, entries in sorted((golden | {"numbers": numbers}).items()):
        lines = ",\n".join(f"  {json.dumps(k)}: {_line(v)}" for k, v in sorted(entries.items()))
        parts.append(
            f" {json.dumps(kind)}: {{\n{lines}\n }}" if lines else f" {json.dumps(kind)}: {{}}"
        )
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _rounded(one: Json) -> Json:
    """Numbers of an array to a tenth of what they may differ by."""
    step = SHARE * one["deviation"] / 10
    decimals = math.ceil(-math.log10(step)) if step else 12
    return {
        "shape": one["shape"],
        "mean": round(one["mean"], decimals),
        "deviation": round(one["deviation"], decimals),
        "projections": [round(value, decimals) for value in one["projections"]],
    }


def check(
    file: Path, steps: Mapping[str, int], output: Output, update: bool, share: float = SHARE
) -> None:
    """Compare with a golden file, or with `update` write it. `steps`: what the output follows
    from -> its version today; share: as for `differences`.

    Raises AssertionError that says what to do; never writes another output for the same version.
    """
    today = {"version": dict(steps), **described(output)}
    first = next(iter(steps))
    golden = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
    differing = differences(golden, today, share) if golden else []
    same = golden is not None and golden["version"] == today["version"]
    if same and differing:
        listed = "\n  ".join(differing[:12])
        raise AssertionError(
            f"{file.name}: the output differs and the version does not; raise "
            f"VERSIONS[{first!r}], then --update-golden (pytest tests/golden):\n  {listed}"
        )
    if update and not same:
        file.write_text(_text(today), encoding="utf-8")
    elif not same:
        what = "is no file" if golden is None else f"is of {golden['version']}"
        raise AssertionError(f"{file.name}: {what}; run with --update-golden and look at it")
