"""Events as they were sent.

Those that were moved to the archive are in none of these lists: `archivedCount`, which Marquez has
not, says how many of the ledger, or of the namespace, that are.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Path
from fastapi import Query as Parameter
from fastapi.responses import Response
from pydantic import BeforeValidator
from sqlalchemy import func, select

from penstock.ledger.archived import archived_count
from penstock.ledger.tables import event
from penstock.server.marquez.parameters import Limit, Offset
from penstock.server.path_names import Named
from penstock.server.reading import Reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["router"]

router = APIRouter()

_FIRST, _LAST = 2, 9997  # years, beyond which a time zone may lead out of what a database keeps


def _moment(text: Any) -> datetime | None:
    if text is None or not str(text).strip():
        return None
    # a + that was not escaped has become a space
    found = datetime.fromisoformat(str(text).strip().replace(" ", "+"))
    if not _FIRST < found.year < _LAST:
        raise ValueError("this is no moment of an event")
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


Events = dict[str, Any]
Moment = Annotated[datetime | None, Parameter(), BeforeValidator(_moment)]
Direction = Annotated[Literal["asc", "desc"], BeforeValidator(lambda text: str(text).lower())]


@router.get("/events/lineage", response_model=Events)
def list_lineage_events(
    reading: Reading,
    before: Moment = None,
    after: Moment = None,
    sortDirection: Direction = "desc",  # noqa: N803 - Marquez's parameter
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """The events of runs, from `after` on until before `before`."""
    conditions: list[Any] = [event.c.run_id.is_not(None)]
    if before:
        conditions.append(event.c.event_time < before)
    if after:
        conditions.append(event.c.event_time >= after)
    return _page(reading, conditions, limit, offset, direction=sortDirection)


@router.get("/events", response_model=Events)
def list_events(reading: Reading, limit: Limit = 100, offset: Offset = 0) -> Response:
    """All events, those about a job or a dataset too, the latest first."""
    return _page(reading, [], limit, offset)


@router.get("/namespaces/{namespace}/events/lineage", response_model=Events)
def list_lineage_events_of(
    reading: Reading, namespace: Named, limit: Limit = 100, offset: Offset = 0
) -> Response:
    """The events of a namespace's jobs and datasets, the latest first."""
    return _page(reading, [event.c.namespace == namespace], limit, offset, namespace=namespace)


@router.get("/events/{namespace:path}", response_model=Events)
def list_events_of(
    reading: Reading,
    namespace: Annotated[str, Path()],
    limit: Limit = 100,
    offset: Offset = 0,
) -> Response:
    """The events of a namespace's jobs and datasets, as marquez-python asks for them."""
    return _page(reading, [event.c.namespace == namespace], limit, offset, namespace=namespace)


def _page(
    connection: Connection,
    conditions: list[Any],
    limit: int,
    offset: int,
    *,
    direction: Literal["asc", "desc"] = "desc",
    namespace: str | None = None,
) -> Response:
    order = [event.c.event_time, event.c.sequence]
    query = select(event.c.payload).where(*conditions)
    query = query.order_by(*(each.desc() if direction == "desc" else each for each in order))
    rows = connection.execute(query.limit(limit).offset(offset)).scalars()
    total = connection.execute(select(func.count()).select_from(event).where(*conditions))
    # each is JSON already
    counts = {
        "totalCount": total.scalar_one(),
        "archivedCount": archived_count(connection, namespace),
    }
    told = f'{{"events": [{", ".join(rows)}], {json.dumps(counts)[1:]}'
    return Response(told, media_type="application/json")
