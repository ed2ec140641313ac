"""What an audit is about to do, and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.bookkeeping.costs import mean_seconds
from rec_msa.foundation.errors import DataError
from rec_msa.interactions import target_parts
from rec_msa.pipelines.ingestion.nodes import FEWEST_KNOWN, choose_attackers

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_ASKED = 2
"""Users asked about: one to learn from, and one to stop by."""


def announce(
    split: pd.DataFrame, heldout_fraction: float, asking: list[tuple[float, float]], what: str
) -> dict[str, Any]:
    """Says, before anything is trained, what will be done, and how many calls an attack makes at each share.

    Args:
        heldout_fraction: Of the users known, those who are never asked about.
        asking: Of the attacks that ask, shares of users known, and of those who might be asked about.

    Raises:
        DataError: There are fewer than two users to ask about.
    """
    n_users, calls = target_parts(split)[0]["user"].nunique(), {}
    for share, fraction in asking:
        n_asked = int((choose_attackers(split, heldout_fraction, share, fraction)["group"] == "queried").sum())
        if n_asked < FEWEST_ASKED:
            raise DataError(
                f"audit: the target serves {n_users} users; where {100 * share:g} % are known and {100 * fraction:g} % "
                f"of those asked about who might be, that is {n_asked}, and stealing needs {FEWEST_ASKED}; lists of "
                "more users are needed, or a higher audit.shares, audit.at or audit.query_fractions"
            )
        if fraction == 1:
            calls[f"{100 * share:g} %"] = n_asked
    each = ", ".join(f"{n:,} where {share} are known" for share, n in calls.items())
    says = f"{what}. The target serves {n_users:,} users. Calls of an attack that asks: {each}."
    return {"says": says, "n_users": n_users, "calls": calls}


def write_audit(
    statistics: dict[str, Any],
    costs: dict[str, Any],
    *tables: Any,
    facts: dict[str, Any],
    planned: dict[str, list[list[Any]]],
    keys: dict[str, str],
    spaces: dict[str, list[str]],
    budget: float | None,
) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """The audit as a page, as Markdown, as JSON, and the files beside the Markdown.

    Args:
        statistics: Of the dataset.
        costs: Of each artifact what it was made from and what its node took.
        tables: What the target's users have, of each seed (columns user, item); the same of each seed's attacker users;
            the lists that these are served undefended (columns user, rank, item); then of whatever was measured its
            agreement and its agreement per user; last, of a target that a function trains, what its check says for
            each seed.
        facts: What is said of the target: name, kind, retrained, auxiliary, the seeds of the first tables, and how many
            items a list has.
        planned: Name, seed and defense of each attack that was planned, by the part of the audit.
        keys: The key under ``attacks`` of each.
        spaces: The namespaces in which each attack is measured.
        budget: Minutes that the audit was given; the page says what they left out.
    """
    from rec_msa.reporting.audit import audit
    from rec_msa.reporting.audit_results import AuditResults

    n_seeds = len(facts["seeds"])
    trained, known, lists = (tables[n * n_seeds : (n + 1) * n_seeds] for n in range(3))
    others = tables[3 * n_seeds :]
    results = [table for table in others if isinstance(table, pd.DataFrame)]
    repeats = [check["repeats"] for check in others if not isinstance(check, pd.DataFrame)]
    served = {"repeats": known_all(repeats), "filled": filled(lists, known, facts["list_length"])}
    target = {**described(facts, trained[0], statistics["items"]), **served}
    measured = pd.concat([table for table in results if "n_users" in table], ignore_index=True)
    per_user = pd.concat([table for table in results if "n_users" not in table], ignore_index=True)
    report = audit(
        AuditResults(
            agreement=at_real_shares(measured, target["n_users"]),
            per_user=at_real_shares(per_user, target["n_users"]),
            profile=profiles(trained, known, facts),
            auxiliary=facts["auxiliary"],
            target=target,
            keys=keys,
            seconds=mean_seconds(spaces, costs.get),
            left_out=left_out(planned, measured, budget),
        )
    )
    return report.html, report.markdown, report.json, report.files


def described(facts: dict[str, Any], train: pd.DataFrame, n_items: int) -> dict[str, Any]:
    """What the page says of the target: its name and kind, and its size."""
    told = {name: facts[name] for name in ("name", "kind", "retrained")}
    counts = {"n_users": train["user"].nunique(), "n_items": n_items, "n_interactions": len(train)}
    return {**told, **counts}


def filled(lists: Sequence[pd.DataFrame], known: Sequence[pd.DataFrame], list_length: int) -> float:
    """Of the places of the attacker users' lists the share that holds an item."""
    n_users = sum(own["user"].nunique() for own in known)
    return sum(map(len, lists)) / (n_users * list_length)


def profiles(trained: Sequence[pd.DataFrame], known: Sequence[pd.DataFrame], facts: dict[str, Any]) -> pd.DataFrame:
    """The attacker users of each seed: how much each has read, and how popular that is."""
    from rec_msa.reporting.audit_results import profile_of

    each = zip(facts["seeds"], trained, known, strict=True)
    rows = [profile_of(train, own["user"].unique().tolist(), facts["dataset"], seed) for seed, train, own in each]
    return pd.concat(rows, ignore_index=True)


def left_out(planned: dict[str, list[list[Any]]], measured: pd.DataFrame, budget: float | None) -> list[str]:
    """What was planned and not measured, a sentence for each part of the audit."""
    done = set(measured[["attack", "seed", "defense"]].itertuples(index=False, name=None))
    missing = {part: [one for one in attacks if tuple(one) not in done] for part, attacks in planned.items()}
    over = f" when {budget:g} minutes were over" if budget else ""
    return [f"{part}: {len(some)} of {len(planned[part])} attacks{over}" for part, some in missing.items() if some]


def known_all(answers: list[bool | None]) -> bool | None:
    """Whether something holds for each seed; None where one is not known, and none fails."""
    if False in answers:
        return False
    return None if None in answers or not answers else True


def at_real_shares(table: pd.DataFrame, n_users: int) -> pd.DataFrame:
    """Results at the shares of users that were known: several that come to fewer than ``FEWEST_KNOWN`` are one."""
    least, asked = min(1.0, FEWEST_KNOWN / n_users), table["attacker_fraction"]
    raised = asked[asked < least]
    kept = table[(asked >= least) | (asked == raised.max())]
    known = kept["attacker_fraction"].clip(lower=least)
    whole: pd.DataFrame = kept.assign(attacker_fraction=known).drop_duplicates(ignore_index=True)
    return whole


def require_below(audit: dict[str, Any], fail_above: float) -> dict[str, Any]:
    """Fails where a copy repeats more than it may (``DataError``)."""
    worst = float(audit["worst"])
    if worst > fail_above:
        by = audit["worst_attack"]["method"]
        raise DataError(f"audit.fail_above: {worst:.3f} of a list is copied, by {by}: more than {fail_above:g}")
    return {"worst": worst, "fail_above": fail_above}
