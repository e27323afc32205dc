"""Which step is best: pictures of every kept step, their scores, and the step that is taken.

needs: adapters that trainings kept on the way, and the prompts of the experiment's `selection`
gives: run-<k>/steps/<n>/images/selection.json and scores/selection.csv of every kept step;
       run-<k>/chosen/lora.safetensors of variants that take another step than the last;
       results/<experiment>/series.json, how the steps compare
"""


rule render_step:
    """Draw the selection's pictures with the adapter of one step."""
    input:
        adapter=adapter_of_step,
        prompts=lambda w: paths.prompts_of(PLAN, w.experiment, w.variant, SELECTION),
    output:
        "results/{experiment}/{variant}/run-{run}/steps/{step}/images/selection.json",
    log:
        "logs/{experiment}/steps/render.{variant}.run-{run}.{step}.log",
    benchmark:
        "benchmarks/{experiment}/steps/render.{variant}.run-{run}.{step}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: PLAN.render_spec(w.experiment, w.variant, SELECTION).canonical(),
        version=step_version("render"),
        base=lambda w: base_identity(
            PLAN.experiments[w.experiment].drawing_base(w.variant, SELECTION)
        ),
    message:
        "{wildcards.experiment}: step {wildcards.step} of {wildcards.variant}, run {wildcards.run}, drawn"
    shell:
        "python scripts/render.py --spec {params.spec:q} --prompts {input.prompts:q}"
        " --adapter {input.adapter:q} --store resources/store/images --out {output:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule score_step:
    """Find the people in one step's pictures, as in all others."""
    input:
        pictures="results/{experiment}/{variant}/run-{run}/steps/{step}/images/selection.json",
        facts=facts_known,
        vectors=vectors_known,
        training=lambda w: scoring_specs.vectors_trained_on(
            PLAN.experiments[w.experiment], w.variant
        ),
    output:
        table="results/{experiment}/{variant}/run-{run}/steps/{step}/scores/selection.csv",
        made_by="results/{experiment}/{variant}/run-{run}/steps/{step}/scores/selection.json",
    log:
        "logs/{experiment}/steps/score.{variant}.run-{run}.{step}.log",
    benchmark:
        "benchmarks/{experiment}/steps/score.{variant}.run-{run}.{step}.tsv"
    conda:
        "../envs/environment.yaml"
    threads: THREADS
    resources:
        gpu=GPUS_EACH,
        device=DEVICE,
    params:
        spec=lambda w: scoring_specs.score_spec(
            PLAN.experiments[w.experiment], w.variant, SELECTION
        ).canonical(),
        version=step_version("score"),
        judge=lambda w: judge_version(w.experiment),
    message:
        "{wildcards.experiment}: step {wildcards.step} of {wildcards.variant}, run {wildcards.run}, scored"
    shell:
        "python scripts/score.py --spec {params.spec:q} --manifest {input.pictures:q}"
        " --references {input.facts:q} --vectors {input.vectors:q}"
        " --training {input.training:q}"
        " --variant {wildcards.variant:q} --run {wildcards.run} --out {output.table:q}"
        " --device {resources.device} --threads {threads} 2>&1 | tee -i {log:q}"


rule choose_step:
    """Copy the adapter of the step that a run is to be judged by."""
    input:
        scores=lambda w: paths.read_to_choose(w.experiment, variant_of(w), w.run),
        adapters=lambda w: paths.step_adapters(w.experiment, variant_of(w), w.run),
    output:
        adapter="results/{experiment}/{variant}/run-{run}/chosen/lora.safetensors",
        why="results/{experiment}/{variant}/run-{run}/chosen/chosen.json",
    log:
        "logs/{experiment}/steps/choose.{variant}.run-{run}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: scoring_specs.choice_spec(
            PLAN.experiments[w.experiment], variant_of(w), int(w.run)
        ).canonical(),
        version=step_version("compare_steps"),
    message:
        "{wildcards.experiment}: choosing a step of {wildcards.variant}, run {wildcards.run}"
    shell:
        "python scripts/choose_step.py --spec {params.spec:q} --results results/{wildcards.experiment}"
        " --adapters {input.adapters:q} --out {output.adapter:q} 2>&1 | tee -i {log:q}"


rule compare_steps:
    """How all steps compare, and which one to take."""
    input:
        lambda w: paths.steps_compared(PLAN.experiments[w.experiment]),
    output:
        "results/{experiment}/series.json",
    log:
        "logs/{experiment}/steps/compare.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: scoring_specs.series_spec(
            PLAN.experiments[w.experiment]
        ).canonical(),
        version=step_version("compare_steps"),
    message:
        "{wildcards.experiment}: how the steps of trainings compare"
    shell:
        "python scripts/compare_steps.py --spec {params.spec:q}"
        " --results results/{wildcards.experiment} --out {output:q} 2>&1 | tee -i {log:q}"
