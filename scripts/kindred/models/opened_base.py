"""A base that was found: which version it is and its small settings, each read once.

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
from kindred.models.identity import PICTURE_PARTS, architecture, identity, is_local
from kindred.specs.base_model import Base

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class OpenedBase:
    """One base, as a variant names it. Everything raises KindredError for what can't be had."""

    spec: Base

    @cached_property
    def architecture(self) -> str:
        """Name of its architecture, whose version counts in keys."""
        return architecture(self.spec.model)

    @cached_property
    def identity(self) -> str:
        """'id@revision' of what pictures come from: transformer and schedule."""
        return identity(self.spec.model, self.spec.revision, PICTURE_PARTS)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The transformer's config.json; of a repository nothing else is fetched for it."""
        try:
            return loading.transformer_config(self.spec)
        except KindredError as error:
            if not is_local(self.spec.model):
                raise
            raise KindredError(
                f"its transformer/config.json can't be read ({error})",
                f"base {self.spec.model}",
                "fetch or save the base again",
            ) from error

    @cached_property
    def scheduler(self) -> dict[str, Any]:
        """The settings of its noise schedule."""
        return dict(loading.load_scheduler(self.spec).config)

    def load_transformer(
        self,
        device: torch.device | str,
        home: bool = False,
        places: Mapping[str, Any] | None = None,
    ) -> Any:
        """The frozen transformer; see `loading.load_transformer`."""
        return loading.load_transformer(self.spec, device, home, places)


def open_base(spec: Base) -> OpenedBase:
    """The base, to be handed down to whatever reads it."""
    return OpenedBase(spec)
