"""Mistakes in configurations, each with the edit that makes it and the edit that its message asks
for. Knows texts of YAML; knows nothing of who reads them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ONE = "experiments/one.yaml"
FILES = {
    "config.yaml": "experiments: [one]\n",
    "bases/small.yaml": "model: lab/base\ndtype: float32\ntext_tokens: 56\n",
    "bases/other.yaml": "model: org/model\nrevision: abc\narchitecture: flux1\n",
    "recipes/plain.yaml": "rank: 16\nsteps: 100\n",
    "judges/tiny.yaml": "kind: lab\nmodel: judge\n",
    ONE: """title: test
characters:
  J: {name: JRussell, class: man}
  A: {name: ARussell, class: woman}
datasets:
  ours: {source: photos, preprocess: {buckets: [[64, 64]], min_side: 16}}
  drawn: {lab: {family: russell, coverage: {J: 2, A: 1}}}
  men: {class_images: class}
dataset: ours
base: small
recipe: plain
judge: tiny
prompt_sets:
  solo: {prompts: {j: "headshot of {J}"}, seeds: 2, size: [64, 64]}
  class: {prompts: {man: a man}, seeds: 2, size: [64, 64]}
  many: {casts: {of: [J, A], shapes: [[64, 64], [96, 64]], wordings: 2, pictures: 2}, steps: 4}
hypotheses:
  more: {claim: x, variant: a, against: b, measure: success, prompt_set: solo}
variants:
  a: {}
  b: {rank: 4}
  grid: {sweep: {rank: [2, 8]}}
  late: {first_run: 11}
""",
}
# As much of a base as planning looks at, 32 features wide.
SIZES = {"num_layers": 1, "num_single_layers": 1}
HEADS = {"attention_head_dim": 16, "num_attention_heads": 2}
BASE = {
    "../lab/base/model_index.json": '{"_class_name": "FluxPipeline"}\n',
    "../lab/base/transformer/config.json": json.dumps(SIZES | HEADS) + "\n",
}


class Edit(NamedTuple):
    """`old`, which must be in the file, becomes `new`; '' for `old` writes a file anew."""

    old: str
    new: str
    file: str = ONE


class Mistake(NamedTuple):
    """What a message says, what makes it, and what mends it as the message asks."""

    said: str
    wrong: Sequence[Edit]
    cure: Sequence[Edit]


def write(root: Path) -> None:
    """A configuration in which nothing is wrong, below `root`."""
    (root / "photos").mkdir(parents=True)
    for name, text in (FILES | BASE).items():
        path = root / "config" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def edit(root: Path, edits: Sequence[Edit]) -> None:
    """Make the edits. Raises AssertionError for a text that is not there."""
    for old, new, file in edits:
        path = root / "config" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8") if old else ""
        assert old in text, (file, old)
        path.write_text(text.replace(old, new, 1) if old else new, encoding="utf-8")


def swap(said: str, right: str, wrong: str, cured: str | None = None, file: str = ONE) -> Mistake:
    """One text in the place of another, and `cured` (the right one again) in its place."""
    mended = right if cured is None else cured
    return Mistake(said, [Edit(right, wrong, file)], [Edit(wrong, mended, file)])


def variant(line: str) -> Edit:
    """One more variant."""
    return Edit("  a: {}\n", f"{line}  a: {{}}\n")


def more(said: str, wrong: str, cured: str, before: str = "  a: {}\n") -> Mistake:
    """A line more, by default a variant, and as it is when mended ('' takes it out)."""
    return Mistake(said, [Edit(before, wrong + before)], [Edit(wrong, cured)])


def picture(name: str, kind: str = "png") -> Edit:
    """A file in a folder of pictures made elsewhere."""
    return Edit("", "x", f"../theirs/{name}.{kind}")


def told(file: str, prompt: str = "headshot of JRussell") -> Edit:
    """The file there that says a picture's prompt."""
    return Edit("", f"file,prompt\n{file},{prompt}\n", PROMPTS)


PROMPTS, TWO = "../theirs/prompts.csv", "experiments/two.yaml"
THEIRS = variant("  s: {pictures: theirs}\n")
KLEIN = Edit(
    "model: lab/base\n",
    f"model: org/k\nrevision: {'a' * 40}\narchitecture: klein\n",
    "bases/small.yaml",
)
OWN = "  j: {characters: [J]}\n  k: {characters: [A]}\n"
APART = "  s: {adapters: {j: 1, k: 1}, keep_apart: true}\n"
SIZED = "size: [64, 64]}\n  class"
EXACTLY = Edit(SIZED, SIZED.replace("}", ", precision: merged}"))
CHOICE = 'selection: {prompts: {s: "{J} by a tree"}, seeds: 2, size: [64, 64]}\n'
ON_THE_WAY = "samples: {prompts: [a man at sea]}\n"
WAY_AS_SET = 'samples: {prompts: {s: "{J} by a lake"}, seeds: 2, size: [64, 64]}\n'
JUDGED_BY = Edit("prompt_sets:\n", f"{CHOICE}prompt_sets:\n")
USUAL = "training_defaults: {source: a book, rank: 32, resolutions: [512, 768]}\n"
GONE = "  s: {base: gone, adapter: x.safetensors}\n"
COMPOSED = "{dataset: drawn, compose: {cells: [A+J]"
CLAIM = FILES[ONE][FILES[ONE].index("hypotheses:") : FILES[ONE].index("variants:")]
PEOPLE = FILES[ONE][FILES[ONE].index("characters:") : FILES[ONE].index("datasets:")]
DRAWN = "prior-small-man+woman-20-64x64"
SEGMENTED = (
    FILES[ONE]
    .replace("source: photos, ", "source: photos, segmenter: {model: detr}, ")
    .replace("  a: {}", "  s: {mask_weight: 3}\n  a: {}")
)
MISTAKES = [
    # Names and files
    swap("no dataset 'our'", "dataset: ours\n", "dataset: our\n"),
    Mistake("which of the datasets?", [Edit("dataset: ours\n", "")],
            [Edit("base:", "dataset: ours\nbase:")]),
    Mistake("photos/people.yaml names people who are not in this experiment: CRussell",
            [Edit("", "people: {C: {name: CRussell, class: child}}\n", "../photos/people.yaml")],
            [Edit("  A: {", "  C: {name: CRussell, class: child}\n  A: {")]),
    Mistake("no photo of 'ours' shows ARussell, so no training learns the name",
            [Edit("", "x", "../photos/a.jpg"),
             Edit("", "file,text\na.jpg,the man JRussell\n", "../photos/captions.csv")],
            [Edit("JRussell", "JRussell and the woman ARussell", "../photos/captions.csv")]),
    swap("no folder 'fotos'", "source: photos", "source: fotos"),
    swap("can't be the name of a folder", "  men: {", "  'm n': {", "  men: {"),
    swap("the name 'store' is reserved", "  men: {", "  store: {", "  men: {"),
    Mistake("is a folder name in kohya's style",
            [Edit("", "x", "../10_jr man/a.txt"), Edit("source: photos", "source: 10_jr man")],
            [Edit("source: 10_jr man", "source: photos")]),
    swap("the lab has no family 'rusell'", "family: russell", "family: rusell"),
    swap("trigger name 'J Russell' is not one word", "JRussell", "J Russell"),
    swap("has the same name as", "ARussell", "JRussell"),
    swap("can't be the key of a character", "  A: {", "  'A+': {", "  A: {"),
    swap("no file config/bases/smal.yaml", "base: small", "base: smal"),
    swap("no file config/recipes/plan.yaml", "recipe: plain", "recipe: plan"),
    swap("draws without a second pass", "seeds: 2, size: [64, 64]}\n  class", "seeds: 2, size: "
         "[64, 64], negative: blurry}\n  class"),
    Mistake("at guidance_scale 1 the base 'small' ignores",
            [KLEIN, Edit("  class: {", "  class: {negative: blurry, guidance_scale: 1, ")],
            [Edit("guidance_scale: 1", "guidance_scale: 4")]),
    Mistake("which is distilled to few steps; training undoes the",
            [Edit("text_tokens: 56\n", "text_tokens: 56\ndrawing_defaults: {steps: 4}\n",
                  "bases/small.yaml")],
            [Edit("drawing_defaults: {steps: 4}\n", "", "bases/small.yaml")]),
    swap("the base 'small' has no `training_defaults`", "recipe: plain", "recipe: defaults"),
    swap("no file 'lost.safetensors'", "dtype: float32\n",
         "dtype: float32\ntraining_adapter: lost.safetensors\n", file="bases/small.yaml"),
    Mistake("config/recipes/defaults.yaml is never read",
            [Edit("", "rank: 4\n", "recipes/defaults.yaml"),
             Edit("recipe: plain", "recipe: defaults")],
            [Edit("recipe: defaults", "recipe: plain")]),
    Mistake("the base's training defaults are meant for 512, 768 px",
            [Edit("text_tokens: 56\n", f"text_tokens: 56\n{USUAL}", "bases/small.yaml"),
             Edit("recipe: plain", "recipe: defaults")],
            [Edit("recipe: defaults", "recipe: plain")]),
    swap("unknown key", "title:", "titel:"),
    swap("is missing", "class: man}", "age: adult}"),
    swap("(is 'gpu')", "experiments: [one]", "device: {kind: gpu}\nexperiments: [one]",
         "device: {kind: cpu}\nexperiments: [one]", "config.yaml"),
    Mistake("nf4` does not work on an Apple GPU",
            [Edit("experiments: [one]", "experiments: [one]\ndevice: {kind: mps}", "config.yaml"),
             Edit("float32", "bfloat16\nquantization: nf4", "bases/small.yaml")],
            [Edit("\nquantization: nf4", "", "bases/small.yaml")]),
    swap("no file config/experiments/tow.yaml", "[one]", "[tow]", file="config.yaml"),
    Mistake("this name is reserved for the pictures that trainings draw",
            [Edit("prompt_sets:\n", "samples: {every: 50, prompts: {s: '{J} by a tree'}}\n"
                  "prompt_sets:\n  samples: {prompts: {k: 'photo of {J}'}, seeds: 1, "
                  "size: [64, 64]}\n")],
            [Edit("  samples: {prompts", "  other: {prompts")]),
    Mistake("its name can't be the name of a folder",
            [Edit("[one]", "['o e']", "config.yaml"), Edit("", FILES[ONE], "experiments/o e.yaml")],
            [Edit("['o e']", "[one]", "config.yaml")]),
    # Variants
    more("can't be the name of a folder", "  'g h': {}\n", "  gh: {}\n"),
    more("the name 'sheets' is reserved", "  sheets: {}\n", "  pages: {}\n"),
    more("the name 'BASE' is reserved", "  BASE: {}\n", "  plain-a: {}\n"),
    more("the name 'BASE-other' is reserved", "  BASE-other: {}\n  k: {base: other}\n",
         "  x-other: {}\n  k: {base: other}\n"),
    more("differ only in case", "  B: {}\n", "  c: {}\n"),
    more("makes a variant 'grid-2', which", "  grid-2: {}\n", "  grid-3: {}\n"),
    more("can't be swept", "  s: {sweep: {rnak: [1]}}\n", "  s: {sweep: {rank: [1]}}\n"),
    more("has no values", "  s: {sweep: {rank: []}}\n", "  s: {sweep: {rank: [1]}}\n"),
    more("must be a whole number", "  s: {sweep: {rank: [few]}}\n",
         "  s: {sweep: {rank: [1]}}\n"),
    more("the name of both a variant", "  plain: {}\n  p: {from: plain}\n", "  other: {}\n"),
    more("'grid' is a sweep", "  t: {from: grid}\n", "  t: {from: grid-2}\n"),
    more("no variant or recipe 'aa'", "  t: {from: aa}\n", "  t: {from: a}\n"),
    Mistake("no variant 'a'",
            [Edit("[one]", "[one, two]", "config.yaml"),
             Edit("", "like: one\nvariants: {a: null}\n", TWO)],
            [Edit("a: null", "", TWO)]),
    more("leads back to", "  c: {from: d}\n  d: {from: c}\n", "  c: {}\n  d: {from: c}\n"),
    # Reference pictures
    more("(FLUX.1) can't use reference", "  s: {references: {J: 1}}\n", ""),
    Mistake("no character 'X' to show photos of",
            [KLEIN, variant("  s: {references: {X: 1}}\n")], [Edit("{X: 1}", "{J: 1}")]),
    Mistake("`references` is not trained, so adapters",
            [KLEIN, variant("  s: {references: {J: 1}, adapters: {a: 1}}\n")],
            [Edit(", adapters: {a: 1}}", "}")]),
    # Pictures made elsewhere
    Mistake("no folder 'theirs'", [THEIRS], [picture("j")]),
    Mistake("contains no picture", [THEIRS, picture("j", "txt")], [picture("j")]),
    Mistake("its prompt is unknown: neither its name", [THEIRS, picture("x")], [told("x.png")]),
    Mistake("no prompt set has its prompt", [THEIRS, picture("j"), told("j.png", "a dog")],
            [Edit("a dog", "headshot of JRussell", PROMPTS)]),
    Mistake("no such picture", [THEIRS, picture("j"), told("k.png")],
            [Edit("k.png", "j.png", PROMPTS)]),
    Mistake("contains no prompts", [THEIRS, picture("j"), Edit("", "a,b\n", PROMPTS)],
            [Edit("a,b", "file,prompt", PROMPTS)]),
    Mistake("can't be read (", [THEIRS, picture("j"), Edit("", "{", "../theirs/prompts.json")],
            [Edit("{", "{}", "../theirs/prompts.json")]),
    Mistake("has a brace in its name", [THEIRS, picture("j-{1}")],
            [Edit("", "x", "../renamed/j.png"), Edit("pictures: theirs", "pictures: renamed")]),
    Mistake("`pictures` is not trained, so rank can't",
            [picture("j"), variant("  s: {pictures: theirs, rank: 2}\n")],
            [Edit(", rank: 2}", "}")]),
    Mistake("3 pictures of “j”, but the prompt",
            [THEIRS, picture("j-1"), picture("j-2"), picture("j-3")],
            [Edit("seeds: 2, size", "seeds: 3, size")]),
    Mistake("this name belongs to pictures made elsewhere",
            [THEIRS, picture("j"), Edit("[one]", "[one, two]", "config.yaml"),
             Edit("", "like: one\nvariants: {s: {pictures: null, rank: 2}}\n", TWO)],
            [Edit("s: {pictures: null, rank: 2}", "s: null, t: {rank: 2}", TWO)]),
    # Faces drawn again
    more("no variant has no faces that can be drawn again", "  s: {face_detail: {}}\n",
         "  s: {from: a, face_detail: {}}\n"),
    Mistake("needs `judge:` to find the faces",
            [Edit(CLAIM, ""), Edit("judge: tiny\n", ""),
             variant("  s: {from: a, face_detail: {}}\n")],
            [Edit("prompt_sets:\n", "judge: tiny\nprompt_sets:\n")]),
    Mistake("draws faces in 256 x 256 px",
            [Edit("text_tokens: 56\n", "text_tokens: 56\nfits: {megapixels: [0.004, 0.01]}\n",
                  "bases/small.yaml"), variant("  s: {from: a, face_detail: {size: 256}}\n")],
            [Edit("{size: 256}", "{}")]),
    Mistake("this name belongs to faces",
            [variant("  s: {from: a, face_detail: {}}\n"),
             Edit("[one]", "[one, two]", "config.yaml"),
             Edit("", "like: one\nvariants: {s: {from: null, face_detail: null, rank: 2}}\n", TWO)],
            [Edit("s: {from: null, face_detail: null, rank: 2}", "s: null, t: {rank: 2}", TWO)]),
    # Which step is taken
    Mistake("keeps only its last step, so there is nothing to choose",
            [JUDGED_BY, variant("  s: {steps: 9, take: best}\n")],
            [Edit("{steps: 9, take", "{steps: 9, keep: {every: 1}, take")]),
    Mistake("choosing a step needs `selection:`",
            [variant("  s: {steps: 9, keep: [3], take: best}\n")],
            [Edit("judge: tiny\n", f"judge: tiny\n{CHOICE}")]),
    Mistake("as the prompt set 'solo' does", [JUDGED_BY, Edit("{J} by a tree", "headshot of {J}")],
            [Edit("{s: \"headshot of {J}\"}", "{s: \"{J} outside\"}")]),
    Mistake("this name is reserved for the prompts that choose a step",
            [JUDGED_BY, Edit("  class: {p", f"  {CHOICE}  class: {{p")],
            [Edit("  selection: {prompts: {s: \"{J} by", "  chosen: {prompts: {s: \"{J} at")]),
    Mistake("`draw_on` can't be set here: kept steps are drawn on the",
            [JUDGED_BY, Edit("64]}\nprompt", "64], draw_on: small}\nprompt")],
            [Edit(", draw_on: small}", "}")]),
    # What trainings draw on their way
    Mistake("this name is reserved for the pictures that trainings draw",
            [Edit("prompt_sets:\n", f"{ON_THE_WAY}prompt_sets:\n"),
             Edit("  class: {p", f"  {WAY_AS_SET}  class: {{p")],
            [Edit("  samples: {prompts: {s:", "  others: {prompts: {s:")]),
    # Selections
    more("no character 'X'", "  s: {characters: [X]}\n", "  s: {characters: [A]}\n"),
    more("no character 'X'", "  s: {cells: [J+X]}\n", "  s: {cells: [A+J]}\n"),
    more("`match` needs `total`", "  s: {match: images}\n", "  s: {match: images, total: 2}\n"),
    more("no photo is held out, so there is no loss to choose a step",
         "  s: {keep: {every: 4}, steps: 9, take: held_out}\n",
         "  s: {keep: {every: 4}, steps: 9, take: held_out, held_out: 1}\n"),
    more("not a possible number", "  s: {per_cell: {J: -1}}\n", "  s: {per_cell: {J: 1}}\n"),
    # Settings that contradict each other, or that the base has no use for
    more("warms up for 90 of its", "  s: {warmup: 90}\n", "  s: {warmup: 10}\n"),
    more("averages weights with a decay", "  s: {ema: 0.999}\n", "  s: {ema: 0.91}\n"),
    more("keeps step 5000, but", "  s: {keep: [5000]}\n", "  s: {}\n"),
    more("keeps only the adapter of its last step", "  s: {keep: {every: 5000}}\n", "  s: {}\n"),
    more("saves a checkpoint every 5000", "  s: {checkpoint_every: 5000}\n", "  s: {}\n"),
    more("`keep_state` keeps nothing", "  s: {keep_state: true, schedule: cosine}\n",
         "  s: {keep_state: true, schedule: constant}\n"),
    more("trains without any caption (`caption_dropout: 1`), so it", "  s: {caption_dropout: 1}\n",
         "  s: {caption_dropout: 0.05}\n"),
    more("for prodigy", "  s: {optimizer: prodigy, lr: 1e-4}\n",
         "  s: {optimizer: prodigy, lr: 1}\n"),
    more("single steps outweigh all others",
         "  s: {weighting_scheme: sigma_sqrt, timesteps: uniform}\n",
         "  s: {weighting_scheme: sigma_sqrt, timesteps: uniform, min_timestep: 50}\n"),
    more("has no effect on a LoRA", "  s: {lokr_factor: 8}\n",
         "  s: {lokr_factor: 8, adapter_type: lokr}\n"),
    more("is a kind of adapter, not a file", "  s: {adapter: lokr}\n",
         "  s: {adapter_type: lokr}\n"),
    more("has no effect: the base", "  s: {train_guidance: 2}\n", "  s: {}\n"),
    more("`shift: 3` has no effect", "  s: {shift: 3}\n", "  s: {shift: 3, timesteps: shifted}\n"),
    more("who is in none of the `cells`", "  s: {characters: [J, A], cells: [J]}\n",
         "  s: {characters: [J, A], cells: [J, A]}\n"),
    more("which `cells` leaves out", "  s: {cells: [J], per_cell: {J: 1, A: 2}}\n",
         "  s: {cells: [J, A], per_cell: {J: 1, A: 2}}\n"),
    more("takes 0 photos of a cell", "  s: {per_cell: 0}\n", "  s: {per_cell: 1}\n"),
    more("the variant makes none", "  s: {kinds: [cropped], dataset: drawn}\n",
         "  s: {kinds: [cropped], crop: solos, dataset: drawn}\n"),
    more("so at least 1 is never seen", "  s: {steps: 2, dataset: drawn}\n",
         "  s: {steps: 3, dataset: drawn}\n"),
    more("fills batches of 4 from the 3", "  s: {batch: 4, dataset: drawn}\n",
         "  s: {batch: 3, dataset: drawn}\n"),
    more("has rank 33", "  s: {rank: 33}\n", "  s: {rank: 32}\n"),
    more("has rank 99", "  s: {rank_pattern: {to_q: 99}}\n", "  s: {rank_pattern: {to_q: 8}}\n"),
    more("matches no layer that is trained", "  s: {rank_pattern: {to_qq: 4}}\n",
         "  s: {rank_pattern: {to_q: 4}}\n"),
    more("'to_q' gives", "  s: {alpha_pattern: {to_q: 4, 'single.*q': 8}}\n",
         "  s: {alpha_pattern: {to_q: 4, to_k: 8}}\n"),
    more("matches no linear layer", "  s: {targets: to_q}\n", "  s: {targets: '.*to_q'}\n"),
    more("no linear layer ends in", "  s: {targets: [to_qq]}\n", "  s: {targets: [to_q]}\n"),
    more("would be trained too", "  s: {targets: proj_out}\n", "  s: {targets: [proj_out]}\n"),
    more("no layer is named", "  s: {targets: []}\n", "  s: {targets: all-linear}\n"),
    # Adapters
    more("has a brace in its path", "  s: {adapter: 'a{b}.safetensors'}\n", "  s: {}\n"),
    more("no trained variant 'q'", "  s: {adapters: {q: 1}}\n", "  s: {adapters: {a: 1}}\n"),
    more("no variant is named", "  s: {adapters: {}}\n", "  s: {adapters: {a: 1}}\n"),
    more("their bases differ", "  k: {base: other}\n  s: {adapters: {a: 1, k: 1}}\n",
         "  k: {}\n  s: {adapters: {a: 1, k: 1}}\n"),
    more("they have no run number in common", "  s: {adapters: {a: 1, late: 1}}\n",
         "  s: {adapters: {a: 1}}\n"),
    more("is not trained, so", "  s: {adapters: {a: 1}, rank: 2}\n", "  s: {adapters: {a: 1}}\n"),
    more("has no effect here", "  s: {weight: 0.5}\n", "  s: {}\n"),
    more("no file is named", "  s: {adapter: []}\n", "  s: {}\n"),
    more("there is only one", OWN + "  s: {adapters: {j: 1}, keep_apart: true}\n", OWN + APART),
    more("JRussell would be drawn by several",
         OWN + "  s: {adapters: {a: 1, j: 1}, keep_apart: true}\n", OWN + APART),
    Mistake("can't be kept apart yet", [KLEIN, variant(OWN + APART)], [Edit(APART, "")]),
    Mistake("'s' keeps adapters apart, which", [variant(OWN + APART), EXACTLY],
            [Edit(EXACTLY.new, EXACTLY.old)]),
    Mistake("its base: ", [Edit("", "model: ./gone\n", "bases/gone.yaml"), variant(GONE)],
            [Edit(GONE, "")]),
    # Composites and class images
    more("a cell is listed twice",
         "  s: {compose: {cells: {A+J: 2, J+A: 1}}, dataset: drawn}\n",
         "  s: {compose: {cells: {A+J: 3}}, dataset: drawn}\n"),
    more("`cells` already says how many pictures each cell gets",
         "  s: {compose: {cells: {A+J: 2}, per_cell: 2}, dataset: drawn}\n",
         "  s: {compose: {cells: {A+J: 2}}, dataset: drawn}\n"),
    more("holds class images, which show none of the characters",
         "  s: {compose: {cells: [A+J], per_cell: 2}, dataset: men}\n",
         "  s: {compose: {cells: [A+J], per_cell: 2}, dataset: drawn}\n"),
    more("no character 'X'", "  s: {compose: {cells: [A+X], per_cell: 2}, dataset: drawn}\n",
         "  s: {compose: {cells: [A+J], per_cell: 2}, dataset: drawn}\n"),
    more("no dataset 'mne'", "  s: {class_images: mne, class_images_weight: 1}\n",
         "  s: {class_images: men, class_images_weight: 1}\n"),
    more("class images have no weight in the loss", "  s: {class_images: men}\n",
         "  s: {class_images: men, class_images_weight: 1}\n"),
    more("how many class images to draw",
         "  s: {class_images: men, class_images_weight: 1, class_images_per_noun: 2}\n",
         "  s: {class_images: men, class_images_weight: 1, class_images_per_noun: null}\n"),
    more("but `class_images_weight` is not", "  s: {class_images_per_noun: 2}\n",
         "  s: {class_images_per_noun: 2, class_images_weight: 1}\n"),
    more("no dataset 'mne'", f"  s: {COMPOSED}, strangers: {{of: mne}}}}}}\n",
         f"  s: {COMPOSED}, strangers: {{of: men}}}}}}\n"),
    more("'drawn' shows the characters", f"  s: {COMPOSED}, strangers: {{of: drawn}}}}}}\n",
         f"  s: {COMPOSED}, strangers: {{of: men}}}}}}\n"),
    Mistake("every cell has 3 or more people",
            [Edit("  A: {name", "  C: {name: CRussell, class: child}\n  A: {name"),
             variant(f"  s: {COMPOSED.replace('A+J', 'A+C+J')}, strangers: {{of: men}}}}}}\n")],
            [Edit("[A+C+J]", "[A+J]")]),
    Mistake("needs people's outlines, but nothing is set to find them",
            [Edit("judge: tiny\n", ""), Edit(CLAIM, ""), variant("  s: {mask_weight: 3}\n")],
            [Edit("mask_weight: 3", "")]),
    Mistake("another experiment finds people's outlines in these photos",
            [Edit("[one]", "[one, two]", "config.yaml"), variant("  s: {mask_weight: 3}\n"),
             Edit("", SEGMENTED, "experiments/two.yaml")],
            [Edit("segmenter: {model: detr}, ", "", "experiments/two.yaml")]),
    Mistake("its class images would be called",
            [Edit("  men: {", f"  {DRAWN}: {{"), variant("  s: {class_images_weight: 1}\n")],
            [Edit(f"  {DRAWN}: {{", "  men: {")]),
    Mistake("'drawn-held-out' is needed",
            [Edit("  men: {", "  drawn-held-out: {class_images: class}\n  men: {"),
             variant("  s: {dataset: drawn}\n")],
            [Edit("drawn-held-out", "drawn-more")]),
    swap("no prompt set 'klass'", "class_images: class", "class_images: klass"),
    swap("is drawn on another base (`draw_on`)", "{man: a man}, seeds: 2,",
         "{man: a man}, seeds: 2, draw_on: other,", "{man: a man}, seeds: 2,"),
    # Drawn on another base
    more("has no `fast_sibling`", "  s: {draw_on: fast_sibling}\n", "  s: {draw_on: other}\n"),
    Mistake("can't be drawn on 'strange': one is a",
            [Edit("", "model: org/k\nrevision: abc\narchitecture: klein\n", "bases/strange.yaml"),
             variant("  s: {draw_on: strange}\n")],
            [Edit("draw_on: strange", "draw_on: other")]),
    Mistake("prompt set 'solo' sets `draw_on` too",
            [Edit("[64, 64]}\n  class", "[64, 64], draw_on: other}\n  class"),
             variant("  s: {draw_on: other}\n")],
            [Edit("  s: {draw_on: other}", "  s: {}")]),
    # Prompts and claims
    swap("'{Q}' has no meaning here", "{J}", "{Q}"),
    swap("(is 65)", "[64, 64]}\n  class", "[65, 64]}\n  class"),
    more("can't be the name of a folder", "  's/o': {prompts: {j: x}, seeds: 2, size: [64, 64]}\n",
         "  so: {prompts: {j: x}, seeds: 2, size: [64, 64]}\n", "  class: {pr"),
    swap("can't be the name of a file", "{man: a man}", "{'m/n': a man}"),
    swap("no character 'Q'", "of: [J, A]", "of: [J, Q]"),
    swap("'JRussell' is one of", "wordings: 2", "untrained: [JRussell, Bo], wordings: 2",
         "untrained: [Bo, Cy], wordings: 2"),
    Mistake("need a judge, and none is set", [Edit("judge: tiny\n", "")],
            [Edit("base:", "judge: tiny\nbase:")]),
    swap("no variant 'zz'", "against: b", "against: zz"),
    swap("compares a variant with itself", "against: b", "against: a", "against: late"),
    swap("compares adapters with themselves", "b: {rank: 4}", "b: {}", "b: {first_run: 101}"),
    swap("no prompt set 'slo'", "prompt_set: solo", "prompt_set: slo"),
    swap("draw with different adapters", "measure: success,", "measure: success, paired: true,",
         "measure: success,"),
    # Other tools' writing
    swap("options of other tools", "headshot of {J}", "headshot of {J} --w 512"),
    swap("weights of words", "headshot of {J}", "(headshot:1.2) of {J}"),
    swap("'JRusell' is nobody's trigger name", "headshot of {J}", "headshot of JRusell"),
    swap("brackets or signs that make", "headshot of {J}", "[blurry] headshot of {J}"),
    # YAML itself
    swap("is given twice", "title: test", "title: test\ntitle: again", "title: test"),
    swap("contains itself by an alias", "  a: {}", "  a: &x {from: *x}", "  a: {}"),
    Mistake("contains no keys", [Edit("", "", "recipes/plain.yaml")],
            [Edit("", "rank: 16\n", "recipes/plain.yaml")]),
    swap("is now called `max_grad_norm`", "rank: 16", "clip: 1", "max_grad_norm: 1",
         "recipes/plain.yaml"),
    swap("is the old name of `max_grad_norm`", "rank: 16", "clip: 1\nmax_grad_norm: 1",
         "max_grad_norm: 1", "recipes/plain.yaml"),
    Mistake("is nested too deeply", [Edit("", "a: " + "[" * 3000, "recipes/plain.yaml")],
            [Edit("", "rank: 16\n", "recipes/plain.yaml")]),
    # Several experiments
    Mistake("describes a dataset of this name differently",
            [Edit("[one]", "[one, two]", "config.yaml"),
             Edit("", FILES[ONE].replace("min_side: 16", "min_side: 32"), "experiments/two.yaml")],
            [Edit("", FILES[ONE], "experiments/two.yaml")]),
    Mistake("leads back to this file through 'one'", [Edit("title: test", "like: one")],
            [Edit("like: one", "title: test")]),
    Mistake("no file 'tow.yaml' in the same folder", [Edit("title: test", "like: tow")],
            [Edit("like: tow", "title: test")]),
    Mistake("no album is named", [Edit("title: test", "albums: []\ntitle: test")],
            [Edit("albums: []\n", "")]),
    Mistake("there is also a file 'one-draper'",
            [Edit("title: test", "albums: [draper]\ntitle: test"),
             Edit("", FILES[ONE], "experiments/one-draper.yaml")],
            [Edit("[draper]", "[ashford]")]),
    Mistake("'rusell' is not one of the lab's", [Edit(PEOPLE, "albums: [rusell]\n")],
            [Edit("[rusell]", "[russell]")]),
]  # fmt: skip
