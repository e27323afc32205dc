"""What the device named can't do is said with the configuration, all of it at once."""

import pytest
import small_config
import torch

from kindred.common.errors import ProblemsError
from kindred.config.load_plan import load_plan


@pytest.fixture
def root(tmp_path, base):
    """A folder with a configuration whose base is the tiny one."""
    folder = small_config.write(tmp_path, str(base))
    file = folder / "config/bases/small.yaml"
    file.write_text(file.read_text().replace("float32", "bfloat16") + "quantization: nf4\n")
    variants = "  a: {}\n  b: {optimizer: adamw8bit}\n  c: {from: b, rank: 2}\n"
    small_config.write_experiment(folder, variants)
    return folder


def told(root, **device):
    try:
        load_plan(root, {"device": device})
    except ProblemsError as error:
        return [str(one) for one in error.problems]
    return []


def test_on_an_apple_gpu_weights_and_optimizers_of_bitsandbytes_are_refused(root):
    weights, optimizer = told(root, kind="mps")
    assert weights.startswith(
        "experiment one: base 'small': `quantization: nf4` does not work on an"
    )
    assert optimizer.startswith(
        "experiment one: variants.b, variants.c: `optimizer: adamw8bit` does"
    )
    assert optimizer.endswith("an Apple GPU. Set `optimizer: adamw`.")


def test_elsewhere_they_are_planned(root):
    for kind in ("auto", "cpu", "cuda"):
        assert not told(root, kind=kind)


def test_products_in_8_bit_floats_are_nvidias(root, monkeypatch):
    file = root / "config/experiments/one.yaml"
    text = file.read_text()
    at = text.index("seeds:")
    file.write_text(f"{text[:at]}precision: fp8, {text[at:]}")
    assert not told(root, kind="cuda")
    monkeypatch.setattr(torch.version, "hip", "6.4")
    (line,) = told(root, kind="cuda")
    assert "`precision: fp8` does not work on an AMD GPU. Remove `precision`" in line


@pytest.mark.parametrize(
    ("key", "value"), [("memory_gib", 16), ("device_map", True), ("processes", 2)]
)
def test_settings_of_cards_with_memory_of_their_own_are_refused(root, key, value):
    (line,) = told(root, kind="mps", **{key: value})
    assert f"{key} can't be set with `kind: mps`" in line
