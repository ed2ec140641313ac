"""Model stealing attacks against recommender systems, and defenses, as Kedro pipelines (arXiv 2312.11571)."""

__version__ = "0.1.0"
