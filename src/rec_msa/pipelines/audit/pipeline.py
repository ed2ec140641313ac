"""The audit of one target: what is planned, made of the pipelines that attacks and references are made of."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline, node

from rec_msa.bookkeeping.budget import LAST, placed
from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.experiments.audit import planned
from rec_msa.pipelines.attack.pipeline import create_pipeline as create_attack_pipeline
from rec_msa.pipelines.audit import nodes
from rec_msa.pipelines.binding import bind
from rec_msa.pipelines.evaluation.pipeline import create_pipeline as create_evaluation_pipeline
from rec_msa.pipelines.evaluation.pipeline import create_reference_pipeline, create_retrain_pipeline
from rec_msa.pipelines.ingestion.pipeline import create_pipeline as create_ingestion_pipeline
from rec_msa.pipelines.target.pipeline import create_pipeline as create_target_pipeline
from rec_msa.pipelines.target.pipeline import create_retrain_pipeline as create_twin_pipeline
from rec_msa.targets.settings import SPLIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro.pipeline.node import Node

    from rec_msa.experiments.audit import Planned
    from rec_msa.experiments.cells import Attacker, Cell
    from rec_msa.experiments.grid import Experiments

MEASURED = (".agreement",)

KINDS = {"recorded": "recorded", "called": "callable", "fitted": "fitted"}


def create_pipeline(experiments: Experiments, cell: Cell) -> Pipeline:
    """Every planned attack on a cell's target, beside the references, and the page of what they copy.

    Raises:
        SettingsError: There is nothing to try.
    """
    plan = planned(experiments, cell)
    cells = list(dict.fromkeys(one.attack.cell for one in plan))
    parts = [create_ingestion_pipeline(one) + create_twin_pipeline(one) for one in cells]
    # A node that several make has the place of the first.
    first_on = {one: next(place for place, other in enumerate(plan) if other.attack.cell == one) for one in cells}
    made = (".target_quality", ".fit_check")
    parts += [placed(create_target_pipeline(one), place, made) for one, place in first_on.items()]
    for place, one in enumerate(plan):
        parts += [create_attack_pipeline(one.attack), placed(create_evaluation_pipeline(one.attack), place, MEASURED)]
    first_by = {one.attack.attacker: place for place, one in reversed(list(enumerate(plan)))}
    for attacker, place in first_by.items():
        parts += [placed(create_reference_pipeline(attacker), place, MEASURED)]
        parts += [placed(create_retrain_pipeline(attacker), place, MEASURED)]
    shown = [_announce(experiments, cell, plan), *_page(experiments, plan, list(first_by))]
    return Pipeline({one for part in parts for one in part.nodes} | set(shown))


def _announce(experiments: Experiments, cell: Cell, plan: Sequence[Planned]) -> Node:
    """Says what will be done as soon as it is known how many users there are."""
    settings, space = experiments.parameters.audit, cell.all_seeds_space
    parts = Counter(one.part for one in plan)
    shown = ", ".join(f"{n} by {part}" for part, n in parts.items())
    what = f"audit of {cell.model}: {len(plan)} attacks ({shown}) with {len(settings.seeds)} seeds"
    inputs = [f"{plan[0].attack.cell.split_space}.split", "params:split.heldout_fraction"]
    asks = [one.attack.attacker for one in plan if "served_lists" in one.attack.knowledge]
    asking = sorted({(one.attacker_fraction, one.query_fraction) for one in asks})
    say, tags = bind(nodes.announce, asking=asking, what=what), ["audit", "check"]
    return node(say, inputs, f"{space}.audit_plan", name="announce", namespace=_apart(cell), tags=tags)


def _page(experiments: Experiments, plan: Sequence[Planned], attackers: Sequence[Attacker]) -> list[Node]:
    """The page of everything that was measured; and where a limit is set, what fails above it."""
    settings, cell = experiments.parameters.audit, plan[0].attack.cell
    usual = [one for one in attackers if one.list_length == one.defaults[1] and one.cell.defense == NO_DEFENSE]
    most = {one.cell.seed: one for one in sorted(usual or attackers, key=lambda one: one.attacker_fraction)}
    spaces = [one.attack.space for one in plan] + [one.reference_space for one in attackers]
    spaces += [one.retrain_space() for one in attackers if one.cell.retrained]
    inputs = [
        f"{cell.data_root}.statistics",
        f"{cell.data_root}.costs",
        *(f"{one.cell.split_space}.target_train" for one in most.values()),
        *(f"{one.users_space}.attacker_train" for one in most.values()),
        *(f"{one.reference_space}.undefended_target_lists" for one in most.values()),
        *(f"{space}.{table}" for space in dict.fromkeys(spaces) for table in ("agreement", "agreement_per_user")),
    ]
    fitted = cell.made_elsewhere is not None and cell.made_elsewhere.kind == "fitted"
    inputs += [f"{one.cell.target_space}.fit_check" for one in most.values() if fitted]
    names: dict[str, list[list[Any]]] = {}
    for one in plan:
        names.setdefault(one.part, []).append([one.attack.name, one.attack.cell.seed, one.attack.cell.defense])
    keys = {one.attack.name: one.key for one in plan}
    measured: dict[str, list[str]] = {}
    for one in plan:
        measured.setdefault(one.attack.name, []).append(one.attack.space)
    lengths = {"list_length": plan[0].attack.attacker.defaults[1]}
    fixed = {"facts": _facts(cell, list(most)) | lengths, "planned": names, "keys": keys, "spaces": measured}
    write = bind(nodes.write_audit, budget=settings.budget, **fixed)
    space, tags = cell.all_seeds_space, ["audit", "reporting", LAST]
    made = [f"{space}.audit_{what}" for what in ("page", "markdown", "json", "files")]
    found = [node(write, inputs, made, name="write_audit", namespace=_apart(cell), tags=tags)]
    if settings.fail_above is not None:
        below = bind(nodes.require_below, fail_above=settings.fail_above)
        limit = f"{space}.audit_limit"
        found.append(node(below, f"{space}.audit_json", limit, name="require_below", namespace=_apart(cell), tags=tags))
    return found


def _facts(cell: Cell, seeds: list[int]) -> dict[str, Any]:
    """What the page says of the target."""
    target = cell.made_elsewhere
    source = SPLIT if target is None else "left_out" if target.auxiliary_file else target.source
    return {
        "dataset": cell.dataset,
        "name": cell.model,
        "kind": "trained" if target is None else KINDS[target.kind],
        "retrained": cell.retrained,
        "auxiliary": source,
        "seeds": seeds,
    }


def _apart(cell: Cell) -> str:
    """The namespace of what is about all cells of an audit: in the target's own, kedro viz would see a circle."""
    return cell.rooted(f"audit-{cell.dataset}-{cell.model}")
