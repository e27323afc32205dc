"""Take a small picture of a page, as docs/pictures has them.

in:  a page that lies on this computer, report.html or live.html
out: the part of it that a window shows, as WebP

    python scripts/page_picture.py results/family/report.html --out report.webp --window 880 830
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

from kindred.common.errors import KindredError, run_main
from kindred.common.files import atomic_write

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=Path, help="the page")
    parser.add_argument("--out", type=Path, required=True, help="the picture, *.webp")
    parser.add_argument("--window", type=int, nargs=2, default=(880, 830), help="px, two numbers")
    parser.add_argument("--width", type=int, help="px of the picture, where another")
    parser.add_argument("--quality", type=int, default=50, help="of WebP, up to 100")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Take the picture."""
    options = parse(argv)
    if not options.page.is_file():
        raise KindredError("there is no such page", str(options.page), "run `snakemake`")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise KindredError("there is no Chromium here", "PATH", "install Chromium or Chrome")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        size = ",".join(map(str, options.window))
        where = [f"--window-size={size}", f"--screenshot={shot}", options.page.resolve().as_uri()]
        subprocess.run([browser, *OPTIONS, *where], check=True, capture_output=True)
        image = Image.open(shot).convert("RGB")
    if options.width:
        image.thumbnail((options.width, image.height), Image.Resampling.LANCZOS)
    with atomic_write(options.out) as temporary:
        image.save(temporary, "webp", quality=options.quality, method=6)
    return 0


if __name__ == "__main__":
    run_main(main)
