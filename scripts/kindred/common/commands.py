"""Commands as people are told them: complete, so that they work as they stand.

`snakemake` alone builds what config/config.yaml names, which need not be what somebody just ran.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable

VARIABLE = "KINDRED_EXPERIMENTS"  # what Snakemake was told by --config, for its jobs' messages
# In a message: the command without the experiments that it is to build.
BARE = re.compile(r"`snakemake((?: (?!-)[^`\s]+)*)`")
OF_EXPERIMENT = re.compile(r"\bresults/(?!families/|who-is-who)([^/\s]+)/")


def snakemake(experiments: str | Iterable[str], target: str = "") -> str:
    """The command that builds one or several experiments, or one target of them."""
    names = experiments if isinstance(experiments, str) else f"[{', '.join(experiments)}]"
    said = f"snakemake {target}".strip()
    return f"{said} --config {shlex.quote(f'experiments={names}')}"


def complete(text: str, experiments: str = "", photos: str = "") -> str:
    """A message whose commands name the experiments, and the folder of photos if it is known.

    Experiments that are not given are those that Snakemake was told, or else that in whose results
    a file of the message lies; where none is known, the text stays as it is.
    """
    if photos:
        text = text.replace("`make who`", f"`make who PHOTOS={shlex.quote(photos)}`")
    found = OF_EXPERIMENT.search(text)
    names = experiments or os.environ.get(VARIABLE, "") or (found[1] if found else "")
    if not names:
        return text
    return BARE.sub(lambda bare: f"`{snakemake(names, bare[1].strip())}`", text)


def asked(experiments: object) -> dict[str, str]:
    """What to add to the environment for the `experiments` that --config gave; nothing for none."""
    if not experiments:
        return {}
    several = isinstance(experiments, list | tuple)
    names = f"[{', '.join(map(str, experiments))}]" if several else str(experiments)
    return {VARIABLE: names}
