"""Encoded photos and texts on disk: a store of single ones, and one file for a dataset.

Everything is looked up by content: prepared-pixel hash for a latent, caption hash for a text.
The store keeps each under a key of its encoder, so a changed photo or caption encodes itself
alone. Knows nothing of how encoding is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common import safetensors_files
from kindred.common.content_store import ContentStore
from kindred.common.hashing import canonical_json, caption_hash, spec_hash
from kindred.common.progress import track
from kindred.common.versions import step_version
from kindred.models import identity
from kindred.specs.base_model import ImageEncoder, TextEncoder

if TYPE_CHECKING:
    import torch

STORE = Path("resources/store/encoded")
NO_CAPTION = caption_hash("")
ABOUT = "kindred"


@dataclass(frozen=True)
class Text:
    """T5's states [tokens, D] and CLIP's pooled output [D] of one text."""

    states: torch.Tensor
    pooled: torch.Tensor


def latents_fingerprint(encoder: ImageEncoder) -> dict[str, Any]:
    """Which encoder made latents, and how; goes into the file's header."""
    return {
        "encoder": identity.identity(encoder.model, encoder.revision, identity.IMAGE_PARTS),
        "dtype": "float32",
        "value": "mean of the distribution, shift and scale applied",
    }


def texts_fingerprint(encoder: TextEncoder) -> dict[str, Any]:
    """Which encoders made embeddings, and how; goes into the file's header."""
    return {
        "encoder": identity.identity(encoder.model, encoder.revision, identity.TEXT_PARTS),
        "dtype": encoder.dtype,
        "quantization": encoder.quantization or "none",
        "tokens": encoder.tokens,
    }


def write_latents(
    out: Path | str,
    images: Mapping[str, Path],
    encoder: ImageEncoder,
    load: Callable[[], Callable[[Path], torch.Tensor]],
    store: Path = STORE,
) -> int:
    """Write one file of the latents of all images (pixel hash -> path); return how many were new.

    `load` gives the function that encodes one image; it is called only when one is missing.
    """
    about = latents_fingerprint(encoder)
    folder = _folder(store, "latent", about, step_version("encode_images", _kind(encoder)))
    made = _fill(folder, images, load, "encoding photos")
    found = {name: _one(folder, name) for name in images}
    safetensors_files.save(out, found, {ABOUT: canonical_json(about)})
    return made


def write_texts(
    out: Path | str,
    texts: Iterable[str],
    encoder: TextEncoder,
    load_t5: Callable[[], Callable[[str], torch.Tensor]],
    load_clip: Callable[[], Callable[[str], torch.Tensor]],
    store: Path = STORE,
) -> int:
    """Write one file of the embeddings of all texts and of the empty one; return how many encoder
    passes were new. CLIP is gone from memory before T5 is loaded."""
    by_hash = {caption_hash(text): text.strip() for text in ["", *texts]}
    about = texts_fingerprint(encoder)
    clip_about = {key: about[key] for key in ("encoder", "dtype")}
    made, found = 0, {}
    for kind, part_about, load in (("clip", clip_about, load_clip), ("t5", about, load_t5)):
        folder = _folder(store, kind, part_about, step_version("encode_text", _kind(encoder)))
        made += _fill(folder, by_hash, load, f"encoding texts ({kind})")
        found |= {f"{name}.{kind}": _one(folder, name) for name in by_hash}
    safetensors_files.save(out, found, {ABOUT: canonical_json(about)})
    return made


def read_latents(path: Path | str, hashes: Iterable[str]) -> dict[str, torch.Tensor]:
    """Latents [C, H, W] by pixel hash. Raises KindredError when one is not in the file."""
    return safetensors_files.load(path, hashes)


def read_texts(path: Path | str, hashes: Iterable[str]) -> dict[str, Text]:
    """Embeddings by caption hash. Raises KindredError when one is not in the file."""
    hashes = list(hashes)
    found = safetensors_files.load(path, [f"{h}.{kind}" for h in hashes for kind in ("t5", "clip")])
    return {h: Text(found[f"{h}.t5"], found[f"{h}.clip"]) for h in hashes}


def text_hashes(path: Path | str) -> set[str]:
    """Caption hashes that a file of texts holds, without torch."""
    entries, _ = safetensors_files.header(path)
    return {name.removesuffix(".t5") for name in entries if name.endswith(".t5")}


def _folder(store: Path, kind: str, about: Mapping[str, Any], version: str) -> Path:
    """Where the results of one encoder lie: a hash of its identity and of the step's version."""
    return store / kind / spec_hash({"about": dict(about), "version": version})[:32]


def _kind(encoder: ImageEncoder | TextEncoder) -> str:
    return identity.architecture(encoder.model)


def _fill(
    folder: Path,
    items: Mapping[str, Any],
    load: Callable[[], Callable[[Any], torch.Tensor]],
    what: str,
) -> int:
    """Encode what the folder lacks; all that is made is on the disk when this ends."""
    store = _store(folder)
    missing = [name for name in items if not store.has(name)]
    if not missing:
        return 0
    encode = load()
    with store.writing() as put:
        for name in track(missing, what, len(missing), "item"):
            value = {"value": encode(items[name]).cpu()}
            put(name, partial(safetensors_files.save, tensors=value))
    return len(missing)


def _store(folder: Path) -> ContentStore:
    return ContentStore(folder, safetensors_files.header, "encoding it again", ".safetensors")


def _one(folder: Path, name: str) -> torch.Tensor:
    return safetensors_files.load(_store(folder).path(name), ["value"])["value"]
