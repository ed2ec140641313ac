"""Evaluation: agreement with the target, intervals, verdicts on claims and recommendation quality."""

from rec_msa.evaluation.agreement import GROUPS, agreement_tables, cutoffs, overlap
from rec_msa.evaluation.comparison import compare, sign_flip
from rec_msa.evaluation.intervals import SeedInterval, bootstrap_interval, seed_interval
from rec_msa.evaluation.quality import mean_quality, recall_ndcg
from rec_msa.evaluation.verdicts import (
    Verdict,
    equivalence,
    holm,
    judge_equal_together,
    judge_together,
    paired_verdict,
)

__all__ = [
    "GROUPS",
    "SeedInterval",
    "Verdict",
    "agreement_tables",
    "bootstrap_interval",
    "compare",
    "cutoffs",
    "equivalence",
    "holm",
    "judge_equal_together",
    "judge_together",
    "mean_quality",
    "overlap",
    "paired_verdict",
    "recall_ndcg",
    "seed_interval",
    "sign_flip",
]
