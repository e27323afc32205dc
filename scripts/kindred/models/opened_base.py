"""A base that was found: its architecture, which version it is, and its small settings, each read
once.

Opening imports neither torch nor diffusers and reads nothing yet: identity, configuration and
schedule are read when they are asked for, and kept; weights are loaded anew at every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kindred.common.errors import KindredError
from kindred.models import loading
from kindred.models.architectures.interface import Architecture, Guidance
from kindred.models.architectures.layout import NetworkLayout
from kindred.models.architectures.noise_levels import check_scheduler
from kindred.models.identity import INDEX, architecture_of, identity_of, is_local
from kindred.specs.base_model import Base

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class OpenedBase:
    """One base, as a variant names it. Everything raises KindredError for what can't be had."""

    spec: Base

    @cached_property
    def architecture(self) -> Architecture:
        """What holds for bases of its kind."""
        return architecture_of(self.spec)

    @cached_property
    def identity(self) -> str:
        """'id@revision' of what pictures come from: transformer and schedule."""
        return identity_of(self.spec, "picture")

    @cached_property
    def config(self) -> dict[str, Any]:
        """The transformer's config.json; of a repository nothing else is fetched for it."""
        try:
            return loading.transformer_config(self.spec)
        except KindredError as error:
            if not is_local(self.spec.model):
                raise
            raise KindredError(
                f"its transformer/config.json can't be read ({error.finding})",
                f"base {self.spec.model}",
                "download or save the base again",
            ) from error

    @cached_property
    def index(self) -> dict[str, Any]:
        """Its model_index.json."""
        return loading.small_file(self.spec, INDEX)

    @cached_property
    def scheduler(self) -> dict[str, Any]:
        """The settings of its noise schedule, which only shifts noise levels."""
        found = loading.small_file(self.spec, "scheduler/scheduler_config.json")
        check_scheduler(found, f"base {self.spec.model}")
        return found

    @cached_property
    def layout(self) -> NetworkLayout:
        """Its transformer's layers."""
        return self.architecture.layout(self.config)

    @cached_property
    def guidance(self) -> Guidance:
        """How it follows its prompt more closely."""
        return self.architecture.guidance(self.index, self.config)

    def cfg_scale(self, guidance_scale: float) -> float | None:
        """The s of `negative + s * (prompt - negative)` at a prompt set's `guidance_scale`; None
        where one pass is all."""
        if self.guidance != "cfg":
            return None
        scale = self.architecture.cfg_scale(guidance_scale)
        return scale if scale > 1 else None

    def shift(self, tokens: int, steps: int | None = None) -> float:
        """How far noise levels are moved for a picture of so many tokens, drawn in so many steps;
        None: in training."""
        return self.architecture.shift(self.scheduler, tokens, steps, self.index)

    def load_transformer(
        self,
        device: torch.device | str,
        in_main_memory: bool = False,
        places: Mapping[str, Any] | None = None,
    ) -> Any:
        """The frozen transformer; see `loading.load_transformer`."""
        return loading.load_transformer(self.spec, device, in_main_memory, places)


def open_base(spec: Base) -> OpenedBase:
    """The base, to be handed down to whatever reads it."""
    return OpenedBase(spec)
