"""The store of finished adapters: what was trained once is copied, not trained again.

An adapter lies under a hash of everything that it depends on; see `training_key`. Knows files;
imports no torch, so that a job whose adapter is there takes no time.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kindred.common import file_lock, safetensors_files
from kindred.common.content_store import ContentStore
from kindred.common.errors import KindredError
from kindred.common.files import read_json
from kindred.common.hashing import spec_hash
from kindred.common.versions import step_version
from kindred.data.encoding_cache import NO_CAPTION, tensor_names
from kindred.models import training_adapter
from kindred.models.opened_base import OpenedBase
from kindred.specs.training import TrainSpec
from kindred.training.training_data import DataSource

STORE = Path("resources/store/adapters")
CHECKPOINTS = Path("resources/training")
# Options of a recipe that are younger than the first adapters, whose keys must not change, and what
# they are where nobody uses them.
YOUNGER = {
    "mask_weight": None,
    "head_weight": None,
    "adapter_type": "lora",
    "lokr_factor": None,
    "loraplus_lr_ratio": None,
    "mode_scale": 1.29,
    "min_timestep": 0,
    "max_timestep": 1000,
    "weighting_scheme": "none",
    "diff_output_preservation": 0.0,
    "rank_pattern": None,
    "alpha_pattern": None,
}
# Options of a recipe that say what is written down meanwhile, or that count by what they gave.
WITHOUT_EFFECT = {"checkpoint_every", "keep", "keep_state", "class_images_per_noun"}
FILES = ("training.csv", "lora.safetensors", "lora.json")
FACTS = ("spec_hash", "run", "dataset_hash", "base", "version", "pairing")  # training_facts' names


def dataset_hash(sources: Sequence[DataSource]) -> str:
    """Hex SHA-256 over the pairs trained on and the very tensors they stand for."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(f"{source.name} {source.weight}\n".encode())
        pairs = sorted(source.pairs, key=lambda p: (p.item.image_id, p.caption_hash))
        with safetensors_files.raw_tensors(source.latents) as latent:
            for pair in pairs:
                digest.update(f"{pair.item.pixel_hash} {pair.caption_hash}\n".encode())
                digest.update(latent(pair.item.pixel_hash))
                if source.token_weights:
                    digest.update(repr(source.token_weights[pair.item.pixel_hash]).encode())
        names = tensor_names(source.text)
        with safetensors_files.raw_tensors(source.text) as text:
            for caption in sorted({pair.caption_hash for pair in pairs} | {NO_CAPTION}):
                for name in names:
                    digest.update(text(f"{caption}.{name}"))
    return digest.hexdigest()


def training_facts(
    spec: TrainSpec, run: int, sources: Sequence[DataSource], base: OpenedBase
) -> dict[str, Any]:
    """Everything that a trained adapter depends on, as JSON: its key is the hash of this, and its
    header carries it.

    The selection and the number of class images count by the pairs that they gave, and what is
    written on the way not at all: two variants that come to the same training share it.
    """
    return {
        "spec_hash": settings_hash(spec),
        "run": run,
        "dataset_hash": dataset_hash(sources),
        "base": base.identity,
        "version": step_version("train", base.architecture),
        "pairing": spec.pairing,
    }


def settings_hash(spec: TrainSpec, without: Collection[str] = ()) -> str:
    """Hash of what a variant sets that its adapter depends on, `without` these keys of its
    recipe."""
    without = WITHOUT_EFFECT | set(without)
    recipe = spec.recipe.model_dump(mode="json", by_alias=True, exclude=without)
    recipe = {k: v for k, v in recipe.items() if k not in YOUNGER or v != YOUNGER[k]}
    settings = {
        "recipe": recipe,
        "dtype": spec.base.dtype,
        "quantization": spec.base.quantization,
        "pairing": spec.pairing,
    }
    if fused := training_adapter.content(spec.base):
        settings["training_adapter"] = fused
    return spec_hash(settings)


def training_key(facts: dict[str, Any]) -> str:
    """The name that the adapter and its checkpoints lie under."""
    return spec_hash(facts)[:40]


def adapters(store: Path) -> ContentStore:
    """The store: a folder an adapter."""
    return ContentStore(store, check, "training it again", files=FILES)


def has(store: Path, key: str) -> bool:
    """Whether a finished adapter is there, with all its files."""
    return adapters(store).has(key)


def fetch(store: Path, key: str, out: Path) -> bool:
    """Copy a finished adapter's files to `out`; False when it is not there."""
    return adapters(store).fetch(key, out)


def put_back(store: Path, folder: Path) -> bool:
    """Store the adapter that lies in a results folder, if the store has lost it; whether it did.

    What is not whole, of another version of the step, or says in its header that it is another
    training's, is left where it is. Raises KindredError when the store can't be written.
    """
    try:
        summary = read_json(folder / "lora.json")
        facts = {name: summary[name] for name in FACTS}
        key = training_key(facts)
        if adapters(store).path(key).exists() or step_version("train") not in facts["version"]:
            return False
        check(folder)
        _, header = safetensors_files.header(folder / "lora.safetensors")
    except (KindredError, OSError, KeyError, TypeError):
        return False
    if any(header.get(name) != str(value) for name, value in facts.items()):
        return False

    def write(entry: Path) -> None:
        for name in FILES:
            shutil.copyfile(folder / name, entry / name)

    adapters(store).put(key, write)
    return True


def check(folder: Path) -> None:
    """Raise KindredError naming the file of a finished adapter that is cut short."""
    safetensors_files.header(folder / "lora.safetensors")
    summary, rows = read_json(folder / "lora.json"), folder / "training.csv"
    try:
        text = rows.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise KindredError("is damaged: not UTF-8 text", str(rows)) from None
    steps = summary.get("steps", 0) if isinstance(summary, dict) else 0
    if not text.endswith("\n") or text.count("\n") <= steps:
        raise KindredError("is incomplete", str(rows))


@contextmanager
def alone(checkpoints: Path, key: str) -> Iterator[None]:
    """Wait until no other process trains this key: one may have outlived its Snakemake.

    The lock lies among the checkpoints. Raises KindredError when it can't be had.
    """
    folder = checkpoints / key
    with file_lock.lock(folder / "lock", "waiting for another process that runs this training"):
        yield
    with suppress(OSError):  # checkpoints are left in it
        folder.rmdir()
