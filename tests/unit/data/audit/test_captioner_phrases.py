"""What captioners write beside or in place of a description is found, and descriptions are not."""

from __future__ import annotations

import pytest

from kindred.data.audit.captioner_phrases import KINDS, phrases_in


def kinds(text):
    return [kind for kind, _ in phrases_in(text)]


FOUND = {
    "refusal": [
        "I'm sorry, I can't help with identifying people.",
        "I’m sorry, but I cannot assist with that request.",
        "the man JRussell: I'm unable to provide a description of this image.",
        "As an AI language model, I do not have eyes.",
        "Sorry, I can't do that.",
        "I apologize, but that is against my guidelines.",
        "I don't feel comfortable naming this person.",
        "It seems that no image was provided. Please upload an image.",
        "None",
        "n/a",
        "[object Object]",
        "Error: rate limit exceeded",
        "No caption available.",
        "IMG_1234.jpg",
        "Failed to generate caption",
        "I cannot see the image.",
        "Es tut mir leid, dabei kann ich nicht helfen.",
        "抱歉，我无法识别图片中的人物。",
    ],
    "chat": [
        "Certainly! A man in a coat.",
        "Sure, here's a caption: a man in a coat.",
        "Here is a detailed description of the photo: a man in a coat.",
        "Here's a short caption for it A man in a coat",
        "Caption: a man in a coat",
        "Below is a description of the photo. A man in a coat.",
        "A man in a coat. (Note: the hat may be a cap.)",
        "Image description: a man in a coat",
        "A man in a coat. Let me know if you need anything else!",
        "A man in a coat. Would you like me to describe the background?",
        "A man in a coat.<|im_end|>",
        "[INST] Describe it. [/INST] A man in a coat.",
        "USER: what is it? ASSISTANT: a man in a coat",
        "<think>hm</think> A man in a coat.",
    ],
    "loop": [
        "a man with a hat and a hat and a hat and a hat",
        "a red red red red coat",
        "A man is in a park. He has a hat. A man is in a park.",
        "a woman standing in front of a tall wall a woman standing in front of a tall wall",
        "smiling, beach, smiling, hat, smiling, sun, smiling",
    ],
    "unfinished": ["the man JRussell is standing in front of a", "JRussell in a coat and"],
    "markup": [
        "**JRussell** in a coat",
        "# A man in a coat",
        "- a man - a coat - a hat",
        "1. a man 2. a coat",
        "a [man](https://example.org) in a coat",
        "a man<br>in a coat",
        "a man &amp; a woman",
        "a man in a coat\\nby a wall",
        '{"caption": "a man in a coat"}',
        "JRussell, *smiling*, in a coat",
    ],
    "quoted": [
        '"a man in a coat"',
        "“A man in a coat.”",
        "'JRussell in a coat'",
        "«a man in a coat»",
        '"a man in a coat',
    ],
    "of-the-picture": [
        "The image shows a man in a coat.",
        "This photo depicts a man in a coat.",
        "In this image, a man wears a coat.",
        "This is a photograph of a man in a coat.",
        "A man in a coat. The overall mood is calm.",
        "Overall, the image conveys peace.",
        "a man in a coat, we can see a tree",
        "Das Bild zeigt einen Mann.",
        "这张图片展示了一个男人。",
    ],
}


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts]
)
def test_phrases_are_found(kind, text):
    assert kind in kinds(text)


def test_every_kind_has_its_example():
    assert [one.kind for one in KINDS] == list(FOUND)


@pytest.mark.parametrize(
    "text",
    [
        "the man JRussell in a coat",
        "a photo of the man JRussell, smiling, at the beach",
        "JRussell (left) and ARussell, side by side by side",
        "a woman and a woman and a woman at the beach",
        "a man, a man and a man",
        "the man JRussell in a red coat, the woman ARussell in a red coat",
        "a picture on the wall shows a horse, JRussell points at it",
        'JRussell beside a sign that says "I\'m lost"',
        "JRussell says sorry to ARussell, who can't see him",
        "Here is JRussell at the beach",
        "the woman ARussell with her hair tied back, next to her husband",
        "an unknown place, ARussell and none of her friends",
        "a 5*3 grid of photos, 2 * 2 of them of JRussell",
        "'Ada' and 'Ben' are written on the wall",
        "1girl, long_hair, smile, standing, outdoors",
        "very, very happy: JRussell",
        "JRussell holds a prompt card, a description of the house and a tag",
        "what ARussell is looking at",
        "JRussell, whose face I can't see well, at the beach",
        "of course JRussell is here, sure enough with a hat",
    ],
)
def test_descriptions_are_left_alone(text):
    assert kinds(text) == []


def test_what_is_found_is_told_in_the_captions_words_and_kept_short():
    ((_, said),) = phrases_in("A man in a coat. I hope this helps you.")
    assert said == "I hope this helps you."
    ((kind, said),) = phrases_in('"' + "a man in a very long coat " * 2 + '"')
    assert kind == "quoted" and len(said) <= 60
