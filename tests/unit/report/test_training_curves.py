"""The picture of training curves."""

import io
import math

import pytest
from PIL import Image

import plot_training_curves as curve_program
from kindred.common.errors import KindredError
from kindred.report.image_text import SERIES
from kindred.report.svg_plots import curves_png
from kindred.report.training_curves import read_run, smooth


def draw_curves(*arguments):
    return Image.open(io.BytesIO(curves_png(*arguments))).convert("RGB")


def log(path, losses):
    rows = [f"{step},{loss},0.001,{step * 0.1},1" for step, loss in enumerate(losses, 1)]
    path.write_text("step,loss,lr,seconds,memory\n" + "\n".join(rows) + "\n")
    return path


def heights(picture, colour):
    """y of the pixels like a colour, in the middle of the loss panel."""
    column = picture.crop((480, 100, 481, 400))
    pixels = [column.getpixel((0, y)) for y in range(column.height)]
    return [
        y
        for y, pixel in enumerate(pixels)
        if max(abs(a - b) for a, b in zip(pixel, colour, strict=True)) < 50
    ]


def test_smoothing_has_no_pull_to_zero_and_passes_over_nan():
    assert smooth([2.0, 2.0, 2.0], 0.9) == pytest.approx([2.0] * 3)
    assert smooth([1.0, math.nan, 3.0], 0.5) == pytest.approx([1.0, 1.0, 7 / 3])
    assert math.isnan(smooth([math.nan], 0.9)[0])


def test_a_higher_loss_is_drawn_higher(tmp_path):
    low = read_run("low", log(tmp_path / "a.csv", [0.2] * 50))
    high = read_run("high", log(tmp_path / "b.csv", [0.8] * 50))
    picture = draw_curves([low, high], "Loss", 0.9)
    assert max(heights(picture, SERIES[1])) < min(heights(picture, SERIES[0]))


def test_runs_of_one_label_share_a_colour(tmp_path):
    runs = [read_run("all", log(tmp_path / f"{n}.csv", [0.1 * n] * 20)) for n in (2, 8)]
    picture = draw_curves(runs, "Loss", 0.9)
    assert not heights(picture, SERIES[1])
    found = heights(picture, SERIES[0])
    assert max(found) - min(found) > 100


@pytest.mark.parametrize("losses", [[0.5], [math.nan, math.nan], [0.0, 0.0], [1e9, math.inf, 0.1]])
def test_odd_logs_are_drawn(tmp_path, losses):
    run = read_run("a label " * 30, log(tmp_path / "a.csv", losses))
    assert draw_curves([run] * 3, "Loss", 0.9).width == 960


def test_program_is_deterministic(tmp_path):
    path = log(tmp_path / "a.csv", [1 / step for step in range(1, 30)])
    for name in ("1.png", "2.png"):
        out = str(tmp_path / name)
        assert curve_program.main(["--run", f"all={path}", "--out", out]) == 0
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
    with Image.open(tmp_path / "1.png") as image:
        assert image.size[0] == 960


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no such file"), ("a,b\n1,2\n", "not a training log"), ("step,loss,lr\n", "no step")],
)
def test_bad_logs_are_named(tmp_path, text, message):
    path = tmp_path / "training.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(KindredError, match=rf"training\.csv: .*{message}"):
        read_run("all", path)
