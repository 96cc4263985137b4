"""Events as Marquez takes them, brought into the form that the specification asks for.

What was changed stands in a facet of the event, `penstock_lenient`: of the run, else of the job or
the dataset. The same event gives the same result, so that it is kept once however often it comes.
"""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any, get_args
from uuid import NAMESPACE_URL, UUID, uuid5

from penstock.events.producer import PRODUCER
from penstock.events.shape import EventType

__all__ = ["lenient"]

_FACET = "penstock_lenient"
_SCHEMA = "urn:penstock:openlineage:1-0-0:PenstockLenientFacet#/$defs/PenstockLenientFacet"
_CORE = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/"
_TYPES = get_args(EventType)


def lenient(told: Any) -> Any:
    """The event in form, or itself where there is nothing to change.

    A time without an offset is UTC, a schema URL is added, the type is in capitals, and another run
    id gives way to a UUID that is made of it. What it cannot bring into form it leaves for the
    ledger to refuse.
    """
    if not isinstance(told, dict):
        return told
    try:
        event: dict[str, Any] = copy.deepcopy(told)
    except RecursionError:
        return told
    changed = [*_time(event), *_schema(event), *_type(event), *_runs(event)]
    if not changed:
        return told
    part: dict[str, Any] = next(
        (event[n] for n in ("run", "job", "dataset") if isinstance(event.get(n), dict)), {}
    )
    facets = part.get("facets") or {}
    if isinstance(facets, dict):
        facet = {"_producer": PRODUCER, "_schemaURL": _SCHEMA, "changed": changed}
        part["facets"] = {**facets, _FACET: facet}
    return event


def _time(event: dict[str, Any]) -> list[str]:
    text = event.get("eventTime")
    try:
        found = datetime.fromisoformat(text.upper()) if isinstance(text, str) else None
    except ValueError:
        return []
    if found is None or found.tzinfo is not None:
        return []
    event["eventTime"] = found.replace(tzinfo=UTC).isoformat()
    return ["$.eventTime had no offset and is taken for UTC"]


def _schema(event: dict[str, Any]) -> list[str]:
    if event.get("schemaURL"):
        return []
    kind = "RunEvent" if event.get("run") else "JobEvent" if event.get("job") else "DatasetEvent"
    event["schemaURL"] = _CORE + kind
    return [f"$.schemaURL was not there and is taken for {kind} of 2-0-2"]


def _type(event: dict[str, Any]) -> list[str]:
    kind = event.get("eventType")
    if not isinstance(kind, str) or kind in _TYPES or kind.upper() not in _TYPES:
        return []
    event["eventType"] = kind.upper()
    return ["$.eventType was not in capitals"]


def _runs(event: dict[str, Any]) -> list[str]:
    """The run's own id and those of its parents: what is the same stays the same."""
    changed = []
    parent = _at(event, "run", "facets", "parent")
    for place, run in {
        "$.run.runId": _at(event, "run"),
        "$.run.facets.parent.run.runId": _at(parent, "run"),
        "$.run.facets.parent.root.run.runId": _at(parent, "root", "run"),
    }.items():
        told = run.get("runId") if isinstance(run, dict) else None
        if isinstance(told, str) and told and not _is_uuid(told):
            run["runId"] = str(uuid5(NAMESPACE_URL, f"urn:penstock:run:{told}"))
            changed.append(f"{place} was no UUID but {told[:200]!r}")
    return changed


def _at(part: Any, *names: str) -> Any:
    for name in names:
        part = part.get(name) if isinstance(part, dict) else None
    return part


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
