"""LoRA, or LoKr, on a transformer: which layers, injection by peft, and the file diffusers reads.

Knows layer names and peft; knows nothing of data or optimisation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from kindred.common import safetensors_files
from kindred.common.seeds import seed_of
from kindred.models import architectures
from kindred.models.lora import lokr_keys, lokr_layers
from kindred.models.lora.layer_ranks import LayerRank, layer_ranks, patterns_for_peft
from kindred.models.lora.lokr_shapes import lokr_shape
from kindred.models.lora.lora_config import CONFIG_KEY
from kindred.models.lora.target_layers import target_layers
from kindred.specs.training import Recipe

ADAPTER = "default"
PREFIX = "transformer."


def linear_layers(transformer: Any) -> list[str]:
    """Names of all linear layers, in the model's order."""
    return [name for name, part in transformer.named_modules() if isinstance(part, torch.nn.Linear)]


class MixedLinear(torch.nn.Linear):
    """A layer whose weights learn in float32 and compute in the precision of what they read: half
    the memory and time of float32 products, and the rounding of the base that they stand beside."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[..., in] to [..., out], without a bias."""
        return torch.nn.functional.linear(x, self.weight.to(x.dtype))


def add_lora(transformer: Any, recipe: Recipe, run: int) -> list[torch.nn.Parameter]:
    """Put a fresh adapter on the transformer; return its float32 parameters, in a fixed order.

    Beside a base of half precision its products are in that precision, DoRA's apart. Drawn from
    the run's seed. Raises KindredError when the targets match no layer, or can't be
    told from others by the names' endings (as peft and diffusers will read them), and for patterns
    of ranks or alphas that fit no layer.
    """
    architecture = architectures.of_network(transformer)
    wanted = target_layers(linear_layers(transformer), recipe.targets, architecture)
    ranks = layer_ranks(wanted, recipe)
    lokr = recipe.adapter_type == "lokr"
    config = LoraConfig(
        r=1 if lokr else recipe.rank,
        lora_alpha=recipe.alpha or recipe.rank,
        lora_dropout=recipe.lora_dropout,
        use_rslora=recipe.rslora,
        use_dora=recipe.dora,
        target_modules=wanted,
        **({} if lokr else patterns_for_peft(ranks, recipe)),
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(run, "adapter"))
        transformer.add_adapter(config, ADAPTER)
        if lokr:
            _make_lokr(transformer, recipe, ranks)
    parameters = []
    for name, parameter in transformer.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
            parameters.append(parameter)
    if not recipe.dora:
        _compute_as_read(transformer)
    return parameters


def _make_lokr(transformer: Any, recipe: Recipe, ranks: Mapping[str, LayerRank]) -> None:
    """Put a fresh LoKr in the place of every LoRA. One of two whole matrices is at strength 1, as
    every tool has it."""
    for name, part in transformer.named_modules():
        if hasattr(part, "lora_A"):
            inner = part.get_base_layer()
            sizes = inner.in_features, inner.out_features
            shape = lokr_shape(*sizes, ranks[name].rank, recipe.lokr_factor)
            scale = 1.0 if shape.rank is None else ranks[name].scale(recipe.rslora)
            factors = lokr_layers.fresh(shape, scale)
            lokr_layers.put(part, ADAPTER, factors)


def _compute_as_read(transformer: Any) -> None:
    """Let adapters take their inputs as they are, where peft would widen them to float32."""
    for part in transformer.modules():
        if hasattr(part, "lora_A"):
            part.cast_input_dtype_enabled = False
            for factor in (part.lora_A[ADAPTER], part.lora_B[ADAPTER]):
                if isinstance(factor, torch.nn.Linear):  # a LoKr's do so of themselves
                    factor.__class__ = MixedLinear


def up_projections(transformer: Any) -> list[torch.nn.Parameter]:
    """The B of every LoRA on the transformer, in its order."""
    named = transformer.named_parameters()
    return [value for name, value in named if ".lora_B." in name and value.requires_grad]


@contextmanager
def without_adapter(transformer: Any) -> Iterator[None]:
    """`with` the base alone, on a transformer that has an adapter."""
    transformer.disable_adapters()
    try:
        yield
    finally:
        transformer.enable_adapters()


def lora_state(transformer: Any) -> dict[str, torch.Tensor]:
    """The adapter's tensors by diffusers' names, sharing memory with the model; those of a LoKr as
    LyCORIS calls them, with the alpha of each layer."""
    if found := lokr_keys.state_of(transformer, ADAPTER):
        return found
    state = get_peft_model_state_dict(transformer, adapter_name=ADAPTER)
    return {PREFIX + name: value for name, value in state.items()}


def save_lora(
    path: Path | str,
    state: Mapping[str, torch.Tensor],
    transformer: Any,
    provenance: Mapping[str, str],
) -> None:
    """Write the file that a pipeline's load_lora_weights takes as it is; of a LoKr, which none
    takes, the one that ComfyUI does.

    Provenance stands in the header beside the LoRA configuration; equal adapters of equal
    provenance are equal bytes.
    """
    if lokr_keys.is_lokr(state):  # its alphas say all
        safetensors_files.save(path, state, provenance)
        return
    config = transformer.peft_config[ADAPTER].to_dict()
    # Loaders build their layers in training mode: with the rate kept, dropout would go on working
    # while pictures are rendered.
    config["lora_dropout"] = 0.0
    plain = {PREFIX + key: _plain(value) for key, value in config.items()}
    header = {CONFIG_KEY: json.dumps(plain, sort_keys=True), **provenance}
    safetensors_files.save(path, state, header)


def _plain(value: Any) -> Any:
    """As JSON can hold it; sets sorted, so that equal configurations are equal text."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value.value if hasattr(value, "value") else value
