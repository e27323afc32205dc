"""Words for scenes: a small grammar of varied English in which every stated fact is true.

Knows nameable attributes only; identity traits never reach a caption. A caption always fits the
base's text length: details are dropped until it does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from kindred.common.sentences import listing
from kindred.world.phrases import (
    NUMBERS,
    PLACE_PHRASES,
    TOKEN_LIMIT,
    age,
    article,
    role,
    token_count,
)
from kindred.world.scene import Figure, Scene, hugged
from kindred.world.vocabulary import adult, hats_style_visible, noun


@dataclass(frozen=True)
class Style:
    """Choices for one caption: which facts are stated, and how people are called."""

    call: str
    looks: bool
    dress: bool
    mood: bool
    place: bool
    apposed: bool = True


def caption(
    scene: Scene,
    rng: Random,
    detail: str | None = None,
    names: bool = True,
    place: bool | None = None,
    looks: bool | None = None,
    call: str | None = None,
    sides: bool | None = None,
    limit: int = TOKEN_LIMIT,
) -> str:
    """One caption of a scene.

    detail: "short" or "detailed" (default: either). names: call named people by their names.
    place, looks: force the place or permanent looks (hair, beard, glasses) in or out.
    call: "plain", "age" or "role": what stands before a name (given "plain", no class noun is
    said at all). sides: force left and right in or out. At most `limit` tokens.
    """
    detail = detail or rng.choice(("short", "detailed"))
    for level in range(6):
        style = _style(rng, scene, detail, place, looks, call, level)
        text = _write(scene, rng, style, names, detail if level < 5 else "short", sides)
        if token_count(text) <= limit:
            return text
    return listing([_reference(figure, style, names, rng) for figure in scene.figures])


def _style(
    rng: Random,
    scene: Scene,
    detail: str,
    place: bool | None,
    looks: bool | None,
    call: str | None,
    level: int,
) -> Style:
    """Dice for one caption; each level drops more."""
    rich = detail == "detailed"
    named = any(figure.person.name for figure in scene.figures)
    if looks is None:
        looks = rng.random() < (0.25 if named else 0.8 if rich else 0.6)
    if place is None:
        place = rng.random() < (0.7 if level < 5 else 0.4)
    apposed = call != "plain"
    if call is None:
        call = rng.choice(("plain", "plain", "plain", "age", "role", "role"))
    return Style(
        call=call if level < 4 else "plain",
        looks=looks and level < 3,
        dress=rich and level < 4 and rng.random() < 0.85,
        mood=rich and level < 2 and rng.random() < 0.7,
        place=place,
        apposed=apposed,
    )


def _write(
    scene: Scene, rng: Random, style: Style, names: bool, detail: str, sides: bool | None
) -> str:
    figures = list(scene.figures)
    several = len(figures) > 1
    if sides and several:
        return _sided(scene, figures, rng, style, names)
    options: list[Callable[..., str | None]] = [_listed, _listed]
    if several:
        options.append(_related)
        options += [_sided] * (0 if sides is False else 2 if detail == "detailed" else 1)
    if detail == "detailed":
        options.append(_acting)
    for _ in range(4):
        text = rng.choice(options)(scene, figures, rng, style, names)
        if text:
            return text
    return _listed(scene, figures, rng, style, names)


def _place(scene: Scene, rng: Random, style: Style) -> str:
    return rng.choice(PLACE_PHRASES[scene.place]) if style.place else ""


def _listed(scene: Scene, figures: list[Figure], rng: Random, style: Style, names: bool) -> str:
    """X, Y and Z, in any order, inside one of many frames."""
    order = rng.sample(figures, len(figures))
    people = listing([_person(scene, figure, style, names, rng) for figure in order])
    where = _place(scene, rng, style)
    if scene.place == "christmas card" and style.place:
        return rng.choice(("a Christmas card with {}", "a Christmas card of {}")).format(people)
    frames = ["{}", "{}", "a photo of {}", "a picture of {}"]
    if scene.framing != "full":
        frames += ["a portrait of {}"]
    if scene.framing == "headshot":
        frames += ["headshot of {}", "a headshot of {}", "headshot of {}", "a close portrait of {}"]
    if scene.framing == "full":
        frames += ["a full body picture of {}"]
    if len(figures) > 1:
        count = NUMBERS[len(figures)]
        frames += ["a family portrait of {}", count + " people: {}"]
        if where:
            return rng.choice(
                [
                    *[f"{frame} {where}" for frame in frames[:-1]],
                    f"{where}, {{}}",
                    f"{where}, {{}} stand together" if _all_stand(figures) else f"{{}} {where}",
                    f"{count} people {where}: {{}}",
                    f"{count} people: {{}}, {where}",
                ]
            ).format(people)
    text = rng.choice(frames).format(people)
    return f"{text} {where}" if where else text


def _all_stand(figures: Sequence[Figure]) -> bool:
    return all(figure.pose != "sitting" for figure in figures)


def _sided(scene: Scene, figures: list[Figure], rng: Random, style: Style, names: bool) -> str:
    """Left and right, said truly."""
    people = [_person(scene, figure, style, names, rng) for figure in figures]
    where = _place(scene, rng, style)
    tail = f" {where}" if where else ""
    if len(people) == 2:
        left, right = people
        options = [
            f"{left} on the left and {right} on the right{tail}",
            f"{right} on the right and {left} on the left{tail}",
            f"on the left {left}, on the right {right}{tail}",
            f"from left to right: {left} and {right}{tail}",
        ]
        if style == _bare(style):
            options.append(f"{left} to the left of {right}{tail}")
        return rng.choice(options)
    ordered = [
        f"from left to right: {listing(people)}{tail}",
        f"{listing(people)}, from left to right{tail}",
    ]
    if len(people) == 3:
        left, middle, right = people
        ordered.append(f"{left} on the left, {middle} in the middle and {right} on the right{tail}")
    return rng.choice(ordered)


def _bare(style: Style) -> Style:
    return Style(style.call, False, False, False, style.place, style.apposed)


def _related(
    scene: Scene, figures: list[Figure], rng: Random, style: Style, names: bool
) -> str | None:
    """One person and the neighbour: next to, hugs."""
    if len(figures) != 2:
        return None
    index = rng.randrange(2)
    figure = figures[index]
    other = figures[1 - index]
    first = _person(scene, figure, style, names, rng, posed=False, apposed=True)
    second = _person(scene, other, style, names, rng, posed=False, apposed=True)
    where = _place(scene, rng, style)
    if figure.pose == "hugging" and hugged(scene, index) == 1 - index:
        verb = rng.choice(("hugs", "is hugging"))
    elif figure.pose == "sitting":
        verb = rng.choice(("sits next to", "sits beside"))
    else:
        verb = rng.choice(("stands next to", "is next to", "stands beside"))
    if where and rng.random() < 0.4:
        return f"{where}, {first} {verb} {second}".replace(", ,", ",").rstrip(",")
    gap = " " if where else ""
    return f"{first} {verb} {second}{gap}{where}".rstrip(",")


_ACTS = {
    "standing": "stands",
    "sitting": "sits",
    "waving": "waves",
    "arms crossed": "stands with crossed arms",
}


def _acting(
    scene: Scene, figures: list[Figure], rng: Random, style: Style, names: bool
) -> str | None:
    """What each one does: A sits, B waves and C stands."""
    if scene.framing == "headshot":
        return None
    clauses = []
    for index, figure in enumerate(figures):
        person = _person(scene, figure, style, names, rng, posed=False)
        if figure.pose == "hugging":
            other = figures[hugged(scene, index)]
            clauses.append(
                f"{person} hugs {_reference(other, _bare(style), names, rng, again=True)}"
            )
        else:
            clauses.append(f"{person} {_ACTS[figure.pose]}")
    if "hugging" not in [figure.pose for figure in figures]:
        rng.shuffle(clauses)
    where = _place(scene, rng, style)
    text = listing(clauses)
    if not where:
        return text
    return f"{where}, {text}" if rng.random() < 0.5 or len(figures) > 1 else f"{text} {where}"


def _reference(figure: Figure, style: Style, names: bool, rng: Random, again: bool = False) -> str:
    """How a person is called, without modifiers."""
    person = figure.person
    if names and person.name:
        before = {"plain": "", "age": age(person) + " ", "role": role(person) + " "}[style.call]
        return ("" if again else before) + person.name
    options = [person.kind] if adult(person.kind) else [person.kind, "child", "small child"]
    if style.call == "age":
        options = (
            [f"adult {person.kind}"] if adult(person.kind) else ["child", f"small {person.kind}"]
        )
    word = rng.choice(options)
    if again:
        return f"the {noun(person.kind)}"
    if style.looks and person.hair_style == "bald" and figure.hat is None:
        word = f"bald {word}"
    return article(word)


def _person(
    scene: Scene,
    figure: Figure,
    style: Style,
    names: bool,
    rng: Random,
    posed: bool = True,
    apposed: bool = False,
) -> str:
    """A reference with its modifiers: with ..., in ..., smiling."""
    person = figure.person
    text = _reference(figure, style, names, rng)
    modifiers = []
    named = bool(names and person.name)
    if style.looks or (not named and rng.random() < 0.35):
        modifiers += _with(figure, named, rng)
    if style.dress:
        modifiers += _wearing(figure, rng)
    elif figure.hat and rng.random() < 0.3:
        modifiers.append(f"in {article(_hat(figure))}")
    if style.mood:
        modifiers += _mood(scene, figure, rng, posed)
    if not modifiers:
        return text
    if apposed and named and style.apposed and style.call == "plain" and rng.random() < 0.6:
        return f"{text}, {article(noun(person.kind))} {' '.join(modifiers)},"
    return f"{text} {' '.join(modifiers)}"


def _hat(figure: Figure) -> str:
    if figure.hat == "santa hat":
        return "santa hat"
    return f"{figure.hat_colour} {figure.hat}"


def _with(figure: Figure, named: bool, rng: Random) -> list[str]:
    """Permanent looks that the picture shows: under a hat only some styles can be told."""
    person, things = figure.person, []
    style, colour = person.hair_style, person.hair_colour
    seen = figure.hat is None or hats_style_visible(style)
    if style == "bald":
        if figure.hat is None and named:
            things.append("a bald head")
    elif not seen:
        things.append(f"{colour} hair")
    elif style in ("short", "spiky", "curly", "long"):
        things.append(
            rng.choice((f"{style} {colour} hair", f"{style} {colour} hair", f"{colour} hair"))
        )
    elif style == "pigtails":
        things.append(f"{colour} pigtails")
    else:
        things.append(f"a {colour} {style}")
    if person.beard:
        things.append("a beard")
    if person.glasses:
        things.append("glasses")
    if len(things) > 1 and rng.random() < 0.3:
        things.pop(rng.randrange(len(things)))
    return [f"with {listing(things)}"] if things else []


def _wearing(figure: Figure, rng: Random) -> list[str]:
    clothes = figure.clothes if figure.clothes == "overalls" else None
    colour = figure.clothes_colour
    top = f"{colour} overalls" if clothes else article(f"{colour} {figure.clothes}")
    things = [top]
    if figure.hat:
        things.append(article(_hat(figure)))
    if len(things) == 2 and rng.random() < 0.25:
        things.pop(rng.randrange(2))
    return [f"{rng.choice(('in', 'in', 'wearing'))} {listing(things)}"]


_MOODS = {
    "smiling": ("smiling", "with a smile"),
    "laughing": ("laughing",),
    "serious": ("looking serious", "with a serious face"),
    "surprised": ("looking surprised", "with a surprised face"),
    "sad": ("looking sad", "with a sad face"),
}
_POSED = {
    "standing": "standing",
    "sitting": "sitting",
    "waving": "waving",
    "arms crossed": "with crossed arms",
}


def _mood(scene: Scene, figure: Figure, rng: Random, posed: bool) -> list[str]:
    parts = []
    if rng.random() < 0.75:
        parts.append(rng.choice(_MOODS[figure.expression]))
    looks_away = figure.gaze != "ahead"
    if rng.random() < (0.45 if looks_away else 0.12):
        parts.append(f"looking to the {figure.gaze}" if looks_away else "looking at the camera")
    if posed and scene.framing != "headshot" and figure.pose in _POSED and rng.random() < 0.55:
        parts.append(_POSED[figure.pose])
    rng.shuffle(parts)
    return parts
