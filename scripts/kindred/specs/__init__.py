"""What each step is told: one strict model a step, its slice of the configuration and no more.

These modules import neither torch nor diffusers: Snakemake reads them at every start.
"""
