"""What drawing faces again is told: whose pictures, what they were drawn by, and the texts."""

from __future__ import annotations

from collections.abc import Iterable

from kindred.config.plan import Plan
from kindred.specs.face_detail import FACES, FaceDetailSpec
from kindred.specs.rendering import PromptTexts


def detailed(plan: Plan) -> list[str]:
    """The names of variants whose faces are drawn again."""
    every = (one for own in plan.experiments.values() for one in own.variants.values())
    return sorted({one.name for one in every if one.detail})


def face_detail_spec(plan: Plan, experiment: str, variant: str, prompt_set: str) -> FaceDetailSpec:
    """What a variant's pictures of a prompt set are made by."""
    chosen = plan.experiments[experiment]
    detail = chosen.variants[variant].detail
    assert detail is not None
    given = {"detail": settings} if (settings := detail.settings()).model_fields_set else {}
    drawn = plan.render_spec(experiment, variant, prompt_set)
    return FaceDetailSpec(drawn=drawn, characters=chosen.named, **given)


def of_source(plan: Plan, experiment: str, variant: str, run: str, file: str) -> str:
    """A file of the same run of the variant whose pictures they are."""
    return f"results/{experiment}/{plan.variant(experiment, variant).detail.of}/run-{run}/{file}"


def face_texts(plan: Plan, experiment: str, variant: str, prompt_set: str) -> str:
    """What the faces of a prompt set's pictures are drawn by, as the base reads it."""
    base = plan.experiments[experiment].drawing_base(variant, prompt_set)
    return f"resources/encoded/{base}/prompts/{experiment}/{prompt_set}{FACES}.safetensors"


def prompt_texts(plan: Plan, experiment: str, prompt_set: str, base: str) -> PromptTexts:
    """What a base's text encoders are to read for a prompt set, or for the faces of its pictures:
    their people alone, and what its own prompts lead away from."""
    if not prompt_set.endswith(FACES):
        return plan.prompt_texts(experiment, prompt_set, base)
    from kindred.rendering.face_prompts import face_prompts  # few draw faces again

    chosen = plan.experiments[experiment]
    asked = chosen.asked(prompt_set.removesuffix(FACES))
    texts: Iterable[str] = [*face_prompts(asked.texts().values(), chosen.named)]
    texts = dict.fromkeys([*texts, *asked.negatives().values()])
    encoder = plan.bases[base].text_encoder()
    return PromptTexts(encoder=encoder, prompts={text: text for text in texts})
