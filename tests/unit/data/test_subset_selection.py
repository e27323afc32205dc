"""Which photos a variant gets: cells, counts, matching, and errors that say what is missing."""

from collections import Counter
from dataclasses import replace

import pytest

from kindred.common.errors import KindredError, ProblemsError
from kindred.data.dataset import DatasetImage
from kindred.data.subset_selection import match_appearances, match_images, select
from kindred.specs.training import Selection

FAMILY = {"J": 4, "A": 3, "C": 8, "A+C": 3, "C+J": 7}


def items(cells, resolutions=("",)):
    return [
        DatasetImage(
            f"{cell}-{n}{r}", f"{cell}-{n}", cell, 32, 32, f"p{cell}{n}{r}", "text", "hash"
        )
        for cell, count in cells.items()
        for n in range(count)
        for r in resolutions
    ]


def cells_of(found):
    return dict(Counter(item.cell for item in found))


def chosen(photos=FAMILY, **wanted):
    return select(items(photos), Selection(**wanted), "JAC")


def test_everything_when_nothing_is_asked():
    assert cells_of(chosen()) == FAMILY


def test_photos_of_nobody_only_when_nothing_is_asked():
    cells = {"J": 2, "": 1}
    assert cells_of(chosen(cells)) == cells
    assert cells_of(chosen(cells, characters=["J"])) == {"J": 2}


def test_characters_drop_photos_with_anyone_else():
    assert cells_of(chosen(characters=["J", "C"])) == {"J": 4, "C": 8, "C+J": 7}


def test_cells_in_any_order_of_letters():
    assert cells_of(chosen(cells=["J+C", "CA"])) == {"C+J": 7, "A+C": 3}


def test_every_cell_without_photos_is_named_at_once():
    with pytest.raises(ProblemsError) as error:
        chosen(cells=["J", "A+J", "JAC", "X"])
    text = str(error.value)
    assert len(error.value.problems) == 3
    assert "A+J" in text and "A+C+J" in text and "'X'" in text and "C+J 7" in text


def test_per_cell_as_number_and_by_cell():
    assert cells_of(chosen(per_cell=3)) == dict.fromkeys(FAMILY, 3)
    assert cells_of(chosen(per_cell={"C": 2, "J+C": 0})) == {"J": 4, "A": 3, "C": 2, "A+C": 3}


def test_asking_for_more_than_there_is():
    with pytest.raises(ProblemsError) as error:
        chosen(per_cell=4)
    assert [p.where for p in error.value.problems] == [
        "selection: per_cell: A",
        "selection: per_cell: A+C",
    ]


def test_smaller_selections_are_part_of_larger_ones_and_seeds_differ():
    def photos(**wanted):
        return {item.photo for item in chosen(**wanted)}

    assert photos(per_cell=1) < photos(per_cell=2) < photos(per_cell=3)
    assert photos(per_cell=1, seed=0) == photos(per_cell=1, seed=0)
    assert any(photos(per_cell=1, seed=0) != photos(per_cell=1, seed=s) for s in range(1, 5))


def test_all_resolutions_of_a_photo_come_together():
    found = select(items({"J": 3}, ("@512", "@768")), Selection(per_cell=2), "J")
    assert len(found) == 4 and len({item.photo for item in found}) == 2


def test_match_images_in_proportion():
    assert match_images({"J": 10, "A": 20}, 15) == {"J": 5, "A": 10}
    assert sum(match_images(FAMILY, 13).values()) == 13
    with pytest.raises(KindredError, match="26 photos, but there are 25"):
        match_images(FAMILY, 26)


@pytest.mark.parametrize("total", [1, 3, 5, 6])
def test_match_appearances_is_exact(total):
    counts = match_appearances(FAMILY, total)
    assert all(counts[cell] <= FAMILY[cell] for cell in FAMILY)
    for letter in "JAC":
        assert sum(n for cell, n in counts.items() if letter in cell) == total


def test_match_appearances_keeps_proportions():
    assert match_appearances({"J": 4, "A": 4, "A+J": 4}, 4) == {"J": 2, "A": 2, "A+J": 2}


def test_match_appearances_that_can_not_be_met():
    with pytest.raises(KindredError, match="A 6, C 18, J 11"):
        chosen(match="appearances", total=7)


@pytest.mark.long
def test_appearances_of_four_characters_are_quick():
    letters = "ABCD"
    cells = {"+".join(a for i, a in enumerate(letters) if m >> i & 1): 6 for m in range(1, 16)}
    counts = match_appearances(cells, 20)
    assert all(sum(n for c, n in counts.items() if a in c) == 20 for a in letters)


def test_nothing_left():
    with pytest.raises(KindredError, match="no photo is left"):
        chosen(characters=["J"], per_cell={"J": 0})


def appearances(found):
    cells = cells_of(found)
    return {x: sum(n for cell, n in cells.items() if x in cell) for x in "JAC"}


def test_balance_by_dropping_takes_the_most_photos_that_are_even():
    found = chosen(balance="drop")
    assert appearances(found) == {"J": 6, "A": 6, "C": 6}
    assert len({item.photo for item in found}) == len(found)


def test_balance_by_repeating_shows_solos_again_and_every_photo_at_least_once():
    found = chosen(balance="repeat")
    assert appearances(found) == {"J": 18, "A": 18, "C": 18}
    times = Counter(item.photo for item in found)
    assert set(times) == {item.photo for item in items(FAMILY)}
    solos = [n for photo, n in times.items() if photo.startswith("A-")]
    assert max(solos) - min(solos) <= 1
    assert all(n == 1 for photo, n in times.items() if "+" in photo)


def test_balance_by_repeating_needs_a_solo():
    with pytest.raises(KindredError, match="no photo that could be repeated shows A alone"):
        chosen({"J": 5, "A+J": 2}, balance="repeat")


def test_resolutions_of_a_photo_repeat_together():
    found = select(items({"J": 3, "A": 1}, ("", "@64")), Selection(balance="repeat"), "JA")
    times = Counter(item.image_id for item in found)
    assert times["A-0"] == times["A-0@64"] == 3


def test_kinds_of_pictures():
    made = [replace(item, made="composed") for item in items({"A+J": 2})]
    both = [*items({"J": 1, "A": 1}), *made]
    assert cells_of(select(both, Selection(kinds=["photo"]), "JA")) == {"J": 1, "A": 1}
    assert cells_of(select(both, Selection(kinds=["composed"]), "JA")) == {"A+J": 2}
    assert len(select(both, Selection(), "JA")) == 4
