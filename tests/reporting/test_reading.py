"""What was read of each data set, in the report."""

from __future__ import annotations

import pandas as pd

from rec_msa.reporting.sections import reading_table

COUNTS = {"users": 2, "items": 2, "interactions": 4, "density": 1.0}
READ = {
    "rows_in_file": 2495,
    "rows_read": 1888,
    "rows_dropped": {"no user": 607},
    "repeats": 3,
    "time_from": "2020-09-13",
    "time_to": "",
    "odd": ["one user has 10 % of the rows", "12 interactions have no time"],
}


def test_what_was_read_stands_beside_what_was_left():
    found = reading_table(pd.DataFrame([{"dataset": "mine", **COUNTS, **READ}, {"dataset": "ml-1m", **COUNTS}]))
    assert found is not None
    assert [[cell.text for cell in row] for row in found.bodies()[0][1]] == [
        ["mine", "2,495", "1,888", "3", "607 for no user", "2020-09-13", "–", "; ".join(READ["odd"])]
    ]
    assert found.as_file().loc[0, "left_out"] == "607 for no user"


def test_statistics_of_before_say_nothing_of_it():
    assert reading_table(pd.DataFrame([{"dataset": "ml-1m", **COUNTS}])) is None
