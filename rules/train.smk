"""One LoRA for every variant and training run.

needs: encoded photos and captions
gives: results/<experiment>/<variant>/spec.json and run-<k>/lora.safetensors, lora.json, training.csv
"""


rule resolve:
    """Write down what a variant means in full. It depends on the variant alone, so that neither
    another variant nor new code makes it stale."""
    output:
        "results/{experiment}/{variant}/spec.json",
    log:
        "logs/{experiment}/resolve/{variant}.log",
    conda:
        "../envs/environment.yaml"
    params:
        spec=lambda w: variant_of(w).spec,
    shell:
        "python scripts/resolve.py --spec {params.spec:q} --out {output:q} 2>&1 | tee -i {log:q}"
