"""What an artifact must have been made from."""

from __future__ import annotations

from kedro.io import DataCatalog
from kedro.pipeline import Pipeline, node

from rec_msa.attacks.base import Asking
from rec_msa.attacks.gate import AskOnce
from rec_msa.bookkeeping.provenance import fingerprints
from rec_msa.pipelines.binding import bind


class AskTwice(Asking):
    """Another way of asking, with the settings of ``AskOnce``."""


def ask(users: int, asking: Asking) -> int:
    return users * asking.calls_per_user


def made_from(asking: Asking) -> str:
    pipeline = Pipeline([node(bind(ask, asking=asking), "users", "lists")])
    return fingerprints(pipeline, DataCatalog())["lists"]


def test_answers_of_another_way_of_asking_with_the_same_settings_were_taken_for_current() -> None:
    assert made_from(AskOnce()) == made_from(AskOnce())
    assert made_from(AskOnce()) != made_from(AskTwice())
