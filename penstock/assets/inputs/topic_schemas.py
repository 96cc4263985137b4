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
    return json.dumps(schema)
