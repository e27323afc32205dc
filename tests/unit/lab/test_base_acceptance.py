"""What the base's gates ask for: phrases that state the facts they are checked for."""

from random import Random

from kindred.lab.base_acceptance import describe, plain_scene


def test_every_plain_person_can_be_described():
    for seed in range(300):
        (figure,) = plain_scene(Random(seed), 1).figures
        text, facts = describe(figure)
        assert facts["kind"] == figure.person.kind and figure.person.kind in text
        assert ("glasses" in text) == figure.person.glasses
        assert ("beard" in text) == figure.person.beard
        assert ("bald" in text) == (figure.person.hair_style == "bald")
        assert "  " not in text
