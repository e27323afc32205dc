"""The table of scores: a row an image and a row a person found in it.

Knows the columns of results/<experiment>/<variant>/run-<k>/scores/<prompt_set>.csv and of
results/<experiment>/scores.csv; knows nothing of how judges see or of statistics.

Every row
  version      of this format
  judge        12 hex digits of judge, its settings and reference photos: equal, or not comparable
  kind         image | person
  variant, run, prompt_set, prompt, seed
  key          of the picture in the store; ratings and pages name pictures by it
Rows of kind image
  asked        cell that the prompt names, 'A+J'; '' when it names nobody
  people_asked, people_found
  count        1 when both are equal, 0 when not; '' when the prompt names nobody
  success      1 when the count is right and everyone asked for is there, once and recognised
  missing      asked for, not recognised in the picture: 'A+J'
  duplicated   recognised more than once: 'J'
  unasked      recognised but not asked for: 'C'
  strangers    number of people who are recognised as nobody
  identity     mean over those asked for, 0 for one to whom nobody is assigned
  adherence    what the judge says about the prompt's words, '' when it can't tell
  nearest, nearest_distance   id of the training photo that looks most alike, and how far it is
  diversity    mean distance to the same prompt's pictures with other seeds
  drift        distance to the base's picture of the same prompt and seed; prompts without names
Rows of kind person
  person       0, 1, ... from left to right
  box, head    'x0 y0 x1 y1' in pixels
  score        of the find
  assigned     letter asked for that this person stands for (one to one, best sum), or ''
  found        letter of the most similar character if recognised, '' for a stranger
  similarity   mean cosine with the reference photos of `assigned`, else of the nearest character
  identity     the same on a scale where 0 is a stranger and 1 another photo of the same person
  margin       identity minus the best identity of any other character
  likeness     identity with every character: 'A:0.12 C:-0.03 J:0.91'

Truth values are 0 and 1. What can't be said is empty.
"""

from __future__ import annotations

VERSION = 1
KEYS = ("version", "judge", "kind", "variant", "run", "prompt_set", "prompt", "seed", "key")
OF_IMAGE = (
    "asked",
    "people_asked",
    "people_found",
    "count",
    "success",
    "missing",
    "duplicated",
    "unasked",
    "strangers",
    "identity",
    "adherence",
    "nearest",
    "nearest_distance",
    "diversity",
    "drift",
)
OF_PERSON = (
    "person",
    "box",
    "head",
    "score",
    "assigned",
    "found",
    "similarity",
    "margin",
    "likeness",
)
COLUMNS = (*KEYS, *OF_IMAGE, *OF_PERSON)  # `identity` serves both kinds
