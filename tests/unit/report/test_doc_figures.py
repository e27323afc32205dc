"""Figures in written pages are those of published tables, and a wrong source is named."""

from pathlib import Path

import pytest

import doc_figures as program
from kindred.common.errors import KindredError, ProblemsError
from kindred.report.doc_figures import FIGURE, figure_of, filled

ROOT = Path(__file__).parents[3]
ROWS = [
    {"variant": "a", "prompt_set": "trio", "success": "0.9", "identity": "0.8"},
    {"variant": "a", "prompt_set": "trio", "success": "1", "identity": "0.9"},
    {"variant": "b", "prompt_set": "trio", "success": "0.2", "identity": ""},
    {"variant": "c", "prompt_set": "trio", "success": "0.998", "identity": "-0.03"},
]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("a trio success", "95 %"),
        ("a trio success - b", "+75 points"),
        ("b trio success - a", "−75 points"),
        ("a trio identity", "0.85"),
        ("c trio success", "99.8 %"),
        ("c trio identity", "−0.03"),
    ],
)
def test_a_figure_is_the_mean_over_runs(what, said):
    assert figure_of(ROWS, what) == said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("aa trio success", "no variant 'aa' -> did you mean 'a'?"),
        ("a tri success", "no prompt_set 'tri' -> did you mean 'trio'?"),
        ("a trio sucess", "no measure 'sucess' -> did you mean 'success'?"),
        ("b trio identity", "b has no identity in trio"),
        ("a trio", "write: variant prompt_set measure"),
    ],
)
def test_a_figure_that_there_is_not_is_named(what, said):
    with pytest.raises(KindredError) as raised:
        figure_of(ROWS, what)
    assert said in str(raised.value)


def test_a_table_of_casts_has_kinds_of_casts_and_casts():
    first = {"variant": "a", "prompt_set": "casts", "runs": "5", "pictures": "960"}
    rows = [first | {"family": "0.871", "worst": "0.05", "A+J": "0.9"}]
    assert figure_of(rows, "a casts family") == "87 %"
    assert figure_of(rows, "a casts A+J") == "90 %"
    with pytest.raises(KindredError, match="no measure 'pictures'"):
        figure_of(rows, "a casts pictures")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs" / "one").mkdir(parents=True)
    table = "variant,prompt_set,success\na,trio,0.5\na,trio,0.7\n"
    (tmp_path / "docs/one/runs.csv").write_text(table)
    (tmp_path / "README.md").write_text('Right: [9 %](docs/one/runs.csv "a trio success").\n')
    return tmp_path


def test_old_figures_are_found_and_filled_in(root):
    with pytest.raises(KindredError, match=r"figures are old.*run python scripts/doc_figures"):
        program.main(["--root", str(root), "--check"])
    program.main(["--root", str(root)])
    said = (root / "README.md").read_text()
    assert said == 'Right: [60 %](docs/one/runs.csv "a trio success").\n'
    assert program.main(["--root", str(root), "--check"]) == 0


def test_every_wrong_source_of_a_page_is_named(root):
    page = root / "docs" / "page.md"
    page.write_text('[1 %](one/runs.csv "b trio success") [1 %](two/runs.csv "a trio success")')
    with pytest.raises(ProblemsError) as raised:
        filled(page)
    assert "no variant 'b'" in str(raised.value) and "no such table" in str(raised.value)


def test_the_repository_s_figures_are_those_of_its_tables():
    assert program.main(["--root", str(ROOT), "--check"]) == 0
    for page in ("together", "names", "with-strangers", "combinations", "captions"):
        text = (ROOT / f"docs/findings/{page}.md").read_text(encoding="utf-8")
        assert len(FIGURE.findall(text)) > 8, "the answer's figures have their sources"
