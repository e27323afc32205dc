"""Published rows name the base that drew."""

from kindred.report.published_tables import of_verdicts

VERDICT = {
    "claim": "It is as good on the fast one.",
    "variant": "fast",
    "against": "slow",
    "measure": "success",
    "margin": 0.1,
    "label": "undecided",
    "difference": 0.0,
    "low": -0.2,
    "high": 0.2,
    "primary": False,
}


def test_a_row_names_the_bases_that_drew_its_prompt_set():
    variants = {
        "fast": {"base": "small", "runs": [1, 2], "drawn_on": {"p": "turbo"}},
        "slow": {"base": "small", "runs": [1, 2]},
    }
    hypotheses = {name: VERDICT | {"prompt_set": name} for name in ("p", "q")}
    lines = of_verdicts({"hypotheses": hypotheses, "level": 0.95, "rules": "1"}, variants)
    assert {line["hypothesis"]: line["base"] for line in lines} == {
        "p": "small+turbo",
        "q": "small",
    }
