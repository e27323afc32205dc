"""Repositories of the hub: which commit of one is meant, and what a person does about one that
can't be had.

A base without a `revision` is the commit that this computer's cache has as `main`, and stays it
while others appear; the hub is asked once, where the cache has none. Imports no library of the hub
before it asks.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path

from kindred.common.errors import KindredError

COMMIT = re.compile(r"[0-9a-f]{40}")
MAIN = "main"
ANSWER_S = 4.0


def is_repository(model: str) -> bool:
    """Whether `model`, which is no folder here, is written as a repository is: owner/name."""
    return not model.startswith((".", "/", "~")) and model.count("/") == 1


def known_commit(model: str, revision: str | None) -> str | None:
    """The commit that a revision (None: main) of a repository is on this computer, as far as its
    cache tells."""
    name = revision or MAIN
    if COMMIT.fullmatch(name) or not is_repository(model):
        return revision
    try:
        return (cached(model) / "refs" / name).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def commit_of(model: str, revision: str | None, index: str, licence: str) -> str | None:
    """The commit that a base's files come from: its `revision` where it has one, else what `main`
    is here, fetching the small file `index` where the cache can't tell.

    None for what is no repository. Raises KindredError when the hub is needed and does not answer.
    """
    if revision or not is_repository(model):
        return revision
    found = known_commit(model, None)
    if found is None:
        from huggingface_hub import hf_hub_download

        try:
            hf_hub_download(model, index)
        except Exception as error:  # the hub's errors have no base class in common
            raise not_had(model, None, licence, index, error) from error
        found = known_commit(model, None)
        if found:  # said this once: from now on the cache tells
            print(f"{model}: its file names no version. {pinning(found)}", file=sys.stderr)
    return found


def pinning(commit: str) -> str:
    """What a person is told of a base without a `revision`."""
    return (
        f"This computer has {commit} and keeps it. For the same weights on another computer, write "
        f"`revision: {commit}` in the base's file in config/bases."
    )


@cache
def answers() -> bool:
    """Whether the hub answers at all, asked once for at most ANSWER_S seconds. Its library tries
    again and again for a minute, which is right for a download that something needs."""
    from huggingface_hub import constants, get_session

    found: list[bool] = []

    def ask() -> None:
        with suppress(Exception):  # the hub's errors have no base class in common
            get_session().head(constants.ENDPOINT, timeout=ANSWER_S)
            found.append(True)

    asking = threading.Thread(target=ask, daemon=True)  # looking a name up has no time limit
    asking.start()
    asking.join(ANSWER_S)
    return bool(found)


def cached(model: str) -> Path:
    """The cache's folder of a repository."""
    return hub_cache() / f"models--{model.replace('/', '--')}"


def is_cached(model: str, folder: str, revision: str | None) -> bool:
    """Whether the cache has any file of a repository's folder, in that commit (None: in any)."""
    snapshots = cached(model) / "snapshots"
    return any(snapshots.glob(f"{revision or '*'}/{folder}/*"))


def hub_cache() -> Path:
    """Where huggingface_hub keeps what it fetched, by the variables that it reads itself."""
    home = Path.home() / ".cache"
    base = os.environ.get("XDG_CACHE_HOME") or home
    own = os.environ.get("HF_HOME") or Path(base) / "huggingface"
    kept = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    return Path(os.path.expandvars(kept or Path(own) / "hub")).expanduser()


def not_had(
    model: str, revision: str | None, licence: str, part: str, error: BaseException
) -> KindredError:
    """The error for a component that would not come, with what a person does about it."""
    names, texts = set(), []
    seen: BaseException | None = error
    while seen is not None:
        names.add(type(seen).__name__)
        texts.append(str(seen))
        seen = seen.__cause__ or seen.__context__
    text = " ".join(texts)
    where = f"base {model}" + (f" at {revision}" if revision else "") + f", part {part}"
    if "GatedRepoError" in names or "gated repo" in text:
        return KindredError(
            "you must accept its licence before you can download it",
            where,
            f"accept the licence ({licence}) on https://huggingface.co/{model} and run `hf auth "
            "login`, then run again; or set `model:` to the path of a local copy",
        )
    if "RevisionNotFoundError" in names:
        return KindredError("the repository has no such revision", where, "correct `revision:`")
    if not is_repository(model):
        cure = "correct `model:`; a path starts from the folder in which you run the command"
        return KindredError("no such folder", where, cure)
    if "RepositoryNotFoundError" in names:
        return KindredError(
            "is neither a folder here nor a repository that you can read",
            where,
            "correct `model:`, or run `hf auth login` if the repository is private",
        )
    return KindredError(
        "is not a folder here, and the download failed",
        where,
        f"check the network; on a machine without one, run `hf download {model}` elsewhere, copy "
        "the folder here and set `model:` to its path",
    )
