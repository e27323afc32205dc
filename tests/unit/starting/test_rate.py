"""Rating in the browser with the server: saved at once, taken up again, several people."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
import reported
from browser import browser
from synthetic import ARMS
from waiting import LONG_S, until

import rate
from kindred.common.errors import KindredError
from kindred.evidence.human_ratings import read_ratings
from kindred.evidence.paired_choices import read_choices
from kindred.evidence.who_is_it import read_answers
from kindred.report.answer_files import answer, answered_page, served
from kindred.starting.review_server import ReviewServer

COUNT = "document.getElementById('count').textContent"
SAVED = "document.getElementById('saved').textContent"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    arms = {name: ARMS[name] for name in ("all", "no-trio", "BASE")}
    root = tmp_path_factory.mktemp("rated")
    return reported.build(root, runs=1, seeds=(1,), arms=arms, hypotheses={})


@pytest.fixture
def root(made, tmp_path):
    """A repository with the pages of an experiment called 'ours'."""
    folder = tmp_path / "results/ours"
    folder.mkdir(parents=True)
    reported.run_rating(made, tmp_path).rename(folder / "rating.html")
    reported.run_pairs(made, tmp_path).rename(folder / "pairs.html")
    (tmp_path / "config/experiments").mkdir(parents=True)
    return tmp_path


@contextmanager
def serving(root, pairs=False, what="ours"):
    page, files = answered_page(what, pairs, root)
    server = ReviewServer(lambda at: served(page, at), lambda change: answer(files, change))
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server, thread
    finally:
        if thread.is_alive():
            server.finish()
        thread.join(LONG_S)


def visit(window, server):
    window.do("url", {"url": server.address})
    window._wait(f"document.URL === '{server.address}' && {COUNT}")


def call_me(window, name):
    window.run(
        f"(byId('rater').value = '{name}', byId('rater').dispatchEvent(new Event('change')))"
    )


def test_ratings_are_saved_as_they_are_given_and_taken_up_again(root, tmp_path):
    table = root / "config/experiments/ours.ratings-me.csv"
    with browser(tmp_path) as window:
        with serving(root) as (server, _):
            visit(window, server)
            total = int(window.run(COUNT).split()[-1])
            assert window.run("byId('export').hidden") and not window.run("byId('saved').hidden")
            window.type("3", "1")
            window.until(f"{COUNT} === '2 of {total}' && {SAVED} === 'saved'")
            until(lambda: table.exists() and len(read_ratings([table])) > 1)
            assert [one.grade for one in read_ratings([table])] in ([3, 1], [1, 3])
            call_me(window, "Anna")
            window.until(f"{COUNT} === '0 of {total}'")
            window.type("2")
            window.until(f"{COUNT} === '1 of {total}'")
            window.click("#finish")
            window.until("document.body.textContent.startsWith('Finished')")
        with serving(root) as (server, thread):  # another day, another port: the browser keeps none
            visit(window, server)
            window.until(f"{COUNT} === '2 of {total}'")
            call_me(window, "Anna")
            window.until(f"{COUNT} === '1 of {total}'")
            window.click("#finish")
            thread.join(LONG_S)
            assert not thread.is_alive()
        assert not [line for line in window.errors() if "favicon" not in line]
    files = sorted(table.parent.glob("ours.ratings*.csv"))
    assert [file.name for file in files] == ["ours.ratings-anna.csv", "ours.ratings-me.csv"]
    assert len(read_ratings(files)) == 3


@pytest.mark.long
def test_pairs_are_saved_too_and_what_could_not_be_saved_comes_with_the_next(root, tmp_path):
    table = root / "config/experiments/ours.pairs-me.csv"
    with browser(tmp_path) as window, serving(root, pairs=True) as (server, _):
        visit(window, server)
        table.write_bytes(b"\xff\xfe")  # something that nobody can read lies in the way
        window.type("1")
        window.until(f"{SAVED}.startsWith('not saved: ')")
        table.unlink()
        window.type("2")
        window.until(f"{SAVED} === 'saved'")
        assert {one.choice for one in read_choices([table])} == {"left", "right"}
        window.do("refresh", {})
        window.until(f"{COUNT}.startsWith('2 of ')")


@pytest.mark.long
def test_who_is_it_of_families_is_saved_too(made, root, tmp_path):
    folder = root / "results/families/study"
    folder.mkdir(parents=True)
    reported.run_who(made, folder / "who.html")
    table = root / "config/families/study.who-me.csv"
    table.parent.mkdir()
    with browser(tmp_path) as window, serving(root, what=str(folder / "who.html")) as (server, _):
        visit(window, server)
        window.click("[data-letter=J]")
        window.click("#next")
        for question in ("clothes", "send"):
            if window.run(f"document.querySelector('[data-{question}]').offsetParent !== null"):
                window.click(f"[data-{question}='1']")
        window.until(f"{COUNT}.startsWith('1 of ') && {SAVED} === 'saved'")
        until(table.exists)
    (one,) = read_answers([table])
    assert "J" in one.who


def test_the_command_serves_the_page_and_says_where_answers_are(root, monkeypatch, capsys):
    monkeypatch.setattr(ReviewServer, "serve", lambda self: None)
    monkeypatch.setattr(ReviewServer, "open_browser", lambda self: None)
    assert rate.main(["ours", "--root", str(root)]) == 0
    assert rate.main(["results/ours/pairs.html", "--root", str(root)]) == 0
    text = capsys.readouterr().err
    assert text.count("open http://127.0.0.1:") == 2 and "config/experiments" in text


def test_a_page_that_is_not_there_or_of_old_is_to_be_made(root):
    for name in ("x", "ours"):
        (root / f"config/experiments/{name}.yaml").write_text("title: x\n")
    with pytest.raises(
        KindredError,
        match=r"is missing. Run `snakemake results/x/rating\.html --config experiments=x`",
    ):
        answered_page("x", False, root)
    with pytest.raises(KindredError, match=r"no file config/experiments/uors.yaml .* mean 'ours'"):
        answered_page("uors", False, root)
    (root / "results/ours/rating.html").write_text("<head></head>")
    with pytest.raises(KindredError, match="is an old page that can't save answers by itself"):
        answered_page("ours", False, root)
