"""Settings of the data: where a user's own table is, how it is filtered, and how its users are split."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Steps = Annotated[int, Field(ge=1, strict=True)]


class DatasetSettings(BaseModel):
    """One entry under ``datasets``: a data set that is known by name, or a user's own table.

    A known data set is read from its folder of raw files and takes ``min_interactions``, ``patience`` and
    ``patience_of`` only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = Field(None, description="a user's own CSV or parquet file, relative to the project's root")
    user: str | None = Field(None, description="the column of that file that holds the users' ids")
    item: str | None = Field(None, description="the column of that file that holds the items' ids")
    time: str | None = Field(None, description="the column of that file that holds the time, if there is one")
    min_interactions: int = Field(5, ge=1, description="k of the k-core: users and items with fewer are dropped")
    patience: Steps | None = Field(
        None,
        description="steps without a better recall that every training on these data waits for at the least; for data "
        "on which models stand still before they learn",
    )
    patience_of: dict[str, Steps] = Field({}, description="the same of some architectures alone, by their names")

    @model_validator(mode="after")
    def _own_data_is_complete(self) -> DatasetSettings:
        own = {"path": self.path, "user": self.user, "item": self.item}
        missing = [name for name, value in own.items() if value is None]
        if missing and (len(missing) < len(own) or self.time is not None):
            raise ValueError(f"your own data needs path, user and item; missing: {', '.join(missing)}")
        columns = [name for name in (self.user, self.item, self.time) if name is not None]
        if len(set(columns)) < len(columns):
            raise ValueError(f"user, item and time must be different columns, not {', '.join(columns)}")
        return self


class SplitSettings(BaseModel):
    """How users and interactions are divided between target, auxiliary data and attacker."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target_fraction: float = Field(0.5, gt=0, lt=1, description="share of users in the target half")
    attacker_fraction: float = Field(0.1, gt=0, lt=1, description="share of target users that the attacker knows")
    heldout_fraction: float = Field(0.25, gt=0, lt=1, description="share of attacker users who are never asked about")
    validation_fraction: float = Field(0.1, gt=0, lt=0.5, description="share of a user's interactions for validation")
    test_fraction: float = Field(0.1, gt=0, lt=0.5, description="share of a target user's interactions for the test")


class SequenceSettings(BaseModel):
    """What puts a user's interactions in order, for sequential models."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: Literal["time", "file"] = Field(
        "time", description="time; or file: the rows of the raw file are known to be in order"
    )
