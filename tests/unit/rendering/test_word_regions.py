"""Where words are drawn, on attentions that are made so that the answer is known."""

import pytest
import torch

from kindred.rendering.word_regions import NOBODY, regions

TEXT, ROWS, COLUMNS, HEADS, WIDTH = 6, 4, 8, 2, 8


def attention(owners, strangers=()):
    """Queries, keys and results of a picture in which column by column somebody is drawn: who is
    drawn somewhere asks there for their own word, and looks alike everywhere. Noise is added."""
    random = torch.Generator().manual_seed(0)
    basis = torch.eye(WIDTH)
    query = 0.1 * torch.randn(1, HEADS, TEXT + ROWS * COLUMNS, WIDTH, generator=random)
    key, found = query.flip(2).clone(), query.roll(7, 2).clone()
    for who, word in enumerate((1, 3)):
        key[:, :, word] += basis[who]
    for place, who in enumerate(owners * ROWS):
        query[:, :, TEXT + place] += basis[who]
        found[:, :, TEXT + place] += basis[who]
    named = torch.zeros(1, 3, TEXT, dtype=torch.bool)
    named[0, 0, 1] = named[0, 1, 3] = True
    for who in strangers:
        named[0, who] = False
    return query, key, found, named


def columns(owner):
    return owner.reshape(ROWS, COLUMNS).tolist()


def test_each_word_gets_where_it_is_drawn():
    asked = attention([0, 0, 0, 0, 1, 1, 1, 1])
    assert columns(regions(*asked, (ROWS, COLUMNS))) == [[0, 0, 0, 0, 1, 1, 1, 1]] * ROWS
    asked = attention([1, 1, 1, 1, 0, 0, 0, 0])
    assert columns(regions(*asked, (ROWS, COLUMNS))) == [[1, 1, 1, 1, 0, 0, 0, 0]] * ROWS


def test_who_is_drawn_larger_gets_more():
    found = columns(regions(*attention([0, 0, 0, 0, 0, 0, 1, 1]), (ROWS, COLUMNS)))
    assert found == [[0, 0, 0, 0, 0, 0, 1, 1]] * ROWS


@pytest.mark.parametrize(("away", "left"), [((1,), {0}), ((0,), {1}), ((0, 1), {NOBODY})])
def test_who_is_not_named_gets_nothing(away, left):
    found = regions(*attention([0, 0, 0, 0, 1, 1, 1, 1], away), (ROWS, COLUMNS))
    assert set(found.flatten().tolist()) == left


def test_pictures_of_a_batch_are_each_their_own():
    one, other = attention([0, 0, 0, 0, 1, 1, 1, 1]), attention([1, 1, 1, 1, 0, 0, 0, 0], (1,))
    both = [torch.cat(parts) for parts in zip(one, other, strict=True)]
    found = regions(*both, (ROWS, COLUMNS))
    assert torch.equal(found[:1], regions(*one, (ROWS, COLUMNS)))
    assert torch.equal(found[1:], regions(*other, (ROWS, COLUMNS)))
