"""The models of the lab from nothing: `snakemake lab_models`, on one GPU.

needs: config/lab/full.yaml, or the file that config.yaml's `lab: settings:` names
gives: lab/base, lab/judge, lab/captioner; losses and gates in resources/lab/work
No experiment depends on these rules: what they make ships with the repository. Every stage keeps
its checkpoint and goes on from it when it was interrupted.
"""

from kindred.lab.miniatures import miniature
from kindred.lab.settings import LabSettings

LAB, LAB_WORK = PLAN.lab.out, PLAN.lab.work
LAB_SETTINGS = or_stop(LabSettings.load, PLAN.lab.settings)
LAB_BASE = miniature(LAB_SETTINGS.architecture)
LAB_PARTS = {
    "first": (1, LAB_SETTINGS.corpus.first),
    "rest": (2, LAB_SETTINGS.corpus.rest),
}


rule lab_models:
    """All models of the lab."""
    input:
        f"{LAB}/base/model_index.json",
        [f"{LAB}/judge/model.safetensors"] if LAB_SETTINGS.judge else [],
        [f"{LAB}/captioner/model.safetensors"] if LAB_SETTINGS.captioner else [],
    message:
        f"lab: finished; see {LAB}. Now `make lab-gates` measures it."


rule lab_draw:
    """Drawings with captions. Finished shards are kept."""
    output:
        touch(f"{LAB_WORK}/drawings-{{part}}.done"),
    log:
        "logs/lab/draw-{part}.log",
    benchmark:
        "benchmarks/lab/draw-{part}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: CORES
    params:
        seed=lambda w: LAB_PARTS[w.part][0],
        pictures=lambda w: LAB_PARTS[w.part][1],
        out=lambda w: f"{LAB_WORK}/drawings-{w.part}",
        people=(
            f"--people {LAB_SETTINGS.corpus.people}"
            if LAB_SETTINGS.corpus.people
            else ""
        ),
        version=step_version("lab_draw"),
    shell:
        "python scripts/lab_draw_shards.py --seed {params.seed} --count {params.pictures} {params.people}"
        " --workers {threads} --out {params.out:q} 2>&1 | tee -i {log:q}"


if LAB_SETTINGS.judge:

    rule lab_identities:
        """People drawn several times each with other looks: what the judge learns faces from."""
        output:
            touch(f"{LAB_WORK}/identities.done"),
        log:
            "logs/lab/identities.log",
        benchmark:
            "benchmarks/lab/identities.tsv"
        conda:
            "../envs/environment.yaml"
        threads: CORES
        params:
            options=options_of(LAB_SETTINGS.corpus, "identities", "views", "shard"),
            out=lambda w: f"{LAB_WORK}/identities",
            version=step_version("lab_identities"),
        shell:
            "python scripts/lab_identity_corpus.py {params.options} --workers {threads}"
            " --out {params.out:q} 2>&1 | tee -i {log:q}"


rule lab_text:
    """Tokenizers from the words of the drawings."""
    input:
        f"{LAB_WORK}/drawings-first.done",
    output:
        expand(f"{LAB}/base/{{file}}", file=LAB_BASE.text_files),
    log:
        "logs/lab/text.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=LAB_SETTINGS.text.canonical(),
        version=step_version("lab_text"),
    shell:
        f"python scripts/lab_tokenizers.py --settings {PLAN.lab.settings} --out {LAB}/base"
        f" --corpus {LAB_WORK}/drawings-first 2>&1 | tee -i {{log:q}}"


rule lab_vae:
    """The autoencoder."""
    input:
        f"{LAB_WORK}/drawings-first.done",
    output:
        expand(f"{LAB}/base/{{file}}", file=LAB_BASE.vae_files),
    log:
        "logs/lab/vae.log",
    benchmark:
        "benchmarks/lab/vae.tsv"
    conda:
        "../envs/environment.yaml"
    resources:
        gpu=GPUS_EACH,
    params:
        spec=LAB_SETTINGS.vae.canonical(),
        version=step_version("lab_vae"),
    shell:
        f"python scripts/lab_train_vae.py --settings {PLAN.lab.settings} --out {LAB}/base/vae"
        f" --corpus {LAB_WORK}/drawings-first --work {LAB_WORK}/work"
        f" --device {DEVICE} 2>&1 | tee -i {{log:q}}"


rule lab_latents:
    """All drawings through the autoencoder, with their captions as token ids."""
    input:
        f"{LAB_WORK}/drawings-{{part}}.done",
        rules.lab_text.output,
        rules.lab_vae.output,
    output:
        temp(f"{LAB_WORK}/latents-{{part}}.safetensors"),
    log:
        "logs/lab/latents-{part}.log",
    benchmark:
        "benchmarks/lab/latents-{part}.tsv"
    conda:
        "../envs/environment.yaml"
    resources:
        gpu=GPUS_EACH,
    params:
        version=step_version("lab_latents"),
    shell:
        f"python scripts/lab_encode.py --settings {PLAN.lab.settings} --base {LAB}/base"
        f" --corpus {LAB_WORK}/drawings-{{wildcards.part}} --out {{output:q}}"
        f" --device {DEVICE} 2>&1 | tee -i {{log:q}}"


rule lab_base:
    """Transformer and text encoders by flow matching; of FLUX.1 then guidance distillation."""
    input:
        expand(f"{LAB_WORK}/latents-{{part}}.safetensors", part=LAB_PARTS),
    output:
        expand(f"{LAB}/base/{{file}}", file=LAB_BASE.base_files),
    log:
        "logs/lab/base.log",
    benchmark:
        "benchmarks/lab/base.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    resources:
        gpu=GPUS_EACH,
    params:
        flow=LAB_SETTINGS.flow.canonical(),
        distill=LAB_SETTINGS.distill.canonical() if LAB_SETTINGS.distill else "",
        version=step_version("lab_base"),
    shell:
        f"python scripts/lab_train_base.py --settings {PLAN.lab.settings} --latents {{input:q}}"
        f" --base {LAB}/base --work {LAB_WORK}/work --device {DEVICE} 2>&1 | tee -i {{log:q}}"


if LAB_SETTINGS.judge:

    rule lab_judge:
        """Who is in a drawing: finder, face embedder, attribute reader; its gates are printed."""
        input:
            f"{LAB_WORK}/identities.done",
            f"{LAB_WORK}/drawings-first.done",
            rules.lab_vae.output,
        output:
            multiext(f"{LAB}/judge/", "config.json", "model.safetensors", "gates.json"),
        log:
            "logs/lab/judge.log",
        benchmark:
            "benchmarks/lab/judge.tsv"
        conda:
            "../envs/environment.yaml"
        resources:
            gpu=GPUS_EACH,
        params:
            options=options_of(
                LAB_SETTINGS.judge, "steps", "batch", "general", "vae_share", "gates"
            ),
            version=step_version("lab_judge"),
        shell:
            f"python scripts/lab_train_judge.py {{params.options}} --identities {LAB_WORK}/identities"
            f" --corpus {LAB_WORK}/drawings-first --vae {LAB}/base/vae --out {LAB}/judge"
            f" --work {LAB_WORK}/work --device {DEVICE} 2>&1 | tee -i {{log:q}}"


if LAB_SETTINGS.captioner:

    rule lab_captioner:
        """A small BLIP that describes drawings."""
        input:
            f"{LAB_WORK}/drawings-first.done",
        output:
            multiext(
                f"{LAB}/captioner/",
                "config.json",
                "model.safetensors",
                "tokenizer.json",
            ),
            gates=f"{LAB_WORK}/work/captioner-gates.json",
        log:
            "logs/lab/captioner.log",
        benchmark:
            "benchmarks/lab/captioner.tsv"
        conda:
            "../envs/environment.yaml"
        resources:
            gpu=GPUS_EACH,
        params:
            options=options_of(
                LAB_SETTINGS.captioner, "steps", "batch", "images", "width", "gates"
            ),
            version=step_version("lab_captioner"),
        shell:
            f"python scripts/lab_train_captioner.py {{params.options}} --corpus {LAB_WORK}/drawings-first"
            f" --out {LAB}/captioner --work {LAB_WORK}/work"
            f" --device {DEVICE} 2>&1 | tee -i {{log:q}}"
