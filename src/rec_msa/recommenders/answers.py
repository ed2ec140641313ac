"""What a function of the user's own returned, held against what it was asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rec_msa.foundation.errors import DataError
from rec_msa.foundation.lists import PADDING


class Answer:
    """What one call returned, held against what was asked.

    Args:
        key: The parameter that names the function, for messages.
        asked: Users or sequences, in the function's ids ``[n]``.
        items: The catalogue, in the function's ids.
        drop: Whether ``unknown`` and ``known`` items are left out instead of refused.
    """

    def __init__(self, key: str, asked: np.ndarray, items: pd.Index, drop: tuple[str, ...] = ()) -> None:
        self.key, self.asked, self.items, self.drop = key, asked, items, drop
        self.n_dropped = 0

    def codes(self, answer: Any, k: int, known: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Our items ``[n, k]``; what is left out leaves no gap, and -1 at the end.

        Args:
            answer: What the function returned: items ``[n, k]``.
            k: Items asked for.
            known: Rows and our items ``[n_pairs]`` that must not be recommended.

        Raises:
            DataError: It is of another shape, holds no ids, an item twice, or one that is unknown or known already; or
                nothing is left of it.
        """
        raw = self.table(answer, k)
        codes = self.items.get_indexer(pd.Index(raw.ravel())).reshape(raw.shape).astype(np.int64)
        wrong = "is in no interaction that min_interactions kept"
        self._refuse(codes < 0, raw, "unknown", wrong, "unknown: drop leaves such items out")
        keys = np.arange(len(raw))[:, None] * len(self.items) + codes
        seen = np.isin(keys, known[0].astype(np.int64) * len(self.items) + known[1]) & (codes >= 0)
        self._refuse(seen, raw, "known", "is one that was asked with", "known: drop leaves such items out")
        kept = np.where(seen, PADDING, codes)
        self.n_dropped = int((kept < 0).sum())
        if len(kept) > 1 and self.n_dropped == kept.size:
            raise DataError(
                f"{self.key}: of {kept.size} items for {len(kept)} that were asked none is left: they are in no "
                f"interaction or were asked with, as {raw[0, 0]}; the interactions have ids as {self.items[0]}"
            )
        order = np.argsort(kept < 0, axis=1, kind="stable")
        kept = np.take_along_axis(kept, order, axis=1)
        self._refuse_repeats(kept)
        return kept.astype(np.int32)

    def table(self, answer: Any, k: int) -> np.ndarray:
        """The items ``[n, k]`` as the function wrote them.

        Raises:
            DataError: It is of another shape, or holds no ids.
        """
        if isinstance(answer, pd.Series):
            answer = answer.tolist()
        try:
            raw = np.asarray(answer)
        except ValueError:
            lengths = [len(row) if hasattr(row, "__len__") else 0 for row in answer]
            raise self._fault(f"lists of {min(lengths)} to {max(lengths)} items, or lists within lists", k) from None
        if raw.shape != (len(self.asked), k):
            single = "None" if answer is None else f"a {type(answer).__name__}"
            shape = single if raw.ndim == 0 else f"the shape {list(raw.shape)}"
            raise self._fault(shape, k)
        if raw.dtype.kind == "f":
            what = "NaN" if np.isnan(raw).any() else "numbers with a point"
            raise DataError(f"{self.key} returned {what}: items are ids, as whole numbers or strings")
        if raw.dtype == object and any(value is None for value in raw.flat):
            raise DataError(f"{self.key} returned None in the place of an item; {k} items are asked for, each an id")
        texts = raw.dtype.kind == "U" or (raw.dtype == object and isinstance(raw.flat[0], str))
        ours = "strings" if pd.api.types.is_string_dtype(self.items.dtype) else "whole numbers"
        if texts != (ours == "strings") or raw.dtype.kind not in "iuUO":
            kind = "strings" if texts else "bytes" if raw.dtype.kind == "S" else f"values of the type {raw.dtype}"
            raise DataError(f"{self.key} returned {kind}; the interactions have items as {ours}, as {self.items[0]}")
        return raw

    def _fault(self, found: str, k: int) -> DataError:
        return DataError(
            f"{self.key} returned {found}, not [{len(self.asked)}, {k}]: {k} items for each that was asked; where it "
            "has fewer, ask for fewer by list_length"
        )

    def _refuse(self, wrong: np.ndarray, raw: np.ndarray, name: str, what: str, remedy: str) -> None:
        if name in self.drop or not wrong.any():
            return
        row, place = np.argwhere(wrong)[0]
        others = f", and {wrong.sum() - 1} more like it" if wrong.sum() > 1 else ""
        about = f"item {raw[row, place]}, recommended to {self.asked[row]}, {what}{others}"
        raise DataError(f"{self.key}: {about}; {self.key.rpartition('.')[0]}.{remedy}")

    def _refuse_repeats(self, codes: np.ndarray) -> None:
        ordered = np.sort(codes, axis=1)
        wrong = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
        if wrong.any():
            row, place = np.argwhere(wrong)[0]
            item = self.items[ordered[row, place]]
            raise DataError(f"{self.key}: item {item} is recommended twice to {self.asked[row]}")
