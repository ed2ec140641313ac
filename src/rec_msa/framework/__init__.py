"""Kedro's seams: configuration, session and hooks."""
