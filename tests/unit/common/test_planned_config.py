"""A job reads the configuration that it was planned with."""

from pathlib import Path

from kindred.common import planned_config
from kindred.lab.settings import LabSettings

FULL = "config/lab/full.yaml"


def test_files_of_the_configuration_come_from_the_copy_and_others_do_not(monkeypatch):
    monkeypatch.delenv(planned_config.VARIABLE, raising=False)
    assert planned_config.planned_path(FULL) == Path(FULL)
    monkeypatch.setenv(planned_config.VARIABLE, "plans/one")
    assert planned_config.planned_config() == Path("plans/one/config")
    assert planned_config.planned_path(FULL) == Path("plans/one") / FULL
    assert planned_config.planned_path("mine/lab.yaml") == Path("mine/lab.yaml")


def test_the_lab_is_trained_by_the_settings_it_was_planned_with(monkeypatch, tmp_path):
    root = Path(__file__).parents[3]
    text = (root / FULL).read_text(encoding="utf-8")
    (tmp_path / "config/lab").mkdir(parents=True)
    (tmp_path / FULL).write_text(text + "seed: 7\n", encoding="utf-8")
    monkeypatch.chdir(root)
    monkeypatch.setenv(planned_config.VARIABLE, str(tmp_path))
    assert LabSettings.load(FULL).seed == 7
