"""How the designs of many experiments of one kind are written into a log: the first one whole, each
other as what differs from it.

Of albums of one design little differs but who is in them. A stored experiment is
{"sha256": of the whole design,
 "design": {...}                 the first; or, of every other one:
 "like": the name of the first,
 "names": {"granger": "hadley"}  what takes the place of a name, in keys and texts, wherever it
                                 stands as a whole word,
 "differs": {...}}               what is to be merged then, as RFC 7396 says: null removes a key

In a prompt set, prompts that are asked for on every canvas, with seeds as `noise_seeds` gives them,
stand under "on_canvases": {"canvases": ["144x128"], "seeds": 2, "texts": {"A+J": ["..."]}} instead
of in "prompts". Reading gives back exactly the design that was stored, which its sha256 shows.
Where it would not, the design is stored as it is, as all designs were at first.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from kindred.common.errors import KindredError
from kindred.common.experiment_log import LOGS
from kindred.common.hashing import canonical_json, spec_hash
from kindred.specs.casts import noise_seeds

Json = dict[str, Any]
WORD = re.compile(r"[A-Za-z0-9]+")
ASKED = re.compile(r"(?P<cast>.+)\.(?P<canvas>(\d+)x(\d+))\.(?P<number>\d+)")  # a prompt's name
TOGETHER = "on_canvases"


def stored(design: Mapping[str, Any]) -> Json:
    """A design of families as a log holds it; one of an experiment stays as it is."""
    if not design.get("experiments"):
        return dict(design)
    (first, like), *others = design["experiments"].items()
    written = {first: _stored(like, {"design": _prompts_together(like)})}
    for name, one in others:
        written[name] = _stored(one, _difference(first, like, one), like)
    return {**design, "experiments": written}


def restored(design: Mapping[str, Any]) -> Json:
    """The design that a log holds in any form; it is kept for the next call, so don't change it.
    Raises KindredError where another one comes out than was stored."""
    return _restored(canonical_json(design)) if "experiments" in design else dict(design)


@lru_cache(maxsize=8)
def _restored(text: str) -> Json:
    design = json.loads(text)
    held = design["experiments"]
    whole: Json = {}
    for name in sorted(held, key=lambda one: "like" in held[one]):
        whole[name] = _whole(name, held[name], whole)
    return {**design, "experiments": {name: whole[name] for name in held}}


def _whole(name: str, held: Json, others: Json) -> Json:
    """One of the designs; `others` has those that it may be like."""
    if "sha256" not in held:
        return held
    found = _expanded(held, others.get(held.get("like")))
    if spec_hash(found) != held["sha256"]:
        raise KindredError(
            f"the design of {name} is not the one that was declared: its sha256 is another",
            str(LOGS),
            "restore the log (`git checkout`), and use the version of Kindred that wrote it",
        )
    return found


def _stored(whole: Json, short: Json, like: Json | None = None) -> Json:
    """The short form if it gives the design back, or else the design."""
    held = {"sha256": spec_hash(whole), **short}
    return held if spec_hash(_expanded(held, like)) == held["sha256"] else whole


def _expanded(held: Json, like: Json | None) -> Json:
    if "design" in held:
        return _prompts_apart(held["design"])
    start = _renamed(_prompts_together(like or {}), held["names"])
    return _prompts_apart(_merged(start, held["differs"]))


def _difference(first: str, like: Json, one: Json) -> Json:
    names = _names(like, one)
    start = _renamed(_prompts_together(like), names)
    return {"like": first, "names": names, "differs": _patch(start, _prompts_together(one))}


def _names(like: Json, one: Json) -> dict[str, str]:
    """Word -> word: what characters and the datasets of the same variants are called in both."""
    pairs = list(zip(_called(like), _called(one), strict=False))
    for name, variant in like.get("variants", {}).items():
        other = one.get("variants", {}).get(name, {})
        pairs += zip(variant.get("datasets", ()), other.get("datasets", ()), strict=False)
    found: dict[str, str] = {}
    for old, new in pairs:
        words = WORD.findall(old), WORD.findall(new)
        if len(words[0]) == len(words[1]):
            found = dict(zip(*words, strict=True)) | found
    return {old: new for old, new in found.items() if old != new}


def _called(design: Json) -> list[str]:
    """The letter and the name of every character, in the letters' order."""
    found: Json = {}
    for variant in design.get("variants", {}).values():
        found |= variant.get("training", {}).get("characters", {})
    return [text for who in sorted(found) for text in (who, found[who].get("name", who))]


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A copy with other words in all keys and texts."""
    if isinstance(value, Mapping):
        return {_renamed(key, names): _renamed(one, names) for key, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    if isinstance(value, str):
        return WORD.sub(lambda word: names.get(word[0], word[0]), value)
    return value


def _patch(before: Any, after: Any) -> Any:
    """What has to be merged into `before` to make `after` of it (RFC 7396)."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    gone = {key: None for key in before if key not in after}
    return gone | {
        key: _patch(before.get(key), value)
        for key, value in after.items()
        if key not in before or before[key] != value
    }


def _merged(before: Any, patch: Any) -> Any:
    """`before` with a patch merged into it (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    made = dict(before) if isinstance(before, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = _merged(made.get(key), value)
    return made


def _prompts_together(design: Json) -> Json:
    """A design whose prompt sets hold once what is asked for on every canvas."""
    sets = {name: _together(one) for name, one in design.get("prompt_sets", {}).items()}
    return {**design, "prompt_sets": sets} if sets else design


def _together(asked: Json) -> Json:
    prompts = asked["prompts"]
    named = [found for name in prompts if (found := ASKED.fullmatch(name))]
    seeds = {len(one["seeds"]) for one in prompts.values() if "seeds" in one}
    if not named or len(seeds) != 1:
        return asked
    texts: dict[str, list[str]] = {}
    for found in sorted(named, key=lambda one: int(one["number"])):
        own = texts.setdefault(found["cast"], [])
        if len(own) == int(found["number"]) - 1:
            own.append(prompts[found[0]]["text"])
    canvases = list(dict.fromkeys(found["canvas"] for found in named))
    short = {"canvases": sorted(canvases), "seeds": seeds.pop(), "texts": texts}
    made = _on_canvases(short)
    if any(prompts.get(name) != one for name, one in made.items()):
        return asked
    rest = {name: one for name, one in prompts.items() if name not in made}
    return {**asked, "prompts": rest, TOGETHER: short}


def _prompts_apart(design: Json) -> Json:
    whole = copy.deepcopy(design)
    for asked in whole.get("prompt_sets", {}).values():
        if TOGETHER in asked:
            asked["prompts"] |= _on_canvases(asked.pop(TOGETHER))
    return whole


def _on_canvases(short: Json) -> Json:
    """Prompts by name, as a design holds them."""
    made: Json = {}
    for canvas in short["canvases"]:
        width, height = map(int, canvas.split("x"))
        for cast, texts in short["texts"].items():
            for number, text in enumerate(texts, 1):
                made[f"{cast}.{canvas}.{number}"] = {
                    "text": text,
                    "width": width,
                    "height": height,
                    "seeds": noise_seeds(text, (width, height), short["seeds"]),
                }
    return made
