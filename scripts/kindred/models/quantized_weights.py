"""Quantized weights on disk: a base's part is quantized once, and read in seconds ever after.

Knows bitsandbytes' format as diffusers and transformers read it, and which weights stand under
which key; knows nothing of where a base's own files lie or of what its parts do. Main memory holds
one tensor at a time, in writing as in reading: files are mapped, and what the system keeps of them
it gives back when it is needed.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common import safetensors_files
from kindred.common.content_store import ContentStore
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.common.hashing import spec_hash
from kindred.models.architectures.interface import DIFFUSERS, TRANSFORMERS, Part

if TYPE_CHECKING:
    import torch

STORE = Path("resources/store/quantized")
# The one file of weights that each library's from_pretrained asks for.
WEIGHTS = {DIFFUSERS: "diffusion_pytorch_model.safetensors", TRANSFORMERS: "model.safetensors"}
DTYPES = {
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "int8": "I8",
    "uint8": "U8",
    "int32": "I32",
    "int64": "I64",
    "bool": "BOOL",
}


def config_of(
    kind: str, dtype: torch.dtype, config: Callable[..., Any], kept: Sequence[str] = ()
) -> Any:
    """`config` (BitsAndBytesConfig of diffusers or of transformers) for 'nf4', 'nf4-double' or
    'int8' weights that compute in `dtype`; `kept`: modules whose weights stay as they are."""
    skipped = {"llm_int8_skip_modules": list(kept)} if kept else {}
    if kind == "int8":
        return config(load_in_8bit=True, **skipped)
    return config(
        **skipped,
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        bnb_4bit_use_double_quant=kind == "nf4-double",
    )


def packed(weight: torch.Tensor, kind: str) -> torch.nn.Parameter:
    """A weight [out, in] as bitsandbytes' parameter; it is quantized when moved to its device."""
    import bitsandbytes as bnb

    if kind == "int8":
        # Quantized on its way from main memory, and on no other.
        return bnb.nn.Int8Params(weight.cpu(), requires_grad=False, has_fp16_weights=False)
    return bnb.nn.Params4bit(
        weight, requires_grad=False, quant_type="nf4", compress_statistics=kind == "nf4-double"
    )


def replace(layer: Any, weight: torch.Tensor, kind: str, device: torch.device | str) -> None:
    """Put a weight [out, in], quantized on `device`, in the place of a layer's own."""
    home = layer.weight.device
    layer.weight = packed(weight, kind).to(device).to(home)


def key(identity: str, part: Part, kind: str, dtype: str) -> str:
    """The folder that a part's quantized weights lie in: a hash of the base's id@revision, the
    part, its precision and the versions that decide how they are written."""
    facts = {
        "base": identity,
        "part": part.folder,
        "quantization": kind,
        "dtype": dtype,
        "libraries": {name: _major(name) for name in ("bitsandbytes", part.library)},
    }
    return spec_hash(facts)[:32]


def _major(library: str) -> str:
    """'5' of 5.23.0; '0.42' of 0.42.1, where every second number may break."""
    numbers = metadata.version(library).split(".")
    return numbers[0] if numbers[0] != "0" else ".".join(numbers[:2])


def load(folder: Path, part: Part, quantize: Callable[[], Any], read: Callable[[Path], Any]) -> Any:
    """The part read from `folder` by `read`, or else made by `quantize` and kept there.

    Read also when it was just made: what quantizing took and freed lies between the weights of a
    model that was made, gigabytes that a GPU could not fill again. Where it can't be kept (a full
    disk), a warning says so and the work goes on with the model that was made.
    """
    store = parts(folder.parent, part)
    if store.has(folder.name):  # no lock, which a full or closed disk would refuse
        return read(folder)
    with store.lock(folder.name, "waiting for another process that quantizes the same weights"):
        if not store.has(folder.name):
            print(
                f"quantizing {part.folder} once; the result is kept in {folder}",
                file=sys.stderr,
                flush=True,
            )
            model = quantize()
            if not _keep(model, store, folder.name, part):
                return model
            del model
            _release()
            return read(folder)
    return read(folder)


def parts(root: Path, part: Part) -> ContentStore:
    """The store: a folder a part, as from_pretrained reads it."""

    def check(folder: Path) -> None:
        read_json(folder / "config.json")
        safetensors_files.header(folder / WEIGHTS[part.library])

    return ContentStore(
        root, check, "quantizing it again", files=("config.json", WEIGHTS[part.library])
    )


def _release() -> None:
    """Give the memory of what is no more in use back to the GPU."""
    import torch

    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _keep(model: Any, store: ContentStore, key: str, part: Part) -> bool:
    """Put config and weights into the store; whether that was done."""

    def save(folder: Path) -> None:
        if part.library == DIFFUSERS:
            model.save_config(folder)
        else:
            model.config.save_pretrained(folder)
        write(folder / WEIGHTS[part.library], model.state_dict())

    try:
        store.put(key, save)
    except KindredError as error:
        print(f"warning: {error} The next run quantizes {part.folder} again.", file=sys.stderr)
        return False
    return True


def write(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write a safetensors file tensor by tensor.

    The libraries' `save_pretrained` brings a whole file into main memory first, and in several
    files it tears a weight from its scales, which diffusers then refuses to read.
    """
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    # Wide numbers first, so that each lies at a multiple of its size.
    names = sorted(state, key=lambda name: (-state[name].element_size(), name))
    for name in names:
        value = state[name]
        begin, end = end, end + value.numel() * value.element_size()
        dtype = DTYPES[str(value.dtype).removeprefix("torch.")]
        entries[name] = {
            "dtype": dtype,
            "shape": list(value.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(safetensors_files.LENGTH.pack(len(text)) + text)
        for name in names:
            file.write(_bytes(state[name]))


def _bytes(value: torch.Tensor) -> memoryview:
    import torch

    flat = value.detach().cpu().contiguous().reshape(-1)
    return memoryview(flat.view(torch.uint8).numpy())
