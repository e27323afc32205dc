"""One LoRA: a variant's selection of photos, trained with one run's seed.

in:  spec.json (TrainSpec), encoded photos and captions, images.json and captions.jsonl
out: <out-dir>/lora.safetensors, which diffusers loads as it is, with provenance in its header;
     lora.json, a summary; training.csv: step, loss, lr, seconds, memory_mib; begun.json, a mark
     from the start on that hypotheses declared later are late.
Checkpoints and finished adapters are kept under a key of all that the result depends on: an
interrupted training goes on where it was, a finished one is copied.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kindred.common import progress
from kindred.common.errors import KindredError, run_main
from kindred.common.files import write_csv, write_json
from kindred.common.seeds import seed_of
from kindred.common.versions import code_revision
from kindred.compute import data_parallel, devices
from kindred.specs.training import TrainSpec
from kindred.training import adapter_store, training_data
from kindred.training.start_marker import note_training
from kindred.training.training_data import DataSource

SCRAMBLED = (
    "SCRAMBLED CONTROL: captions are permuted among the images on purpose. "
    "This adapter learns that names mean nothing; use it for comparison only."
)
COLUMNS = ("step", "loss", "lr", "seconds", "memory_mib")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec-file", required=True, type=Path, help="TrainSpec as JSON")
    parser.add_argument("--run", required=True, type=int, help="number of the run: its seed")
    parser.add_argument("--out-dir", required=True, type=Path, help="folder for the three files")
    for prefix, needed, whose in (("", True, ""), ("prior-", False, " of class-prior images")):
        for name in ("images", "captions", "latents", "text"):
            parser.add_argument(
                f"--{prefix}{name}", required=needed, type=Path, help=f"{name} file{whose}"
            )
    parser.add_argument("--masks", type=Path, help="masks.json, for mask_weight and head_weight")
    parser.add_argument("--store", type=Path, default=adapter_store.STORE, help="finished adapters")
    parser.add_argument("--checkpoints", type=Path, default=adapter_store.CHECKPOINTS)
    devices.add_arguments(parser)
    devices.add_split(parser)
    return parser.parse_args(argv)


def train(
    spec: TrainSpec,
    sources: Sequence[DataSource],
    facts: dict[str, Any],
    options: argparse.Namespace,
) -> None:
    """Train and put the finished adapter into the store."""
    code_revision()  # now: the code may be changed while this trains
    name = devices.acquire_device(options.device, split=options.split)
    split = options.split if name == "cuda" else None
    # After the claim, which must come before torch: it hides the GPUs of other jobs.
    from kindred.compute import device_map, memory_fitting
    from kindred.models import loading
    from kindred.models.lora import injection
    from kindred.training.batches import load_examples
    from kindred.training.checkpoints import Checkpoints
    from kindred.training.trainer import Trainer, WeightedDataset

    device = devices.prepare(name, options.threads)
    together = data_parallel.ProcessGroup.join(device)
    streams = [
        WeightedDataset(
            source.name,
            source.weight,
            *load_examples(source.pairs, source.latents, source.text, source.token_weights),
        )
        for source in sources
    ]
    scheduler = dict(loading.load_scheduler(spec.base).config)
    fit = None if split else memory_fitting.fit(spec, streams, device)
    home = bool(fit and fit.starts_at_home)
    places = device_map.over_gpus(spec.base, split) if split else None
    transformer = loading.load_transformer(spec.base, device, home, places)
    parameters = injection.add_lora(transformer, spec.recipe, options.run)
    if split:  # only models that are large for their cards are split
        transformer.enable_gradient_checkpointing()
    if fit:
        fit.apply(transformer)
    trainer = Trainer(
        transformer, parameters, streams, spec.recipe, options.run, scheduler, fit, together
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: trainer.stop())
    key = adapter_store.training_key(facts)
    checkpoints = Checkpoints(options.checkpoints, key)
    if together.first:
        note_training(options.out_dir)
    trainer.train(checkpoints)
    together.leave()
    if not together.first:
        return

    folder = options.store / key
    write_csv(folder / "training.csv", COLUMNS, trainer.rows)
    injection.save_lora(
        folder / "lora.safetensors", trainer.final_state(), transformer, header(facts)
    )
    write_json(folder / "lora.json", summary(spec, sources, facts, trainer))
    checkpoints.remove()


def header(facts: dict[str, Any]) -> dict[str, str]:
    """Provenance as a safetensors header holds it: text only."""
    return {name: str(value) for name, value in facts.items()} | {
        "software": "Kindred",
        "code_revision": code_revision(),
        "seed": str(seed_of(facts["run"])),
    }


def summary(
    spec: TrainSpec, sources: Sequence[DataSource], facts: dict[str, Any], trainer: Any
) -> dict[str, Any]:
    """What lora.json says."""
    import diffusers
    import peft
    import torch

    items = [pair.item for pair in sources[0].pairs]
    fit = trainer.fitting
    report = {
        **facts,
        "code_revision": code_revision(),
        "seed": seed_of(facts["run"]),
        "dataset": spec.dataset,
        "recipe": spec.recipe.model_dump(mode="json"),
        "images": sorted(item.image_id for item in items),
        "photos_per_cell": dict(Counter(cell for _, cell in {(i.photo, i.cell) for i in items})),
        "trainable_parameters": sum(parameter.numel() for parameter in trainer.parameters),
        "steps": trainer.done,
        "final_loss": round(trainer.smoothed(), 6),
        "seconds": round(trainer.seconds, 3),
        "peak_memory_mib": trainer.peak_memory_mib(),
        **({"memory_plan": fit.report(trainer.peak_memory_mib())} if fit else {}),
        "device": str(trainer.device),
        "threads": torch.get_num_threads(),
        "versions": {lib.__name__: lib.__version__ for lib in (torch, diffusers, peft)},
    }
    return report | ({"warning": SCRAMBLED} if spec.pairing == "scrambled" else {})


def main(argv: list[str] | None = None) -> int:
    """Train one run of a variant, or copy it from the store."""
    options = parse(argv)
    progress.speak_for(options.out_dir)
    spec = TrainSpec.read(str(options.spec_file))
    if spec.pairing == "scrambled":
        print(f"*** {SCRAMBLED} ***", file=sys.stderr)
    data_parallel.check(spec.recipe.gradient_accumulation)
    sources = training_data.load_sources(spec, options, options.run)
    facts = adapter_store.training_facts(spec, options.run, sources)
    key = adapter_store.training_key(facts)
    if adapter_store.fetch(options.store, key, options.out_dir):
        print(f"already trained ({key[:12]}); copied from the store", file=sys.stderr)
        return 0
    if data_parallel.wanted() > 1 and not data_parallel.launched():
        data_parallel.launch(sys.argv[1:] if argv is None else argv)
    photos = len(sources[0].pairs)
    if not data_parallel.others_lead():
        print(f"{photos} images, every pair checked; key {key[:12]}", file=sys.stderr)
    if data_parallel.others_lead():
        train(spec, sources, facts, options)
        return 0
    with adapter_store.alone(options.checkpoints, key):
        if not adapter_store.fetch(options.store, key, options.out_dir):
            train(spec, sources, facts, options)
    if not adapter_store.fetch(options.store, key, options.out_dir):
        raise KindredError(f"{options.store / key}: vanished; run again")
    return 0


if __name__ == "__main__":
    run_main(main)
