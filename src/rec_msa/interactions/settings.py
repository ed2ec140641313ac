"""Settings of the data: where a user's own table is, how it is filtered, and how its users are split."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from rec_msa.interactions.reading.conditions import Condition
from rec_msa.interactions.reading.files import is_url
from rec_msa.interactions.reading.layout import WHITESPACE

if TYPE_CHECKING:
    from pathlib import Path

Steps = Annotated[int, Field(ge=1, strict=True)]


_OF_TEXT = ("columns", "separator", "quotes", "encoding", "list_separator")
OF_OWN_DATA = ("order", "time_format", "where", "missing", *_OF_TEXT, "member")
"""What says more of a user's own table than where it is and what its columns are."""

OF_THE_FILTER = ("min_per_user", "min_per_item")

SEPARATORS = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "whitespace": WHITESPACE}

_ENCODINGS = "utf-8, latin-1, cp1252 and utf-16 are common ones"
_DIRECTIVES = "directives as %Y, %m, %d, %H, %M, %S: 24.12.2020 18:30 is %d.%m.%Y %H:%M"
_LOST = {
    "%p, a.m. or p.m., counts with %I alone, hours of 12: write %I for the hour, or leave out %p": ("p", "I"),
    "%I are hours of 12, and without %p night and day are the same: write %H, or add %p": ("I", "pc"),
    "%d is a day of a month, and the month is missing: %m is 12, %b Dec, %B December, and %M minutes": ("d", "mbBcx"),
    "%M are minutes, and the hour is missing: %H or %I with %p; months are %m": ("M", "HIcX"),
}
"""What strptime reads and takes no notice of: directives that mean nothing without one of others."""

REST = "..."
"""Ends the name of a column that takes all other fields of a line."""


class DatasetSettings(BaseModel):
    """One entry under ``datasets``: a data set that is known by name, or a user's own table.

    A known data set is read from its folder of raw files and takes the filter (``min_interactions``, ``min_per_user``,
    ``min_per_item``), ``patience`` and ``patience_of`` only. ``docs/files.md`` shows each of the others at work.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        None,
        description="a user's own file, folder of files, pattern (*, ?, **) or fsspec URL, or a list of these; "
        "relative to the project's root",
    )
    user: str | None = Field(None, description="the column of that file that holds the users' ids")
    item: str | None = Field(None, description="the column of that file that holds the items' ids")
    time: str | None = Field(None, description="the column of that file that holds the time, if there is one")
    order: str | None = Field(None, description="the column that says what came first among equal times")
    time_format: str | None = Field(None, description="how dates that are not ISO are written, as %d/%m/%Y %H:%M")
    where: dict[str, Any] = Field(
        {},
        description="which rows count: a value, a list of values or a comparison for each column, as "
        "{rating: '>= 4', event: [cart, buy]}",
    )
    missing: Literal["refuse", "drop", "keep"] = Field(
        "refuse",
        description="a row without user or item: refuse the file; drop such rows; keep: NA, NULL and the like are ids",
    )
    columns: tuple[str, ...] | None = Field(
        None,
        description="names of a text file's columns, whose first line is data; items... takes all that follow",
    )
    separator: str | None = Field(
        None, description="what parts the fields of a text file: a character, the same one several times, tab or space"
    )
    quotes: Literal["doubled", "backslash", "none"] = Field(
        "doubled",
        description="a quotation mark within a quoted field is doubled or follows a backslash; none: it is a character "
        "like others",
    )
    encoding: str = Field("utf-8", description="of a text file, as latin-1 or utf-16")
    list_separator: str | None = Field(None, description="what parts the items of a field that holds several")
    member: str | None = Field(None, description="the file of a zip archive that is read, by its name or a pattern")
    min_interactions: int = Field(5, ge=1, description="k of the k-core: users and items with fewer are dropped")
    min_per_user: Steps | None = Field(None, description="the same of users alone")
    min_per_item: Steps | None = Field(None, description="the same of items alone")
    patience: Steps | None = Field(
        None,
        description="steps without anything better that every training on these data waits for at the least; for data "
        "on which models stand still before they learn",
    )
    patience_of: dict[str, Steps] = Field({}, description="the same of some architectures alone, by their names")

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of a user's own table; none of a known data set."""
        return () if self.path is None else (self.path,) if isinstance(self.path, str) else self.path

    def under(self, root: Path) -> DatasetSettings:
        """The same settings with every relative path put under a folder; URLs stay."""
        if self.path is None:
            return self
        placed = tuple(path if is_url(path) else str(root / path) for path in self.paths)
        return self.model_copy(update={"path": placed[0] if isinstance(self.path, str) else placed})

    @property
    def cores(self) -> tuple[int, int]:
        """The fewest interactions of a user and of an item."""
        return self.min_per_user or self.min_interactions, self.min_per_item or self.min_interactions

    @property
    def roles(self) -> dict[str, str]:
        """The columns that are read, by the parameter that names each."""
        named = {"user": self.user, "item": self.item, "time": self.time, "order": self.order}
        given = {role: column for role, column in named.items() if column is not None}
        return given | {f"where.{column}": column for column in self.where}

    @field_validator("separator", "list_separator")
    @classmethod
    def _is_a_separator(cls, value: str | None) -> str | None:
        spelt = value if value is None else SEPARATORS.get(value, value)
        if spelt is not None and ((len(set(spelt)) != 1 and spelt != WHITESPACE) or spelt[0] in '"\r\n\0'):
            msg = "a separator is one character, the same one several times as '::', or one of " + ", ".join(SEPARATORS)
            raise ValueError(msg)
        return spelt

    @field_validator("where")
    @classmethod
    def _are_conditions(cls, where: dict[str, Any]) -> dict[str, Any]:
        for column, asked in where.items():
            try:
                Condition.of(asked)
            except ValueError as error:
                raise ValueError(f"{column}: {error}") from error
        return where

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, name: str) -> str:
        try:
            found = codecs.lookup(name)
        except LookupError as error:
            raise ValueError(f"there is no such encoding; {_ENCODINGS}") from error
        if not found._is_text_encoding or found.name == "punycode":  # of single words, never of a file
            raise ValueError(f"{name} is no encoding of text; {_ENCODINGS}")
        return found.name

    @field_validator("time_format")
    @classmethod
    def _has_a_directive(cls, pattern: str | None) -> str | None:
        if pattern is not None and "%" not in pattern:
            raise ValueError(f"a format has {_DIRECTIVES}")
        try:  # as times are read
            pd.to_datetime(pd.Series(["-"]), format=pattern, utc=True, errors="coerce")
        except (ValueError, re.error) as error:
            raise ValueError(f"{pattern} is no format ({error}); one has {_DIRECTIVES}") from error
        found = set(re.findall("%(.)", pattern or ""))
        for said, (given, needed) in _LOST.items():
            if found & set(given) and not found & set(needed):
                raise ValueError(f"{pattern}: {said}")
        return pattern

    @model_validator(mode="after")
    def _own_data_is_complete(self) -> DatasetSettings:
        own = {"path": self.path, "user": self.user, "item": self.item}
        missing = [name for name, value in own.items() if value is None]
        if missing and (len(missing) < len(own) or self.time is not None):
            raise ValueError(f"your own data needs path, user and item; missing: {', '.join(missing)}")
        others = [name for name in OF_OWN_DATA if getattr(self, name) != type(self).model_fields[name].default]
        if missing and others:
            msg = f"{', '.join(others)}: a known data set is read as it is; your own data has path, user and item, too"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _columns_fit(self) -> DatasetSettings:
        columns = [column for role, column in self.roles.items() if not role.startswith("where")]
        if len(set(columns)) < len(columns):
            raise ValueError(f"user, item, time and order must be different columns, not {', '.join(columns)}")
        for needed, by in (("time", "order"), ("time", "time_format")):
            if getattr(self, by) is not None and self.time is None:
                raise ValueError(f"{by}: this needs a column of times; name it as {needed}")
        if self.columns is not None:
            self._check_columns(self.columns)
        return self

    def _check_columns(self, columns: tuple[str, ...]) -> None:
        names = [name.removesuffix(REST) for name in columns]
        if len(set(names)) < len(names):
            raise ValueError("columns: each name may be there once")
        if any(name.endswith(REST) for name in columns[:-1]):
            raise ValueError(f"columns: only the last one may take all that follow ({REST})")
        if self.quotes != "none" and columns[-1].endswith(REST):
            raise ValueError(f"columns: {columns[-1]} takes a line's other fields as they are; add quotes: none")

    @model_serializer(mode="wrap")
    def _what_is_set(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what nobody set: a new parameter makes no artifact of before count as old."""
        fields = type(self).model_fields
        unset = {name for name in OF_OWN_DATA + OF_THE_FILTER if getattr(self, name) == fields[name].default}
        return {name: value for name, value in write(self).items() if name not in unset}


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
