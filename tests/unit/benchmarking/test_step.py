"""The benchmark of a step: its floor, tables on a tiny network, timing of the reference script."""

import importlib.util
from pathlib import Path

import pytest
import torch

from kindred.benchmarking import diffusers_reference, random_weights
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.compute import roofline

FOLDER = Path(__file__).parents[3] / "benchmarks"
TINY = ["--base", "tiny", "--device", "cpu", "--threads", "1", "--no-compile", "--warm", "1"]

# As much of the interface of diffusers' script as is used.
SCRIPT = """
import argparse, datasets, torch
from torchvision.transforms.functional import crop
from accelerate import Accelerator
AutoencoderKL = FlowMatchEulerDiscreteScheduler = FluxTransformer2DModel = None
DreamBoothDataset = None

def parse_args(given):
    parser = argparse.ArgumentParser()
    parser.add_argument("--resolution", type=int)
    parser.add_argument("--max_train_steps", type=int)
    return parser.parse_known_args(given)[0]

def main(args):
    accelerator = Accelerator(cpu=True)
    net = FluxTransformer2DModel.from_pretrained("x", subfolder="transformer")
    vae = AutoencoderKL.from_pretrained("x")
    assert FlowMatchEulerDiscreteScheduler.from_pretrained("x").config.use_dynamic_shifting
    dataset = DreamBoothDataset(size=args.resolution)
    weight = torch.nn.Parameter(torch.ones(1))
    for step in range(args.max_train_steps):
        photo = dataset[step]["instance_images"]
        assert photo.shape[-1] == args.resolution and vae.config.latent_channels == 16
        assert dataset[0]["prompt_embeds"].shape[1] == net.config.joint_attention_dim
        accelerator.backward((weight * photo).mean())
    raise SystemExit("went on after the last step")
"""


@pytest.fixture
def program():
    spec = importlib.util.spec_from_file_location("step", FOLDER / "step.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_floor_counts_every_token_that_a_weight_reads():
    flux = random_weights.SHAPES["flux-dev"].layout
    assert roofline.weights(flux) == pytest.approx(11.9e9, rel=0.01)
    # By hand: of a double block 12 x width^2 a stream, of a single one 12 x width^2; embedders.
    width, image, text = 3072, 1024, 512
    weights = (19 * 12 * image + 19 * 12 * text + 38 * 12 * (image + text)) * width**2
    pairs = 2 * (image + text) ** 2 * width * 57
    assert roofline.operations(flux, image, text, 1) == pytest.approx(
        2 * (weights + pairs), rel=0.01
    )
    assert roofline.rate(torch.device("cpu"), 64, 2) > 1e6


@pytest.mark.parametrize(
    ("base", "billions"),
    [("klein-4b", 3.876), ("klein-9b", 9.079), ("z-image", 6.155), ("krea-2", 12.82)],
)
def test_networks_of_full_size_have_as_many_weights_as_known(base, billions):
    assert roofline.weights(random_weights.SHAPES[base].layout) == pytest.approx(
        billions * 1e9, rel=0.002
    )


def test_random_networks_have_the_shape_and_precision_asked_for():
    whole = random_weights.transformer("tiny", "cpu")
    assert {p.dtype for p in whole.parameters()} == {torch.bfloat16}
    assert not any(p.requires_grad or p.is_meta for p in whole.parameters())
    layer = random_weights.transformer("tiny", "cpu", "nf4").single_transformer_blocks[0].proj_mlp
    assert layer.weight.quant_state.quant_type == "nf4" and layer.weight.dtype is torch.uint8
    assert not layer.weight.quant_state.nested
    double = random_weights.transformer("tiny", "cpu", "nf4-double").x_embedder
    assert double.weight.quant_state.nested
    assert random_weights.transformer("tiny", "cpu", "int8").x_embedder.weight.dtype is torch.int8
    klein = random_weights.transformer("tiny-klein", "cpu", "nf4")
    assert klein.x_embedder.weight.dtype is torch.bfloat16  # never quantized
    norms = random_weights.transformer("tiny-krea-2", "cpu").transformer_blocks[0].norm1
    assert norms.weight.dtype is torch.float32


def test_a_table_of_steps_with_errors_in_their_rows(program, tmp_path, capsys):
    out = tmp_path / "steps.json"
    asked = ["--precisions", "nf4", "bf16", "--plans", "24", "0.501", "--steps", "2"]
    assert program.main([*TINY, *asked, "--out", str(out)]) == 0
    rows = read_json(out)["rows"]
    assert [row["set-up"] for row in rows] == [
        "nf4 + checkpointing",
        "nf4",
        "bf16 + checkpointing",
        "bf16",
        "nf4 + plan for 24 GiB",
        "nf4 + plan for 0.501 GiB",
        "bf16 + plan for 24 GiB",
        "bf16 + plan for 0.501 GiB",
    ]
    failed = [row for row in rows if "error" in row]
    assert [row["set-up"] for row in failed] == [rows[5]["set-up"], rows[7]["set-up"]]
    assert all("device: memory" in row["error"] for row in failed)
    assert all(len(row["seconds"]) == 2 and row["floor_s"] > 0 for row in rows if row not in failed)
    assert rows[0]["floor_s"] == pytest.approx(1.5 * rows[1]["floor_s"])
    assert "| 64 | nf4 + checkpointing |" in capsys.readouterr().out
    assert read_json(out)["about"]["versions"]["torch"] == torch.__version__


@pytest.mark.parametrize(
    ("base", "pipeline"),
    [
        ("tiny", "FluxPipeline"),
        ("tiny-klein", "Flux2KleinPipeline"),
        ("tiny-z-image", "ZImagePipeline"),
        ("tiny-krea-2", "Krea2Pipeline"),
    ],
)
def test_pictures_agree_with_the_bases_own_pipeline(program, tmp_path, base, pipeline):
    out = tmp_path / "pictures.json"
    asked = ["--render", "--precisions", "bf16", "--steps", "1", "--sampling-steps", "2"]
    assert program.main([*TINY, *asked, "--base", base, "--out", str(out)]) == 0
    theirs, ours = read_json(out)["rows"]
    assert (theirs["set-up"], ours["set-up"]) == (f"bf16, {pipeline}", "bf16, ours")
    assert ours["difference"] < 0.02  # some sum the steps in bfloat16, we in float32


def test_without_a_gpu_it_says_so(program, capsys):
    assert program.main(["--device", "cpu"]) == 0
    assert "--base tiny --device cpu" in capsys.readouterr().out


def options(tmp_path, **more):
    import argparse

    given = {"base": "tiny", "resolution": 32, "text_tokens": 8, "rank": 4, "device": "cpu"}
    return argparse.Namespace(diffusers=tmp_path, warm=2, steps=3, **given | more)


def test_the_reference_scripts_steps_are_timed(tmp_path, monkeypatch):
    import sys

    from accelerate import Accelerator

    monkeypatch.setattr(Accelerator, "backward", Accelerator.backward)  # put back afterwards
    for name in diffusers_reference.PHOTO_PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    path = tmp_path / diffusers_reference.SCRIPTS["flux1"].path
    path.parent.mkdir(parents=True)
    path.write_text(SCRIPT)
    found = diffusers_reference.measure(options(tmp_path))
    assert len(found["seconds"]) == 3 and found["least_s"] > 0


def test_a_base_without_a_script_is_named(tmp_path):
    with pytest.raises(KindredError, match="no diffusers script for tiny-krea-2"):
        diffusers_reference.script_of(tmp_path, "tiny-krea-2")


def test_a_checkout_without_the_script_is_named(tmp_path):
    with pytest.raises(KindredError, match="has no examples/research_projects"):
        diffusers_reference.measure(options(tmp_path))
