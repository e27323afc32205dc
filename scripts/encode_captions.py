"""Encode captions with a base's text encoders.

in:  captions.jsonl
     with --without-names the dataset's CaptionSpec: captions then say class nouns for names
out: text-<tokens>.safetensors: of each text `<caption hash>.<name>` for every tensor that the
     base's architecture makes of it, the empty caption included; the header names the encoders.
     Texts encoded before come from the store.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.characters.trigger_words import remove_trigger_words
from kindred.common.errors import run_main
from kindred.common.files import read_jsonl
from kindred.common.left_out import SCIPY, leave_out
from kindred.common.sentences import counted
from kindred.compute import devices
from kindred.data import encoding_cache
from kindred.data.text_encoding import text_loader
from kindred.specs.base_model import TextEncoder
from kindred.specs.dataset import CaptionSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="TextEncoder as JSON, or a file of it")
    parser.add_argument("--captions", required=True, type=Path, help="captions.jsonl (caption.py)")
    parser.add_argument("--text", required=True, type=Path, help="file to write")
    parser.add_argument("--without-names", help="CaptionSpec as JSON: class nouns replace names")
    parser.add_argument(
        "--store", type=Path, default=encoding_cache.STORE, help="store of single embeddings"
    )
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Encode a dataset's captions."""
    options = parse(argv)
    encoder = TextEncoder.read(options.spec)
    texts = {row["caption"].strip() for row in read_jsonl(options.captions)}
    if options.without_names:
        characters = CaptionSpec.read(options.without_names).characters
        texts = {remove_trigger_words(text, characters) for text in texts}
    load = text_loader(encoder, options.device, options.threads)
    made = encoding_cache.write_texts(options.text, sorted(texts), encoder, load, options.store)
    said = f"{counted(len(texts), 'caption')} and the empty one, {counted(made, 'new encoding')}"
    print(said, file=sys.stderr)
    return 0


if __name__ == "__main__":
    leave_out(*SCIPY)
    run_main(main)
