"""For all tests: one thread a process, no network."""

from __future__ import annotations

import os

import pytest

# Before any test module imports torch. Tests run beside each other, and tiny work gains nothing.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture
def quantized_on_cpu(monkeypatch, tmp_path):
    """bitsandbytes computes on CPUs too, only diffusers refuses to quantize there."""
    from diffusers.quantizers.bitsandbytes import bnb_quantizer

    from kindred.models import loading, quantized_weights

    for name in ("BnB4BitDiffusersQuantizer", "BnB8BitDiffusersQuantizer"):
        monkeypatch.setattr(
            getattr(bnb_quantizer, name), "validate_environment", lambda *_, **__: 0
        )
    # Its fast way of inference on some CPUs needs wider layers than the tiny base has.
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: False)
    monkeypatch.setattr(loading, "QUANTIZED_ON", ("cuda", "cpu"))
    monkeypatch.setattr(quantized_weights, "STORE", tmp_path / "store")
