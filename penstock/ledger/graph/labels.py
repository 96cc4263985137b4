"""Tags and owners of datasets and of their columns as rows, found by what they say.

A dataset has those of the facets told last under any of its names, as everything else it tells.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select

from penstock.events.name import is_name
from penstock.ledger.graph.last_told import LastTold, merged, standing
from penstock.ledger.graph.rows import chunks
from penstock.ledger.graph.tables import graph_dataset, graph_document, graph_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection

__all__ = ["FACETS", "OWNER", "PII", "TAG", "renew_labels", "tag_name"]

TAG, OWNER = "tag", "owner"
PII = "pii"  # the key of a tag that names a class of personal data
_JUST_SET = "true"  # the value of a tag that only has a name, by the UI of a producer
FACETS = {"tags", "ownership"}

Label = tuple[str, str, str, str]  # kind, field, key, value


def renew_labels(connection: Connection, datasets: Iterable[int]) -> None:
    """Make the rows of these datasets say what their facets say."""
    for some in chunks(sorted(set(datasets))):
        before: dict[int, set[Label]] = {dataset: set() for dataset in some}
        for row in connection.execute(select(graph_label).where(graph_label.c.dataset.in_(some))):
            before[row.dataset].add((row.kind, row.field, row.key, row.value))
        after = _told(connection, some)
        changed = [dataset for dataset in some if before[dataset] != after[dataset]]
        if changed:
            connection.execute(delete(graph_label).where(graph_label.c.dataset.in_(changed)))
        rows = [
            {"dataset": dataset, "kind": kind, "field": field, "key": key, "value": value}
            for dataset in changed
            for kind, field, key, value in sorted(after[dataset])
        ]
        if rows:
            connection.execute(insert(graph_label), rows)


def tag_name(key: str, value: str | None) -> str:
    """What a tag is called: a value that says something is part of it."""
    return f"{key}:{value}" if value and value.lower() != _JUST_SET else key


def _told(connection: Connection, datasets: list[int]) -> dict[int, set[Label]]:
    told: dict[int, LastTold] = {dataset: {} for dataset in datasets}
    query = select(graph_dataset.c.same_as, graph_dataset.c.facets)
    for row in connection.execute(query.where(graph_dataset.c.same_as.in_(datasets))):
        entries = json.loads(row.facets)
        own = {name: entries[name] for name in FACETS & entries.keys()}
        told[row.same_as] = merged(told[row.same_as], own)
    told = {dataset: standing(entries) for dataset, entries in told.items()}
    bodies: dict[str, Any] = {}
    for some in chunks({entry[-1] for entries in told.values() for entry in entries.values()}):
        found = select(graph_document).where(graph_document.c.digest.in_(some))
        bodies |= {row.digest: json.loads(row.body) for row in connection.execute(found)}
    return {
        dataset: {
            label for name, entry in entries.items() for label in _labels(name, bodies[entry[-1]])
        }
        for dataset, entries in told.items()
    }


def _labels(facet: str, body: Mapping[str, Any]) -> Iterator[Label]:
    """What a facet says; a part of it that makes no sense is passed."""
    if facet == "ownership":
        for owner in _dicts(body.get("owners")):
            if is_name(owner.get("name")):
                yield OWNER, "", owner["name"], ""
        return
    for tag in _dicts(body.get("tags")):
        if is_name(tag.get("key")):
            field, value = (tag.get(part) for part in ("field", "value"))
            yield TAG, field if is_name(field) else "", tag["key"], value if is_name(value) else ""


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
