"""Where a base's parts lie, which version they are, and how to load one of them.

Knows the FluxPipeline folder layout (repository id or local directory) and quantization; knows
nothing of training or sampling. A step loads only the components that it names. Importing this
module imports neither torch nor diffusers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common import safetensors_files
from kindred.common.errors import KindredError, first_line_of
from kindred.common.files import read_json
from kindred.models import quantized_weights
from kindred.models.identity import ALL_PARTS, identity, is_local
from kindred.specs.base_model import Base, ImageEncoder, TextEncoder

if TYPE_CHECKING:
    import torch

QUANTIZED_ON = ("cuda",)  # diffusers refuses bitsandbytes elsewhere


def load_transformer(
    base: Base,
    device: torch.device | str,
    home: bool = False,
    places: Mapping[str, Any] | None = None,
) -> Any:
    """The frozen FluxTransformer2DModel in the base's precision on `device`; with `home` in main
    memory, from where parts of it will visit `device`; with `places` (module -> device) each part
    where they say.

    Raises KindredError when it can't be found, or is to be quantized on a CPU.
    """
    from diffusers import BitsAndBytesConfig, FluxTransformer2DModel

    loader = FluxTransformer2DModel.from_pretrained
    dtype = {"torch_dtype": torch_dtype(base.dtype)}
    where = {"device_map": dict(places)} if places else straight_to("cpu" if home else device)
    if base.quantization:
        return _quantized(
            loader, base, "transformer", BitsAndBytesConfig, device, dtype | where, home
        )
    model = _load(loader, base, "transformer", **dtype, **where)
    return _frozen(model, None if places else "cpu" if home else device)


def load_vae(encoder: ImageEncoder | Base, device: torch.device | str) -> Any:
    """The AutoencoderKL in float32 on `device`."""
    import torch
    from diffusers import AutoencoderKL

    vae = _load(AutoencoderKL.from_pretrained, encoder, "vae", torch_dtype=torch.float32)
    return _frozen(vae, device)


def load_clip(encoder: TextEncoder, device: torch.device | str) -> tuple[Any, Any]:
    """(CLIPTokenizer, CLIPTextModel) on `device`."""
    from transformers import CLIPTextModel, CLIPTokenizer

    tokenizer = _load(CLIPTokenizer.from_pretrained, encoder, "tokenizer")
    model = _load(
        CLIPTextModel.from_pretrained, encoder, "text_encoder", dtype=torch_dtype(encoder.dtype)
    )
    return tokenizer, _frozen(model, device)


def load_t5(encoder: TextEncoder, device: torch.device | str) -> tuple[Any, Any]:
    """(T5Tokenizer, T5EncoderModel) on `device`. Raises KindredError as load_transformer does."""
    from transformers import BitsAndBytesConfig, T5EncoderModel, T5TokenizerFast

    tokenizer = _load(T5TokenizerFast.from_pretrained, encoder, "tokenizer_2")
    loader, dtype = T5EncoderModel.from_pretrained, {"dtype": torch_dtype(encoder.dtype)}
    if encoder.quantization:
        part = "text_encoder_2"
        return tokenizer, _quantized(loader, encoder, part, BitsAndBytesConfig, device, dtype)
    model = _load(loader, encoder, "text_encoder_2", **dtype, **straight_to(device))
    return tokenizer, _frozen(model, device)


def load_scheduler(base: Base) -> Any:
    """The base's own FlowMatchEulerDiscreteScheduler."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    return _load(FlowMatchEulerDiscreteScheduler.from_pretrained, base, "scheduler")


def torch_dtype(name: str) -> torch.dtype:
    """torch.bfloat16 for 'bfloat16'."""
    import torch

    return getattr(torch, name)


def transformer_config(base: Base) -> dict[str, Any]:
    """The transformer's config.json; of a repository nothing else is fetched.

    Raises KindredError when it can't be had.
    """
    name = "transformer/config.json"
    if is_local(base.model):
        return read_json(Path(base.model).expanduser() / name)
    from huggingface_hub import hf_hub_download

    try:
        return read_json(hf_hub_download(base.model, name, revision=base.revision))
    except KindredError:
        raise
    except Exception as error:  # the hub's errors have no base class in common
        raise KindredError(_advice(base.model, base.revision, "transformer", error)) from error


def weight_files(base: Base | TextEncoder, part: str) -> dict[str, Path]:
    """Name of a weight -> the safetensors file that holds it, for every weight of a part."""
    folder = _folder(base.model, base.revision, part) / part
    files = sorted(folder.glob("*.safetensors"))
    return {name: file for file in files for name in safetensors_files.header(file)[0]}


def straight_to(device: torch.device | str) -> dict[str, Any]:
    """Keyword arguments of from_pretrained that bring each weight to a GPU as it is read: a whole
    model never lies in main memory."""
    import torch

    device = torch.device(device)
    return {} if device.type == "cpu" else {"device_map": {"": _place(device)}}


def _place(device: torch.device) -> Any:
    """A device as all loaders take it: a GPU by its number, and the CPU not by its name, because
    diffusers refuses that for quantized models."""
    return device.index or 0 if device.type == "cuda" else device


def _quantized(
    loader: Callable[..., Any],
    spec: Base | TextEncoder,
    part: str,
    config: Callable[..., Any],
    device: torch.device | str,
    extra: dict[str, Any],
    home: bool = False,
) -> Any:
    """A part with bitsandbytes weights: from those kept on disk, or quantized and kept."""
    import torch

    device, kind = torch.device(device), str(spec.quantization)
    if device.type not in QUANTIZED_ON:
        raise KindredError(
            f"base.quantization: {kind} needs a CUDA GPU and this run is on the {device.type}; "
            "remove `quantization` from the base, or run on a machine with a GPU"
        )
    where = {"device_map": {"": _place(torch.device("cpu") if home else device)}, **extra}
    chosen = quantized_weights.config_of(kind, torch_dtype(spec.dtype), config)
    name = quantized_weights.key(
        identity(spec.model, spec.revision, (part,)), part, kind, spec.dtype
    )
    model = quantized_weights.load(
        quantized_weights.STORE / name,
        part,
        lambda: _load(loader, spec, part, quantization_config=chosen, **where),
        lambda folder: loader(str(folder), **where),
    )
    return _frozen(model, None)


def _frozen(model: Any, device: torch.device | str | None) -> Any:
    model = model.eval().requires_grad_(False)
    return model if device is None else model.to(device)


def _load(
    loader: Callable[..., Any], base: Base | ImageEncoder | TextEncoder, part: str, **extra: Any
) -> Any:
    """One component from its subfolder, with errors that say what to do."""
    folder = _folder(base.model, base.revision, part)
    if not (folder / part).is_dir():
        raise KindredError(
            f"base {base.model}: has no folder '{part}'; a base is a FluxPipeline folder with "
            + ", ".join(ALL_PARTS)
        )
    _quiet()
    try:
        return loader(str(folder), subfolder=part, **extra)
    except (OSError, ValueError) as error:
        first = first_line_of(error)
        raise KindredError(
            f"base {base.model}, part {part}: can't be read ({first}); fetch or save it again"
        ) from error


def _folder(model: str, revision: str | None, part: str) -> Path:
    """The local folder that holds a part, fetched from its repository first if need be.

    One request decides whether the repository can be reached: `from_pretrained` alone asks for
    file after file and spends minutes on retries without a network.
    """
    if is_local(model):
        return Path(model).expanduser()
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        return Path(snapshot_download(model, revision=revision, allow_patterns=[f"{part}/*"]))
    except Exception as error:  # the hub's errors have no base class in common
        raise KindredError(_advice(model, revision, part, error)) from error


def _quiet() -> None:
    """No bars of the libraries between our own lines."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def _advice(model: str, revision: str | None, part: str, error: BaseException) -> str:
    """What a person does about a component that would not load."""
    names, texts = set(), []
    seen: BaseException | None = error
    while seen is not None:
        names.add(type(seen).__name__)
        texts.append(str(seen))
        seen = seen.__cause__ or seen.__context__
    text = " ".join(texts)
    where = f"base {model}" + (f" at {revision}" if revision else "") + f", part {part}"
    if "GatedRepoError" in names or "gated repo" in text:
        return (
            f"{where}: access must be granted first. Accept the licence on "
            f"https://huggingface.co/{model}, run `hf auth login`, then run again; or give "
            "`model:` the path of a local copy"
        )
    if "RevisionNotFoundError" in names:
        return f"{where}: the repository has no such revision; check `revision:`"
    if model.startswith((".", "/", "~")) or model.count("/") != 1:
        return f"{where}: no such folder; check `model:` (paths count from where you run)"
    if "RepositoryNotFoundError" in names:
        return (
            f"{where}: neither a folder here nor a repository that you can read; check `model:`, "
            "and run `hf auth login` if it is private"
        )
    return (
        f"{where}: not a folder here, and it could not be fetched. Without a network, put a copy "
        f"on this machine (`hf download {model}` where there is one) and give `model:` its path"
    )
