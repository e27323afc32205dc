"""Amounts on command lines, as people write them."""

from __future__ import annotations

import pytest

import new_experiment
import prune_stores
from kindred.common.amounts import with_units
from kindred.common.errors import KindredError
from kindred.compute.devices import Split


@pytest.mark.parametrize("text", ["12", "12G", "12GB", "12 GiB", "12gb", " 12.0 gi "])
def test_a_size_has_its_unit_or_none(text):
    assert new_experiment.parse(["photos/ours", "--gpu", text]).gpu == 12


@pytest.mark.parametrize("words", ["--gpu 12 GiB", "--gpu=12 gb", "--gpu 12.0 G"])
def test_a_unit_may_be_a_word_of_its_own(words, monkeypatch):
    for line in (["photos/ours", *words.split()], [*words.split(), "photos/ours"]):
        found = new_experiment.parse(line)
        assert (found.folder, found.gpu) == ("photos/ours", 12)
        monkeypatch.setattr("sys.argv", ["new_experiment.py", *line])
        assert new_experiment.parse(None).gpu == 12


def test_a_word_that_is_no_unit_of_the_option_is_left_alone():
    for line in (["--gpu", "12", "ours"], ["--gpu", "12GB", "G"], ["--name", "12", "G"], ["G"]):
        assert with_units("--gpu", line) == line


@pytest.mark.parametrize("text", ["much", "12T", "12 MiB", "G", "-1", "0", "nan", "inf", "12,5"])
def test_any_other_is_answered_in_one_sentence(text):
    with pytest.raises(KindredError) as caught:
        new_experiment.parse(["photos/ours", f"--gpu={text}"])
    said = f"--gpu: '{text}' is not an amount in GiB. Write a number, such as `--gpu 12`."
    assert str(caught.value) == said


def test_so_are_days_and_the_sizes_of_several_cards():
    assert prune_stores.parse(["list", "--days", "7 days"]).days == 7
    assert prune_stores.parse(["list", "--days", "0"]).days == 0
    with pytest.raises(KindredError, match="'7h' is not an amount in days"):
        prune_stores.parse(["list", "--days", "7h"])
    assert Split.read("12G,24 GB").sizes == (12, 24)
