"""Masks of people: kept by content, drawn again from the truth, turned into weights of tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kindred.common.errors import ProblemsError
from kindred.common.files import read_json, write_json
from kindred.data import person_masks
from kindred.data.dataset import DatasetImage
from kindred.data.person_masks import MaskedPhoto, PersonMask
from kindred.models.architectures.flux1.facts import FLUX1
from kindred.training.flow_matching import flow_loss
from kindred.world.albums import truth_path, write_dataset
from kindred.world.ground_truth_masks import mask_of


def dataset(tmp_path, people, head=(1, 2, 3, 4)):
    """images.json and masks.json of one photo of 64x48 px, prepared to 32x32."""
    file = person_masks.store_mask(people.astype(np.uint8), tmp_path / "store")
    person_masks.write(
        tmp_path / "masks.json", {"a.jpg": MaskedPhoto(file, (PersonMask("J", head),))}
    )
    row = {"image_id": "a", "source": "a.jpg", "source_width": 64, "source_height": 48}
    write_json(tmp_path / "images.json", [row])
    return DatasetImage("a", "a", "J", 32, 32, "pixels", "text", "hash")


def test_masks_are_read_as_written(tmp_path):
    dataset(tmp_path, np.eye(48, 64))
    found = person_masks.read(tmp_path / "masks.json")["a.jpg"]
    assert found.people == (PersonMask("J", (1, 2, 3, 4)),)
    assert (found.indices() == np.eye(48, 64)).all()


def test_weights_follow_the_part_of_the_photo_that_is_kept(tmp_path):
    people = np.zeros((48, 64), bool)
    people[:24, 8:32] = True  # the upper left quarter of the kept 48x48 px
    people[:, :8] = True  # cut away
    item = dataset(tmp_path, people)
    weights = weights_of(tmp_path, item, 3.0, 3.0)
    assert weights.mean() == pytest.approx(1, abs=1e-5)
    assert weights == pytest.approx(np.array([3, 1, 1, 1]) / 1.5, abs=1e-5)


def weights_of(tmp_path, item, people, heads):
    files = tmp_path / "images.json", tmp_path / "masks.json"
    return np.array(person_masks.token_weights([item], *files, people, heads)["pixels"])


def test_heads_weigh_for_themselves(tmp_path):
    people = np.zeros((48, 64), bool)
    people[:, 8:32] = True  # the left half of the kept 48x48 px: a head in its upper token
    item = dataset(tmp_path, people, (8, 0, 40, 24))  # what of the box is outside nobody weighs 1
    found = weights_of(tmp_path, item, 2.0, 6.0)
    assert found == pytest.approx(np.array([6, 1, 2, 1]) / 2.5, abs=1e-5)
    found = weights_of(tmp_path, item, 1.0, 3.0)
    assert found == pytest.approx(np.array([3, 1, 1, 1]) / 1.5, abs=1e-5)


def test_a_head_without_a_box_is_taken_from_the_outline(tmp_path):
    people = np.zeros((48, 64), bool)
    people[2:20, 14:26] = True  # a head, a neck and shoulders
    people[20:24, 17:23] = True
    people[24:, 8:32] = True
    item = dataset(tmp_path, people, None)
    found = weights_of(tmp_path, item, 1.0, 9.0)
    assert found[0] > 2 > found[2] == pytest.approx(found[3], rel=0.2)
    assert found[1] == found[3]


def test_weights_and_places_that_are_no_numbers_name_the_photo(tmp_path):
    people = np.zeros((48, 64), bool)
    people[:, 8:32] = True
    item = dataset(tmp_path, people)
    with pytest.raises(
        ProblemsError, match=r"a\.jpg: the loss weights of its parts are not numbers \(1e\+308"
    ):
        weights_of(tmp_path, item, 1e308, 1e308)
    with pytest.raises(ProblemsError, match=r"a\.jpg: the position of a head"):
        dataset(tmp_path, people, (0.0, 0.0, float("nan"), 9.0))


def test_photos_without_a_mask_are_named(tmp_path):
    item = dataset(tmp_path, np.zeros((48, 64)))
    person_masks.write(tmp_path / "masks.json", {})
    with pytest.raises(ProblemsError, match=r"a\.jpg: is missing in .*masks\.json"):
        weights_of(tmp_path, item, 3.0, 3.0)


class Zero(torch.nn.Module):
    """Says that the velocity is 0 everywhere."""

    dtype = torch.float32

    class config:
        guidance_embeds = False

    def forward(self, hidden_states, **_):
        return (torch.zeros_like(hidden_states),)


def test_loss_of_equal_weights_is_the_plain_loss_and_a_weighted_token_counts_more():
    latents, noise = torch.zeros(1, 4, 4, 4), torch.zeros(1, 4, 4, 4)
    noise[:, :, :2, :2] = 1.0  # the first token is wrong by 1
    given = {
        "latents": latents,
        "noise": noise,
        "sigmas": torch.tensor([0.5]),
        "text": {"t5": torch.zeros(1, 2, 8), "clip": torch.zeros(1, 8)},
        "guidance": 1.0,
    }
    zero = FLUX1.denoiser(Zero())
    plain = flow_loss(zero, **given)
    assert plain == pytest.approx(0.25)
    assert flow_loss(zero, **given, weights=torch.ones(1, 4)) == pytest.approx(float(plain))
    heavy = torch.tensor([[2.5, 0.5, 0.5, 0.5]])
    assert flow_loss(zero, **given, weights=heavy) == pytest.approx(2.5 * float(plain))


def test_masks_drawn_from_the_truth_cover_the_people_and_nothing_else(tmp_path):
    write_dataset(tmp_path / "photos", "russell", {"AC": 2, "J": 2}, seed=5, scale=2)
    for facts in read_json(truth_path(tmp_path / "photos"))["photos"].values():
        mask = mask_of(facts)
        assert mask.shape == (facts["height"], facts["width"])
        for index, person in enumerate(facts["people"]):
            x0, y0, x1, y1 = (round(v) for v in person["head"])
            head = mask[max(0, y0) : y1, max(0, x0) : x1]
            assert (head == index + 1).mean() > 0.6
