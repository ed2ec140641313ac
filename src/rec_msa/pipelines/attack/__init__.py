"""Clone stage, gate and steal stage of a named attack."""
