"""Write down what is claimed, before anything is trained, and what is changed of it later.

in:  the configuration of an experiment, as Snakemake planned with it or as it is
out: one more entry of config/declared/<experiment>.jsonl, unless the last one says the same;
     optionally the declaration that stands, as JSON

Snakemake runs it before any training; by hand it takes the reason for a change:
    python scripts/preregister.py coverage --why "six headshots were too few to decide a control"
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.experiment_log import log_path
from kindred.common.files import write_json
from kindred.config.declaration import declaration_of
from kindred.evidence.amendments import current_declaration, statement
from kindred.evidence.preregistration import Found, preregister, runs_looked_at
from kindred.training.start_marker import trainings_begun
from kindred.workflow.frozen_plan import planned

EARLIER = Path("resources/store/declared")  # logs of an older form


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("experiment", help="file name in config/experiments, without .yaml")
    parser.add_argument("--why", default="", help="reason for what is changed")
    parser.add_argument("--out", type=Path, help="the declaration that stands, JSON to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Declare one experiment."""
    options = parse(argv)
    name = options.experiment
    plan, config = planned(name)
    if name not in plan.experiments:
        raise KindredError(f"no experiment {name} in what was planned", str(config), "check it")
    now = declaration_of(plan, plan.experiments[name], config, options.why)
    results = Path("results") / name
    found = Found(trainings_begun(results), runs_looked_at(results))
    entries = preregister(log_path(name), now, found, EARLIER / f"{name}.jsonl")
    if options.out:
        write_json(options.out, current_declaration(entries))
    print(f"{len(now.design['hypotheses'])} hypotheses, {statement(entries)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
