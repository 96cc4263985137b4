"""OpenLineage's JSON schemas, made of the declared classes of openlineage-python (ADR 0002)."""

from __future__ import annotations

import functools
import json
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any

import attr
import jsonschema
from openlineage.client import event_v2, facet_v2
from referencing import Registry, Resource

import penstock.events
from penstock.events.run_facets import PenstockRunFacet
from penstock.events.upkeep_facet import PenstockUpkeepRunFacet

if typing.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS = Path(penstock.events.__file__).parent / "schemas"
CUSTOM: dict[str, type] = {
    "penstock_run": PenstockRunFacet,
    "penstock_upkeep": PenstockUpkeepRunFacet,
}
FORMATS = {
    "runId": "uuid",
    "eventTime": "date-time",
    "nominalStartTime": "date-time",
    "nominalEndTime": "date-time",
    "lastUpdated": "date-time",
    "captureDate": "date-time",
    "producer": "uri",
    "schemaURL": "uri",
    "_producer": "uri",
    "_schemaURL": "uri",
}
PRIMITIVES = {str: "string", bool: "boolean", int: "integer", float: "number"}
KINDS = ("InputDatasetFacet", "OutputDatasetFacet", "DatasetFacet", "RunFacet", "JobFacet")
# the specification's names that are not the class's own
NAMES = {
    "DatasetVersion": "version",
    "Datasource": "dataSource",
    "InputSubset": "subset",
    "OutputSubset": "subset",
    "ProcessingEngine": "processing_engine",
    "SQL": "sql",
}
ANY_DATASET = {"dataQualityAssertions"}  # of inputs by its base, used on outputs too (ADR 0002)


def _descendants(kind: type[Any]) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from _descendants(child)


def _facets(base: type) -> dict[str, type]:
    found = {}
    for kind in _descendants(base):
        if not kind.__module__.startswith("openlineage.client.generated."):
            continue
        if kind.__name__ in KINDS:
            continue
        stem = next(
            kind.__name__.removesuffix(suffix) for suffix in KINDS if kind.__name__.endswith(suffix)
        )
        found[NAMES.get(stem, stem[0].lower() + stem[1:])] = kind
    return found


def _slot(base: type) -> dict[str, type]:
    slot = _facets(base)
    if base is facet_v2.DatasetFacet:
        inputs = _facets(facet_v2.InputDatasetFacet)
        slot |= {name: inputs[name] for name in ANY_DATASET}
    if base is facet_v2.RunFacet:
        slot |= CUSTOM
    return slot


SLOTS = {
    base: _slot(base)
    for base in (
        facet_v2.DatasetFacet,
        facet_v2.InputDatasetFacet,
        facet_v2.OutputDatasetFacet,
        facet_v2.RunFacet,
        facet_v2.JobFacet,
    )
}


def _type(kind: Any) -> dict[str, Any]:  # one return for each kind of type
    if kind in PRIMITIVES:
        return {"type": PRIMITIVES[kind]}
    if kind is Any:
        return {}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        # None is a default and never sent: nulls are left out of an event
        told = [_type(argument) for argument in arguments if argument is not type(None)]
        return told[0] if len(told) == 1 else {"anyOf": told}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _type(arguments[0])}
    if origin is dict:
        value = arguments[1]
        if value in SLOTS:
            properties = {name: _object(facet) for name, facet in SLOTS[value].items()}
            return {"type": "object", "properties": properties, "additionalProperties": False}
        return {"type": "object", "additionalProperties": _type(value)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    if attr.has(kind):
        return {"$ref": f"#/$defs/{kind.__module__}.{kind.__qualname__}"}
    raise NotImplementedError(kind)


def _object(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    properties, required = {}, []
    for field in attr.fields(kind):
        schema = _type(hints[field.name])
        if field.name in FORMATS:
            schema = {**schema, "format": FORMATS[field.name]}
        if field.name in {"_schemaURL", "schemaURL"}:
            schema = {**schema, "const": kind._get_schema()}
        properties[field.name] = schema
        if field.default is attr.NOTHING or field.name in FORMATS.keys() & {
            "producer",
            "schemaURL",
            "_producer",
            "_schemaURL",
        }:
            required.append(field.name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _classes(kind: type, found: dict[str, type]) -> None:
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name in found:
        return
    found[name] = kind
    pending = list(typing.get_type_hints(kind).values())
    while pending:
        hint = pending.pop()
        pending.extend(typing.get_args(hint))
        if isinstance(hint, type) and attr.has(hint) and hint not in SLOTS:
            _classes(hint, found)


def openlineage_schema() -> dict[str, Any]:
    """The schema of a RunEvent: every class closed, each facet only where and as it belongs."""
    found: dict[str, type] = {}
    _classes(event_v2.RunEvent, found)
    for slot in SLOTS.values():
        for facet in slot.values():
            _classes(facet, found)
    event = _object(event_v2.RunEvent)
    event["required"] = [*event["required"], "eventType"]
    definitions = {name: _object(kind) for name, kind in found.items()}
    return {"$schema": DIALECT, **event, "$defs": definitions}


def custom_validator(facet: type) -> jsonschema.Draft202012Validator:
    """Of the committed schema of a custom facet, its reference to OpenLineage's resolved."""
    run_facet: dict[str, Any] = {
        "$schema": DIALECT,
        "$defs": {"RunFacet": {**_object(facet_v2.RunFacet), "additionalProperties": True}},
    }
    del run_facet["$defs"]["RunFacet"]["properties"]["_schemaURL"]["const"]
    schema = json.loads((SCHEMAS / f"{facet.__name__}.json").read_text())
    registry: Registry[Any] = Registry().with_resources(
        [
            (
                "https://openlineage.io/spec/2-0-2/OpenLineage.json",
                Resource.from_contents(run_facet),
            ),
            (schema["$id"], Resource.from_contents(schema)),
        ]
    )
    return jsonschema.Draft202012Validator(
        {"$ref": f"{schema['$id']}#/$defs/{facet.__name__}"},
        registry=registry,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


@functools.cache
def _validators() -> tuple[
    jsonschema.Draft202012Validator, dict[str, jsonschema.Draft202012Validator]
]:
    schema = openlineage_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    standard = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    return standard, {name: custom_validator(facet) for name, facet in CUSTOM.items()}


def openlineage_errors(payload: Mapping[str, Any]) -> list[str]:
    """What is wrong with an event's payload; nothing when it is a valid OpenLineage event."""
    standard, custom = _validators()
    wrong = [f"{error.json_path}: {error.message}" for error in standard.iter_errors(payload)]
    facets = payload.get("run", {}).get("facets", {})
    return wrong + [
        f"{name}{error.json_path[1:]}: {error.message}"
        for name, validator in custom.items()
        if name in facets
        for error in validator.iter_errors(facets[name])
    ]
