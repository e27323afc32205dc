"""Progress in a log: plain lines that say whose work it is."""

from kindred.common import progress


def test_lines_name_the_job(capsys, monkeypatch):
    monkeypatch.setattr(progress, "_job", [])
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    progress.speak_for("results/family/all/run-1")
    for _ in progress.track(range(2), "training", 2, "step"):
        pass
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("family/all/run-1: training: 1/2 steps, ")
    for _ in progress.track(range(1), "faces", 1, "photo"):
        pass
    assert "faces: 1/1 photo, " in capsys.readouterr().err
