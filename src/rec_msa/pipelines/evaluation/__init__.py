"""Agreement of clones and references with the target."""
