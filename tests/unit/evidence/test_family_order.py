"""In what order claims about families are tested."""

from kindred.evidence.family_order import tests as order

P = {"a": 0.001, "b": 0.02, "c": 0.004, "d": 0.03, "other": 0.5}
PRIMARY = ["a", "b", "c", "d"]


def test_a_sequence_first_then_holm_of_the_rest():
    found = order(P, PRIMARY, ["a", "b"], lambda name: True)
    assert [found[name].left for name in PRIMARY] == [1, 1, 2, 1]
    assert [found[name].p for name in PRIMARY] == [0.001, 0.02, 0.02, 0.03]
    assert not any(one.after for one in found.values()) and found["other"].p == 0.5


def test_behind_one_that_is_not_supported_nothing_is_tested():
    found = order(P, PRIMARY, ["a", "b"], lambda name: name != "a")
    assert [found[name].after for name in PRIMARY] == ["", "a", "a", "a"]
    assert found["other"].after == ""


def test_without_a_sequence_all_are_corrected_together():
    assert [one.left for one in order(P, PRIMARY, [], lambda name: False).values()] == [
        4,
        2,
        3,
        2,
        1,
    ]
