"""The pipelines by name: one for each named attack, the whole comparison, its parts, and studies."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline

from rec_msa.defenses.settings import NO_DEFENSE
from rec_msa.experiments.cells import NO_TARGET
from rec_msa.experiments.defended import attacks_on, defended_cells
from rec_msa.experiments.naming import in_a_line
from rec_msa.framework.boxes import as_drawn
from rec_msa.framework.config import current_experiments
from rec_msa.pipelines.attack.pipeline import create_pipeline as attack_pipeline
from rec_msa.pipelines.audit.pipeline import create_pipeline as audit_pipeline
from rec_msa.pipelines.auxiliary.pipeline import create_pipeline as auxiliary_pipeline
from rec_msa.pipelines.evaluation.pipeline import create_pipeline as evaluation_pipeline
from rec_msa.pipelines.evaluation.pipeline import create_reference_pipeline
from rec_msa.pipelines.evaluation.pipeline import create_retrain_pipeline as retrain_evaluation_pipeline
from rec_msa.pipelines.export.pipeline import create_pipeline as export_pipeline
from rec_msa.pipelines.ingestion.pipeline import create_auxiliary_data_pipeline
from rec_msa.pipelines.ingestion.pipeline import create_pipeline as ingestion_pipeline
from rec_msa.pipelines.reporting.pipeline import (
    create_beliefs_pipeline,
    create_comparison_pipeline,
    create_defense_pipeline,
    create_label_pipeline,
    create_overview_pipeline,
)
from rec_msa.pipelines.target.pipeline import create_pipeline as target_pipeline
from rec_msa.pipelines.target.pipeline import create_retrain_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rec_msa.experiments.cells import Cell, NamedAttack
    from rec_msa.experiments.grid import Experiments

logger = logging.getLogger(__name__)

DESCRIPTIONS = {
    "__default__": "the paper's attacks and every reference on one cell, the target trained once more, too",
    "ingestion": "from the raw file to the interactions and the seed's splits",
    "target": "trains the target and measures how good it is",
    "auxiliary": "trains the attacker's model on users that the target never saw",
    "defense": "every defense at every strength, each attacked: many cells (--params=dry_run=true counts them)",
    "audit": "every planned attack on one target within a budget of minutes, and a page of what they copy",
    "export": "a clone's lists for users' histories, and its vectors, in your own ids",
    "evaluation": "ranks and measures again what the default run has trained",
    "reporting": "the report on all that was measured",
    "compare": "runs of different labels side by side, with the settings that differ (--params=label=<a name>)",
    "study": "a grid of cells: --params=study=<name>; the paper's with --env=paper",
}
"""What the pipelines do that are no single attack."""


class OnDemand(Mapping[str, Pipeline]):
    """Pipelines built when they are asked for: of a large study, only the one that runs."""

    def __init__(self, builders: dict[str, Callable[[], Pipeline]], descriptions: dict[str, str]) -> None:
        self.builders, self.descriptions = builders, descriptions
        self.built: dict[str, Pipeline] = {}

    def __getitem__(self, name: str) -> Pipeline:
        if name not in self.built:
            self.built[name] = as_drawn(self.builders[name]())
        return self.built[name]

    def __contains__(self, name: object) -> bool:
        return name in self.builders

    def __iter__(self) -> Iterator[str]:
        return iter(self.builders)

    def __len__(self) -> int:
        return len(self.builders)


def register_pipelines() -> OnDemand:
    """The pipelines of the session's cells."""
    experiments = current_experiments()
    cells = experiments.cells

    def of_cells(build: Callable[[Cell], Pipeline]) -> Callable[[], Pipeline]:
        return lambda: _sum(build(cell) for cell in cells)

    def attack(name: str) -> Callable[[], Pipeline]:
        return of_cells(lambda cell: single_attack(experiments, cell, name))

    def compared() -> Pipeline:
        return _sum(_study_part(experiments, cell, attacks) for cell, attacks in experiments.grid.items())

    return OnDemand(
        {
            "__default__": compared,
            **{f"attack_{name}": attack(name) for name in experiments.parameters.attacks},
            "export": of_cells(lambda cell: _export(experiments, cell)),
            "ingestion": lambda: _sum(ingestion_pipeline(cell) for cell in experiments.grid),
            "target": of_cells(lambda cell: ingestion_pipeline(cell) + target_pipeline(cell)),
            "audit": lambda: _sum(audit_pipeline(experiments, cell) for cell in _targets(cells)),
            "auxiliary": of_cells(_auxiliary),
            "defense": of_cells(lambda cell: _defense(experiments, cell)),
            "evaluation": lambda: compared().only_nodes_with_tags("evaluation"),
            "reporting": create_overview_pipeline,
            "compare": create_label_pipeline,
            "study": compared,
        },
        DESCRIPTIONS | {f"attack_{name}": in_a_line(attack) for name, attack in experiments.parameters.attacks.items()},
    )


def _export(experiments: Experiments, cell: Cell) -> Pipeline:
    attack = experiments.attack(cell, experiments.parameters.exported)
    histories = experiments.parameters.export.histories is not None
    return ingestion_pipeline(cell) + target_pipeline(cell) + export_pipeline(attack, histories=histories)


def _targets(cells: Sequence[Cell]) -> list[Cell]:
    """One cell of each target; an audit takes seeds and defenses of its own."""
    return list({(cell.dataset, cell.model): cell.undefended() for cell in reversed(cells)}.values())


def single_attack(experiments: Experiments, cell: Cell, name: str) -> Pipeline:
    """One named attack from the raw file to its agreement beside the references."""
    attack = experiments.attack(cell, name)
    return _sum(
        [
            ingestion_pipeline(cell),
            target_pipeline(cell),
            attack_pipeline(attack),
            evaluation_pipeline(attack),
            create_reference_pipeline(attack.attacker),
            create_comparison_pipeline(attack.space, [attack], retrained=0),
            create_beliefs_pipeline(attack),
        ]
    )


def _study_part(experiments: Experiments, cell: Cell, attacks: Sequence[NamedAttack]) -> Pipeline:
    if cell.model == NO_TARGET:
        return ingestion_pipeline(cell)
    for attack in attacks:
        experiments.require_somebody(attack)
    study = experiments.parameters.study
    # Two studies of one cell draw other attacks.
    return comparison(cell, attacks, experiments.retrained, f"{study}." if study else "")


def comparison(cell: Cell, attacks: Sequence[NamedAttack], retrained: int, prefix: str = "") -> Pipeline:
    """Several named attacks on a cell beside all references, the retrained target too.

    Args:
        retrained: How often the target is trained again.
        prefix: Put before the name of the figure.
    """
    parts = [ingestion_pipeline(cell), target_pipeline(cell), create_retrain_pipeline(cell, retrained)]
    made = (attack_pipeline, evaluation_pipeline, create_beliefs_pipeline)
    parts += [make(attack) for attack in attacks for make in made]
    for attacker in dict.fromkeys(attack.attacker for attack in attacks):
        parts += [create_reference_pipeline(attacker), retrain_evaluation_pipeline(attacker, retrained)]
    return _sum([*parts, create_comparison_pipeline(f"{prefix}{cell.served_space}", attacks, retrained=retrained)])


def _auxiliary(cell: Cell) -> Pipeline:
    return ingestion_pipeline(cell) + create_auxiliary_data_pipeline(cell) + auxiliary_pipeline(cell, cell.clone)


def _defense(experiments: Experiments, cell: Cell) -> Pipeline:
    cells = defended_cells(cell, experiments.parameters.defenses)
    names = {one: attacks_on(one, experiments.parameters.attacks) for one in cells}
    measured = {one: _possible(experiments.attack(one, name) for name in found) for one, found in names.items()}
    parts = [comparison(one, attacks, experiments.retrained) for one, attacks in measured.items() if attacks]
    return _sum([*parts, create_defense_pipeline([attack for attacks in measured.values() for attack in attacks])])


def _possible(attacks: Iterable[NamedAttack]) -> list[NamedAttack]:
    """Those whose clone can be of the target's architecture; what is left out is said once, of the undefended cell."""
    asked = list(attacks)
    for attack in asked:
        if attack.unfit and attack.cell.defense == NO_DEFENSE:
            logger.warning("left out of the defenses: attacks.%s%s", attack.name, attack.unfit)
    return [attack for attack in asked if not attack.unfit]


def _sum(pipelines: Iterable[Pipeline]) -> Pipeline:
    """One pipeline of all nodes, the shared ones once; sorted once, which adding up pairwise is not."""
    return Pipeline({node for pipeline in pipelines for node in pipeline.nodes})
