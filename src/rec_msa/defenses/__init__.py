"""Defenses: what the target serves instead of its own lists."""
