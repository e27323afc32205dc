"""Which code made adapters, pictures and tables of scores, gathered for the report."""

from __future__ import annotations

import subprocess

from kindred.common import versions
from kindred.rendering.manifest import Manifest
from kindred.report.provenance import revisions
from kindred.scoring import table_provenance


def test_a_table_says_who_scored_it_and_who_drew_its_pictures(tmp_path, monkeypatch):
    stored, table = tmp_path / "store/ab.csv", tmp_path / "results/solo.csv"
    manifest = Manifest(tmp_path / "x.json", "solo", {}, [], [], ["one", "two"])
    monkeypatch.setattr(table_provenance, "code_revision", lambda: "three")
    table_provenance.write_stored(stored)
    monkeypatch.setattr(table_provenance, "code_revision", lambda: "four")
    table_provenance.write_beside(table, stored, manifest)
    trained = {"all": [{"code_revision": "one"}], "old": [{}]}
    found = table_provenance.code_revisions([table, tmp_path / "lost.csv"], trained)
    assert found == {
        "adapters": ["one", "unrecorded"],
        "pictures": ["one", "two", "unrecorded"],
        "scores": ["three", "unrecorded"],
    }


def test_the_report_says_one_line_of_several_revisions_and_nothing_of_one():
    same = {"adapters": ["a"], "pictures": ["a"], "scores": ["a"]}
    assert revisions(same) == revisions({}) == ""
    line = revisions(same | {"pictures": ["a", "b-dirty"], "adapters": []})
    assert line == (
        "Results of several revisions of the code stand side by side "
        "(pictures: a, b-dirty; scores: a)."
    )


def test_only_changes_to_the_programs_make_another_revision(tmp_path, monkeypatch):
    scripts = tmp_path / "scripts"
    (scripts / "kindred/common").mkdir(parents=True)
    monkeypatch.setattr(versions, "__file__", str(scripts / "kindred/common/versions.py"))
    monkeypatch.delenv(versions.REVISION_VARIABLE, raising=False)

    def git(*words):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    def commit(file):
        (tmp_path / file).write_text(file)
        git("add", file)
        git("commit", "-m", file)

    def revision():
        return versions.code_revision.__wrapped__()

    git("init")
    commit("scripts/a.py")
    first = revision()
    assert len(first) == 12
    commit("config.yaml")
    assert revision() == first
    (scripts / "b.py").write_text("new")
    assert revision() == f"{first}-dirty"
    commit("scripts/b.py")
    assert revision() not in (first, f"{first}-dirty", "unknown")
    monkeypatch.setenv(versions.REVISION_VARIABLE, "as planned")
    assert revision() == "as planned"
