"""CLIP, SigLIP, DINOv2, YOLOS and DETR of transformers' own classes with random weights, for tests:
their answers mean nothing, but differ from picture to picture and are the same each time. The
detectors alone are told what to say."""

from __future__ import annotations

import json
from pathlib import Path

import sentencepiece
import torch
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTokenizer,
    DetrConfig,
    DetrForSegmentation,
    Dinov2Config,
    Dinov2Model,
    PreTrainedModel,
    ResNetConfig,
    SiglipConfig,
    SiglipModel,
    YolosConfig,
    YolosForObjectDetection,
)

SIDE = 32  # px
LAYERS = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_hidden_layers": 1,
    "initializer_range": 1.0,
}
TEXT = "a man, a woman and a girl in the snow at the beach with a red hat, a blue hat"
BOX = (0.25, 0.5, 0.3, 0.8)  # what the detector says of every picture: centre, width, height
TOKENS = 12


def clip(path: Path) -> Path:
    """A CLIP folder."""
    pieces = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz,."]
    pieces += [f"{piece}</w>" for piece in pieces[2:]]
    config = CLIPConfig(
        vision_config={**LAYERS, "image_size": SIDE, "patch_size": 8},
        text_config={
            **LAYERS,
            "vocab_size": len(pieces),
            "max_position_embeddings": TOKENS,
            "bos_token_id": 0,
            "eos_token_id": 1,
            "pad_token_id": 1,
        },
        projection_dim=8,
    )
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    CLIPTokenizer(vocab=vocabulary, merges=[]).save_pretrained(path)
    size, crop = {"shortest_edge": SIDE}, {"height": SIDE, "width": SIDE}
    return _save(CLIPModel, config, path, "CLIPImageProcessor", size=size, crop_size=crop)


def siglip(path: Path) -> Path:
    """A SigLIP folder, with a real sentence-piece tokenizer."""
    path.mkdir(parents=True, exist_ok=True)
    _pieces(path)
    config = SiglipConfig(
        vision_config={**LAYERS, "image_size": SIDE, "patch_size": 8},
        text_config={**LAYERS, "vocab_size": 40, "max_position_embeddings": TOKENS},
    )
    side = {"height": SIDE, "width": SIDE}
    tokenizer = {"tokenizer_class": "SiglipTokenizer", "model_max_length": TOKENS}
    (path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    return _save(SiglipModel, config, path, "SiglipImageProcessor", size=side)


def dinov2(path: Path) -> Path:
    """A DINOv2 folder."""
    shape = {k: v for k, v in LAYERS.items() if k != "intermediate_size"}
    config = Dinov2Config(**shape, mlp_ratio=2, image_size=SIDE, patch_size=8)
    size, crop = {"shortest_edge": SIDE}, {"height": SIDE, "width": SIDE}
    return _save(Dinov2Model, config, path, "BitImageProcessor", size=size, crop_size=crop)


def yolos(path: Path, labels: tuple[str, ...] = ("person", "dog")) -> Path:
    """A YOLOS folder: a DETR-class detector of pictures with `labels`."""
    config = YolosConfig(
        **LAYERS,
        image_size=(SIDE, SIDE),
        patch_size=8,
        num_detection_tokens=6,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    size = {"shortest_edge": SIDE, "longest_edge": 2 * SIDE}
    return _save(YolosForObjectDetection, config, path, "YolosImageProcessor", size=size)


def detr(path: Path, labels: tuple[str, ...] = ("person", "dog")) -> Path:
    """A DETR folder for segmentation: everything is one thing of the first of `labels`."""
    backbone = ResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )
    config = DetrConfig(
        backbone_config=backbone,
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        d_model=64,
        encoder_layers=1,
        decoder_layers=1,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        encoder_attention_heads=8,
        decoder_attention_heads=8,
        num_queries=3,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    size = {"shortest_edge": SIDE, "longest_edge": 2 * SIDE}
    return _save(DetrForSegmentation, config, path, "DetrImageProcessor", size=size)


def _save(kind: type[PreTrainedModel], config: object, path: Path, processor: str, **size) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = kind(config)
    if isinstance(model, YolosForObjectDetection):
        _say(model)
    if isinstance(model, DetrForSegmentation):
        _cover(model)
    model.save_pretrained(path)
    settings = {"image_processor_type": processor, **size}
    (path / "preprocessor_config.json").write_text(json.dumps(settings))
    return path


@torch.no_grad()
def _say(model: YolosForObjectDetection) -> None:
    """One thing of the first kind, at BOX, whatever the picture."""
    for head in (model.class_labels_classifier, model.bbox_predictor):
        head.layers[-1].weight.zero_()
    model.class_labels_classifier.layers[-1].bias.copy_(torch.tensor([9.0, 0.0, 0.0]))
    model.bbox_predictor.layers[-1].bias.copy_(torch.logit(torch.tensor(BOX)))


@torch.no_grad()
def _cover(model: DetrForSegmentation) -> None:
    """One thing of the first kind, everywhere: queries say it with a certainty of 0.99 or more."""
    for head in (model.detr.class_labels_classifier, model.mask_head.output_conv):
        head.weight.zero_()
    model.detr.class_labels_classifier.bias.copy_(torch.tensor([9.0, 0.0, 0.0]))
    model.mask_head.output_conv.bias.fill_(9.0)


def _pieces(path: Path) -> None:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([TEXT] * 3),
        model_prefix=str(path / "spiece"),
        vocab_size=40,
        hard_vocab_limit=False,
        minloglevel=2,
        bos_id=-1,
        pad_id=0,
        eos_id=1,
        unk_id=2,
    )
