"""The page of parameters: key, default, what is allowed and what it means, from the pydantic classes and conf/base."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from docs.generate.tables import first_sentence, table
from rec_msa.attacks.registry import ATTACKS
from rec_msa.experiments.parameters import GridSettings, Parameters, read_parameters
from rec_msa.interactions.settings import DatasetSettings
from rec_msa.targets.settings import TargetSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONF = Path(__file__).resolve().parents[2] / "conf" / "base"
LEAD = """\
# Parameters

Every parameter is a key below. Set it on the command line (`--params=model=lmf,split.attacker_fraction=0.2`) or in
`conf/local/parameters.yml`. A key that does not exist is refused with the nearest valid name; a wrong value with what
is allowed. The defaults are those of `conf/base`; [studies](../studies.md#which-parameter-makes-what-again) says which
key makes which artifacts again.

This page is made from the code that checks the parameters.
"""
HEADS = ("key", "default", "allowed", "meaning")


@cache
def base() -> Parameters:
    """The parameters as ``conf/base`` has them."""
    merged: dict[str, Any] = {}
    for path in sorted(CONF.glob("parameters*.yml")):
        merged |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return read_parameters(merged)


def page() -> str:
    """The page in Markdown."""
    parts = [LEAD, _section("## The run", "", base(), said="")]
    parts += [_nested(name, getattr(base(), name)) for name in _keys(base()) if _is_settings(getattr(base(), name))]
    parts += [
        _class_section("datasets.<name>", DatasetSettings),
        _class_section("targets.<name>", TargetSettings),
        _attacks(),
        _class_section("studies.<name>", GridSettings),
    ]
    return "\n".join(parts)


def _keys(settings: BaseModel) -> list[str]:
    return list(type(settings).model_fields)


def _is_settings(value: Any) -> bool:
    return isinstance(value, BaseModel)


def _nested(key: str, settings: BaseModel, marks: str = "##") -> str:
    """The section of a key, and those of the settings within it."""
    said = first_sentence(type(settings))
    parts = [_section(f"{marks} `{key}`", f"{key}.", settings, said)]
    inner = [name for name in _keys(settings) if _is_settings(getattr(settings, name))]
    return "\n".join(parts + [_nested(f"{key}.{name}", getattr(settings, name), f"{marks}#") for name in inner])


def _section(title: str, prefix: str, settings: BaseModel, said: str) -> str:
    """The settings of a key that have a value of their own; a mapping of settings has a section elsewhere."""
    values = {name: getattr(settings, name) for name in _keys(settings)}
    own = {name: value for name, value in values.items() if not _is_settings(value) and not isinstance(value, dict)}
    rows = [row[1:] for row in _rows(type(settings), prefix, own) if row[0] in own]
    return f"{title}\n\n{said}\n\n{table(HEADS, rows) if rows else ''}"


def _class_section(key: str, kind: type[BaseModel]) -> str:
    rows = (row[1:] for row in _rows(kind, f"{key}.", {}))
    return f"## `{key}`\n\n{first_sentence(kind)}\n\n{table(HEADS, rows)}"


def _attacks() -> str:
    """The settings of all attacks, each with the bases that have it."""
    kinds: dict[str, dict[str, tuple[str, ...]]] = {}
    for base_name, kind in ATTACKS.items():
        for name, *row in _rows(kind, "attacks.<name>.", {}):
            kinds.setdefault(name, {})[base_name] = tuple(row)
    rows = [
        (*next(iter(by.values()))[:3], f"{next(iter(by.values()))[3]}; {_whose(tuple(by))}") for by in kinds.values()
    ]
    return f"## `attacks.<name>`\n\nA named attack: a base, and what it does otherwise.\n\n{table(HEADS, rows)}"


def _whose(bases: tuple[str, ...]) -> str:
    return "every base" if len(bases) == len(ATTACKS) else "of " + ", ".join(f"`{name}`" for name in bases)


def _rows(kind: type[BaseModel], prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """Name, key, default, what is allowed and meaning of each field."""
    schema = kind.model_json_schema(mode="validation")
    for name, field in kind.model_fields.items():
        default = values.get(name, field.get_default(call_default_factory=True))
        if isinstance(default, dict) and default:
            continue
        allowed = _allowed(schema["properties"][name], schema.get("$defs", {}))
        meaning = (field.description or "").replace("<", "&lt;")
        yield name, f"`{prefix}{name}`", _value(default), allowed, meaning


def _value(value: Any) -> str:
    """A default as it is written in YAML."""
    if value is PydanticUndefined:
        return "must be given"
    if value is None:
        return "none"
    if isinstance(value, BaseModel):
        return "its own section"
    values = list(value) if isinstance(value, tuple) else value
    shown = values[0] if isinstance(values, list) and len(values) == 1 else values
    return f"`{json.dumps(shown)}`".replace('"', "")


def _allowed(schema: dict[str, Any], known: dict[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in schema:
        schema = {**known[schema["$ref"].rpartition("/")[2]], **schema}
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_allowed(one, known) for one in schema["anyOf"] if one.get("type") != "null"))
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    kinds = {"integer": "whole number", "number": "number", "boolean": "`true`, `false`", "string": "text"}
    if schema.get("type") == "array":
        return f"{_allowed(schema['items'], known) or 'any'}, or a list of them"
    if schema.get("type") == "object":
        return "a mapping"
    return " ".join(filter(None, [kinds.get(schema.get("type", ""), "any"), _bounds(schema)]))


def _bounds(schema: dict[str, Any]) -> str:
    signs = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
    return ", ".join(f"{sign} {schema[name]:g}" for name, sign in signs.items() if name in schema)
