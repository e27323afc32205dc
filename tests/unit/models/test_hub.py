"""Which commit of a repository is meant where none is written, and where the hub's cache lies."""

from pathlib import Path
from time import sleep
from types import SimpleNamespace

import huggingface_hub
import pytest
import transformers
from huggingface_hub import errors as hub_errors

from kindred.common.errors import KindredError
from kindred.models import hub, loading
from kindred.models.identity import identity_of, known_identity
from kindred.models.tokenizers import load_tokenizer
from kindred.specs.base_model import Base

COMMIT, LATER = "a" * 40, "b" * 40
BASE = Base(model="org/name", architecture="flux1")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The cache's folder of org/name, in which nothing lies yet."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub/models--org--name"


@pytest.fixture
def hub_has(kept, monkeypatch):
    """The hub at work: what it was asked for; it gives the commit that `main` is at the moment."""
    asked, main = [], [COMMIT]

    def download(model, name, revision=None):
        asked.append((name, revision))
        if revision is None:
            (kept / "refs").mkdir(parents=True, exist_ok=True)
            (kept / "refs/main").write_text(main[0])
        file = kept / "snapshots" / (revision or main[0]) / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
        return str(file)

    def snapshot(model, revision, allow_patterns):
        asked.append((*allow_patterns, revision))
        return str(kept / "snapshots" / revision)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    return asked, main


def test_the_commit_is_asked_once_and_everything_comes_from_it(hub_has, capsys):
    asked, main = hub_has
    assert known_identity(BASE) is None, "planning asks nobody"
    assert identity_of(BASE) == f"org/name@{COMMIT}"
    assert asked == [("model_index.json", None)]
    assert capsys.readouterr().err.count(f"write `revision: {COMMIT}`") == 1
    main[0] = LATER  # somebody changes the repository
    assert identity_of(BASE) == known_identity(BASE) == f"org/name@{COMMIT}"
    loading.small_file(BASE, "transformer/config.json")
    loading._folder(BASE, "vae")
    assert asked[1:] == [("transformer/config.json", COMMIT), ("vae/*", COMMIT)]
    assert not capsys.readouterr().err, "it was said"


def test_a_revision_that_is_written_is_the_one(hub_has):
    asked, _ = hub_has
    pinned = BASE.model_copy(update={"revision": LATER})
    assert identity_of(pinned) == known_identity(pinned) == f"org/name@{LATER}"
    assert hub.known_commit("org/name", LATER) == LATER and not asked


def test_a_hub_that_does_not_answer_is_said(kept, monkeypatch):
    def fails(*_, **__):
        raise hub_errors.LocalEntryNotFoundError("offline")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fails)
    with pytest.raises(KindredError, match="is not a folder here, and the download failed"):
        identity_of(BASE)
    assert hub.commit_of("./folder", None, "model_index.json", "free") is None


@pytest.fixture
def asked_of(monkeypatch):
    """What a tokenizer's loader is told about the network, by how the hub takes a request."""
    told = []

    def load(_, **options):
        told.append(options["local_files_only"])
        raise OSError("not here")

    def ask(take, **options):
        hub.answers.cache_clear()
        monkeypatch.setattr(huggingface_hub, "get_session", lambda: SimpleNamespace(head=take))
        for _ in range(2):
            with pytest.raises(KindredError, match="can't be loaded"):
                load_tokenizer("org/name/tokenizer", **options)
        return told[-2:]

    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", load)
    monkeypatch.setattr(hub, "ANSWER_S", 0.1)
    yield ask
    hub.answers.cache_clear()


def test_who_has_no_time_asks_a_hub_that_does_not_answer_for_nothing(asked_of):
    asked = []

    def refuses(*_, **__):
        asked.append("refused")
        raise ConnectionError

    assert asked_of(refuses, quickly=True) == [True, True] and len(asked) == 1
    assert asked_of(lambda *_, **__: sleep(0.5), quickly=True) == [True, True]
    assert asked_of(lambda *_, **__: None, quickly=True) == [False, False]
    assert asked_of(refuses) == [False, False] and len(asked) == 1, "what is needed is waited for"


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/b"}, "/b"),
        ({"HF_HOME": "/c"}, "/c/hub"),
        ({"XDG_CACHE_HOME": "/d"}, "/d/huggingface/hub"),
        ({}, str(Path.home() / ".cache/huggingface/hub")),
    ],
)
def test_where_the_hub_keeps_it_is_said_by_its_own_variables(monkeypatch, variables, place):
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(hub.hub_cache()) == place
