"""Every step gives what it gave when its version was set."""

from __future__ import annotations

from pathlib import Path

import pytest
from golden import check
from golden_bases import OTHERS, StepsOnBase
from golden_steps import STEPS, versions_of

from kindred.common.versions import VERSIONS
from kindred.models import architectures

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def others(steps):
    """Architecture -> the steps on its tiny base."""
    return {name: StepsOnBase(steps, name) for name in OTHERS}


@pytest.mark.parametrize("name", STEPS)
def test_a_step_gives_what_it_gave(name, steps, others, update):
    step, _, architecture = name.partition(".")
    output = getattr(others.get(architecture, steps), step)
    check(HERE / f"{name}.json", versions_of(name), output, update)


def test_every_step_has_its_golden_file():
    steps = {step for step in VERSIONS if not step.startswith("lab_")}
    steps |= {one.name for one in architectures.every()}
    assert steps == {step for of_file in STEPS.values() for step in of_file}
