"""Figures in written pages are those of published tables, and a wrong source is named."""

from pathlib import Path

import pytest

import doc_figures as program
from kindred.common.errors import KindredError, ProblemsError
from kindred.report.doc_figures import FIGURE, filled, verdict_of
from kindred.report.published_figures import cell_of, figure_of

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
        ("a trio success sd", "7"),
        ("a trio identity sd", "0.07"),
        ("c trio success", "99.8 %"),
        ("c trio identity", "−0.03"),
    ],
)
def test_a_figure_is_the_mean_over_runs(what, said):
    assert figure_of(ROWS, what) == said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("aa trio success", "no variant 'aa'. Did you mean 'a'?"),
        ("a tri success", "no prompt_set 'tri'. Did you mean 'trio'?"),
        ("a trio sucess", "no measure 'sucess'. Did you mean 'success'?"),
        ("b trio identity", "b has no identity in trio"),
        ("a trio", "Write it as `variant prompt_set measure`"),
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


PAGE = """# Alike

| variant | Right in threes | Likeness |
|---|---:|---:|
| any | 96 % (93–98) | 0.89 |
| TOP: the world | 100 % | 1 |

## Shares

| variant | Right in threes |
|---|---:|
| any | **9 %** |
"""


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("any: Right in threes", "96 %"),
        ("any: Right in threes (…)", "96 % (93–98)"),
        ("any: Likeness", "0.89"),
        ("TOP: the world: Likeness", "1"),
        ("Shares > any: Right in threes", "9 %"),
    ],
)
def test_a_cell_of_a_published_page(what, said):
    assert cell_of(PAGE, what) == said


@pytest.mark.parametrize("what", ["all: Likeness", "any: Missing", "Shares > any: Likeness"])
def test_a_cell_that_there_is_not_is_named(what):
    with pytest.raises(KindredError, match=r"no row '\w+' with a column '\w+'"):
        cell_of(PAGE, what)
    with pytest.raises(KindredError, match="no section 'Share'"):
        cell_of(PAGE, "Share > any: Likeness")


def test_what_a_hypothesis_came_to():
    line = {"hypothesis": "longer", "label": "no difference", "x": "0.15", "margin": "0.1"}
    line |= {"measure": "success", "effect": "-0.0174", "low": "-0.1145", "high": "0.0774"}
    assert verdict_of([line], "longer effect") == "−2 points (−11 to +8)"
    assert verdict_of([line], "longer label") == "no difference larger than 15 points"
    with pytest.raises(KindredError, match=r"no hypothesis 'longest'. Did you mean 'longer'"):
        verdict_of([line], "longest effect")
    with pytest.raises(KindredError, match="Write it as `hypothesis effect`"):
        verdict_of([line], "longer margin")


@pytest.fixture
def root(tmp_path):
    (tmp_path / "docs" / "one").mkdir(parents=True)
    table = "variant,prompt_set,success\na,trio,0.5\na,trio,0.7\n"
    (tmp_path / "docs/one/runs.csv").write_text(table)
    (tmp_path / "README.md").write_text('Right: [9 %](docs/one/runs.csv "a trio success").\n')
    return tmp_path


def test_old_figures_are_found_and_filled_in(root):
    with pytest.raises(
        KindredError, match=r"figures are out of date.*Run `python scripts/doc_figures"
    ):
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
    for page in ("together", "names", "with-strangers", "combinations", "captions", "settings"):
        text = (ROOT / f"docs/findings/{page}.md").read_text(encoding="utf-8")
        assert len(FIGURE.findall(text)) > 8, "the answer's figures have their sources"
