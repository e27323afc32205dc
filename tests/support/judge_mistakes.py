"""Judges, bases and the lab's programs whose models or files are not there or not as they should
be.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

import huggingface_hub
import numpy as np
import pytest
import tiny_base
import tiny_judge
import tiny_onnx
import tiny_vision
import torch
from huggingface_hub import errors as hub
from mistakes import Action, Mistake, cut, of_value, safetensors, write
from transformers import AutoModel

import lab_identity_corpus
import lab_train_captioner
from kindred.benchmarking import diffusers_reference
from kindred.common.hashing import caption_hash
from kindred.data import encoding_cache
from kindred.judges import (
    cascaded_detector,
    finite_answers,
    lab_networks,
    model_files,
    open_judge,
    pretrained_vision,
)
from kindred.judges.cascaded_detector import CascadedDetector
from kindred.judges.interface import DetectedPerson
from kindred.judges.lab_judge import LabJudge
from kindred.judges.person_detector import PersonDetector
from kindred.lab import acceptance, base_acceptance, judge_dataset, judge_run
from kindred.models import identity, loading, training_adapter
from kindred.models.architectures.flux1 import layer_shapes as flux1_layers
from kindred.models.architectures.krea2.text_encoder import template_ids
from kindred.models.architectures.noise_levels import check_scheduler
from kindred.models.opened_base import open_base
from kindred.rendering import prompt_embeddings
from kindred.rendering.image_plan import ImageRequest
from kindred.specs.base_model import Base
from kindred.specs.judge import JudgeSpec, PretrainedModel
from kindred.world.people import random_person

CPU = torch.device("cpu")
HEADS = {"num_layers": 0, "num_single_layers": 0, "attention_head_dim": 16,
         "num_attention_heads": 2, "joint_attention_dim": 32, "pooled_projection_dim": 24,
         "in_channels": 64}  # fmt: skip
ANSWER = SimpleNamespace(headers={}, request=None)  # all that the hub's errors read of it


# Judges
def imported(module: str, lacking: str | None) -> Action:
    """A judge's module imported, anew where a package is not there."""

    def run(_: Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            name = f"kindred.judges.{module}"
            if lacking:
                patch.setitem(sys.modules, lacking, None)
                patch.delitem(sys.modules, name, raising=False)
            importlib.import_module(name)
        return None

    return run


class _NoModels:
    """insightface's analysis of a folder that holds no detector."""

    def __init__(self, *_: object, **__: object) -> None:
        raise AssertionError


def insight(model: str | None) -> object:
    """insightface's judge, opened where only the package is there."""
    name, package, app = "kindred.judges.insight_faces", *map(ModuleType, ("insightface", "app"))
    app.FaceAnalysis = _NoModels
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "insightface", package)
        patch.setitem(sys.modules, "insightface.app", app)
        patch.delitem(sys.modules, name, raising=False)
        try:
            return importlib.import_module(name).InsightFaces.open(model)
        finally:
            sys.modules.pop(name, None)


def opencv(root: Path, detector: bytes | None) -> object:
    """OpenCV's judge, with a small detector or with this in its place."""
    paths = {"detector": tiny_onnx.detector(root / "detector.onnx")}
    paths["recogniser"] = tiny_onnx.descriptor(root / "recogniser.onnx")
    if detector:
        write(paths["detector"], detector)
    return open_judge(JudgeSpec(kind="yunet-sface", files={k: str(v) for k, v in paths.items()}))


def cascade(root: Path, content: bytes | None) -> object:
    """One of MTCNN's networks, or a file with this in its place."""
    path = tiny_onnx.detector(root / "network.onnx")
    if content:
        write(path, content)
    return CascadedDetector(dict.fromkeys(cascaded_detector.PARTS, path), 0.7)


def judge(root: Path, **options: object) -> object:
    """The lab's judge, opened."""
    folder = root / "judge"
    if not folder.exists():
        tiny_judge.build(folder)
    LabJudge.open(JudgeSpec(kind="lab", model=str(folder), **options))
    return None


def without(root: Path, change: Action) -> object:
    """The lab's judge, opened after a change of its folder."""
    change(tiny_judge.build(root / "judge"))
    return judge(root)


def weights(root: Path, damaged: bool) -> object:
    """A judge with a weight of another name, or as it was saved."""
    folder = tiny_judge.build(root / "judge")
    if damaged:
        safetensors(folder / "model.safetensors", {"other": torch.ones(1)})
    lab_networks.load_judge(folder)
    return None


def person(place: float = 1.0, face: float = 1.0) -> list[list[DetectedPerson]]:
    box = (place, 1.0, 2.0, 2.0)
    return [[DetectedPerson(box, box, 0.9, np.array([face, 0.0]))]]


def detector(label: str) -> object:
    config = SimpleNamespace(id2label={0: label, 1: "dog"})
    vision = SimpleNamespace(model=SimpleNamespace(config=config), identity="m@1")
    PersonDetector(vision)
    return None


def vision(root: Path, kinds: Sequence[str], there: bool = True) -> object:
    """A small model that looks at pictures, loaded as one of some kinds."""
    folder = root / "dino"
    if there and not folder.exists():
        tiny_vision.dinov2(folder)
    pretrained_vision.load(PretrainedModel(model=str(folder)), AutoModel, kinds, "similarity")
    return None


# The lab
def measured(root: Path, there: bool) -> object:
    """Acceptance begun: whether the lab's models are there."""
    for part in ("base/transformer", "judge"):
        if there:
            (root / part).mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acceptance, "pick_device", lambda _: CPU)
        patch.setattr(acceptance.LabDetector, "load", lambda *_: None)
        patch.setattr(acceptance, "SampleRenderer", lambda *_: None)
        for gates in ("vae_gates", "judge_gate_list", "caption_gates", "name_gates"):
            patch.setattr(acceptance, gates, lambda *_: [])
        patch.setattr(acceptance, "speed_gate", lambda _: None)
        acceptance.measure(acceptance.Acceptance(base=root / "base", judge=root / "judge"))
    return None


def faces(calibration: dict[str, float]) -> object:
    """The faces that an acceptance test compares with, none of which is found."""
    config = SimpleNamespace(calibration=calibration, embedding=2)
    seen = SimpleNamespace(people=[])
    finder = SimpleNamespace(config=config, look=lambda drawings: [seen] * len(drawings))
    base_acceptance.Faces(finder, [random_person(Random(1))], 1)
    return None


def bank(root: Path, name: str | None) -> object:
    """The identity shards of a folder, found."""
    if name:
        write(root / name, b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge_dataset, "_labels_only", _stopped)
        try:
            judge_dataset.load_bank(None, root, CPU, 1)
        except _Found:
            return None
    return None


def general(root: Path, name: str | None) -> object:
    if name:
        write(root / name, b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge_dataset, "_labels_only", lambda _: [1])
        judge_dataset.choose_general(root, 1)
    return None


class _Found(Exception):
    """What was asked for is there."""


def _stopped(*_: object, **__: object) -> Any:
    raise _Found


def trained(root: Path, steps: int) -> object:
    """The judge's training begun."""
    run = judge_run.JudgeRun(root, root, root, steps=steps, batch=8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge_run, "ProcessPoolExecutor", _stopped)
        try:
            judge_run.train_and_measure(run)
        except _Found:
            return None
    return None


def autoencoder(root: Path, there: bool) -> object:
    if there:
        tiny_base._vae().save_pretrained(root)
    judge_run.load_vae(root, CPU)
    return None


def program(module: Any, stop: str, *words: str) -> Action:
    """A program of the lab with these words; it ends where its work begins."""

    def run(root: Path) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, stop, _stopped)
            try:
                module.main([*words, "--out", str(root / "out")])
            except _Found:
                return None
        return None

    return run


# Bases
def hub_says(error: Exception | None, model: str = "owner/name") -> object:
    """A part of a base that is fetched where the hub answers like this."""

    def answer(*_: object, **__: object) -> str:
        if error:
            raise error
        return "."

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub, "snapshot_download", answer)
        loading._folder(Base(model=model, revision="abc", architecture="flux1"), "vae")
    return None


def adapter_fetched(error: Exception | None) -> object:
    """A training adapter that is fetched where the hub answers like this."""

    def answer(*_: object, **__: object) -> str:
        if error:
            raise error
        return "."

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub, "hf_hub_download", answer)
        name = "nobody/nothing/adapter.safetensors"
        training_adapter.fetched_file(Base(model="owner/name", training_adapter=name))
    return None


def gone(root: Path, there: bool) -> object:
    """A tokenizer of a base's folder that has it, or has not."""
    base = root / "base"
    base.mkdir(exist_ok=True)
    if there:
        tiny_base.build(base)
    spec = Base(model=str(base), dtype="float32", architecture="flux1").text_encoder()
    loading.load_text_part(spec, "tokenizer", "cpu")
    return None


def network(root: Path, config: str | None) -> object:
    """A transformer loaded, with another config.json."""
    base = tiny_base.build(root / "base")
    if config:
        write(base / "transformer/config.json", config)
    loading.load_transformer(Base(model=str(base), dtype="float32"), "cpu")
    return None


def small_config(root: Path, there: bool) -> object:
    write(root / "transformer/config.json", "{}" if there else None)
    return open_base(Base(model=str(root), architecture="flux1")).config and None


def required(root: Path, there: bool) -> object:
    (root / "other").mkdir(exist_ok=True)
    if there:
        (root / "vae").mkdir()
    identity.identity(str(root), None, ["vae"])
    return None


def prompts(root: Path, encoder: str, *texts: str) -> object:
    """Encoded texts read for the prompt 'x' on a base."""
    base = Base(model="owner/name", revision="abc", architecture="flux1")
    about = encoding_cache.texts_fingerprint(base.text_encoder()) | {"encoder": encoder}
    named = {f"{caption_hash(text)}.{name}": torch.ones(1)
             for text in texts for name in ("t5", "clip")}  # fmt: skip
    path = safetensors(root / "t.safetensors", named, **{encoding_cache.ABOUT: json.dumps(about)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding_cache, "text_hashes", lambda _: {caption_hash(t) for t in texts})
        patch.setattr(encoding_cache, "read_texts", lambda *_: {})
        prompt_embeddings.read_texts(path, ["x"], base)
    return None


def negative(root: Path, scale: float) -> object:
    """Texts for a picture with a negative prompt, at a guidance scale, on a base of klein."""
    base = root / "klein"
    write(base / "model_index.json", '{"_class_name": "Flux2KleinPipeline"}')
    write(base / "transformer/config.json", "{}")
    opened = open_base(Base(model=str(base)))
    settings = {"prompt": "x", "negative": "y", "guidance": scale}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prompt_embeddings, "read_texts", lambda *_: {})
        prompt_embeddings.texts_of("", [ImageRequest("x", 1, settings, "")], opened)
    return None


IDENTITY = identity.identity_of(
    Base(model="owner/name", revision="abc", architecture="flux1").text_encoder(), "text"
)
SCRIPT = diffusers_reference.SCRIPTS["klein"].path
NAN = float("nan")


def one_token(_: str) -> SimpleNamespace:
    """A tokenizer that reads one token, whatever the text."""
    return SimpleNamespace(input_ids=[7])


FROM = ("--work", "work", "--corpus", "x")
MISTAKES = [
    # Judges
    Mistake("the photo judge needs the package 'dlib-bin'", imported("dlib_faces", "dlib"),
            imported("dlib_faces", None)),
    Mistake("the photo judge needs the package 'opencv-python",
            imported("cascaded_detector", "cv2"),
            imported("cascaded_detector", None)),
    Mistake("can't read this model", lambda root: cascade(root, b"x"),
            lambda root: cascade(root, None)),
    Mistake("the yunet-sface judge needs OpenCV", imported("opencv_faces", "cv2"),
            imported("opencv_faces", None)),
    Mistake("the insightface judge needs the packages insightface",
            imported("insight_faces", "insightface"), None),
    Mistake("the insightface judge needs the folder of an unpacked", lambda _: insight(None), None),
    Mistake("contains no insightface model for", lambda root: insight(str(root)), None),
    Mistake("can't read this model", lambda root: opencv(root, b"x"),
            lambda root: opencv(root, None)),
    Mistake("the lab's judge has its own", lambda root: judge(root, files={"model": "x"}), judge),
    Mistake("no model in", lambda root: without(
                root, lambda folder: (folder / "model.safetensors").unlink()),
            lambda root: without(root, lambda _: None)),
    Mistake("can't be read (", lambda root: without(
                root, lambda folder: cut(folder / "model.safetensors")),
            lambda root: without(root, lambda _: None)),
    Mistake("the weights don't fit config.json", lambda root: weights(root, True),
            lambda root: weights(root, False)),
    of_value("the package 'no_such_package' is not installed",
             lambda name: bool(model_files.package_folder(name)), "no_such_package", "kindred"),
    of_value("the position or score of a person is not a number",
             lambda place: finite_answers.check_people(person(place), ["a.png"]), NAN, 1.0),
    of_value("the vector of a face is not a number",
             lambda face: finite_answers.check_people(person(face=face), ["a.png"]), NAN, 1.0),
    of_value("the vector of the whole picture is not a number",
             lambda one: finite_answers.check_vectors(np.array([[one]]), ["a.png"]), NAN, 1.0),
    of_value("the score for how well it shows its prompt is not a number",
             lambda one: finite_answers.check_adherence([one], ["a.png"]), NAN, 1.0),
    of_value("m@1 does not know 'person', only cat", detector, "cat", "person"),
    Mistake("is a 'dinov2' model", lambda root: vision(root, ["yolos"]),
            lambda root: vision(root, ["dinov2"])),
    Mistake("can't be loaded (", lambda root: vision(root, [], False),
            lambda root: vision(root, [])),
    # The lab
    Mistake("is missing", lambda root: measured(root, False), lambda root: measured(root, True)),
    of_value("the judge was never calibrated", faces, {}, {"stranger": 0.0, "same": 0.8}),
    Mistake("no identity shards", lambda root: bank(root, None),
            lambda root: bank(root, "identities-0.npz")),
    Mistake("no corpus shards", lambda root: general(root, None),
            lambda root: general(root, "a.npz")),
    Mistake("these are too few", lambda root: trained(root, 2), lambda root: trained(root, 3)),
    Mistake("contains no AutoencoderKL", lambda root: autoencoder(root, False),
            lambda root: autoencoder(root, True)),
    Mistake("make no whole shard",
            program(lab_identity_corpus, "draw_corpus", "--shard", "3"),
            program(lab_identity_corpus, "draw_corpus", "--shard", "2")),
    Mistake("no drawings to train on", program(lab_train_captioner, "load_bank", *FROM[:2]),
            program(lab_train_captioner, "load_bank", *FROM)),
    Mistake("doesn't fit the network's heads",
            program(lab_train_captioner, "load_bank", *FROM, "--width", "50"),
            program(lab_train_captioner, "load_bank", *FROM, "--width", "48")),
    Mistake(f"has no {SCRIPT}", lambda root: bool(diffusers_reference.script_of(root, "klein-4b")),
            lambda root: bool(diffusers_reference.script_of(
                write(root / SCRIPT, "").parents[SCRIPT.count("/")], "klein-4b"))),
    Mistake("no diffusers script for krea-2",
            lambda root: bool(diffusers_reference.script_of(root, "krea-2")),
            lambda root: bool(diffusers_reference.script_of(
                write(root / SCRIPT, "").parents[SCRIPT.count("/")], "klein-4b"))),
    # Bases
    of_value("not a Flux transformer", lambda told: bool(flux1_layers.layout(told)), {}, HEADS),
    of_value("the template around every text into 1 and 1 tokens",
             lambda lengths: bool(template_ids(one_token, ("", ""), lengths)), [34, 5], [1, 1]),
    of_value("its scheduler asks for use_karras_sigmas",
             lambda value: check_scheduler({"use_karras_sigmas": value}, "base x"), True, False),
    Mistake("has no folder 'vae'", lambda root: required(root, False),
            lambda root: required(root, True)),
    Mistake("has no folder 'tokenizer', but a base", lambda root: gone(root, False),
            lambda root: gone(root, True)),
    Mistake("can't be read (", lambda root: network(root, "no json"),
            lambda root: network(root, None)),
    Mistake("its transformer/config.json can't be read", lambda root: small_config(root, False),
            lambda root: small_config(root, True)),
    of_value("nf4 needs a CUDA GPU, but this run is on the",
             lambda kind: kind and loading.load_transformer(
                 Base(model="./x", architecture="flux1", quantization=kind), "cpu"), "nf4", None),
    of_value("you must accept its licence", hub_says, hub.GatedRepoError("x", response=ANSWER),
             None),
    of_value("the repository has no such revision", hub_says,
             hub.RevisionNotFoundError("x", response=ANSWER), None),
    of_value("neither a folder here nor a repository that you can read", hub_says,
             hub.RepositoryNotFoundError("x", response=ANSWER), None),
    of_value("is not a file here, and the download failed", adapter_fetched,
             hub.LocalEntryNotFoundError("x"), None),
    of_value("is not a folder here, and the download failed", hub_says,
             hub.LocalEntryNotFoundError("x"), None),
    of_value("no such folder",
             lambda model: hub_says(hub.LocalEntryNotFoundError("x"), model), "a/b/c", "/"),
    # Encoded prompts
    Mistake("made by another text encoder (", lambda root: prompts(root, "other", "", "x"),
            lambda root: prompts(root, IDENTITY, "", "x")),
    Mistake("has a negative prompt, which", lambda root: negative(root, 1.0),
            lambda root: negative(root, 4.0)),
    Mistake("lacks “x”", lambda root: prompts(root, IDENTITY, ""),
            lambda root: prompts(root, IDENTITY, "", "x")),
]  # fmt: skip
