"""What trainings draw on their way: of the experiment, and of nothing that is trained."""

import json

import pytest
import small_config

from kindred.common.errors import ProblemsError
from kindred.config import declaration
from kindred.config.load_plan import load_plan
from kindred.workflow import batched_jobs, paths, report_specs

SAMPLES = 'samples: {every: 100, prompts: ["{J} at sea", a man]%s}\n'
VARIANTS = "  all: {steps: 300}\n"


def planned(tmp_path, base, samples="", variants=VARIANTS):
    root = small_config.write(tmp_path, str(base))
    small_config.write_experiment(root, variants + samples)
    return load_plan(root)


def test_what_is_unset_is_as_in_the_first_prompt_set(tmp_path, base):
    plan = planned(tmp_path, base, SAMPLES % "")
    found = plan.experiments["one"].samples
    assert found.every == 100
    asked = found.prompt_set
    assert asked.texts() == {"J-at-sea": "JRussell at sea", "a-man": "a man"}
    usual = plan.experiments["one"].prompt_sets["solo"]
    assert (asked.width, asked.height, asked.steps) == (64, 64, usual.steps)
    assert asked.seeds == [1]
    own = planned(tmp_path / "b", base, SAMPLES % ", size: [96, 64], steps: 3, seeds: [5, 6]")
    asked = own.experiments["one"].samples.prompt_set
    assert (asked.width, asked.height, asked.steps, asked.seeds) == (96, 64, 3, [5, 6])


def test_nothing_that_is_trained_judged_or_declared_changes(tmp_path, base):
    plans = planned(tmp_path / "a", base), planned(tmp_path / "b", base, SAMPLES % "")
    plain, drawing = (plan.experiments["one"] for plan in plans)
    assert drawing.variants["all"].spec == plain.variants["all"].spec
    assert drawing.prompt_sets == plain.prompt_sets
    assert declaration.design_of(plans[1], drawing) == declaration.design_of(plans[0], plain)
    jobs = [json.loads(batched_jobs.training_jobs(one)) for one in (plain, drawing)]
    assert [{**entry, "samples": "results/one/samples.json"} for entry in jobs[0]] == jobs[1]
    assert paths.sample_files(plain, plain.variants["all"]) == []


def test_trainings_read_their_prompts_encoded_for_their_base(tmp_path, base):
    plan = planned(tmp_path, base, SAMPLES % "")
    one = plan.experiments["one"]
    assert paths.sample_files(one, one.variants["all"]) == [
        ("--samples", "results/one/samples.json"),
        ("--sample-texts", "resources/encoded/small/prompts/one/samples.safetensors"),
    ]
    assert set(plan.prompt_texts("one", "samples", "small").prompts) == {"J-at-sea", "a-man"}
    assert "results/one/live.html" in paths.all_targets(plan)
    page = report_specs.live_page_spec(one)
    assert page.variants == {"all": [1]} and page.every == 100 and len(page.prompts) == 2


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (
            "samples: {every: 0, prompts: [a man]}\n",
            "samples.every: must be greater than 0",
        ),
        ("samples: {every: 10}\n", "samples.prompts: is missing"),
        ("samples: {every: 10, prompts: []}\n", "samples.prompts"),
        ("samples: {every: 10, prompts: ['{K} at sea']}\n", "'{K}' has no meaning here"),
        (SAMPLES % ", size: [60, 64]", "samples.size: sides must be multiples of 16 px"),
        (SAMPLES % ", negative: blurry", "samples.negative: the base 'small' draws without"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, base, samples, said):
    with pytest.raises(ProblemsError) as caught:
        planned(tmp_path, base, samples)
    assert said in str(caught.value)


def test_no_prompt_set_has_their_name(tmp_path, base):
    root = small_config.write(tmp_path, str(base))
    file = root / "config/experiments/one.yaml"
    small_config.write_experiment(root, VARIANTS + SAMPLES % "")
    file.write_text(file.read_text().replace("  solo:", "  samples:"))
    with pytest.raises(
        ProblemsError, match="this name is reserved for the pictures that trainings draw"
    ):
        load_plan(root)
