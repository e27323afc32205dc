"""What is said where nothing was claimed beforehand."""

from types import SimpleNamespace

from kindred.report.seen_without_claims import seen_without_claims


def row(measure, *ends):
    low, difference, high = ends
    told = {"variant": "BASE", "against": "short", "prompt_set": "trio", "measure": measure}
    return told | {"difference": difference, "low": low, "high": high}


def said(*rows, runs=()):
    variants = {str(n): {"kind": "trained", "runs": range(n)} for n in runs}
    summary = {"comparisons": list(rows), "baseline": "short", "judge": {"counts": "people"}}
    return seen_without_claims(
        SimpleNamespace(hypotheses={}, summary=summary, variants=variants), None
    )


def test_a_difference_that_is_rounded_to_nothing_is_none():
    clear, tiny = row("identity", -0.7, -0.6, -0.5), row("adherence", 1e-4, 2e-4, 3e-4)
    assert "by −0.60 (−0.70 to −0.50)" in said(clear, tiny)[0] and len(said(clear, tiny)) == 2
    assert said(tiny) == ["No variant differs from “short” by more than chance can explain."]


def test_one_training_each_is_told_beside_the_intervals():
    clear = row("identity", -0.7, -0.6, -0.5)
    assert said(clear, runs=[1])[-1].startswith("Each variant was trained once.")
    assert said(clear, runs=[1, 2]) == said(clear)


def test_of_a_single_variant_no_difference_is_told():
    assert said() == []
