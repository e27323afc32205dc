"""Graphs for ComfyUI: every architecture has one, links hold together, both forms say the same."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

from kindred.models import architectures
from kindred.models.architectures import comfyui
from kindred.models.architectures.noise_levels import schedule
from kindred.specs.comfyui import ComfyFiles, ComfyPicture

ROOT = Path(__file__).parents[3]
BASES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "config" / "bases").glob("*.yaml"))
}
FULL_SIZE = {
    name: base
    for name, base in BASES.items()
    if not base["model"].startswith(("lab/", "resources/"))
}
PICTURE = ComfyPicture(
    loras={"ours.safetensors": 0.8, "more.safetensors": 1.0},
    prompt="JRussell in the snow",
    width=1344,
    height=768,
    steps=28,
    guidance_scale=3.5,
    seed=7,
)


def graph_of(name: str, **changes) -> comfyui.ComfyGraph:
    base = FULL_SIZE[name]
    architecture = next(one for one in architectures.every() if one.name == base["architecture"])
    picture = PICTURE.model_copy(update=changes)
    cfg = architecture.cfg_scale(picture.guidance_scale)
    return comfyui.graph(architecture.comfyui, ComfyFiles(**base["comfyui"]), picture, cfg)


def types(graph: comfyui.ComfyGraph) -> list[str]:
    return [one["class_type"] for one in graph.api().values()]


def widgets(graph: comfyui.ComfyGraph, kind: str) -> dict:
    return next(one["inputs"] for one in graph.api().values() if one["class_type"] == kind)


def test_every_base_that_is_fetched_says_its_files_and_has_nodes():
    assert all(one.comfyui for one in architectures.every())
    assert FULL_SIZE and all("comfyui" in base for base in FULL_SIZE.values())


@pytest.mark.parametrize("name", FULL_SIZE)
def test_links_lead_to_what_gives_that_kind_and_reach_the_saved_picture(name):
    graph = graph_of(name)
    api, flow = graph.api(), graph.workflow()
    gives = {node["id"]: [out["type"] for out in node["outputs"]] for node in flow["nodes"]}
    ids = [link[0] for link in flow["links"]]
    assert len(ids) == len(set(ids)) == flow["last_link_id"]
    for link, source, _, target, slot, kind in flow["links"]:
        assert source < target and gives[source] == [kind]
        into = flow["nodes"][target - 1]["inputs"][slot]
        assert (into["link"], into["type"]) == (link, kind)
        assert api[str(target)]["inputs"][into["name"]] == [str(source), 0]
    used = {source for _, source, *_ in flow["links"]}
    assert used | {len(flow["nodes"])} == set(gives)  # nothing hangs loose but what saves
    assert flow["nodes"][-1]["type"] == "SaveImage"


@pytest.mark.parametrize("name", FULL_SIZE)
def test_both_loras_size_steps_seed_and_words_are_in_it(name):
    graph = graph_of(name)
    loras = [one["inputs"] for one in graph.api().values() if "Lora" in one["class_type"]]
    assert {one["lora_name"]: one["strength_model"] for one in loras} == PICTURE.loras
    said = str(graph.api())
    assert all(str(value) in said for value in (1344, 768, 28, "JRussell in the snow"))
    assert f"'seed': {PICTURE.seed}" in said or f"'noise_seed': {PICTURE.seed}" in said


def test_guidance_goes_where_each_base_takes_it():
    flux = graph_of("flux-dev-nf4")
    assert widgets(flux, "FluxGuidance")["guidance"] == 3.5
    assert widgets(flux, "KSampler")["cfg"] == 1.0 and "ModelSamplingFlux" in types(flux)
    assert "ModelSamplingFlux" not in types(graph_of("flux-schnell"))
    assert widgets(graph_of("klein-4b"), "CFGGuider")["cfg"] == 3.5
    assert widgets(graph_of("krea-2"), "KSampler")["cfg"] == 4.5  # g times the difference on top
    turbo = graph_of("z-image-turbo", guidance_scale=0.0)
    assert widgets(turbo, "KSampler")["cfg"] == 1.0 and "ConditioningZeroOut" in types(turbo)
    assert widgets(turbo, "ModelSamplingAuraFlow")["shift"] == 3.0
    assert "ModelSamplingFlux" not in types(graph_of("krea-2-turbo", guidance_scale=0.0))


SCHEDULERS = {  # as published in scheduler/, where it says more than its class does
    "z-image": {"shift": 6.0},
    "z-image-turbo": {"shift": 3.0},
    "flux-dev": {"use_dynamic_shifting": True},
    "flux-schnell": {"shift": 1.0},
    "krea-2": {"use_dynamic_shifting": True, "max_image_seq_len": 6400},
}
KNOWN = {"flux1": 0.0, "krea2": 1.15}  # mu, where no node gives it: ComfyUI's supported_models.py


def levels_in_comfyui(name: str, graph: comfyui.ComfyGraph, steps: int) -> list[float]:
    """What its scheduler `simple` gives: every so manieth of a table of noise levels."""
    kinds = types(graph)
    if "ModelSamplingAuraFlow" in kinds:
        rows, shift = 1000, widgets(graph, "ModelSamplingAuraFlow")["shift"]
    elif "ModelSamplingFlux" in kinds:
        told = widgets(graph, "ModelSamplingFlux")
        tokens = told["width"] * told["height"] / 256
        line = (told["max_shift"] - told["base_shift"]) * (tokens - 256) / (4096 - 256)
        rows, shift = 10000, math.exp(told["base_shift"] + line)
    else:
        rows, shift = 1000, math.exp(KNOWN[FULL_SIZE[name]["architecture"]])
    even = [(rows - int(step * rows / steps)) / rows for step in range(steps)]
    return [*(shift * level / (1 + (shift - 1) * level) for level in even), 0.0]


@pytest.mark.parametrize("name", [name for name in FULL_SIZE if not name.startswith("klein")])
@pytest.mark.parametrize("size", [(1344, 768), (512, 512), (1024, 1536)])
def test_noise_levels_are_those_that_kindred_draws_by(name, size):
    base, (width, height), steps = FULL_SIZE[name], size, 28
    architecture = next(one for one in architectures.every() if one.name == base["architecture"])
    known = max((one for one in SCHEDULERS if name.startswith(one)), key=len)
    index = {"is_distilled": name.startswith("krea-2-turbo")}
    factor = architecture.shift(SCHEDULERS[known], width * height // 256, steps, index)
    graph = graph_of(name, width=width, height=height, steps=steps)
    theirs, ours = levels_in_comfyui(name, graph, steps), schedule(factor, steps)
    # A row of the table is what it can be wrong by, times the curve's steepest slope.
    assert max(abs(a - b) for a, b in zip(theirs, ours, strict=True)) < 0.005


def test_a_negative_prompt_is_read_where_there_is_a_second_pass():
    graph = graph_of("klein-4b", negative="a crowd")
    texts = [one["inputs"]["text"] for one in graph.api().values() if "text" in one["inputs"]]
    assert texts == ["JRussell in the snow", "a crowd"]


def test_parentheses_stay_words_where_comfyui_would_weigh_what_is_in_them():
    said = "JRussell (left), CAmitas (right)"
    flux, klein = (graph_of(name, prompt=said) for name in ("flux-dev-nf4", "klein-4b"))
    assert widgets(flux, "CLIPTextEncode")["text"] == r"JRussell \(left\), CAmitas \(right\)"
    assert widgets(klein, "CLIPTextEncode")["text"] == said


def test_widgets_stand_in_the_order_that_nodes_declare_them():
    nodes = {one["type"]: one for one in graph_of("flux-dev-nf4").workflow()["nodes"]}
    told = nodes["KSampler"]["widgets_values"]
    assert told == [7, "fixed", 28, 1.0, "euler", "simple", 1.0]
    assert nodes["DualCLIPLoader"]["widgets_values"][2:] == ["flux", "default"]
    assert nodes["EmptySD3LatentImage"]["widgets_values"] == [1344, 768, 1]
