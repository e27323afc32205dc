"""What the report says of the noise: nothing that pictures made elsewhere make untrue."""

from __future__ import annotations

from types import SimpleNamespace

from kindred.report.same_noise import same_noise

TRAINED, BASE = {"kind": "trained", "base": "lab"}, {"kind": "base", "base": "lab"}
ELSEWHERE = {"kind": "pictures", "base": "lab"}


def said(**variants):
    return same_noise(SimpleNamespace(variants=variants))


def test_where_all_is_drawn_here_only_the_training_differs():
    assert said(short=TRAINED, BASE=BASE) == (
        "Its pictures start from the same noise, so only the training differs."
    )
    assert said(BASE=BASE) == ""


def test_pictures_made_elsewhere_have_other_noise():
    text = said(short=TRAINED, BASE=BASE, theirs=ELSEWHERE)
    assert text.startswith("Pictures drawn here start from the same noise")
    assert "Pictures of “theirs” were made elsewhere, from other noise." in text
    assert "same noise" not in said(theirs=ELSEWHERE, BASE=BASE)
    assert "Pictures of “theirs” and “others” were" in said(theirs=ELSEWHERE, others=ELSEWHERE)


def test_more_than_the_training_may_differ():
    shown = TRAINED | {"kind": "references", "references": {"J": 2}}
    assert "only the variant differs" in said(short=TRAINED, shown=shown)
    assert "only the variant differs" in said(short=TRAINED, fine=TRAINED | {"detail_of": "short"})
    for other in ({"base": "klein"}, {"drawn_on": {"trio": "klein"}}):
        text = said(short=TRAINED, other=TRAINED | other)
        assert text == "Its pictures start from the same noise where one base draws them."
