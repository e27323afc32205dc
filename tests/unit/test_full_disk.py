"""A disk that is full: whatever is being written, a person reads one line with the path and what to
do, what was made before is there as it was, and nothing half written is left.

A limit on the size of files stands for the disk. Logs are written by `tee`, which names the path
itself; locks are empty files, and their failure is tested with the locks.
"""

from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from kindred.common import files, safetensors_files
from kindred.common.chained_log import append
from kindred.common.errors import KindredError
from kindred.data import person_masks
from kindred.data.class_images import write_dataset
from kindred.data.photo_folder import Photo
from kindred.data.preprocessing import prepare_photo
from kindred.rendering.image_store import ImageStore
from kindred.scoring import image_vectors
from kindred.scoring.score_table import write_scores
from kindred.specs.dataset import PreprocessSpec
from kindred.training import adapter_store
from kindred.training.checkpoints import write_checkpoint

ROOM = 100_000  # bytes that a file may have
NOISE = np.random.default_rng(0).integers(0, 256, (400, 400, 3), np.uint8)
PICTURE = Image.fromarray(NOISE)
TENSOR = torch.from_numpy(NOISE.astype(np.float32))


def saved(path: Path) -> None:
    """As libraries save a model, by safetensors' own writer."""
    from safetensors.torch import save_file

    with files.writing(path):
        save_file({"a": TENSOR}, path.with_name("file.x"))


def adapter(path: Path) -> None:
    def write(folder: Path) -> None:
        files.write_csv(folder / "training.csv", ["n"], [])
        safetensors_files.save(folder / "lora.safetensors", {"a": TENSOR})

    adapter_store.adapters(path.parent).put(path.name, write)


def copies(path: Path) -> None:
    """Pictures that are copied out of the store."""

    class Drawn:
        name, prompt, seed = "man", "a man", 1

        def __init__(self) -> None:
            self.path = path.parent.parent / "drawn.png"

    write_dataset([Drawn()], path.parent, "draw it")


def many_pictures(path: Path) -> None:
    with ImageStore(path.parent).writing_images() as put:
        for number in range(3):
            put(f"{number:064d}", PICTURE, {})


def photo(path: Path) -> None:
    spec = PreprocessSpec(buckets=[(384, 384)])
    prepare_photo(Photo(path.parent.parent / "drawn.png", "file.png", ""), path.parent, spec)


WRITES: dict[str, Callable[[Path], object]] = {
    "text, pages": lambda path: files.write_text(path, "x" * 400_000),
    "json, lists of pictures": lambda path: files.write_json(path, list(range(100_000))),
    "lines, captions": lambda path: files.write_jsonl(path, [{"n": n} for n in range(50_000)]),
    "csv, training logs": lambda path: files.write_csv(
        path, ["n"], [{"n": n} for n in range(50_000)]
    ),
    "scores": lambda path: write_scores(path, [{"name": "x" * 99} for _ in range(9_000)]),
    "latents, embeddings": lambda path: safetensors_files.save(path, {"a": TENSOR}),
    "checkpoint": lambda path: write_checkpoint(path, {"a": TENSOR}),
    "adapter": adapter,
    "model": saved,
    "picture": lambda path: ImageStore(path.parent).put_image("0" * 64, PICTURE, {}),
    "many pictures": many_pictures,
    "copies": copies,
    "prepared photo": photo,
    "mask": lambda path: person_masks.store_mask(NOISE.reshape(400, -1), path.parent),
    "vectors": lambda path: image_vectors.save(
        image_vectors.ImageVectors({}, NOISE.astype(np.float32)), path
    ),
    "declared log": lambda path: append(
        path.with_name("log.jsonl"), lambda _: [{"why": "x" * 200_000}]
    ),
}


def on_a_full_disk(write: Callable[[], object], told: Path) -> None:
    """Run it in a copy of this process whose files may not grow; what it said goes to a file."""
    told.touch()
    child = os.fork()
    if child == 0:
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))
            try:
                write()
                text = "nothing"
            except KindredError as error:
                text = f"error: {error}"
            except BaseException:
                text = traceback.format_exc()
            told.write_text(text)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


@pytest.mark.parametrize("kind", WRITES)
def test_it_is_one_line_and_costs_nothing_made_before(tmp_path, kind):
    folder = tmp_path / "made"
    path = folder / "file.x"
    files.write_text(path, "made before")
    PICTURE.save(tmp_path / "drawn.png")
    on_a_full_disk(lambda: WRITES[kind](path), tmp_path / "told")
    told = (tmp_path / "told").read_text()
    assert told.startswith("error: ") and "\n" not in told, told
    assert str(folder) in told and "can't" in told and "Free some disk space" in told
    if kind != "model":  # its folder is written by a library, file by file
        assert path.read_text() == "made before"
    left = {one.name for one in folder.rglob("*") if one.is_file() and one.suffix != ".lock"}
    assert not {one for one in left if one.startswith(files.TEMPORARY)}, "no leftovers"
    assert left <= {"file.x", "log.jsonl"} | {one for one in left if one.endswith(".writing")}


def test_what_is_copied_into_a_store_names_the_store(tmp_path):
    store = adapter_store.adapters(tmp_path / "store")
    big = tmp_path / "big"
    big.write_bytes(bytes(2 * ROOM))

    def write(folder: Path) -> None:
        (folder / "lora.safetensors").write_bytes(big.read_bytes())

    on_a_full_disk(lambda: store.put("key", write), tmp_path / "told")
    told = (tmp_path / "told").read_text()
    assert told.startswith(f"error: {store.path('key')}: can't be written (File too large)")
    assert list(store) == []
