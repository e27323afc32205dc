"""By which files a judge knows the characters: references alone, or thresholds by strangers too.

Knows the layout of results/ and resources/; what strangers are is config/stranger_pictures.py's.
"""

from __future__ import annotations

from kindred.config.plan import Experiment, Plan
from kindred.config.stranger_pictures import stranger_pictures
from kindred.specs.scoring import CalibrationSpec, PicturesOfStrangers
from kindred.workflow import paths


def known_by(plan: Plan, experiment: str) -> tuple[str, str]:
    """(facts, vectors) that an experiment's pictures are scored by."""
    found = stranger_pictures(plan, plan.experiments[experiment])
    stem = f"results/{experiment}/{'calibrated' if found else 'references'}"
    return f"{stem}.json", f"{stem}.safetensors"


def calibration_spec(plan: Plan, experiment: Experiment) -> CalibrationSpec:
    """In which pictures strangers are looked for. Raises ValueError where nobody asks for them."""
    found = stranger_pictures(plan, experiment)
    if found is None or experiment.judge is None:
        raise ValueError(f"experiment {experiment.name} has no thresholds by strangers")
    files = {
        f"results/{experiment.name}/{variant}/run-1/images/{prompt_set}.json": nouns
        for (variant, prompt_set), nouns in found.asked.items()
    }
    files |= {
        paths.class_pictures(plan.datasets[name]): nouns
        for name, nouns in found.class_images.items()
    }
    files |= {f"resources/{name}/class.json": nouns for name, (_, nouns) in found.drawn.items()}
    pictures = [PicturesOfStrangers(file=file, nouns=dict(nouns)) for file, nouns in files.items()]
    return CalibrationSpec(judge=experiment.judge, characters=experiment.named, pictures=pictures)


def pictures_of_strangers(plan: Plan, experiment: str) -> list[str]:
    """The lists of these pictures."""
    return [one.file for one in calibration_spec(plan, plan.experiments[experiment]).pictures]
