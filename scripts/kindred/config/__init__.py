"""From the YAML files a person writes to the specifications that each step is given."""
