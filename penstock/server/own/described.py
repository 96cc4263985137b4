"""Datasets, columns and edges as the browser is told of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime

from penstock.events.instant import instant
from penstock.events.name import LONGEST_NAME_BYTES
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.naming import columns_of, id_of, label_of, layer_of, owners_of
from penstock.server.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import DatasetNode, JobNode
    from penstock.ledger.graph.walk import FoundEdge

__all__ = [
    "SHOWN",
    "At",
    "Describer",
    "Id",
    "columns_of",
    "id_of",
    "label_of",
    "moment",
    "owners_of",
]

#: The facets that `Describer.node` tells of.
SHOWN = ("documentation", "ownership", "schema", "tags")
_FIRST_YEAR, _LAST_YEAR = 1, 9999
_MOST_BARS = 8


def _askable(at: datetime | None) -> datetime | None:
    if at is not None and not _FIRST_YEAR < at.year < _LAST_YEAR:
        raise ValueError("is no moment that a database can keep")
    return at and at.astimezone(UTC)


def _whole(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    text.encode()
    return text


# what is longer names nothing, and SQLite searches for no more than 50,000 bytes
_LONGEST_ID = 2 * LONGEST_NAME_BYTES + 1
Id = Annotated[
    str,
    Query(description="<namespace>|<name>", max_length=_LONGEST_ID),
    AfterValidator(_whole),
]
At = Annotated[
    AwareDatetime | None,
    Query(description="as of this instant; now when left out"),
    AfterValidator(_askable),
]


def moment(at: datetime | None) -> str | None:
    """As the API writes it."""
    return instant(at) if at else None


@dataclass(slots=True)
class Describer:
    """Describes in the words of the API, and remembers what it looked up."""

    connection: Connection

    @property
    def catalog(self) -> Catalog:
        """What it asks."""
        return Catalog(self.connection)

    def dataset(self, text: str) -> int:
        """The id of a dataset in the API's words. Raises Problem when there is none."""
        parts = text.split("|")
        # a namespace may hold a bar too; whoever looks for many of them looks for nothing
        for end in range(1, min(len(parts), _MOST_BARS + 1)):
            found = self.catalog.dataset_id("|".join(parts[:end]), "|".join(parts[end:]))
            if found is not None:
                return found
        raise Problem.unknown("dataset", text)

    def column(self, dataset: int, name: str) -> int:
        """The id of its column. Raises Problem when there is none."""
        found = self.catalog.column_ids(dataset).get(name)
        if found is None:
            raise Problem.unknown("column", name)
        return found

    def node(self, node: DatasetNode) -> dict[str, Any]:
        """A dataset without what is near it."""
        label = label_of(node)
        owners = owners_of(node)
        return {
            "id": id_of(node),
            "namespace": node.namespace,
            "name": node.name,
            "label": label,
            "group": layer_of(node),
            "owner": owners[0] if owners else None,
            "description": node.facets.get("documentation", {}).get("description"),
            "columns": columns_of(node),
            "more_upstream": 0,
            "more_downstream": 0,
        }

    def job(self, node: JobNode) -> dict[str, Any]:
        """A job."""
        kind = node.facets.get("jobType", {})
        return {
            "id": id_of(node),
            "namespace": node.namespace,
            "name": node.name,
            "kind": kind.get("jobType"),
        }

    def column_edges(self, edges: Collection[FoundEdge]) -> list[dict[str, Any]]:
        """Edges between columns, each once."""
        columns = self.catalog.columns({c for e in edges for c in (e.source, e.target)})
        nodes = self.catalog.datasets({dataset for dataset, _ in columns.values()}, facets=())
        jobs = self.catalog.jobs({e.job for e in edges}, facets=())
        found: dict[FoundEdge, dict[str, Any]] = {}
        for edge in edges:
            source, target = columns[edge.source], columns[edge.target]
            found[edge] = {
                "job": id_of(jobs[edge.job]),
                "source": id_of(nodes[source[0]]),
                "source_column": source[1],
                "target": id_of(nodes[target[0]]),
                "target_column": target[1] or None,
                "type": edge.type,
                "subtype": edge.subtype,
                "masking": edge.masking,
                "description": edge.description,
                "valid_from": instant(edge.valid_from),
                "valid_to": moment(edge.valid_to),
            }
        return sorted(found.values(), key=_order)


def _order(edge: Mapping[str, Any]) -> tuple[str, ...]:
    names = ("target", "target_column", "source", "source_column", "job", "type", "subtype")
    return (*(str(edge[name]) for name in names), edge["valid_from"])
