"""Whether the nodes of a cluster have what jobs need, before anything is sent there.

needs: a profile that sends jobs elsewhere; KINDRED_NODES, names of nodes separated by commas
gives: a line for each node, or an error that names everything it lacks; no file
Not part of `rule all`:
    KINDRED_NODES=node1,node2 snakemake check_cluster --workflow-profile profiles/slurm
"""

NODES = [name for name in os.environ.get("KINDRED_NODES", "").split(",") if name] or [
    "any"
]


localrules:
    check_cluster,


rule check_cluster:
    """Say what was found on all nodes."""
    input:
        expand("resources/cluster/{node}.txt", node=NODES),
    log:
        "logs/cluster/found.log",
    conda:
        "../envs/environment.yaml"
    message:
        "cluster: " + ", ".join(NODES)
    shell:
        "cat {input:q} | tee -i {log:q} && rm {input:q}"


rule check_node:
    """Look at one node; the Snakemake that waits holds a lock meanwhile, which has to be seen."""
    output:
        "resources/cluster/{node}.txt",
    log:
        "logs/cluster/{node}.log",
    conda:
        "../envs/environment.yaml"
    resources:
        gpu=int(GPUS_EACH > 0),
        nodes=1,
        runtime=5,
        slurm_extra=lambda w: "" if w.node == "any" else f"'--nodelist={w.node}'",
    params:
        models=sorted({base.model for base in PLAN.bases.values()}),
        gpu="--gpu" if GPUS_EACH else "",
    message:
        "cluster: looking at {wildcards.node}"
    shell:
        "python scripts/check_cluster.py --models {params.models:q} {params.gpu}"
        " --out {output:q} 2>&1 | tee -i {log:q}"
