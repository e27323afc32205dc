"""Draw a contact sheet of variants or prompts, or of photos beside pictures.

in:  manifests of rendered prompt sets, each with a label; for photos beside renderings also
     images.json, captions.jsonl and the folder of prepared photos
out: a PNG; a sheet too large for one goes on in <name>.page2.png ... beside it
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kindred.common.errors import KindredError, run_main
from kindred.common.files import read_json, read_jsonl
from kindred.data.dataset_photos import read_photos
from kindred.report.contact_sheet import save_pages
from kindred.report.sheet_contents import comparison, likeness, read_labelled
from kindred.specs.report import SheetSpec


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spec", required=True, help="SheetSpec as JSON, or a file of it")
    parser.add_argument(
        "--manifest",
        action="append",
        required=True,
        metavar="LABEL=FILE",
        help="list of pictures, with its name on the sheet; repeat for more rows",
    )
    parser.add_argument("--images", type=Path, help="images.json, to show photos too")
    parser.add_argument("--captions", type=Path, help="captions.jsonl, to show photos too")
    parser.add_argument("--images-dir", type=Path, help="folder of prepared photos, to show them")
    parser.add_argument("--out", required=True, type=Path, help="PNG to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Draw one sheet."""
    options = parse(argv)
    spec = SheetSpec.read(options.spec)
    manifests = [read_labelled(text) for text in options.manifest]
    if spec.characters is None:
        sheet = comparison(manifests, spec)
    elif options.images and options.captions and options.images_dir:
        rows = read_json(options.images), read_jsonl(options.captions)
        sheet = likeness(manifests, spec, read_photos(*rows, options.images_dir))
    else:
        what = "showing photos needs --images, --captions and --images-dir"
        raise KindredError(what, cure="give all three, or use a spec without `characters`")
    for path in save_pages(sheet, options.out):
        print(path, file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
