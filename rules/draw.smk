"""Photo albums of the lab's families, in the form in which a user would bring photos.

needs: nothing
gives: resources/<dataset>/photos/*.jpg and captions.csv; the truth in photos.truth.json
"""

# One rule an album: outputs can't be functions of wildcards, and naming every photo means that one
# that was edited or lost is noticed.
for drawn, lab in DRAWN.items():

    rule:
        name:
            f"draw_{drawn}"
        output:
            photos=source_files(drawn)[0],
            captions=source_files(drawn)[1],
            truth=f"resources/{drawn}/photos.truth.json",
        log:
            f"logs/draw/{drawn}.log",
        benchmark:
            f"benchmarks/draw/{drawn}.tsv"
        priority: 20
        conda:
            "../envs/environment.yaml"
        params:
            options=paths.family_options(lab),
            version=step_version("draw"),
            out=lambda w, output: output.truth.removesuffix(".truth.json"),
        message:
            f"lab: drawing the photos of {drawn}"
        shell:
            "python scripts/lab_family.py {params.options} --out {params.out:q} 2>&1 | tee -i {log:q}"
