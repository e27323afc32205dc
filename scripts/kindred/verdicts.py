"""Verdicts on declared hypotheses, in numbers and in plain words.

verdicts.json:
{
 "version": 1, "experiment": "family", "level": 0.95, "draws": 4000,
 "declared": {                       null when no declaration was kept
   "time": "2026-01-31T12:00:00Z",   of the declaration in force when training started
   "hash": "...", "now": "...",      of the hypotheses then and now
   "changes": ["names-matter: margin was 0.1, is 0.05", "pairs: added"]     [] when equal
 },
 "judge": {"identity": "...", "counts": "people", "trusted": true, "why": ["count: ..."]},
                                     trusted: true, false (below a gate) or null (never tested)
 "hypotheses": {
   "names-matter": {
     "claim": "...", "variant": "all", "against": "scrambled", "measure": "success",
     "prompt_set": "trio", "margin": 0.1, "primary": true,
     "verdict": "supported",         supported | refuted | undecided | pilot | unmeasured
     "leaning": "supported",         what the numbers alone say; differs for a pilot
     "sentence": "...",              the verdict in plain words with its numbers
     "estimate": {"variant": {"mean", "runs": 10}, "against": {...}},
     "difference": 0.31, "low": 0.18, "high": 0.44,      at 95 %
     "p": 0.0005, "p_adjusted": 0.001,                    Holm over the primaries, one-sided
     "adjusted": {"level": 0.975, "low": 0.16, "high": 0.46},   decides when primary
     "odds_ratio": {"value", "low", "high"} or null       null for measures that are no share
     "no_difference": false,         the interval lies within the margin on both sides
     "opposite": false,              the interval lies below minus the margin
     "parts": {"variant": {...}, "against": {...}},   as in summary.json, of this prompt set
     "pairs": 192, "prompts": 24, "seeds": 8, "dropped": 0,
     "resampled": "prompts",         prompts | pictures (fewer than 5 prompts)
     "more_runs": 3 or null,         runs an arm that would probably decide it
     "advice": "...",                the same in words; '' when decided
     "warnings": ["..."]
   }
 }
}

summary.json (aggregates.py writes it; every statistic is {"mean", "low", "high", "runs", "images"},
low and high null where they can't be known):
{
 "version": 1, "experiment", "title", "question",
 "characters": {"J": {"name": "JRussell", "class": "man"}},
 "judge": {"identity", "hash", "counts", "trusted", "why", "recognised", "stranger", "source",
           "distance": "cosine of ..." | "small copies"},
 "references": {"J": {"photos": ["dataset/J-01"], "same": 0.86, "warning": ""}},
 "prompt_sets": {"trio": {"prompts": {"card": {"text": "...", "asked": "A+C+J"}},
                          "seeds": [1, 2], "sizes": ["3"]}},
 "baseline": "all",                  the first trained variant
 "variants": {
   "all": {
     "kind": "trained" | "loaded" | "base", "dataset": "russell" | null, "base": "lab",
     "control": "" | "scrambled" | "null of <variant>" | "base", "runs": [1, 2], "images": 96,
     "training": {"seconds": 81.2, "peak_memory_mib": 700, "steps": 600} or null,   run means
     "measures": {                   measure -> scope -> statistic
       "success": {"all": {...}, "set:trio": {...}, "cell:A+J": {...}, "asked:2": {...}},
       "count", "identity", "adherence", "missing", "duplicated", "strangers", "diversity",
       "drift", "pull", "nearest_distance", "rating"
     },                              pull: in prompts without names, share showing a character
     "identity": {"J": {"1": {...}, "2": {...}, "3": {...}}},   by how many were asked for
     "parts": {"trio": {"success": 0.4, "count": 0.7, "alone": {"J": 0.9, "A": 0.8, "C": 0.9},
                        "product": 0.45, "interaction": -0.05}},  null where not asked
     "bleed": {"asked": ["A", "C", "J"], "found": ["A", "C", "J", "stranger", "missing"],
               "shares": [[0.9, 0.0, 0.0, 0.1, 0.0], ...], "appearances": [120, 96, 96]}
   }
 },
 "comparisons": [{"variant", "against", "measure", "prompt_set", "difference", "low", "high"}],
                                     every trained variant with the baseline; not hypotheses
 "controls": [{"kind": "scrambled" | "null" | "base", "variant", "against", "prompt_set",
               "difference", "low", "high", "passes": true | false | null, "sentence"}],
 "ratings": null or {"images": 40, "ratings": 80, "raters": ["..."], "alpha": 0.71,
             "judge": {"auc": 0.9, "spearman": 0.6, "images": 40}, "sentence": "..."},
 "warnings": ["no photo shows A alone: ..."]
}
"""

from __future__ import annotations
