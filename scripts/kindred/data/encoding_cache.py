"""Encoded photos and texts on disk: a store of single ones, and one file for a dataset.

Everything is looked up by content: prepared-pixel hash for a latent, caption hash for a text.
The store keeps each under a key of its encoder, so a changed photo or caption encodes itself
alone. Knows nothing of how encoding is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kindred.common import safetensors_files
from kindred.common.content_store import ContentStore
from kindred.common.errors import KindredError
from kindred.common.hashing import canonical_json, caption_hash, spec_hash
from kindred.common.progress import track
from kindred.common.sentences import counted
from kindred.common.versions import step_version
from kindred.models import identity
from kindred.specs.base_model import ImageEncoder, TextEncoder

if TYPE_CHECKING:
    import torch

STORE = Path("resources/store/encoded")
NO_CAPTION = caption_hash("")
ABOUT = "kindred"
OVERFLOW = (
    "check the photo or text; if it is fine, the base's weights are damaged or overflow in 16 "
    "bits: download them again"
)


def latents_fingerprint(encoder: ImageEncoder) -> dict[str, Any]:
    """Which encoder made latents, and how; goes into the file's header."""
    return {
        "encoder": identity.identity_of(encoder, "image"),
        "dtype": "float32",
        "value": "mean of the distribution, shift and scale applied",
    }


def texts_fingerprint(encoder: TextEncoder) -> dict[str, Any]:
    """Which encoders made embeddings, and how; goes into the file's header."""
    return {
        "encoder": identity.identity_of(encoder, "text"),
        "dtype": encoder.dtype,
        "quantization": encoder.quantization or "none",
        "tokens": encoder.tokens,
        **identity.architecture_of(encoder).text.key,
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
    version = step_version("encode_images", identity.architecture_of(encoder))
    folder = _folder(store, "latent", about, version)
    made = _fill(folder, images, load, "encoding photos")
    found = {name: _one(folder, name) for name in images}
    safetensors_files.save(out, found, {ABOUT: canonical_json(about)})
    return made


def write_texts(
    out: Path | str,
    texts: Iterable[str],
    encoder: TextEncoder,
    load: Callable[[str], Callable[[str], torch.Tensor]],
    store: Path = STORE,
) -> int:
    """Write one file of the embeddings of all texts and of the unconditional one, each tensor as
    `<caption hash>.<name>`; return how many encoder passes were new.

    `load` gives the function that encodes a text to the tensor of a name; it is called only when
    one is missing, and what it loaded is gone from memory before the next is.
    """
    architecture = identity.architecture_of(encoder)
    by_hash = {caption_hash(t): t.strip() for t in [architecture.text.unconditional, *texts]}
    about = texts_fingerprint(encoder)
    version = step_version("encode_text", architecture)
    made, found = 0, {}
    for tensor in architecture.text.tensors:
        name = tensor.name
        part_about = {key: about[key] for key in tensor.about or about}
        folder = _folder(store, name, part_about, version)
        made += _fill(folder, by_hash, partial(load, name), f"encoding texts ({name})")
        found |= {f"{text}.{name}": _one(folder, text) for text in by_hash}
    safetensors_files.save(out, found, {ABOUT: canonical_json(about)})
    return made


def read_latents(path: Path | str, hashes: Iterable[str]) -> dict[str, torch.Tensor]:
    """Latents [C, H, W] by pixel hash. Raises KindredError when one is not in the file, or is not
    finite: it names the photo where `hashes` is a mapping to photos' names."""
    called = hashes if isinstance(hashes, Mapping) else {}
    said = {name: f"the latent of the photo {photo}" for name, photo in called.items()}
    return safetensors_files.load(path, hashes, said)


def read_texts(path: Path | str, hashes: Iterable[str]) -> dict[str, dict[str, torch.Tensor]]:
    """Embeddings by caption hash, each tensor by its name. Raises KindredError when one is not in
    the file, or is not finite: it says the text where `hashes` is a mapping to texts."""
    hashes = hashes if isinstance(hashes, Mapping) else dict.fromkeys(hashes, "")
    called, names = {k: v for k, v in hashes.items() if v}, tensor_names(path)
    asked = [(text, name) for text in hashes for name in names]
    said = {
        f"{text}.{name}": f"{name} of “{called[text]}”" for text, name in asked if text in called
    }
    wanted = [f"{text}.{name}" for text, name in asked]
    found = safetensors_files.load(path, wanted, said if called else None)
    return {text: {name: found[f"{text}.{name}"] for name in names} for text in hashes}


def tensor_names(path: Path | str) -> list[str]:
    """Names of the tensors that a file of texts holds of each, in descending order: so they were
    hashed from the first adapters on."""
    return _names(safetensors_files.header(path)[0])


def _names(entries: Iterable[str]) -> list[str]:
    return sorted({name.partition(".")[2] for name in entries}, reverse=True)


def text_hashes(path: Path | str) -> set[str]:
    """Caption hashes that a file of texts holds whole, without torch."""
    entries, _ = safetensors_files.header(path)
    counted, whole = Counter(name.partition(".")[0] for name in entries), len(_names(entries))
    return {text for text, count in counted.items() if count == whole}


def _folder(store: Path, kind: str, about: Mapping[str, Any], version: str) -> Path:
    """Where the results of one encoder lie: a hash of its identity and of the step's version."""
    return store / kind / spec_hash({"about": dict(about), "version": version})[:32]


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
            value = encode(items[name]).cpu()
            _check(value, items[name])
            put(name, partial(safetensors_files.save, tensors={"value": value}))
    return len(missing)


def _check(value: torch.Tensor, item: Path | str) -> None:
    """Raise KindredError naming a photo, or a text, whose encoding is not finite."""
    where = str(item) if isinstance(item, Path) else f"text “{item}”"
    if bad := safetensors_files.not_finite(value):
        what = (
            f"its encoding has {counted(bad, 'value that is', 'values that are')} infinite or not "
            "a number"
        )
        raise KindredError(what, where, OVERFLOW)


def _store(folder: Path) -> ContentStore:
    return ContentStore(folder, safetensors_files.header, "encoding it again", ".safetensors")


def _one(folder: Path, name: str) -> torch.Tensor:
    return safetensors_files.load(_store(folder).path(name), ["value"])["value"]
