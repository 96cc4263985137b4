"""Who asked the server what: for auditors."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import select

from penstock.lineage.instant import instant
from penstock.lineage.server.own.described import At, Id
from penstock.lineage.server.reading import Reading
from penstock.lineage.tables import access

__all__ = ["router"]

router = APIRouter()


@router.get("/access")
def accesses(
    connection: Reading,
    who: Id | None = None,
    q: Id = "",
    since: At = None,
    until: At = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> dict[str, Any]:
    """Calls that read, newest first. `q` is a part of path or query; `before` the last id seen.

    `who` is the token's name, `local` where none is needed, empty for one that was refused.
    """
    query = select(access)
    if who is not None:
        query = query.where(access.c.who == who)
    if q:
        text = access.c.path + "?" + access.c.query
        query = query.where(text.contains(q, autoescape=True))
    if since is not None:
        query = query.where(access.c.at >= since)
    if until is not None:
        query = query.where(access.c.at <= until)
    if before is not None:
        query = query.where(access.c.id < before)
    rows = connection.execute(query.order_by(access.c.id.desc()).limit(limit)).mappings()
    return {"accesses": [{**row, "at": instant(row["at"])} for row in rows]}
