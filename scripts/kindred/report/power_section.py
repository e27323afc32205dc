"""What the design of an experiment could find, as the report shows it.

Knows power.json and its words; how it looks is the templates' part.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kindred.evidence import power_words
from kindred.report.trainings_needed import for_margin


def power_section(power: Mapping[str, Any]) -> dict[str, Any]:
    """The table's headings and rows, what they rest on, and a line of each hypothesis that the
    design could not decide."""
    hypotheses = power["hypotheses"]
    return {
        "often": round(100 * power["power"]),
        "headings": power_words.HEADINGS,
        "rows": [power_words.row(name, one) for name, one in hypotheses.items()],
        "notes": power_words.notes(power),
        "short": {name: for_margin(one) for name, one in hypotheses.items() if one["warning"]},
        "sentences": {name: one["sentence"] for name, one in hypotheses.items()},
    }
