"""The schema of ``audit.json`` as a page: ``python -m docs.generate.audit_json`` writes it; a test holds both equal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal, get_args, get_origin

from pydantic import BaseModel

from rec_msa.reporting.audit_json import (
    SCHEMA_VERSION,
    Audit,
    Defense,
    Effort,
    Figure,
    Listing,
    Measured,
    Part,
    Target,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """\
# `audit.json`

What the page of an audit says, for programs. This is version {version} of the schema: the first number rises where a
reader of the one before would misread, the second where something is added. Agreement is a share from 0 to 1. Nothing
is NaN: what is not known is null. `rec_msa.reporting.audit_json.Audit` is the same as a pydantic model, and reads such
a file:

```python
from pathlib import Path

from rec_msa.reporting.audit_json import Audit

audit = Audit.model_validate_json(Path("audit.json").read_text())
print(audit.headline, audit.worst)
```

This page is made from the models by `python -m docs.generate.audit_json`."""
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", type(None): "null"}


def schema_markdown() -> str:
    """Returns the schema as a page: a table for each object."""
    parts = [_HEAD.format(version=SCHEMA_VERSION)]
    for model in (Audit, Target, Measured, Figure, Defense, Part, Effort, Listing):
        parts += [f"## {model.__name__}\n\n{(model.__doc__ or '').strip()}", "\n".join(_rows(model))]
    return "\n\n".join(parts) + "\n"


def _rows(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | what it is | what it says |"
    yield "| --- | ---------- | ------------ |"
    for name, field in model.model_fields.items():
        yield f"| `{name}` | {_named(field.annotation)} | {field.description} |"


def _named(kind: object) -> str:
    """A type in words, with a link to an object's own table."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    inner = get_args(kind)
    if get_origin(kind) is list:
        return f"list of {_named(inner[0])}"
    if get_origin(kind) is Literal:
        return " or ".join(f'`"{value}"`' for value in inner)
    if inner:
        return " or ".join(_named(one) for one in inner)
    return _WORDS[kind]  # type: ignore[index]


if __name__ == "__main__":
    sys.stdout.write(schema_markdown())
