"""Which LoRA to take, in words: a tie is said as one, and why one of the equal ones is named."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kindred.evidence.adapter_choice import AdapterChoice, Contender
from kindred.report.adapter_offer import AdapterFile, _command, _said


def said(*contenders, base=(0.3, 0.1, 0.5), run=1):
    return _said(AdapterChoice("success", contenders, run, base))


def test_one_that_is_ahead_does_best():
    ahead, behind = Contender("longer", 1, 0.42), Contender("short", 1, 0.33, (0.09, -0.2, 0.4))
    assert "“longer” does best: in 42 % of its" in said(ahead, behind, base=(0.42, -0.1, 0.9))
    assert "Perhaps as good: “short” (33 %, behind by 9 points, −20 to +40)." in said(ahead, behind)


def test_a_tie_no_better_than_the_base():
    tied = Contender("short", 1, 0.333, steps=40), Contender("longer", 1, 0.334, steps=160)
    text = said(*tied, base=(0.33, -0.02, 0.7))
    assert text.startswith("Take none yet. “short” and “longer” do equally well: in 33 % of the pi")
    assert "more than the base draws by itself (33 points, −2 to +70)" in text
    assert text.endswith("It is the one named here because it was trained for fewer steps.")
    assert "does best" not in text


def test_a_tie_that_is_better_than_the_base():
    tied = Contender("b", 2, 0.9, steps=40), Contender("a", 2, 0.9, (0.0, -0.1, 0.1), steps=160)
    other = Contender("c", 2, 0.8, (0.1, -0.1, 0.3))
    text = said(*tied, other, run=2)
    assert text.startswith("“b” and “a” do equally well: in 90 %")
    assert "Take “b”, run 2, for now, because it was trained for fewer steps." in text
    assert text.endswith("Perhaps as good: “c” (80 %, behind by 10 points, −10 to +30).")
    assert "Perhaps" not in said(*tied)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((None, None), "comes first in the experiment."),
        ((40, None), "comes first in the experiment."),
        ((40, 40), "comes first in the experiment."),
        ((40, 80, 80), "was trained for the fewest steps."),
        ((40, 40, 80), "experiment of those that were trained for the fewest steps."),
    ],
)
def test_why_one_of_equal_ones_is_named(steps, why):
    tied = [Contender(f"v{n}", 1, 0.5, steps=one) for n, one in enumerate(steps)]
    assert said(*tied).endswith(why)


def test_of_equal_ones_the_more_alike_is_named():
    tied = Contender("a", 1, 0.5, steps=160, likeness=0.62), Contender("b", 1, 0.5, steps=40)
    assert said(*tied).endswith("because it is more alike (likeness 0.62).")
    three = (*tied, Contender("c", 1, 0.5, steps=40, likeness=0.4))
    assert said(*three).endswith("because it is the most alike (likeness 0.62).")
    equal = (tied[0], Contender("c", 1, 0.5, steps=200, likeness=0.62))
    assert said(*equal).endswith("because it was trained for fewer steps.")


def test_a_file_is_written_with_the_names_that_its_own_variant_learned():
    variants = {"only-A": {"only": "A"}, "all": {}}
    data = SimpleNamespace(variants=variants, names={"J": "JRussell", "A": "ARussell"})
    for variant, names in (("only-A", ["ARussell"]), ("all", ["ARussell", "JRussell"])):
        path = f"results/e/{variant}/run-1/lora.safetensors"
        words = _command(data, AdapterFile(path, "x.safetensors", 1.0, True)).split()
        assert words[words.index("--trigger") + 1 :] == names
