"""All models that are about the text-to-image model, for whoever resolves configurations.

Programs import the one file they need: the files that a program reaches are its code inputs, and
a new render option must not rerun training.
"""

from kindred.spec.base import Base, Dtype, ImageEncoder, Quantization, TextEncoder
from kindred.spec.render import Prompt, PromptSet, PromptTexts, RenderSpec
from kindred.spec.train import Recipe, Selection, TrainSpec

__all__ = [
    "Base",
    "Dtype",
    "ImageEncoder",
    "Prompt",
    "PromptSet",
    "PromptTexts",
    "Quantization",
    "Recipe",
    "RenderSpec",
    "Selection",
    "TextEncoder",
    "TrainSpec",
]
