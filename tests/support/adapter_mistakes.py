"""LoRA files, their headers and exports that are not as they should be, or not of this base."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_base
import torch
from mistakes import Mistake, cut, of_value
from peft import LoraConfig, inject_adapter_in_model

from kindred.common import safetensors_files as tensors
from kindred.models import architectures, fp8_linear
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.architectures.klein.facts import KLEIN
from kindred.models.lora import (
    key_conversion,
    kohya_export,
    lokr_export,
    lokr_keys,
    target_layers,
)
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.models.lora.compatibility import incompatibilities
from kindred.rendering import precision
from kindred.rendering.kept_apart import KeptApart
from kindred.specs.base_model import Base

NAMELESS = copy.copy(KLEIN)
NAMELESS.adapter_keys = None
LAYER = "transformer.transformer_blocks.0.attn.to_q"
FUSED = "lora_unet_double_blocks_0_img_attn_qkv"
SIZES = {LAYER.removeprefix("transformer."): (32, 32)}
SETTINGS = {"r": 4, "lora_alpha": 4}
CPU = torch.device("cpu")
State = dict[str, torch.Tensor]


def layer(
    name: str = LAYER, rank: int = 4, width: int = 32, height: int = 32, up: int | None = None,
    **more: Any,
) -> State:  # fmt: skip
    """A LoRA of one layer. up: B's rank; more: other tensors of it."""
    return {
        f"{name}.lora_A.weight": torch.ones(rank, width),
        f"{name}.lora_B.weight": torch.ones(height, up or rank),
        **{f"{name}.{end}": torch.as_tensor(value) for end, value in more.items()},
    }


def file(root: Path, state: State, header: Mapping[str, str] | None = None) -> Path:
    tensors.save(root / "a.safetensors", state, header or {})
    return root / "a.safetensors"


def faults(
    root: Path, state: State | None = None, header: Mapping[str, str] | None = None
) -> object:
    """What is wrong with a file for a base of one layer."""
    return incompatibilities(file(root, state or layer(), header), FLUX1, SIZES)


def of_ours(root: Path, more: State) -> object:
    """What is wrong with a file of Kindred's for a model whose layers no other tool names."""
    header = {"lora_adapter_metadata": config(**SETTINGS)}
    return incompatibilities(file(root, layer() | more, header), NAMELESS, None)


def exported_as(told: str) -> object:
    """The architecture of a file whose header says this, beside one without other tools' names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(architectures, "every", lambda: [FLUX1, NAMELESS])
        return kohya_export.architecture_of({"version": told}, "a")


def faulty(said: str, state: State | None = None, **header: str) -> Mistake:
    """A file with these tensors and this header, and a right one."""
    return Mistake(said, lambda root: faults(root, state, header), faults)


def not_finite(root: Path, value: float) -> object:
    """A file whose values were written without being looked at."""
    from safetensors.torch import save_file

    save_file(layer() | {f"{LAYER}.lora_A.weight": torch.full((4, 32), value)},
              root / "a.safetensors")  # fmt: skip
    return incompatibilities(root / "a.safetensors", FLUX1, SIZES)


def config(**values: object) -> str:
    """lora_adapter_metadata."""
    return json.dumps({f"transformer.{key}": value for key, value in values.items()})


def converted(state: State) -> object:
    return tuple(key_conversion.to_diffusers(state, FLUX1, "a.safetensors"))


def kohya(height: int = 96, up: int = 4) -> State:
    return {
        f"{FUSED}.lora_down.weight": torch.ones(4, 32),
        f"{FUSED}.lora_up.weight": torch.ones(height, up),
    }


def lokr(name: str, height: int = 24, second: int = 2) -> State:
    """A layer of 4 times these rows that reads 32 features, in a LoKr of rank 2."""
    return {
        f"{name}.lokr_w1_a": torch.ones(4, 2),
        f"{name}.lokr_w1_b": torch.ones(2, 8),
        f"{name}.lokr_w2_a": torch.ones(height, second),
        f"{name}.lokr_w2_b": torch.ones(second, 4),
    }


def lokr_read(state: State) -> object:
    return tuple(lokr_keys.read(state, FLUX1, "a.safetensors"))


def lokr_renamed(state: State) -> object:
    """For kohya's tools."""
    keys = FLUX1.adapter_keys
    return tuple(lokr_export.renamed(state, FLUX1, keys, "a.safetensors", "kohya"))


def fused(
    state: State, settings: Mapping[str, Any] | None = None, architecture: Any = FLUX1
) -> object:
    """For other tools."""
    return tuple(kohya_export.fused(state, settings or SETTINGS, architecture, "a.safetensors"))


def apply(root: Path, width: int) -> None:
    """A file of this width, put into the tiny transformer."""
    path = file(root, layer(width=width, height=width))
    apply_adapters(tiny_base._transformer(), read_adapters([path]), False)


def found(names: str | list[str]) -> object:
    """Layers of FLUX.2 klein that are to be trained."""
    layers = ["transformer_blocks.0.attn.to_q", "norm_out.linear"]
    return tuple(target_layers.target_layers(layers, names, KLEIN))


def eight_bit(quantization: str | None, can: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fp8_linear, "can", lambda _: can)
        precision._check_eight_bit(Base(model="x", quantization=quantization), CPU)


def spare(left: int | None) -> None:
    """Layers made 8-bit where so many bytes are left."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision, "token_layers", lambda _: ["a"])
        patch.setattr(fp8_linear, "more", lambda *_: 2**30)
        patch.setattr(fp8_linear, "convert", lambda *_: None)
        precision._to_eight_bit(None, left)


def drawn_in_eight_bits(offloads: bool) -> object:
    """A transformer in 8-bit floats on a GPU that can hold its weights, or not."""
    spec = SimpleNamespace(drawn_as=lambda _: "fp8", base=Base(model="x"), references=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fp8_linear, "can", lambda _: True)
        patch.setattr(precision, "_load_or_take_home", lambda *_: None)
        patch.setattr(precision, "offload_excess", lambda *_: offloads)
        patch.setattr(precision, "room", lambda *_: 0)
        patch.setattr(precision, "_to_eight_bit", lambda *_: None)
        return precision.load(spec, [], torch.device("cuda"))


def merged(dora: bool) -> None:
    """A layer with an adapter, to be added to a quantized base."""
    network = torch.nn.ModuleDict({"a": torch.nn.Linear(8, 8, bias=False)})
    kind = LoraConfig(r=2, lora_alpha=2, target_modules=["a"], use_dora=dora)
    inject_adapter_in_model(kind, network)
    network.unload_lora = lambda: None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(precision.loading, "weight_files", lambda *_: {"a.weight": Path("w")})
        patch.setattr(precision, "_part", lambda _: None)
        patch.setattr(
            precision.safetensors_files, "load", lambda *_: {"a.weight": torch.ones(8, 8)}
        )
        patch.setattr(
            precision.quantized_weights,
            "packed",
            lambda value, _: torch.nn.Parameter(value, requires_grad=False),
        )
        precision.merge_and_quantize(network, Base(model="x", quantization="nf4"), CPU)  # fmt: skip


def kept_apart(given: tuple[Any, bool]) -> None:
    """given: the architecture, and whether an adapter of its network is a DoRA."""
    architecture, dora = given
    network = tiny_base._transformer()
    network.add_adapter(LoraConfig(r=2, target_modules=["to_q"], use_dora=dora))
    layout = FLUX1.layout(network.config)
    KeptApart(network, SimpleNamespace(architecture=architecture, layout=layout))


MISTAKES = [
    # Files for a base
    Mistake("is not a complete safetensors file",
            lambda root: incompatibilities(cut(file(root, layer())), FLUX1, None), faults),
    Mistake("does not exist", lambda root: incompatibilities(root / "gone", FLUX1, None), faults),
    faulty("also changes the text encoder; Kindred does not use that",
           layer() | layer("text_encoder.text_model.encoder.layers.0.self_attn.q_proj")),
    Mistake("contains values that are infinite or", lambda root: not_finite(root, float("inf")),
            lambda root: not_finite(root, 1.0)),
    faulty("1 of its 1 layer is not in this base", layer(LAYER.replace("0", "9"))),
    faulty("was trained on a model of another", layer(width=64)),
    faulty("is a LoRA of FLUX.2 klein, but the base is FLUX.1 (", ss_base_model_version="flux2"),
    Mistake("does not fit this base (", lambda root: apply(root, 64), lambda root: apply(root, 32)),
    # What a file says twice
    Mistake("lacks one of the two matrices of",
            lambda root: of_ours(root, {f"{LAYER[:-1]}k.lora_A.weight": torch.ones(4, 32)}),
            lambda root: of_ours(root, {})),
    faulty("don't form a pair ([4] and [4])",
           {f"{LAYER}.lora_A.weight": torch.ones(4), f"{LAYER}.lora_B.weight": torch.ones(4)}),
    faulty("has two ranks at once in", layer(up=8)),
    faulty("has an alpha that is infinite or not a number", layer(alpha=[1.0, 2.0])),
    faulty("contradicts itself: its header says alpha 32", layer(alpha=1.0),
           ss_network_dim="4", ss_network_alpha="32"),
    faulty("contradicts itself: its header says alpha 32 (ss_network_alpha) and 4",
           ss_network_dim="4", ss_network_alpha="32",
           lora_adapter_metadata=config(r=4, lora_alpha=4)),
    faulty("says alpha 2 in its header (ss_network_alpha) but contains",
           ss_network_dim="4", ss_network_alpha="2"),
    faulty("in its header is not a valid configuration", lora_adapter_metadata="{"),
    # Layouts of other tools
    of_value(f"{FUSED} has two ranks at once, 4 and 8", converted, kohya(up=8), kohya()),
    of_value("has 64 rows, but ", converted, kohya(64), kohya()),
    of_value("and Kindred can't write those for other tools yet",
             exported_as,
             f"train 5, {KLEIN.name} 1", f"train 5, {FLUX1.name} 1"),
    of_value("Kindred can't write LoRAs of", lambda one: fused(layer(), architecture=one),
             NAMELESS, FLUX1),
    of_value("is a DoRA, and kohya's tools can't read DoRAs of", lambda told: fused(layer(), told),
             SETTINGS | {"use_dora": True}, SETTINGS),
    of_value("is already in a layout of kohya's tools or ComfyUI", fused, kohya(), layer()),
    of_value("contains transformer.x.bias", fused, layer() | {"transformer.x.bias": torch.ones(1)},
             layer()),
    of_value("is of a model that Kindred doesn't know (its layers: lora_unet_down_1, ",
             lambda state: kohya_export._require_known(state, "a"),
             {"lora_unet_down_1.lora_up.weight": torch.ones(1)}, kohya()),
    of_value("is empty", fused, {}, layer()),
    Mistake("is there already, and holds other layers or another tool's layout",
            lambda root: kohya_export._require_own_place(file(root, layer()), kohya()),
            lambda root: kohya_export._require_own_place(file(root, layer()), layer())),
    of_value("is no layer of ", fused, layer("transformer.other.to_q"), layer()),
    of_value("so that layout has no place for it", fused, layer(height=64), layer()),
    of_value("writes 64 features, but ", lokr_read, lokr(FUSED, 16), lokr(FUSED)),
    of_value("has two ranks, in ", lokr_read, lokr(FUSED, second=3), lokr(FUSED)),
    of_value("is already in a layout of kohya's tools or ComfyUI", lokr_renamed, lokr(FUSED),
             lokr(LAYER, 8)),
    # Layers
    of_value("norm_out.linear can't be trained", found, ["norm_out.linear"], ["to_q"]),
    of_value("'(' is not a valid pattern", found, "(", ".*to_q"),
    # Other precisions
    of_value("an int8 base already computes in 8-bit integers",
             lambda kind: eight_bit(kind, True), "int8", "nf4"),
    of_value("this GPU can't compute with 8-bit", lambda can: eight_bit(None, can), False, True),
    of_value("the weights take 1.0 GiB more than as trained", spare, 0, 2**31),
    of_value("the GPU is too small for the weights, even as trained", drawn_in_eight_bits, True,
             False),
    of_value("a DoRA adapter can't be merged into weights that are", merged, True,
             False),
    # Kept apart
    of_value("a DoRA adapter changes whole layers, so it can't be kept", kept_apart, (FLUX1, True),
             (FLUX1, False)),
    of_value("adapters on FLUX.2 klein can't be kept apart", kept_apart, (KLEIN, False),
             (FLUX1, False)),
]  # fmt: skip
