"""The paper's claims, all of them: what each says, how it is checked, and what our measurements say of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from rec_msa.evaluation.verdicts import BORNE_OUT, CONTRADICTED, OPEN
from rec_msa.foundation.errors import SettingsError
from rec_msa.recommenders.settings import is_sequential
from rec_msa.reporting.architecture_claims import architecture_cells
from rec_msa.reporting.attack_claims import attack_cells
from rec_msa.reporting.axes import table_rows
from rec_msa.reporting.axis_claims import axis_cells
from rec_msa.reporting.claims import ClaimCell, judge_claims
from rec_msa.reporting.defense_claims import defense_cells
from rec_msa.reporting.loss_claims import loss_cells
from rec_msa.reporting.paper import DATASETS, paper_data
from rec_msa.reporting.sequence_claims import sequence_cells

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

PARTLY, MIXED, UNMEASURED, UNTESTED = "partly borne out", "mixed", "not measured", "no test"
_FIRST_TRIAL_SEED = 100
_PROVENANCE = 30
_EXISTENTIAL = 13
"""One cell is enough for it."""
_USERS, _LAST_DIGIT = 30, 1e-4


@dataclass(frozen=True)
class PaperClaim:
    """A claim of the paper.

    Attributes:
        id: Its number.
        section: Where it stands.
        claim: What it says.
        check: How it is checked.
        paper_tables: What the paper's own tables say of it.
    """

    id: int
    section: str
    claim: str
    check: str
    paper_tables: str


@dataclass(frozen=True)
class ClaimVerdict(PaperClaim):
    """A claim and what was measured of it.

    Attributes:
        verdict: ``borne out`` where all cells are; ``partly borne out`` where some are and the others open; ``mixed``
            where some are and others are contradicted; ``contradicted`` where some are and none is borne out; ``open``
            where all are; ``not measured`` without a cell; ``no test`` of a claim that has none. Claim 13 says "some":
            it is borne out where a cell is, contradicted where all that it needs are, else open.
        summary: The verdict in a sentence, with how many cells say what.
        n_cells: The cells measured.
        n_expected: The cells that there are when all of the studies of ``conf/paper`` were run.
        borne_out: The cells that bear it out.
        contradicted: The cells that contradict it.
        open: The cells that do neither.
    """

    verdict: str
    summary: str
    n_cells: int
    n_expected: int
    borne_out: int
    contradicted: int
    open: int

    @property
    def measured(self) -> bool:
        """Whether any of it was."""
        return self.verdict not in (UNMEASURED, UNTESTED)

    @property
    def whole(self) -> bool:
        """Whether all of its cells were measured."""
        return self.measured and self.n_cells >= self.n_expected

    @property
    def said(self) -> str:
        """The verdict; of a claim measured in part also that, since its other cells may say otherwise."""
        if self.whole or not self.measured:
            return self.verdict
        # One cell that bears out a claim about some is enough, whatever the others say.
        so_far = "" if (self.id, self.verdict) == (_EXISTENTIAL, BORNE_OUT) else " so far"
        return f"{self.verdict}{so_far}, {self.n_cells} of {self.n_expected} cells"


@cache
def paper_claims() -> dict[int, PaperClaim]:
    """Returns the paper's claims by their number."""
    return {claim["id"]: PaperClaim(**claim) for claim in paper_data("paper_claims.json")}


@cache
def expected_cells() -> dict[int, int]:
    """Returns how many cells each claim has when all of the studies of ``conf/paper`` were run.

    The file is made of these studies by ``python -m rec_msa.experiments.expected``.
    """
    return {int(claim): count for claim, count in paper_data("paper_cells.json").items()}


def claim_texts(numbers: Iterable[int]) -> dict[int, str]:
    """Returns what claims say and how they are checked, in a line each."""
    return {number: f"{paper_claims()[number].claim}: {paper_claims()[number].check}" for number in numbers}


def judge_paper(agreement: pd.DataFrame, quality: pd.DataFrame) -> pd.DataFrame:
    """Judges all claims of the paper on what was measured.

    Args:
        agreement: The columns of ``rec_msa.evaluation.results``, of any number of cells.
        quality: A row for each target under a defense: dataset, target, seed, defense, recall_served.

    Returns:
        What ``rec_msa.reporting.claims.judge_claims`` returns, for every claim that has a measured cell.
    """
    return judge_claims(claim_cells(agreement, quality), paper_claims())


def claim_cells(agreement: pd.DataFrame, quality: pd.DataFrame) -> list[ClaimCell]:
    """Returns the cells of all claims; the arguments are those of ``judge_paper``.

    Counted are the paper's data sets, and any for sequential targets, whose data the paper's are not. Settings were
    chosen on ml-100k and on seeds from 100 up, so neither counts where the paper has data of its own.
    """
    measured, served = _counted(agreement), _counted(quality)
    return [
        *attack_cells(table_rows(measured)),
        *axis_cells(measured),
        *architecture_cells(measured),
        *loss_cells(measured),
        *sequence_cells(measured),
        *defense_cells(measured, served.reindex(columns=["dataset", "target", "seed", "defense", "recall_served"])),
    ]


def verdict_of(judged: pd.DataFrame, claim_id: int) -> ClaimVerdict:
    """Sums a claim's cells up; the rule stands at ``ClaimVerdict.verdict``.

    Args:
        judged: What ``judge_paper`` found.
        claim_id: The claim's number.

    Raises:
        SettingsError: If there is no such claim.
    """
    if claim_id not in paper_claims():
        raise SettingsError(f"claim {claim_id}: there is none; the claims are 1 to {max(paper_claims())}")
    own = judged[judged["claim"] == claim_id]
    counts = {name: int((own["verdict"] == name).sum()) for name in (BORNE_OUT, CONTRADICTED, OPEN)}
    expected = expected_cells().get(claim_id, 0)
    verdict = UNTESTED if claim_id == _PROVENANCE else _verdict(claim_id, expected, *counts.values())
    about = [verdict, "", len(own), expected, *counts.values()]
    found = ClaimVerdict(*asdict(paper_claims()[claim_id]).values(), *about)
    few_seeds = int((own["note"] != "").sum())
    return replace(found, summary=_provenance() if verdict == UNTESTED else _summary(found, counts, few_seeds))


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    sequential = table["target"].map(is_sequential).astype(bool)
    return table[(table["dataset"].isin(DATASETS) | sequential) & (table["seed"] < _FIRST_TRIAL_SEED)]


def _verdict(claim_id: int, expected: int, borne_out: int, contradicted: int, undecided: int) -> str:
    n_cells = borne_out + contradicted + undecided
    if not n_cells:
        return UNMEASURED
    if claim_id == _EXISTENTIAL:
        return BORNE_OUT if borne_out else CONTRADICTED if contradicted >= max(n_cells, expected) else OPEN
    if borne_out and contradicted:
        return MIXED
    if borne_out:
        return PARTLY if undecided else BORNE_OUT
    return CONTRADICTED if contradicted else OPEN


def _summary(found: ClaimVerdict, counts: dict[str, int], few_seeds: int) -> str:
    """Says the verdict with its counts: ``Mixed so far, 5 of 36 cells: borne out in 3, contradicted in 2.``"""
    if not found.measured:
        return f"{found.verdict.capitalize()}."
    first, *others = [f"{name} in {count}" for name, count in counts.items() if count]
    of_all = f" of {found.n_cells} cell{'s' * (found.n_cells > 1)}" if found.whole else ""
    seeds = f" ({few_seeds} for want of seeds)" if few_seeds else ""
    return f"{found.said.capitalize()}: {', '.join([first + of_all, *others])}{seeds}."


def _provenance() -> str:
    """Says what the paper's own tables show of where its figures come from."""
    tables = paper_data("paper_tables.json")
    figures = {
        value
        for name in ("table4", "table5")
        for by_dataset in tables[name]["rows"].values()
        for value in by_dataset["ml-1m"].values()
    }
    step = 1 / (_USERS * 50)
    multiples = sum(abs(round(value / step) * step - value) < _LAST_DIGIT for value in figures)
    counts = tables["table6"]["rows"]["ml-1m"]
    return (
        f"Not a matter of measurement, but the paper's tables speak against it. {multiples} of the {len(figures)} "
        f"different ML-1M figures of its tables 4 and 5 are multiples of 1/{_USERS * 50}, as of a single run on "
        f"{_USERS} users; a mean over 5 runs would be finer. Its Table 6 has ML-1M with {counts['items']:,} items and "
        f"{counts['interactions']:,} interactions, which are all of the raw data."
    )
