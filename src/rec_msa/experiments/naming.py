"""How a setting that is not at its default is named, in folders and in names of attacks: ``users30``, ``asked20``."""

from __future__ import annotations

from typing import Any

WORDS = {
    "list_length": "length",
    "attacker_fraction": "users",
    "query_fraction": "asked",
    "auxiliary_fraction": "auxiliary",
    "item_fraction": "items",
    "calls_per_user": "calls",
}
"""What stands before the value; other values, as a loss or an architecture, speak for themselves."""
KNOWN = "known"
"""Stands for ``users`` where the held-out users are a part of those known."""


def label(setting: str, value: Any) -> str:
    """The name of a value: shares in percent, without dots."""
    shown = f"{100 * value:.10g}".replace(".", "_") if setting.endswith("_fraction") else str(value)
    return WORDS.get(setting, "") + shown


def label_unless(setting: str, value: Any, default: Any) -> list[str]:
    """The same in a list, or nothing where it is the default."""
    return [] if value == default else [label(setting, value)]
