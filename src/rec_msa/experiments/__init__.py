"""What is asked for: parameters, cells, the named attacks on them and studies."""
