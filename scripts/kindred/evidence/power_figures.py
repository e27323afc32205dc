"""What an experiment's design can find, hypothesis by hypothesis: power.json.

Knows which variances a hypothesis is forecast with and when a design decides its margin; the
figures are power.py's, the words power_words.py's.

A margin counts as decided where a difference twice as large (at most 20 points larger; of 10 points
where the margin is 0) is found to be above it in POWER of cases. With 192 pictures of twelve casts
a run, 7 runs decide a margin of 10 points and 5 one of 15. "No difference larger than the margin"
is shown in POWER of cases from 8 and 4 runs on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kindred.evidence.design_variance import Design, Forecast, forecast
from kindred.evidence.intervals import LEVEL, level_of
from kindred.evidence.labels import FEWEST_FOR_ALL, FEWEST_RUNS, equivalence_margin
from kindred.evidence.pilot_variances import Observed, Pilot, observed, weighed
from kindred.evidence.power import POWER, Outlook, Reach
from kindred.evidence.power_simulation import World
from kindred.evidence.power_words import told
from kindred.specs.measures import MEASURES
from kindred.specs.power import AskedPrompts, PowerSpec
from kindred.specs.scoring import Hypothesis

USUAL_MEAN = 0.55  # of both arms' shares, where no pilot tells
EXTREME = 0.02  # shares are not taken to be nearer to 0 or 1
USUAL_BEYOND, MOST_BEYOND = 0.10, 0.20

Pilots = Callable[[str, str], Sequence[Pilot]]  # prompt set, measure -> pilots, best first


def figures(spec: PowerSpec, pilots: Pilots) -> dict[str, Any]:
    """power.json: `hypotheses`, by name what the design finds of each (see `_figures`), and how
    many of them are primary, which sets their level (Bonferroni's, Holm's first step)."""
    primaries = sum(one.primary for one in spec.hypotheses.values())
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    hypotheses = {}
    for name, one in spec.hypotheses.items():
        level = level_of(primaries) if one.primary else LEVEL
        fewest = FEWEST_RUNS if one.primary and primaries == 1 else FEWEST_FOR_ALL
        case = _case(spec, one, level, pilots, fewest)
        if case.key not in found:
            found[case.key] = _figures(case)
        about = one.model_dump(
            include={"claim", "variant", "against", "measure", "prompt_set", "primary"}
        )
        hypotheses[name] = about | found[case.key]
    for name, one in hypotheses.items():
        hypotheses[name] = one | told(one, primaries, spec.experiment)
    return {
        "experiment": spec.experiment,
        "power": POWER,
        "primaries": primaries,
        "hypotheses": hypotheses,
    }


@dataclass(frozen=True)
class _Case:
    """A hypothesis as far as its figures go. `fewest`: runs below which it is a pilot (labels)."""

    design: Design
    margin: float
    level: float
    fewest: int
    share: bool
    world: World
    seen: Observed | None

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for hypotheses that have the same figures."""
        return self.design, self.margin, self.level, self.fewest, self.share, self.world, self.seen

    def reach(self) -> Reach | None:
        """What the design can find; None where nothing is known of the measure."""
        if self.share:
            return Reach(self._of_shares(), self.design, self.level, 1 - 2 * EXTREME)
        if self.seen is None or self.seen.prompt_variance is None:
            return None
        return Reach(self.seen.forecast, self.design, self.level)

    def _of_shares(self) -> Outlook:
        """The model's variances, with what a pilot says of them."""
        of_runs, of_items = self._factors()

        def outlook(design: Design, difference: float) -> Forecast:
            half = difference / 2 + EXTREME
            mean = min(max(self.world.share, half), 1 - half)
            model = forecast(design, replace(self.world, share=mean, difference=difference))
            if of_runs == of_items == 1.0:
                return model
            return model.times(of_runs, of_items)

        return outlook

    def _factors(self) -> tuple[float, float]:
        """By which the variance of runs and that of prompts differ from the model's."""
        seen = self.seen
        if seen is None:
            return 1.0, 1.0
        # As many runs as the pilot had, of two trained arms: its variance of prompts holds theirs.
        piloted = replace(self.design, runs=(seen.runs, seen.runs), paired=False)
        model = forecast(piloted, replace(self.world, difference=0.0))
        of_items = 1.0
        if seen.prompt_variance is not None and not self.design.few:
            expected = sum(part.variance for part in model.items) / self.design.shares[1]
            of_items = weighed(seen.prompt_variance, seen.prompt_freedom, expected)
        expected = model.runs[0].variance * seen.runs
        return weighed(seen.run_variance, seen.run_freedom, expected), of_items


def _case(
    spec: PowerSpec, one: Hypothesis, level: float, pilots: Pilots, fewest: int = FEWEST_RUNS
) -> _Case:
    asked = spec.prompt_sets[one.prompt_set]
    measure = MEASURES[one.measure]
    runs = spec.runs[one.variant], spec.runs[one.against]
    design, share = design_of(runs, asked, measure.macro), measure.kind.percent
    design = replace(design, paired=one.paired)
    fitting = (
        pilot
        for pilot in pilots(one.prompt_set, one.measure)
        if pilot.names == asked.pictures.keys()
    )
    seen = None
    if pilot := next(fitting, None):
        seen = observed(pilot, (one.variant, one.against), asked, design.strata)
    mean = USUAL_MEAN if seen is None or seen.mean is None else seen.mean
    mean = min(max(mean, EXTREME), 1 - EXTREME)
    return _Case(design, one.margin, level, fewest, share, World(share=mean), seen)


def design_of(runs: tuple[int, int], asked: AskedPrompts, macro: bool = False) -> Design:
    """The design of two arms with so many runs in a prompt set. `macro`: the mean is over casts of
    the mean within."""
    casts = tuple(asked.of_each.values())
    return Design(runs, casts, asked.per_prompt, strata=asked.strata, macro=macro)


def beyond(margin: float, largest: float) -> float:
    """The true difference that a design must find to be above the margin, to count as deciding."""
    return min(margin + min(margin or USUAL_BEYOND, MOST_BEYOND), (margin + largest) / 2)


def _figures(case: _Case) -> dict[str, Any]:
    """Of one hypothesis, in the measure's own units (shares: 0 to 1; None: not within reach):

    runs [2], prompts, casts, pictures (a run); level, margin; unit 'points' or 'units'; variances:
    'model', 'unknown' or where a pilot lies, and `mean`, the share assumed of both arms;
    finds: the smallest true difference that is found in POWER of cases; finds_beyond: that is found
    to be above the margin; aim, aim_power: a difference above the margin and its chance to be found
    so; decides: whether that is POWER; needs: what would be enough, {} where the design is: runs,
    prompts, each by itself, or [runs, prompts] as `both` where neither is;
    equivalence: the smallest x of which 'no difference larger than x' is shown in POWER of cases if
    there is none; label_equivalence {x, power}: that x of which the label may be given, and the
    chance to show it; pilot: too few runs for any label.
    """
    design, reach = case.design, case.reach()
    found: dict[str, Any] = {
        "runs": list(design.runs),
        "prompts": design.prompts,
        "casts": len(design.casts),
        "pictures": round(design.prompts * design.pictures),
        "level": case.level,
        "margin": case.margin,
        "unit": "points" if case.share else "units",
        "variances": case.seen.source if case.seen else "model" if case.share else "unknown",
        "mean": case.world.share if case.share else None,
        "pilot": any(0 < n < case.fewest for n in design.runs),
        "decides": False,
    }
    if reach is None:
        return found | {"variances": "unknown"}
    aim = beyond(case.margin, reach.largest)
    power = reach.above(case.margin, aim)
    enough = power >= POWER
    needs = _needs(reach, case, aim) if found["pilot"] or not enough else {}
    runs = min((n for n in design.runs if n), default=None)
    x = equivalence_margin(case.margin, runs)
    return found | {
        "finds": reach.smallest(),
        "finds_beyond": reach.smallest(case.margin),
        "aim": aim,
        "aim_power": power,
        "decides": enough and not found["pilot"],
        "needs": needs,
        "equivalence": reach.equivalence(),
        "label_equivalence": None if x is None else {"x": x, "power": reach.within(x)},
    }


def _needs(reach: Reach, case: _Case, aim: float) -> dict[str, Any]:
    """What would be enough: runs or prompts; both where neither alone is."""
    runs = reach.runs_needed(case.margin, aim, case.fewest)
    few = any(0 < n < case.fewest for n in case.design.runs)
    prompts = None if few else reach.prompts_needed(case.margin, aim)
    both = None if runs or prompts else reach.both_needed(case.margin, aim, case.fewest)
    return {"runs": runs, "prompts": prompts, "both": list(both) if both else None}


def warnings(power: Mapping[str, Any]) -> list[str]:
    """A line for every hypothesis that its design can't decide, of those that are forecast."""
    where = f"config/experiments/{power['experiment']}.yaml: hypotheses"
    return [
        f"{where}.{name}: {one['warning']}"
        for name, one in power["hypotheses"].items()
        if one["warning"]
    ]
