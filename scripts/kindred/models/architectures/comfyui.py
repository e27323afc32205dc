"""A picture as a graph of ComfyUI's nodes: what its server runs, and what its canvas opens.

Knows which nodes draw with which base. Names of nodes and inputs are those of ComfyUI 0.33.0
(commit 783545f of August 2026), which ran graphs of all four architectures with random weights. Its
noise is another one, so a seed gives another picture there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kindred.specs.comfyui import ComfyFiles, ComfyPicture

# What a node gives; a node that is not here gives nothing.
GIVES = {
    "UNETLoader": "MODEL",
    "LoraLoaderModelOnly": "MODEL",
    "ModelSamplingFlux": "MODEL",
    "ModelSamplingAuraFlow": "MODEL",
    "CLIPLoader": "CLIP",
    "DualCLIPLoader": "CLIP",
    "VAELoader": "VAE",
    "CLIPTextEncode": "CONDITIONING",
    "ConditioningZeroOut": "CONDITIONING",
    "FluxGuidance": "CONDITIONING",
    "EmptyLatentImage": "LATENT",
    "EmptySD3LatentImage": "LATENT",
    "EmptyFlux2LatentImage": "LATENT",
    "KSampler": "LATENT",
    "RandomNoise": "NOISE",
    "KSamplerSelect": "SAMPLER",
    "CFGGuider": "GUIDER",
    "Flux2Scheduler": "SIGMAS",
    "SamplerCustomAdvanced": "LATENT",
    "VAEDecode": "IMAGE",
}
SEEDS = ("seed", "noise_seed")  # widgets with one more behind them: what becomes of the number
KEPT = "fixed"
COLUMN, ROW = 360, 190  # px on the canvas
CFG_OFF = 1.0
FORMAT = 0.4  # of a workflow's JSON


@dataclass(frozen=True)
class ComfyNodes:
    """Which nodes draw with an architecture's bases.

    encoder: the `type` of the loader of text encoders. latent: the node of the empty picture.
    embedded_guidance: the scale goes into the network, so that there is no second pass. mu_by_size:
    where noise levels follow the picture's size, mu at 256 and at 4096 tokens, between which
    ModelSamplingFlux draws its line. shift: the factor of a base that has its own at every size and
    whose file doesn't say it. Both None: ComfyUI knows it by itself. own_scheduler: a node that
    gives noise levels by steps and size; None: KSampler. weighs_words: whether words in parentheses
    count more there, unless a backslash stands before these.
    """

    encoder: str
    latent: str
    embedded_guidance: bool = False
    mu_by_size: tuple[float, float] | None = None
    shift: float | None = None
    own_scheduler: str | None = None
    weighs_words: bool = False

    def words(self, text: str) -> str:
        """A text so written that every sign of it is read as words."""
        return re.sub(r"([()])", r"\\\1", text) if self.weighs_words else text


@dataclass(frozen=True)
class Output:
    """What a node gives."""

    node: int
    kind: str


@dataclass(frozen=True)
class Node:
    """One node: its widgets and its links in the order in which it declares them."""

    type: str
    inputs: Mapping[str, Any]
    column: int


@dataclass
class ComfyGraph:
    """Nodes in the order in which they can run; node n is the n-th, from 1."""

    nodes: list[Node] = field(default_factory=list)

    def add(self, node: str, /, **inputs: Any) -> Output:
        """One more node; an `Output` among its inputs is a link."""
        before = [one.node for one in inputs.values() if isinstance(one, Output)]
        column = max((self.nodes[n - 1].column + 1 for n in before), default=0)
        self.nodes.append(Node(node, inputs, column))
        return Output(len(self.nodes), GIVES.get(node, ""))

    def api(self) -> dict[str, Any]:
        """What ComfyUI's server takes at /prompt, and what its menu calls 'Export (API)'."""
        return {
            str(number): {
                "class_type": node.type,
                "inputs": {
                    name: [str(one.node), 0] if isinstance(one, Output) else one
                    for name, one in node.inputs.items()
                },
                "_meta": {"title": node.type},
            }
            for number, node in enumerate(self.nodes, 1)
        }

    def workflow(self) -> dict[str, Any]:
        """What ComfyUI's canvas opens."""
        links = [
            [(one.node, one.kind), (number, slot)]
            for number, node in enumerate(self.nodes, 1)
            for slot, one in enumerate(x for x in node.inputs.values() if isinstance(x, Output))
        ]
        told = [
            [n, source, 0, target, slot, kind]
            for n, ((source, kind), (target, slot)) in enumerate(links, 1)
        ]
        rows: dict[int, int] = {}
        nodes = []
        for number, node in enumerate(self.nodes, 1):
            rows[node.column] = rows.get(node.column, -1) + 1
            place = [COLUMN * node.column, ROW * rows[node.column]]
            nodes.append(_on_canvas(number, node, place, told))
        return {
            "last_node_id": len(nodes),
            "last_link_id": len(told),
            "nodes": nodes,
            "links": told,
            "groups": [],
            "config": {},
            "extra": {},
            "version": FORMAT,
        }


def _on_canvas(number: int, node: Node, place: list[int], links: list[list[Any]]) -> dict[str, Any]:
    """A node as a workflow has it."""
    into = {slot: link for link, _, _, target, slot, _ in links if target == number}
    out = [link for link, source, *_ in links if source == number]
    linked = [(name, one) for name, one in node.inputs.items() if isinstance(one, Output)]
    widgets: list[Any] = []
    for name, one in node.inputs.items():
        if not isinstance(one, Output):
            widgets += [one, KEPT] if name in SEEDS else [one]
    kind = GIVES.get(node.type)
    return {
        "id": number,
        "type": node.type,
        "pos": place,
        "size": [COLUMN - 60, ROW - 50],
        "flags": {},
        "order": number - 1,
        "mode": 0,
        "inputs": [
            {"name": name, "type": one.kind, "link": into[slot]}
            for slot, (name, one) in enumerate(linked)
        ],
        "outputs": [{"name": kind, "type": kind, "links": out, "slot_index": 0}] if kind else [],
        "properties": {"Node name for S&R": node.type},
        "widgets_values": widgets,
    }


def graph(nodes: ComfyNodes, files: ComfyFiles, picture: ComfyPicture, cfg: float) -> ComfyGraph:
    """The graph that draws a picture. cfg: the s of `negative + s * (prompt - negative)`; 1 where
    there is no second pass."""
    made = ComfyGraph()
    size = {"width": picture.width, "height": picture.height}
    model = made.add("UNETLoader", unet_name=files.diffusion_model, weight_dtype="default")
    for name, weight in picture.loras.items():
        model = made.add("LoraLoaderModelOnly", model=model, lora_name=name, strength_model=weight)
    model = _shifted(made, nodes, files, model, size)
    encoder = _encoder(made, nodes, files)
    prompt = made.add("CLIPTextEncode", clip=encoder, text=nodes.words(picture.prompt))
    second = cfg != CFG_OFF and not nodes.embedded_guidance
    if second:
        negative = made.add("CLIPTextEncode", clip=encoder, text=nodes.words(picture.negative))
    else:
        negative = made.add("ConditioningZeroOut", conditioning=prompt)
    if nodes.embedded_guidance:
        prompt = made.add("FluxGuidance", conditioning=prompt, guidance=picture.guidance_scale)
    latent = made.add(nodes.latent, **size, batch_size=1)
    conditioned = {"model": model, "positive": prompt, "negative": negative}
    scale = cfg if second else CFG_OFF
    sample = _by_own_scheduler if nodes.own_scheduler else _by_ksampler
    drawn = sample(made, nodes, picture, conditioned, scale, latent)
    vae = made.add("VAELoader", vae_name=files.vae)
    image = made.add("VAEDecode", samples=drawn, vae=vae)
    made.add("SaveImage", images=image, filename_prefix="kindred")
    return made


def _shifted(
    made: ComfyGraph, nodes: ComfyNodes, files: ComfyFiles, model: Output, size: Mapping[str, int]
) -> Output:
    if nodes.mu_by_size and files.shift_by_size:
        low, high = nodes.mu_by_size
        return made.add("ModelSamplingFlux", model=model, max_shift=high, base_shift=low, **size)
    if nodes.shift is None:
        return model
    return made.add("ModelSamplingAuraFlow", model=model, shift=files.shift or nodes.shift)


def _encoder(made: ComfyGraph, nodes: ComfyNodes, files: ComfyFiles) -> Output:
    names = files.text_encoders
    given = {f"clip_name{n if len(names) > 1 else ''}": name for n, name in enumerate(names, 1)}
    loader = "DualCLIPLoader" if len(names) > 1 else "CLIPLoader"
    return made.add(loader, **given, type=nodes.encoder, device="default")


def _by_ksampler(
    made: ComfyGraph,
    nodes: ComfyNodes,
    picture: ComfyPicture,
    conditioned: Mapping[str, Output],
    scale: float,
    latent: Output,
) -> Output:
    told = {"seed": picture.seed, "steps": picture.steps, "cfg": scale}
    how = {"sampler_name": "euler", "scheduler": "simple"}
    return made.add("KSampler", **conditioned, latent_image=latent, **told, **how, denoise=1.0)


def _by_own_scheduler(
    made: ComfyGraph,
    nodes: ComfyNodes,
    picture: ComfyPicture,
    conditioned: Mapping[str, Output],
    scale: float,
    latent: Output,
) -> Output:
    size = {"width": picture.width, "height": picture.height}
    assert nodes.own_scheduler is not None
    return made.add(
        "SamplerCustomAdvanced",
        noise=made.add("RandomNoise", noise_seed=picture.seed),
        guider=made.add("CFGGuider", **conditioned, cfg=scale),
        sampler=made.add("KSamplerSelect", sampler_name="euler"),
        sigmas=made.add(nodes.own_scheduler, steps=picture.steps, **size),
        latent_image=latent,
    )
