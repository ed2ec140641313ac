"""The page of the results' columns."""

from __future__ import annotations

from docs.generate.tables import table
from rec_msa.evaluation.results import COLUMNS, IDENTITY, MEANINGS, PER_USER_COLUMNS

LEAD = """\
# Columns of the results

`data/08_reporting/agreement.parquet` has one row for each attack, group of users and cutoff. Names are labels; every
fact behind a name is a column of its own, so a query needs to read nothing out of a name.

```python
import pandas as pd

rows = pd.read_parquet("data/08_reporting/agreement.parquet")
rows.query("group == 'heldout' and against == 'served' and k == list_length")[["attack", "agreement", "n_users"]]
```

## `agreement.parquet`

The columns up to `k` say what was measured: no two rows have all of them alike.
"""


def page() -> str:
    """The page in Markdown."""
    rows = [(f"`{name}`", MEANINGS[name]) for name in COLUMNS]
    own = [name for name in PER_USER_COLUMNS if name not in IDENTITY]
    per_user = [(f"`{name}`", MEANINGS[name] if name == "user" else "of this user alone") for name in own]
    told = "The columns above up to `k`, and a row for each user, for paired tests.\n"
    heads = ("column", "what it says")
    return "\n".join([LEAD, table(heads, rows), "## `agreement_per_user.parquet`\n", told, table(heads, per_user)])
