"""Nested settings by their full keys, and the keys in which several differ."""

from __future__ import annotations

from typing import Any

ABSENT = "–"
"""A setting that is not there."""


def flat(settings: dict[str, Any], head: str = "") -> dict[str, Any]:
    """Settings by their full keys, as ``recommenders.bpr.dimensions``."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= flat(value, f"{head}{name}.") if isinstance(value, dict) and value else {f"{head}{name}": value}
    return found


def differing(*several: dict[str, Any]) -> dict[str, list[Any]]:
    """The keys in which settings differ, each with its value in every one of them."""
    flattened = [flat(settings) for settings in several]
    keys = sorted({key for one in flattened for key in one})
    values = {key: [one.get(key, ABSENT) for one in flattened] for key in keys}
    return {key: found for key, found in values.items() if any(value != found[0] for value in found)}
