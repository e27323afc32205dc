"""LoKr files, by LyCORIS's names: what they hold, whether it fits, and how it is read.

A module has `lokr_w1` and `lokr_w2`, or of each the two factors `_a` and `_b`, and an `alpha`. Its
strength is alpha / rank, rank being that of the factors; two whole matrices have none, and their
strength is 1. So it is in LyCORIS, ComfyUI and ai-toolkit. Importing this module imports no torch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.common.sentences import counted
from kindred.models.architectures.interface import Architecture, FusedLayer
from kindred.models.lora.key_conversion import PREFIX, layer_of, model_of_layers
from kindred.models.lora.prefixes import is_of_text_encoder

if TYPE_CHECKING:
    import torch

    from kindred.models.lora.lokr_layers import LokrFactors

KEY = re.compile(r"^(.+?)\.(?:lokr_(w[12](?:_[ab])?)|(alpha))$")
SIGN = re.compile(r"\.lokr_(?:w|t)")
BASE = "set `base:` to the model that it was trained on"
AGAIN = "download the file again"
# A whole matrix, or two factors of one.
FORMS = (("w1", "w1_a", "w1_b"), ("w2", "w2_a", "w2_b"))
Size = tuple[int, int]


def is_lokr(keys: Iterable[str]) -> bool:
    """Whether a file with these keys holds a LoKr."""
    return any(SIGN.search(key) for key in keys)


def modules_of(keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """Module name -> {'w1', 'w2_a', ..., 'alpha': key}, without text encoders'."""
    found: dict[str, dict[str, str]] = {}
    for key in keys:
        if (match := KEY.match(key)) and not is_of_text_encoder(key):
            found.setdefault(match[1], {})[match[2] or match[3]] = key
    return found


def refusal(keys: Iterable[str], architecture: Architecture) -> tuple[str, str]:
    """Why a file can't be read as a LoKr of this architecture, with the cure; empty when it can."""
    keys = [key for key in keys if not is_of_text_encoder(key)]
    if any(key.endswith(".dora_scale") for key in keys):
        what = "is a LoKr with DoRA magnitudes, which Kindred can't read"
        return what, "train it without them (LyCORIS: `weight_decompose`)"
    if other := sorted(key for key in keys if not KEY.match(key)):
        what = f"is a LoKr, but contains parts that don't belong to linear layers, e.g. {other[0]}"
        return what, "save it again, without other kinds of adapters"
    modules = modules_of(keys)
    for name, roles in sorted(modules.items()):
        if not all(_whole(roles, form) for form in FORMS):
            return f"lacks one of the two matrices of {name}", AGAIN
    known = {name: _layer_of(name, architecture) for name in modules}
    lost = sorted(name for name, layer in known.items() if layer is None)
    if lost:
        title, other_model = architecture.title, model_of_layers(modules, architecture)
        if len(lost) < len(modules) and not other_model:
            what = f"has {counted(len(lost), 'part')} that no {title} LoKr has, e.g. {lost[0]}"
            return what, "save it again"
        is_of = f"is a LoKr of {other_model}, but the base is {title}"
        what = is_of if other_model else f"is a LoKr of a model other than {title}"
        return f"{what} (its layers: {lost[0]}, ...)", BASE
    owners: dict[str, str] = {}
    for name, layer in known.items():
        for part in layer.parts if layer else ():
            if (first := owners.setdefault(part, name)) != name:
                return f"changes {part} twice, by {first} and by {name}", "save it again"
    return "", ""


def _whole(roles: Mapping[str, str], form: Sequence[str]) -> bool:
    """Whether a matrix is there, as itself or by both of its factors, and not both ways."""
    return {role for role in form if role in roles} in ({form[0]}, {*form[1:]})


def _layer_of(name: str, architecture: Architecture) -> FusedLayer | None:
    """The diffusers layers that a module's name means. Of an architecture whose names in other
    tools are unknown, files have diffusers'."""
    if architecture.adapter_keys is not None:
        return layer_of(name, architecture)
    return FusedLayer("", (name.removeprefix(PREFIX),)) if name.startswith(PREFIX) else None


def sizes_of(entries: Mapping[str, Any]) -> dict[str, Size]:
    """Module -> features that it reads and writes, by the header's tensors; without modules whose
    shapes are a fault of their own."""
    found = {}
    for name, roles in modules_of(entries).items():
        shape = {role: entries[key]["shape"] for role, key in roles.items() if role != "alpha"}
        if _fault_of_shapes(shape):
            continue
        one, two = (shape.get("w1", shape.get("w1_a")), shape.get("w2", shape.get("w2_a")))
        ends = (shape.get("w1", shape.get("w1_b")), shape.get("w2", shape.get("w2_b")))
        found[name] = (ends[0][1] * ends[1][1], one[0] * two[0])
    return found


def _fault_of_shapes(shape: Mapping[str, Sequence[int]]) -> str:
    """What is wrong with the matrices of a module; '' for nothing."""
    if odd := next((size for size in shape.values() if len(size) != 2), None):
        return f"has no matrices ({list(odd)})"
    ranks = {}
    for whole, a, b in FORMS:
        if a in shape and b in shape:
            if shape[a][1] != shape[b][0]:
                return f"has rank {shape[a][1]} and {shape[b][0]} at once"
            ranks[whole] = shape[a][1]
    return "has two ranks" if len({*ranks.values()}) > 1 else ""


def faults(path: Path, entries: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(what, cure) where a LoKr file contradicts itself, the first of each kind."""
    modules = modules_of(entries)
    for name, roles in modules.items():
        shape = {role: entries[key]["shape"] for role, key in roles.items() if role != "alpha"}
        if what := _fault_of_shapes(shape):
            yield f"{what}, in {name}", AGAIN
            return
    keys = {roles["alpha"]: name for name, roles in modules.items() if "alpha" in roles}
    for key, alpha in safetensors_files.scalars(path, list(keys)).items():
        if not math.isfinite(alpha):
            yield (
                (f"has an alpha that is infinite or not a number ({alpha}), in {keys[key]}"),
                AGAIN,
            )
            return


def read(
    state: Mapping[str, torch.Tensor], architecture: Architecture, where: str
) -> dict[str, LokrFactors]:
    """Layer of diffusers -> its LoKr, in float32. Of a layer that is fused in the file each part
    has the whole product, and its own rows of it. Raises KindredError at `where` for what is no
    LoKr of this architecture."""
    why, cure = refusal(state, architecture)
    if why:
        raise KindredError(why, where, cure)
    found: dict[str, LokrFactors] = {}
    for name, roles in modules_of(state).items():
        layer = _layer_of(name, architecture)
        assert layer is not None  # refusal() has seen to it
        whole = _factors({role: state[key].float() for role, key in roles.items()}, name, where)
        heights, start = [whole.writes], whole.writes // 2 if layer.swapped else 0
        if len(layer.parts) > 1:
            heights = layer.heights(whole.reads)
        if sum(heights) != whole.writes:
            raise KindredError(
                f"{name} writes {whole.writes} features, but {sum(heights)} in "
                f"{architecture.title} of this width ({whole.reads}); it belongs to another model",
                where,
                BASE,
            )
        for part, height in zip(layer.parts, heights, strict=True):
            found[part] = _rows(whole, start, height)
            start += height
    return found


def _factors(tensors: Mapping[str, torch.Tensor], name: str, where: str) -> LokrFactors:
    """A module's matrices, and their strength."""
    from kindred.models.lora.lokr_layers import LokrFactors

    if what := _fault_of_shapes({r: tuple(t.shape) for r, t in tensors.items() if r != "alpha"}):
        raise KindredError(f"{what}, in {name}", where, AGAIN)
    rank = next((tensors[role].shape[1] for role in ("w2_a", "w1_a") if role in tensors), None)
    scale = tensors["alpha"].item() / rank if rank and "alpha" in tensors else 1.0
    first = tensors["w1"] if "w1" in tensors else tensors["w1_a"] @ tensors["w1_b"]
    if "w2" in tensors:  # written again, it would have no rank that a strength is divided by
        return LokrFactors(first * scale, (tensors["w2"],), 1.0)
    return LokrFactors(first, (tensors["w2_a"], tensors["w2_b"]), scale)


def _rows(whole: LokrFactors, start: int, height: int) -> LokrFactors:
    """Some rows of a product, by the rows of W1 that they need."""
    from kindred.models.lora.lokr_layers import LokrFactors

    c = whole.second[0].shape[0]
    if start + height > whole.writes:  # they go on at the top
        return LokrFactors(whole.first, whole.second, whole.scale, start, height)
    above = start // c
    needed = whole.first[above : -(-(start + height) // c)].contiguous()
    return LokrFactors(needed, whole.second, whole.scale, start - above * c, height)


def state_of(transformer: Any, name: str) -> dict[str, torch.Tensor]:
    """The tensors of a LoKr `name` by diffusers' layers, sharing memory with the model, and its
    alphas; empty where a transformer has none."""
    from kindred.models.lora.lokr_layers import factors_of

    found: dict[str, torch.Tensor] = {}
    for layer, part in transformer.named_modules():
        if (factors := factors_of(part, name)) is None:
            continue
        found |= named(PREFIX + layer, factors)
    return found


def named(module: str, factors: LokrFactors) -> dict[str, torch.Tensor]:
    """A module's tensors by LyCORIS's names."""
    second = [one.detach() for one in factors.second]
    rank = 1 if len(second) == 1 else second[0].shape[1]
    names = ("lokr_w2",) if len(second) == 1 else ("lokr_w2_a", "lokr_w2_b")
    return {
        f"{module}.lokr_w1": factors.first.detach(),
        **{f"{module}.{role}": one for role, one in zip(names, second, strict=True)},
        f"{module}.alpha": factors.first.new_tensor(factors.scale * rank).float(),
    }
