"""What an experiment's log amounts to: which declaration stands, what was changed afterwards, and
which claims were changed when results of the very same runs had been seen.

Knows the entries that preregistration.py writes; writes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kindred.common.chained_log import Entry
from kindred.common.experiment_log import Runs, in_families, stated
from kindred.common.hashing import canonical_json, spec_hash
from kindred.common.sentences import counted
from kindred.evidence.design_changes import NOTHING, rows_of
from kindred.evidence.preregistration import design_of
from kindred.specs.scoring import CompareSpec, Hypothesis, settings_hash

ROWS = 12  # of more values that changed at once the first are in the table
Row = dict[str, str]
SEEN = {"unknown": "not recorded", "pilot": "a pilot"}


def standing(entries: Sequence[Entry]) -> int | None:
    """The place of the declaration that stands: what was last stated before any training had begun
    and any figure been seen, or else the first one; None where nothing was declared."""
    blind = None
    for place, entry in enumerate(entries):
        if entry["kind"] not in ("declared", "amended") or not _is_blind(entry):
            break
        blind = place
    return blind if blind is not None else next(iter(stated(entries)), None)


def _is_blind(entry: Entry) -> bool:
    late = entry.get("begun") or entry.get("looked") or entry.get("trained")
    return not late and entry["seen"] in ("nothing", "unknown")


def current_declaration(entries: Sequence[Entry]) -> dict[str, Any] | None:
    """The declaration that stands: "time", "hash" of its design, "hypotheses" with the prompts and
    the hash of the settings that each rests on, "trained": how many trainings had begun by then."""
    place = standing(entries)
    if place is None:
        return None
    entry, design = entries[place], design_of(entries[: place + 1])
    begun = sum(map(len, entry.get("begun", {}).values()))
    return {
        "time": entry["time"],
        "hash": spec_hash(design),
        "hypotheses": resolved(design),
        "trained": entry.get("trained", begun),
    }


def resolved(design: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The hypotheses of a design as CompareSpec.resolved_hypotheses says them."""
    if "prompt_sets" not in design:  # carried over from a log that held them so
        return {name: dict(one) for name, one in design.get("hypotheses", {}).items()}
    found = {}
    for name, said in design["hypotheses"].items():
        one = Hypothesis.model_construct(**said)
        asked = design["prompt_sets"][one.prompt_set]["prompts"]
        found[name] = one.resolved(
            {key: _spec_hash(design["variants"][key]) for key in (one.variant, one.against)},
            {prompt: text["text"] for prompt, text in asked.items()},
        )
    return found


def _spec_hash(variant: Mapping[str, Any]) -> str:
    if "training" not in variant:
        return ""
    return settings_hash(canonical_json(variant["training"]), variant.get("take", "last"))


def amended(entries: Sequence[Entry]) -> int:
    """How often what was declared was changed after the declaration that stands."""
    place = standing(entries)
    after = entries[place + 1 :] if place is not None else []
    return sum(entry["kind"] == "amended" for entry in after)


def statement(entries: Sequence[Entry]) -> str:
    """When it was declared and whether it is unchanged since, in words; '' without a declaration.
    "unchanged since" is said where no hashed value or file differs and no declared run is older."""
    place = standing(entries)
    if place is None:
        return ""
    first, count = entries[place], amended(entries)
    said = [f"declared {first['time']}"]
    begun = sum(map(len, first.get("begun", {}).values())) or first.get("trained", 0)
    if not _is_blind(first):
        late = f"when {begun} of its trainings had begun" if begun else "when results had been seen"
        said.append(late)
    again = [one["time"] for one in entries[place + 1 :] if one["kind"] == "declared"]
    if again:
        said.append(f"declared again {', '.join(again)}")
    if count:
        said.append(f"amended {counted(count, 'time')} since")
    return ", ".join(said if len(said) > 1 else [*said, "unchanged since"])


def table(entries: Sequence[Entry]) -> list[Row]:
    """Rows for people: "number", "date", "what", "before", "after", "seen", "claims", "why". An
    entry of several values takes several rows of the same number."""
    rows: list[Row] = []
    shown = [one for one in entries if one["kind"] in ("declared", "amended", "published")]
    for number, entry in enumerate(shown, 1):
        place = next(n for n, one in enumerate(entries) if one is entry)
        head = {
            "number": str(number),
            "date": entry["time"][:16].replace("T", " "),
            "seen": _seen(entry),
            "claims": _claims(entry, design_of(entries[: place + 1])),
            "why": entry["why"],
        }
        rows += [head | part for part in _parts(entry, len(stated(entries[:place])))]
    return rows


def _parts(entry: Entry, earlier: int) -> list[Row]:
    if entry["kind"] == "amended":
        parts = rows_of(entry["changes"])
        more = len(parts) - ROWS
        rest = {"what": counted(more, "more value"), "before": NOTHING, "after": NOTHING}
        return parts[:ROWS] + ([rest] if more > 0 else [])
    what = "published" if entry["kind"] == "published" else "declared" + " again" * bool(earlier)
    return [{"what": what, "before": NOTHING, "after": _said_runs(entry["runs"])}]


def _said_runs(runs: Runs) -> str:
    """'runs 1–10, 101–110', of all variants together."""
    numbers = {run for own in runs.values() for run in own}
    return f"runs {spans(numbers)}" if numbers else NOTHING


def spans(numbers: Iterable[int]) -> str:
    """'1–10, 101' of run numbers."""
    every = sorted({*numbers})
    starts = [n for n in every if n - 1 not in every]
    ends = [n for n in every if n + 1 not in every]
    pairs = zip(starts, ends, strict=True)
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in pairs)


def _seen(entry: Entry) -> str:
    if entry["kind"] == "published":
        return NOTHING
    return SEEN.get(entry["seen"], entry["seen"])


def _claims(entry: Entry, design: Mapping[str, Any]) -> str:
    every = {*design.get("hypotheses", ())}
    scope = entry["scope"]
    if entry["kind"] != "amended" or not scope:
        return NOTHING
    return "all" if every and every <= {*scope} else ", ".join(scope)


def runs_seen(entries: Sequence[Entry]) -> Runs | None:
    """Variant -> runs whose figures were seen by then; None where figures were seen and nobody
    wrote down of which runs."""
    found: dict[str, set[int]] = {}
    for entry in entries:
        looked = entry["runs"] if entry["kind"] in ("looked", "published") else entry.get("looked")
        if entry["kind"] == "looked" and not looked:
            return None
        for name, runs in (looked or {}).items():
            found.setdefault(name, set()).update(runs)
    return {name: sorted(runs) for name, runs in found.items()}


def exploratory(entries: Sequence[Entry], runs: Runs) -> dict[str, str]:
    """Hypothesis -> why it is exploratory: it was declared or changed when figures of runs had been
    seen that it is decided by all the same. runs: those that it is decided by, by variant."""
    hypotheses = design_of(entries).get("hypotheses", {})
    found: dict[str, str] = {}
    for place in stated(entries):
        entry = entries[place]
        known = runs_seen([*entries[:place], entry | {"kind": "declared"}])
        if known == {} and entry["seen"] in ("pilot", "results"):
            known = None  # of which runs, nobody wrote down
        for name in entry["scope"]:
            if name in found or name not in hypotheses:
                continue
            arms = _arms(hypotheses[name], design_of(entries))
            seen = [arm for arm in sorted(arms) if known is None or _overlap(known, runs, arm)]
            old = sorted({arm.rpartition("/")[2] for arm in seen})
            if old:
                verb = "changed" if entry["kind"] == "amended" else "declared"
                found[name] = (
                    f"{verb} {entry['time'][:16].replace('T', ' ')}, when results of the same runs "
                    f"of {' and '.join(old)} had been seen"
                )
    return found


def _arms(hypothesis: Mapping[str, Any], design: Mapping[str, Any]) -> set[str]:
    """What is compared, as entries name it: of families the variants of each."""
    own = {hypothesis[key] for key in ("variant", "against")}
    if "experiments" not in design:
        return own
    names = hypothesis.get("families") or design["experiments"]
    return {in_families(name, variant) for name in names for variant in own}


def _overlap(known: Runs, runs: Runs, arm: str) -> bool:
    return bool({*known.get(arm, ())} & {*runs.get(arm, ())})


def claims_nothing(entries: Sequence[Entry]) -> bool:
    """Whether there is a log, and no hypothesis ever was in it."""
    designs = (design_of(entries[: place + 1]) for place in range(len(entries)))
    return bool(entries) and not any(design.get("hypotheses") for design in designs)


def summed_up(entries: Sequence[Entry], runs: Runs) -> dict[str, Any]:
    """What a page says of the log. runs: those that hypotheses are decided by, by variant. Of what
    is published it says how things stood then, and how often they were changed afterwards. Where
    nothing is claimed "statement" and "hash" are empty."""
    published = [n for n, one in enumerate(entries) if one["kind"] == "published"]
    then = entries[: published[-1] + 1] if published else entries
    first, later = current_declaration(then), amended(entries) - amended(then)
    said = statement(then) or "not declared: no log was kept"
    if later:
        said = said.replace("unchanged since", "unchanged until they were published")
        said += f"; changed {counted(later, 'time')} after they were published"
    if claims_nothing(entries):
        first, said = None, ""
    return {
        "hash": first["hash"] if first else "",
        "statement": said,
        "amended": amended(then),
        "table": table(entries),
        "exploratory": exploratory(then, runs),
    }


def declared_part(spec: CompareSpec, entries: Sequence[Entry]) -> dict[str, Any] | None:
    """What verdicts.json says of the log; None where nothing was declared."""
    first = current_declaration(entries)
    if first is None:
        return None
    runs = {name: one.runs for name, one in spec.variants.items()}
    return {
        **{key: first[key] for key in ("time", "trained")},
        "changes": hypothesis_changes(first["hypotheses"], spec.resolved_hypotheses()),
        **summed_up(entries, runs),
    }


def hypothesis_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What became of hypotheses since they were declared, a line each."""
    lines = [f"{name}: added" for name in now if name not in before]
    lines += [f"{name}: removed" for name in before if name not in now]
    said = {"variant_spec": "settings of its variant", "against_spec": "settings of the other"}
    for name in sorted(before.keys() & now.keys()):
        for key in sorted(before[name].keys() | now[name].keys()):
            old, new = before[name].get(key), now[name].get(key)
            if old != new:
                is_short = isinstance(old, str | int | float) and key not in said
                what = f"was {old}, is {new}" if is_short else "changed"
                lines.append(f"{name}: {said.get(key, key)} {what}")
    return lines


def warnings_of_declaration(name: str, declaration: Mapping[str, Any] | None) -> list[str]:
    """What is to be minded of a hypothesis's declaration."""
    if declaration is None:
        return []
    late = declaration["trained"]
    found = [f"Declared when {counted(late, 'training')} had begun already."] if late else []
    own = [line.removeprefix(f"{name}: ") for line in declaration["changes"]]
    said = [line for line, whole in zip(own, declaration["changes"], strict=True) if line != whole]
    found += [f"Not as declared before training: {'; '.join(said)}."] if said else []
    why = declaration["exploratory"].get(name)
    return found + ([f"Exploratory: {why}."] if why else [])
