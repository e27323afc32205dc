"""Which photos are kept away from training, and from what is made of photos."""

import pytest

from kindred.common.errors import ProblemsError
from kindred.data.composites.people import SourcePhoto, usable
from kindred.data.dataset import DatasetImage
from kindred.data.held_out_photos import held_out_photos
from kindred.data.person_masks import MaskedPhoto
from kindred.data.subset_selection import held_out, select
from kindred.specs.composites import CompositeSpec
from kindred.specs.training import Selection


def items(cells, sizes=(32,), made=""):
    return [
        DatasetImage(f"{made}{c}{n}-{s}", f"{made}{c}{n}", c, s, s, f"p{c}{n}{s}", "t", "h", made)
        for c, count in cells.items()
        for n in range(count)
        for s in sizes
    ]


def split(photos, **wanted):
    """Photos trained on and photos held out, by name."""
    selection = Selection(**wanted)
    both = select(photos, selection, "JAC"), held_out(photos, selection, "JAC")
    return [{item.photo for item in found} for found in both]


def test_so_many_of_each_cell_that_has_more():
    trained, kept_away = split(items({"J": 4, "A": 2, "C": 1}), held_out=1)
    assert sorted(name[0] for name in kept_away) == ["A", "J"]
    assert trained.isdisjoint(kept_away) and len(trained | kept_away) == 7


def test_fewer_are_part_of_more_and_a_seed_chooses_others():
    photos = items({"J": 12})
    few, more = (split(photos, held_out=count)[1] for count in (3, 5))
    assert few < more and few != split(photos, held_out=3, seed=1)[1]


def test_a_photo_goes_in_all_its_sizes_and_is_told_in_its_largest():
    photos = items({"J": 3}, sizes=(32, 64))
    trained = select(photos, Selection(held_out=1), "JAC")
    (kept_away,) = held_out(photos, Selection(held_out=1), "JAC")
    assert kept_away.width == 64 and len(trained) == 4
    assert kept_away.photo not in {item.photo for item in trained}


def test_photos_before_what_is_made_of_them():
    photos = items({"J": 3, "A+J": 1}) + items({"J": 20, "A+J": 20}, made="composed")
    _, kept_away = split(photos, held_out=2)
    assert len(kept_away) == 4 and sum(name.startswith("J") for name in kept_away) == 2
    assert sum(name.startswith("composedA+J") for name in kept_away) == 2


def test_cells_by_name_and_counts_before_all_others():
    photos = items({"J": 6, "A": 6})
    trained, kept_away = split(photos, held_out={"J": 2}, per_cell=4)
    assert len(trained) == 8 and {name[0] for name in kept_away} == {"J"}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"J": 2, "X": 1}, ["holding out 2 of 2 photos", "0 photos leaves none"]),
        (2, ["no cell has more than 2 photos"]),
    ],
)
def test_what_leaves_nothing_to_train_on_is_said(wanted, said):
    with pytest.raises(ProblemsError) as error:
        split(items({"J": 2, "A": 1}), held_out=wanted)
    assert all(part in str(error.value) for part in said)


def test_nothing_is_made_of_what_is_held_out():
    photos = [
        SourcePhoto(f"{who}{n}.png", None, "", tuple(who), MaskedPhoto("", ()), f"{who}{n}")
        for who in ("J", "AJ")
        for n in range(4)
    ]
    selection = Selection(held_out=1)
    spec = CompositeSpec(characters={}, crop="solos", held_out=selection)
    left = {one.photo for one in usable(photos, spec)}
    cells = [(one.photo, "+".join(one.letters), "") for one in photos]
    assert left == {one.photo for one in photos} - held_out_photos(cells, selection)
    assert len(left) == 6
    assert usable(photos, CompositeSpec(characters={}, crop="solos")) == photos
