"""The library shared by the step programs: pure functions, no import of snakemake."""
