"""Class images: pictures of 'a man' by the base itself, as a dataset to train on besides.

needs: the base's pictures of a prompt set
gives: resources/<dataset>/photos/*.png, captions.csv
"""

# One rule a dataset, for the same reasons as in draw.smk.
for prior, pictures in PRIORS.items():

    rule:
        name:
            f"prior_{prior}"
        input:
            f"results/{pictures.experiment}/BASE/run-1/images/{pictures.prompt_set}.json",
        output:
            photos=source_files(prior)[0],
            captions=source_files(prior)[1],
        log:
            f"logs/prior/{prior}.log",
        benchmark:
            f"benchmarks/prior/{prior}.tsv"
        conda:
            "../envs/environment.yaml"
        params:
            code=code("prior"),
        message:
            f"class images of {prior}"
        shell:
            "python scripts/prior.py --manifest {input:q} --out $(dirname {output.captions:q})"
            " 2>&1 | tee -i {log:q}"
