"""Captions -> embeddings of a base's text encoders, in one file, looked up by caption hash.

in:  captions.jsonl
out: text-<tokens>.safetensors: of each text `<caption hash>.<name>` for every tensor that the
     base's architecture makes of it, the empty caption included; the header names the encoders.
     Texts encoded before come from the store.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.files import read_jsonl
from kindred.compute import devices
from kindred.data import encoding_cache
from kindred.data.text_encoding import text_loader
from kindred.specs.base_model import TextEncoder


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="TextEncoder as JSON, or a file of it")
    parser.add_argument("--captions", required=True, type=Path, help="captions.jsonl of caption")
    parser.add_argument("--text", required=True, type=Path, help="file to write")
    parser.add_argument(
        "--store", type=Path, default=encoding_cache.STORE, help="of single embeddings"
    )
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Encode a dataset's captions."""
    options = parse(argv)
    encoder = TextEncoder.read(options.spec)
    texts = sorted({row["caption"].strip() for row in read_jsonl(options.captions)})
    load = text_loader(encoder, options.device, options.threads)
    made = encoding_cache.write_texts(options.text, texts, encoder, load, options.store)
    print(f"{len(texts)} captions and the empty one: {made} encoder passes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
