"""Where Snakemake sends jobs, and which device settings fit there.

On another machine than the one that plans, what this machine has says nothing: how many GPUs a job
asks for must follow from the configuration alone. Knows `device:` and numbers; nothing of
Snakemake's own objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kindred.common.errors import Problems
from kindred.compute.devices import gpus_visible, only_gpu
from kindred.config.amounts_told import is_first_look
from kindred.config.device_config import GPUS, DeviceConfig

PLACE = "config/config.yaml, device"


def uses_gpu(device: DeviceConfig) -> bool:
    """Whether jobs that can will use a GPU."""
    return device.kind in GPUS or (device.kind == "auto" and bool(gpus_visible()))


def gpu_slots(device: DeviceConfig, limit: int | None) -> int:
    """How many jobs may be on GPUs at once. limit: GPUs of the profile or of `--resources gpu=`;
    None: those that are visible here."""
    here = 1 if device.kind == "mps" else len(gpus_visible())
    return (here if limit is None else limit) * device.jobs_per_gpu


def jobs_waiting(device: DeviceConfig, experiments: Iterable[str], spare: bool) -> int:
    """How many jobs begin before there is a GPU for them, and import their packages meanwhile: one
    in first looks on a machine of one GPU, for which somebody waits, where cores are to spare.
    Elsewhere none: it may have been chosen before one that is more urgent."""
    taking_turns = device.kind in ("auto", "cuda") and device.jobs_per_gpu == 1 and only_gpu()
    return int(spare and taking_turns and all(map(is_first_look, experiments)))


def slots_each(device: DeviceConfig, limit: int | None) -> int:
    """GPU slots that one job takes: all where a model is spread over all GPUs, of those whose sizes
    are given as many as there are sizes."""
    if not uses_gpu(device):
        return 0
    if isinstance(device.device_map, list):
        return len(device.device_map) * device.jobs_per_gpu
    return max(1, gpu_slots(device, limit)) if device.device_map else 1


def jobs_together(device: DeviceConfig, limit: int | None, experiments: int = 1) -> int:
    """How many jobs an experiment's trainings are dealt to when they are trained together: as many
    as give every GPU one job, over all experiments. A stack fills a GPU, and one of all trainings
    takes less time than two of half of them.

    experiments: how many have trainings.
    """
    if device.jobs_together != "auto":
        return device.jobs_together
    return -(-gpus_used(device, limit) // max(1, experiments))


def gpus_used(device: DeviceConfig, limit: int | None) -> int:
    """How many GPUs train stacks, each its own; one where there are none, or where a model is
    spread over all."""
    if not uses_gpu(device) or device.device_map:
        return 1
    return max(1, gpu_slots(device, limit) // device.jobs_per_gpu)


def check_elsewhere(device: DeviceConfig) -> None:
    """Raise KindredError naming every setting that can't be followed when jobs go to other machines
    (a cluster's queue)."""
    problems = Problems()
    if device.kind == "auto":
        problems.add(
            f"{PLACE}.kind",
            "auto looks for a GPU on this machine, but jobs run on other machines and would not "
            "ask for a GPU",
            "set it to cuda or cpu, or run once with --config 'device={kind: cuda}'",
        )
    if device.jobs_per_gpu > 1:
        problems.add(
            f"{PLACE}.jobs_per_gpu",
            f"{device.jobs_per_gpu} jobs would share a GPU, but on a cluster each has its own",
            "set it to 1 (--config 'device={jobs_per_gpu: 1}'); to train many small adapters in "
            "one job, run `snakemake trained_together`",
        )
    if device.device_map is True:
        problems.add(
            f"{PLACE}.device_map",
            "true uses all GPUs of a machine, but Kindred can't know how many a node of the "
            "cluster has",
            "list the GiB to use of each GPU, such as [12, 24]; each job then asks for that many "
            "GPUs",
        )
    problems.raise_if_any()


def losing_profile(arguments: Sequence[str], variables: Mapping[str, str]) -> str:
    """A warning where Snakemake was given a profile beside the project's own, which wins over it in
    silence; '' otherwise. arguments: Snakemake's command line; variables: its environment."""
    options = [word.partition("=")[0] for word in arguments]
    if "--workflow-profile" in options:
        return ""
    asked = "--profile" if "--profile" in options else ""
    if not asked and variables.get("SNAKEMAKE_PROFILE", "none") not in ("", "none"):
        asked = "SNAKEMAKE_PROFILE"
    return asked and (
        f"{asked}: profiles/default/config.yaml overrides what it also sets in that profile "
        "(cores, gpu, ...). To replace it, give the profile as --workflow-profile."
    )
