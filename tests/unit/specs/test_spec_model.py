"""What is said of a value of another kind: words for people, and a cure."""

import pytest
from pydantic import ValidationError

from kindred.specs.spec_model import SpecModel, problems_of


class Inner(SpecModel):
    a: int = 1


class Outer(SpecModel):
    whole: int = 1
    number: float = 1.0
    switch: bool = False
    text: str = ""
    several: list[int] = []
    pair: tuple[int, int] = (1, 2)
    named: dict[str, int] = {}
    inner: Inner = Inner()


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        ("whole", "few", "must be a whole number (is 'few')"),
        ("whole", 1.5, "must be a whole number (is 1.5)"),
        ("number", "much", "must be a number (is 'much')"),
        ("switch", "maybe", "must be true or false (is 'maybe')"),
        ("text", 7, "must be a text (is 7)"),
        ("several", 7, "must be a list (is 7)"),
        ("pair", 7, "must be a list (is 7)"),
        ("named", 7, "must have keys of its own (is 7)"),
        ("inner", 7, "must have keys of its own (is 7)"),
    ],
)
def test_a_value_of_another_kind_is_told_in_our_words_with_a_cure(key, value, what):
    with pytest.raises(ValidationError) as error:
        Outer.model_validate({key: value})
    (problem,) = problems_of(error.value, "file.yaml", Outer)
    assert (problem.where, problem.what) == (f"file.yaml: {key}", what)
    assert problem.cure
