"""Pictures of a class, drawn by the base itself -> an ordinary dataset for prior preservation.

in:  a manifest of pictures that the base rendered without adapters, prompts such as 'a man'
out: <out>/<name>-<seed>.png and captions.csv, a dataset folder like a person's; it is then
     prepared, captioned and encoded like any other and given to train.py as --prior-...

Training on them beside the photos keeps 'a man' from turning into the one man of the photos
(Ruiz et al. 2022, arXiv 2208.12242, section 3.3).
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from kindred.common.errors import KindredError, Problems, run_main
from kindred.common.files import atomic_write, write_csv
from kindred.rendering.manifest import ADVICE, Row, read_manifest

COLUMNS = ("Filename", "Label")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--manifest", required=True, type=Path, help="of the base's pictures")
    parser.add_argument("--out", required=True, type=Path, help="dataset folder to write")
    return parser.parse_args(argv)


def copy_pictures(rows: list[Row], out: Path) -> list[dict[str, str]]:
    """Copy the pictures; return captions.csv's rows. Raises ProblemsError listing every picture
    that is missing from the store."""
    problems, captions = Problems("class pictures are missing from the store"), []
    for row in rows:
        name = f"{row.name}-{row.seed:04d}.png"
        if not row.path.exists():
            problems.add(str(row.path), "is not there", ADVICE)
            continue
        with atomic_write(out / name) as temporary:
            shutil.copyfile(row.path, temporary)
        captions.append({"Filename": name, "Label": row.prompt})
    problems.raise_if_any()
    return captions


def main(argv: list[str] | None = None) -> int:
    """Make the dataset folder."""
    options = parse(argv)
    manifest = read_manifest(options.manifest)
    if manifest.adapters:
        raise KindredError(
            f"{options.manifest}: rendered with adapters; class pictures must be the base's own"
        )
    captions = copy_pictures(manifest.rows, options.out)
    write_csv(options.out / "captions.csv", COLUMNS, captions)
    print(f"{len(captions)} class pictures in {options.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run_main(main)
