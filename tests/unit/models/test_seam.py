"""All that is known of one base model lies behind the seam, in models/architectures."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kindred.common.errors import KindredError
from kindred.models import architectures
from kindred.models.identity import architecture_of
from kindred.specs.base_model import Base
from kindred.specs.dataset import EDGE_MULTIPLE
from kindred.specs.rendering import EDGE_MULTIPLE as DRAWN_MULTIPLE

ROOT = Path(__file__).parents[3]
WORDS = re.compile(
    r"flux|klein|krea|z.?image|qwen|pooled|\bclip\b|\bt5\b|transformer_blocks|\b(?:txt|img)_ids|guidance_embed"
    r"|text_encoder_2|tokenizer_2|pos_embed|time_text_embed|context_embedder",
    re.IGNORECASE,
)
# The lab's base is a small one of an architecture, and a benchmark has one to measure.
OUTSIDE = (
    "scripts/kindred/models/architectures/",
    "scripts/kindred/lab/",
    "scripts/kindred/benchmarking/",
    "scripts/lab_",
    "rules/lab.smk",
)
# file -> the words that it may say, and why
ALLOWED = {
    "scripts/kindred/judges/image_similarity.py": ({"pooled"}, "a vision model's vector"),
    "scripts/kindred/judges/lab_networks.py": ({"pooled"}, "a network's own means"),
    "scripts/kindred/judges/pretrained_vision.py": ({"pooled"}, "a vision model's vector"),
    "scripts/kindred/judges/prompt_adherence.py": ({"clip", "pooled"}, "a judge of that class"),
    "scripts/kindred/specs/judge.py": ({"clip"}, "a judge of that class"),
    "scripts/kindred/specs/training.py": ({"clip"}, "the largest gradient norm, as it was called"),
    "scripts/kindred/training/batched/trainer.py": ({"clip"}, "the verb: gradients"),
    "scripts/kindred/data/instructed_captioner.py": ({"qwen"}, "captioners of that name"),
    "scripts/kindred/data/person_segmentation.py": ({"clip"}, "numpy's function"),
    "scripts/kindred/rendering/picture_prompts.py": (
        {"clip"},
        "an input of another program's nodes",
    ),
    "scripts/kindred/scoring/image_distance.py": ({"clip"}, "numpy's function"),
    "scripts/kindred/report/repository_pages.py": ({"flux"}, "the product that results are of"),
    "scripts/kindred/workflow/store_migration.py": (
        {"flux", "t5", "clip"},
        "keys as they were when there was one architecture",
    ),
}


def test_no_module_outside_says_a_word_of_one_base_model():
    found = {}
    for path in (*ROOT.glob("scripts/**/*.py"), *ROOT.glob("rules/*.smk"), ROOT / "Snakefile"):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(OUTSIDE):
            said = {word.lower() for word in WORDS.findall(path.read_text(encoding="utf-8"))}
            if said:
                found[name] = said
    assert found == {name: words for name, (words, _) in ALLOWED.items()}


def test_facts_are_told_without_torch():
    code = (
        "import sys; sys.path.insert(0, 'scripts'); from kindred.models import architectures; "
        "[one.text.tokenizers for one in architectures.every()]; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_an_architecture_is_found_by_its_pipeline_or_its_name(tmp_path):
    (tmp_path / "model_index.json").write_text('{"_class_name": "Flux2KleinPipeline"}')
    assert architecture_of(Base(model=str(tmp_path))).name == "klein"
    assert architecture_of(Base(model="owner/name", architecture="flux1")).name == "flux1"
    every = architectures.every()
    assert [architectures.KNOWN[one] for a in every for one in a.pipelines] == list(
        architectures.KNOWN.values()
    )


def test_what_tells_no_architecture_says_what_to_write(tmp_path):
    known = ", ".join(one.name for one in architectures.every())
    assert "flux1, klein" in known
    with pytest.raises(KindredError, match=rf"add `architecture:` .* \(known: {known}\)"):
        architecture_of(Base(model="owner/name"))
    with pytest.raises(KindredError, match=f"'flux9' is not known. Write one of {known}"):
        architecture_of(Base(model="owner/name", architecture="flux9"))
    with pytest.raises(KindredError, match=r"no such folder. Correct `model:`"):
        architecture_of(Base(model="./nowhere"))
    with pytest.raises(KindredError, match=r"has no model_index\.json"):
        architecture_of(Base(model=str(tmp_path)))
    (tmp_path / "model_index.json").write_text('{"_class_name": "OtherPipeline"}')
    with pytest.raises(KindredError, match=r"a OtherPipeline. .* FluxPipeline"):
        architecture_of(Base(model=str(tmp_path)))


def test_sizes_that_are_accepted_suit_every_architecture():
    for one in architectures.every():
        assert EDGE_MULTIPLE % one.size_multiple == DRAWN_MULTIPLE % one.size_multiple == 0


def test_an_architecture_that_nobody_names_is_in_no_string():
    assert Base(model="m").canonical() == '{"model":"m"}'
    named = Base(model="m", architecture="klein")
    assert named.text_encoder().architecture == named.image_encoder().architecture == "klein"
