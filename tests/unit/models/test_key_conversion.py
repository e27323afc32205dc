"""Prefixes of other tools go before a name is judged; what is read is the same LoRA under any."""

import pytest
import tiny_base
import torch
from diffusers import FluxTransformer2DModel

from kindred.common import safetensors_files
from kindred.common.errors import KindredError
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.lora import injection, key_conversion
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.models.lora.compatibility import incompatibilities, layers_of
from kindred.models.lora.prefixes import is_of_text_encoder
from kindred.specs.training import Recipe

LAYER = "transformer_blocks.0.attn.to_q"
ORIGINAL = "double_blocks.0.img_attn.proj"


def network(base):
    return FluxTransformer2DModel.from_pretrained(base, subfolder="transformer").eval()


def drawn(base, path):
    net = network(base)
    apply_adapters(net, read_adapters([path]), False)
    return tiny_base.answer(net)


def faults(base, path):
    layers = layers_of(str(base), None, FLUX1, path.parent)
    return [one.what for one in incompatibilities(path, FLUX1, layers)]


def lora(path, name=LAYER, metadata=None, **tensors):
    """A file of one layer of the tiny base; `tensors`: more of them, by the end of their name."""
    torch.manual_seed(0)
    state = {
        f"{name}.lora_A.weight": torch.randn(2, 32),
        f"{name}.lora_B.weight": torch.randn(32, 2),
        **{f"{name}.{end}": value for end, value in tensors.items()},
    }
    safetensors_files.save(path, state, metadata or {})
    return path


@pytest.mark.parametrize(
    "prefix",
    [
        "base_model.model.",
        "base_model.model.transformer.",
        "unet.",
        "lycoris_",
        "lycoris_transformer_",
        "model.diffusion_model.",
        "diffusion_model.",
        "transformer.",
        "lora_unet_",
        "lora_transformer_",
        "lora_",
        "module.base_model.model.unet.",
        "",
    ],
)
@pytest.mark.parametrize("name", [LAYER, ORIGINAL])
def test_a_prefix_is_taken_off_before_anything_is_judged(base, tmp_path, prefix, name):
    flat = name.replace(".", "_") if prefix.endswith("_") else name
    layer = LAYER if name == LAYER else "transformer_blocks.0.attn.to_out.0"
    path = lora(tmp_path / "a.safetensors", f"{prefix}{flat}")
    assert faults(base, path) == []
    found = key_conversion.to_diffusers(safetensors_files.load(path), FLUX1, "x")
    assert set(found) == {f"transformer.{layer}.lora_{x}.weight" for x in "AB"}


def test_it_is_drawn_with_the_same_under_a_prefix(base, tmp_path):
    plain = lora(tmp_path / "plain.safetensors", f"transformer.{LAYER}")
    other = lora(tmp_path / "other.safetensors", f"base_model.model.{LAYER}")
    assert torch.equal(drawn(base, other), drawn(base, plain))


@pytest.mark.parametrize(
    "key",
    [
        "lora_te1_text_model_encoder_layers_0_mlp_fc1",
        "text_encoder.text_model.encoder.layers.0.mlp.fc1",
        "base_model.model.text_encoder_2.encoder.block.0",
        "lora_clip_x",
        "transformer.text_model.encoder.layers.0.fc1",
    ],
)
def test_a_text_encoder_is_known_behind_any_prefix(key):
    assert is_of_text_encoder(f"{key}.lora_A.weight")
    assert not is_of_text_encoder(f"transformer.{LAYER}.lora_A.weight")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("x.lora_A.one.weight", "x.lora_A.two.weight", "x.lora_B.one.weight"), "several adapters"),
        (
            [f"{p}img_in.lora_{k}.weight" for p in ("", "unet.") for k in "AB"],
            "changes x_embedder twice, by img_in and by unet.img_in",
        ),
        (
            [
                f"double_blocks.0.img_attn.qkv.{k}"
                for k in ("lora_A.weight", "lora_B.weight", "lora_magnitude_vector")
            ],
            "is a DoRA over several layers at once",
        ),
    ],
)
def test_what_can_t_be_told_apart_is_refused(names, words):
    keys = [name.replace("x.", "transformer_blocks.0.attn.to_q.") for name in names]
    if "one" in keys[0]:
        keys.append(keys[-1].replace("one", "two"))
    assert words in key_conversion.refusal(keys, FLUX1)[0]


def test_an_adapter_s_own_name_in_a_key_is_no_part_of_the_layer(base, tmp_path):
    plain = lora(tmp_path / "plain.safetensors", f"transformer.{LAYER}")
    state = safetensors_files.load(plain)
    named = {k.replace(".weight", ".mine.weight"): v for k, v in state.items()}
    safetensors_files.save(tmp_path / "named.safetensors", named)
    assert faults(base, tmp_path / "named.safetensors") == []
    assert torch.equal(drawn(base, tmp_path / "named.safetensors"), drawn(base, plain))


@pytest.mark.parametrize("recipe", [{"dora": True}, {"rslora": True, "alpha": 8.0}], ids=str)
def test_dora_and_rslora_keep_their_strength_under_another_prefix(base, tmp_path, recipe):
    net = network(base)
    parameters = injection.add_lora(net, Recipe(rank=2, targets=[LAYER], **recipe), 0)
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in parameters:
            parameter.add_(0.1 * torch.randn_like(parameter))
    own = tmp_path / "own.safetensors"
    injection.save_lora(own, injection.lora_state(net.eval()), net, {})
    header = safetensors_files.header(own)[1]
    state = {
        name.replace("transformer.", "base_model.model.", 1): value
        for name, value in safetensors_files.load(own).items()
    }
    safetensors_files.save(tmp_path / "peft.safetensors", state, header)
    assert faults(base, own) == faults(base, tmp_path / "peft.safetensors") == []
    torch.testing.assert_close(
        drawn(base, tmp_path / "peft.safetensors"), drawn(base, own), atol=2e-5, rtol=1e-4
    )


def test_numbers_that_are_not_finite_are_refused_at_once_and_when_drawn(base, tmp_path):
    path = lora(tmp_path / "a.safetensors")
    data = bytearray(path.read_bytes())
    data[-4:] = b"\x00\x00\xc0\x7f"
    path.write_bytes(data)
    (fault,) = faults(base, path)
    assert fault == f"contains values that are infinite or not a number, in {LAYER}.lora_B.weight"
    with pytest.raises(KindredError, match="has 1 value that is infinite or not a number"):
        drawn(base, path)


def test_a_layer_of_another_height_is_named_before_it_is_loaded(base, tmp_path):
    path = tmp_path / "a.safetensors"
    name = "unet.double_blocks.0.img_attn.qkv"
    state = {f"{name}.lora_A.weight": torch.ones(2, 32), f"{name}.lora_B.weight": torch.ones(64, 2)}
    safetensors_files.save(path, state)
    (fault,) = faults(base, path)
    assert (
        "to_q, transformer_blocks.0.attn.to_k and transformer_blocks.0.attn.to_v write 64" in fault
    )
    assert fault.endswith("features, but 96 in the base)")
