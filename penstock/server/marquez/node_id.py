"""Marquez's ids of nodes: `dataset:<namespace>:<name>`, `datasetField:…:<field>`, `job:…`.

A namespace or a name may hold colons itself (`s3://bucket`), so an id is read in every way there
is, and the first that exists is meant. Marquez's own way, where a colon before `//` or a digit
divides nothing, comes first.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from penstock.ledger.graph.catalog import Catalog
from penstock.server.problem import BAD_REQUEST, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import DatasetNode, JobNode

__all__ = ["Node", "dataset_id", "field_id", "find_node", "job_id"]

_KINDS = ("datasetField", "dataset", "job")
_MOST_COLONS = 40
_DIVIDES_NOTHING = re.compile(r":(?=//|\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What an id means. `field` is set when it is a column, `version` when one was asked for."""

    kind: str
    number: int
    field: str | None = None
    version: UUID | None = None


def dataset_id(dataset: DatasetNode) -> str:
    """The id of a dataset."""
    return f"dataset:{dataset.namespace}:{dataset.name}"


def job_id(job: JobNode) -> str:
    """The id of a job."""
    return f"job:{job.namespace}:{job.name}"


def field_id(dataset: DatasetNode, field: str, version: UUID | None) -> str:
    """The id of a column, with the dataset's version if there is one to name."""
    end = f"#{version}" if version else ""
    return f"datasetField:{dataset.namespace}:{dataset.name}:{field}{end}"


def find_node(connection: Connection, node_id: str) -> Node:
    """What the id means. Raises the Problem that it means nothing."""
    kind, colon, rest = node_id.partition(":")
    if kind not in _KINDS or not colon:
        raise Problem(
            BAD_REQUEST,
            "this is no id of a dataset, of a column or of a job",
            where="query.nodeId",
            next_step="give dataset:<namespace>:<name>, datasetField:…:<field> or job:…",
        )
    if rest.count(":") > _MOST_COLONS:
        raise Problem(
            BAD_REQUEST,
            f"an id with more than {_MOST_COLONS} colons is not tried",
            where="query.nodeId",
            next_step="ask for the dataset by its namespace and name",
        )
    for text, version in _versioned(rest):
        found = _find(connection, kind, text, version)
        if found:
            return found
    raise Problem.unknown(kind, f"nodeId {node_id}")


def _versioned(text: str) -> Iterator[tuple[str, UUID | None]]:
    # a # may be part of a name as well
    before, sign, after = text.rpartition("#")
    if sign:
        with contextlib.suppress(ValueError):
            yield before, UUID(after)
    yield text, None


def _find(connection: Connection, kind: str, text: str, version: UUID | None) -> Node | None:
    catalog = Catalog(connection)
    if kind == "job":
        for namespace, name in _splits(text):
            number = catalog.job_id(namespace, name)
            if number is not None:
                return Node(kind=kind, number=number, version=version)
        return None
    if kind == "dataset":
        number = _dataset(catalog, text)
        return None if number is None else Node(kind=kind, number=number, version=version)
    # a field's name seldom holds a colon, so it is what follows the last one
    for before, field in reversed(list(_every_split(text))):
        number = _dataset(catalog, before)
        if number is not None and field in catalog.column_ids(number):
            return Node(kind=kind, number=number, field=field, version=version)
    return None


def _dataset(catalog: Catalog, text: str) -> int | None:
    found = (catalog.dataset_id(namespace, name) for namespace, name in _splits(text))
    return next((number for number in found if number is not None), None)


def _splits(text: str) -> list[tuple[str, str]]:
    unusual = {match.start() for match in _DIVIDES_NOTHING.finditer(text)}
    return sorted(_every_split(text), key=lambda pair: len(pair[0]) in unusual)


def _every_split(text: str) -> Iterator[tuple[str, str]]:
    for place, letter in enumerate(text):
        if letter == ":" and 0 < place < len(text) - 1:
            yield text[:place], text[place + 1 :]
