"""From a plan to paths and lists of jobs."""
