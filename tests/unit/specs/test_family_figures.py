"""Figures of families, from what a summary tells of one variant."""

from kindred.specs.family_figures import FIGURES

# As cast_figures tells it of drawings in which nobody of the family is ever found.
NOBODY = {
    "accuracy": {},
    "worst": None,
    "casts": {"J": {"mean": 0.0, "images": 16}},
    "detection": {},
    "bits": {"mean": None},
    "order": None,
    "garments": None,
    "looks": {},
}


def test_where_nobody_is_found_figures_about_those_found_are_left_out():
    read = {name: figure.read(NOBODY) for name, figure in FIGURES.items()}
    assert set(read.values()) == {None}
    assert FIGURES["likeness"].of_parts(NOBODY) == {}
