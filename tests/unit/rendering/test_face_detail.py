"""Faces drawn again: what is planned, what is drawn, and what stays as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_base
import tiny_klein
import torch

from kindred.common.made_pictures import read_picture
from kindred.models.architectures.noise_levels import schedule
from kindred.rendering import face_detail
from kindred.rendering.face_detail import FoundFace, detail_plan, draw_faces
from kindred.rendering.face_prompts import face_prompt, face_prompts
from kindred.rendering.image_plan import plan
from kindred.rendering.image_store import ImageStore, settings_of
from kindred.rendering.manifest import read_manifest, write_manifest
from kindred.rendering.pipeline import RenderPipeline
from kindred.rendering.render import render
from kindred.rendering.sampling import last_levels
from kindred.specs.base_model import Base
from kindred.specs.character import Character
from kindred.specs.face_detail import FaceDetail, FaceDetailSpec
from kindred.specs.rendering import PromptSet, RenderSpec

torch.set_num_threads(1)
WHO = {
    "J": Character(name="JRussell", noun="man"),
    "C": Character(name="CRussell", noun="child"),
}
PROMPTS = {"pair": "small child CRussell and JRussell", "man": "a man"}
HEADS = {"C": (8.0, 8.0, 24.0, 26.0), "J": (50.0, 12.0, 70.0, 32.0)}
PAIR = [FoundFace(head, letter) for letter, head in HEADS.items()]


class Texts(dict):
    """Embeddings that follow from the hash alone, as the real ones follow from the prompt."""

    def __missing__(self, key):
        random = torch.Generator().manual_seed(int(key[:8], 16))
        text = torch.randn(tiny_base.TEXT_TOKENS, 32, generator=random)
        return {"t5": text, "clip": torch.randn(24, generator=random)}


class Place:
    """A store with a prompt set drawn, and faces drawn again in it."""

    def __init__(self, root, base):
        self.root, self.store, self.loads, self.asked = root, ImageStore(root / "store"), 0, []
        asked = {"seeds": [1, 2], "width": 96, "height": 48, "steps": 4}
        prompt_set = PromptSet(prompts=PROMPTS, **asked)
        self.drawn = RenderSpec(base=base, prompt_set=prompt_set, name="set")
        pictures = plan(self.drawn, [], "base@1")
        render(self.drawn, pictures, [], self.store, self.load)
        write_manifest(root / "list.json", "set", pictures, [], self.store)
        self.manifest = read_manifest(root / "list.json")
        self.loads = 0

    def load(self, missing):
        self.loads += 1
        self.asked = list(missing)
        return RenderPipeline.load(self.drawn, [], "cpu"), Texts(), {"device": "cpu"}

    def planned(self, faces=None, **detail):
        spec = FaceDetailSpec(drawn=self.drawn, characters=WHO, detail=FaceDetail(**detail))
        found = {("pair", 1): PAIR, ("pair", 2): PAIR} if faces is None else faces
        return spec, detail_plan(spec, self.manifest, found, [], "base@1")

    def draw(self, faces=None, **detail):
        spec, pictures = self.planned(faces, **detail)
        return draw_faces(spec, pictures, [], self.store, self.load), pictures


@pytest.fixture
def place(base, tmp_path):
    return Place(tmp_path, base)


def pixels(path):
    return np.asarray(read_picture(path)).astype(int)


def test_a_person_is_called_as_the_prompt_calls_them_and_nobody_else_is():
    assert face_prompt(PROMPTS["pair"], "C", WHO) == "a photo of small child CRussell"
    assert face_prompts([*PROMPTS.values(), "JRussell at sea"], WHO) == [
        "a photo of small child CRussell",
        "a photo of JRussell",
    ]


def test_the_share_of_steps_is_rounded_up():
    levels = schedule(1.0, 10)
    assert last_levels(levels, 0.4) == levels[6:]
    assert last_levels(levels, 0.41) == levels[5:]
    assert last_levels(levels, 1) == levels
    assert last_levels(levels, 0) == [0.0]
    assert last_levels(schedule(1.0, 4), 0.4) == schedule(1.0, 4)[2:]


def test_each_face_is_a_picture_of_its_person_alone(place):
    _, pictures = place.planned(steps=6)
    first, _, plain, _ = pictures
    told = [face.request.settings for face in first.faces]
    assert [one["prompt"] for one in told] == [
        "a photo of small child CRussell",
        "a photo of JRussell",
    ]
    assert [(one["width"], one["height"], one["steps"]) for one in told] == [(64, 64, 6)] * 2
    assert plain.faces == () and plain.request.key == plain.source.key
    keys = {face.request.key for one in pictures for face in one.faces}
    assert len(keys) == 4 and not keys & {row.key for row in place.manifest.rows}


def test_noise_is_a_persons_in_a_picture_whoever_drew_it(place):
    _, one = place.planned()
    place.manifest = replace(
        place.manifest, rows=[replace(row, key=f"{row.key}x") for row in place.manifest.rows]
    )
    _, other = place.planned()

    def seeds(found):
        return [[face.request.seed for face in one.faces] for one in found]

    assert seeds(one) == seeds(other) and seeds(one)[0] != seeds(one)[1]
    assert len(set(seeds(one)[0])) == 2
    assert one[0].request.key != other[0].request.key, "of other pictures"


@pytest.mark.parametrize("change", [{"strength": 0.5}, {"size": 96}, {"margin": 0.5}, {"steps": 5}])
def test_what_changes_pixels_changes_the_key(place, change):
    _, known = place.planned()
    _, changed = place.planned(**change)
    assert known[0].request.key != changed[0].request.key
    assert known[2].request.key == changed[2].request.key, "of no face"


def test_another_head_or_person_is_another_picture(place):
    keys, first, second = set(), *PAIR
    stays, other = FoundFace(HEADS["J"]), replace(first, letter="J")
    for faces in ([first], [second], PAIR, [other], [first, stays]):
        _, pictures = place.planned({("pair", 1): faces})
        keys.add(pictures[0].request.key)
    assert len(keys) == 5


def test_at_no_strength_it_is_the_same_picture_but_for_the_vae(place):
    work, pictures = place.draw(strength=0)
    assert (work.asked, work.drawn, place.loads) == (4, 2, 1)
    one = pictures[0]
    before, after = pixels(one.source.path), pixels(place.store.path(one.request.key))
    pipeline = RenderPipeline.load(place.drawn, [], "cpu")
    crop = face_detail._crop(one, one.faces[0])
    latent = pipeline.coding.encode(crop)[None]
    (through,) = pipeline.redraw([crop], 0, [one.faces[0].request], Texts())
    decoded = pipeline.coding.decode(latent)[0].numpy()
    assert (np.asarray(through) == decoded).all()
    outside = np.ones(before.shape[:2], bool)
    for face in one.faces:
        x0, y0, x1, y1 = face.crop
        outside[y0:y1, x0:x1] = False
    assert (before[outside] == after[outside]).all() and outside.any()


def test_at_full_strength_nothing_of_the_first_face_is_kept(place):
    _, pictures = place.planned(strength=1)
    pipeline = RenderPipeline.load(place.drawn, [], "cpu")
    requests = [face.request for face in pictures[0].faces]
    crops = [face_detail._crop(pictures[0], face) for face in pictures[0].faces]
    again = pipeline.redraw(crops, 1, requests, Texts())
    anew = pipeline.draw(requests, Texts())
    assert [one.tobytes() for one in again] == [one.tobytes() for one in anew]


def test_with_little_strength_it_stays_near(place):
    _, pictures = place.planned()
    pipeline = RenderPipeline.load(place.drawn, [], "cpu")
    requests = [face.request for face in pictures[0].faces]
    crops = [face_detail._crop(pictures[0], face) for face in pictures[0].faces]

    def far(strength):
        found = pipeline.redraw(crops, strength, requests, Texts())
        plain = pipeline.redraw(crops, 0, requests, Texts())
        apart = [
            np.subtract(np.asarray(one, float), np.asarray(other, float))
            for one, other in zip(found, plain, strict=True)
        ]
        return np.abs(apart).mean()

    assert 0 < far(0.25) < far(0.75)


def test_what_is_there_is_not_drawn_again_and_bytes_hang_on_nothing_beside(place):
    place.draw()
    _, pictures = place.planned()
    path = place.store.path(pictures[0].request.key)
    before = path.read_bytes()
    place.loads = 0
    work, _ = place.draw()
    assert (work.drawn, place.loads) == (0, 0)
    path.unlink()
    work, _ = place.draw()
    assert (work.drawn, place.loads, len(place.asked)) == (1, 1, 2)
    assert path.read_bytes() == before
    told = settings_of(path)
    assert told["source"] == pictures[0].source.key and told["made_with"]["device"] == "cpu"
    assert told["faces"][0]["prompt"] == "a photo of small child CRussell"


def test_pictures_without_a_face_need_no_base(place):
    work, pictures = place.draw(faces={("pair", 1): [FoundFace(HEADS["J"])]})
    assert (work.drawn, place.loads) == (0, 0)
    write_manifest(place.root / "again.json", "set", [p.request for p in pictures], [], place.store)
    again = read_manifest(place.root / "again.json")
    assert again.rows == place.manifest.rows


def test_true_guidance_draws_faces_too(tmp_path):
    folder = tiny_klein.build(tmp_path / "klein")
    base = Base(model=str(folder), dtype="float32", text_tokens=48)
    asked = {"prompts": PROMPTS, "seeds": [1], "width": 96, "height": 48, "steps": 2}
    found = {}
    for scale in (1.0, 4.0):
        prompt_set = PromptSet(**asked, guidance_scale=scale, negative="blurry")
        drawn = RenderSpec(base=base, prompt_set=prompt_set, name="set")
        pipeline = RenderPipeline.load(drawn, [], "cpu")
        (request, _) = plan(drawn, [], "base@1")
        texts = KleinTexts()
        (image,) = pipeline.draw([request], texts)
        (again,) = pipeline.redraw([image], 0.5, [request], texts)
        found[scale] = again.tobytes() != image.tobytes(), again.size
    assert found == {1.0: (True, (96, 48)), 4.0: (True, (96, 48))}


class KleinTexts(dict):
    """The same for that architecture."""

    def __missing__(self, key):
        random = torch.Generator().manual_seed(int(key[:8], 16))
        return {"qwen3": torch.randn(48, 96, generator=random)}
