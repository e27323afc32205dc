"""Figures of the report that are no measure of a picture and no figure of casts: each one record.

Copies beside photos that were not trained on, people of a group beside the same people alone, who
is drawn for whom, steps, people's ratings. Knows words and formulas; computes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

SHARE = "proportion, written in %"


@dataclass(frozen=True)
class ReportFigure:
    """One figure. `name`: its key; `file`: of which file of results, with the place of the key.
    `says`: what it means; `formula`: how it is computed, in the symbols of
    docs/reference/measures.md; `unit`: what number it is. `chance`: what it reads where nothing was
    learned, and why. `code`: what computes it, 'file: name'."""

    name: str
    file: str
    says: str
    formula: str
    unit: str
    chance: str
    code: str


REPORT_FIGURES = (
    ReportFigure(
        name="copied_by_bits",
        file="summary.json: copies",
        says="copies, found by a small picture’s bright and dark instead of by the judge",
        formula="[fewest differing bits to any photo or composite trained on  <  q],\n"
        "q as in `copied`, by differing bits of the 128 of an 8 × 8 grid: is each cell brighter\n"
        "than its right and than its lower neighbour",
        unit=SHARE,
        chance="as `copied`",
        code="scoring/training_pictures.py: TrainingPictures; "
        "data/image_quality.py: difference_hash",
    ),
    ReportFigure(
        name="same_layout",
        file="summary.json: copies",
        says="pictures in which the same people stand in the same places as in a composite",
        formula="[same letters from left to right as in the nearest composite, and every edge\n"
        "of every head within 0.05 of the picture’s width of that head’s edge in the composite]",
        unit=SHARE,
        chance="nothing to derive it from: read a variant without composites",
        code="scoring/training_pictures.py: same_layout",
    ),
    ReportFigure(
        name="held_out",
        file="summary.json: copies",
        says="what photos that were not trained on read by the measure `copied`",
        formula="mean over photos h not trained on of [min of d(h, j) over j trained on  <  q]\n"
        "nearer = proportion of pairs (picture i, photo h) with d(i) < d(h), equal ones half\n"
        "z = (U − m n / 2) / √(m n / 12 × (m + n + 1 − ties)),   mean over runs\n"
        "d(i), d(h): distance to the nearest picture trained on;   m pictures of a run, n photos;\n"
        "U: pairs in which the picture is farther, equal ones counted half (Mann and Whitney);\n"
        "ties: Σ(t³ − t) / ((m + n)(m + n − 1)) over groups of t equal distances",
        unit="proportion; nearer 0 to 1; z in standard deviations",
        chance="is itself what chance reads; nearer 0.5 and z 0 where pictures are as far from "
        "what was trained on as other photos are",
        code="evidence/copies.py: mann_whitney",
    ),
    ReportFigure(
        name="of_own",
        file="summary.json: variants",
        says="likeness of a person as a proportion of that in pictures of the person alone by a "
        "LoRA of that person alone",
        formula="mean of id(m(x), x) over pictures that ask for so many people, x among them\n"
        "/ mean of the same over pictures of x alone by the LoRA of x alone, where that is ≥ 0.2",
        unit="proportion, written in %; may be above 100 %",
        chance="near 0, as `identity`",
        code="evidence/variant_statistics.py: share_of_single_lora",
    ),
    ReportFigure(
        name="parts",
        file="summary.json: variants",
        says="what a group would reach if its people did not disturb each other, where prompts are "
        "written and no casts",
        formula="product = mean of [n = k] of groups × mean over cells g of Π alone(x), x in g\n"
        "alone(x) = mean success of pictures that ask for x alone\n"
        "interaction = mean success of groups − product",
        unit="proportions; the interaction −1 to 1",
        chance="near 0 both, because nobody is right alone",
        code="evidence/variant_statistics.py: parts",
    ),
    ReportFigure(
        name="bleed",
        file="summary.json: variants",
        says="who is drawn where a person is asked for",
        formula="row x, column y: proportion of the appearances of x asked for in which the\n"
        "person assigned to x is recognised as y; a stranger; or nobody is assigned (missing)",
        unit="proportions; each row sums to 1",
        chance="all in the columns stranger and missing",
        code="evidence/score_grids.py: grid_of",
    ),
    ReportFigure(
        name="alpha",
        file="summary.json: ratings",
        says="how far people agree with each other (Krippendorff’s alpha)",
        formula="1 − (squared distance within pictures) / (the same if grades were dealt anew),\n"
        "distance of two grades: number of ratings between them, those at either end counted half",
        unit="1 perfect; may be below 0",
        chance="0: grades dealt at random",
        code="evidence/rater_agreement.py: alpha",
    ),
    ReportFigure(
        name="judge",
        file="summary.json: ratings",
        says="how far the judge sees what people see",
        formula="auc = chance that a picture with success 1 is rated higher than one with 0,\n"
        "equal ones counted half\n"
        "spearman = correlation of the ranks of rating and identity",
        unit="auc 0 to 1; spearman −1 to 1",
        chance="auc 0.5, spearman 0: ratings that have nothing to do with what the judge says",
        code="evidence/human_ratings.py: judge_agreement",
    ),
    ReportFigure(
        name="ceiling",
        file="summary.json",
        says="what cast accuracy reads of perfect pictures: the lab’s own drawings of the casts, "
        "through the base’s autoencoder",
        formula="mean over casts of the mean of y over the cast’s drawings",
        unit=SHARE,
        chance="no lower than what any adapter can reach; below 95 % of a cast the report warns",
        code="evidence/ceiling.py: ceiling_figures",
    ),
    ReportFigure(
        name="held_out_loss",
        file="series.json",
        says="loss on photos kept away from training",
        formula="mean over held-out photos and the noise levels σ = 0.125, 0.375, 0.625, 0.875 of\n"
        "the mean over the latent’s numbers of (network’s answer − (noise − latent))²",
        unit="squared units of the latents, which are normalised by the base",
        chance="nothing to derive it from: only differences between steps, runs and variants with "
        "the same held-out photos tell",
        code="training/held_out_loss.py: HeldOutLoss",
    ),
    ReportFigure(
        name="step",
        file="series.json",
        says="the step to take",
        formula="of the kept steps whose M (or success) is ≥ the best step’s − 0.02 the first\n"
        "whose likeness is ≥ the greatest among them − 0.01; with\n"
        "`take: held_out` the step of the least held-out loss",
        unit="optimizer steps",
        chance="any step, so prompts of `selection` are used by no verdict",
        code="evidence/step_series.py: step_to_take; evidence/held_out_steps.py: held_out_choice",
    ),
)
