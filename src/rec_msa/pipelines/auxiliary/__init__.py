"""The attacker's auxiliary model."""
