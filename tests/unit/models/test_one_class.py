"""Two architectures that share their network's class: each trains and draws by its own facts."""

import copy
import json
import shutil
from pathlib import Path

import pytest
import torch
import training_set

import train
import train_batched
from kindred.common import safetensors_files
from kindred.common.files import read_json, write_json
from kindred.models import architectures
from kindred.models.architectures.flux1 import facts
from kindred.models.lora import injection
from kindred.models.opened_base import open_base
from kindred.specs.base_model import Base
from kindred.specs.training import Recipe

SHIFT = 7.0


class Other(facts.Flux1):
    """FLUX.1 with another time shift."""

    name, title, pipelines = "other", "FLUX.1's other", ("OtherFluxPipeline",)

    def shift(self, *_, **__):
        """One, however large the picture is."""
        return SHIFT


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setattr(facts, "OTHER", Other(), raising=False)
    monkeypatch.setitem(architectures.KNOWN, Other.pipelines[0], f"{facts.__name__}:OTHER")


@pytest.fixture
def other(base, tmp_path):
    """The tiny base as one of the other architecture."""
    folder = tmp_path / "other"
    shutil.copytree(base, folder)
    index = read_json(folder / "model_index.json") | {"_class_name": Other.pipelines[0]}
    write_json(folder / "model_index.json", index)
    return folder


def batched(data, out: Path, **recipe) -> Path:
    """The adapter of a training in one loop with none beside it."""
    given = data.train_arguments(out, **recipe)
    named = dict(zip(given[::2], given[1::2], strict=True))
    left = {key: named.pop(key) for key in ("--store", "--checkpoints", "--device", "--threads")}
    job = {key[2:].replace("-", "_"): value for key, value in named.items()}
    jobs = json.dumps([job | {"run": int(job["run"])}])
    where = ["--store", str(out / "own-store"), "--checkpoints", left["--checkpoints"]]
    train_batched.main(
        ["--jobs", jobs, "--out", str(out / "trained.json"), *where, "--device", "cpu",
         "--threads", "1"]
    )  # fmt: skip
    report = read_json(out / "trained.json")
    return out / "own-store" / report["trained"][str(out)] / "lora.safetensors"


def alone(data, out: Path, **recipe) -> Path:
    """The adapter of a training alone."""
    train.main(data.train_arguments(out, **recipe))
    return out / "lora.safetensors"


@pytest.mark.parametrize("trained", [alone, batched])
def test_each_trains_with_its_own_shift(other, base, tmp_path, trained):
    usual = {"steps": 1, "timesteps": "shifted"}
    found = {}
    for name, folder in {"flux1": base, "other": other}.items():
        data = training_set.build(tmp_path / name, folder, {"J": 2})
        for told in ({}, {"shift": SHIFT}):
            file = trained(data, tmp_path / f"{name}-{len(told)}", **usual, **told)
            found[name, bool(told)] = safetensors_files.load(file)
    wanted = found["flux1", True]
    for key in (("other", False), ("other", True)):
        assert all(torch.equal(found[key][name], value) for name, value in wanted.items()), key
    own = found["flux1", False]
    assert not all(torch.equal(own[name], value) for name, value in wanted.items())


def test_each_draws_with_its_own_shift_and_keeps_its_name(other, base):
    for folder, name in ((base, "flux1"), (other, "other")):
        opened = open_base(Base(model=str(folder), dtype="float32"))
        assert (opened.shift(6, 4) == SHIFT) == (name == "other")
        network = opened.load_transformer("cpu")
        for one in (network, copy.deepcopy(network), torch.compile(network)):
            assert architectures.of_network(one).name == name
        injection.add_lora(network, Recipe(rank=2), 0)
        assert architectures.of_network(network.to(torch.bfloat16)).name == name
        placed = opened.load_transformer("cpu", places={"": "cpu"})
        assert architectures.of_network(placed).name == name


def test_a_network_of_unknown_origin_is_not_guessed():
    network = type("FluxTransformer2DModel", (), {})()
    with pytest.raises(ValueError, match="FluxTransformer2DModel is the network of flux1, other"):
        architectures.of_network(network)
    assert architectures.of_network(type("Krea2Transformer2DModel", (), {})()).name == "krea2"
