"""For all tests: one thread a process, no network, one tiny base."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from kept_drawings import KEPT
from shared import common_folder, once

# Before any test module imports torch. Tests run beside each other, and tiny work gains nothing.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"


# What test modules import lives as long as the process: looking for garbage among it takes a tenth
# of the time of collecting them, some of every test's, and more at the end.
gc.disable()
atexit.register(gc.freeze)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes minutes is begun at once: begun last, it would run beside an idle worker."""
    items.sort(key=lambda item: item.get_closest_marker("minutes") is None)


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write anew what is compared: tests/golden/*.json for steps whose version was raised, "
        "docs/reference/messages.md",
    )


@pytest.fixture(scope="session")
def update(request: pytest.FixtureRequest) -> bool:
    """Whether what is compared is to be written anew."""
    return bool(request.config.getoption("--update-golden", default=False))


@pytest.fixture(autouse=True)
def one_thread():
    """A program that ran in this process may have asked torch for more."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(autouse=True)
def same_environment():
    """What a program sets for its own process (which GPU it took) says nothing to later tests."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(scope="session", autouse=True)
def drawings_kept(tmp_path_factory: pytest.TempPathFactory):
    """Made-up experiments copy pictures that one of them has drawn."""
    KEPT.append(common_folder(tmp_path_factory, "drawings"))
    yield
    KEPT.clear()


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base, made once for all workers. Nobody may change what is in it."""

    def build(folder: Path) -> None:
        import tiny_base

        tiny_base.build(folder)

    return once(tmp_path_factory, "tiny-base", build)


@pytest.fixture(scope="session")
def base(tiny_folder: Path) -> Path:
    """The same, for modules in which no specification is called base."""
    return tiny_folder


@pytest.fixture
def quantized_on_cpu(monkeypatch, tmp_path):
    """bitsandbytes computes on CPUs too, only diffusers refuses to quantize there."""
    from diffusers.quantizers.bitsandbytes import bnb_quantizer

    from kindred.common import backends
    from kindred.models import quantized_weights

    for name in ("BnB4BitDiffusersQuantizer", "BnB8BitDiffusersQuantizer"):
        monkeypatch.setattr(
            getattr(bnb_quantizer, name), "validate_environment", lambda *_, **__: 0
        )
    # Its fast way of inference on some CPUs needs wider layers than the tiny base has.
    monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: False)
    monkeypatch.setattr(backends, "CPU", replace(backends.CPU, quantizes=True))
    monkeypatch.setattr(quantized_weights, "STORE", tmp_path / "store")
