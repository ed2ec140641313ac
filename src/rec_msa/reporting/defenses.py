"""The page on defenses: what each costs and hides, and verdicts on the paper's claims 19 to 23."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.evaluation.verdicts import judge_together
from rec_msa.reporting import document as doc
from rec_msa.reporting.claims import DEFENSE_CLAIMS, SIDES, judge
from rec_msa.reporting.figures import ASKING, NOTHING, SHOWN_ATTACKS, defense_points
from rec_msa.reporting.measured import MIXING, Measured, seeds_and_users
from rec_msa.reporting.names import TARGET, TEXTS, seeds_text, span
from rec_msa.reporting.report import claim_table
from rec_msa.reporting.sections import NO_ROWS, learnt_section

if TYPE_CHECKING:
    from collections.abc import Iterator

_ORDER = {NO_DEFENSE: 0, MIXING: 1}
_DENOISED = "ptaq_denoise"


def defense_page(agreement: pd.DataFrame, quality: pd.DataFrame) -> doc.Report:
    """Returns what defenses cost and hide, what a denoising attacker gets, and the verdicts on the paper's claims.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
        quality: A row for each target under a defense: dataset, target, seed, defense, n_users, recall_served,
            ndcg_served and, where there is a defense, n_widened.
    """
    title, points = "Defenses: what they hide and what they cost", defense_points(agreement, quality)
    if points.empty:
        return doc.Report(title, f"{TEXTS['defenses']}\n\n{NOTHING}.")
    ordered = points.assign(first=points["rule"].map(_ORDER).fillna(2)).sort_values(
        ["first", "rule", "fresh", "strength"]
    )
    measured = Measured(agreement, quality)
    sections = [overview_section(ordered, quality), *_asking_again(ordered, agreement), _claims(measured)]
    return doc.Report(title, TEXTS["defenses"], (), [*sections, learnt_section(measured)])


def overview_section(points: pd.DataFrame, quality: pd.DataFrame) -> doc.Section:
    """Returns what each defense costs and hides (of ``defense_points``), a column for each attack."""
    met = [name for name in points["attack"].unique() if name not in ASKING]
    attacks = [name for name in dict.fromkeys([*SHOWN_ATTACKS, *met, TARGET]) if name in {*points["attack"]}]
    shares = quality.reindex(columns=["dataset", "target", "defense", "n_users", "n_widened"])
    shares = shares.assign(widened=pd.to_numeric(shares["n_widened"]) / shares["n_users"])
    widened = shares.groupby(["dataset", "target", "defense"])["widened"].mean().reset_index()
    shown = points.merge(widened, how="left")
    tables: list[doc.Block] = []
    for (dataset, target), own in shown.groupby(["dataset", "target"], sort=True):
        seeds, users = seeds_and_users(list(own[doc.ONE]))
        for against, side in SIDES.items():
            columns = [*doc.names("defense", as_code=["defense"]), doc.Column("Recall", "recall")]
            columns += [doc.Column("NDCG", "ndcg"), doc.Column("widened", "widened")]
            columns += [
                doc.Column(f"`{name}`", doc.ONE, at=name)
                for name in attacks
                if (against, name) != ("undefended", TARGET)
            ]
            caption = f"{dataset} · {target}, {seeds_text(seeds)}, {span(users)} users: against {side}"
            part = own[own["against"] == against]
            tables.append(doc.Table(f"{dataset}-{target}-{against}", caption, part, columns, ["defense"], "attack"))
    return doc.Section(
        "overview", "What each defense costs and hides", [*tables, doc.Paragraph(TEXTS["defenses_read"])]
    )


def _asking_again(points: pd.DataFrame, agreement: pd.DataFrame) -> Iterator[doc.Section]:
    """What asking again gains against each defense, undefended lists being the measure."""
    undefended = points[(points["against"] == "undefended") & points["attack"].isin(["ptaq", _DENOISED])]
    rows = [_gained(part, agreement) for _, part in undefended.groupby(["dataset", "target", "defense"], sort=False)]
    found = [row for row in rows if row]
    if not found:
        return
    columns = doc.names("dataset", "target", "defense", as_code=["defense"])
    columns += [doc.Column("`ptaq`", "ptaq")]
    columns += [doc.Column(f"`{_DENOISED}`", _DENOISED)]
    columns += [doc.Column("calls", "calls"), doc.Column("difference", doc.difference_of())]
    table = doc.Table("asking-again", "Asking several times beside asking once", pd.DataFrame(found), columns)
    yield doc.Section("again", "Asking again: the denoising attacker", [doc.Paragraph(TEXTS["defenses_again"]), table])


def _gained(part: pd.DataFrame, agreement: pd.DataFrame) -> dict[str, Any]:
    """Denoised less plain, over the seeds that have both; nothing where none has."""
    ones = part.set_index("attack")[doc.ONE]
    own = agreement.merge(part[["dataset", "target", "defense", "attack", "k", "against"]]).query("group == 'heldout'")
    by = own.pivot(index="seed", columns="attack", values="agreement")
    gains = (by[_DENOISED] - by["ptaq"]).dropna() if {_DENOISED, "ptaq"} <= set(by) else pd.Series(dtype="float64")
    if not len(gains):
        return {}
    [(over, _)] = judge_together([gains.to_numpy(dtype=np.float64)])
    calls = span([int(n) for n in own.loc[own["attack"] == _DENOISED, "n_queries"]])
    figures = {"difference": over.mean, "ci_low": over.low, "ci_high": over.high, "calls": calls}
    return {
        **part.iloc[0][["dataset", "target", "defense"]],
        "ptaq": ones["ptaq"],
        _DENOISED: ones[_DENOISED],
        **figures,
    }


def _claims(measured: Measured) -> doc.Section:
    judged = judge(measured, DEFENSE_CLAIMS)
    parts = []
    for claim in DEFENSE_CLAIMS:
        own = judged[judged["claim"] == claim.id]
        block = claim_table(own, claim.id) if len(own) else doc.Paragraph(NO_ROWS)
        parts.append(doc.Section(f"claim-{claim.id}", f"{claim.id}. {claim.says}: {claim.check}", [block]))
    return doc.Section(
        "claims", "The paper's claims on popular mixing", [doc.Paragraph(TEXTS["defenses_claims"])], parts
    )
