"""Lists of tags are told from sentences."""

from __future__ import annotations

import pytest

from kindred.data.audit.caption_styles import style_of


@pytest.mark.parametrize(
    ("caption", "style"),
    [
        ("1girl, solo, long hair, smile, outdoors", "tags"),
        ("JRussell, man, beach, smiling", "tags"),
        ("portrait of JRussell, smiling, outdoors, beach", "tags"),
        ("1girl long_hair looking_at_viewer", "tags"),
        ("JRussell; man; red coat", "tags"),
        ("the man JRussell by a wall", "sentence"),
        ("The man JRussell stands in the park, wearing a hat, smiling.", "sentence"),
        ("a photo of the man JRussell, smiling, at the beach", "sentence"),
        ("the woman ARussell, the man JRussell and the child CRussell, by a wall", "sentence"),
        ("JRussell", ""),
        ("JRussell, ARussell", ""),
        ("JRussell smiling", ""),
        ("", ""),
    ],
)
def test_styles(caption, style):
    assert style_of(caption) == style
