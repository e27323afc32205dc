"""Kinds of warnings that preprocess and caption put on photos: what each means, and its cure."""

from __future__ import annotations

LEFT_OUT = "left-out"  # files that are no photo's
# kind of a warning on an image or caption -> (what, effect, cure)
ROW_KINDS: dict[str, tuple[str, str, str]] = {
    "duplicate": (
        "the same photo more than once",
        "it counts double, and is learned by heart rather than as a person",
        "remove all but one",
    ),
    "near-duplicate": (
        "nearly the same photo more than once",
        "pose, clothes and light of a series are learned by heart, and the count of photos looks "
        "better than it is",
        "keep the best of each series",
    ),
    "blurred": (
        "photos that look blurred",
        "blur is learned like everything else: faces come out soft",
        "replace or remove them",
    ),
    "small": (
        "small photos",
        "faces have few pixels, so details can't be learned",
        "use originals",
    ),
    "enlarged": (
        "photos enlarged to reach the training size",
        "the softness of enlarging is learned",
        "use originals, or train at a smaller resolution",
    ),
    "cut": (
        "photos that lose a large part to their bucket",
        "people at the edges may be cut off while the caption still names them",
        "crop them yourself, or allow more buckets",
    ),
    "case": (
        "names written in another case",
        "the text encoders read other tokens, so the caption does not train the name",
        "write the name exactly",
    ),
    "spelling": (
        "words spelt nearly like a name",
        "a misspelt name trains nothing, or another name",
        "correct it if it is meant to be the name",
    ),
    LEFT_OUT: (
        "files of the folder that are not used",
        "photos among them are missing from the training",
        "move, convert or rename those that are photos",
    ),
    "reading": (
        "captions that could be read in another way",
        "lines are joined, or one of two columns is taken, and that is what is trained",
        "keep one line and one column a caption",
    ),
    "who": (
        "captions that disagree with `who`, folder or file name",
        "a photo counted in the wrong cell, or a name trained on another face",
        "correct the one that is wrong; the caption is what is trained",
    ),
    "faces": (
        "captions that tell of other people than the faces",
        "what is said of one person is learned of another; the captioner's words are left out",
        "say what they wear in a caption of your own; `make who` has a place for it",
    ),
    "undecided": (
        "faces that nobody has decided yet",
        "such a person is in no caption, and is learned as a part of the others",
        "run `make who` again, or write the name or `nobody` into people.yaml",
    ),
    "profile": (
        "photos whose colour profile could not be used",
        "their colours are taken as sRGB; skin may look paler or redder than in the others",
        "export them as sRGB",
    ),
    "damaged": (
        "damaged photos",
        "a part may be grey or shifted, and is learned so",
        "look at the prepared images; copy the photo again from the camera",
    ),
    "mask": (
        "pictures that look like masks",
        "a mask is learned as the person that its caption names",
        "remove them if they are no photos",
    ),
    "cmyk": (
        "CMYK photos without a usable profile",
        "their colours are approximate, and learned as they are",
        "export them as sRGB",
    ),
    "exif": (
        "photos with damaged EXIF data",
        "they may lie on their side, and people are learned so",
        "look at the prepared images; turn the photo and save it again",
    ),
    "metadata": (
        "photos with metadata that can't be read",
        "none: pixels, colours and how they are turned are read",
        "nothing to do",
    ),
    "frames": ("files of several pictures", "only the first picture is used", "keep one picture"),
    "transparent": (
        "photos with transparent parts",
        "the background put behind them is learned as the place; many of one colour are drawn so",
        "choose `background`, or use photos with a background",
    ),
}
NOTES = frozenset({"profile", "cmyk", "exif", "metadata", "frames", "transparent"})
