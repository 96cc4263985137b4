"""What the `lineage` facet tells: of a dataset, or of a job about datasets. Pure.

The facet is that of https://openlineage.io/spec/facets/1-0-0/LineageFacet.json. What it tells of
jobs that feed other jobs is passed: the graph knows jobs by the datasets between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.events.name import dataset_name, is_name
from penstock.ledger.graph.column_edge import ROWS, ColumnEdge, input_edges

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from penstock.events.name import Name

__all__ = ["explicit_edges", "explicit_sources", "job_reads", "job_writes"]


def explicit_edges(facet: Mapping[str, Any]) -> frozenset[ColumnEdge]:
    """The column edges. An input of the whole dataset that names a column decides its rows."""
    found = set(input_edges(_datasets(facet), ROWS))
    for column, inputs in _fields(facet):
        found |= set(input_edges(inputs, column))
    return frozenset(found)


def explicit_sources(facet: Mapping[str, Any]) -> frozenset[Name] | None:
    """The datasets that it is made of, and no others. None: it tells of columns alone."""
    if not isinstance(facet.get("inputs"), list):
        return None
    named = [*_datasets(facet), *(item for _, inputs in _fields(facet) for item in inputs)]
    return frozenset(_names(named))


def job_writes(facet: Mapping[str, Any]) -> Iterator[tuple[Name, dict[str, Any]]]:
    """The datasets of which a job's facet tells, each with what it would tell of itself."""
    for entry in _dicts(facet.get("entries")):
        name = dataset_name(entry.get("namespace"), entry.get("name"))
        if entry.get("type") == "DATASET" and name:
            yield name, {part: entry[part] for part in ("inputs", "fields") if part in entry}


def job_reads(facet: Mapping[str, Any]) -> Iterator[Name]:
    """The datasets that feed the job itself."""
    for entry in _dicts(facet.get("entries")):
        if entry.get("type") == "JOB" and "name" not in entry:
            yield from _names(_datasets(entry))


def _fields(facet: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    fields = facet.get("fields")
    for column, told in fields.items() if isinstance(fields, dict) else ():
        if is_name(column) and isinstance(told, dict):
            yield column, _datasets(told)


def _datasets(holder: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [item for item in _dicts(holder.get("inputs")) if item.get("type") == "DATASET"]


def _names(datasets: Iterable[Mapping[str, Any]]) -> Iterator[Name]:
    named = (dataset_name(item.get("namespace"), item.get("name")) for item in datasets)
    return (name for name in named if name)


def _dicts(values: Any) -> list[dict[str, Any]]:
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []
