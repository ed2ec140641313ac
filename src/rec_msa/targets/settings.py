"""Settings of targets that others trained: a file of lists, a function that answers, or one that trains a library."""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from rec_msa.foundation.errors import nearest
from rec_msa.interactions.settings import DatasetSettings

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["recorded", "called", "fitted"]

FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""``package.module:function``."""

NO_AUXILIARY, OTHERS, SPLIT = "none", "others", "split"
"""Where auxiliary data come from, if not from a file: nowhere; from users of the target; from the split by the seed."""

LISTS, LEFT_OUT = "lists", "left_out"
"""What a target's files are called behind its name where they are read: ``mine-lists``."""

KINDS: dict[str, Kind] = {"lists": "recorded", "recommend": "called", "fit": "fitted"}
"""The setting that says where the answers come from, and what such a target is called."""

OF_A_FILE = ("columns", "separator", "quotes", "encoding", "member", "missing")
"""What says how a file of lists is laid out, and one that names auxiliary users."""

ONLY_OF: dict[str, tuple[str, ...]] = {
    "lists": ("item", "rank", "score", "list_separator", *OF_A_FILE),
    "recommend": ("recommend_sequences", "batch"),
    "fit": ("depth",),
}
"""Settings that mean something for one kind of target alone."""


class TargetSettings(BaseModel):
    """One entry under ``targets``: a recommender that this project did not train, chosen by ``model``.

    One of ``lists``, ``recommend`` and ``fit`` says where its answers come from.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lists: str | None = Field(
        None,
        description="a file of the lists that it served: text, JSON lines, parquet; relative to the project's root",
    )
    recommend: str | None = Field(
        None, description="a function of yours, module:function, recommend(users, k) -> items [n, k], asked in batches"
    )
    fit: str | None = Field(
        None, description="a function that trains it, module:function, fit(interactions, seed) -> recommend"
    )
    user: str = Field("user", description="the column of users, in the file of lists and in one that auxiliary names")
    item: str = Field("item", description="lists: the column of items; of a row that holds a whole list, of lists")
    rank: str | None = Field(
        None, description="lists: the column of ranks, 1 is the best; or score, or the rows' order"
    )
    score: str | None = Field(None, description="lists: the column of scores, the highest is the best")
    columns: tuple[str, ...] | None = Field(
        None, description="lists, auxiliary: names of a text file's columns without a header"
    )
    separator: str | None = Field(None, description="lists, auxiliary: what parts the fields of a text file")
    quotes: Literal["doubled", "backslash", "none"] = Field(
        "doubled", description="lists, auxiliary: how fields are quoted"
    )
    encoding: str = Field("utf-8", description="lists, auxiliary: of a text file")
    list_separator: str | None = Field(None, description="lists: what parts the items of a field that holds several")
    member: str | None = Field(None, description="lists, auxiliary: the file of a zip archive")
    missing: Literal["refuse", "drop", "keep"] = Field(
        "refuse",
        description="lists, auxiliary: a row without user, a place without item before others of its list: refuse the "
        "file; drop such; keep: NA, NULL and the like are ids. At a list's end what has no item shortens the list",
    )
    recommend_sequences: str | None = Field(
        None,
        description="recommend: another function, of sequences of items instead of users; the target is sequential",
    )
    version: str | None = Field(
        None,
        description="recommend, fit: what you change when your model changes, its data, or code that the function's "
        "own file does not show; without one, recommend is asked about a few users in each run, and all is made anew "
        "where it answers otherwise",
    )
    batch: int = Field(1000, ge=1, description="recommend: users in a call")
    depth: int = Field(150, ge=2, description="fit: items of each user's list that are kept; defenses draw from them")
    clone: str = Field("bpr", description="architecture of the clones, where an attack names none")
    auxiliary: str | None = Field(
        None,
        description="none; others: users of the target stand in, which overstates; split: the half of the users that "
        "the seed leaves out (the default of fit; lists then are of a model of the other half); or a file that names "
        "the users of the interactions whom the target was not trained on, in its user column or one a line",
    )
    unknown: Literal["refuse", "drop"] = Field(
        "refuse", description="recommended items, and users with lists, that no interaction has: refuse or leave out"
    )
    known: Literal["refuse", "drop"] = Field(
        "refuse", description="recommended items that the user has already: refuse or leave out"
    )

    @field_validator("version", mode="before")
    @classmethod
    def _may_be_a_number(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | float | date) and not isinstance(value, bool) else value

    @field_validator("auxiliary")
    @classmethod
    def _is_no_slip(cls, value: str | None) -> str | None:
        words = (NO_AUXILIARY, OTHERS, SPLIT)
        if value is not None and value not in words and value.isalpha() and get_close_matches(value, words):
            raise ValueError(f"there is no {value!r}; {nearest(value, words)}, or a file: ./{value} where it is one")
        return value

    @field_validator("recommend", "fit", "recommend_sequences")
    @classmethod
    def _names_a_function(cls, value: str | None) -> str | None:
        if value is not None and not FUNCTION.fullmatch(value):
            raise ValueError("a function is written module:function, as my_shop.recommender:recommend")
        return value

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> TargetSettings:
        given = [name for name in KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"{' and '.join(given)} are" if given else "none is"
            raise ValueError(f"name one of {', '.join(KINDS)}, which say where its answers come from; {found} there")
        fields = type(self).model_fields
        for kind, names in ONLY_OF.items():
            for name in names:
                of_auxiliary = name in OF_A_FILE and self._names_auxiliary
                if kind != given[0] and not of_auxiliary and getattr(self, name) != fields[name].default:
                    raise ValueError(f"{name}: this means something with {kind} alone, not with {given[0]}")
        if self.version is not None and self.lists is not None:
            raise ValueError("version: this means nothing with lists, whose file is looked at in each run")
        if self.rank is not None and self.score is not None:
            raise ValueError("rank and score: name one of them; each says the order of a list")
        return self

    @model_serializer(mode="wrap")
    def _what_is_set(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out what is newer than artifacts and that nobody set, so that these do not count as old."""
        return {name: value for name, value in write(self).items() if (name, value) != ("missing", "refuse")}

    @property
    def kind(self) -> Kind:
        """Where its answers come from."""
        return next(kind for name, kind in KINDS.items() if getattr(self, name) is not None)

    @property
    def sequential(self) -> bool:
        """Whether it can be asked about sequences."""
        return self.recommend_sequences is not None

    @property
    def source(self) -> str:
        """Where auxiliary data come from: ``none``, ``others``, ``split`` or a path."""
        return self.auxiliary or (SPLIT if self.kind == "fitted" else NO_AUXILIARY)

    @property
    def _names_auxiliary(self) -> bool:
        return self.source not in (NO_AUXILIARY, OTHERS, SPLIT)

    @property
    def auxiliary_file(self) -> DatasetSettings | None:
        """How the file that names the auxiliary users is found, laid out as lists are; None where none does."""
        return self._file(self.source) if self._names_auxiliary else None

    @property
    def table(self) -> DatasetSettings:
        """How the file of lists is read: as a user's own interactions are."""
        return self._file(self.lists, list_separator=self.list_separator)

    def _file(self, path: str | None, **more: Any) -> DatasetSettings:
        layout = {name: getattr(self, name) for name in OF_A_FILE}
        return DatasetSettings(path=path, user=self.user, item=self.item, **layout, **more)

    def under(self, root: Path) -> TargetSettings:
        """The same settings with every relative path put under a folder; URLs stay."""
        placed: dict[str, Any] = {}
        if self.lists is not None:
            placed["lists"] = self.table.under(root).path
        if (file := self.auxiliary_file) is not None:
            placed["auxiliary"] = file.under(root).path
        return self.model_copy(update=placed)
