"""Short words for OpenLineage events of other producers."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

AT = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCER = "https://example.com/other"
RUN_EVENT = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
FACET = {"_producer": PRODUCER, "_schemaURL": "https://example.com/facet.json"}


def identity(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, name))


def moment(minutes: float) -> str:
    return (AT + timedelta(minutes=minutes)).isoformat()


def dataset(name: str, *, namespace: str = "file", **facets: Any) -> dict[str, Any]:
    """A dataset by name, each facet with what the specification asks of all of them."""
    told = {key: {**FACET, **body} for key, body in facets.items()}
    return {"namespace": namespace, "name": name, "facets": told}


def schema(*columns: str) -> dict[str, Any]:
    return {"fields": [{"name": name, "type": "string"} for name in columns]}


def lineage(*edges: str, rows: tuple[str, ...] = (), namespace: str = "file") -> dict[str, Any]:
    """columnLineage of edges like `x.a > b` or, masked, `x.a ~ b`; `rows` decide the rows."""
    fields: dict[str, Any] = {}
    for edge in edges:
        source, sign, target = edge.split()
        step = {"type": "DIRECT", "subtype": "TRANSFORMATION", "masking": sign == "~"}
        fields.setdefault(target, {"inputFields": []})["inputFields"].append(
            {**_field(source, namespace), "transformations": [step]}
        )
    decides = {"type": "INDIRECT", "subtype": "FILTER"}
    return {
        "fields": fields,
        "dataset": [{**_field(source, namespace), "transformations": [decides]} for source in rows],
    }


def symlinks(*names: tuple[str, str]) -> dict[str, Any]:
    return {
        "identifiers": [
            {"namespace": space, "name": name, "type": "TABLE"} for space, name in names
        ]
    }


def _field(source: str, namespace: str) -> dict[str, str]:
    name, _, column = source.rpartition(".")
    return {"namespace": namespace, "name": name, "field": column}


def run_event(
    kind: str | None,
    minutes: float,
    job: str,
    *,
    run: str | None = None,
    inputs: tuple[Any, ...] = (),
    outputs: tuple[Any, ...] = (),
    run_facets: dict[str, Any] | None = None,
    namespace: str = "spark",
) -> dict[str, Any]:
    """A run event of `job`, `minutes` after AT. Datasets may be names."""
    named = {"eventType": kind} if kind else {}
    facets = {key: {**FACET, **body} for key, body in (run_facets or {}).items()}
    return {
        **named,
        "eventTime": moment(minutes),
        "producer": PRODUCER,
        "schemaURL": RUN_EVENT,
        "run": {"runId": identity(run or job), "facets": facets},
        "job": {"namespace": namespace, "name": job},
        "inputs": [dataset(item) if isinstance(item, str) else item for item in inputs],
        "outputs": [dataset(item) if isinstance(item, str) else item for item in outputs],
    }
