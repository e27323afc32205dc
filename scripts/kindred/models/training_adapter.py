"""A LoRA that is fused into a base's weights while others are trained on it, and left away in
drawing: it keeps what a distilled base has learned from being trained away.

Knows where such a file lies, whether it fits, and sums; knows nothing of training. Importing this
module imports no torch, nor what only a base with such a LoRA needs: planning imports it always.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common.errors import KindredError, Problems, first_line_of
from kindred.models import hub
from kindred.models.architectures.interface import Architecture
from kindred.models.identity import architecture_of
from kindred.specs.base_model import Base

if TYPE_CHECKING:
    import torch

KEY = "training_adapter"
# <owner>/<repository>/<file>, and the commit.
IN_REPOSITORY = re.compile(r"([\w-][\w.-]*/[\w.-]+)/([^@]+)(?:@([\w.-]+))?")
# Layer -> A [rank, inputs], B [outputs, rank].
Pairs = Mapping[str, tuple["torch.Tensor", "torch.Tensor"]]


def local_file(name: str, root: Path | str = ".") -> Path | None:
    """A training adapter's file as far as it is on this computer: a path (a relative one counts
    from `root`), or what the hub's cache has."""
    path = Path(root) / Path(name).expanduser()
    if path.is_file():
        return path
    if asked := _in_repository(name):
        repository, file, revision = asked
        commit = hub.known_commit(repository, revision)
        kept = hub.cached(repository) / "snapshots" / str(commit) / file
        return kept if kept.is_file() else None
    return None


def fetched_file(base: Base) -> Path:
    """The file of a base's training adapter, fetched where it is in a repository. Raises
    KindredError where it can't be had."""
    name, where = str(base.training_adapter), f"base {base.model}: {KEY}"
    found, asked = local_file(name), _in_repository(name)
    if found is not None:
        return found
    if asked is None:
        raise _no_file(name, where)
    from huggingface_hub import hf_hub_download

    repository, file, revision = asked
    try:
        return Path(hf_hub_download(repository, file, revision=revision))
    except Exception as error:  # the hub's errors have no base class in common
        raise KindredError(
            f"'{name}' is not a file here, and the download failed ({first_line_of(error)})",
            where,
            "check the names of repository and file; without a network, give the path of a copy",
        ) from error


def known_identity(base: Base, root: Path | str = ".") -> str:
    """What stands for a base's training adapter in the params of a rule: '' for none. Of a file
    here its content, else its name."""
    if base.training_adapter is None:
        return ""
    from kindred.models.lora.adapters import content_hash

    file = local_file(base.training_adapter, root)
    return f" + {content_hash(file)[:12] if file else base.training_adapter}"


def note_faults(base: Base, root: Path, where: str, problems: Problems) -> None:
    """Note what is wrong with a base's training adapter, as far as it can be told here."""
    name = base.training_adapter
    if name is None:
        return
    file = local_file(name, root)
    if file is None:
        if _in_repository(name) is None:
            error = _no_file(name, where)
            problems.add(where, error.what, error.cure)
        return
    from kindred.models.lora.compatibility import incompatibilities, layers_of

    architecture = architecture_of(base, root)
    layers = layers_of(base.model, base.revision, architecture, root)
    for fault in incompatibilities(file, architecture, layers, lora_only=True):
        note = problems.add if fault.stops else problems.warn
        note(where, f"'{name}' {fault.what}", fault.cure)


def content(base: Base) -> str | None:
    """Hash of what a base's training adapter does; None for none. Raises KindredError, or
    ProblemsError listing all, for one that can't be had or does not fit."""
    if base.training_adapter is None:
        return None
    from kindred.models.lora.adapters import content_hash

    file, problems = fetched_file(base), Problems("this base can't be used for training")
    note_faults(base, Path("."), f"base {base.model}: {KEY}", problems)
    problems.raise_if_any()
    return content_hash(file)


def pairs(base: Base, architecture: Architecture) -> Pairs:
    """Its layers, alphas multiplied into B."""
    from kindred.common import safetensors_files
    from kindred.models.lora import key_conversion
    from kindred.models.lora.lora_config import configuration

    file = fetched_file(base)
    _, metadata = safetensors_files.header(file)
    config = configuration(metadata, str(file))
    state = safetensors_files.load(file)
    found = key_conversion.to_diffusers(state, architecture, str(file), config)
    prefix, down, up = key_conversion.PREFIX, ".lora_A.weight", ".lora_B.weight"
    layers = [name.removesuffix(down) for name in found if name.endswith(down)]
    return {
        layer.removeprefix(prefix): (found[f"{layer}{down}"], found[f"{layer}{up}"])
        for layer in layers
    }


def fuse(
    network: Any,
    added: Pairs,
    device: torch.device | str,
    kind: str | None,
    read: Callable[[str], torch.Tensor],
) -> None:
    """Put weight + B A into every layer of `added`, quantized as `kind` says where the layer is;
    read: gives the base's own weight of a name. Sums are in float32 and made on `device`, one at a
    time."""
    import torch

    from kindred.models import quantized_weights

    for name, (down, up) in added.items():
        layer = network.get_submodule(name)
        weight = layer.weight
        quantized = not weight.dtype.is_floating_point
        dtype = network.dtype if quantized else weight.dtype
        with torch.no_grad():
            own = read(f"{name}.weight") if quantized else weight
            total = own.to(device, torch.float32) + up.to(device) @ down.to(device)
        if quantized:
            quantized_weights.replace(layer, total.to(dtype), str(kind), device)
        else:
            total = total.to(weight.device, dtype)
            layer.weight = torch.nn.Parameter(total, requires_grad=False)


@contextmanager
def left_away(network: Any, added: Pairs) -> Iterator[None]:
    """`with` a network that it is fused into as if it were not: what it adds is taken from each
    layer's answer. No weight is touched."""
    hooks = []
    for name, (down, up) in added.items():
        layer = network.get_submodule(name)
        where = next(layer.parameters()).device
        pair = down.to(where), up.to(where)
        hooks.append(layer.register_forward_hook(partial(_without, pair)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _without(
    pair: tuple[torch.Tensor, torch.Tensor], _: Any, given: tuple[Any, ...], answer: torch.Tensor
) -> torch.Tensor:
    down, up = (part.to(answer.dtype) for part in pair)
    return answer - (given[0].to(answer.dtype) @ down.T) @ up.T


def _in_repository(name: str) -> tuple[str, str, str | None] | None:
    """(repository, file, revision) of a name that is written so."""
    match = IN_REPOSITORY.fullmatch(name)
    return (match[1], match[2], match[3]) if match else None


def _no_file(name: str, where: str) -> KindredError:
    return KindredError(
        f"no file '{name}'",
        where,
        "correct the path, which starts from the folder that holds the Snakefile; or write "
        "`<owner>/<repository>/<file>`",
    )
