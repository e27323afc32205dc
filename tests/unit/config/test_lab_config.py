"""Folders of the lab's models stand in Snakemake's patterns and in commands without quotes."""

import pytest
from pydantic import ValidationError

from kindred.config.lab_config import LabConfig


@pytest.mark.parametrize("path", ["lab {a}", "l<b>", "my lab", "lab;rm", "$HOME/lab", "", "l'b"])
@pytest.mark.parametrize("key", ["settings", "out", "work"])
def test_what_they_would_read_otherwise_is_refused(key, path):
    with pytest.raises(
        ValidationError,
        match=r"contains .+, which has a meaning for Snakemake or the shell|at least 1",
    ):
        LabConfig(**{key: path})


def test_usual_paths_are_as_written():
    for path in ("lab", "../other/lab-2", "/data/models_3/lab.v1", "~/lab", "Häuser/lab", "a+,@%="):
        assert LabConfig(out=path).out == path
