"""JSON lines, an object on each line, as columns of strings and lists of strings: what a text file would hold."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rec_msa.foundation.errors import DataError, nearest
from rec_msa.interactions.files import mendable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rec_msa.interactions.files import Part

_LINES = 1 << 16
_SHOWN = 1000
_ALWAYS = (".user", ".item")

# Numbers stay as they are written: an id of 20 digits is no float.
_decode = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).decode


def read_json(part: Part, needed: Sequence[str], keys: Mapping[str, str]) -> Iterator[dict[str, pa.Array]]:
    """Reads fields of JSON lines in batches.

    Args:
        part: The file.
        needed: The fields to read.
        keys: The parameter that names each.

    Yields:
        Each field as strings or lists of strings, null where a line lacks it. Blank lines are left out.

    Raises:
        DataError: A line is no JSON object, a value is an object, or no line has one of the fields.
    """
    with mendable(part.name), part.open() as file:
        records = _records(part, file)
        seen: set[str] = set()
        missing = set(needed)
        while batch := list(islice(records, _LINES)):
            for record in batch[:_SHOWN] if missing else ():
                seen.update(record)
            missing = {name for name in missing if not any(name in record for record in batch)}
            _require(part, [name for name in missing if keys[name].endswith(_ALWAYS)], keys, seen)
            yield {name: _column(part, name, [record.get(name) for record in batch]) for name in needed}
    _require(part, sorted(missing), keys, seen)


def _require(part: Part, missing: Sequence[str], keys: Mapping[str, str], seen: set[str]) -> None:
    for name in missing:
        raise DataError(f"{part.name}: there is no field '{name}' ({keys[name]}); {nearest(name, seen)}")


def line_of(part: Part, row: int) -> int:
    """The line of a record, counted from 0 without blank lines."""
    with part.open() as file:
        filled = (number for number, line in enumerate(file, start=1) if line.strip())
        return next(islice(filled, row, None))


def _records(part: Part, file: Any) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, start=1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            record = _decode(text) if text else None
        except ValueError as error:  # UnicodeDecodeError and JSONDecodeError
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is not UTF-8 text"
            raise DataError(
                f"{part.name}, line {number} is no JSON object ({reason}); mend the line or get the file again"
            ) from error
        except RecursionError as error:
            raise DataError(f"{part.name}, line {number} has too many levels; mend the line") from error
        if isinstance(record, dict):
            yield record
        elif text:
            raise DataError(f"{part.name}, line {number} is no JSON object; mend the line or get the file again")


def _column(part: Part, name: str, values: list[Any]) -> pa.Array:
    if any(isinstance(value, dict) for value in values):
        raise DataError(
            f"{part.name}: the field '{name}' holds objects; write what is needed of it as a field of its own"
        )
    if any(isinstance(value, list) for value in values):
        lists = [_plain_list(value) for value in values]
        return pa.array(lists, pa.list_(pa.string()))
    return pa.array(map(_plain, values), pa.string())


def _plain_list(value: Any) -> list[str | None] | None:
    if value is None:
        return None
    return [_plain(each) for each in (value if isinstance(value, list) else [value])]


def _plain(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None or isinstance(value, str) else json.dumps(value)
