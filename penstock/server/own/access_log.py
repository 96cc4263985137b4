"""Who asked the server what: for auditors."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Depends, Query
from sqlalchemy import ColumnElement, and_, func, or_, select

from penstock.events.instant import instant
from penstock.events.name import LONGEST_NAME_BYTES
from penstock.ledger.tables import access, token
from penstock.server.access_line import on_one_line, written
from penstock.server.own.described import At, Describer, Id, label_of
from penstock.server.problem import Problem
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

__all__ = ["router"]

router = APIRouter()
_REFUSED = (401, 403, 414, 421, 429)
_MOST_LABELS = 2000
_DATASETS = ("id", "source", "target", "dataset")  # parameters that name one


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """Which calls are asked for."""

    conditions: tuple[ColumnElement[bool], ...]
    dataset: str | None


def _chosen(
    connection: Reading,
    *,
    who: Id | None = None,
    q: Id = "",
    dataset: Id | None = None,
    refused: bool = False,
    since: At = None,
    until: At = None,
) -> _Chosen:
    found = []
    if who is not None:
        found.append(access.c.who == who)
    if q:
        found.append(or_(*(_holds(text) for text in _spellings(q))))
    if dataset:
        found.append(or_(*(_names_it(*name) for name in _names(connection, dataset))))
    if refused:
        found.append(access.c.status.in_(_REFUSED))
    if since is not None:
        found.append(access.c.at >= since)
    if until is not None:
        found.append(access.c.at <= until)
    return _Chosen(conditions=tuple(found), dataset=dataset)


@router.get("/access")
def accesses(
    connection: Reading,
    chosen: Annotated[_Chosen, Depends(_chosen)],
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> dict[str, Any]:
    """Calls that read, signed in or out, or were refused, newest first.

    `q` is a part of path or query, as it is written or in escapes, in capitals or not. `dataset`
    is the id of one: calls that named it, by any of its names. `refused`: those alone. `before`
    is the last id seen; `more` says that there are older ones. `who` is the token's name, `local`
    where none is needed, empty for nobody. `labels` are those of the datasets that were named.
    """
    query = select(*(column for column in access.c if column.name != "sought"))
    query = query.where(*chosen.conditions)
    if before is not None:
        query = query.where(access.c.id < before)
    found = connection.execute(query.order_by(access.c.id.desc()).limit(limit + 1)).mappings()
    rows = found.all()
    shown = [
        {**row, "at": instant(row["at"]), "refused": row["status"] in _REFUSED}
        for row in rows[:limit]
    ]
    return {
        "accesses": shown,
        "more": len(rows) > limit,
        "labels": _labels(connection, (row["query"] for row in shown), chosen.dataset),
        "callers": list(connection.execute(select(token.c.name).order_by(token.c.name)).scalars()),
    }


def _spellings(text: str) -> set[str]:
    """A text as a person writes it, and one copied from an address."""
    parts = (unquote_plus(part).replace("\0", "") for part in text.replace("?", "&").split("&"))
    return {on_one_line(text), "\n".join(on_one_line(part) for part in parts)} - {""}


def _holds(text: str) -> ColumnElement[bool]:
    return access.c.sought.icontains(text, autoescape=True)


def _names(connection: Connection, text: str) -> set[tuple[str, str]]:
    """Every name of the dataset; one that the graph does not know has that of the id alone."""
    describer = Describer(connection)
    try:
        number = describer.dataset(text)
    except Problem:
        namespace, _, name = text.partition("|")
        return {(namespace, name)}
    node = describer.catalog.datasets({number})[number]
    return {(node.namespace, node.name), *node.other_names}


def _names_it(namespace: str, name: str) -> ColumnElement[bool]:
    """Whether a call named the dataset: exactly, and not one whose name only begins alike.

    Penstock's own calls name it by its id, Marquez's in the path or by the id of a node. A name
    that the log cannot hold as it is, is looked for as the log holds it.
    """
    parts = [
        written(f"={namespace}|{name}") + "\n",
        written(f"/namespaces/{namespace}/datasets/{name}") + "\n",
        written(f"/namespaces/{namespace}/datasets/{name}/"),
        written(f"=dataset:{namespace}:{name}") + "\n",
        written(f"=datasetField:{namespace}:{name}:"),
    ]
    return or_(*(_has(part) for part in parts))


def _has(part: str) -> ColumnElement[bool]:
    # LIKE alone takes capitals for small letters in SQLite; it leaves less to replace
    return and_(
        access.c.sought.contains(part, autoescape=True),
        func.replace(access.c.sought, part, "") != access.c.sought,
    )


def _labels(connection: Connection, queries: Iterable[str], also: str | None) -> dict[str, str]:
    """What people call the datasets that the calls named, by id."""
    named = (value for query in queries for name, value in parse_qsl(query) if name in _DATASETS)
    # whoever names thousands in a call is shown with ids
    asked = set(islice(named, _MOST_LABELS)) | ({also} if also else set())
    describer, numbers = Describer(connection), {}
    for text in asked:
        if "|" not in text or "\0" in text or len(text) > 2 * LONGEST_NAME_BYTES:
            continue
        try:
            numbers[text] = describer.dataset(text)
        except Problem:
            continue
    nodes = describer.catalog.datasets(set(numbers.values()))
    return {text: label_of(nodes[number]) for text, number in numbers.items()}
