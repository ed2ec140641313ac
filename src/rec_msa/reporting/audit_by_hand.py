"""An audit by hand: what somebody could copy of recorded lists, on frames; without Kedro and without files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from rec_msa.attacks.gate import QueryGate
from rec_msa.attacks.references import FROM_QUERIES, Knowledge, all_references
from rec_msa.attacks.registry import attack_of
from rec_msa.attacks.settings import ReferenceSettings
from rec_msa.attacks.solved import solved_references
from rec_msa.evaluation.results import agreement_of
from rec_msa.experiments.audit import known_name
from rec_msa.experiments.by_hand import attack
from rec_msa.experiments.cells import Attacker, Cell, NamedAttack
from rec_msa.foundation.lists import PADDING
from rec_msa.interactions.settings import SplitSettings
from rec_msa.interactions.splits import attacker_interactions, attackers, split_served, target_parts
from rec_msa.reporting.audit import audit as report_of
from rec_msa.reporting.audit_results import AuditResults, profile_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rec_msa.foundation.lists import Lists
    from rec_msa.reporting.audit import AuditReport

Tables = tuple[pd.DataFrame, pd.DataFrame]


def audit(
    interactions: pd.DataFrame,
    served: Lists,
    *,
    shares: Sequence[float] = (0.05, 0.1),
    attacks: Sequence[str] = ("ptd", "ptq"),
    seeds: Sequence[int] = (0,),
    name: str = "yours",
    settings: Mapping[str, Any] | None = None,
) -> AuditReport:
    """Tries attacks on recorded lists: how much does somebody copy who knows a share of the users, and may ask?

    Whole audits, with auxiliary data, defenses and all that is left out here, are the pipeline's: ``--pipeline=audit``.

    Args:
        interactions: What the recommender was trained on (columns user, item; indices count from 0).
        served: Its lists, of all users or of some; these are its users.
        shares: Of its users, known to the attacker; a quarter of these is never asked about.
        attacks: Bases without auxiliary data: ``ptd``, ``ptq``, ``qsd``.
        seeds: Who is known, and every start.
        name: What the page calls it.
        settings: As of ``rec_msa.attack``.

    Returns:
        The report: ``headline``, ``html``, ``markdown``, ``json``.

    Raises:
        SettingsError: An attack or a setting does not exist.
        DataError: There is too little to learn from.

    Examples:
        The sixty users of ``rec_msa.attack``, all of whose lists are known.

        >>> import numpy as np, pandas as pd, rec_msa
        >>> draw = np.random.default_rng(0).permutation
        >>> taste = {user: range(user % 4 * 50, user % 4 * 50 + 50) for user in range(60)}
        >>> knows = {user: draw(items)[:20] for user, items in taste.items()}
        >>> known = pd.DataFrame([(user, i) for user in knows for i in knows[user]], columns=["user", "item"])
        >>> served = rec_msa.Lists(list(taste), [[i for i in taste[u] if i not in knows[u]][:10] for u in taste])
        >>> short = {"training": {"max_steps": 100, "validate_every": 50, "learning_rate": 0.01}}
        >>> settings = {"clone": short, "steal": short}
        >>> report = rec_msa.audit(known, served, shares=[0.4], settings=settings)
        >>> report.headline.startswith("Somebody who knows 40 % of your users"), report.json["list_length"]
        (True, 10)
    """
    whole = interactions.assign(timestamp=pd.array([pd.NA] * len(interactions), dtype="Int64"))
    n_items = int(max(interactions["item"].max(), served.items.max())) + 1
    tables: list[Tables] = []
    profiles: list[pd.DataFrame] = []
    for seed in seeds:
        split = split_served(whole, SplitSettings(), seed, served.users)
        train = target_parts(split)[0]
        for share in shares:
            users = attackers(split, SplitSettings(attacker_fraction=share), share)
            who = Attacker(Cell(name, name, seed), share, 1.0, served.length, (share, served.length), True)
            known = attacker_interactions(split, users)
            tables += _references(who, known, users, served, n_items)
            for base in attacks:
                tables.append(_attack(base, who, known, users, served, n_items, settings))
            profiles.append(profile_of(train, users["user"].tolist(), name, seed))
    counts = {"n_users": len(served.users), "n_items": n_items, "n_interactions": len(train)}
    agreement, per_user = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    filled = float((served.items != PADDING).mean())
    facts = {"name": name, "kind": "recorded", "retrained": False, "repeats": None, "filled": filled, **counts}
    profile = pd.concat(profiles, ignore_index=True).drop_duplicates(["seed", "user"])
    return report_of(AuditResults(agreement, per_user, profile, "none", facts))


def _attack(
    base: str,
    who: Attacker,
    known: pd.DataFrame,
    users: pd.DataFrame,
    served: Lists,
    n_items: int,
    settings: Mapping[str, Any] | None,
) -> Tables:
    queried = users.loc[users["group"] == "queried", "user"].to_numpy()
    gate = QueryGate(served.of, queried, len(queried))
    seed, length = who.cell.seed, served.length
    stolen = attack(base, known, users, n_items, gate, list_length=length, seed=seed, settings=settings)
    chosen = attack_of(**{"base": base, "clone": "bpr", **(settings or {}).get("attack", {})})
    named = NamedAttack(who, known_name(base, who.attacker_fraction), chosen)
    return _measured(stolen.lists, served, users, {**named.facts, "n_queries": gate.n_calls})


def _references(
    who: Attacker, known: pd.DataFrame, users: pd.DataFrame, served: Lists, n_items: int
) -> Iterator[Tables]:
    asked = served.of(users.loc[users["group"] == "queried", "user"])
    everyone = users["user"].sort_values().to_numpy()
    knowledge = Knowledge(everyone, known, known.iloc[:0], asked, n_items)
    settings, seed, length = ReferenceSettings(), who.cell.seed, served.length
    solved = solved_references(knowledge, length, settings, seed)
    for base, lists in all_references(knowledge, solved, length, settings, seed).items():
        facts = {**who.facts, "attack": who.named(base), "base": base, "kind": "reference", "otherwise": ""}
        facts["n_queries"] = len(asked.users) if base in FROM_QUERIES else 0
        yield _measured(lists, served, users, facts)


def _measured(lists: Lists, served: Lists, users: pd.DataFrame, facts: Mapping[str, Any]) -> Tables:
    against = served.of(users["user"])
    who = {"n_queries": 0, **facts}
    return agreement_of(lists, {"served": against, "undefended": against}, users, who)
