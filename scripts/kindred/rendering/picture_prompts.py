"""Which prompt a picture answers that was made elsewhere: by a prompts file beside it, by its name,
or by what ComfyUI, A1111 and its kin, or Kindred wrote into it.

Knows files and their text; which experiment asks for that prompt is in pictures_elsewhere.py.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from kindred.common.errors import KindredError, first_line_of
from kindred.common.written_text import nfc
from kindred.rendering.image_store import CHUNK

KINDS = frozenset({".png", ".jpg", ".jpeg", ".webp"})
TABLE, MAPPING = "prompts.csv", "prompts.json"
COLUMNS = ("file", "prompt")
COMFYUI, A1111 = "prompt", "parameters"  # text chunks of a PNG
SETTINGS = re.compile(r"\n(?:Negative prompt:|Steps: )")  # what stands behind a prompt of A1111's
LORA_TAG = re.compile(r"<(?:lora|lyco|hypernet):[^>]*>")
ESCAPED = re.compile(r"\\([()])")  # parentheses that ComfyUI reads as words
TEXTS = ("text", "text_g", "prompt", "string", "value")  # inputs that hold a node's text
DEEPEST = 40  # nodes from a sampler to its prompt
CURE = f"write lines of {COLUMNS[0]},{COLUMNS[1]} into {TABLE} in that folder"


def picture_files(folder: Path) -> list[str]:
    """The pictures of a folder and its subfolders, by their path in it, sorted."""
    files = (path for path in folder.rglob("*") if path.suffix.lower() in KINDS)
    return sorted(path.relative_to(folder).as_posix() for path in files if path.is_file())


def prompts_file(folder: Path) -> Path | None:
    """The file that says prompts; None without one."""
    return next((folder / name for name in (TABLE, MAPPING) if (folder / name).is_file()), None)


def written_prompts(folder: Path) -> dict[str, str]:
    """File -> prompt, of the prompts file; {} without one. Raises KindredError."""
    path = prompts_file(folder)
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = _table(text) if path.name == TABLE else json.loads(text)
    except (OSError, ValueError, csv.Error) as error:
        what = f"can't be read ({first_line_of(error)})"
        raise KindredError(what, str(path), "save it as UTF-8 text") from None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        cure = f"the columns {' and '.join(COLUMNS)}, or in {MAPPING} an object of file and prompt"
        raise KindredError("contains no prompts", str(path), f"write {cure}")
    return {file.strip().removeprefix("./"): nfc(prompt) for file, prompt in found.items()}


def _table(text: str) -> dict[str, str] | None:
    reader = csv.DictReader(text.splitlines())
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        return None
    return {row["file"] or "": row["prompt"] or "" for row in reader}


@lru_cache(maxsize=4096)  # planning asks for each picture several times
def prompt_inside(path: Path) -> str:
    """The prompt that a picture carries itself; '' where it carries none, or can't be opened."""
    try:
        with Image.open(path) as image:
            texts = {key: one for key, one in image.info.items() if isinstance(one, str)}
            comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    except (OSError, SyntaxError, ValueError):
        return ""
    if CHUNK in texts:
        return _text_of(texts[CHUNK], "prompt")
    if COMFYUI in texts and (found := _of_graph(texts[COMFYUI])):
        return found
    told = texts.get(A1111) or _comment(comment)
    return nfc(LORA_TAG.sub("", SETTINGS.split("\n" + told)[0]).strip()) if told else ""


def _text_of(told: str, key: str) -> str:
    try:
        return nfc(str(json.loads(told)[key]))
    except (ValueError, KeyError, TypeError):
        return ""


def _comment(value: Any) -> str:
    """EXIF's UserComment, behind eight bytes that say its code."""
    if not isinstance(value, bytes):
        return ""
    code, text = value[:8], value[8:]
    if code.startswith(b"UNICODE"):
        big = text[:1] == b"\0"
        return text.decode("utf-16-be" if big else "utf-16-le", errors="replace")
    return text.decode("utf-8", errors="replace").strip("\0")


def _of_graph(told: str) -> str:
    """The prompt of a graph of ComfyUI's: what leads to some node's `positive`, or of a guider
    without one to its `conditioning`."""
    try:
        nodes = json.loads(told)
    except ValueError:
        return ""
    if not isinstance(nodes, dict):
        return ""
    inputs = {key: one.get("inputs", {}) for key, one in nodes.items() if isinstance(one, dict)}
    for name in ("positive", "conditioning"):
        for own in inputs.values():
            if isinstance(own, dict) and name in own:
                text = next(_texts(inputs, own[name], 0), "")
                if text:
                    return nfc(ESCAPED.sub(r"\1", LORA_TAG.sub("", text)).strip())
    return ""


def _texts(inputs: Mapping[str, Any], link: Any, depth: int) -> Iterator[str]:
    """Texts that a link leads back to, the nearest first."""
    own = inputs.get(str(link[0])) if isinstance(link, list) and link else None
    if not isinstance(own, dict) or depth > DEEPEST:
        return
    for name in TEXTS:
        if isinstance(own.get(name), str):
            yield own[name]
        elif name in own:
            yield from _texts(inputs, own[name], depth + 1)
    for name, value in own.items():
        if name not in TEXTS and name not in ("clip", "model", "vae"):
            yield from _texts(inputs, value, depth + 1)
