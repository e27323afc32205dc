"""Which pictures a prompt set asks for, and the key each is stored under.

A picture's settings are everything its pixels follow from; its key is their hash. Knows
nothing of how a picture is drawn or where it lies; imports neither torch nor diffusers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kindred.characters.trigger_words import letters_in
from kindred.common.hashing import spec_hash
from kindred.common.versions import step_version
from kindred.data.shown_photos import ShownPhoto
from kindred.models.identity import architecture_of
from kindred.models.lora.adapters import Adapter
from kindred.specs.rendering import RenderSpec

APART_VERSION = 1  # raised when keeping adapters apart draws other pictures


@dataclass(frozen=True)
class ImageRequest:
    """One picture to be had: its place in the prompt set, its settings and its key. shown: the
    reference pictures that its settings name by what is in them."""

    name: str
    seed: int
    settings: dict[str, Any]
    key: str
    shown: tuple[ShownPhoto, ...] = ()

    @property
    def prompt(self) -> str:
        """The text that is drawn."""
        return self.settings["prompt"]

    @property
    def negative(self) -> str:
        """What guidance leads away from; '' is the unconditional text."""
        return self.settings.get("negative", "")

    @property
    def texts(self) -> tuple[str, ...]:
        """All that encoders read for it."""
        return (self.prompt, self.negative) if self.negative else (self.prompt,)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.settings["width"], self.settings["height"]

    @property
    def shown_sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) in pixels of its reference pictures."""
        return tuple((photo.width, photo.height) for photo in self.shown)


def plan(
    spec: RenderSpec,
    adapters: Sequence[Adapter],
    base_identity: str,
    shown: Mapping[str, Sequence[ShownPhoto]] | None = None,
) -> list[ImageRequest]:
    """Every picture of the prompt set, prompt by prompt and seed by seed in the order given. shown:
    reference pictures of each character, given to prompts that ask for it, by letter in the order
    of the alphabet; what names nobody is a picture of the base's own."""
    architecture, guidance = architecture_of(spec.base), spec.prompt_set.guidance_scale
    shared: dict[str, Any] = {
        "base": base_identity,
        "dtype": spec.base.dtype,
        "quantization": spec.base.quantization,
        "text_tokens": spec.base.text_tokens,
        "steps": spec.prompt_set.steps,
        "guidance": architecture.default_guidance if guidance is None else guidance,
        "adapters": [{"content_hash": a.content_hash, "weight": a.weight} for a in adapters],
        "merged": bool(adapters) and spec.merged(),
        "version": step_version("render", architecture),
    }
    if spec.apart is not None:
        shared["apart"] = {"names": spec.apart, "version": APART_VERSION}
    precision = spec.drawn_as(bool(adapters))
    shared |= {"precision": precision} if precision != "trained" else {}
    pictures = []
    for name in spec.prompt_set.prompts:
        prompt = spec.prompt_set.full(name)
        own: dict[str, Any] = {"prompt": prompt.text.strip()}
        own |= {"width": prompt.width, "height": prompt.height}
        negative = (prompt.negative or "").strip()
        own |= {"negative": negative} if negative else {}
        known = spec.references.characters if spec.references else {}
        photos = tuple(p for x in letters_in(prompt.text, known) for p in (shown or {}).get(x, ()))
        own |= {"references": [photo.content for photo in photos]} if photos else {}
        for seed in prompt.seeds or []:
            settings = {**shared, **own, "seed": seed}
            pictures.append(ImageRequest(name, seed, settings, spec_hash(settings), photos))
    return pictures


def batches(
    pictures: Iterable[ImageRequest],
    spec: RenderSpec,
    text_tokens: Callable[[ImageRequest], tuple[int, ...]],
) -> list[list[ImageRequest]]:
    """Groups of pictures of equal width and height to be drawn at once, each key once. text_tokens:
    of a picture's texts, which are equal in a group too, as are sizes of reference pictures: what
    is beside a picture then changes no shape."""
    by_size: dict[tuple[Any, ...], dict[str, ImageRequest]] = {}
    for picture in pictures:
        kind = (picture.size, picture.shown_sizes, text_tokens(picture))
        by_size.setdefault(kind, {})[picture.key] = picture
    groups = []
    for (edges, beside, _), keyed in by_size.items():
        group, size = list(keyed.values()), spec.batch_of(*edges, beside)
        groups += [group[start : start + size] for start in range(0, len(group), size)]
    return groups
