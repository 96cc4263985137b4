"""`POST /api/v1/lineage`: OpenLineage events, durable before they are answered for."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from penstock.events.lenient import lenient
from penstock.ledger.group_commit import GroupCommit
from penstock.server.body import TOO_LARGE, json_of
from penstock.server.problem import Problem, documented
from penstock.server.settings import ServerSettings

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["events"])

CREATED = 201
_EVENT = {"schema": {"type": "object", "required": ["eventTime", "producer", "schemaURL"]}}
_BODY = {"requestBody": {"required": True, "content": {"application/json": _EVENT}}}
_EVENTS = {"schema": {"type": "array", "items": _EVENT["schema"]}}
_BATCH = {"requestBody": {"required": True, "content": {"application/json": _EVENTS}}}
_ANSWERS = documented(
    {
        400: "the body is no JSON",
        413: "the body, also unpacked, or the list is too long",
        415: "the body is not application/json, or packed otherwise than by gzip",
        422: "an event is not one of OpenLineage; nothing was kept",
        503: "the ledger cannot be written; nothing was kept",
    }
)
_TAKEN = "every event is on disk"


class Taken(BaseModel):
    """What was taken; `sequences` are the events' places in the ledger, in the order given."""

    status: str
    summary: dict[str, int]
    sequences: list[int]


@router.post(
    "/lineage",
    status_code=CREATED,
    openapi_extra=_BODY,
    responses=_ANSWERS,
    response_model=Taken,
    response_description=_TAKEN,
)
async def take(request: Request) -> JSONResponse:
    """Take one event, or a list of them: all or none. An event sent again is kept once."""
    return await _take(request)


@router.post(
    "/lineage/batch",
    status_code=CREATED,
    openapi_extra=_BATCH,
    responses=_ANSWERS,
    response_model=Taken,
    response_description=_TAKEN,
)
async def take_batch(request: Request) -> JSONResponse:
    """Take a list of events: all or none."""
    return await _take(request)


async def _take(request: Request) -> JSONResponse:
    body = await request.body()
    # SQLite with its fsync, and megabytes of JSON, would hold up every other call
    sequences = await run_in_threadpool(_kept, request, body)
    summary = {"received": len(sequences), "successful": len(sequences), "failed": 0}
    told = {"status": "success", "summary": summary, "sequences": list(sequences)}
    return JSONResponse(told, status_code=CREATED)


def _kept(request: Request, body: bytes) -> tuple[int, ...]:
    allowed: ServerSettings = request.app.state.settings
    told = json_of(body, request.headers, most_bytes=allowed.most_body_bytes)
    events = told if isinstance(told, list) else [told]
    if len(events) > allowed.most_events:
        raise Problem(
            TOO_LARGE,
            f"{len(events)} events at once are too many",
            where="$",
            next_step=f"send at most {allowed.most_events} events in one list",
        )
    if allowed.lenient:
        events = [lenient(event) for event in events]
    appender: GroupCommit = request.app.state.appender
    return appender.append_all(events)
