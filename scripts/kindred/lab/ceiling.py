"""The ceiling of cast accuracy: casts as the world draws them itself, through an autoencoder.

Nothing that a base draws can be judged better than these pictures, which show exactly who is asked
for: what they lack of 1 is the judge's, the layout's or the autoencoder's mistake. Importing this
module imports no torch, so that a job whose pictures are stored takes no time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

from PIL import Image

from kindred.common.hashing import canonical_json, spec_hash
from kindred.common.progress import Progress
from kindred.common.versions import step_version
from kindred.compute import devices
from kindred.models.identity import architecture_of, identity_of
from kindred.rendering.image_plan import ImageRequest
from kindred.rendering.image_store import ImageStore
from kindred.rendering.manifest import write_manifest
from kindred.specs.casts import AskedCast
from kindred.specs.ceiling import CeilingSpec
from kindred.world.asked_scene import asked_scene, strangers_in
from kindred.world.drawing import draw
from kindred.world.families import SHARED_TRAITS, family
from kindred.world.people import Person
from kindred.world.scene import Scene


def draw_ceiling(spec: CeilingSpec, store: ImageStore, out: Path, device: str, threads: int) -> str:
    """Draw the pictures that the store lacks and write the manifest; what was done, in a line."""
    pictures = plan(spec)
    missing = {picture.key: picture for picture in pictures if not store.has(picture.key)}
    if missing:
        _draw(spec, list(missing.values()), store, device, threads)
    write_manifest(out, spec.name, pictures, [], store)
    return f"{spec.name}: {len(missing)} drawn, {len(pictures) - len(missing)} kept"


def plan(spec: CeilingSpec) -> list[ImageRequest]:
    """Every picture of the prompt set, in its order. A key is a hash of all that pixels follow
    from: whom and what the prompt asks for, the people, the autoencoder."""
    shared = {
        "families": spec.families,
        "characters": spec.characters,
        "autoencoder": identity_of(spec.encoder, "image"),
        "version": step_version("ceiling", architecture_of(spec.encoder)),
    }
    pictures = []
    for name, prompt in spec.prompts.items():
        own = {"prompt": prompt.text, "width": prompt.width, "height": prompt.height}
        for seed in prompt.seeds or []:
            asked = spec.casts[name].model_dump(mode="json")
            settings = {**shared, **own, "cast": asked, "seed": seed}
            pictures.append(ImageRequest(name, seed, settings, spec_hash(settings)))
    return pictures


def members(spec: CeilingSpec) -> dict[str, Person]:
    """Letter -> the drawn person of the character's name."""
    people = {
        person.name: person
        for name, shared in spec.families.items()
        for person in family(name, SHARED_TRAITS if shared is None else shared).members
    }
    return {letter: people[name] for letter, name in spec.characters.items()}


def scene_of(picture: ImageRequest, cast: AskedCast, known: Mapping[str, Person]) -> Scene:
    """Who was asked for, in the order asked, or else in any. known: letter -> person."""
    rng = Random(canonical_json([picture.prompt, *picture.size, picture.seed]))
    row = _row(picture.prompt, cast, known, rng)
    people = [person for _, person in row]
    garments = [cast.wears.get(letter) for letter, _ in row]
    return asked_scene(picture.prompt, people, picture.size, rng, garments)


def _row(
    prompt: str, cast: AskedCast, known: Mapping[str, Person], rng: Random
) -> list[tuple[str, Person]]:
    """(letter, person) from left to right; '' a stranger."""
    names = [person.name or "" for person in known.values()]
    strangers = strangers_in(prompt, names, cast.strangers, rng)
    row = [(letter, known[letter]) for letter in cast.members]
    if cast.order:
        unknown = iter(strangers)
        return [(letter, known[letter] if letter else next(unknown)) for letter in cast.order]
    row += [("", stranger) for stranger in strangers]
    rng.shuffle(row)
    return row


def _draw(
    spec: CeilingSpec,
    pictures: Sequence[ImageRequest],
    store: ImageStore,
    device: str,
    threads: int,
) -> None:
    """Put pictures into the store."""
    through, made_with = _autoencoder(spec, device, threads)
    known = members(spec)
    with (
        Progress(f"draw the ceiling of {spec.name}", len(pictures), "image") as progress,
        store.writing_images() as put,
    ):
        for picture in pictures:
            scene = scene_of(picture, spec.casts[picture.name], known)
            image = through(draw(scene, masks=False).image)
            put(picture.key, image, {**picture.settings, "made_with": made_with})
            progress.update(1)


def _autoencoder(
    spec: CeilingSpec, device: str, threads: int
) -> tuple[Callable[[Image.Image], Image.Image], dict[str, str]]:
    """(what encodes a picture and decodes it again, versions of what does), on a device that is
    claimed from now on."""
    name = devices.acquire_device(device)
    import torch

    from kindred.models import loading
    from kindred.rendering.pipeline import versions

    prepared = devices.prepare(name, threads)
    vae = loading.load_vae(spec.encoder, prepared)
    coding = architecture_of(spec.encoder).latent_coding(vae)

    @torch.inference_mode()
    def through(image: Image.Image) -> Image.Image:
        return Image.fromarray(coding.decode(coding.encode(image)[None])[0].numpy())

    return through, versions(prepared)
