"""How a setting that is not at its default is named, in folders and in names of attacks: ``users30``, ``asked20``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rec_msa.attacks.base import Attack

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


LEARNS_FROM = {
    "ptd": "known users' data",
    "ptq": "known users' data and answers",
    "pta": "known and auxiliary data",
    "ptaq": "known and auxiliary data, and answers",
    "qsd": "answers alone",
    "pta_pre": "known data, auxiliary item vectors as the start",
    "ptaq_pre": "known data, auxiliary item vectors as the start, and answers",
    "pta_joint": "known and auxiliary data in one clone",
    "ptaq_joint": "known and auxiliary data in one clone, and answers",
    "pta_mean": "known and auxiliary data, fused half and half",
}
"""What the base of an attack learns from."""


def in_a_line(attack: Attack) -> str:
    """What an attack learns from, and how it differs from its base."""
    fields = type(attack).model_fields
    own = [f"{name}={value}" for name, value in attack if name != "base" and value != fields[name].default]
    return "; ".join([f"steals from {LEARNS_FROM.get(attack.base, attack.base)}", *([", ".join(own)] if own else [])])
