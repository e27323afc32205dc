"""The lab's captioner: a small BLIP of transformers' own class, its words, and its sentences.

Knows what is said of a drawing (never who it is, nor permanent features of a face beyond beard and
glasses), the word-level tokenizer, and the on-disk form that `from_pretrained` reads. Knows nothing
of training.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration

from kindred.common.files import TEMPORARY, make_folder, read_json, write_json, writing
from kindred.common.sentences import listing
from kindred.lab.judge_labels import ATTRIBUTES
from kindred.world.captions import PLACE_PHRASES, article
from kindred.world.vocabulary import adult

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
GRAMMAR = ("a", "an", "and", ",", "with", "beard", "glasses", "wearing", "small", "in")
MOST_TOKENS = 44
IMAGE_PX = 144
MEAN = STD = (0.5, 0.5, 0.5)


def describe(person: dict[str, str | None], people: int) -> str:
    """Noun phrase of one person; the more people there are, the less is said of each.

    `person` as from `person_words`; clothes always, beard up to three people, glasses and hat up
    to two, expression and pose of one alone.
    """
    kind = str(person["kind"])
    phrase = article(kind if adult(kind) else f"small {kind}")
    features = [
        name
        for name, most in (("beard", 3), ("glasses", 2))
        if person[name] == "yes" and people <= most
    ]
    if features:
        phrase += " with " + " and ".join("a beard" if f == "beard" else f for f in features)
    if person["hat"] != "none" and people <= 2:
        hat = article(f"{person['hat_colour']} {person['hat']}")
        phrase += f" wearing {hat} and {clothes(person)}"
    else:
        phrase += f" in {clothes(person)}"
    if people == 1:
        phrase += "".join(f", {person[name]}" for name in ("expression", "pose"))
    return phrase


def clothes(person: dict[str, str | None]) -> str:
    """`a red dress`, `blue overalls`."""
    text = f"{person['clothes_colour']} {person['clothes']}"
    return text if person["clothes"] == "overalls" else article(text)


def sentence(people: Sequence[dict[str, str | None]], place: str) -> str:
    """What is said of a picture: everybody from left to right, then the place."""
    where = PLACE_PHRASES[place][0]
    return f"{listing([describe(person, len(people)) for person in people])} {where}"


def words() -> list[str]:
    """Every word a sentence can have, after the special tokens."""
    said = {word for phrases in PLACE_PHRASES.values() for word in phrases[0].split()}
    said.update(w for values in ATTRIBUTES.values() for words in values for w in words.split())
    return [*SPECIAL, *sorted(said | set(GRAMMAR))]


def build_tokenizer() -> BertTokenizer:
    """Word-level: one token a word or comma; [CLS] opens and [SEP] closes."""
    vocabulary = {word: index for index, word in enumerate(words())}
    return BertTokenizer(vocab=vocabulary, do_lower_case=False, model_max_length=64)


def build_model(width: int = 144, layers: int = 5, text_layers: int = 2) -> Any:
    """A BLIP with random weights; `width` is a multiple of 48."""
    shared = {"hidden_size": width, "num_attention_heads": width // 48, "projection_dim": width}
    config = BlipConfig(
        vision_config={
            **shared,
            "intermediate_size": 4 * width,
            "num_hidden_layers": layers,
            "image_size": IMAGE_PX,
            "patch_size": 12,
            # The library's default of 1e-10 is meant for weights that are loaded.
            "initializer_range": 0.02,
        },
        text_config={
            **shared,
            "encoder_hidden_size": width,
            "vocab_size": len(words()),
            "intermediate_size": 2 * width,
            "num_hidden_layers": text_layers,
            "max_position_embeddings": 64,
            "pad_token_id": SPECIAL.index("[PAD]"),
            "bos_token_id": SPECIAL.index("[CLS]"),
            "sep_token_id": SPECIAL.index("[SEP]"),
            "eos_token_id": SPECIAL.index("[SEP]"),
        },
        projection_dim=width,
        image_text_hidden_size=width,
    )
    return BlipForConditionalGeneration(config)


def save_captioner(model: Any, folder: Path | str) -> None:
    """Write model (16-bit floats, to be loaded as 32-bit), tokenizer and image processor.

    Replaces `folder` only when everything is written.
    """
    folder = Path(folder)
    make_folder(folder.parent)
    with (
        writing(folder),
        tempfile.TemporaryDirectory(dir=folder.parent, prefix=TEMPORARY) as name,
    ):
        made = Path(name) / "captioner"
        half = type(model)(model.config)
        half.load_state_dict({k: v.detach().cpu() for k, v in model.state_dict().items()})
        half.half().save_pretrained(made)
        config = read_json(made / "config.json")
        config.pop("torch_dtype", None)
        write_json(made / "config.json", config | {"dtype": "float32"})
        build_tokenizer().save_pretrained(made)
        write_json(made / "preprocessor_config.json", preprocessing())
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)


def preprocessing() -> dict[str, Any]:
    """The image processor's configuration."""
    return {
        "image_processor_type": "BlipImageProcessor",
        "processor_class": "BlipProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"height": IMAGE_PX, "width": IMAGE_PX},
        "resample": int(Image.Resampling.BICUBIC),
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(MEAN),
        "image_std": list(STD),
    }


def pixels(images: Sequence[Image.Image]) -> Tensor:
    """What the image processor gives: [B, 3, 144, 144] in [-1, 1]."""
    size = (IMAGE_PX, IMAGE_PX)
    arrays = [
        np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC)) for image in images
    ]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.inference_mode()
def write_captions(model: Any, tokenizer: Any, images: Sequence[Image.Image]) -> list[str]:
    """One caption a picture, greedily."""
    device = next(model.parameters()).device
    out: list[str] = []
    for first in range(0, len(images), 64):
        tensor = pixels(images[first : first + 64]).to(device)
        tokens = model.generate(pixel_values=tensor, max_new_tokens=MOST_TOKENS, do_sample=False)
        out += tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return out
