"""For all tests of rendering: the tiny base as a folder and as a specification."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_base

from kindred.specs.base_model import Base


@pytest.fixture(scope="session")
def folder(tiny_folder: Path) -> Path:
    """The tiny base."""
    return tiny_folder


@pytest.fixture(scope="session")
def base(folder: Path) -> Base:
    """The same as a variant names it."""
    return Base(model=str(folder), dtype="float32", text_tokens=tiny_base.TEXT_TOKENS)
