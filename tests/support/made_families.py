"""Four made-up families of one study: figures and claims, as compare_families reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from family_summaries import cast_figures, stat

import compare_families
import families_report
import family_power
from kindred.common.files import read_json, write_json

FAMILIES = ("study-granger", "study-hadley", "study-marsh", "study-wheeler")
# Arm -> cast accuracy of the four families.
ARMS = {
    "composed": (0.91, 0.93, 0.9, 0.94),
    "photos": (0.4, 0.45, 0.38, 0.47),
    "dealt": (0.2, 0.21, 0.15, 0.19),
    "null": (0.92, 0.92, 0.91, 0.92),
    "BASE": (0.2, 0.2, 0.2, 0.2),
}
ON_CASTS = {"measure": "cast", "prompt_set": "casts", "margin": 0.15}
SPEC: dict[str, Any] = {
    "title": "Who is who?",
    "question": "Is it the names?",
    "families": list(FAMILIES),
    "sequence": ["photos", "names"],
    "hypotheses": {
        "photos": {"claim": "More.", "variant": "composed", "against": "photos", **ON_CASTS},
        "names": {"claim": "By names.", "variant": "composed", "against": "dealt", **ON_CASTS},
        "same": {"claim": "Otherwise.", "variant": "null", "against": "composed", **ON_CASTS},
    },
    "gates": {
        "again": {"says": "Trained again it reads the same", "figure": "casts", "variant": "null",
                  "against": "composed", "prompt_set": "casts", "within": 0.1},
    },
    "copies": {"variant": "composed", "above": 0.05},
    "reach": {
        "all": {"says": "All casts", "figure": "casts", "variant": "composed",
                "prompt_set": "casts", "at_least": 0.9},
        "none": {"says": "No kind of cast below", "figure": "casts", "variant": "composed",
                 "prompt_set": "casts", "at_least": 0.75, "every": True},
        "likeness": {"says": "As alike as alone, times", "figure": "likeness",
                     "variant": "composed", "prompt_set": "casts", "at_least": 0.9, "every": True},
        "order": {"says": "Order", "figure": "order", "variant": "composed",
                  "prompt_set": "casts", "at_least": 0.8},
    },
}  # fmt: skip
DESIGN = {"runs": (2, 2), "casts": [8] * 12, "pictures": 2, "strata": True, "macro": True}


def summary(number: int) -> dict[str, Any]:
    """summary.json of one family."""
    casts = {"A": 0.02, "J": 0.0, "A+J": -0.2, "pair+1": 0.02}
    variants = {}
    for name, means in ARMS.items():
        mean = means[number]
        parts = {cast: max(0.0, min(1.0, mean + more)) for cast, more in casts.items()}
        looks = {"A": (0.8, 0.78), "J": (0.75, 0.6)} if name != "BASE" else {}
        variants[name] = {
            "kind": "base" if name == "BASE" else "trained",
            "runs": [1] if name == "BASE" else [5001, 5002],
            "measures": {"cast": {"set:casts": stat(mean)}},
            "casts": {"casts": cast_figures(mean, parts, looks)},
        }
    order = [{"name": name, "heads": 1, "strangers": int("1" in name)} for name in casts]
    drawers = {"canvas": {"all": 0.08, "family": 0.14}, "number": {"all": 0.25}}
    return {
        "version": 2,
        "variants": variants,
        "controls": [],
        "casts": {"casts": {"casts": order, "drawers": drawers}},
        "copies": {"composed": {"copied": stat(0.02), "held_out": {"copied": 0.01}}},
        "ceiling": {"mean": 0.99, "casts": {"A": {"144x128": 1.0}, "A+J": {"144x128": 0.98}}},
    }


def compared(root: Path, spec: dict[str, Any] = SPEC) -> dict[str, Any]:
    """verdicts.json of the families, their results below `root`."""
    for number, name in enumerate(FAMILIES):
        write_json(root / name / "summary.json", summary(number))
    out = root / "families/study/verdicts.json"
    options = ["--results", str(root), "--declared", str(root / "study.jsonl")]
    compare_families.main(["--spec", json.dumps(spec), *options, "--verdicts", str(out)])
    return read_json(out)


def reported(root: Path, spec: dict[str, Any] = SPEC) -> tuple[str, str]:
    """The page and its words, of families that were compared."""
    compared(root, spec)
    folder = root / "families/study"
    designs = {name: dict.fromkeys(FAMILIES, DESIGN) for name in spec["hypotheses"]}
    told = {"name": "study", "hypotheses": spec["hypotheses"], "sequence": spec["sequence"]}
    power = json.dumps({**told, "designs": designs})
    family_power.main(["--spec", power, "--out", str(folder / "power.json")])
    page, words = folder / "report.html", folder / "report.md"
    options = ["--folder", str(folder), "--page", str(page), "--markdown", str(words)]
    families_report.main([*options])
    return page.read_text(encoding="utf-8"), words.read_text(encoding="utf-8")
