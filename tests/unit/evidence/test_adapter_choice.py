"""Which adapter to take: the best one, whether that is decided, and what would decide it."""

from __future__ import annotations

from kindred.evidence.adapter_choice import choose

VARIANTS = {
    "weak": {"kind": "trained", "control": "", "runs": [1, 2, 3]},
    "good": {"kind": "trained", "control": "", "runs": [1, 2, 3]},
    "wrong": {"kind": "trained", "control": "scrambled", "runs": [1]},
    "BASE": {"kind": "base", "control": "base", "runs": [1]},
}
ALWAYS, NEVER = (1,) * 10, (0,) * 10
MOSTLY, SELDOM = (1, 1, 1, 0, 1, 1, 1, 1, 0, 1), (0, 0, 1, 0, 0, 1, 0, 0, 0, 0)


def rows(variant, runs, cast="", identity="0.5"):
    """An image row for each run and prompt; runs: whether each prompt's picture is right."""
    column = "cast_right" if cast else "success"
    for run, pictures in enumerate(runs, 1):
        for n, right in enumerate(pictures):
            row = {"kind": "image", "variant": variant, "run": str(run), "prompt_set": "trio"}
            row |= {"prompt": f"p{n}", "seed": str(n), "asked": "A+J", "cast": cast}
            yield row | {"success": "", "cast_right": "", "identity": identity, column: str(right)}


def chosen(variants=VARIANTS, **runs):
    return choose(
        {name: variants[name] for name in runs}, [r for v, x in runs.items() for r in rows(v, x)]
    )


def test_the_one_that_is_right_most_often_is_taken_where_it_is_ahead_for_sure():
    found = chosen(weak=[SELDOM, NEVER, SELDOM], good=[MOSTLY, ALWAYS, MOSTLY], BASE=[NEVER])
    assert (found.leader.variant, found.measure) == ("good", "success")
    assert found.decided and not found.open and not found.useless and found.runs_needed is None
    assert found.run == 2 and not found.run_tied  # the run that is right most often
    same = chosen(weak=[NEVER, NEVER, NEVER], good=[MOSTLY, ALWAYS, ALWAYS], BASE=[NEVER])
    assert same.run == 2 and same.run_tied
    assert found.contenders[1].lead[0] > 0.6 and found.over_base[1] > 0


def test_single_trainings_decide_nothing_however_far_apart():
    once = {name: one | {"runs": [1]} for name, one in VARIANTS.items()}
    found = chosen(once, weak=[NEVER], good=[ALWAYS])
    assert found.leader.variant == "good" and not found.open
    assert found.few_runs and not found.decided and found.runs_needed == 3


def test_a_small_lead_is_open_and_says_how_many_trainings_would_tell():
    other = (1, 1, 0, 0, 1, 1, 0, 1, 0, 1)
    found = chosen(weak=[other, MOSTLY, other], good=[MOSTLY, ALWAYS, MOSTLY])
    assert [one.variant for one in found.open] == ["weak"] and not found.decided
    assert found.runs_needed is None or found.runs_needed > 3


def test_what_is_no_better_than_the_base_is_useless():
    found = chosen(good=[SELDOM, SELDOM, SELDOM], BASE=[SELDOM])
    assert found.useless and found.leader.variant == "good"


def test_controls_are_never_taken_and_without_adapters_there_is_no_choice():
    assert chosen(wrong=[ALWAYS], weak=[NEVER] * 3).leader.variant == "weak"
    assert chosen(wrong=[ALWAYS], BASE=[ALWAYS]) is None
    assert choose({}, []) is None


def test_faces_drawn_again_are_no_lora_of_their_own():
    fine = {"kind": "loaded", "control": "", "runs": [1, 2, 3], "detail_of": "good"}
    known = VARIANTS | {"fine": fine}
    found = chosen(known, good=[MOSTLY, MOSTLY, MOSTLY], fine=[ALWAYS, ALWAYS, ALWAYS])
    assert [one.variant for one in found.contenders] == ["good"]


def test_casts_decide_where_something_asks_for_them():
    told = [*rows("weak", [ALWAYS] * 3), *rows("good", [MOSTLY] * 3, "A+J")]
    told += rows("weak", [SELDOM] * 3, "A+J")
    found = choose({name: VARIANTS[name] for name in ("weak", "good")}, told)
    assert found.measure == "cast" and found.leader.variant == "good"


def of_steps(**steps):
    """VARIANTS of which some were trained for so many steps."""
    return {
        name: one | ({"training": {"steps": steps[name]}} if name in steps else {})
        for name, one in VARIANTS.items()
    }


def equal_ones(order=(), identity=None, **steps):
    """The choice between two that are right equally often."""
    alike = {"identity": identity} if identity else {}
    told = [*rows("weak", [MOSTLY] * 3, **alike), *rows("good", [MOSTLY] * 3)]
    known = of_steps(**steps)
    return choose({name: known[name] for name in ("weak", "good")}, told, order)


def test_of_equal_ones_the_more_alike_is_taken():
    found = equal_ones(("good", "weak"), "0.8", weak=160.0, good=40.0)
    assert [one.variant for one in found.tied] == ["weak", "good"] and not found.decided
    assert found.leader.likeness == 0.8


def test_of_equal_ones_that_of_fewer_steps_is_taken():
    found = equal_ones(("weak", "good"), weak=160.0, good=40.0)
    assert [one.variant for one in found.tied] == ["good", "weak"] and not found.decided
    assert [one.variant for one in found.open] == ["weak"]


def test_of_equal_ones_without_or_of_equal_steps_the_first_of_the_experiment_is_taken():
    assert equal_ones(("weak", "good")).leader.variant == "weak"
    assert equal_ones(("weak", "good"), good=40.0).leader.variant == "weak"
    assert equal_ones(("weak", "good"), good=40.0, weak=40.0).leader.variant == "weak"
    assert equal_ones().leader.variant == "good"  # no order is known: by name


def test_what_is_printed_the_same_is_equal():
    weak, good = ([1] * 1002 + [0] * 998, [1] * 1000 + [0] * 1000)  # 50.1 and 50.0 %
    found = chosen(of_steps(weak=160.0, good=40.0), weak=[weak], good=[good])
    assert found.leader.variant == "good" and len(found.tied) == 2 and found.open
    ahead = [1] * 1020 + [0] * 980
    found = chosen(of_steps(weak=160.0, good=40.0), weak=[ahead], good=[good])
    assert found.leader.variant == "weak" and len(found.tied) == 1
