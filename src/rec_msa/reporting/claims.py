"""The paper's claims, a line each in ``CLAIMS``: what is set against what, for each of what, and by which test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations, product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from rec_msa.attacks.settings import PAPER_ATTACKS
from rec_msa.evaluation.agreement import GROUPS
from rec_msa.evaluation.verdicts import BORNE_OUT, CONTRADICTED, MARGIN, OPEN, judge_equal_together, judge_together
from rec_msa.foundation.errors import SettingsError
from rec_msa.recommenders.settings import is_sequential
from rec_msa.reporting import axes
from rec_msa.reporting.measured import mixing
from rec_msa.reporting.names import DATASETS, GROUP_NAMES, TARGET, TARGETS, TEXTS, paper_data, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rec_msa.reporting.axes import Axis
    from rec_msa.reporting.measured import Measured

CLAIM_COLUMNS = ["claim", "dataset", "target", "attack", "against", "figure", "beside"]
FIGURES = ["difference", "ci_low", "ci_high", "p_holm", "n_seeds", "verdict", "note"]
DIFFERENCE, TREND, EQUALITY = "difference", "trend", "equality"
PARTLY, MIXED, UNMEASURED, UNTESTED = "partly borne out", "mixed", "not measured", "no test"
SIDES = {"served": "served lists", "undefended": "undefended lists"}
POINTS_OF_A_TREND = 3
"""Fewer points are a difference and no trend."""
_LOOKUPS = ("popularity", "auxiliary_popularity", "list_popularity", "knn_lists")
"""What an attacker has without a model, popularity first; agreement that is no higher is no theft."""
_PTS, _HELDOUT = ("ptd", "ptq", "pta", "ptaq"), ("heldout",)
_SPARSE, _DENSE, _HARD, _BEST_CLONE, _POPULARITY = "steam", "ml-1m", "lmf", "bpr", "popularity"
_LEAST = 10
"""The least auxiliary data of figures 4 and 5, in percent."""
_MOST_CALLS = f"qsd{axes.CALLS.values[-1]}"
_FIRST_TRIAL_SEED = 100
_EXISTENTIAL = 13
"""One cell is enough for it."""


class Line(NamedTuple):
    """What was measured of something: a row for each seed, a column for each of what is compared.

    ``attack`` and ``against`` are empty where the columns are attacks or there is no defense; ``axis`` is what the
    columns are values of; ``other`` is something else on the same target that it is set against.
    """

    dataset: str
    target: str
    by: pd.DataFrame
    attack: str = ""
    against: str = ""
    group: str = "heldout"
    prefix: str = ""
    axis: Axis | None = None
    other: Line | None = None

    @property
    def place(self) -> tuple[str, ...]:
        """What lines that are set against each other have in common."""
        return self.dataset, self.target, self.against, self.prefix


class Found(NamedTuple):
    """What is compared, in words, and for each seed the difference: positive where the claim holds.

    Of an equality it has either sign, and a column for each pair that must be equal. ``attack`` says whose it is, where
    not the line's; ``beside``, what it is to be read beside.
    """

    text: str
    differences: pd.Series | pd.DataFrame
    attack: str = ""
    beside: str = ""


def counted(measured: Measured) -> Measured:
    """Returns what the claims rest on: the paper's data sets, and any for sequential targets, whose data it has not.

    Settings were chosen on ml-100k and on seeds from 100 up, so neither counts where the paper has data of its own.
    """
    return replace(measured, agreement=_counted(measured.agreement), quality=_counted(measured.quality))


def _lines(
    rows: pd.DataFrame,
    columns: str,
    values: str = "agreement",
    keys: Sequence[str] = ("dataset", "target"),
    **about: Any,
) -> Iterator[Line]:
    """A line for each dataset and target, and attack where it is a key: a column for each of ``columns``."""
    for key, part in rows.groupby(list(keys)):
        whose: dict[str, Any] = dict(zip(keys, map(str, key), strict=True))
        yield Line(**whose, by=part.pivot(index="seed", columns=columns, values=values), **about)


def _complete(lines: Iterable[Line]) -> Iterator[Line]:
    """Lines without the seeds that lack a column."""
    return (line._replace(by=line.by.dropna()) for line in lines)


def _targets(measured: Measured, groups: Sequence[str] = _HELDOUT) -> Iterator[Line]:
    """Each target; the columns are attacks and references."""
    for group in groups:
        yield from _lines(measured.table_rows[measured.table_rows["group"] == group], "attack", group=group)


def _sequential_targets(measured: Measured) -> Iterator[Line]:
    """Each sequential target; the columns are attacks, of ``qsd`` the one with the most calls."""
    plain = axes.table_rows(measured.agreement, sequential=True)
    calls = measured.points[axes.CALLS]
    most = calls[(calls["value"] == axes.CALLS.values[-1]) & calls["target"].isin(plain["target"])]
    rows = pd.concat([plain, most.assign(attack=_MOST_CALLS)], ignore_index=True)
    return _lines(rows[rows["group"] == "heldout"], "attack")


def _along(
    measured: Measured, axis: Axis, attacks: Sequence[str] = PAPER_ATTACKS, groups: Sequence[str] = _HELDOUT
) -> Iterator[Line]:
    """Each attack, group of users and target; the columns are values on an axis."""
    points = measured.points[axis]
    if axis is axes.CALLS:
        points = points[points["target"].map(is_sequential).astype(bool)]
    for attack, group in product(attacks, groups):
        own = points[(points["base"] == attack) & (points["group"] == group)]
        yield from _lines(own, "value", attack=attack, prefix=_prefix(group, groups), axis=axis)


def _clones(measured: Measured) -> Iterator[Line]:
    """Each target and attack; the columns are the paper's architectures of clones, and popularity."""
    popular = {line.place: line.by.get(_POPULARITY) for line in _targets(measured)}
    points = axes.clone_points(measured.agreement)
    for line in _varied(points[points["clone"].isin(TARGETS)], _PTS):
        beside = popular.get(line.place)
        yield line if beside is None else line._replace(by=line.by.assign(**{_POPULARITY: beside}))


def _losses(measured: Measured) -> Iterator[Line]:
    """Each target and attack that has all four losses; the columns are they."""
    lines = _complete(_varied(axes.loss_points(measured.agreement), axes.WITH_LOSSES))
    return (line for line in lines if set(line.by) == set(axes.LOSSES))


def _varied(points: pd.DataFrame, attacks: Sequence[str]) -> Iterator[Line]:
    own = points[(points["group"] == "heldout") & points["base"].isin(attacks)]
    return _lines(own.assign(attack=own["base"]), "value", keys=["dataset", "target", "attack"])


def _under_mixing(measured: Measured, attacks: Sequence[str], sides: Iterable[str] = SIDES) -> Iterator[Line]:
    """Each attack, side and target; the columns are how many items are mixed in, from 0 on."""
    for attack, against in product(attacks, sides):
        own = measured.mixed[(measured.mixed["attack"] == attack) & (measured.mixed["against"] == against)]
        for line in _complete(_lines(own, "strength", attack=attack, against=against)):
            if 0 in line.by and line.by.shape[1] > 1:
                yield line


def _prices(measured: Measured) -> Iterator[Line]:
    """Each target's quality; the columns are how many items are mixed in."""
    return _complete(_lines(mixing(measured.quality), "strength", "recall_served"))


def _datasets(measured: Measured, of: Callable[[pd.DataFrame], pd.Series], attack: str) -> Iterator[Line]:
    """Each data set; the columns are targets, whose users are the same."""
    figures = _by_attack(measured, of)
    for dataset, own in figures.groupby(level="dataset"):
        yield Line(str(dataset), _HARD, own.droplevel("dataset").unstack("target"), attack)


def _sparse_data(measured: Measured) -> Iterator[Line]:
    """Each target on sparse data; the columns are what queries add there and on dense data."""
    gains = _by_attack(measured, lambda by: by["ptq"] - by["ptd"]).unstack("dataset").reindex(columns=[_SPARSE, _DENSE])
    for target, own in gains.groupby(level="target"):
        yield Line(_SPARSE, str(target), own, "ptq")


def _by_attack(measured: Measured, of: Callable[[pd.DataFrame], pd.Series]) -> pd.Series:
    heldout = measured.table_rows[measured.table_rows["group"] == "heldout"]
    by = heldout.pivot(index=["dataset", "target", "seed"], columns="attack", values="agreement")
    return of(by.reindex(columns=by.columns.union([*_PTS])))


def _set_against(per: Callable[[Measured], Iterable[Line]], other: Callable[[Measured], Iterable[Line]]) -> Any:
    """Lines with another one on the same target and side beside each, where there is one."""

    def lines(measured: Measured) -> Iterator[Line]:
        others = {line.place: line for line in other(measured)}
        return (line._replace(other=others.get(line.place)) for line in per(measured))

    return lines


def _above(*pairs: tuple[str, str]) -> Callable[[Line], Iterator[Found]]:
    """The first of each pair of columns above the second, of held-out users; above ``qsd`` of queried ones too.

    Where targets have vectors of users it learns those of the asked users alone, so both groups judge it.
    """

    def compared(line: Line) -> Iterator[Found]:
        for attack, versus in pairs:
            groups = GROUPS if versus == "qsd" else _HELDOUT
            if {attack, versus} <= set(line.by) and line.group in groups:
                text = f"{_prefix(line.group, groups)}above {versus}"
                yield Found(text, (line.by[attack] - line.by[versus]).dropna(), attack)

    return compared


def _below(attack: str, versus: str) -> Callable[[Line], Iterator[Found]]:
    """A column below another."""
    turned = _above((versus, attack))
    return lambda line: (Found(f"below {versus}", found.differences, attack) for found in turned(line))


def _beyond_lookups(line: Line) -> Iterator[Found]:
    """Above popularity, and above the look-up that is the best of the cell; random lists stand beside."""
    by = line.by.reindex(columns=[*PAPER_ATTACKS, *_LOOKUPS, "random"])
    means = by[list(_LOOKUPS)].mean().dropna()
    best = str(means.idxmax()) if len(means) else _LOOKUPS[0]
    for attack in PAPER_ATTACKS:
        beside = f"above random: {share((by[attack] - by['random']).mean(), signed=True)}"
        for versus, what in ((_LOOKUPS[0], _LOOKUPS[0]), (best, f"the best look-up, {best}")):
            yield Found(f"above {what}", (by[attack] - by[versus]).dropna(), attack, beside)


def _harder(what: str) -> Callable[[Line], Iterator[Found]]:
    """lmf above the other targets."""

    def compared(line: Line) -> Iterator[Found]:
        for target in sorted({*line.by} - {_HARD}) if _HARD in line.by else ():
            yield Found(f"{what} {target}", (line.by[_HARD] - line.by[target]).dropna())

    return compared


def _more_on_sparse_data(line: Line) -> Iterator[Found]:
    yield Found("above ptd", line.by[_SPARSE].dropna())
    yield Found(f"gain on ptd above that on {_DENSE}", (line.by[_SPARSE] - line.by[_DENSE]).dropna())


def _alike_at_each_length(line: Line) -> Iterator[Found]:
    if line.other and (line.dataset, line.target) == ("ml-1m", "ncf"):
        for length in line.by.columns.intersection(line.other.by.columns):
            text = f"equal to {line.other.attack}, {length} items in a list"
            yield Found(text, (line.by[length] - line.other.by[length]).dropna())


def _losses_alike(line: Line) -> Iterator[Found]:
    """Any two of them are equal.

    The largest less the smallest is biased upwards, and its distribution is not Student's: it is within the margin
    just where every pair is, so the pairs are tested.
    """
    order = line.by.mean().sort_values(ascending=False).index
    pairs = {f"{a} - {b}": line.by[a] - line.by[b] for a, b in combinations(order, 2)}
    yield Found("furthest two of four losses", pd.DataFrame(pairs))


def _rises(line: Line) -> Iterator[Found]:
    """How far each seed's line rises; seeds that lack a point are left out: lines through others are other figures."""
    complete = line.by.dropna()
    if complete.shape[1] >= POINTS_OF_A_TREND:
        yield Found(f"{line.prefix}trend over {_range(line.axis, complete)}", line_rise(complete))


def _flatter(line: Line) -> Iterator[Found]:
    """How much steeper another's line is through the same points, whatever its direction.

    A seed's steepness is never negative, so noise adds to that of a level line: it works against the claim.
    """
    if line.other:
        own, other = line.by.dropna().align(line.other.by.dropna(), join="inner")
        if own.shape[1] >= POINTS_OF_A_TREND:
            text = f"{line.prefix}slope below {line.other.attack}'s, {_range(line.axis, own)}"
            yield Found(text, line_rise(other).abs() - line_rise(own).abs())


def _with_the_least(line: Line) -> Iterator[Found]:
    """With the least auxiliary data above who has none."""
    if line.axis and line.other and _LEAST in line.by:
        above = (line.by[_LEAST] - line.other.by[line.axis.usual]).dropna()
        yield Found(f"{_LEAST} % of {line.axis.title}, above {line.other.attack}", above)


def _clone_above(pairs: Callable[[str, list[str]], list[tuple[str, str]]]) -> Callable[[Line], Iterator[Found]]:
    """Of the pairs that a target and the clones give, the first above the second; equally good ones leave it open."""

    def compared(line: Line) -> Iterator[Found]:
        for clone, versus in pairs(line.target, [str(name) for name in line.by if name != _POPULARITY]):
            if {clone, versus} <= set(line.by) and clone != versus:
                text = f"{clone} clone above {versus}{' clone' * (versus != _POPULARITY)}"
                yield Found(text, (line.by[clone] - line.by[versus]).dropna())

    return compared


def _falls(line: Line) -> Iterator[Found]:
    """How much less the highest strength has than none."""
    yield Found("agreement", _fall(line.by))


def _falls_beside_the_ceiling(line: Line) -> Iterator[Found]:
    """The same, and of the share of what the target's own lists repeat."""
    yield from _falls(line)
    if line.other:
        yield Found("share of the ceiling", _fall((line.by / line.other.by).dropna()))


def _fall(by: pd.DataFrame) -> pd.Series:
    fall: pd.Series = by[0] - by[by.columns.max()]
    return fall


def _declines(what: str) -> Callable[[Line], Iterator[Found]]:
    """How far the line fitted to each seed's points falls from none to the highest strength."""
    return lambda line: iter([Found(f"{what}, trend", -line_rise(line.by))])


def _remains_above(line: Line) -> Iterator[Found]:
    if line.other:
        highest = line.by.columns.max()
        above = (line.by[highest] - line.other.by[highest]).dropna()
        yield Found(f"agreement at n = {highest}, above {line.other.attack}", above)


def line_rise(by_value: pd.DataFrame) -> pd.Series:
    """Returns how far each seed's least-squares line over several values rises from the first to the last."""
    values = by_value.columns.to_numpy(dtype=np.float64)
    centred = values - values.mean()
    rise: pd.Series = (by_value @ centred) / (centred**2).sum() * np.ptp(values)
    return rise


@dataclass(frozen=True)
class Claim:
    """A claim of the paper: where it stands, what it says, how it is checked, what the paper's own tables say; a test.

    Attributes:
        per: For each of what it is judged; None for a claim that no measurement says anything of.
        contrast: What is set against what.
        test: ``difference``, ``trend`` or ``equality``.
    """

    id: int
    section: str
    says: str
    check: str
    paper_tables: str
    per: Callable[[Measured], Iterable[Line]] | None
    contrast: Callable[[Line], Iterable[Found]]
    test: str

    def cells(self, measured: Measured) -> list[tuple[Line, Found]]:
        """Returns all that it is judged on, of which a seed was measured."""
        lines = self.per(measured) if self.per else ()
        return [(line, found) for line in lines for found in self.contrast(line) if len(found.differences)]


_AUXILIARY = partial(_along, axis=axes.AUXILIARY_USERS, attacks=("pta",))
_SHARED_ITEMS = partial(_along, axis=axes.ITEMS, attacks=("pta",))
_ASKED = partial(_along, axis=axes.ASKED, groups=GROUPS)
_ALL_SIDES = partial(_under_mixing, attacks=("ptq", "ptaq"))
_WITHOUT_QUERIES = partial(_under_mixing, attacks=("ptd", "pta"), sides=("served",))
_CEILING = partial(_under_mixing, attacks=(TARGET,), sides=("served",))


def _lengths(measured: Measured) -> Iterator[Line]:
    """The attacks without queries along the lengths, each beside the one with them."""
    for attack, versus in (("pta", "ptaq"), ("ptd", "ptq")):
        one, other = (partial(_along, axis=axes.LIST_LENGTH, attacks=(name,)) for name in (attack, versus))
        yield from _set_against(one, other)(measured)


def _all_under_mixing(measured: Measured) -> Iterator[Line]:
    """Each attack and side; who asks nothing cannot change against undefended lists."""
    yield from _ALL_SIDES(measured)
    yield from _WITHOUT_QUERIES(measured)


def _claim(
    number: int,
    per: Callable[[Measured], Iterable[Line]] | None = None,
    contrast: Callable[[Line], Iterable[Found]] = _rises,
    test: str = DIFFERENCE,
) -> Claim:
    return Claim(**paper_data("paper_claims.json")[number - 1], per=per, contrast=contrast, test=test)


CLAIMS = (
    _claim(1, _targets, _beyond_lookups),
    _claim(2, _targets, _above(("pta", "ptd"), ("ptaq", "ptq"), ("ptq", "ptd"), ("ptaq", "pta"))),
    _claim(
        3, partial(_targets, groups=GROUPS), _above(*(("ptaq", attack) for attack in PAPER_ATTACKS if attack != "ptaq"))
    ),
    _claim(
        4, partial(_targets, groups=GROUPS), _above(*((attack, "qsd") for attack in PAPER_ATTACKS if attack != "qsd"))
    ),
    _claim(5, partial(_datasets, of=lambda by: -by["ptd"], attack="ptd"), _harder("below")),
    _claim(
        6,
        partial(_datasets, of=lambda by: by["ptaq"] - by["ptd"], attack="ptaq"),
        _harder("gain on ptd above that on"),
    ),
    _claim(7, partial(_along, axis=axes.LIST_LENGTH), _rises, TREND),
    _claim(8, _lengths, _alike_at_each_length, EQUALITY),
    _claim(9, _sparse_data, _more_on_sparse_data),
    _claim(10, partial(_along, axis=axes.TARGET_USERS), _rises, TREND),
    _claim(11, _clones, _clone_above(lambda own, all_: [(one, _POPULARITY) for one in all_ if one != own])),
    _claim(12, _clones, _clone_above(lambda _, all_: [(_BEST_CLONE, one) for one in all_])),
    _claim(13, _clones, _clone_above(lambda own, all_: [(one, own) for one in all_])),
    _claim(14, _targets, _above(("pta", "pta_pre"), ("ptaq", "ptaq_pre"))),
    _claim(15, _set_against(_AUXILIARY, partial(_AUXILIARY, attacks=("ptd",))), _with_the_least),
    _claim(16, partial(_AUXILIARY, attacks=("pta", "ptaq")), _rises, TREND),
    _claim(17, _set_against(_SHARED_ITEMS, partial(_SHARED_ITEMS, attacks=("ptd",))), _with_the_least),
    _claim(18, _targets, _above(("ptd", "pta_joint"), ("pta", "pta_joint"))),
    _claim(19, _ALL_SIDES, _falls),
    _claim(20, _set_against(_WITHOUT_QUERIES, _CEILING), _falls_beside_the_ceiling),
    _claim(21, _prices, _declines("Recall of served lists"), TREND),
    _claim(22, _all_under_mixing, _declines("agreement"), TREND),
    _claim(
        23,
        _set_against(partial(_under_mixing, attacks=("ptaq",)), partial(_under_mixing, attacks=(_POPULARITY,))),
        _remains_above,
    ),
    _claim(24, _losses, _losses_alike, EQUALITY),
    _claim(
        25, _set_against(partial(_ASKED, attacks=("ptq", "ptaq")), partial(_ASKED, attacks=("qsd",))), _flatter, TREND
    ),
    _claim(26, partial(_ASKED, attacks=("qsd",)), _rises, TREND),
    _claim(27, _sequential_targets, _above(("ptaq", "ptq"), ("ptaq", "ptd"), ("ptaq", _MOST_CALLS))),
    _claim(28, partial(_along, axis=axes.CALLS, attacks=("qsd",)), _rises, TREND),
    _claim(29, _sequential_targets, _below(_MOST_CALLS, "ptaq")),
    _claim(30),
)
"""The paper's claims in its order; what they say stands in ``paper_claims.json``."""
DEFENSE_CLAIMS = tuple(claim for claim in CLAIMS if claim.id in range(19, 24))
"""Those on popular mixing."""


def judge(measured: Measured, claims: Iterable[Claim] = CLAIMS) -> pd.DataFrame:
    """Judges claims on what was measured, with Holm's correction over the cells of each.

    Returns:
        A row for each claim and cell of it: ``CLAIM_COLUMNS``, ``FIGURES`` (the mean difference over seeds with its
        95 % t interval) and ``kind``.
    """
    rows: list[list[Any]] = []
    for claim in claims:
        cells = claim.cells(measured)
        together = judge_equal_together if claim.test == EQUALITY else judge_together
        judged = together([found.differences.to_numpy() for _, found in cells])
        for (line, found), (over, p) in zip(cells, judged, strict=True):
            attack = found.attack or line.attack
            about = [claim.id, line.dataset, line.target, attack, line.against, found.text, found.beside]
            rows.append([*about, over.mean, over.low, over.high, p, over.n_seeds, over.verdict, over.note, claim.test])
    return pd.DataFrame(rows, columns=[*CLAIM_COLUMNS, *FIGURES, "kind"])


def direction(row: Mapping[Any, Any]) -> str:
    """Says on which side of a claim the figure of a row of ``judge`` lies, which is no verdict."""
    holds = abs(row["difference"]) <= MARGIN if row["kind"] == EQUALITY else row["difference"] > 0
    return "for it" if holds else "against it"


@dataclass(frozen=True)
class ClaimVerdict:
    """A claim and how many of its cells bear it out, contradict it or do neither, some of these for want of seeds.

    ``n_expected`` are the cells that there are when all of the studies of ``conf/paper`` were run.
    """

    claim: Claim
    n_expected: int
    borne_out: int
    contradicted: int
    open: int
    few_seeds: int = 0

    @property
    def n_cells(self) -> int:
        """The cells measured, of however many seeds."""
        return self.borne_out + self.contradicted + self.open

    @property
    def n_decidable(self) -> int:
        """Those of them with the seeds that a verdict needs."""
        return self.n_cells - self.few_seeds

    @property
    def verdict(self) -> str:
        """``borne out`` where all cells are, ``partly borne out`` where some are and the others open.

        ``mixed`` where some are and others are contradicted; ``contradicted`` where some are and none is borne out;
        ``open`` where all are; ``not measured`` without a cell; ``no test`` of a claim that has none. Claim 13 says
        "some": it is borne out where a cell is, contradicted where all that it needs are, else open.
        """
        if not self.n_cells:
            return UNMEASURED if self.claim.per else UNTESTED
        if self.claim.id == _EXISTENTIAL:
            all_against = self.contradicted >= max(self.n_cells, self.n_expected)
            return BORNE_OUT if self.borne_out else CONTRADICTED if all_against else OPEN
        if self.borne_out:
            return MIXED if self.contradicted else PARTLY if self.open else BORNE_OUT
        return CONTRADICTED if self.contradicted else OPEN

    @property
    def whole(self) -> bool:
        """Whether all of its cells were measured, with the seeds that a verdict needs."""
        return bool(self.n_cells) and not self.few_seeds and self.n_cells >= self.n_expected

    @property
    def said(self) -> str:
        """The verdict; of a claim measured in part also that, since its other cells may say otherwise."""
        if self.whole or not self.n_cells:
            return self.verdict
        # One cell that bears out a claim about some is enough, whatever the others say.
        so_far = "" if (self.claim.id, self.verdict) == (_EXISTENTIAL, BORNE_OUT) else " so far"
        return f"{self.verdict}{so_far}, {self.n_decidable} of {self.n_expected} cells"

    @property
    def summary(self) -> str:
        """The verdict with its counts: ``Mixed so far, 5 of 36 cells: borne out in 3, contradicted in 2.``"""
        if not self.n_cells:
            return TEXTS["provenance"] if self.verdict == UNTESTED else f"{self.verdict.capitalize()}."
        counts = {BORNE_OUT: self.borne_out, CONTRADICTED: self.contradicted, OPEN: self.open}
        first, *others = [f"{name} in {count}" for name, count in counts.items() if count]
        of_all = f" of {self.n_cells} cell{'s' * (self.n_cells > 1)}" if self.whole else ""
        seeds = f" ({self.few_seeds} for want of seeds)" if self.few_seeds else ""
        return f"{self.said.capitalize()}: {', '.join([first + of_all, *others])}{seeds}."


def verdict_of(judged: pd.DataFrame, claim_id: int) -> ClaimVerdict:
    """Sums up the cells of a claim that ``judge`` found.

    Raises:
        SettingsError: If there is no such claim.
    """
    if claim_id not in range(1, len(CLAIMS) + 1):
        raise SettingsError(f"claim {claim_id}: there is none; the claims are 1 to {len(CLAIMS)}")
    own = judged[judged["claim"] == claim_id]
    borne_out, contradicted, undecided = ((own["verdict"] == name).sum() for name in (BORNE_OUT, CONTRADICTED, OPEN))
    expected, few_seeds = expected_cells().get(claim_id, 0), int((own["note"] != "").sum())
    return ClaimVerdict(CLAIMS[claim_id - 1], expected, int(borne_out), int(contradicted), int(undecided), few_seeds)


@cache
def expected_cells() -> dict[int, int]:
    """Returns how many cells each claim has when all of the studies of ``conf/paper`` were run.

    ``python -m rec_msa.experiments.expected`` works them out of these studies, which no installed package has with it.
    """
    return {int(claim): count for claim, count in paper_data("paper_cells.json").items()}


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    sequential = table["target"].map(is_sequential).astype(bool)
    return table[(table["dataset"].isin(DATASETS) | sequential) & (table["seed"] < _FIRST_TRIAL_SEED)]


def _prefix(group: str, groups: Sequence[str]) -> str:
    return f"{GROUP_NAMES[group]} users, " if len(groups) > 1 else ""


def _range(axis: Axis | None, by_value: pd.DataFrame) -> str:
    ends = f"{by_value.columns.min()} to {by_value.columns.max()}"
    return f"{axis.title}, {ends}" + f" {axis.unit}" * bool(axis.unit) if axis else ends
