"""What an experiment asks for that the GPU named in `device: kind` can't do, said before anything
runs.

Of `auto` nothing is known here, and on a CPU results that came from elsewhere are told of: there
the jobs say it. Knows kinds of devices by `common/backends.py`, and no base by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kindred.common.backends import Backend, backend_of
from kindred.common.errors import Problems
from kindred.config.device_config import GPUS, DeviceConfig
from kindred.config.plan import Experiment
from kindred.specs.base_model import Base

Fault = tuple[str, str, str]  # where, what, cure


def check_device(
    device: DeviceConfig,
    experiment: Experiment,
    bases: Mapping[str, Base],
    problems: Problems,
) -> None:
    """Note all that the device can't do, each once, with the variants or prompt sets that ask."""
    if device.kind not in GPUS:
        return
    backend = backend_of(device.kind)
    found: dict[tuple[str, str], list[str]] = {}
    asked = [*_of_bases(experiment, bases, backend), *_of_pictures(experiment, backend)]
    for name, what, cure in [*asked, *_of_recipes(experiment, backend)]:
        found.setdefault((what, cure), []).append(name)
    for (what, cure), names in found.items():
        where = f"experiment {experiment.name}: {', '.join(names)}"
        problems.add(where, f"{what} does not work on {backend.title}", cure)


def _of_bases(
    experiment: Experiment, bases: Mapping[str, Base], backend: Backend
) -> Iterator[Fault]:
    """Weights of bitsandbytes, of what is trained or drawn on."""
    cure = "use a base without `quantization`, or a machine with an NVIDIA GPU"
    for name in () if backend.quantizes else experiment.bases:
        base = bases.get(name)
        if base and base.quantization:
            yield f"base '{name}'", f"`quantization: {base.quantization}`", cure


def _of_recipes(experiment: Experiment, backend: Backend) -> Iterator[Fault]:
    """The optimizer of bitsandbytes."""
    for one in () if backend.quantizes else experiment.trained:
        if one.train and one.train.recipe.optimizer == "adamw8bit":
            yield f"variants.{one.name}", "`optimizer: adamw8bit`", "set `optimizer: adamw`"


def _of_pictures(experiment: Experiment, backend: Backend) -> Iterator[Fault]:
    """Products in 8-bit floats."""
    for name, prompts in experiment.prompt_sets.items():
        if prompts.precision == "fp8" and not backend.fp8:
            yield f"prompt_sets.{name}", "`precision: fp8`", "remove `precision`"
