"""Which kind of trigger names is learned best, from the results of the experiment kinds-of-names.

    python benchmarks/kinds_of_names.py [--results results]

Cast accuracy of each family under each kind of names, in percent, and by how much each other kind
differs from a shared surname: mean over families with its 95 % interval (Student's t, families are
the unit).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from kindred.common.errors import KindredError, run_main  # noqa: E402
from kindred.common.files import read_json  # noqa: E402
from kindred.config.albums import made_of  # noqa: E402
from kindred.evidence.family_means import figure_of, told  # noqa: E402
from kindred.specs.family_figures import FIGURES  # noqa: E402
from kindred.world.renamed_families import KINDS_OF_NAMES, first_name_of  # noqa: E402

EXPERIMENT, VARIANT, PROMPT_SET = "kinds-of-names", "composed", "casts"
SURNAME = "surname"  # the kind of names that families have at first
Table = dict[str, dict[str, float]]  # family -> kind of names -> a figure


def tables_of(results: Path, figures: Sequence[str]) -> dict[str, Table]:
    """Figures of every family under each kind of names; each family's results are read once.
    Raises KindredError where they are not there, or hold no such figure."""
    tables: dict[str, Table] = {figure: {} for figure in figures}
    for name in made_of(ROOT / "config", EXPERIMENT):
        path, album = results / name / "summary.json", name.removeprefix(f"{EXPERIMENT}-")
        summary = read_json(path) if path.is_file() else None
        family = first_name_of(album)
        kind = album.removeprefix(family).lstrip("-") or SURNAME
        for figure, table in tables.items():
            value = None
            if summary is not None:
                value = figure_of(summary, FIGURES[figure], VARIANT, PROMPT_SET)
            if value is None:
                cure = f"run `snakemake --config experiments={name}`"
                raise KindredError("has no figures of casts", str(path), cure)
            table.setdefault(family, {})[kind] = value
    return tables


def lines_of(table: Table) -> list[str]:
    """The table and the differences of its means, as printed."""
    kinds = [SURNAME, *KINDS_OF_NAMES]
    lines = [f"{'':10}" + "".join(f"{kind:>10}" for kind in kinds)]
    for family, values in table.items():
        lines.append(f"{family:10}" + "".join(f"{100 * values[kind]:10.1f}" for kind in kinds))
    means = [sum(one[kind] for one in table.values()) / len(table) for kind in kinds]
    lines.append(f"{'mean':10}" + "".join(f"{100 * mean:10.1f}" for mean in means))
    for kind in KINDS_OF_NAMES:
        said = told([one[kind] - one[SURNAME] for one in table.values()])
        mean, low, high = (100 * said[key] for key in ("mean", "low", "high"))
        lines.append(f"{kind} - {SURNAME}: {mean:+.1f} ({low:+.1f} to {high:+.1f})")
    return lines


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of results")
    args = parser.parse_args(argv)
    for figure, table in tables_of(args.results, ("members", "casts")).items():
        print("\n".join([f"{FIGURES[figure].says}, %", *lines_of(table)]))
    return 0


if __name__ == "__main__":
    run_main(main)
