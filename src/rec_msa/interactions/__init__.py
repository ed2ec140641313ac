"""Interactions: finding and reading raw data, filtering, indexing, and the splits by the seed."""

from rec_msa.interactions.acquisition import RawFile, acquire, locate, verified
from rec_msa.interactions.checksums import checksum
from rec_msa.interactions.known import KNOWN
from rec_msa.interactions.reading.originals import read_raw
from rec_msa.interactions.settings import DatasetSettings, SequenceSettings, SplitSettings
from rec_msa.interactions.splits import (
    PARTS,
    attacker_interactions,
    attackers,
    auxiliary_parts,
    count,
    in_sequence,
    item_sample,
    split_by_time,
    split_interactions,
    split_served,
    target_parts,
)
from rec_msa.interactions.statistics import describe, summarise, summary_line
from rec_msa.interactions.vocabulary import prepare

__all__ = [
    "KNOWN",
    "PARTS",
    "DatasetSettings",
    "RawFile",
    "SequenceSettings",
    "SplitSettings",
    "acquire",
    "attacker_interactions",
    "attackers",
    "auxiliary_parts",
    "checksum",
    "count",
    "describe",
    "in_sequence",
    "item_sample",
    "locate",
    "prepare",
    "read_raw",
    "split_by_time",
    "split_interactions",
    "split_served",
    "summarise",
    "summary_line",
    "target_parts",
    "verified",
]
