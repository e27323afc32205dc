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
