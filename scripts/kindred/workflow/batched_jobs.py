"""An experiment's trainings as one list: what scripts/train_together.py is told, and what it reads.

Knows the layout of results/ and resources/ through outputs.py; each training reads what rule
`train` gives it. Knows nothing of how trainings are stacked.
"""

from __future__ import annotations

import json
from typing import Any

from kindred.config.plan import Experiment, Variant
from kindred.workflow import paths
from kindred.workflow.command import one_word


def trainings(experiment: Experiment) -> str:
    """All trainings as canonical JSON: the files read -> the variants' folders -> their runs.

    Raises KindredError when it is too long for a command line (some thousands of variants).
    """
    entries: dict[tuple[tuple[str, str], ...], dict[str, list[int]]] = {}
    for variant in experiment.trained:
        folders = entries.setdefault(tuple(_files(variant).items()), {})
        folders[f"results/{experiment.name}/{variant.name}"] = list(variant.runs)
    told: list[dict[str, Any]] = [
        {**dict(files), "folders": folders} for files, folders in entries.items()
    ]
    return one_word(
        json.dumps(told, sort_keys=True, separators=(",", ":")),
        f"{experiment.name}: too many variants to be trained together in one command; leave "
        "out the target trained_together: each training then goes alone",
    )


def read_by(experiment: Experiment) -> list[str]:
    """Every file that some training reads, each once."""
    specs = [
        f"results/{experiment.name}/{variant.name}/spec.json" for variant in experiment.trained
    ]
    files = [path for variant in experiment.trained for path in _files(variant).values()]
    return list(dict.fromkeys(specs + files))


def _files(variant: Variant) -> dict[str, str]:
    """The files one training reads besides its spec, by train.py's options."""
    encoded = paths.encoded_folder(variant)
    found = {
        "images": f"resources/{variant.dataset}/images.json",
        "captions": f"resources/{variant.dataset}/captions.jsonl",
        "latents": f"{encoded}/latents.safetensors",
        "text": f"{encoded}/text-{variant.text_tokens}.safetensors",
    }
    given = [*paths.prior_files(variant), *(("masks", p) for p in paths.masks_files(variant))]
    return found | {name.removeprefix("--").replace("-", "_"): path for name, path in given}
