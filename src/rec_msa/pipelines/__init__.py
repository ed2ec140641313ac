"""Pipelines: thin nodes around the domain, each a function of data and typed parameters."""
