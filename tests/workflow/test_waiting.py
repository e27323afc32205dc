"""While jobs wait for a GPU, Snakemake has nothing to do: rules/common.smk takes its limit away."""

import subprocess
import sys
from pathlib import Path

import pytest

COMMON = Path(__file__).parents[2] / "rules" / "common.smk"
UNLIMITED = "workflow.scheduler.job_rate_limiter = None"
# Twenty quick jobs, then three that want the only GPU one after the other.
SNAKEFILE = """
onstart:
    {first}
    import os
    choose, asked = workflow.scheduler.job_selector, []
    def chosen(jobs):
        if os.path.isdir("began"):
            asked.append(jobs)
        return choose(jobs)
    workflow.scheduler.job_selector, config["asked"] = chosen, asked
onsuccess:
    print("asked", len(config["asked"]))
rule all:
    input: expand("long/{{n}}", n=range(3))
rule long:
    input: expand("quick/{{n}}", n=range(20))
    output: "long/{{n}}"
    resources: gpu=1
    shell: "sleep 1; mkdir -p began; sleep 2; touch {{output}}"
rule quick:
    output: "quick/{{n}}"
    shell: "touch {{output}}"
"""


def times_asked(folder: Path, first: str) -> int:
    """How often Snakemake looks for a job to begin while the long ones run.

    It looks once for each job that ended, so those that the quick ones left over are let pass.
    """
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE.format(first=first))
    arguments = ("--cores", "4", "--resources", "gpu=1", "--scheduler", "greedy")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.partition("asked ")[2].split()[0])


@pytest.mark.long
def test_nothing_is_chosen_while_nothing_can_begin(tmp_path):
    assert UNLIMITED in COMMON.read_text()
    unlimited = times_asked(tmp_path / "unlimited", UNLIMITED)
    assert unlimited * 2 < times_asked(tmp_path / "limited", "pass")
