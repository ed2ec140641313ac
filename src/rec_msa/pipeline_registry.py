"""The pipelines by name: one for each named attack, the whole comparison, its parts, and studies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline

from rec_msa.config import current_experiments
from rec_msa.pipelines.attack.pipeline import create_pipeline as attack_pipeline
from rec_msa.pipelines.auxiliary.pipeline import create_pipeline as auxiliary_pipeline
from rec_msa.pipelines.defense.pipeline import defended_cells
from rec_msa.pipelines.evaluation.pipeline import create_pipeline as evaluation_pipeline
from rec_msa.pipelines.evaluation.pipeline import create_reference_pipeline
from rec_msa.pipelines.evaluation.pipeline import create_retrain_pipeline as retrain_evaluation_pipeline
from rec_msa.pipelines.ingestion.pipeline import create_auxiliary_data_pipeline
from rec_msa.pipelines.ingestion.pipeline import create_pipeline as ingestion_pipeline
from rec_msa.pipelines.reporting.pipeline import create_comparison_pipeline, create_overview_pipeline
from rec_msa.pipelines.target.pipeline import create_pipeline as target_pipeline
from rec_msa.pipelines.target.pipeline import create_retrain_pipeline

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rec_msa.experiments import Cell, Experiments


def register_pipelines() -> dict[str, Pipeline]:
    """Builds the pipelines of the session's cells."""
    experiments = current_experiments()
    cells = experiments.cells
    targets = _sum(ingestion_pipeline(cell) + target_pipeline(cell) for cell in cells)
    compared = _sum(comparison(experiments, cell, experiments.study_attacks()) for cell in cells)
    single = {
        f"attack_{name}": _sum(single_attack(experiments, cell, name) for cell in cells)
        for name in experiments.parameters.attacks
    }
    return {
        "__default__": compared,
        **single,
        "ingestion": _sum(ingestion_pipeline(cell) for cell in cells),
        "target": targets,
        "auxiliary": _sum(_auxiliary(experiments, cell) for cell in cells),
        "defense": _sum(_defense(experiments, cell) for cell in cells),
        "evaluation": compared.only_nodes_with_tags("evaluation"),
        "reporting": create_overview_pipeline(),
        "study": compared,
    }


def single_attack(experiments: Experiments, cell: Cell, name: str) -> Pipeline:
    """One named attack from the raw file to its agreement beside the references."""
    attack = experiments.attack(cell, name)
    return (
        ingestion_pipeline(cell)
        + target_pipeline(cell)
        + attack_pipeline(attack)
        + evaluation_pipeline(attack)
        + create_reference_pipeline(attack)
        + create_comparison_pipeline(attack.space, [attack], retrain=False)
    )


def comparison(experiments: Experiments, cell: Cell, names: Iterable[str]) -> Pipeline:
    """Several named attacks on a cell beside all references, the retrained target too."""
    attacks = [experiments.attack(cell, name) for name in names]
    whole = ingestion_pipeline(cell) + target_pipeline(cell) + create_retrain_pipeline(cell)
    for attack in attacks:
        whole += attack_pipeline(attack) + evaluation_pipeline(attack)
        whole += create_reference_pipeline(attack) + retrain_evaluation_pipeline(attack.reference)
    return whole + create_comparison_pipeline(cell.served_space, attacks, retrain=True)


def _auxiliary(experiments: Experiments, cell: Cell) -> Pipeline:
    attack = experiments.references(cell)
    return ingestion_pipeline(cell) + create_auxiliary_data_pipeline(attack) + auxiliary_pipeline(attack)


def _defense(experiments: Experiments, cell: Cell) -> Pipeline:
    cells = defended_cells(cell, experiments.parameters.defenses)
    names = [name for name in ("ptd", "ptq", "pta", "ptaq", "qsd") if name in experiments.parameters.attacks]
    return _sum(comparison(experiments, defended, names) for defended in cells)


def _sum(pipelines: Iterable[Pipeline]) -> Pipeline:
    """One pipeline of all nodes, the shared ones once; sorted once, which adding up pairwise is not."""
    return Pipeline({node for pipeline in pipelines for node in pipeline.nodes})
