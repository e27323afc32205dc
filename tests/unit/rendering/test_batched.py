"""Many renderings in one process: bytes of render.py, one load, adapters without a trace."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_base
import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

import encode_prompts
import render as render_program
import render_batched as together_program
from kindred.common.errors import KindredError, ProblemsError
from kindred.compute.devices import PICTURES_AT_ONCE
from kindred.config.device_config import DeviceConfig
from kindred.models.loading import load_transformer
from kindred.models.lora.adapters import apply_adapters, read_adapters
from kindred.rendering import image_store, precision
from kindred.rendering.batched import even, load_adapters
from kindred.rendering.image_plan import plan
from kindred.rendering.image_store import ImageStore, settings_of
from kindred.rendering.manifest import read_manifest
from kindred.specs.rendering import PromptSet, RenderSpec

HERE = ["--device", "cpu", "--threads", "1"]
SCRIPTS = Path(render_program.__file__).parent
PROMPTS = {
    "heads": {"J": "headshot of JRussell", "A": "headshot of ARussell"},
    "parks": {"J": "JRussell in the park", "A": "headshot of ARussell"},
}


@pytest.fixture(scope="module")
def loras(folder, tmp_path_factory):
    """Three adapters that show, of different rank and layers; the last one is of the DoRA kind."""
    out = tmp_path_factory.mktemp("loras")
    kinds = [(4, ["to_q", "proj_mlp"], False), (2, ["to_v"], False), (2, ["to_q", "to_k"], True)]
    for seed, (rank, layers, dora) in enumerate(kinds):
        torch.manual_seed(seed)
        model = FluxTransformer2DModel.from_pretrained(folder, subfolder="transformer")
        model.add_adapter(LoraConfig(r=rank, target_modules=layers, use_dora=dora))
        for name, parameter in model.named_parameters():
            if "lora_A" in name or "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.2)
        FluxPipeline.save_lora_weights(
            out,
            get_peft_model_state_dict(model),
            weight_name=f"{seed}.safetensors",
            transformer_lora_adapter_metadata=model.peft_config["default"].to_dict(),
        )
    return [out / f"{seed}.safetensors" for seed in range(len(kinds))]


@pytest.fixture(scope="module")
def encoded(base, tmp_path_factory):
    """Prompt set -> its embedded prompts."""
    out = tmp_path_factory.mktemp("prompts")
    for name, prompts in PROMPTS.items():
        encoder = {"model": base.model, "dtype": "float32", "tokens": tiny_base.TEXT_TOKENS}
        spec = ["--spec", json.dumps({"encoder": encoder, "prompts": prompts})]
        files = ["--out", str(out / f"{name}.safetensors"), "--store", str(out / "store")]
        assert encode_prompts.main([*spec, *files, *HERE]) == 0
    return {name: out / f"{name}.safetensors" for name in PROMPTS}


def spec_of(base, name, **more):
    prompt_set = {"prompts": PROMPTS[name], "seeds": [1, 2, 3], "width": 32, "height": 32}
    return RenderSpec(base=base, prompt_set=PromptSet(**prompt_set, steps=2), name=name, **more)


def jobs_of(base, encoded, files, out, **more):
    """Both prompt sets with each list of adapters."""
    jobs = [
        {
            "spec": name,
            "prompts": str(encoded[name]),
            "adapters": [str(file) for file in own],
            "out": str(out / f"run-{number}/images/{name}.json"),
        }
        for number, own in enumerate(files)
        for name in PROMPTS
    ]
    specs = {name: json.loads(spec_of(base, name, **more).canonical()) for name in PROMPTS}
    return {"specs": specs, "jobs": jobs}


def together(wanted, out, *more):
    """The summary; raises what the program raises."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "jobs.json").write_text(json.dumps(wanted))
    command = ["--jobs", str(out / "jobs.json"), "--store", str(out / "store")]
    assert together_program.main([*command, "--out", str(out / "done.json"), *more, *HERE]) == 0
    return summary(out)


def summary(out):
    return json.loads((out / "done.json").read_text())


def alone(wanted, store):
    """Every job by render.py; their manifests."""
    for job in wanted["jobs"]:
        command = ["--spec", json.dumps(wanted["specs"][job["spec"]]), "--prompts", job["prompts"]]
        command += ["--adapter", *job["adapters"], "--store", str(store), "--out", job["out"]]
        assert render_program.main([*command, *HERE]) == 0
    return [read_manifest(job["out"]) for job in wanted["jobs"]]


@pytest.mark.long
def test_pictures_have_the_bytes_of_the_single_program_and_the_base_is_loaded_once(
    base, encoded, loras, tmp_path, monkeypatch
):
    loads, load = [], precision.load
    monkeypatch.setattr(precision, "load", lambda *a: loads.append(a) or load(*a))
    files = [[], loras[:1], loras[1:2], loras[2:], []]
    wanted = jobs_of(base, encoded, files, tmp_path)
    done = together(wanted, tmp_path / "many")
    assert len(loads) == done["loads"] == 1 and done["changes"] == 3
    assert (done["drawn"], done["failed"]) == (4 * (6 + 3), [])  # three are in both prompt sets
    assert done["found"] == 5 * 12 - done["drawn"]
    alone(wanted, tmp_path / "single")
    many, single = ImageStore(tmp_path / "many/store"), ImageStore(tmp_path / "single")
    assert list(many) == list(single)
    for key in many:
        assert many.path(key).read_bytes() == single.path(key).read_bytes()


def test_afterwards_the_single_program_finds_everything_without_torch(
    base, encoded, loras, tmp_path
):
    wanted = jobs_of(base, encoded, [loras[:1]], tmp_path)
    together(wanted, tmp_path)
    job = wanted["jobs"][0]
    command = ["--spec", json.dumps(wanted["specs"]["heads"]), "--prompts", job["prompts"]]
    command += ["--adapter", *job["adapters"], "--store", str(tmp_path / "store")]
    program = "import sys, render; print(render.main(sys.argv[1:]), 'torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, *command, "--out", job["out"]],
        cwd=SCRIPTS,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "0 False", done.stderr
    assert "6 in the store, 0 drawn" in done.stderr
    again = together(wanted, tmp_path)
    assert (again["drawn"], again["found"], again["loads"]) == (0, 12, 0)


def test_after_each_adapter_the_weights_are_the_bases_to_the_last_bit(base, loras):
    transformer = load_transformer(base, "cpu")
    before = {name: value.clone() for name, value in transformer.state_dict().items()}
    places = {name: value.data_ptr() for name, value in transformer.named_parameters()}
    for files, weights in (([0], [1.0]), ([2], [1.0]), ([0, 1], [0.6, 1.2]), ([1], [1.0])):
        adapters = read_adapters([loras[number] for number in files], weights)
        remove_adapters = load_adapters(transformer, adapters)
        other = load_transformer(base, "cpu")
        apply_adapters(other, adapters, merge=True)
        assert torch.equal(tiny_base.answer(transformer), tiny_base.answer(other))
        # A recorded network counts on this.
        assert {name: v.data_ptr() for name, v in transformer.named_parameters()} == places
        remove_adapters()
        after = transformer.state_dict()
        assert after.keys() == before.keys()
        assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.long
def test_changing_adapters_compiles_nothing_anew(base, loras):
    transformer = load_transformer(base, "cpu")
    traced = []
    transformer.compile_repeated_blocks(backend=lambda graph, _: traced.append(1) or graph.forward)
    tiny_base.answer(transformer)
    count = len(traced)
    for lora in loras[:2]:
        remove_adapters = load_adapters(transformer, read_adapters([lora]))
        tiny_base.answer(transformer)
        remove_adapters()
    assert count and len(traced) == count
    torch._dynamo.reset()


def test_what_is_broken_does_not_stop_the_others(base, encoded, loras, tmp_path, capsys):
    from safetensors.torch import load_file, save_file

    broken, wide = tmp_path / "broken.safetensors", tmp_path / "wide.safetensors"
    broken.write_bytes(loras[0].read_bytes()[:-10])
    double = {
        k: torch.cat([v, v], -1) if "lora_A" in k else v for k, v in load_file(loras[0]).items()
    }
    save_file(double, wide)
    wanted = jobs_of(base, encoded, [[broken], [wide], loras[:1], loras[1:2]], tmp_path)
    wanted["jobs"][-1]["prompts"] = str(encoded["heads"])  # which lacks a prompt of parks
    with pytest.raises(KindredError, match=r"5 of 8 jobs failed: .*run-3/images/parks\.json"):
        together(wanted, tmp_path / "many")
    done = summary(tmp_path / "many")
    why = {failure["out"].removeprefix(str(tmp_path)): failure["why"] for failure in done["failed"]}
    assert "it is cut short" in why["/run-0/images/heads.json"]
    assert "wide.safetensors: does not fit this base" in why["/run-1/images/parks.json"]
    assert "lacks “JRussell in the park”" in why["/run-3/images/parks.json"]
    assert done["drawn"] == 6 + 3 + 6
    assert capsys.readouterr().err.count("failed: ") == 5 + 1 - 1
    sound = jobs_of(base, encoded, [loras[:1]], tmp_path)
    alone(sound, tmp_path / "single")
    many, single = ImageStore(tmp_path / "many/store"), ImageStore(tmp_path / "single")
    assert all(many.path(key).read_bytes() == single.path(key).read_bytes() for key in single)


def test_killed_in_the_middle_keeps_what_was_drawn(base, encoded, loras, tmp_path, monkeypatch):
    wanted = jobs_of(base, encoded, [loras[:1], loras[1:2]], tmp_path)
    saving, count = image_store.image_writer, iter(range(99))

    def dies(*arguments):
        if next(count) == 7:
            raise KeyboardInterrupt
        return saving(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(image_store, "image_writer", dies)
        with pytest.raises(KeyboardInterrupt):
            together(wanted, tmp_path)
    assert len(list(ImageStore(tmp_path / "store"))) == 7
    assert together(wanted, tmp_path)["drawn"] == 2 * (6 + 3) - 7


def test_more_at_once_come_in_even_batches_and_say_so(base, encoded, loras, tmp_path, monkeypatch):
    pictures = plan(spec_of(base, "heads"), [], "i")
    assert [even(pictures, n) for n in (1, 4, 5, 6, 64)] == [1, 3, 3, 6, 6]
    wanted = jobs_of(base, encoded, [loras[:1]], tmp_path)
    assert together(wanted, tmp_path, "--at-once", "64")["drawn"] == 9
    store = ImageStore(tmp_path / "store")
    assert {settings_of(store.path(key))["made_with"]["batch"] for key in store} == {6}
    monkeypatch.setenv(PICTURES_AT_ONCE, "5")
    together(wanted, tmp_path / "other")
    store = ImageStore(tmp_path / "other/store")
    assert {settings_of(store.path(key))["made_with"]["batch"] for key in store} == {3}


def test_adapters_that_are_not_merged_load_the_base_for_each(
    base, encoded, loras, tmp_path, monkeypatch
):
    loads, load = [], precision.load
    monkeypatch.setattr(precision, "load", lambda *a: loads.append(a) or load(*a))
    wanted = jobs_of(base, encoded, [loras[:1], [], loras[1:2]], tmp_path, merge=False)
    done = together(wanted, tmp_path / "many")
    assert len(loads) == done["loads"] == 3 and done["changes"] == 0
    alone(wanted, tmp_path / "single")
    many, single = ImageStore(tmp_path / "many/store"), ImageStore(tmp_path / "single")
    assert all(many.path(key).read_bytes() == single.path(key).read_bytes() for key in single)


def test_adapters_summed_and_kept_apart_are_each_what_they_are_alone(
    base, encoded, loras, tmp_path
):
    apart = {"apart": [["JRussell"], ["ARussell"]]}
    wanted = jobs_of(base, encoded, [loras[:2]], tmp_path, weights=[1, 1])
    also = jobs_of(base, encoded, [loras[:2]], tmp_path / "apart", weights=[1, 1], **apart)
    wanted["specs"] |= {f"{name}-apart": spec for name, spec in also["specs"].items()}
    wanted["jobs"] += [job | {"spec": f"{job['spec']}-apart"} for job in also["jobs"]]
    done = together(wanted, tmp_path / "many")
    assert (done["failed"], done["loads"]) == ([], 2)
    alone(wanted, tmp_path / "single")
    many, single = ImageStore(tmp_path / "many/store"), ImageStore(tmp_path / "single")
    assert list(many) == list(single) and len(list(many)) == 18
    for key in many:
        assert many.path(key).read_bytes() == single.path(key).read_bytes()


def test_how_many_at_once_is_a_setting_of_the_machine():
    assert DeviceConfig(pictures_at_once=84).environment() == {PICTURES_AT_ONCE: "84"}
    assert DeviceConfig().environment() == {}


def test_weights_come_from_the_specification(base, encoded, loras, tmp_path):
    wanted = jobs_of(base, encoded, [loras[:2]], tmp_path, weights=[0.5, 1.5])
    together(wanted, tmp_path)
    (manifest, _) = alone(wanted, tmp_path / "store")
    assert [adapter["weight"] for adapter in manifest.adapters] == [0.5, 1.5]


def test_a_job_of_an_unknown_specification_is_refused(base, encoded, tmp_path):
    wanted = jobs_of(base, encoded, [[]], tmp_path)
    wanted["jobs"][0]["spec"] = "others"
    with pytest.raises(ProblemsError, match="jobs name specs that are not there: others"):
        together(wanted, tmp_path)
