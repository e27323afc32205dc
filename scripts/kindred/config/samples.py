"""What every training of an experiment draws on its way, as its file says it under `samples`.

It stands beside the experiment's prompts because it names its characters, and outside recipes and
variants because it changes nothing that is trained: all trainings draw the same prompts with the
same noise, so that they can be looked at side by side.
"""

from __future__ import annotations

from collections.abc import Mapping

from kindred.common.errors import Problems
from kindred.config.prompts_and_hypotheses import resolve_prompt_set
from kindred.config.user_schema import ExperimentConfig, PromptSetConfig
from kindred.config.yaml_document import Document
from kindred.specs.rendering import PromptSet
from kindred.specs.samples import SAMPLES, SampleSpec


def drawn_in_training(
    document: Document,
    config: ExperimentConfig,
    prompt_sets: Mapping[str, PromptSet],
    problems: Problems,
) -> SampleSpec | None:
    """The pictures drawn on the way, with what is unset as in the first prompt set; None without
    any, or after noting what is wrong."""
    written = config.samples
    if written is None:
        return None
    if SAMPLES in config.prompt_sets:
        problems.add(
            document.where("prompt_sets", SAMPLES),
            "this name is reserved for the pictures that trainings draw while they run",
            "choose another name",
        )
    usual = next(iter(prompt_sets.values()), None)
    if usual is None:  # what is wrong with the prompt sets is noted
        return None
    like = {"steps": usual.steps, "guidance_scale": usual.guidance_scale}
    like |= {"negative": usual.negative, "size": (usual.width, usual.height)}
    own = {name: getattr(written, name) for name in like if getattr(written, name) is not None}
    given = {"prompts": written.prompts, "seeds": written.seeds, **like, **own}
    whole = PromptSetConfig(**{name: value for name, value in given.items() if value is not None})
    found = resolve_prompt_set(document, (SAMPLES,), whole, config.characters, {}, problems)
    return SampleSpec(every=written.every, prompt_set=found) if found else None
