"""`device:` of config/config.yaml: where the work is done, and how jobs learn of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from kindred.common.sentences import listing
from kindred.compute.data_parallel import PROCESSES
from kindred.compute.devices import DEVICE_MAP, JOBS_PER_GPU, PICTURES_AT_ONCE
from kindred.compute.memory_limit import MEMORY_GIB
from kindred.specs.spec_model import SpecModel

Gib = Annotated[float, Field(gt=0)]
GPUS = ("cuda", "mps")  # what `kind` may say for one


class DeviceConfig(SpecModel):
    """Where the work is done. Nothing here makes finished work stale."""

    renamed_keys: ClassVar[Mapping[str, str]] = {"split": "device_map"}

    kind: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto",
        description="cuda: NVIDIA GPUs, or AMD GPUs with torch for ROCm; mps: Apple's GPU; "
        "auto: an NVIDIA or AMD GPU if there is one, otherwise the CPU",
    )
    threads: int | Literal["auto"] = Field(
        "auto",
        description="CPU threads of each training or rendering; auto: a quarter of the cores",
    )
    memory_gib: float | None = Field(
        None,
        gt=0,
        description="GPU memory that each job may use, in GiB, as if the card had this size; "
        "jobs that share a GPU get this much each; unset: all that is free",
    )
    jobs_per_gpu: int = Field(1, ge=1, description="how many small jobs share a GPU")
    pictures_at_once: int | None = Field(
        None,
        ge=1,
        description="largest batch of `snakemake drawn_together`; unset: as in every rendering. "
        "Larger batches keep a GPU busy, and change a few pixel values by one",
    )
    jobs_together: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto",
        description="number of jobs among which `snakemake trained_together` divides an "
        "experiment's trainings; auto: as many as give each GPU of this machine "
        "one job, over all experiments; one on a cluster",
    )
    device_map: bool | Annotated[list[Gib], Field(min_length=2)] = Field(
        False,
        description="spread one model over several GPUs that are too small alone: true for all, "
        "or the GiB to use of each, such as [12, 24]",
    )

    processes: int = Field(
        1,
        ge=1,
        description="GPUs that share one training (data parallel): each does its part of the "
        "recipe's `gradient_accumulation`; the result differs only by rounding",
    )

    @model_validator(mode="after")
    def _one_way_at_a_time(self) -> Self:
        if self.device_map and self.processes > 1:
            raise ValueError("device_map and processes exclude each other; remove one of them")
        return self

    @model_validator(mode="after")
    def _one_gpu_in_main_memory(self) -> Self:
        if self.kind == "mps":
            settings = ("memory_gib", "device_map", "processes")
            fields = type(self).model_fields
            if set_here := [s for s in settings if getattr(self, s) != fields[s].default]:
                raise ValueError(
                    "an Apple computer has one GPU, which works in main memory, so "
                    f"{listing(set_here)} can't be set with `kind: mps`; remove it"
                )
        return self

    def environment(self) -> dict[str, str]:
        """What `devices` reads of these; empty where nothing was set."""
        spread = "yes" if self.device_map is True else ",".join(map(str, self.device_map or ()))
        found = {JOBS_PER_GPU: str(self.jobs_per_gpu)} if self.jobs_per_gpu > 1 else {}
        if self.processes > 1:
            found[PROCESSES] = str(self.processes)
        if self.memory_gib:
            found[MEMORY_GIB] = str(self.memory_gib)
        if self.pictures_at_once:
            found[PICTURES_AT_ONCE] = str(self.pictures_at_once)
        return found | ({DEVICE_MAP: spread} if spread else {})
