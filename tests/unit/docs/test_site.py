"""The documentation builds as a site with warnings as errors, and leaves no page out."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OWN = ROOT / ".venv-site/bin/zensical"
ZENSICAL = str(OWN) if OWN.exists() else shutil.which("zensical")
SITE = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def test_every_page_for_readers_is_in_the_menu():
    names = ("guide", "findings", "reference", "decisions")
    rooms = [ROOT / "docs", *(ROOT / "docs" / room for room in names)]
    pages = {str(path.relative_to(ROOT)) for room in rooms for path in room.glob("*.md")}
    assert pages - set(re.findall(r"[\w/-]+\.md", SITE)) == {"docs/README.md"}
    # On a site both would have one address.
    assert [page for page in pages if (ROOT / page.removesuffix(".md")).is_dir()] == []


@pytest.mark.long
@pytest.mark.skipif(ZENSICAL is None, reason="needs envs/requirements-site.txt: make site")
def test_it_builds_without_a_warning(tmp_path):
    listed = subprocess.run(
        [
            "git",
            "ls-files",
            "--",
            "*.md",
            "*.webp",
            "*.svg",
            "*.csv",
            "config/*.yaml",
            ":!report",
            ":!tests",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in [*listed.stdout.splitlines(), "LICENSE"]:
        to = tmp_path / "site-pages" / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to)
    shutil.copy2(ROOT / "mkdocs.yml", tmp_path)
    command = [str(ZENSICAL), "build", "--strict"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "site/docs/guide/own-photos/index.html").is_file()
