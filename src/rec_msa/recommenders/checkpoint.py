"""Building recommenders by name, fusing them, and turning them into plain checkpoints and back.

A checkpoint is a dictionary of tensors, numbers and strings: it needs no pickled class, so a file from a stranger can
be loaded safely, and it crosses process borders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError
from torch import Tensor

from rec_msa.foundation.errors import DataError, SettingsError, nearest
from rec_msa.recommenders.bpr import Bpr
from rec_msa.recommenders.gru4rec import Gru4rec
from rec_msa.recommenders.items import FusedItemTable
from rec_msa.recommenders.lmf import Lmf
from rec_msa.recommenders.ncf import Ncf
from rec_msa.recommenders.sasrec import Sasrec
from rec_msa.recommenders.stamp import Stamp

if TYPE_CHECKING:
    from rec_msa.recommenders.base import Recommender
    from rec_msa.recommenders.settings import RecommenderSettings

Checkpoint = dict[str, Any]

RECOMMENDERS: dict[str, type[Recommender]] = {model.name: model for model in (Bpr, Lmf, Ncf, Sasrec, Stamp, Gru4rec)}


def build(name: str, user_ids: Tensor, n_items: int, settings: RecommenderSettings | dict[str, Any]) -> Recommender:
    """Makes an untrained recommender; its parameters are not drawn yet.

    Args:
        name: Architecture, a key of ``RECOMMENDERS``.
        user_ids: Global ids of the users that it shall know ``[n_users]``; sorted here.
        n_items: Size of the catalogue.
        settings: The architecture's settings, typed or plain.

    Raises:
        SettingsError: The architecture does not exist.
    """
    if name not in RECOMMENDERS:
        msg = f"model: there is no recommender '{name}'; {nearest(name, RECOMMENDERS)}"
        raise SettingsError(msg)
    typed = RECOMMENDERS[name].settings_class.model_validate(settings)
    return RECOMMENDERS[name](torch.as_tensor(user_ids).long().unique(), n_items, typed)


def fuse(model: Recommender, *, attention: bool = True) -> None:
    """Replaces every item table by one that fuses it with an auxiliary table (zeros until loaded)."""
    for name, table in zip(model.item_tables, model.tables(), strict=True):
        setattr(model, name, FusedItemTable(*table.weight.shape, attention=attention).to(table.weight.device))


def load_auxiliary(model: Recommender, auxiliary: Checkpoint, known: Tensor | None = None) -> None:
    """Puts the auxiliary model's item vectors, frozen, into a fused model.

    Args:
        model: A fused recommender of the same architecture and dimensions.
        auxiliary: Checkpoint of the auxiliary model.
        known: Items whose auxiliary vector may be used, ``[n_items]`` of bool; all where None.

    Raises:
        TypeError: The model is not fused.
    """
    for table, vectors in zip(model.tables(), item_vectors(auxiliary), strict=True):
        if not isinstance(table, FusedItemTable):
            msg = f"a {model.name} model without fusion has no place for auxiliary vectors"
            raise TypeError(msg)
        table.auxiliary.copy_(vectors)
        if known is not None:
            table.known.copy_(known)


def item_vectors(checkpoint: Checkpoint) -> list[Tensor]:
    """The item vectors of a checkpoint's tables ``[n_items, d]``, in the order of the model's ``item_tables``."""
    tables = RECOMMENDERS[checkpoint["architecture"]].item_tables
    return [checkpoint["state"][f"{name}.weight"] for name in tables]


def to_checkpoint(model: Recommender) -> Checkpoint:
    """Turns a recommender into a plain dictionary on the CPU."""
    table = model.tables()[0]
    fusion = None
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
