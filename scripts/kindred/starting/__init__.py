"""From a folder of photos to an experiment: who is in it, which base fits the GPU, its cost."""
