"""profiles/slurm: every rule has a place, and no option of the default profile is lost."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
RULES = sorted((ROOT / "rules").glob("*.smk"))
# Of the machine that runs the jobs; a cluster has its own.
OF_A_MACHINE = {"cores", "resources"}


def profile(name: str) -> dict:
    return yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text(encoding="utf-8"))


def partitions() -> dict:
    path = ROOT / "profiles/slurm/partitions.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["partitions"]


def on_gpus() -> set[str]:
    """Names of the rules that take a GPU; those of the lab, which nobody runs on a cluster, and
    those with a dataset's name apart."""
    found = set()
    for path in RULES:
        if path.name != "lab.smk":
            blocks = re.split(r"^rule (\w+):$", path.read_text(encoding="utf-8"), flags=re.M)[1:]
            found |= {n for n, text in zip(*[iter(blocks)] * 2, strict=True) if "gpu=GPUS" in text}
    return found


def test_the_default_profile_is_repeated():
    ours = profile("slurm")
    assert {k: v for k, v in profile("default").items() if k not in OF_A_MACHINE} == {
        key: ours[key] for key in profile("default") if key not in OF_A_MACHINE
    }


def test_every_rule_on_a_gpu_has_memory_that_attempts_raise():
    asked = profile("slurm")["set-resources"]
    assert on_gpus() <= set(asked), on_gpus() - set(asked)
    known = "\n".join(path.read_text(encoding="utf-8") for path in RULES)
    for name, resources in asked.items():
        assert re.search(rf"^rule {name}:$", known, re.M), f"no rule {name}"
        assert all(re.fullmatch(r"\d+ \* attempt", value) for value in resources.values())
    defaults = dict(one.split("=", 1) for one in profile("slurm")["default-resources"])
    assert defaults["nodes"] == "1" and "TERM@" in defaults["slurm_extra"]
    assert all(defaults[key].endswith("* attempt") for key in ("mem_mb", "runtime"))


@pytest.mark.parametrize("key", ["groups", "group-components"])
def test_groups_are_of_known_rules(key):
    named = dict(one.split("=") for one in profile("slurm")["groups"])
    known = "\n".join(path.read_text(encoding="utf-8") for path in RULES)
    if key == "groups":
        assert all(f"rule {name}:" in known for name in named)
    else:
        assert {one.split("=")[0] for one in profile("slurm")[key]} <= set(named.values())


def test_no_job_asks_for_more_than_a_partition_has():
    """Such a job waits for ever, or ends the run. A group's members go in turn, so its time is
    the sum of theirs; a third attempt asks for three times as much."""
    ours = profile("slurm")
    has = {
        key: max(one[key] for one in partitions().values())
        for key in ("max_runtime", "max_threads", "max_mem_mb", "max_gpu")
    }
    limits = dict(one.split("=") for one in ours["resources"])
    assert ours["max-threads"] <= ours["cores"] <= has["max_threads"]
    assert int(limits["mem_mb"]) <= has["max_mem_mb"] and int(limits["gpu"]) <= has["max_gpu"]
    assert dict(one.split("=") for one in ours["set-resource-scopes"]) == dict.fromkeys(
        limits, "local"
    )
    defaults = dict(one.split("=", 1) for one in ours["default-resources"])
    groups = dict(one.split("=") for one in ours["groups"])
    members = {name: int(n) for name, n in (one.split("=") for one in ours["group-components"])}
    attempts = ours["retries"] + 1
    for rule, asked in ours["set-resources"].items():
        minutes, mib = (
            int(asked.get(key, defaults[key]).split()[0]) for key in ("runtime", "mem_mb")
        )
        together = members.get(groups.get(rule, ""), 1)
        assert minutes * together * attempts <= has["max_runtime"], rule
        assert mib * attempts <= int(limits["mem_mb"]), rule
