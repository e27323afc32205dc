"""The report's table of copies: what is said above it, and what stands where nothing is known."""

from __future__ import annotations

from types import SimpleNamespace

from kindred.report.copies_table import (
    ALONE,
    BESIDE_OTHERS,
    EXPLAINED,
    LAYOUT,
    UNTRAINED,
    copies,
)
from kindred.specs.report import LoadedAdapter, ReportSpec

HELD_OUT = {"photos": 25, "copied": 0.04, "copied_by_bits": 0.16, "nearer": 0.71, "z": -3.2}
COMPOSED = {
    "photos": 25,
    "composites": 88,
    "real_photos": 25,
    "line": 0.13,
    "line_bits": 23.0,
    "copied": {"mean": 0.12, "low": 0.05, "high": 0.21},
    "copied_by_bits": 0.2,
    "same_layout": 0.03,
    "held_out": HELD_OUT,
}
PLAIN = {**COMPOSED, "composites": 0, "same_layout": None, "held_out": None, "copied": None}


KINDS = {"BASE": "base", "theirs": "loaded", "ours": "loaded", "shot": "pictures"}
SPEC = ReportSpec(
    experiment="e",
    loaded={
        "theirs": [LoadedAdapter(files=["loras/theirs.safetensors"])],
        "ours": [LoadedAdapter(files=["results/e/photos/run-1/lora.safetensors"])],
    },
)


def told(**variants):
    """The table of a report in which these variants have copies."""
    known = {name: {"kind": KINDS.get(name, "trained")} for name in variants}
    known |= {"shown": {"kind": "references", "references": {"J": 2}}}
    return copies(SimpleNamespace(summary={"copies": variants}, variants=known), SPEC)


def test_copies_stand_beside_those_among_other_photos():
    table = told(composed=COMPOSED, photos=PLAIN)
    assert table["words"] == f"{EXPLAINED} {BESIDE_OTHERS} {LAYOUT}"
    composed, photos = table["rows"]
    assert (composed["copied"], composed["range"]) == ("12 %", "5–21")
    assert (composed["others"], composed["others_copied"], composed["z"]) == (25, 0.04, -3.2)
    assert composed["trained_on"] == "25 photos and 88 composites"
    assert (photos["copied"], photos["others"], photos["z"]) == ("–", 0, None)
    assert photos["trained_on"] == "25 photos"


def test_of_reference_pictures_it_says_that_nothing_was_trained():
    (row,) = told(shown=PLAIN)["rows"]
    assert row["trained_on"] == "nothing, but shown some of 25 photos"


def test_without_other_photos_that_is_said_and_columns_are_left_out():
    table = told(photos=PLAIN)
    assert table["words"] == f"{EXPLAINED} {ALONE}"
    assert not table["others"] and not table["layouts"]


def test_where_nothing_is_trained_on_there_is_no_table():
    assert told() is None


def test_of_what_was_not_trained_here_it_says_so():
    table = told(photos=PLAIN, ours=PLAIN, BASE=PLAIN, theirs=PLAIN, shot=PLAIN)
    said = {row["variant"]: row["trained_on"] for row in table["rows"]}
    assert said == {
        "photos": "25 photos",
        "ours": "25 photos",
        "BASE": "nothing; compared with 25 photos",
        "theirs": "not known; compared with 25 photos",
        "shot": "nothing; compared with 25 photos",
    }
    assert "For “BASE”, “theirs” and “shot” nothing was trained here." in table["words"]
    assert ALONE in table["words"]


def test_where_nothing_at_all_was_trained_no_photo_is_said_to_be_trained_on():
    table = told(BASE=PLAIN, theirs=PLAIN)
    assert UNTRAINED in table["words"] and ALONE not in table["words"]
    assert "training photo" not in table["words"]
