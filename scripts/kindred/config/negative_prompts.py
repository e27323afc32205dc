"""Whether negative prompts would be read: by a base that is drawn with a second pass, at a scale
that turns it on.

Knows prompt sets and bases' architectures; fetches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from kindred.config.config_files import ConfigFiles
from kindred.config.plan import Experiment
from kindred.config.yaml_document import Document
from kindred.specs.rendering import PromptSet
from kindred.specs.samples import SAMPLES


def check_negatives(document: Document, experiment: Experiment, config_files: ConfigFiles) -> None:
    """Note prompt sets with a negative prompt that a base which draws them would not read."""
    for where, drawn in _asked(document, experiment, config_files):
        for name, asked_there in drawn.items():
            architecture = config_files.architecture(name)
            if architecture is None:
                continue
            if config_files.guidance(name, architecture) != "cfg":
                config_files.problems.add(
                    where,
                    f"the base '{name}' draws without a second pass, so it ignores negative "
                    "prompts",
                    "remove `negative:`, or draw only on bases with true guidance",
                )
                continue
            scale = asked_there.guidance_scale
            scale = architecture.default_guidance if scale is None else scale
            if architecture.cfg_scale(scale) <= 1:
                config_files.problems.add(
                    where,
                    f"at guidance_scale {scale:g} the base '{name}' ignores negative prompts",
                    "raise `guidance_scale` of the prompt set, or remove `negative:`",
                )


def _asked(
    document: Document, experiment: Experiment, config_files: ConfigFiles
) -> Iterator[tuple[str, dict[str, PromptSet]]]:
    """Where a negative prompt is written, and what is asked of each base that draws it."""
    for key, asked in experiment.prompt_sets.items():
        if asked.negatives():
            yield (
                document.where("prompt_sets", key, "negative"),
                {
                    experiment.drawing_base(one, key): experiment.asked_of(
                        one, key, config_files.drawing
                    )
                    for one in experiment.variants
                },
            )
    if experiment.samples and experiment.samples.prompt_set.negatives():
        trained = (one.base for one in experiment.trained)  # which draws on its way, too
        yield (
            document.where(SAMPLES, "negative"),
            dict.fromkeys(trained, experiment.samples.prompt_set),
        )
