"""Targets that others trained: recorded lists, a function that answers, a library's model."""
