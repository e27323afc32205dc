"""A file of an experiment that is not configured is refused in words."""

import pytest

from kindred.common.errors import KindredError
from kindred.workflow.asked_files import check_asked


def test_a_file_of_an_experiment_that_is_not_configured(tmp_path):
    (tmp_path / "config/experiments").mkdir(parents=True)
    (tmp_path / "config/experiments/ours.yaml").touch()
    words = ["-n", "results/ours/live.html", "--config", "experiments=family"]
    with pytest.raises(KindredError, match=r"'ours' is not configured. Add `--config experiments="):
        check_asked(words, {"family"}, tmp_path)
    check_asked(words, {"family", "ours"}, tmp_path)
    check_asked(["results/families/study/who.html", "results/none/a.html"], {"ours"}, tmp_path)
