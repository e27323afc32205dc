"""Files of what is no longer configured, asked for by their path or needed by a rule: results
outlive the variants, runs and prompt sets that they are of, and no rule makes them then."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from kindred.common.commands import snakemake
from kindred.common.errors import KindredError, did_you_mean
from kindred.config.albums import experiment_names, file_of
from kindred.config.family_files import comparable, family_specs
from kindred.config.plan import Experiment, Plan
from kindred.specs.face_detail import FACES
from kindred.specs.samples import SAMPLES
from kindred.specs.step_series import SELECTION

OF_EXPERIMENT = re.compile(r"results/(?!who-is-who)(?P<experiment>[^/]+)/")
# What of an experiment's folder belongs to a variant or prompt set; rules' functions meet the rest.
PARTS = re.compile(
    r"(?:(?P<variant>[^/]+)/(?:spec\.json$|(?=sheets/)|run-(?P<run>\d+)/(?:steps/(?P<step>\d+)/)?))?"
    r"(?:(?:images|scores|sheets)/(?P<prompt_set>[^/]+)\.\w+$)?"
)
OF_TRAINING = re.compile(r"/(?:spec\.json|(?:(?:steps/\d+|chosen)/)?lora\.\w+|training\.csv)$")
JUDGED = re.compile(
    r"/(?:(?:references|calibrated|summary|verdicts)\.\w+|scores(?:\.csv|/.*)|vectors/.*"
    r"|report\.(?:html|md)|figures-to-send\.csv|best/.*)$"
)


def check_asked(words: Iterable[str], plan: Plan, root: Path) -> None:
    """Raise KindredError for the first file that no rule can make because it belongs to what is not
    configured, or is no longer. words: of Snakemake's command line."""
    words = [word.removeprefix("./") for word in words]
    for word in words if not {"--cleanup-metadata", "--cm"} & {*words} else ():
        found = OF_EXPERIMENT.match(word)
        if found and found["experiment"] == "families":
            _check_families(word, plan, root / "config")
        elif found and found["experiment"] not in plan.experiments:
            _check_configured(found["experiment"], word, root / "config")
        elif found:
            parts = PARTS.match(word[found.end() :])
            check_named(found.groupdict() | (parts.groupdict() if parts else {}), plan, word)


def check_named(named: Mapping[str, str | None], plan: Plan, path: str) -> None:
    """Raise KindredError where an experiment of the plan has no such variant, run, step or prompt
    set. named: parts of a path by the names of rules' wildcards."""
    own = plan.experiments.get(named.get("experiment") or "")
    if own is None:
        return
    config = f"config/experiments/{own.file or own.name}.yaml"
    known = {one.name for one in own.trained} if OF_TRAINING.search(path) else own.variants
    kind = "variant" if known is own.variants else "trained variant"
    asked = [(kind, named.get("variant"), known)]
    if (variant := own.variants.get(named.get("variant") or "")) is not None:
        kept = variant.train.recipe.series if variant.train else []
        kept = kept[:-1] if path.endswith("/lora.safetensors") else kept  # the last is the run's
        asked += [
            (f"variant '{variant.name}' with run", named.get("run"), [*map(str, variant.runs)])
        ]
        asked += [
            (f"variant '{variant.name}' that keeps step", named.get("step"), [*map(str, kept)])
        ]
        if "/chosen/" in path and variant.take == "last":
            asked += [("variant that takes another step than the last called", variant.name, ())]
    prompt_set = (named.get("prompt_set") or "").removesuffix(FACES)
    asked += [("prompt set", prompt_set, _prompt_sets(own))]
    asked += [("key", "judge", ())] if JUDGED.search(path) and not own.judge else []
    asked += [("key", "samples", ())] if path.endswith("/samples.json") and not own.samples else []
    for kind, name, there in asked:
        if name and name not in there:
            what = f"the experiment '{own.name}' has no {kind} '{name}'"
            raise KindredError(what, path, f"{_near(name, there)}write it into {config}")


def check_key(error: Exception, named: Mapping[str, str], plan: Plan, path: str) -> None:
    """Raise KindredError where a rule's function did not find the dataset or base of a path."""
    for kind, known in (("dataset", plan.datasets), ("base", plan.bases)):
        name = named.get(kind)
        if name and isinstance(error, KeyError) and error.args == (name,) and name not in known:
            what = f"no configured experiment has a {kind} '{name}'"
            raise KindredError(what, path, did_you_mean(name, known))


def _prompt_sets(own: Experiment) -> set[str]:
    more = {SELECTION: own.selection, SAMPLES: own.samples}
    return {*own.prompt_sets, *(name for name, there in more.items() if there)}


def _check_configured(name: str, path: str, config: Path) -> None:
    """Raise KindredError for an experiment that is not in the plan: whether a file describes it."""
    known = experiment_names(config)
    if name in known:
        raise KindredError(
            f"the experiment '{name}' is not configured",
            path,
            f"add `--config experiments={name}`, or name it under `experiments:` in "
            "config/config.yaml",
        )
    what = f"no file config/experiments/{file_of(config, name)}.yaml describes this"
    raise KindredError(what, path, f"{_near(name, known)}put the file back")


def _check_families(path: str, plan: Plan, config: Path) -> None:
    """The same for families."""
    specs, name = family_specs(config), path.split("/")[2]
    if name not in specs:
        what = f"no file config/families/{name}.yaml describes this"
        raise KindredError(what, path, f"{_near(name, specs)}put the file back")
    if name not in comparable(specs, plan.experiments):
        what = f"not all families of '{name}' are configured"
        raise KindredError(what, path, f"run `{snakemake(specs[name].families, path)}`")


def _near(name: str, known: Collection[str]) -> str:
    """What may be meant, before another cure; '' where there is nothing."""
    listed = f"choose one of: {', '.join(known)}" if name.isdigit() else did_you_mean(name, known)
    return f"{listed.rstrip('?')}{'?' if '?' in listed else '.'} Otherwise " if known else ""
