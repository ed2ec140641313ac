"""What an audit is about to do, and what it found."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rec_msa.foundation.errors import DataError
from rec_msa.interactions import attackers, target_parts
from rec_msa.interactions.settings import SplitSettings


def announce(split: pd.DataFrame, heldout_fraction: float, shares: list[float], what: str) -> dict[str, Any]:
    """Says, before anything is trained, what will be done, and how many calls an attack makes at each share."""
    n_users, calls = target_parts(split)[0]["user"].nunique(), {}
    for share in sorted(shares):
        chosen = attackers(split, SplitSettings(attacker_fraction=share, heldout_fraction=heldout_fraction))
        calls[f"{share:.0%}"] = int((chosen["group"] == "queried").sum())
    each = ", ".join(f"{n:,} where {share} are known" for share, n in calls.items())
    says = f"{what}. The target serves {n_users:,} users. Calls of an attack that asks: {each}."
    return {"says": says, "n_users": n_users, "calls": calls}


def write_audit(
    statistics: dict[str, Any],
    target_train: pd.DataFrame,
    *measured: pd.DataFrame,
    n_attackers: int,
    facts: dict[str, Any],
    planned: dict[str, list[list[Any]]],
    budget: float | None,
) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """The audit as a page, as Markdown, as JSON, and the files beside the Markdown.

    Args:
        statistics: Of the dataset.
        target_train: What the target's users have (columns user, item).
        measured: The interactions of each seed's attacker users, ``n_attackers`` tables; then of whatever was measured
            its agreement and its agreement per user.
        n_attackers: How many of the tables are attackers' interactions.
        facts: What is said of the target: name, kind, retrained, auxiliary, and the seeds of the attackers' tables.
        planned: Name, seed and defense of each attack that was planned, by the part of the audit.
        budget: Minutes that the audit was given; the page says what they left out.
    """
    from rec_msa.reporting.audit import audit
    from rec_msa.reporting.audit_results import AuditResults, profile_of

    results = [table for table in measured[n_attackers:] if len(table)]
    agreement = pd.concat([table for table in results if "n_users" in table], ignore_index=True)
    per_user = pd.concat([table for table in results if "n_users" not in table], ignore_index=True)
    done = set(agreement[["attack", "seed", "defense"]].itertuples(index=False, name=None))
    missing = {part: [one for one in attacks if tuple(one) not in done] for part, attacks in planned.items()}
    over = f" when {budget:g} minutes were over" if budget else ""
    left_out = [f"{part}: {len(some)} of {len(planned[part])} attacks{over}" for part, some in missing.items() if some]
    n_users, n_interactions = target_train["user"].nunique(), len(target_train)
    counts = {"n_users": n_users, "n_items": statistics["items"], "n_interactions": n_interactions}
    known = zip(facts["seeds"], measured[:n_attackers], strict=True)
    profiles = [profile_of(target_train, own["user"].unique().tolist(), facts["dataset"], seed) for seed, own in known]
    report = audit(
        AuditResults(
            agreement=agreement.drop_duplicates(ignore_index=True),
            per_user=per_user.drop_duplicates(ignore_index=True),
            profile=pd.concat(profiles, ignore_index=True),
            auxiliary=facts["auxiliary"],
            target={"name": facts["name"], "kind": facts["kind"], "retrained": facts["retrained"], **counts},
            left_out=left_out,
        )
    )
    return report.html, report.markdown, report.json, report.files


def require_below(audit: dict[str, Any], fail_above: float) -> dict[str, Any]:
    """Fails where an attack copies more than it may.

    Raises:
        DataError: It does.
    """
    worst = float(audit["worst"])
    if worst > fail_above:
        raise DataError(f"audit.fail_above: an attack copies {worst:.3f} of a list, more than {fail_above:g}")
    return {"worst": worst, "fail_above": fail_above}
