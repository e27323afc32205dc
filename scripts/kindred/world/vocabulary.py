"""The words of the world: every value an attribute can take, and the colours of the paint box.

Knows nothing about drawing, sampling or grammar.
"""

Colour = tuple[int, int, int]

TRAITS = (
    "face_width",
    "jaw_shape",
    "eye_spacing",
    "eye_size",
    "eye_colour",
    "eye_tilt",
    "brow_thickness",
    "brow_angle",
    "nose_size",
    "nose_shape",
    "mouth_width",
    "lip_fullness",
    "freckles",
    "mole_position",
    "ear_size",
    "skin_tone",
)
TRAIT_INDEX = {name: index for index, name in enumerate(TRAITS)}

KINDS = ("man", "woman", "boy", "girl")
HAIR_STYLES = ("bald", "short", "spiky", "curly", "long", "bob", "ponytail", "bun", "pigtails")
HAIR_COLOURS = ("black", "brown", "blonde", "red", "grey")
HATS = (None, "cap", "woolly hat", "sun hat", "party hat", "santa hat")
CLOTHES = ("shirt", "sweater", "jacket", "dress", "overalls", "hoodie")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black")
EXPRESSIONS = ("smiling", "laughing", "serious", "surprised", "sad")
GAZES = ("left", "ahead", "right")
POSES = ("standing", "sitting", "waving", "arms crossed", "hugging")
FRAMINGS = ("headshot", "bust", "full")
PLACES = (
    "beach",
    "park",
    "forest",
    "mountains",
    "snow",
    "desert",
    "lake",
    "kitchen",
    "living room",
    "library",
    "street",
    "house",
    "night sky",
    "studio",
    "christmas card",
)

PORTRAIT, LANDSCAPE, WIDE = (128, 144), (144, 128), (192, 96)
SIZES = {"portrait": PORTRAIT, "landscape": LANDSCAPE, "wide": WIDE}

STYLES_OF_KIND = {
    "man": ("bald", "short", "spiky", "curly", "short", "long"),
    "woman": ("long", "bob", "ponytail", "bun", "curly", "short", "long"),
    "boy": ("short", "spiky", "curly", "short"),
    "girl": ("pigtails", "long", "bob", "ponytail", "curly", "pigtails"),
}
HAIR_COLOURS_OF_AGE = {
    True: HAIR_COLOURS,
    False: ("black", "brown", "blonde", "red"),
}
CLOTHES_OF_KIND = {
    "man": ("shirt", "sweater", "jacket", "hoodie", "overalls"),
    "woman": CLOTHES,
    "boy": ("shirt", "sweater", "jacket", "hoodie", "overalls"),
    "girl": CLOTHES,
}

PAINT: dict[str, Colour] = {
    "red": (214, 66, 62),
    "orange": (240, 140, 52),
    "yellow": (248, 205, 74),
    "green": (82, 158, 96),
    "blue": (66, 118, 200),
    "purple": (136, 92, 178),
    "pink": (244, 150, 178),
    "white": (247, 244, 238),
    "black": (56, 56, 68),
}
HAIR_PAINT: dict[str, Colour] = {
    "black": (46, 42, 54),
    "brown": (122, 76, 46),
    "blonde": (240, 200, 106),
    "red": (206, 88, 40),
    "grey": (172, 176, 184),
}
SKIN_PAINT: tuple[Colour, ...] = (
    (255, 228, 210),
    (250, 208, 176),
    (228, 170, 126),
    (186, 124, 84),
    (138, 90, 64),
)
IRIS_PAINT: tuple[Colour, ...] = (
    (104, 58, 26),
    (92, 148, 58),
    (44, 118, 210),
    (164, 178, 192),
)


def adult(kind: str) -> bool:
    """Whether a person of this kind is grown up."""
    return kind in ("man", "woman")


def noun(kind: str) -> str:
    """The class noun a training caption uses: man, woman or child."""
    return kind if adult(kind) else "child"


def hats_style_visible(style: str) -> bool:
    """Whether a hair style can still be told apart under a hat."""
    return style in ("curly", "long", "bob", "ponytail", "pigtails")
