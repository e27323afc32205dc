"""Composites, crops and weighted losses in the configuration: their datasets, and outlines."""

from __future__ import annotations

from pathlib import Path

import pytest

from kindred.common.errors import ProblemsError
from kindred.config.derived_experiments import merge_keys
from kindred.config.load_plan import load_plan
from kindred.report import formatting
from kindred.workflow import paths, report_specs
from kindred.workflow.scoring_specs import reference_spec, score_spec

EXPERIMENT = """
title: test
characters:
  J: {name: JRussell, class: man, age: adult}
  A: {name: ARussell, class: woman}
datasets:
  ours: {source: photos, preprocess: {buckets: [[128, 144]]}, captioner: {model: blip}}
  drawn: {lab: {family: russell, coverage: {J: 1, A: 1}}}
dataset: drawn
base: small
recipe: plain
judge: lab
prompt_sets:
  solo: {prompts: {J: "{J}"}, seeds: 2, size: [64, 64]}
"""
JOINED = "joined: {compose: {cells: [J+A], per_cell: 2}}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("bases", "recipes", "experiments", "judges"):
        (tmp_path / "config" / folder).mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    files = {
        "config.yaml": "experiments: [one]\n",
        "bases/small.yaml": "model: lab/base\n",
        "bases/other.yaml": "model: lab/base\ndtype: float16\n",
        "recipes/plain.yaml": "rank: 16\n",
        "judges/lab.yaml": "kind: lab\n",
    }
    for name, text in files.items():
        (tmp_path / "config" / name).write_text(text, encoding="utf-8")
    return tmp_path


def plan(root: Path, *variants: str, experiment: str = EXPERIMENT):
    path = root / "config/experiments/one.yaml"
    path.write_text(f"{experiment}variants: {{{', '.join(variants)}}}\n", encoding="utf-8")
    return load_plan(root)


def wrong(root: Path, *variants: str, experiment: str = EXPERIMENT) -> str:
    with pytest.raises(ProblemsError) as error:
        plan(root, *variants, experiment=experiment)
    return str(error.value)


def test_a_variant_that_asks_trains_on_a_dataset_of_its_own(root):
    found = plan(root, "all: {}", JOINED, "same: {compose: {cells: [A+J], per_cell: 2, seed: 0}}")
    variants = found.experiments["one"].variants
    name = variants["joined"].dataset
    assert name.startswith("drawn-composed-") and variants["same"].dataset == name
    assert variants["all"].dataset == "drawn" == variants["joined"].root
    made = found.datasets[name].made
    assert made.of == "drawn" and made.spec.compose.cells == ["A+J"]
    assert found.datasets[name].preprocess == found.datasets["drawn"].preprocess
    spec = report_specs.report_spec(found, "one")
    assert spec.order == list(found.experiments["one"].variants)  # as the file has them
    told = spec.made
    assert set(told) == {name} and told[name].of == "drawn" and told[name].crop is None
    assert (
        formatting.made(told[name]) == "2 composites of A+J before places of their people's photos"
    )
    assert list(found.masks) == ["drawn"] and found.masks["drawn"].judge is None


def test_nothing_that_is_made_is_shown_to_judges_or_people(root):
    found = plan(root, JOINED)
    experiment = found.experiments["one"]
    assert reference_spec(experiment).datasets == ["drawn"]
    # But copies are looked for among all that is trained on.
    looked_at = score_spec(experiment, "joined", next(iter(experiment.prompt_sets))).trained_on
    assert [one.dataset for one in looked_at] == experiment.datasets
    assert report_specs.rating_spec(found.experiments["one"]).datasets == ["drawn"]
    assert paths.photos_of(experiment)[0].startswith("resources/drawn/")
    assert experiment.datasets == [experiment.variants["joined"].dataset]


def test_other_requests_are_other_datasets(root):
    asked = [
        JOINED,
        "seed: {compose: {cells: [J+A], per_cell: 2, seed: 1}}",
        "more: {compose: {cells: [J+A]}}",
        "crop: {crop: solos}",
        "both: {from: joined, crop: solos}",
    ]
    names = {v.dataset for v in plan(root, *asked).experiments["one"].trained}
    assert len(names) == len(asked)


STRANGERS = EXPERIMENT.replace("dataset: drawn", "  others: {lab: {strangers: 8}}\ndataset: drawn")


def mixed(of: str, cells: str = "[J]") -> str:
    return f"mixed: {{compose: {{cells: {cells}, strangers: {{of: {of}}}, canvas: any}}}}"


def test_strangers_are_prepared_and_masked_and_shown_to_no_judge(root):
    found = plan(root, "plain: {}", mixed("others"), experiment=STRANGERS)
    one, experiment = found.variant("one", "mixed"), found.experiments["one"]
    assert {"others", "drawn", one.dataset} <= set(found.datasets) and "others" in found.masks
    assert paths.strangers_files(found.datasets[one.dataset].made) == [
        f"resources/others/{name}" for name in ("images.json", "captions.jsonl", "masks.json")
    ]
    assert "others" not in (*experiment.datasets, *experiment.references, *experiment.held_out)


def test_options_of_composites_that_came_later_leave_old_names(root):
    """What was made before them is found again under its name."""
    old = plan(root, JOINED).variant("one", "joined").dataset
    assert old == "drawn-composed-594b9106"
    assert plan(root, JOINED[:-2] + ", canvas: own}}").variant("one", "joined").dataset == old
    assert plan(root, JOINED[:-2] + ", canvas: any}}").variant("one", "joined").dataset != old


def test_strangers_that_cant_be_had_are_named(root):
    text = wrong(root, mixed("other"), experiment=STRANGERS)
    assert "no dataset 'other'. Did you mean 'others'?" in text
    assert "'drawn' shows the characters" in wrong(root, mixed("drawn"), experiment=STRANGERS)
    three = STRANGERS.replace("datasets:", "  C: {name: CRussell, class: child}\ndatasets:", 1)
    assert "no room" in wrong(root, mixed("others", "[A+C+J]"), experiment=three)
    family = STRANGERS.replace("strangers: 8", "strangers: 8, family: russell")
    assert "remove: family" in wrong(root, mixed("others"), experiment=family)
    assert "`coverage`, but family is missing" in wrong(
        root, mixed("others"), experiment=STRANGERS.replace("strangers: 8", "seed: 2")
    )


def test_null_goes_back_to_the_photos(root):
    variants = plan(root, JOINED, "back: {from: joined, compose: null}").experiments["one"].variants
    assert variants["back"].dataset == "drawn" and variants["back"].made is None


def test_photos_are_searched_by_the_judge_or_a_segmenter(root):
    ours = "own: {dataset: ours, crop: solos}"
    assert plan(root, ours).masks["ours"].judge.kind == "lab"
    blind = EXPERIMENT.replace("judge: lab\n", "")
    text = wrong(root, ours, experiment=blind)
    assert "'own' needs people's outlines" in text and "segmenter" in text
    told = blind.replace("captioner: {model: blip}", "segmenter: {model: detr}")
    assert plan(root, ours, experiment=told).masks["ours"].segmenter.model == "detr"


def test_drawn_photos_may_be_searched_by_the_judge_too(root):
    told = EXPERIMENT.replace("drawn: {lab", "drawn: {outlines: judge, lab")
    found = plan(root, JOINED, experiment=told).masks["drawn"]
    assert found.finds and found.judge.kind == "lab" and found.segmenter is None
    assert not plan(root, JOINED).masks["drawn"].finds


def test_captions_of_what_is_made_need_no_captioner(root):
    found = plan(root, "own: {dataset: ours, crop: solos}")
    name = found.experiments["one"].variants["own"].dataset
    assert found.datasets["ours"].caption.captioner and not found.datasets[name].caption.captioner


def test_photos_are_audited_where_only_what_is_made_of_them_is_trained_on(root):
    found = plan(root, "own: {compose: {cells: [J+A]}}").experiments["one"]
    assert found.datasets == [found.variants["own"].dataset] != ["drawn"]
    told = paths.told_by_runs(found)
    for name in ("drawn", *found.datasets):
        assert f"results/one/audit/{name}.json" in told


def test_a_weighted_loss_needs_masks_of_what_it_trains_on(root):
    found = plan(
        root,
        "heavy: {mask_weight: 2}",
        "heads: {head_weight: 2}",
        "both: {mask_weight: 2, crop: solos}",
        "all: {}",
    )
    variants = found.experiments["one"].variants
    assert paths.masks_files(variants["heavy"]) == ["resources/drawn/masks.json"]
    name = variants["both"].dataset
    assert paths.masks_files(variants["both"]) == [f"resources/{name}/masks.json"]
    assert paths.masks_files(variants["heads"]) == ["resources/drawn/masks.json"]
    assert paths.masks_files(variants["all"]) == [] == paths.further_files(variants["all"])


def test_mistakes_in_cells_are_named(root):
    assert "no character 'B'" in wrong(root, "wrong: {compose: {cells: [J+B, A]}}")
    assert "compose" in wrong(root, "wrong: {compose: {cells: [J+A], background: blue}}")


def test_cells_may_say_how_many_of_each(root):
    found = plan(
        root,
        "some: {compose: {cells: {J+A: 3, A: 1}}}",
        "same: {compose: {cells: {A: 1, A+J: 3}}}",
        "flat: {compose: {cells: [A+J, A]}}",
    )
    some, same, flat = (found.experiments["one"].variants[x] for x in ("some", "same", "flat"))
    assert some.made.spec.compose.counts() == {"A": 1, "A+J": 3}
    assert flat.made.spec.compose.counts() == {"A": 4, "A+J": 4}
    assert some.dataset == same.dataset != flat.dataset
    assert "a cell is listed twice" in wrong(root, "wrong: {compose: {cells: {A+J: 1, J+A: 2}}}")
    assert "per_cell" in wrong(root, "wrong: {compose: {cells: {A+J: 1}, per_cell: 2}}")
    assert "cells" in wrong(root, "wrong: {compose: {cells: {A+J: 0}}}")


def test_options_that_nobody_sets_are_in_no_specification(root):
    spec = plan(root, "all: {}").experiments["one"].variants["all"].spec
    for word in ("mask", "compose", "crop", "balance", "kinds"):
        assert word not in spec


def test_adapters_on_another_base(root):
    variants = plan(root, "a: {}", "b: {adapters: {a: 1}, base: other}").experiments["one"].variants
    assert variants["b"].base == "other" and variants["b"].loads == (("a", 1.0),)
    assert "BASE-other" in variants
    assert "no file config/bases/none.yaml" in wrong(
        root, "a: {}", "b: {adapters: {a: 1}, base: none}"
    )


def test_an_experiment_like_another(root):
    plan(root, "all: {}", JOINED)
    folder = root / "config/experiments"
    two = "like: one\ntitle: two\nvariants: {joined: null, small: {rank: 1}}\n"
    (folder / "two.yaml").write_text(two)
    found = load_plan(root, {"experiments": "two"}).experiments["two"]
    assert list(found.variants) == ["all", "small", "BASE"] and found.title == "two"
    assert found.prompt_sets == load_plan(root).experiments["one"].prompt_sets

    (folder / "three.yaml").write_text("like: twoo\n")
    with pytest.raises(
        ProblemsError, match=r"three.yaml:1: like: there is no file 'twoo.yaml'.*two"
    ):
        load_plan(root, {"experiments": "three"})
    (folder / "three.yaml").write_text("like: four\n")
    (folder / "four.yaml").write_text("like: three\n")
    with pytest.raises(ProblemsError, match="leads back"):
        load_plan(root, {"experiments": "three"})


def of_removed(root, two, **more):
    """The problems of two.yaml, which is like one.yaml; of the first of `more` files, if any."""
    plan(root, "all: {}, few: {}", JOINED)
    folder = root / "config/experiments"
    for name, text in {"two": f"like: one\ntitle: two\n{two}", **more}.items():
        (folder / f"{name}.yaml").write_text(text)
    with pytest.raises(ProblemsError) as error:
        load_plan(root, {"experiments": next(iter([*more, "two"]))})
    return [str(one).replace(f"{root}/", "") for one in error.value.problems]


def test_a_name_that_a_null_removed_is_said_with_its_place(root):
    two = "variants:\n  all: null\n  late: {from: all}\n"
    (said,) = of_removed(root, two)
    assert said.startswith("config/experiments/two.yaml:5: variants.late.from: no variant or rec")
    null = "The null at config/experiments/two.yaml:4: variants.all removes it; delete that key, or"
    assert f"'all'. {null} choose one of: " in said


@pytest.mark.parametrize(
    ("two", "said"),
    [
        ("variants: {all: null}\nhypotheses:\n  h: {claim: x, variant: all, against: few, "
         "measure: success, prompt_set: solo}\n", "3: variants.all"),
        ("prompt_sets: {}\nvariants:\n  joined: null\n  s: {adapters: {joined: 1}}\n",
         "5: variants.joined"),
        ("variants: null\n", "3: variants"),
        ("characters: {J: null}\n", "3: characters.J"),
    ],
)  # fmt: skip
def test_whatever_is_missing_then(root, two, said):
    told = of_removed(root, two)
    assert any(f"config/experiments/two.yaml:{said} removes it" in one for one in told), told


def test_the_null_may_stand_in_a_file_between(root):
    three = "like: two\ntitle: three\nvariants: {late: {from: all}}\n"
    (said,) = of_removed(root, "variants: {all: null}\n", three=three)
    assert said.startswith("config/experiments/three.yaml:3: variants.late.from")
    assert "The null at config/experiments/two.yaml:3: variants.all removes it" in said


def test_null_takes_away_only_what_is_there():
    assert merge_keys({"a": {"b": 1, "c": 2}}, {"a": {"b": None, "d": None}}) == {
        "a": {"c": 2, "d": None}
    }


LISTS = """\
title: test
characters:
  J: {name: JRussell, class: man}
  A: {name: ARussell, class: woman}
datasets: {drawn: {lab: {family: russell, coverage: {J: 1, A: 1}}}}
base: small
recipe: plain
judge: lab
prompt_sets:
  solo: {prompts: {J: "{J}"}, seeds: 2, size: [64, 64]}
  casts:
    casts:
      of:
        - J
        - Q1
      shapes: [[64, 64], [96, 64]]
      pictures: 1
variants:
  counted:
    compose:
      background: any
      cells:
        J: 2
        A+Q2: 3
  listed:
    compose:
      cells: [J,
        Q3]
  heir: {from: listed, rank: 4}
  chosen:
    cells:
      - A
      - Q4
    per_cell:
      A: 1
      Q5: 1
  swept:
    sweep:
      characters:
        - [J]
        - [A, Q6]
  narrow:
    from: apart
    characters: [J]
  apart:
    cells: [A]
"""


def test_a_wrong_letter_is_reported_at_its_own_line_whatever_list_it_is_in(root):
    (root / "config/experiments/one.yaml").write_text(LISTS, encoding="utf-8")
    with pytest.raises(ProblemsError) as error:
        load_plan(root)
    found = {one.where: one.what for one in error.value.problems}
    lines = LISTS.splitlines()
    for letter, place in {
        "Q1": "prompt_sets.casts.casts.of.1",
        "Q2": "variants.counted.compose.cells.A+Q2",
        "Q3": "variants.listed.compose.cells.1",
        "Q4": "variants.chosen.cells.1",
        "Q5": "variants.chosen.per_cell.Q5",
        "Q6": "variants.swept.sweep.characters.1.1",
    }.items():
        line = next(n for n, text in enumerate(lines, 1) if letter in text)
        assert letter in found.pop(f"{root}/config/experiments/one.yaml:{line}: {place}")
    (narrowed,) = found.items()
    assert "variants.narrow" in narrowed[0] and "'A'" in narrowed[1]
