"""Encode prompts with a base's text encoders.

in:  prompt names and texts in the specification
out: of each text `<caption hash>.<name>` for every tensor that the base's architecture makes of it;
     the header names the encoders. Texts encoded before come from the store. A prompt that an
     encoder cuts, or has no tokens for, is warned of.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import run_main
from kindred.common.left_out import SCIPY, leave_out
from kindred.common.sentences import counted
from kindred.compute import devices
from kindred.data import encoding_cache
from kindred.data.text_encoding import text_loader
from kindred.rendering.prompt_embeddings import reading_warnings
from kindred.specs.rendering import PromptTexts


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="PromptTexts as JSON, or a file of it")
    parser.add_argument("--out", required=True, type=Path, help="file to write")
    parser.add_argument(
        "--store", type=Path, default=encoding_cache.STORE, help="store of single embeddings"
    )
    devices.add_arguments(parser)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Encode a prompt set."""
    options = parse(argv)
    spec = PromptTexts.read(options.spec)
    load = text_loader(spec.encoder, options.device, options.threads)
    texts = sorted(set(spec.prompts.values()))
    made = encoding_cache.write_texts(options.out, texts, spec.encoder, load, options.store)
    # Afterwards, because counting tokens loads torch, and a GPU is claimed before that.
    for warning in reading_warnings(spec.encoder, spec.prompts):
        print(f"warning: {warning}", file=sys.stderr)
    said = f"{counted(len(texts), 'prompt')}, {counted(made, 'new encoding')}"
    print(said, file=sys.stderr)
    return 0


if __name__ == "__main__":
    leave_out(*SCIPY)
    run_main(main)
