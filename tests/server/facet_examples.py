"""An example of every facet of the OpenLineage specification, made of openlineage-python's classes.

Every field has a value, also those that may be left out.
"""

from __future__ import annotations

import types
import typing
from enum import Enum
from typing import Any

import attr
from openlineage.client import facet_v2
from openlineage.client.serde import Serde

from tests.ledger.told_events import PRODUCER, identity
from tests.openlineage_schema import SLOTS

DATASET, INPUT, OUTPUT, RUN, JOB = (
    facet_v2.DatasetFacet,
    facet_v2.InputDatasetFacet,
    facet_v2.OutputDatasetFacet,
    facet_v2.RunFacet,
    facet_v2.JobFacet,
)
PLAIN: dict[Any, Any] = {str: "text é", bool: True, int: 7, float: 0.5, Any: {"any": [1, None]}}
#: Fields whose text has a form.
FORMS = {
    "runId": identity("some run"),
    "nominalStartTime": "2026-01-01T00:00:00Z",
    "nominalEndTime": "2026-01-02T00:00:00Z",
    "lastUpdated": "2026-01-01T00:00:00Z",
    "captureDate": "2026-01-01T00:00:00Z",
    "url": "https://example.com/a.git",
    "uri": "s3://bucket/a",
    "_deleted": None,
}
DEEPEST = 3  # of classes that hold themselves


def _value(kind: Any, depth: int) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if origin in (types.UnionType, typing.Union):
        return _value(next(a for a in arguments if a is not type(None)), depth)
    if origin is typing.Literal:
        return arguments[0]
    if origin is list:
        return [_value(arguments[0], depth)] if depth else []
    if origin is dict:
        # facets within facets are not the matter here
        inner = depth and arguments[1] not in SLOTS
        return {"a.b": _value(arguments[1], depth)} if inner else {}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if attr.has(kind):
        return _example(kind, depth - 1)
    raise NotImplementedError(kind)


def _example(kind: type, depth: int) -> Any:
    hints = typing.get_type_hints(kind)
    values = {}
    for field in attr.fields(kind):
        if not field.init or field.name in {"_producer", "_schemaURL"}:
            continue
        name = field.name.removeprefix("_")
        values[name] = (
            FORMS[field.name] if field.name in FORMS else _value(hints[field.name], depth)
        )
    if attr.fields_dict(kind).get("_producer"):
        values["producer"] = PRODUCER
    return kind(**{k: v for k, v in values.items() if v is not None})


#: (where it belongs, its name, its body as it is sent)
EXAMPLES: list[tuple[type, str, dict[str, Any]]] = [
    (base, name, Serde.to_dict(_example(kind, DEEPEST)))
    for base, slot in SLOTS.items()
    for name, kind in sorted(slot.items())
    if kind.__module__.startswith("openlineage.")
]
