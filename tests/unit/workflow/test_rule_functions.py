"""What functions of rules take stands on them, as Python would work it out."""

import inspect
from functools import partial
from types import SimpleNamespace

import pytest
import small_config
from snakemake.common import get_function_params
from snakemake.exceptions import InputFunctionException
from snakemake.io import AnnotatedString
from snakemake.persistence import ParamsChange

from kindred.common.errors import KindredError
from kindred.config.load_plan import load_plan
from kindred.workflow.rule_functions import end_in_a_sentence, what_changed, write_signatures


def test_functions_of_inputs_and_params_say_what_they_take():
    of_input, of_params = (lambda w: w.run), (lambda wildcards, input: input[0])
    other = partial(of_params, input=["x"])
    asked = [dict(inspect.signature(one).parameters) for one in (of_input, of_params, other)]
    rule = SimpleNamespace(input=[AnnotatedString(of_input), "a.png"], params=[of_params, other, 3])
    write_signatures([rule])
    assert "__signature__" in vars(of_input) and "__signature__" in vars(of_params)
    assert [dict(get_function_params(one)) for one in (of_input, of_params, other)] == asked


def rules_of(root):
    """What stands for the module `snakemake.rules`, with a small plan."""
    rules = SimpleNamespace(InputFunctionException=InputFunctionException)
    end_in_a_sentence(rules, str.upper, load_plan(small_config.write(root, "lab/base")))
    return rules


def test_a_mistake_that_a_function_meets_ends_in_its_message(tmp_path):
    rules = rules_of(tmp_path)
    with pytest.raises(SystemExit, match="ERROR: LAB/BASE: IS NOT THERE"):
        raise rules.InputFunctionException(KindredError("is not there", "lab/base", "put it back"))
    with pytest.raises(InputFunctionException, match="nobody foresaw"):
        raise rules.InputFunctionException("nobody foresaw this", wildcards={})


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("variant", "old", "THE EXPERIMENT 'ONE' HAS NO VARIANT 'OLD'"),
        ("dataset", "gone", "NO CONFIGURED EXPERIMENT HAS A DATASET 'GONE'"),
        ("base", "gone", "NO CONFIGURED EXPERIMENT HAS A BASE 'GONE'. CHOOSE ONE OF: SMALL"),
        ("variant", "all", ""),
    ],
)
def test_what_the_plan_lacks_is_said_where_a_function_did_not_find_it(kind, name, said, tmp_path):
    rules = rules_of(tmp_path)
    made = SimpleNamespace(linemaps={})
    rule = SimpleNamespace(
        expand_output=lambda _: (["a"], {}), lineno=1, snakefile="a", workflow=made
    )
    rule.name = "render"
    with pytest.raises(
        SystemExit if said else InputFunctionException, match=f"ERROR: A: {said}" if said else name
    ):
        raise rules.InputFunctionException(
            KeyError(name), rule=rule, wildcards={"experiment": "one", kind: name}
        )


def test_what_changed_is_said_in_words():
    spec = '\'{"prompt_sets": {"a": [%d]}}\''
    old, new = ({spec % n, f"'train {n}'"} for n in (2, 4))
    said = what_changed(ParamsChange(old, new))
    assert said == "prompt_sets: a [2] → [4]; train 2 → train 4"
    assert what_changed(ParamsChange(set(), {"7", "x("})) == "– → 7, x("
