"""The steps that work with a base, on tiny bases of other architectures than FLUX.1."""

from __future__ import annotations

import os
from functools import cached_property

import tiny_klein
import tiny_krea2
import tiny_z_image
from golden import Output
from golden_steps import Steps

# Architecture -> what makes its tiny base.
OTHERS = {"klein": tiny_klein.build, "krea2": tiny_krea2.build, "z-image": tiny_z_image.build}


class StepsOnBase(Steps):
    """The same photos and captions on another base."""

    def __init__(self, photos: Steps, architecture: str) -> None:
        super().__init__(photos.root / architecture)
        self.photos, self.architecture = photos, architecture

    @cached_property
    def base(self) -> str:
        """The architecture's tiny base."""
        return str(OTHERS[self.architecture](self.root / "base"))

    @cached_property
    def caption(self) -> Output:
        """Photos and captions, as they are there."""
        self.root.mkdir(exist_ok=True)
        found = self.photos.caption
        for name in ("images", "images.json", "captions.jsonl"):
            os.symlink(self.photos.root / name, self.root / name)
        return found

    @property
    def preprocess(self) -> Output:
        """The photos, with their captions."""
        return self.caption
