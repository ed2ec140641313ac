"""Building recommenders by name, fusing them, and turning them into plain checkpoints and back.

A checkpoint is a dictionary of tensors, numbers and strings: it needs no pickled class, so a file from a stranger can
be loaded safely, and it crosses process borders.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError
from torch import Tensor

from rec_msa.foundation.errors import DataError, SettingsError, nearest
from rec_msa.recommenders.averaged import Averaged
from rec_msa.recommenders.base import FusableRecommender, GradientRecommender
from rec_msa.recommenders.composed import Composed
from rec_msa.recommenders.corrected import Corrected
from rec_msa.recommenders.ensemble import Committee, Ensemble
from rec_msa.recommenders.items import FusedItemTable
from rec_msa.recommenders.settings import MADE_ELSEWHERE, SETTINGS, refusal

if TYPE_CHECKING:
    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.settings import RecommenderSettings

Checkpoint = dict[str, Any]

KINDS = SETTINGS | MADE_ELSEWHERE
RECOMMENDERS: dict[str, type[Recommender]] = {
    name: getattr(import_module(f"rec_msa.recommenders.{name}"), name.capitalize()) for name in KINDS
}
"""Each architecture of the settings: the class of its name in the module of its name."""


def build(name: str, user_ids: Tensor, n_items: int, settings: RecommenderSettings | dict[str, Any]) -> Recommender:
    """Makes an untrained recommender for users in any order; its parameters are not drawn yet.

    Raises:
        SettingsError: The architecture does not exist.
    """
    if name not in RECOMMENDERS:
        raise SettingsError(f"model: there is no recommender '{name}'; {nearest(name, SETTINGS)}")
    typed = KINDS[name].model_validate(settings)
    return RECOMMENDERS[name](torch.as_tensor(user_ids).long().unique(), n_items, typed)


COMPOSED: dict[str, type[Composed]] = {kind.name: kind for kind in (Averaged, Corrected)}
"""What is made of other recommenders; no settings name it, so that it is nobody's architecture."""


def as_fusable(model: Recommender) -> FusableRecommender:
    """The model as one that can be fused.

    Raises:
        SettingsError: It cannot; the message names those that can.
    """
    if isinstance(model, FusableRecommender):
        return model
    raise SettingsError(f"clone: {refusal(model.name, 'fusable')}")


def as_trained(model: Recommender) -> GradientRecommender:
    """The model as one that gradients train.

    Raises:
        SettingsError: They do not; the message names those that they do.
    """
    if isinstance(model, GradientRecommender):
        return model
    raise SettingsError(f"clone: {refusal(model.name, 'gradients')}")


def fuse(model: Recommender, *, attention: bool = True) -> None:
    """Replaces every item table by one that fuses it with an auxiliary table (zeros until loaded).

    Raises:
        SettingsError: The model has no item tables.
    """
    fusable = as_fusable(model)
    for name, table in zip(fusable.item_tables, fusable.tables(), strict=True):
        setattr(model, name, FusedItemTable(*table.weight.shape, attention=attention).to(table.weight.device))


def load_auxiliary(model: Recommender, auxiliary: Checkpoint, known: Tensor | None = None) -> None:
    """Puts the auxiliary model's item vectors, frozen, into a fused model of the same architecture and dimensions.

    Those of ``known`` items ``[n_items]`` may be used, of all where it is None.

    Raises:
        TypeError: The model is not fused.
    """
    for table, vectors in zip(as_fusable(model).tables(), item_vectors(auxiliary), strict=True):
        if not isinstance(table, FusedItemTable):
            raise TypeError(f"a {model.name} model without fusion has no place for auxiliary vectors")
        table.auxiliary.copy_(vectors)
        if known is not None:
            table.known.copy_(known)


def item_vectors(checkpoint: Checkpoint) -> list[Tensor]:
    """The item vectors ``[n_items, d]`` that a checkpoint's model scores with, in the order of its ``item_tables``."""
    return as_fusable(from_checkpoint(checkpoint)).item_vectors()


def to_checkpoint(model: Recommender) -> Checkpoint:
    """Turns a recommender into a plain dictionary on the CPU; of one that is made of others, theirs are part of it."""
    if isinstance(model, Composed):
        state = {name: value.detach().cpu().clone() for name, value in model.own_state().items()}
        return {"architecture": model.name, "members": [to_checkpoint(one) for one in model.members], "state": state}
    table, fusion = model.tables()[0] if isinstance(model, FusableRecommender) else None, None
    if isinstance(table, FusedItemTable):
        fusion = "attention" if table.attention else "mean"
    return {
        "architecture": model.name,
        "settings": model.settings.model_dump(mode="json"),
        "n_items": model.n_items,
        "fusion": fusion,
        "state": {name: value.detach().cpu().clone() for name, value in model.state_dict().items()},
    }


def from_checkpoint(checkpoint: Checkpoint, device: torch.device | str = "cpu") -> Recommender:
    """Restores a recommender from ``to_checkpoint``'s dictionary.

    Raises:
        DataError: Another version of the program made it, with settings that there are no more.
    """
    if "members" in checkpoint:
        members = [from_checkpoint(one, device) for one in checkpoint["members"]]
        return COMPOSED[checkpoint["architecture"]].of(members, checkpoint["state"])
    if checkpoint["architecture"] == Ensemble.name:
        return _ensemble(checkpoint, device)
    name, users = checkpoint["architecture"], checkpoint["state"]["user_ids"]
    try:
        model = build(name, users, checkpoint["n_items"], checkpoint["settings"])
    except ValidationError as error:
        keys = ", ".join(str(part) for one in error.errors() for part in one["loc"])
        msg = f"a checkpoint of '{name}' has settings of another version ({keys}); --only-missing-outputs makes it anew"
        raise DataError(msg) from error
    if checkpoint["fusion"]:
        fuse(model, attention=checkpoint["fusion"] == "attention")
    model.load_state_dict(checkpoint["state"])
    return model.to(device)


def _ensemble(checkpoint: Checkpoint, device: torch.device | str) -> Ensemble:
    committees = {
        name: Committee([from_checkpoint(one, device) for one in models], checkpoint["speakers"][name])
        for name, models in checkpoint["committees"].items()
    }
    parts = (checkpoint[name] for name in ("lists", "lookups", "constants"))
    ensemble = Ensemble(checkpoint["user_ids"], checkpoint["n_items"], committees, *parts)
    ensemble.weights = dict(checkpoint["weights"])
    mean, spread = checkpoint["usual"]
    ensemble.usual = mean, spread
    return ensemble.to(device)
