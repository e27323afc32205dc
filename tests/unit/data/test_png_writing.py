"""PNG files in one plain way: what Pillow reads of them is what was written."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kindred.common import png_files
from kindred.data.png_writing import write_png


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (1, 1, 3), (40, 33, 3)])
def test_pillow_reads_what_was_written(tmp_path, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    path = tmp_path / "a.png"
    write_png(path, pixels)
    png_files.check(path)
    with Image.open(path) as image:
        assert image.mode == ("RGB" if len(shape) == 3 else "L")
        image.verify()  # all checksums
    assert (np.asarray(Image.open(path)) == pixels).all()
