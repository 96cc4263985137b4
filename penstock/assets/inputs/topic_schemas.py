"""The Avro schemas that values of a topic are written by, each under its id in the registry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from penstock.errors import DefinitionError

__all__ = ["Schemas", "schemas_of"]

Schemas = tuple[tuple[int, str], ...]
"""(Id, schema as JSON) of each."""

_MOST = 2**31 - 1


def schemas_of(avro: Any, where: str) -> Schemas:
    """The schemas by their ids. Raises DefinitionError for what is none, or cannot be read."""
    if avro is None:
        return ()
    if not isinstance(avro, Mapping) or not avro:
        raise DefinitionError(
            "avro= names no schema",
            where=where,
            expected="ids of the schema registry, and the schema that each stands for",
            found=type(avro).__name__,
            next_step="write avro={17: Path(__file__).with_name('orders-17.avsc')}",
        )
    found = []
    for number, given in avro.items():
        said = f"{where}, avro={{{number!r}: ...}}"
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MOST:
            raise DefinitionError(
                "this is no id of a schema",
                where=said,
                expected="the whole number that the schema registry gave it",
                next_step="ask the registry: GET /subjects/orders-value/versions/latest",
            )
        found.append((number, _schema(given, said)))
    return tuple(sorted(found))


def _schema(given: Path | str, where: str) -> str:
    """The schema, written in one way."""
    try:
        text = given.read_text(encoding="utf-8") if isinstance(given, Path) else given
        schema = json.loads(text)
    except (OSError, ValueError, TypeError) as error:
        raise DefinitionError(
            "the schema cannot be read",
            where=where,
            expected="a file with an Avro schema, or the schema as JSON",
            found=getattr(error, "strerror", None) or type(error).__name__,
            next_step='save what the registry answers under "schema" as a file, and name it by '
            "Path(__file__).with_name(...)",
        ) from error
    if not (isinstance(schema, dict) and schema.get("type") == "record" and schema.get("fields")):
        raise DefinitionError(
            "the schema is that of no row",
            where=where,
            expected='an Avro schema of type "record" with fields',
            next_step="name the schema of the topic's values, not that of its keys",
        )
    _check_records(schema, where)
    return json.dumps(schema)


def _check_records(kind: Any, where: str) -> None:
    """Raise DefinitionError for a record, at any depth, whose fields are none or hard to tell."""
    match kind:
        case {"type": "record"}:
            fields = kind.get("fields")
            well = isinstance(fields, list) and all(
                isinstance(field, dict) and isinstance(field.get("name"), str) and "type" in field
                for field in fields
            )
            names = [field["name"].casefold() for field in fields] if well else []
            if not well or not isinstance(kind.get("name"), str) or len({*names}) < len(names):
                raise DefinitionError(
                    "the schema has a record that cannot be read",
                    where=where,
                    expected="a name, and fields with a name and a type; no two that differ in "
                    "letter case alone",
                    found=f"the record {kind.get('name')!r}",
                    next_step="take the schema from the registry as it is",
                )
            for field in fields:
                _check_records(field["type"], where)
        case {"type": inner, **others}:
            for part in (inner, others.get("items"), others.get("values")):
                if isinstance(part, dict | list):
                    _check_records(part, where)
        case list():
            for one in kind:
                _check_records(one, where)
