"""The gate: the one node of an attack that sees the target."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from rec_msa.attacks.base import Asking
from rec_msa.defenses.settings import Serving


def query_target(
    attackers: pd.DataFrame,
    serving: Serving,
    asking: Asking,
    recommender: dict[str, Any] | None = None,
    **target: Any,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The gate: asks the target about queried users or made-up sequences; returns lists to learn from and ledger."""
    from rec_msa.attacks.gate import SequenceSide, query, query_by_sequences
    from rec_msa.attacks.heldout_sequences import histories_of

    server, calls = serving.of(**target), asking.calls_per_user
    strategy: Any = asking
    if not asking.about_sequences:
        return query(server, attackers, calls, strategy, serving.seed)
    measured_on = attackers.loc[attackers["group"] == "heldout", "user"].to_numpy()
    users, items = (server.interactions[name].to_numpy() for name in ("user", "item"))
    heldout = histories_of(measured_on, (users, items))
    n_items = server.model.n_items
    side = SequenceSide(n_items, server.after_sequences(), serving.list_length, heldout)
    strategy = partial(strategy, n_items=n_items, length=(recommender or {})["length"])
    return query_by_sequences(server, side, attackers, calls, strategy, serving.seed)
