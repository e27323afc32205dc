"""Variants that train nothing: adapters of others loaded together, or files trained elsewhere.

Knows what such a variant may say; what a LoRA file must hold is in models/lora/compatibility.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from kindred.common.errors import KindredError, Problems
from kindred.config.plan import Variant
from kindred.config.variant_inheritance import Settings
from kindred.config.yaml_document import Document
from kindred.models.identity import architecture_of
from kindred.specs.training import Recipe

if TYPE_CHECKING:
    from kindred.config.config_files import ConfigFiles
    from kindred.models.architectures.interface import Architecture
    from kindred.specs.base_model import Base

OF_SEVERAL = frozenset({"adapters", "keep_apart", "base", "draw_on", "sweep"})
IDLE = {"weight": "adapter", "keep_apart": "adapters"}  # without which they do nothing
RENAME = "rename it without { } < >"
KINDS = get_args(Recipe.model_fields["adapter_type"].annotation)
OF_FILES = frozenset({"adapter", "weight", "base", "draw_on", "sweep"})


def is_trained(settings: Settings) -> bool:
    """Whether the variant is trained here."""
    config = settings.config
    given = (config.adapters, config.adapter, config.references, config.pictures)
    return all(one is None for one in (*given, config.face_detail))


def note_idle_keys(document: Document, settings: Settings, problems: Problems) -> None:
    """Note keys that a variant which is trained can't be changed by."""
    for key, wanted in IDLE.items():
        if getattr(settings.config, key) is not None:
            where = document.where("variants", settings.key, key)
            problems.add(where, "has no effect here", f"remove it, or set `{wanted}`")


def from_files(document: Document, settings: Settings, config_files: ConfigFiles) -> Variant | None:
    """LoRA files trained elsewhere: run k renders with the k-th. Every problem is noted."""
    from kindred.data.photo_folder import sign_of_snakemake  # few need these
    from kindred.models.lora.compatibility import incompatibilities, layers_of

    at, problems = ("variants", settings.key), config_files.problems
    base = config_files.base(settings.values["base"], document.where(*settings.at("base")))
    if not only_keys(document, settings, "adapter", OF_FILES, problems) or base is None:
        return None
    given = settings.config.adapter
    files = [
        str(Path(name).expanduser()) for name in ([given] if isinstance(given, str) else given)
    ]
    where, before = document.where(*at, "adapter"), len(problems.found)
    if not files:
        problems.add(where, "no file is named", "name a LoRA file, or list one for each run")
    architecture = architecture_known(base, where, config_files)
    if architecture is None:
        return None
    layers = layers_of(base.model, base.revision, architecture, config_files.root)
    for name in files:
        if name in KINDS:
            said = f"'{name}' is a kind of adapter, not a file"
            problems.add(
                where,
                said,
                f"to train one, write `adapter_type: {name}`; otherwise name a LoRA file",
            )
            continue
        if sign := sign_of_snakemake(name):
            problems.add(where, f"'{name}' has {sign} in its path", RENAME)
        for fault in incompatibilities(config_files.root / name, architecture, layers):
            note = problems.add if fault.stops else problems.warn
            note(where, f"'{name}' {fault.what}", fault.cure)
    if len(problems.found) > before:
        return None
    weight = 1.0 if settings.config.weight is None else settings.config.weight
    runs = tuple(range(1, len(files) + 1))
    name, base_name = settings.name, settings.values["base"]
    return Variant(name, base_name, None, runs, files=tuple(files), weight=weight)


def from_variants(
    document: Document, settings: Settings, variants: dict[str, Variant], config_files: ConfigFiles
) -> Variant | None:
    """Several variants' adapters loaded together: run k takes each one's run k, and of an adapter
    trained elsewhere that has one file, that. `base` draws with another base than theirs, such as
    the same one in another precision."""
    at, problems = ("variants", settings.key), config_files.problems
    if not only_keys(document, settings, "adapters", OF_SEVERAL, problems):
        return None
    unknown = [name for name in settings.config.adapters if name not in variants]
    for name in unknown:
        where = document.where(*at, "adapters", name)
        cure = document.did_you_mean(name, variants, "variants")
        problems.add(where, f"no trained variant '{name}'", cure)
    if not settings.config.adapters:
        cure = "name at least one variant with its weight, or remove `adapters`"
        problems.add(document.where(*at, "adapters"), "no variant is named", cure)
    if unknown or not settings.config.adapters:
        return None
    parts = [variants[name] for name in settings.config.adapters]
    other = settings.config.base
    if other is not None and config_files.base(other, document.where(*at, "base")) is None:
        return None
    bases = {other or part.base for part in parts}
    if len(bases) > 1:
        text = f"their bases differ ({', '.join(sorted(bases))})"
        problems.add(document.where(*at, "adapters"), text, "name variants of the same base")
        return None
    counted = [set(part.runs) for part in parts if len(part.files) != 1]
    runs = set.intersection(*counted) if counted else {1}
    if not runs:
        where, text = document.where(*at, "adapters"), "they have no run number in common"
        problems.add(where, text, "give them the same `runs` and `first_run`")
        return None
    adapters = tuple(settings.config.adapters.items())
    return Variant(settings.name, bases.pop(), None, tuple(sorted(runs)), adapters=adapters)


def architecture_known(base: Base, where: str, config_files: ConfigFiles) -> Architecture | None:
    """A base's architecture, which a variant can't be checked without; None after noting why it
    can't be told."""
    try:
        return architecture_of(base, config_files.root)
    except KindredError as error:
        config_files.problems.add(where, f"its base: {error.what}", error.cure)
        return None


def only_keys(
    document: Document, settings: Settings, key: str, allowed: frozenset[str], problems: Problems
) -> bool:
    """Note keys that mean nothing for a variant that is not trained; whether there are none."""
    extra = settings.config.model_fields_set - allowed
    if extra:
        names = ", ".join(sorted("from" if key == "parent" else key for key in extra))
        where = document.where("variants", settings.key)
        text = f"a variant with `{key}` is not trained, so {names} can't be set"
        problems.add(where, text, f"remove {names}")
    return not extra
