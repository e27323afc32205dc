"""Where a base's parts lie, which version they are, and how to load one of them.

Knows folders as diffusers saves them (repository id or local directory) and quantization; which
parts there are is the architecture's. Knows nothing of training or sampling. A step loads only the
components that it names. Importing this module imports neither torch nor diffusers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common import safetensors_files
from kindred.common.backends import backend_of
from kindred.common.errors import KindredError, first_line_of
from kindred.common.files import read_json
from kindred.models import architectures, hub, quantized_weights, training_adapter
from kindred.models.architectures.interface import DIFFUSERS, Part
from kindred.models.identity import architecture_of, commit_of, identity, is_local
from kindred.specs.base_model import Base, ImageEncoder, TextEncoder

if TYPE_CHECKING:
    import torch


def load_transformer(
    base: Base,
    device: torch.device | str,
    in_main_memory: bool = False,
    places: Mapping[str, Any] | None = None,
) -> Any:
    """The frozen network in the base's precision on `device`, its training adapter fused; with
    `in_main_memory` there, from where parts of it will visit `device`; with `places` (module ->
    device) each where they say.

    Raises KindredError when it can't be found, or is to be quantized on a CPU.
    """
    architecture = architecture_of(base)
    part = architecture.parts.network
    where = (
        {"device_map": dict(places)} if places else straight_to("cpu" if in_main_memory else device)
    )
    kept = architecture.never_quantized
    fused = training_adapter.content(base)
    if base.quantization:
        model = _quantized(base, part, device, where, in_main_memory, kept, fused)
    else:
        model = _load(_loader(part), base, part, **_precision(part, base.dtype), **where)
        if fused:
            _fuse(model, base, device)
        model = _frozen(model, None if places else "cpu" if in_main_memory else device)
    architectures.note(model, architecture)
    return model


def load_vae(encoder: ImageEncoder | Base, device: torch.device | str) -> Any:
    """The autoencoder in float32 on `device`."""
    part = architecture_of(encoder).parts.vae
    vae = _load(_loader(part), encoder, part, **_precision(part, "float32"))
    return _frozen(vae, device)


def load_text_part(encoder: TextEncoder, folder: str, device: torch.device | str) -> Any:
    """A tokenizer, or a text encoder on `device`, by its folder. Raises KindredError as
    load_transformer does."""
    part = architecture_of(encoder).parts.find(folder)
    if not part.has_weights:
        return _load(_loader(part), encoder, part)
    if encoder.quantization and part.quantized:
        return _quantized(encoder, part, device)
    # What may be larger than main memory never lies there.
    where = straight_to(device) if part.quantized else {}
    model = _load(_loader(part), encoder, part, **_precision(part, encoder.dtype), **where)
    return _frozen(model, device)


def load_text_encoder(
    encoder: TextEncoder, name: str, device: torch.device | str
) -> Callable[[str], torch.Tensor]:
    """The function text -> the tensor `name` of `TextEncoding.tensors`."""
    text = architecture_of(encoder).text
    return text.encoder(
        name, lambda folder: load_text_part(encoder, folder, device), encoder.tokens
    )


def torch_dtype(name: str) -> torch.dtype:
    """torch.bfloat16 for 'bfloat16'."""
    import torch

    return getattr(torch, name)


def transformer_config(base: Base) -> dict[str, Any]:
    """The transformer's config.json; of a repository nothing else is fetched.

    Raises KindredError when it can't be had.
    """
    return small_file(base, f"{architecture_of(base).parts.network.folder}/config.json")


def small_file(base: Base, name: str) -> dict[str, Any]:
    """A JSON file of a base, fetched alone where it is a repository."""
    if is_local(base.model):
        return read_json(Path(base.model).expanduser() / name)
    from huggingface_hub import hf_hub_download

    try:
        return read_json(hf_hub_download(base.model, name, revision=commit_of(base)))
    except KindredError:
        raise
    except Exception as error:  # the hub's errors have no base class in common
        raise _not_had(base, name.partition("/")[0], error) from error


def weight_files(base: Base | TextEncoder, part: str) -> dict[str, Path]:
    """Name of a weight -> the safetensors file that holds it, for every weight of a part."""
    folder = _folder(base, part) / part
    files = sorted(folder.glob("*.safetensors"))
    return {name: file for file in files for name in safetensors_files.header(file)[0]}


def straight_to(device: torch.device | str) -> dict[str, Any]:
    """Keyword arguments of from_pretrained that bring each weight to a GPU as it is read: a whole
    model never lies in main memory. One that works in main memory reads from there."""
    import torch

    device = torch.device(device)
    return {"device_map": {"": _place(device)}} if backend_of(device).cuda_api else {}


def _place(device: torch.device) -> Any:
    """A device as all loaders take it: a GPU by its number, and the CPU not by its name, because
    diffusers refuses that for quantized models."""
    return device.index or 0 if backend_of(device).cuda_api else device


def _loader(part: Part) -> Callable[..., Any]:
    """What reads a part: from_pretrained of its class."""
    return getattr(import_module(part.library), part.class_name).from_pretrained


def _precision(part: Part, dtype: str) -> dict[str, Any]:
    """The keyword argument that says it, which the libraries call differently."""
    return {"torch_dtype" if part.library == DIFFUSERS else "dtype": torch_dtype(dtype)}


def _quantized(
    spec: Base | TextEncoder,
    part: Part,
    device: torch.device | str,
    where: Mapping[str, Any] | None = None,
    in_main_memory: bool = False,
    kept: Sequence[str] = (),
    fused: str | None = None,
) -> Any:
    """A part with bitsandbytes weights: from those kept on disk, or quantized and kept. fused: hash
    of what was fused into them before that."""
    import torch

    device, kind = torch.device(device), str(spec.quantization)
    if not backend_of(device).quantizes:
        raise KindredError(
            f"{kind} needs a CUDA GPU, but this run is on {backend_of(device).title}",
            "base.quantization",
            "remove `quantization` from the base, or run on a machine with a GPU",
        )
    loader, config = _loader(part), import_module(part.library).BitsAndBytesConfig
    place = {"device_map": {"": _place(torch.device("cpu") if in_main_memory else device)}}
    extra = {**place, **_precision(part, spec.dtype), **(where or {})}
    chosen = quantized_weights.config_of(kind, torch_dtype(spec.dtype), config, kept)
    version = identity(spec.model, commit_of(spec), (part.folder,))
    version += f" + {fused}" if fused else ""
    name = quantized_weights.key(version, part, kind, spec.dtype)

    def quantize() -> Any:
        model = _load(loader, spec, part, quantization_config=chosen, **extra)
        if fused:
            _fuse(model, spec, device)
        return model

    model = quantized_weights.load(
        quantized_weights.STORE / name, part, quantize, lambda folder: loader(str(folder), **extra)
    )
    return _frozen(model, None)


def _fuse(model: Any, base: Base, device: torch.device | str) -> None:
    """Fuse a base's training adapter into its transformer, whose own weights are read again where
    they were quantized already."""
    architecture = architecture_of(base)
    files = weight_files(base, architecture.parts.network.folder)

    def read(name: str) -> torch.Tensor:
        return safetensors_files.load(files[name], [name])[name]

    added = training_adapter.pairs(base, architecture)
    training_adapter.fuse(model, added, device, base.quantization, read)


def _frozen(model: Any, device: torch.device | str | None) -> Any:
    model = model.eval().requires_grad_(False)
    return model if device is None else model.to(device)


def _load(
    loader: Callable[..., Any], base: Base | ImageEncoder | TextEncoder, part: Part, **extra: Any
) -> Any:
    """One component from its subfolder, with errors that say what to do."""
    folder = _folder(base, part.folder)
    if not (folder / part.folder).is_dir():
        parts = architecture_of(base).parts.folders("all")
        raise KindredError(
            f"has no folder '{part.folder}', but a base of this architecture has "
            f"{', '.join(parts)}",
            f"base {base.model}",
            "correct `model:`, or download or save the base again",
        )
    _quiet()
    try:
        return loader(str(folder), subfolder=part.folder, **extra)
    except (OSError, ValueError) as error:
        raise KindredError(
            f"can't be read ({first_line_of(error)})",
            f"base {base.model}, part {part.folder}",
            "download or save it again",
        ) from error


def _folder(base: Base | ImageEncoder | TextEncoder, part: str) -> Path:
    """The local folder that holds a part, fetched from its repository first if need be.

    One request decides whether the repository can be reached: `from_pretrained` alone asks for
    file after file and spends minutes on retries without a network.
    """
    if is_local(base.model):
        return Path(base.model).expanduser()
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        found = snapshot_download(
            base.model, revision=commit_of(base), allow_patterns=[f"{part}/*"]
        )
    except KindredError:
        raise
    except Exception as error:  # the hub's errors have no base class in common
        raise _not_had(base, part, error) from error
    return Path(found)


def _quiet() -> None:
    """No bars of the libraries between our own lines."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def _not_had(
    base: Base | ImageEncoder | TextEncoder, part: str, error: BaseException
) -> KindredError:
    """The error for a part of a base that would not come."""
    return hub.not_had(base.model, base.revision, architecture_of(base).licence, part, error)
