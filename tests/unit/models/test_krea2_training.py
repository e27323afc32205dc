"""Krea 2's trainings in one loop end where each ends alone."""

import json

import pytest
import tiny_krea2
import training_set

import train
import train_batched
from kindred.common import safetensors_files
from kindred.common.files import read_json

MEMBERS = {
    "plain": {"lr": 1e-2},
    "narrow": {"rank": 1, "targets": "attention", "lr": 3e-2},
    "dropped": {"caption_dropout": 0.5, "lr": 1e-2, "timesteps": "shifted"},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("krea2")
    return training_set.build(root / "set", tiny_krea2.build(root / "base"), {"J": 2, "A+J": 3})


def arguments(data, out, **recipe):
    return data.train_arguments(out, **({"steps": 3} | recipe))


def job(given):
    """The same as a job of train_batched.py."""
    named = dict(zip(given[::2], given[1::2], strict=True))
    for key in ("--store", "--checkpoints", "--device", "--threads"):
        del named[key]
    told = {key[2:].replace("-", "_"): value for key, value in named.items()}
    return told | {"run": int(told["run"])}


def test_trainings_in_one_loop_end_where_each_ends_alone(data, tmp_path):
    texts = safetensors_files.load(data.root / "text.safetensors")
    sizes = {
        tuple(value.shape)
        for value in safetensors_files.load(data.root / "latents.safetensors").values()
    }
    assert len({len(value) for value in texts.values()}) > 2 and len(sizes) > 1
    jobs = [
        job(arguments(data, tmp_path / "together" / name, **recipe))
        for name, recipe in MEMBERS.items()
    ]
    stores = ["--store", str(tmp_path / "store"), "--checkpoints", str(tmp_path / "work")]
    where = ["--jobs", json.dumps(jobs), "--out", str(tmp_path / "trained.json")]
    train_batched.main([*where, *stores, "--device", "cpu", "--threads", "1"])
    report = read_json(tmp_path / "trained.json")
    assert len(report["trained"]) == len(MEMBERS) and not report["left"] and not report["failed"]
    for name, recipe in MEMBERS.items():
        train.main(arguments(data, tmp_path / "alone" / name, **recipe))
        key = report["trained"][str(tmp_path / "together" / name)]
        other = safetensors_files.load(tmp_path / "store" / key / "lora.safetensors")
        alone = safetensors_files.load(tmp_path / "alone" / name / "lora.safetensors")
        assert alone.keys() == other.keys()
        for tensor, value in alone.items():
            assert (value - other[tensor]).norm() < 1e-4 * value.norm(), (name, tensor)
