"""Pictures made elsewhere in the place of a variant's: which prompt and seed of the experiment each
one stands for, and how they come into the store.

A picture stands for the prompt that it answers; the seeds of that prompt are given out in the order
of the files' names, because noise made elsewhere is another noise anyway. So pictures are compared
prompt by prompt. Knows prompt sets and files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import ImageOps

from kindred.common.errors import KindredError, Problem, Problems, did_you_mean
from kindred.common.files import write_json
from kindred.common.hashing import pixel_hash, spec_hash
from kindred.common.made_pictures import read_picture
from kindred.data.photo_folder import sign_of_snakemake
from kindred.rendering.image_store import ImageStore
from kindred.rendering.picture_prompts import (
    CURE,
    TABLE,
    picture_files,
    prompt_inside,
    written_prompts,
)
from kindred.specs.pictures_elsewhere import PictureElsewhere, PicturesElsewhere
from kindred.specs.rendering import PromptSet

SETTINGS = {"made_elsewhere": True}
Asked = dict[tuple[str, str], str]  # (prompt set, prompt's name) -> its text


@dataclass
class Assigned:
    """Prompt set -> pictures; what is wrong, and what is left out."""

    sets: dict[str, list[PictureElsewhere]]
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


def assign(folder: Path, prompt_sets: Mapping[str, PromptSet], shown: str) -> Assigned:
    """The pictures of a folder by what an experiment asks for. shown: the folder as problems and
    specifications name it. Raises KindredError where the prompts file can't be read."""
    found = Assigned({name: [] for name in prompt_sets})
    asked = {
        (key, name): text for key, one in prompt_sets.items() for name, text in one.texts().items()
    }
    written, files = written_prompts(folder), picture_files(folder)
    if not files:
        cure = "put PNG, JPEG or WebP files there"
        found.problems.append(Problem(shown, "contains no picture", cure))
    for file in files:
        if sign := sign_of_snakemake(file):
            what = f"has {sign} in its name"
            found.problems.append(Problem(f"{shown}/{file}", what, "rename it without { } < >"))
    for file in sorted(written.keys() - set(files)):
        where = f"{shown}/{TABLE}: {file}"
        found.problems.append(Problem(where, "there is no such picture", did_you_mean(file, files)))
    of_prompt: dict[tuple[str, str], list[str]] = {}
    unknown = []
    for file in files:
        places = _places(folder, file, written, asked)
        unknown += [] if places else [file]
        for place in places:
            of_prompt.setdefault(place, []).append(file)
    found.problems += _unknown(folder, unknown, written, asked, shown)
    for (key, name), own in of_prompt.items():
        seeds = prompt_sets[key].full(name).seeds or []
        for file, seed in zip(own, seeds, strict=False):
            told = {"file": f"{shown}/{file}", "prompt": asked[key, name]}
            found.sets[key].append(PictureElsewhere(**told, name=name, seed=seed))
        if len(own) > len(seeds):
            what = (
                f"there are {len(own)} pictures of “{name}”, but the prompt set takes {len(seeds)}"
            )
            cure = f"set more `seeds` or `pictures` in prompt_sets.{key}, or remove some pictures"
            found.warnings.append(Problem(shown, what, cure))
    return found


def _places(
    folder: Path, file: str, written: Mapping[str, str], asked: Asked
) -> list[tuple[str, str]]:
    """The prompts that a picture answers: as is written, or its name says, or it carries."""
    if file in written:
        return by_text(written[file], asked)
    return by_name(file, asked) or by_text(prompt_inside(folder / file), asked)


def by_text(text: str, asked: Asked) -> list[tuple[str, str]]:
    """The prompts of this text; else those whose text it has in it, the longest."""
    plain = {place: _plain(one) for place, one in asked.items()}
    told = _plain(text)
    same = [place for place, one in plain.items() if one == told]
    if same or not told:
        return same
    inside = [place for place, one in plain.items() if f" {one} " in f" {told} "]
    longest = max((len(plain[place]) for place in inside), default=0)
    return [place for place in inside if len(plain[place]) == longest]


def by_name(file: str, asked: Asked) -> list[tuple[str, str]]:
    """The prompt whose name a file's begins with, the longest such; of one that several prompt sets
    have the name says which, or the folder."""
    path = Path(file)
    parts = [*path.parts[:-1], path.stem]
    found = []
    for key, name in asked:
        names = ["/".join((key, name)), f"{key}-{name}", name]
        stems = ["/".join(parts), "/".join(parts[-2:]), parts[-1]]
        length = max((len(n) for n in names for s in stems if _begins(s, n)), default=0)
        found.append((length, (key, name)))
    longest = max((length for length, _ in found), default=0)
    best = [place for length, place in found if length == longest and length]
    return best if len(best) == 1 else []


def _begins(stem: str, name: str) -> bool:
    """Whether a file is called so, or so with something behind it."""
    return re.fullmatch(rf"{re.escape(name)}(?:[\s_.\-].*)?", stem, re.IGNORECASE) is not None


def _plain(text: str) -> str:
    """Words alone, in lower case: tools add commas, weights and spaces."""
    return " ".join(re.findall(r"\w+", text.lower()))


def _unknown(
    folder: Path, files: Sequence[str], written: Mapping[str, str], asked: Asked, shown: str
) -> list[Problem]:
    """What is said of pictures that answer no prompt: once for all that say nothing, once for each
    text of others."""
    told: dict[str, list[str]] = {}
    for file in files:
        told.setdefault(written.get(file) or prompt_inside(folder / file), []).append(file)
    found = []
    for text, own in told.items():
        where = f"{shown}/{own[0]}" + (f" and {len(own) - 1} more" if len(own) > 1 else "")
        if not text:
            what = "its prompt is unknown: neither its name nor the file contains it"
            found.append(
                Problem(where, what, f"{CURE}, or let its name begin with the name of a prompt")
            )
            continue
        near = did_you_mean(text, list(asked.values()))
        what = f"no prompt set has its prompt “{text[:80]}”"
        found.append(Problem(where, what, f"add it to `prompts`, or {CURE}; {near}"))
    return found


def bring_in(spec: PicturesElsewhere, store: ImageStore, out: Path) -> int:
    """Copy the pictures into the store, upright and without what their files carry besides, and
    write the list of them at `out`; how many. Raises ProblemsError naming those that can't be
    read."""
    problems, rows = Problems("pictures made elsewhere can't be read"), []
    for one in spec.pictures:
        try:
            image = ImageOps.exif_transpose(read_picture(one.file))
        except KindredError as error:
            problems.add(one.file, error.what, "save it again, or remove it")
            continue
        told = {"prompt": one.prompt, "seed": one.seed, **SETTINGS}
        key = spec_hash({"pixels": pixel_hash(image), **told})
        if not store.path(key).is_file():
            store.put_image(key, image, told)
        row = {"name": one.name, "prompt": one.prompt, "seed": one.seed, "key": key}
        size = {"width": image.width, "height": image.height}
        rows.append(row | size | {"path": store.path(key).as_posix()})
    problems.raise_if_any()
    told = {"prompt_set": spec.prompt_set, "code_revisions": [], "settings": SETTINGS}
    write_json(out, {**told, "adapters": [], "images": rows})
    return len(rows)
