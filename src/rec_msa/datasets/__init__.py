"""Catalog datasets: Kedro's own, made atomic and aware of what they were made from, and torch checkpoints."""
