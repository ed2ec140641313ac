"""How much a stacked attack believes each of its sources, as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rec_msa.reporting.drawing import Drawing, Heatmap
from rec_msa.reporting.names import share

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {"weight": "weight", "alone": "alone", "without": "without it"}
DETAILS = {
    "weight": "its part in the spread of the scores",
    "alone": "agreement of what it says alone, on queried users left out",
    "without": "agreement of all others together, on queried users left out",
}


def beliefs_drawing(beliefs: pd.DataFrame) -> Drawing:
    """Draws what ``learner.beliefs`` returns: a row for each source, those that count most on top."""
    values = beliefs[list(COLUMNS)].to_numpy().tolist()
    details = [
        [f"{source}: {told}, {share(value)}" for told, value in zip(DETAILS.values(), row, strict=True)]
        for source, row in zip(beliefs["source"], values, strict=True)
    ]
    shape = Heatmap(
        title=f"all together {share(float(beliefs['together'].iloc[0]))}",
        x_title="",
        y_title="",
        x=tuple(COLUMNS.values()),
        y=tuple(beliefs["source"]),
        values=values,
        details=details,
        ends=(0.0, 1.0),
        inches=(6.0, 1.2 + 0.35 * len(beliefs)),
    )
    note = "Agreement: on queried users left out."
    return Drawing([[shape]], title="Whom the attack believes", note=note)
