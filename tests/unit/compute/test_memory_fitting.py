"""A plan carried out in a whole training: same results, and what happens when a step fails."""

import csv
import sys

import fake_gpu
import pytest
import tiny_base
import torch
import training_set
from PIL import Image
from safetensors.torch import load_file

import train
from kindred.common import backends
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.common.hashing import pixel_hash
from kindred.compute import memory_fitting, memory_limit, memory_plan
from kindred.compute.memory_plan import GIB, MemoryDemand, MemoryPlan
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.models.opened_base import open_base
from kindred.specs.training import TrainSpec
from kindred.training import batches as examples
from kindred.training import step_runner
from kindred.training import trainer as training
from kindred.training.checkpoints import Checkpoints

CPU = torch.device("cpu")
BLOCKS = 3


@pytest.fixture(scope="module")
def data(tmp_path_factory, base):
    return training_set.build(
        tmp_path_factory.mktemp("data") / "set", base, {"J": 3, "A": 2, "A+J": 3}
    )


def trained(data, out, capsys=None, **recipe):
    """(adapter, lora.json, what was printed) of a training in a store of its own."""
    arguments = data.train_arguments(out, **recipe)
    store = ["--store", str(out / "store"), "--checkpoints", str(out / "work")]
    train.main([*arguments, *store])
    said = capsys.readouterr().err if capsys else ""
    return load_file(out / "lora.safetensors"), read_json(out / "lora.json"), said


def close(first, second):
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.allclose(value, second[name], rtol=1e-3, atol=1e-5), name


@pytest.fixture
def fitted(monkeypatch):
    """Trainings on the CPU follow `plan`, as they would a GPU's; compiling is up to the test."""

    def use(checkpointed=BLOCKS, offloaded=(), micro_batch=2, compiled=False):
        def made(spec, base, datasets, device, drawing=None):
            shape = FLUX1.layout(tiny_base._transformer().config)
            job = memory_fitting.memory_demand(spec, FLUX1, shape, datasets)
            found = memory_fitting.FittedMemory(job, 100 * GIB, device)
            size = (job.batch, micro_batch, checkpointed, tuple(offloaded), BLOCKS)
            found.plan = MemoryPlan(*size, 2 * GIB, 1.5, 10)
            found.job = memory_plan.replace(job, compiled=compiled)
            found.tell()
            return found

        monkeypatch.setattr(memory_fitting, "fit_training", made)

    return use


def test_without_a_gpu_nothing_is_planned(data, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(memory_limit.MEMORY_GIB, "12")  # and as it was after the option below
    assert memory_fitting.fit_training(None, None, [], CPU) is None
    arguments = [*data.train_arguments(tmp_path / "a"), "--memory-gib", "6"]
    train.main([*arguments, "--store", str(tmp_path / "store")])
    assert "memory plan" not in capsys.readouterr().err
    assert "memory_plan" not in read_json(tmp_path / "a/lora.json")


def test_a_fitted_training_comes_to_the_same_bytes(data, tmp_path, fitted, capsys):
    plain, _, _ = trained(data, tmp_path / "plain", lora_dropout=0.2)
    fitted(offloaded=range(BLOCKS))
    found, summary, said = trained(data, tmp_path / "fitted", capsys, lora_dropout=0.2)
    assert all(torch.equal(plain[name], found[name]) for name in plain)
    assert "3 of 3 blocks checkpointed, 3 blocks offloaded" in said
    assert "expected peak 2.0 GiB" in said and "measured peak" in said
    plan = summary["memory_plan"]
    assert plan["offloaded_blocks"] == 3 and plan["measured_peak_gib"] > 0


def test_passes_between_steps_of_a_fitted_training_are_those_of_another(data, tmp_path, fitted):
    """Pictures and held-out losses, of blocks whose weights are away, and what is trained after."""
    draws = training_set.samples_of(data, {"j": "headshot of JRussell"}, every=2)
    found = {}
    for name in ("plain", "fitted"):
        if name == "fitted":
            fitted(offloaded=range(BLOCKS))
        changes = {"recipe": data.recipe(lora_dropout=0.2), "selection": {"held_out": 1}}
        out = tmp_path / name
        store = ["--store", str(out / "store"), "--checkpoints", str(out / "work")]
        train.main([*data.spec_arguments(out, 0, changes), *draws, *store])
        rows = list(csv.DictReader((out / "training.csv").open()))
        losses = [(row["loss"], row["held_out_loss"]) for row in rows]
        drawn = [path.name for path in sorted((out / "samples").rglob("*.png"))]
        hashes = [pixel_hash(Image.open(path)) for path in sorted(out.rglob("samples/**/*.png"))]
        found[name] = (losses, drawn, hashes, load_file(out / "lora.safetensors"))
    plain, other = found["plain"], found["fitted"]
    assert plain[:3] == other[:3] and len(plain[1]) == 4
    assert all(torch.equal(plain[3][name], other[3][name]) for name in plain[3])


@pytest.mark.parametrize("micro_batch", [1, 2])
def test_pieces_of_a_batch_have_the_gradient_of_the_whole(data, tmp_path, fitted, micro_batch):
    recipe = {"batch": 3, "gradient_accumulation": 2, "lr": 1e-3}
    plain, _, _ = trained(data, tmp_path / "plain", **recipe)
    fitted(0, micro_batch=micro_batch)
    found, _, _ = trained(data, tmp_path / "fitted", **recipe)
    close(plain, found)
    losses = [
        [float(row["loss"]) for row in csv.DictReader((tmp_path / name / "training.csv").open())]
        for name in ("plain", "fitted")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_pieces_keep_their_weights_and_shares():
    values = {name: torch.arange(5.0) for name in ("latents", "noise", "sigmas")}
    text = {name: torch.arange(5.0) for name in ("t5", "clip")}
    batch = examples.Batch(**values, text=text, weights=None)
    found = step_runner.pieces(batch, 2)
    assert [share for _, share in found] == [0.4, 0.4, 0.2]
    assert torch.cat([piece.noise for piece, _ in found]).tolist() == [0, 1, 2, 3, 4]
    assert found[1][0].text["t5"].tolist() == [2, 3]
    assert found[2][0].weights is None
    assert step_runner.pieces(batch, None) == step_runner.pieces(batch, 5) == [(batch, 1.0)]


def test_compiling_that_fails_goes_on_without(data, tmp_path, fitted, capsys, monkeypatch):
    plain, _, _ = trained(data, tmp_path / "plain", gradient_accumulation=2)

    def fails(self, *_, **__):
        def call(*_, **__):
            raise RuntimeError("no C compiler\nhere")

        for block in memory_fitting.blocks_of(self):
            block._compiled_call_impl = call

    monkeypatch.setattr("diffusers.FluxTransformer2DModel.compile_repeated_blocks", fails)
    fitted(1, compiled=True)
    found, summary, said = trained(data, tmp_path / "fitted", capsys, gradient_accumulation=2)
    assert all(torch.equal(plain[name], found[name]) for name in plain)
    assert said.count("can't be compiled here (no C compiler)") == 1
    assert summary["memory_plan"]["compiled"] is False


def test_a_failure_in_mid_step_leaves_no_half_gradients(data, tmp_path, fitted, monkeypatch):
    plain, _, _ = trained(data, tmp_path / "plain", gradient_accumulation=3)
    original, calls = training.flow_loss, []

    def fails_once(*args, **kwargs):
        calls.append(1)
        if len(calls) == 5:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return original(*args, **kwargs)

    monkeypatch.setattr(training, "flow_loss", fails_once)
    fitted(0)
    found, _, _ = trained(data, tmp_path / "fitted", gradient_accumulation=3)
    assert all(torch.equal(plain[name], found[name]) for name in plain)


def test_memory_that_runs_out_again_and_again_is_an_error(data, tmp_path, fitted, monkeypatch):
    def fails(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(training, "flow_loss", fails)
    fitted(0)
    with pytest.raises(KindredError, match=r"ran out of memory, although .* device\.memory_gib"):
        trained(data, tmp_path / "fitted")


def test_other_errors_pass(data, tmp_path, fitted, monkeypatch):
    def fails(*_, **__):
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(training, "flow_loss", fails)
    fitted(0)
    with pytest.raises(ValueError, match="a mistake of ours"):
        trained(data, tmp_path / "fitted")


def test_less_memory_than_believed_makes_a_tighter_plan(capsys):
    found = memory_fitting.FittedMemory(flux_dev_job(), memory_plan.usable(12), CPU)
    found.transformer, before = tiny_base._transformer(), found.plan
    assert found.retry(torch.OutOfMemoryError("CUDA out of memory"))
    assert found.plan.checkpointed > before.checkpointed
    assert found.plan.peak < before.peak
    assert "trying again with less" in capsys.readouterr().err


def test_a_tighter_plan_takes_more_blocks_home_and_none_back():
    net = tiny_base._transformer()
    shape = FLUX1.layout(net.config)
    settings = {"rank": 2, "batch": 1, "dtype_bytes": 4}
    settings |= {"image_tokens": 4096, "text_tokens": 512}
    job = MemoryDemand(shape, FLUX1.activations, frozenset(), **settings)
    found = memory_fitting.FittedMemory(job, 1e12, CPU)
    found.plan = memory_plan.with_arrangement(job, 1, 3, (1,))
    found.apply(net)
    whole = memory_plan.peak(job, 1, 3, (0, 1, 2))
    assert whole < found.plan.peak + 1
    found.allowed = whole / memory_fitting.TIGHTER + 1
    assert found.retry(torch.OutOfMemoryError("CUDA out of memory"))
    assert found.offloader.away == found.plan.offloaded == (0, 1, 2)
    assert found.plan.peak <= found.allowed


def flux_dev_job():
    config = {"num_layers": 19, "num_single_layers": 38}
    heads = {"attention_head_dim": 128, "num_attention_heads": 24}
    settings = {"quantization": "nf4", "rank": 4, "batch": 1}
    settings |= {"image_tokens": 1024, "text_tokens": 512}
    layout = FLUX1.layout(config | heads)
    return MemoryDemand(layout, FLUX1.activations, frozenset(), **settings)


def test_a_card_is_taken_as_far_as_it_is_free_or_allowed(monkeypatch):
    gpu, card = fake_gpu.put_in(monkeypatch, total=24, free=10), torch.device("cuda", 0)
    free = 10 * GIB * memory_plan.FILLED
    assert memory_fitting.allowance(card) == free
    for size in (8, 20):
        monkeypatch.setenv(memory_limit.MEMORY_GIB, str(size))
        memory_limit.apply(card, ({}, {}))
        expected = min(memory_plan.usable(size), free)
        assert memory_fitting.allowance(card) == pytest.approx(expected)
    assert memory_plan.usable(8) < free < memory_plan.usable(20)
    assert gpu.capped == pytest.approx([6.8 / 24, 18.8 / 24])
    monkeypatch.setattr(memory_fitting, "jobs_per_gpu", lambda: 3)
    assert memory_fitting.allowance(card) == pytest.approx(8 * GIB * memory_plan.FILLED)


def test_a_config_that_cannot_be_read_is_said_plainly(data, tmp_path, monkeypatch):
    (tmp_path / "base/transformer").mkdir(parents=True)
    base = tmp_path / "base"
    model = {"model": str(base), "architecture": "flux1"}
    text = {"base": model, "recipe": {}, "characters": {}, "dataset": "d"}
    with pytest.raises(KindredError, match=r"transformer/config\.json can't be read"):
        spec = TrainSpec.model_validate(text)
        memory_fitting.fit_training(spec, open_base(spec.base), [], torch.device("cuda"))


def test_what_cannot_fit_is_said_before_anything_is_loaded(data, tmp_path, monkeypatch):
    from kindred.compute import devices
    from kindred.models import loading

    monkeypatch.setattr(devices, "prepare", lambda *_: torch.device("cuda"))
    monkeypatch.setattr(memory_fitting, "allowance", lambda *_: 0.01 * GIB)
    monkeypatch.setattr(loading, "load_transformer", lambda *_: pytest.fail("loaded"))
    with pytest.raises(KindredError, match=r"needs at least .* more than there is"):
        trained(data, tmp_path / "out")


def test_the_largest_bucket_and_the_recipe_make_the_job(data, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        memory_fitting,
        "fit_training",
        lambda spec, base, datasets, *_: seen.append((spec, datasets)),
    )
    trained(data, tmp_path / "out", rank=3, batch=2, dora=True)
    spec, datasets = seen[0]
    assert isinstance(spec, TrainSpec)
    job = memory_fitting.memory_demand(
        spec, FLUX1, FLUX1.layout(tiny_base._transformer().config), datasets
    )
    assert (job.image_tokens, job.text_tokens) == (6, training_set.TOKENS)
    assert (job.rank, job.batch, job.dora, job.dtype_bytes, job.ema) == (3, 2, True, 4, False)
    assert len(job.adapted) == 12 + 2 * 5


def trainer(data, tmp_path, **recipe):
    """A Trainer as train.py makes it, not yet begun."""
    made = []
    with pytest.MonkeyPatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(training.Trainer, "train", lambda self, _: made.append(self) or stop())
        trained(data, tmp_path, **recipe)
    return made[0]


def stop():
    raise InterruptedError


def test_losses_read_late_are_the_same_and_every_step_has_its_row(data, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self.clone())
    rows = []
    for late in (False, True):
        one = trainer(data, tmp_path / str(late), steps=8, checkpoint_every=5)
        one.ahead, one.log.every = late, 3 if late else 1
        work = Checkpoints(tmp_path / str(late), "work")
        one.train(work)
        rows.append([(row["step"], row["loss"], row["lr"]) for row in one.rows])
        assert [row["loss"] for row in work.newest()["rows"]] == [r[1] for r in rows[-1][:5]]
    assert rows[0] == rows[1] and [row[0] for row in rows[0]] == list(range(1, 9))


def test_batches_prepared_ahead_are_the_same_batches(data, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self.clone())
    one = trainer(data, tmp_path)
    plain = one.feeds()[0]
    early = examples.prefetch(one.feeds()[0])
    for _ in range(5):
        (place, batch), (early_place, early_batch) = next(plain), next(early)
        assert place == early_place
        assert all(torch.equal(a, b) for a, b in values(batch, early_batch))
    early.close()


def values(*batches):
    return zip(*(batch.tensors() for batch in batches), strict=True)


@pytest.mark.skipif(sys.platform != "linux", reason="bitsandbytes' CPU build is for Linux")
def test_states_in_eight_bits_survive_a_checkpoint(data, tmp_path, monkeypatch):
    optim = pytest.importorskip("bitsandbytes.optim", reason="bitsandbytes is not installed")
    monkeypatch.setattr(
        training, "make_optimizer", lambda parameters, *_: optim.AdamW8bit(parameters)
    )
    # Small tensors keep 32 bits; these are large enough for 8.
    recipe = {"rank": 64, "steps": 5, "checkpoint_every": 2}
    whole = trainer(data, tmp_path / "whole", **recipe)
    whole.train(Checkpoints(tmp_path, "whole"))
    broken = trainer(data, tmp_path / "broken", **recipe)
    work = Checkpoints(tmp_path, "broken")
    broken.train(work)
    assert work.newest()["done"] == 4
    states = [state["state1"].dtype for state in whole.optimizer.state.values()]
    assert torch.uint8 in states
    resumed = trainer(data, tmp_path / "resumed", **recipe)
    resumed.train(work)
    assert all(torch.equal(a, b) for a, b in values_of(whole, resumed))


def values_of(*trainers):
    return zip(*[one.parameters for one in trainers], strict=True)


@pytest.mark.parametrize("kind", [None, "nf4", "int8"])
def test_weights_that_will_be_offloaded_are_loaded_at_home(data, tmp_path, kind, monkeypatch):
    """Asked for a GPU that isn't there, which would fail if anything went to it."""
    from kindred.models import loading, quantized_weights
    from kindred.specs.base_model import Base

    if kind:
        bnb = pytest.importorskip("diffusers.quantizers.bitsandbytes.bnb_quantizer")
        for name in ("BnB4BitDiffusersQuantizer", "BnB8BitDiffusersQuantizer"):
            monkeypatch.setattr(getattr(bnb, name), "validate_environment", lambda *_, **__: 0)
    monkeypatch.setattr(quantized_weights, "STORE", tmp_path / "quantized")
    base = Base(model=data.base, dtype="float32", quantization=kind, text_tokens=8)
    for _ in range(2):  # quantized, then read from the store
        net = loading.load_transformer(base, torch.device("cuda"), in_main_memory=True)
        assert {parameter.device.type for parameter in net.parameters()} == {"cpu"}


def test_diffusers_lets_a_machine_with_a_gpu_quantize_at_home(monkeypatch):
    bnb = pytest.importorskip("diffusers.quantizers.bitsandbytes.bnb_quantizer")
    from diffusers import BitsAndBytesConfig

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name, bits in (("BnB4BitDiffusersQuantizer", 4), ("BnB8BitDiffusersQuantizer", 8)):
        config = BitsAndBytesConfig(**{f"load_in_{bits}bit": True})
        quantizer = getattr(bnb, name)(config)
        quantizer.modules_to_not_convert = []
        quantizer.validate_environment(device_map={"": CPU})
        with pytest.raises(ValueError, match="dispatched on the CPU"):
            quantizer.validate_environment(device_map={"": "cpu"})


def test_on_an_apple_gpu_blocks_are_computed_anew_and_bytes_are_the_same(
    data, tmp_path, monkeypatch
):
    """A stand-in: the CPU does what would be done there."""
    counted = []
    checkpoint_all = memory_fitting.checkpoint_all
    monkeypatch.setattr(
        memory_fitting,
        "checkpoint_all",
        lambda network: (counted.append(1), checkpoint_all(network)),
    )
    trained(data, tmp_path / "plain", steps=3)
    monkeypatch.setattr(backends, "CPU", backends.MPS)
    trained(data, tmp_path / "anew", steps=3)
    trained(data, tmp_path / "dropout", steps=3, lora_dropout=0.1)
    assert counted == [1]
    files = [tmp_path / name / "lora.safetensors" for name in ("plain", "anew")]
    assert files[0].read_bytes() == files[1].read_bytes()
