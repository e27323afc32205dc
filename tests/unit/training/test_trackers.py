"""Trackers are told losses of steps, never pictures; none of them is part of a result."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import small_config
import training_set

import train
from kindred.common.errors import KindredError
from kindred.config.load_plan import load_plan
from kindred.training import trackers


@pytest.fixture(scope="module")
def data(tmp_path_factory, base):
    return training_set.build(tmp_path_factory.mktemp("data") / "set", base, {"J": 2})


class Run:
    """What a package's run is told."""

    def __init__(self, **opened):
        self.opened, self.logged, self.settings, self.ended = opened, [], {}, False

    def log(self, values, step=None, **_):
        self.logged.append((step, values))

    def finish(self):
        self.ended = True

    def update(self, values, **_):
        self.settings |= values


@pytest.fixture
def opened(monkeypatch):
    """The runs of stand-ins for wandb and trackio, as they are opened."""
    found = []
    for name in ("wandb", "trackio"):
        module = ModuleType(name)

        def init(project, module=module, **given):
            module.run = module.config = Run(project=project, **given)
            found.append(module.run)
            return module.run

        module.init = init
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(trackers, "find_spec", lambda name: name in sys.modules)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    return found


def run(data, out, **recipe):
    training_set.forget(data) if (data.root / "store").exists() else None
    train.main(data.train_arguments(out, **recipe))
    return (out / "lora.safetensors").read_bytes()


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_each_step_is_told_and_no_byte_changes(data, tmp_path, opened, monkeypatch, name):
    plain = run(data, tmp_path / "plain/v/run-1")
    closing = []
    monkeypatch.setattr("atexit.register", closing.append)
    monkeypatch.setenv(trackers.TRACKER, name)
    out = tmp_path / "e/v/run-1"
    assert run(data, out) == plain
    (told,) = opened
    assert told.opened["project"] == "e" and told.opened["name"] == "v/run-1"
    assert told.opened.get("mode", "offline") == "offline"
    assert [step for step, _ in told.logged] == [1, 2, 3, 4]
    keys = {"training/loss", "training/lr", "training/seconds", "training/memory_mib"}
    assert all(set(values) == keys for _, values in told.logged)
    assert told.settings["rank"] == 2
    for close in closing:
        close()
    assert told.ended


def test_tensorboard_has_a_folder_a_run(data, tmp_path, monkeypatch):
    made = []

    class Writer(SimpleNamespace):
        def __getattr__(self, name):
            return lambda *args, **_: self.told.append((name, args))

    def open_writer(folder, **_):
        made.append(Writer(folder=folder, told=[]))
        return made[-1]

    tensorboard = ModuleType("torch.utils.tensorboard")
    tensorboard.SummaryWriter = open_writer
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", tensorboard)
    monkeypatch.setattr("torch.utils.tensorboard", tensorboard, raising=False)
    monkeypatch.setattr(trackers, "find_spec", lambda name: name == "tensorboard")
    monkeypatch.setenv(trackers.TRACKER, "tensorboard")
    out = tmp_path / "e/v/run-1"
    run(data, out)
    (writer,) = made
    assert str(writer.folder) == str(tmp_path / "e/tracker/v/run-1")
    losses = [args for name, args in writer.told if name == "add_scalar" and "loss" in args[0]]
    assert len(losses) == 4
    assert not any("image" in name for name, _ in writer.told)
    monkeypatch.setenv(trackers.PICTURES, "yes")
    drawn(data, out)
    shown = [args for name, args in made[1].told if name == "add_images"]
    assert [(name, pixels.shape) for name, pixels in shown] == [("samples/j-1", (1, 48, 64, 3))] * 2


def drawn(data, out):
    draws = training_set.samples_of(data, {"j": "headshot of JRussell"}, every=2, seeds=[1])
    training_set.forget(data) if (data.root / "store").exists() else None
    train.main([*data.train_arguments(out), *draws])


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_pictures_are_told_where_that_is_asked_for_alone(data, tmp_path, opened, monkeypatch, name):
    monkeypatch.setattr("atexit.register", lambda _: None)
    monkeypatch.setenv(trackers.TRACKER, name)
    told = sys.modules[name]
    told.Image = lambda picture, caption=None: ("picture", caption)
    drawn(data, tmp_path / "e/v/run-1")
    assert not any("samples" in key for _, values in opened[0].logged for key in values)
    monkeypatch.setenv(trackers.PICTURES, "yes")
    drawn(data, tmp_path / "f/v/run-1")
    pictures = [
        (step, values["samples/j-1"])
        for step, values in opened[1].logged
        if "samples/j-1" in values
    ]
    caption = "headshot of JRussell" if name == "trackio" else None
    picture = ("picture", caption)
    assert pictures == [(step, picture if name == "trackio" else [picture]) for step in (2, 4)]


def test_one_that_fails_is_left_out(data, tmp_path, opened, monkeypatch, capsys):
    def broken(self, *_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(Run, "log", broken)
    monkeypatch.setenv(trackers.TRACKER, "trackio")
    run(data, tmp_path / "e/v/run-1")
    said = capsys.readouterr().err
    assert said.count("the tracker fails (no space left); continuing without") == 1


def test_a_package_that_is_not_there_is_said_before_anything_is_loaded(data, tmp_path, monkeypatch):
    monkeypatch.setattr(trackers, "find_spec", lambda _: None)
    monkeypatch.setenv(trackers.TRACKER, "wandb")
    with pytest.raises(KindredError, match=r"needs the package wandb.*pip install wandb"):
        run(data, tmp_path / "out")
    monkeypatch.setenv(trackers.TRACKER, "mlflow")
    with pytest.raises(KindredError, match="not know the tracker 'mlflow'"):
        run(data, tmp_path / "out")


def test_the_configuration_names_it_and_no_training_changes(tmp_path, base):
    root = small_config.write(tmp_path, str(base))
    small_config.write_experiment(root, "  all: {}\n")
    plain = load_plan(root)
    told = load_plan(root, {"tracker": "trackio"})
    assert plain.environment() == {} and told.environment() == {trackers.TRACKER: "trackio"}
    pictures = load_plan(root, {"tracker": {"name": "wandb", "pictures": True}}).environment()
    assert pictures == {trackers.TRACKER: "wandb", trackers.PICTURES: "yes"}
    specs = [plan.variant("one", "all").train.canonical() for plan in (plain, told)]
    assert specs[0] == specs[1]
