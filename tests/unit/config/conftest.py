"""The shipped configuration, copied."""

import pytest
import shipped_config


@pytest.fixture
def shipped(tmp_path):
    """The shipped configuration, with experiments and bases that may be changed."""
    shipped_config.copy(tmp_path)
    return tmp_path
