"""From YAML files to a plan: inheritance, sweeps, selections, prompts, all mistakes at once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kindred.common.errors import ProblemsError
from kindred.config.load_plan import load_plan
from kindred.specs.casts import noise_seeds
from kindred.specs.scoring import Hypothesis
from kindred.world.families import FAMILIES
from kindred.world.family_seeds import ALBUMS

HEAD = """
title: test
characters:
  J: {name: JRussell, class: man, age: adult}
  A: {name: ARussell, class: woman, age: adult}
  C: {name: CRussell, class: child}
datasets:
  ours: {source: photos}
base: small
recipe: plain
prompt_sets:
  solo: {prompts: {j: "headshot of {J}"}, seeds: 2, size: [64, 64]}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    for folder in ("bases", "recipes", "experiments"):
        (config / folder).mkdir(parents=True)
    (tmp_path / "photos").mkdir()
    write(tmp_path, "config.yaml", "experiments: [one]\n")
    write(tmp_path, "bases/small.yaml", "model: lab/base\ndtype: float32\ntext_tokens: 56\n")
    write(tmp_path, "bases/other.yaml", "model: org/model\nrevision: abc\narchitecture: flux1\n")
    write(tmp_path, "recipes/plain.yaml", "rank: 16\nlr: 1e-3\nsteps: 100\n")
    write(tmp_path, "recipes/style.yaml", "rank: 4\nlr: 1e-4\ntext_tokens: 77\n")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / "config" / name).write_text(text, encoding="utf-8")


def plan(root: Path, text: str, head: str = HEAD):
    write(root, "experiments/one.yaml", head + text)
    return load_plan(root)


def variants(root: Path, text: str, head: str = HEAD):
    return plan(root, "variants:\n" + text, head).experiments["one"].variants


def problems(root: Path, text: str, head: str = HEAD) -> list[str]:
    with pytest.raises(ProblemsError) as caught:
        plan(root, text, head)
    return [str(p).split("/config/")[-1] for p in caught.value.problems]


def assert_listed(expected: list[str], listed: list[str]) -> None:
    """Each text stands in one of the lines."""
    for text in expected:
        assert any(text in line for line in listed), f"{text}\nnot in\n" + "\n".join(listed)


def test_a_variant_says_only_what_differs(root):
    found = variants(root, "  a: {rank: 8}\n  b: {from: a, lr: 2e-3}\n  c: {from: b, rank: null}\n")
    assert found["a"].train.recipe.rank == 8
    assert (found["b"].train.recipe.rank, found["b"].train.recipe.lr) == (8, 2e-3)
    assert "rank" not in json.loads(found["c"].spec)["recipe"]


def test_order_in_the_file_does_not_matter_for_from(root):
    found = variants(root, "  b: {from: a}\n  a: {rank: 8}\n")
    assert found["b"].train.recipe.rank == 8
    assert list(found) == ["b", "a", "BASE"]


def test_recipe_starts_afresh_and_from_may_name_a_recipe(root):
    found = variants(
        root, "  a: {rank: 8, lr: 1}\n  b: {from: a, recipe: style}\n  c: {from: style, lr: 2}\n"
    )
    assert (found["b"].train.recipe.rank, found["b"].train.recipe.lr) == (4, 1e-4)
    assert (found["c"].train.recipe.rank, found["c"].train.recipe.lr) == (4, 2.0)
    assert found["c"].text_tokens == 77
    assert found["a"].text_tokens == 56


def test_unset_options_stay_out_of_the_canonical_string(root):
    spec = json.loads(variants(root, "  a: {}\n")["a"].spec)
    assert spec["recipe"] == {"rank": 16, "lr": 0.001, "steps": 100}
    assert set(spec) == {"base", "characters", "dataset", "recipe"}


def test_a_character_s_age_is_no_part_of_training_or_captions(root):
    before = plan(root, "variants: {a: {}}\n")
    after = plan(root, "variants: {a: {}}\n", HEAD.replace("age: adult", "age: child"))
    spec = [p.experiments["one"].variants["a"].spec for p in (before, after)]
    assert spec[0] == spec[1]
    captions = [p.datasets["ours"].caption.canonical() for p in (before, after)]
    assert captions[0] == captions[1]
    audits = [p.audit_spec("one", "ours").canonical() for p in (before, after)]
    assert audits[0] != audits[1]


def test_selections_are_normalised_and_cut_the_characters(root):
    found = variants(
        root,
        "  a: {cells: [J+A, 'J', AJ], data_seed: 3}\n  b: {characters: [J]}\n"
        "  c: {per_cell: {C+A: 2}, match: images, total: 4}\n  d: {}\n",
    )
    assert found["a"].train.selection.model_dump(exclude_unset=True) == {
        "cells": ["A+J", "J"],
        "seed": 3,
    }
    assert set(found["a"].train.characters) == {"A", "J"}
    assert set(found["b"].train.characters) == {"J"}
    assert found["c"].train.selection.per_cell == {"A+C": 2}
    assert set(found["d"].train.characters) == {"A", "C", "J"}


def test_sweeps_make_named_variants(root):
    found = variants(
        root,
        "  rank: {sweep: {rank: [2, 16]}}\n"
        "  grid: {lr: 5, sweep: {lr: [1e-4, 3e-3], steps: [10, 20]}}\n  t: {from: rank-2}\n",
    )
    assert [name for name in found if name != "BASE"] == [
        "rank-2",
        "rank-16",
        "grid-0.0001-10",
        "grid-0.0001-20",
        "grid-0.003-10",
        "grid-0.003-20",
        "t",
    ]
    assert found["grid-0.003-10"].train.recipe.lr == 3e-3
    assert found["t"].train.recipe.rank == 2


def test_runs_and_first_run(root):
    found = variants(root, "  a: {runs: 3}\n  null-test: {from: a, first_run: 101}\n")
    assert found["a"].runs == (1, 2, 3)
    assert found["null-test"].runs == (101, 102, 103)
    assert found["a"].spec == found["null-test"].spec


def test_scrambled_is_reached_by_its_own_words_only(root):
    found = variants(
        root, "  a: {control: {pairing: scrambled}}\n  b: {from: a}\n  c: {from: b, rank: 2}\n"
    )
    assert found["a"].train.pairing == "scrambled"
    assert found["b"].train.pairing == found["c"].train.pairing == "matched"
    assert "pairing" not in json.loads(found["b"].spec)
    listed = problems(root, "variants: {a: {pairing: scrambled}}\n")
    cure = "See docs/reference/configuration.md for all keys."
    assert listed == [f"experiments/one.yaml:13: variants.a.pairing: unknown key. {cure}"]


def test_an_unknown_key_may_be_a_slip_of_yaml(root):
    (said,) = problems(root, "variants:\n  a: {rank:4}\n")
    assert said.endswith("a.rank:4: unknown key. Write a space after the colon: `rank: 4`.")
    (said,) = problems(root, "variants:\n  a: {rank: 4}\n  b:\n    small: {rank: 2}\n")
    assert "variants.b.small: unknown key. Check its indentation: it may belong " in said


def test_several_adapters_together(root):
    text = (
        "  j: {characters: [J], runs: 3}\n  a: {characters: [A], runs: 2}\n"
        "  both: {adapters: {j: 1.0, a: 0.8}}\n"
    )
    both = variants(root, text)["both"]
    assert both.train is None
    assert both.runs == (1, 2)
    assert both.loads == (("j", 1.0), ("a", 0.8))
    assert plan(root, "variants:\n" + text).render_spec("one", "both", "solo").weights == [1.0, 0.8]


def test_adapters_name_trained_variants_of_one_base(root):
    listed = problems(
        root,
        "variants:\n  j: {}\n  k: {base: other}\n  x: {adapters: {j: 1, q: 1}}\n"
        "  y: {adapters: {j: 1, k: 1}}\n  z: {adapters: {j: 1}, rank: 2}\n",
    )
    assert len(listed) == 3
    assert "variants.x.adapters.q: no trained variant 'q'" in listed[0]
    assert "their bases differ (other, small)" in listed[1]
    assert "rank can't be set" in listed[2]


def test_the_base_is_a_variant_once_for_every_base_in_use(root):
    found = variants(root, "  a: {}\n  b: {base: other}\n")
    assert {name: v.base for name, v in found.items() if not v.train} == {
        "BASE": "small",
        "BASE-other": "other",
    }
    assert found["BASE"].loads == ()


def test_prompts_get_names_placeholders_and_own_seeds(root):
    text = """
  more:
    prompts:
      - "{J} and {A}, {A.age} {A.class}"
      - {text: "{J} and {A}", seeds: [7], size: [96, 64]}
    seeds: [3, 1]
    size: [64, 80]
    steps: 4
variants: {a: {}}
"""
    found = plan(root, text).experiments["one"].prompt_sets["more"]
    assert found.texts() == {
        "J-and-A-A-age-A-class": "JRussell and ARussell, adult woman",
        "J-and-A": "JRussell and ARussell",
    }
    assert found.full("J-and-A").seeds == [7]
    assert found.full("J-and-A-A-age-A-class").seeds == [3, 1]
    assert (found.full("J-and-A").width, found.full("J-and-A").height) == (96, 64)


SYNTAX = """
  more:
    prompts:
      options: "headshot of {J} --w 832 --d 42 --n blurry"
      weights: "(portrait of {J}:1.3), <lora:ada:0.8>"
      choice: "{J} in a {red|blue} coat"
      brackets: "{J} in a [red] coat"
      plain: "{J} (left) and {A} [right]"
    seeds: 1
    size: [64, 64]
variants: {a: {}}
"""


def test_other_tools_writing_in_prompts_is_told_with_its_place(root):
    listed = [line for line in problems(root, SYNTAX) if "prompt_sets.more" in line]
    assert [line.split(" would be")[0].split("prompts.")[1] for line in listed] == [
        "options: '--w 832', '--d 42' and '--n blurry'",
        "weights: '<lora:ada:0.8>'",
        "weights: '(portrait of {J}:1.3)'",
        "choice: '{red|blue}'",
    ]
    assert listed[0].startswith("experiments/one.yaml:") and "`guidance_scale`" in listed[0]


def test_what_plain_english_may_look_like_is_warned_of(root):
    kept = [x for x in SYNTAX.splitlines() if not re.match(" +(options|weights|choice)", x)]
    found = plan(root, "\n".join(kept) + "\n")
    (warning,) = found.warnings
    assert "more.prompts.brackets: '[red]' would be drawn as plain words" in str(warning)
    assert found.experiments["one"].prompt_sets["more"].texts()["plain"] == (
        "JRussell (left) and ARussell [right]"
    )


def test_a_near_miss_of_a_trigger_name_is_warned_of(root):
    head = HEAD.replace("headshot of {J}", "headshot of ARusell")
    (warning,) = plan(root, "variants: {a: {}}\n", head).warnings
    assert str(warning).endswith(
        "prompt_sets.solo.prompts.j: 'ARusell' is nobody's trigger name. Did you mean 'ARussell'?"
    )
    assert not plan(root, "variants: {a: {}}\n", HEAD).warnings


def test_a_source_that_is_named_for_kohyas_tools_is_warned_of(root):
    (root / "photos/10_ada woman").mkdir()
    head = HEAD.replace("source: photos", 'source: "photos/10_ada woman/"')
    (warning,) = plan(root, "variants: {a: {}}\n", head).warnings
    assert "datasets.ours.source: 'photos/10_ada woman/' is a folder name in kohya's" in str(
        warning
    )


CASTS = """
  many: {casts: {of: [J, A], shapes: [[64, 80], [96, 64]], wordings: 2, pictures: 3}, steps: 4}
variants: {a: {}}
"""


def test_casts_become_prompts_with_a_canvas_and_seeds_of_their_own(root):
    found = plan(root, CASTS).experiments["one"]
    asked, casts = found.prompt_sets["many"], found.casts
    assert set(casts) == {"many"} and set(casts["many"]) == set(asked.prompts)
    assert len(asked.prompts) == (3 + 5) * 2 * 2
    one = asked.full("A+J.96x64.2")
    assert (one.width, one.height) == (96, 64) and len(set(one.seeds)) == 3
    assert one.text == "JRussell and ARussell in the snow"
    assert one.seeds == noise_seeds(one.text, (96, 64), 3)
    assert casts["many"]["A+J.96x64.2"].members == ["J", "A"]


def test_casts_change_nothing_of_other_prompt_sets(root):
    one = plan(root, "variants: {a: {}}\n")
    two = plan(root, CASTS)
    specs = [p.render_spec("one", "a", "solo").canonical() for p in (one, two)]
    assert specs[0] == specs[1] and "casts" not in specs[0]


def test_pictures_in_place_of_seeds_give_each_prompt_noise_of_its_own(root):
    text = """
  more: {prompts: ["{J}", "{A}"], pictures: 2, size: [64, 80]}
variants: {a: {}}
"""
    found = plan(root, text).experiments["one"].prompt_sets["more"]
    seeds = {name: found.full(name).seeds for name in found.prompts}
    assert seeds == {
        "J": noise_seeds("JRussell", (64, 80), 2),
        "A": noise_seeds("ARussell", (64, 80), 2),
    }


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("casts: {of: [J, Q], shapes: [[64, 64], [96, 64]]}", "of.1: no character 'Q'"),
        ("casts: {of: [J], shapes: [[64, 64]]}", "shapes: List should have at least 2 items"),
        ("casts: {of: [J], shapes: [[64, 64], [96, 64]]}, seeds: 2", "remove: seeds"),
        ("casts: {of: [J], shapes: [[64, 64], [90, 64]]}", "sides must be multiples of 16 px"),
        (
            "casts: {of: [J], shapes: [[64, 64], [96, 64]], untrained: [JRussell, Bo]}",
            "'JRussell' is one of the characters. List only other names",
        ),
        ("prompts: [a man]", "needs `casts`, or: size, one of `seeds` and `pictures`"),
        ("prompts: [a man], size: [64, 64], seeds: 1, pictures: 1", "one of `seeds` and `pict"),
    ],
)
def test_mistakes_in_casts(root, asked, said):
    listed = problems(root, f"\n  bad: {{{asked}}}\nvariants: {{a: {{}}}}\n")
    assert any("bad" in line and said in line for line in listed), listed


def test_a_prompt_s_seed_changes_no_text_to_encode(root):
    one = plan(root, "variants: {a: {}}\n")
    two = plan(root, "variants: {a: {}}\n", HEAD.replace("seeds: 2", "seeds: 3"))
    texts = [p.prompt_texts("one", "solo", "small").canonical() for p in (one, two)]
    assert texts[0] == texts[1]
    specs = [p.render_spec("one", "a", "solo").canonical() for p in (one, two)]
    assert specs[0] != specs[1]


def test_precision_is_a_prompt_set_s_and_for_rendering_alone(root):
    one = plan(root, "variants: {a: {}}\n")
    head = HEAD.replace("seeds: 2", "precision: merged, seeds: 2")
    two = plan(root, "variants: {a: {}}\n", head)
    assert "precision" not in one.render_spec("one", "a", "solo").canonical()
    assert '"precision":"merged"' in two.render_spec("one", "a", "solo").canonical()
    same = [
        (p.variant("one", "a").spec, p.prompt_texts("one", "solo", "small")) for p in (one, two)
    ]
    assert same[0] == same[1]
    wrong = problems(root, "variants: {a: {}}\n", head.replace("merged", "fused"))
    assert any("prompt_sets.solo.precision" in problem for problem in wrong)


def test_adding_a_variant_changes_no_other_string(root):
    one = plan(root, "variants: {a: {rank: 2}}\n")
    two = plan(root, "variants: {a: {rank: 2}, b: {cells: [J]}}\n")
    assert one.variant("one", "a").spec == two.variant("one", "a").spec
    renders = [p.render_spec("one", "a", "solo").canonical() for p in (one, two)]
    assert renders[0] == renders[1]
    assert two.audit_spec("one", "ours").cells == ["J"]


def test_all_mistakes_of_all_files_at_once(root):
    write(root, "config.yaml", "experiments: [one, tow]\ndevice: {kind: gpu}\n")
    listed = problems(root, "variants: {a: {}}\n")
    assert listed == [
        "config.yaml:2: device.kind: must be 'auto', 'cpu', 'cuda' or 'mps' (is 'gpu')"
    ]
    write(root, "config.yaml", "experiments: [one, tow]\n")
    write(root, "recipes/broken.yaml", "rnak: 4\n")
    listed = problems(
        root,
        """
  bad: {prompts: ["{Q}", "{C.age}"], seeds: [1, 1], size: [60, 64]}
variants:
  a: {base: smal, recipe: broken}
  b: {from: aa}
  c: {from: d}
  d: {from: c}
  e: {cells: [J+X]}
  f: {dataset: theirs}
  sheets: {}
  F: {}
  "g h": {}
  s: {sweep: {rnak: [1]}}
  r: {sweep: {rank: [1, 2]}}
  t: {from: r}
  r-1: {}
hypotheses:
  h: {claim: x, variant: zz, against: zz, measure: success, prompt_set: solos}
""",
    )
    expected = [
        "variants.sheets: the name 'sheets' is reserved",
        "variants.F: 'F' and 'f' differ only in case",
        "variants.g h: 'g h' can't be the name",
        "variants.s.sweep.rnak: can't be swept. Did you mean 'rank'?",
        "variants.r-1: makes a variant 'r-1', which",
        "variants.b.from: no variant or recipe 'aa'. Did you mean 'a'?",
        "variants.c.from: leads back to itself: c from d from c",
        "variants.d.from: leads back to itself: d from c from d",
        "variants.t.from: 'r' is a sweep, not a single variant. Name one of its variants: r-1, r-2",
        "variants.a.base: no file config/bases/smal.yaml. Did you mean 'small'?",
        "recipes/broken.yaml:1: rnak: unknown key. Did you mean 'rank'?",
        "variants.e.cells.0: cell 'J+X': no character 'X'",
        "variants.f.dataset: no dataset 'theirs'",
        "prompts.Q: '{Q}' has no meaning here",
        "prompts.C-age: '{C.age}' has no meaning here: characters.C has no age",
        "bad.seeds: list each seed once",
        "bad.size: sides must be multiples of 16 px; nearest: 64 (is 60)",
        "hypotheses.h.variant: no variant 'zz'",
        "hypotheses.h.against: compares a variant with itself",
        "hypotheses.h.prompt_set: no prompt set 'solos'. Did you mean 'solo'?",
        "config.yaml: experiments: no file config/experiments/tow.yaml",
    ]
    assert_listed(expected, listed)


def test_a_value_of_another_kind_and_an_unknown_key_hide_no_other_mistake(root):
    listed = problems(
        root,
        """
variants:
  a: {rank: few, rnak: 1, base: smal}
  b: {base: smal}
  c: {from: a, dataset: theirs}
hypotheses:
  h: {claim: x, variant: zz, against: a, measure: success, prompt_set: solo, margn: 1}
  i: {claim: x, variant: zz, against: a, measure: success, prompt_set: solo}
titel: x
""",
    )
    expected = [
        "variants.a.rank: must be a whole number (is 'few')",
        "variants.a.rnak: unknown key. Did you mean 'rank'?",
        "hypotheses.h.margn: unknown key. Did you mean 'margin'?",
        "titel: unknown key. Did you mean 'title'?",
        "variants.b.base: no file config/bases/smal.yaml",
        "variants.c.dataset: no dataset 'theirs'",
        "hypotheses.i.variant: no variant 'zz'",
    ]
    assert_listed(expected, listed)
    # Of what was read in part nothing is said that may only follow from that.
    assert not any("variants.a.base" in line or "hypotheses.h.variant" in line for line in listed)


def test_datasets_have_one_source_that_exists(root):
    head = HEAD.replace("source: photos", "source: nowhere")
    listed = problems(root, "variants: {a: {}}\n", head)
    assert listed == [
        "experiments/one.yaml:8: datasets.ours.source: there is no folder 'nowhere'. "
        "Correct the path; it starts from the folder that holds the Snakefile."
    ]
    head = HEAD.replace("{source: photos}", "{}")
    assert "exactly one" in problems(root, "variants: {a: {}}\n", head)[0]
    head = HEAD.replace("{source: photos}", "{lab: {family: rusell, coverage: {J: 4}}}")
    assert "Did you mean 'russell'?" in problems(root, "variants: {a: {}}\n", head)[0]
    head = HEAD.replace("{source: photos}", "{lab: {family: russell, coverage: {J: 4, Q: 2}}}")
    assert "coverage: Q: 2: no member has the letter Q" in problems(
        root, "variants: {a: {}}\n", head
    )[0].replace("'", "")


def test_families_drawn_by_seed_have_albums_of_their_own(root):
    def drawn(lab):
        head = HEAD.replace("{source: photos}", f"{{lab: {{{lab}}}}}")
        return plan(root, "variants: {a: {}}\n", head).datasets["ours"].lab

    for name in FAMILIES:
        cell = FAMILIES[name].letters[0]
        assert drawn(f"family: {name}, coverage: {{{cell}: 4}}").coverage == f"{cell}: 4"
    for name, coverage in ALBUMS.items():
        assert drawn(f"family: {name}").coverage == coverage
        assert drawn(f"family: {name}, shapes: any").shapes == "any"
    head = HEAD.replace("{source: photos}", "{lab: {family: russell}}")
    assert "`coverage`, but coverage is missing" in problems(root, "variants: {a: {}}\n", head)[0]


def test_two_datasets_need_a_default(root):
    head = HEAD.replace("  ours:", "  theirs: {source: photos}\n  ours:")
    assert "which of the datasets?" in problems(root, "variants: {a: {}}\n", head)[0]
    found = variants(root, "  a: {dataset: theirs}\n", head + "dataset: ours\n")
    assert found["a"].dataset == "theirs"
    assert plan(root, "dataset: ours\nvariants: {a: {dataset: theirs}, b: {}}\n", head).experiments[
        "one"
    ].datasets == ["ours", "theirs"]


def test_experiments_share_datasets_of_one_meaning_only(root):
    write(root, "config.yaml", "experiments: [one, two]\n")
    write(root, "experiments/two.yaml", HEAD + "variants: {x: {}}\n")
    assert set(plan(root, "variants: {a: {}}\n").datasets) == {"ours"}
    other = HEAD.replace("{source: photos}", "{source: photos, preprocess: {resolutions: [64]}}")
    write(root, "experiments/two.yaml", other + "variants: {x: {}}\n")
    assert (
        "describes a dataset of this name differently" in problems(root, "variants: {a: {}}\n")[0]
    )


def test_overrides_from_the_command_line(root):
    write(root, "experiments/one.yaml", HEAD + "variants: {a: {}}\n")
    write(root, "experiments/two.yaml", HEAD + "variants: {b: {}}\n")
    found = load_plan(root, {"experiments": "two, one", "device": {"kind": "cpu"}})
    assert list(found.experiments) == ["two", "one"]
    assert found.device.kind == "cpu"
    with pytest.raises(ProblemsError, match=r"--config: experiment: .*Did you mean 'experiments'"):
        load_plan(root, {"experiment": "two"})
    with pytest.raises(ProblemsError, match=r"--config: experiments: no file .*/twa\.yaml"):
        load_plan(root, {"experiments": "twa"})
    write(root, "config.yaml", "experiments: [twa]\n")
    with pytest.raises(ProblemsError, match=r"config/config\.yaml: experiments: no file"):
        load_plan(root, {"device": {"kind": "cpu"}})


def test_characters_have_names_of_their_own(root):
    head = HEAD.replace("ARussell", "J Russell").replace("CRussell", "jrussell")
    listed = problems(root, "variants: {a: {}}\n", head)
    assert "characters.A: the trigger name 'J Russell' is not one word" in listed[0]
    assert "characters.C: has the same name as J" in listed[1]


def test_audits_know_every_encoder_s_limit(root):
    found = plan(root, "variants: {a: {}, b: {base: other}, c: {recipe: style}}\n")
    assert found.audit_spec("one", "ours").tokenizers == {
        "lab/base/tokenizer": 77,
        "lab/base/tokenizer_2": 56,
        "org/model/tokenizer@abc": 77,
        "org/model/tokenizer_2@abc": 512,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a: {sweep: {rank: []}}\n", "variants.a.sweep.rank: has no values"),
        ("  a: {}\n  both: {adapters: {}}\n", "variants.both.adapters: no variant is named"),
        ("  a: {cells: []}\n", "variants.a.cells: List should have at least 1 item"),
        ("  a: {characters: []}\n", "variants.a.characters: List should have at least 1 item"),
        ("  a: {match: appearances}\n", "variants.a.match: `match` needs `total`"),
    ],
)
def test_what_says_nothing_is_refused(root, text, expected):
    (found,) = problems(root, "variants:\n" + text)
    assert expected in found


def test_match_may_inherit_its_total(root):
    found = variants(root, "  a: {match: images, total: 4}\n  b: {from: a, match: appearances}\n")
    assert found["b"].train.selection.total == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '  a: {targets: "attn[("}\n',
            "variants.a.targets: 'attn[(' is not a valid regular expression",
        ),
        ("  a: {per_cell: -3}\n", "variants.a.per_cell: -3 is not a possible number of photos"),
        (
            "  a: {per_cell: {J: -1}}\n",
            "variants.a.per_cell: -1 is not a possible number of photos",
        ),
    ],
)
def test_values_that_can_t_be_meant_are_refused(root, text, expected):
    (found,) = problems(root, "variants:\n" + text)
    assert expected in found


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('"headshot of {J}"', '""', "prompts.j: the prompt is empty"),
        ("{source: photos}", "{source: photos, preprocess: {multiple: 8}}", "nearest: 16"),
        ("{source: photos}", "{source: photos, audit: {min_noun_share: 80}}", "min_noun_share: "),
    ],
)
def test_other_values_that_can_t_be_meant(root, before, after, expected):
    (found,) = problems(root, "variants: {a: {}}\n", HEAD.replace(before, after))
    assert expected in found


def test_a_variant_with_nothing_behind_its_name_differs_in_nothing(root):
    found = variants(root, "  a:\n  b: {}\n")
    assert found["a"].spec == found["b"].spec


@pytest.mark.parametrize("typo", [("base: small", "base: smal"), ("recipe: plain", "recipe: plan")])
def test_a_typo_in_base_or_recipe_is_one_problem(root, typo):
    head = HEAD.replace(*typo) + "judge: lab\n"
    (root / "config" / "judges").mkdir()
    write(root, "judges/lab.yaml", "kind: lab\nmodel: lab/judge\n")
    text = (
        "variants: {a: {}, b: {rank: 4}}\n"
        "hypotheses: {h: {claim: c, variant: a, against: b, prompt_set: solo}}\n"
    )
    (found,) = problems(root, text, head)
    assert "no file config/" in found


def test_photos_may_lie_below_home_and_other_paths_stay_as_written(root, monkeypatch):
    monkeypatch.setenv("HOME", str(root))
    for written, told in (("~/photos", f"{root}/photos"), ("./photos/", "./photos/")):
        head = HEAD.replace("source: photos", f"source: {written}")
        assert plan(root, "variants: {a: {}}\n", head).datasets["ours"].source == told


def test_a_recipe_s_own_mistake_is_named_in_its_file(root):
    write(root, "recipes/plain.yaml", 'rank: 16\ntargets: "attn[("\n')
    (found,) = problems(root, "variants: {a: {}, b: {rank: 4}}\n")
    assert "recipes/plain.yaml:2: targets: 'attn[(' is not a valid regular expression" in found


@pytest.mark.parametrize(
    "line",
    ["lr: .inf", "lr: .nan", "alpha: .inf", "weight_decay: .inf", "logit_mean: .nan",
     "head_weight: .inf"],
)  # fmt: skip
def test_no_number_of_a_configuration_is_infinite(root, line):
    listed = problems(root, f"variants: {{a: {{{line}}}}}\n")
    key = line.split(":")[0]
    assert any(f"variants.a.{key}" in one and "finite number" in one for one in listed), listed


def paired(root: Path, other: str) -> str:
    """An experiment whose hypothesis pairs variant a with b by run."""
    write(root, "bases/other.yaml", (root / "config/bases/small.yaml").read_text())
    (root / "config" / "judges").mkdir()
    write(root, "judges/lab.yaml", "kind: lab\nmodel: lab/judge\n")
    hypothesis = "{claim: c, variant: a, against: b, prompt_set: solo, paired: true}"
    return f"runs: 3\nvariants: {{a: {{}}, b: {other}}}\nhypotheses: {{h: {hypothesis}}}\n"


def test_runs_are_paired_where_adapters_are_shared(root):
    text = paired(root, "{adapters: {a: 1}, base: other}")
    assert plan(root, text, HEAD + "judge: lab\n").experiments["one"].hypotheses["h"].paired


def test_runs_of_adapters_of_their_own_are_not_paired(root):
    (found,) = problems(root, paired(root, "{rank: 4}"), HEAD + "judge: lab\n")
    assert "hypotheses.h.paired" in found and "with different adapters" in found
    assert "Remove `paired`" in found


def test_a_hypothesis_that_pairs_nothing_is_declared_as_before():
    given = {"claim": "c", "variant": "a", "against": "b", "prompt_set": "solo"}
    specs = {"a": "1", "b": "2"}
    assert "paired" not in Hypothesis(**given).resolved(specs, {"j": "text"})
    assert Hypothesis(**given, paired=True).resolved(specs, {})["paired"] is True
