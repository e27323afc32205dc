"""The figures that stand beside cast accuracy: each one record, from which page and docs follow.

A record says in one sentence what a figure means to somebody without statistics, how it is computed
and from where, and what it reads without names. Knows words; knows nothing of rows or arrays
(`evidence/cast_figures.py` computes them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CastFigure:
    """One figure. `name`: its key in summary.json. `question`: heads its table. `says`: what it
    means. `definition`: how it is computed, with its source; `formula`: the same in the symbols of
    docs/reference/measures.md; `unit`: what number it is; `code`: what computes it, 'file: name'.
    `without_names`: what it reads for an adapter that knows no names."""

    name: str
    question: str
    says: str
    definition: str
    formula: str
    unit: str
    code: str
    without_names: str


_RECORDS = (
    CastFigure(
        name="accuracy",
        question="Who is drawn exactly when asked for?",
        says="The proportion of pictures that show exactly the people asked for: each of them "
        "once, and nobody else.",
        definition="1 where the members found are those asked for, each once, and the number of "
        "heads is right; mean within each cast, then over casts; casts of members alone (family) "
        "and casts with strangers apart",
        formula="M = mean over casts of the mean of y over the cast’s pictures and runs,\n"
        "y = [n = k  and  F(x) = [x ∈ A] for every character x]",
        unit="proportion, written in %",
        code="evidence/cast_figures.py: accuracies",
        without_names="at most the lines of the drawers without names; a base alone 0 in casts "
        "with members and 1 in those of strangers alone",
    ),
    CastFigure(
        name="worst",
        question="Which combination is hardest?",
        says="The combination that comes out least often. It is picked by one half of the "
        "pictures and counted in the other half, because the lowest of twelve looks low by bad "
        "luck alone.",
        definition="lowest cast mean, named on every second picture and read on the others, and "
        "the reverse; mean of both",
        formula="W = (m₂(argmin m₁) + m₁(argmin m₂)) / 2,\n"
        "m₁(c), m₂(c): mean of y of cast c in either half of the pictures; casts that tie: "
        "their mean",
        unit="proportion, written in %",
        code="evidence/cast_accuracy.py: worst_cast",
        without_names="at most cast accuracy",
    ),
    CastFigure(
        name="casts",
        question="How often is each combination right?",
        says="Each column is one combination of people asked for.",
        definition="mean within each cast",
        formula="m(c) = mean of y over the pictures and runs of cast c",
        unit="proportion, written in %",
        code="evidence/cast_accuracy.py: by_cast",
        without_names="high for at most one cast of each number of people",
    ),
    CastFigure(
        name="canvases",
        question="Does the picture's shape matter?",
        says="The same combinations on each shape. Who knows the names is right on every shape; "
        "who goes by the shape is right on one.",
        definition="cast accuracy on each canvas",
        formula="M of the pictures of one canvas",
        unit="proportion, written in %",
        code="evidence/cast_figures.py: accuracies",
        without_names="what the canvas gives away",
    ),
    CastFigure(
        name="wordings",
        question="Does the wording matter?",
        says="The same combinations asked for in other words.",
        definition="cast accuracy in each wording",
        formula="M of the pictures of one wording",
        unit="proportion, written in %",
        code="evidence/cast_figures.py: accuracies",
        without_names="as cast accuracy",
    ),
    CastFigure(
        name="detection",
        question="Does each person come when called, and only then?",
        says="First how often a person is there when called, then how often when somebody else was "
        "called. Where the two are alike, the name changes nothing, and the distance between them "
        "(d′) is near 0. c is above 0 for somebody who is shown too rarely whatever is asked, and "
        "below 0 for somebody shown too often.",
        definition="d′ = z(H) − z(G) and bias c = −(z(H) + z(G)) / 2, with H = (hits + 0.5) / "
        "(pictures asking + 1) and G = (false alarms + 0.5) / (other pictures + 1) (log-linear "
        "correction: Hautus 1995, doi 10.3758/BF03203619); a run each, then Student's t over runs",
        formula="H = (h + 0.5) / (a + 1),   h of the a pictures that ask for x show x\n"
        "G = (g + 0.5) / (b + 1),   g of the b other pictures show x\n"
        "d′ = z(H) − z(G),   c = −(z(H) + z(G)) / 2",
        unit="standard deviations of the normal distribution, no bounds; the largest d′ that so "
        "many pictures can give stands beside it",
        code="evidence/detection.py: Detection",
        without_names="0",
    ),
    CastFigure(
        name="bits",
        question="How much do the names decide?",
        says="How much knowing who was asked for tells about who is there, in bits: 0 is nothing, "
        "the last column is everything. People swapped in always the same way would count in "
        "full, so read it beside the first table.",
        definition="mutual information of the members asked for and found, sum p log2(p / p_a "
        "p_f) (Shannon 1948), on each canvas, all runs together, minus its mean over permutations "
        "within the canvas; mean over canvases; from 192 pictures a canvas on",
        formula="I = mean over canvases of  I(a; f) − mean over 200 permutations π of I(a; π(f))\n"
        "I(a; f) = Σ p(a, f) log₂(p(a, f) / (p(a) p(f))),   a: members asked for, f: members "
        "found",
        unit="bits, 0 to the entropy of a, which is the last column; may be a little below 0",
        code="evidence/mutual_information.py: bits",
        without_names="0",
    ),
    CastFigure(
        name="order",
        question="Does everybody stand where the prompt says?",
        says="Of the pictures with the right people, the proportion in which they also stand in "
        "the order asked for, beside what chance alone gives.",
        definition="sequence by the middle of the boxes = sequence asked for, given that the cast "
        "is right; chance 1/k! of k people, strangers alike; and cast and order both right",
        formula="order = mean of [from left to right stand those asked for, in their order], "
        "of pictures with y = 1\n"
        "both = mean over casts of the mean of y × [in their order]\n"
        "chance = mean of (s! / k!),   s of the k people strangers, who are alike",
        unit="proportion, written in %",
        code="evidence/placement.py: order",
        without_names="chance; few pictures have the right cast",
    ),
    CastFigure(
        name="garments",
        question="Does everybody wear what the prompt says?",
        says="Of the people found, the proportion that wear what was asked of them; whose clothes "
        "somebody else wears; and that are in a picture in which all wear the same.",
        definition="garment read by the judge on each person, of prompts that dress two members "
        "or more, of members found; chance 1/k of k garments dealt at random",
        formula="over members x asked for, dressed by the prompt and found:\n"
        "right = mean of [x wears the garment of x]\n"
        "swapped = mean of [x does not, and somebody else does]\n"
        "same = mean of [two people or more are there, and all wear one and the same]\n"
        "chance = mean of 1 / (number of garments in the prompt)",
        unit="proportion, written in %",
        code="evidence/placement.py: garments",
        without_names="chance",
    ),
    CastFigure(
        name="count",
        question="Is the number of people right?",
        says="The proportion of pictures with as many heads as were asked for, and how many heads "
        "too many (+) or too few (−) there are on average.",
        definition="heads found = asked, and the signed mean of found − asked; mean over casts",
        formula="right = mean over casts of the mean of [n = k]\n"
        "difference = mean over casts of the mean of (n − k)",
        unit="proportion in %, and heads",
        code="evidence/cast_parts.py: counts",
        without_names="set by the canvas and the nouns",
    ),
    CastFigure(
        name="products",
        question="Are groups harder than their people?",
        says="What a group would reach if its people did not disturb each other, beside what it "
        "reaches, on the same shape. A difference below 0 means that they do.",
        definition="count × product of “alone right” of each member, on the same canvas; gap = "
        "accuracy of the groups − product; mean over groups of members",
        formula="on each canvas, groups g of two members or more:\n"
        "success = mean over g of m(g)\n"
        "product = mean over g of  mean of [n = k] of g × Π m({x}) over x in g\n"
        "gap = success − product",
        unit="proportion, written in %; the gap −1 to 1",
        code="evidence/cast_parts.py: products",
        without_names="near 0 both",
    ),
    CastFigure(
        name="looks",
        question="How alike are those who are found?",
        says="Likeness of each person where asked for and found: 0 is a stranger, 1 another "
        "photo. The last column weighs everybody the same.",
        definition="identity of people recognised as somebody asked for, by character; mean over "
        "characters",
        formula="alone(x) = mean of id(p, x) over people p recognised as x, where x alone was "
        "asked for\n"
        "together(x) = the same where x was asked for with others\n"
        "the last column: mean over the characters that are found",
        unit="as id: 0 a stranger, 1 another photo",
        code="evidence/cast_parts.py: looks",
        without_names="nobody is found, or whoever is always drawn",
    ),
    CastFigure(
        name="thresholds",
        question="Would a stricter judge say the same?",
        says="The proportion of right pictures if people counted as recognised from another "
        "likeness on. An order of rows that turns from left to right is no result.",
        definition="cast accuracy with `recognised` from 0.3 to 0.8, from the likeness of every "
        "person with every character",
        formula="M(t), with  n = k  and the members found those asked for, each once,\n"
        "a person being the character of the largest id where that is ≥ t;   t = 0.3, 0.4, … 0.8",
        unit="proportion, written in %",
        code="evidence/cast_accuracy.py: threshold_curve",
        without_names="as cast accuracy",
    ),
)
CAST_FIGURES: Mapping[str, CastFigure] = {one.name: one for one in _RECORDS}
# Drawers without names: key in summary.json -> how a row of theirs is headed.
DRAWERS: Mapping[str, str] = {
    "canvas": "who sees only the picture’s shape",
    "number": "… and how many people are asked for",
    "nouns": "… and words like “a woman”",
}
