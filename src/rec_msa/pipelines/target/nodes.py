"""Training the target and measuring how good it is."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd

from rec_msa.defenses.settings import NO_DEFENSE, parse_defense
from rec_msa.foundation.errors import SettingsError
from rec_msa.targets.settings import TargetSettings
from rec_msa.training.settings import TrainingSettings

logger = logging.getLogger(__name__)

LARGE_SHARE = 0.5
"""Lists of more of what can be recommended than this share are warned of."""

SHORT = 10
"""The cutoff of most published figures for sequential models."""

QUALITY = tuple(f"{name}_{of}" for of in ("test", f"test_at_{SHORT}", "served") for name in ("recall", "ndcg"))
"""What is measured on test interactions, where there are any."""


def train_recommender(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    statistics: dict[str, Any],
    recommender: dict[str, Any],
    training: TrainingSettings,
    device: str,
    architecture: str,
    seed: int,
    role: str,
    patience: int | None = None,
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Trains a recommender on interactions until its validation recall falls; returns checkpoint and curve.

    The role (target, retrain, auxiliary) chooses the random stream; ``patience`` is what the data ask for.
    """
    from rec_msa.training.recommender import train_recommender as train_one

    n_items, settings = statistics["items"], training.waiting(patience)
    return train_one(architecture, recommender, train, validation, n_items, settings, seed, role, device)


def record_target(
    lists: pd.DataFrame,
    target_train: pd.DataFrame,
    statistics: dict[str, Any],
    settings: TargetSettings,
    list_length: int,
    target: str,
) -> dict[str, Any]:
    """Takes recorded lists for the target; returns the checkpoint of a model that serves them."""
    from rec_msa.targets import recording

    n_items, drop = statistics["items"], settings.known == "drop"
    return recording.record(lists, target_train, n_items, list_length, target, drop)


def call_target(
    users: pd.DataFrame,
    items: pd.DataFrame,
    target_train: pd.DataFrame,
    settings: TargetSettings,
    list_length: int,
    target: str,
    code: list[str],
    version: str | None,
) -> dict[str, Any]:
    """Takes a function for the target; it is asked about a few users, to see that it answers. Returns a checkpoint.

    ``code`` names what is called, so that another text of its module is another target, as is another ``version``; and
    without one, another answer about these users.
    """
    from rec_msa.targets import recording

    return recording.call(settings, target, users, items, target_train, list_length)


def fit_target(
    users: pd.DataFrame,
    items: pd.DataFrame,
    target_train: pd.DataFrame,
    settings: TargetSettings,
    target: str,
    code: list[str],
    seed: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Trains the target by a function of the user's own; returns the checkpoint of its lists for all of its users.

    And whether the same seed makes the same lists again, where that is known. ``code`` is as of ``call_target``.
    """
    from rec_msa.targets.recording import Fitting

    model, repeats = Fitting(settings, target, users, items).checked(target_train, seed)
    return model, {"repeats": repeats}


def refit_target(
    users: pd.DataFrame,
    items: pd.DataFrame,
    target_train: pd.DataFrame,
    settings: TargetSettings,
    target: str,
    code: list[str],
    seed: int,
    role: str,
) -> dict[str, Any]:
    """Trains it once more from the start of another role; returns the checkpoint. ``code`` is as of ``call_target``."""
    from rec_msa.targets.recording import Fitting

    return Fitting(settings, target, users, items).checkpoint(target_train, seed, role)


def check_lists(
    split: pd.DataFrame,
    statistics: dict[str, Any],
    list_length: int,
    defense: str,
    defense_settings: dict[str, Any] | None = None,
    recorded: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Refuses lists and defenses that cannot be served, before anything is trained; returns what was checked.

    Of a target whose lists were recorded, they say how long they are.
    """
    from rec_msa.defenses.settings import check_defense
    from rec_msa.foundation.lists import check_room
    from rec_msa.interactions import target_parts

    train = target_parts(split)[0]
    n_items, n_known = statistics["items"], train["user"].value_counts()
    check_room(list_length, n_items, int(n_known.max()))
    share = list_length / (n_items - n_known.median())
    if share > LARGE_SHARE:
        logger.warning(
            "lists of %d hold %.0f %% of what half of the users can be recommended, and random items agree by about as "
            "much: a shorter list_length tells more",
            *(list_length, 100 * share),
        )
    if recorded is not None:
        require_places(recorded, defense)
    if defense_settings is not None:
        check_defense(defense, defense_settings, list_length, n_items, train)
    return {"list_length": list_length, "defense": defense, "settings": defense_settings}


def require_places(recorded: pd.DataFrame, defense: str) -> None:
    """Refuses a defense that alters more places than some recorded list has (``SettingsError``)."""
    _, n = parse_defense(defense)
    if n_short := int((recorded.groupby("user").size() < n).sum()):
        raise SettingsError(
            f"defense: '{defense}' alters {n} places, and {n_short} recorded lists have fewer; take a lower strength "
            "(of an audit, in audit.defenses) or record longer lists"
        )


def assess_target(
    target_model: dict[str, Any],
    target_train: pd.DataFrame,
    target_validation: pd.DataFrame,
    target_test: pd.DataFrame,
    list_length: int,
    device: str,
    facts: dict[str, Any],
    defense_settings: dict[str, Any] | None = None,
    validation_known: bool = True,
) -> dict[str, Any]:
    """Recall and NDCG on test interactions: over all items (``test``), and of the served lists (``served``).

    The facts of the cell stand beside them. Over all items also at 10, as the literature on sequential models has it; a
    sequential target then reads the validation item, too. Under a defense also how many users get replacements from
    elsewhere than its settings say (``n_widened``). A function of the user's own leaves out what it likes;
    validation items are then not known (``validation_known``).
    """
    from rec_msa.defenses.settings import Serving
    from rec_msa.evaluation import mean_quality

    if target_test.empty:  # what others trained on all there is
        return {**facts, "k": list_length, "n_users": 0, **dict.fromkeys(QUALITY)}
    known = pd.concat([target_train, target_validation], ignore_index=True) if validation_known else target_train
    users = np.unique(target_train["user"].to_numpy())
    serving = Serving(list_length=list_length, defense=facts["defense"], seed=facts["seed"])
    open_lists = serving.undefended().of(target_model, known, device)(users)
    server = serving.of(target_model, target_train, device, defense_settings)
    qualities = {
        "test": mean_quality(open_lists, target_test, list_length),
        f"test_at_{SHORT}": mean_quality(open_lists, target_test, min(SHORT, list_length)),
        "served": mean_quality(server(users), target_test, list_length),
    }
    return {
        **facts,
        "k": list_length,
        "n_users": qualities["test"]["n_users"],
        **{f"{name}_{where}": quality[name] for where, quality in qualities.items() for name in ("recall", "ndcg")},
        **({} if serving.defense == NO_DEFENSE else {"n_widened": server.n_widened(users)}),
    }
