"""Training of the miniature lab from nothing: a Flux-architecture base, its judge and captioner.

Only the rules that rebuild `lab/` use this package. The experiments meet the lab's models as they
meet any others: as `from_pretrained` directories.
"""
