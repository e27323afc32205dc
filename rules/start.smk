"""Before all rules: what makes planning faster, and the way to the library."""

import atexit
import gc
import sys
from pathlib import Path

import snakemake.workflow

# Thousands of jobs are millions of small objects, and none is garbage: looking for some among them
# takes a third of the time that Snakemake needs to see that nothing is to be done. At its end Python
# looks once more, through all modules too, which takes 0.4 s: not through what is frozen.
gc.disable()
atexit.register(gc.freeze)

SCRIPTS = Path(workflow.basedir) / "scripts"
sys.path.insert(0, str(SCRIPTS))

# Containers often tell Python to keep no bytecode, and compiling the library takes longer than
# planning. Then it is kept beside Snakemake's own notes, out of everybody's way.
BYTECODE = sys.dont_write_bytecode, sys.pycache_prefix
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(".snakemake/kindred/bytecode").absolute())

from kindred.workflow import parsed_rules

PARSED = parsed_rules.keep_parsed(snakemake.workflow, snakemake.__version__)
