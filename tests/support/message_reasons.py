"""Why some messages are met by no mistake of the tests: those who are to make one look here first.

A site is the beginning of a message's key, `module:function: what it says`.
"""

from __future__ import annotations

VANISHES = "a file would have to vanish between writing and reading it"

MANY = "takes more pictures than a command of 100,000 letters can name"

REASONS = {
    "kindred/data/photo_folder.py:_set_aside": "a person decided it, so there is nothing to cure",
    "kindred/workflow/elsewhere_specs.py:elsewhere_spec: '…' has": MANY,
    "kindred/scoring/run.py:score_table: the table": VANISHES,
    "choose_step.py:main: no step has a score": "takes a scored selection that names nobody",
    "kindred/training/run.py:train_lora: the trained": VANISHES,
    "kindred/config/kept_apart.py:_names: nobody knows": "a test of its own has a file",
    "page_picture.py:main: there is no Chromium": "takes a computer without a browser",
}
