"""The errors that a user can mend: each message names the key or file, the value and the remedy."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_SHOWN = 100


class RecMsaError(Exception):
    """Base of every error with a remedy; shown as one line without a traceback."""


class SettingsError(RecMsaError):
    """A parameter is unknown, of the wrong type or out of range."""


class DataError(RecMsaError):
    """A raw file or table is missing, damaged or not what it should be."""


class QueryError(RecMsaError):
    """An attack asked the target for something that it may not ask."""


class DryRunError(Exception):
    """Nothing is wrong: the run was to say what it would do, and it has."""


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Says which names are allowed, the nearest one first.

    Returns:
        ``"did you mean 'ncf'? Allowed: bpr, lmf, ncf"``, without the question where nothing is near.
    """
    names = sorted(allowed)
    others = f" and {len(names) - _SHOWN:,} others" if len(names) > _SHOWN else ""
    return f"{did_you_mean(name, names)}Allowed: {', '.join(names[:_SHOWN])}{others}"


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Asks for the nearest name, with a space behind: ``"did you mean 'ncf'? "``; empty where nothing is near."""
    names = {each.casefold(): each for each in allowed}
    close = difflib.get_close_matches(name.casefold(), names, n=1)
    return f"did you mean '{names[close[0]]}'? " if close else ""
