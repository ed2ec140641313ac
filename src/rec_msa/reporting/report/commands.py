"""The commands that measure what a part of the report shows."""

from __future__ import annotations

from rec_msa.reporting.report.model import Command


def study(name: str) -> Command:
    """Returns the command that measures a study of ``conf/paper``.

    Args:
        name: The study.
    """
    return Command("Measured by", f"kedro run --env=paper --pipeline=study --params=study={name}")


def not_measured(name: str) -> Command:
    """Returns the command for what was not measured yet.

    Args:
        name: The study.
    """
    measured = study(name)
    return Command("Nothing of it was measured. This does:", measured.command)


def nothing_measured(name: str) -> str:
    """Says, for a figure shown on its own, that and how nothing was measured yet.

    Args:
        name: The study.
    """
    return f"Nothing was measured. {study(name).command} does"
