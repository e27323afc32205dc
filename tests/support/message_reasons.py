"""Why some messages are met by no mistake of the tests: those who are to make one look here first.

A site is the beginning of a message's key, `module:function: what it says`.
"""

from __future__ import annotations

VANISHES = "needs a file that is deleted in the moment between writing and reading"

MANY = "needs more pictures than a command of 100,000 letters can name"

REASONS = {
    "kindred/data/photo_folder.py:_set_aside": "a person decided it, and it is told as such",
    "kindred/workflow/elsewhere_specs.py:elsewhere_spec: … pictures of": MANY,
    "kindred/scoring/run.py:score_table: vanished": VANISHES,
    "page_picture.py:main: no Chromium": "needs a computer without a browser",
    "choose_step.py:main: no step has a score": "needs a selection that names nobody, scored",
    "kindred/training/run.py:train_lora: vanished": VANISHES,
}
