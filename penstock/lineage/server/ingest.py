"""`POST /api/v1/lineage`: OpenLineage events, durable before they are answered for."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from penstock.lineage.server.body import body_of
from penstock.lineage.server.problem import BAD_REQUEST, Problem

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", tags=["events"])

CREATED, TOO_LARGE = 201, 413
_EVENT = {"schema": {"type": "object", "required": ["eventTime", "producer", "schemaURL"]}}
_BODY = {"requestBody": {"required": True, "content": {"application/json": _EVENT}}}
_EVENTS = {"schema": {"type": "array", "items": _EVENT["schema"]}}
_BATCH = {"requestBody": {"required": True, "content": {"application/json": _EVENTS}}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    code: {"description": text}
    for code, text in {
        201: "every event is on disk",
        400: "the body is no JSON",
        401: "a token is needed",
        403: "the token may not send events",
        413: "the body or the list is too long",
        415: "the body is packed, and not with gzip",
        422: "an event is not one of OpenLineage; nothing was kept",
        429: "too many calls",
        503: "the ledger cannot be written; nothing was kept",
    }.items()
}


@router.post("/lineage", status_code=CREATED, openapi_extra=_BODY, responses=_ANSWERS)
async def take(request: Request) -> JSONResponse:
    """Take one event, or a list of them: all or none. An event sent again is kept once."""
    return await _take(request)


@router.post("/lineage/batch", status_code=CREATED, openapi_extra=_BATCH, responses=_ANSWERS)
async def take_batch(request: Request) -> JSONResponse:
    """Take a list of events: all or none."""
    return await _take(request)


async def _take(request: Request) -> JSONResponse:
    settings = request.app.state.settings
    body = await body_of(request, settings.most_body_bytes)
    events = _events(body, settings.most_events)
    # SQLite and its fsync would hold up every other call
    sequences = await run_in_threadpool(request.app.state.appender.append_all, events)
    summary = {"received": len(events), "successful": len(events), "failed": 0}
    told = {"status": "success", "summary": summary, "sequences": list(sequences)}
    return JSONResponse(told, status_code=CREATED)


def _events(body: bytes, most: int) -> list[Any]:
    try:
        told = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Problem(
            BAD_REQUEST,
            f"the body is no JSON: {type(error).__name__}",
            where="$",
            next_step="send one OpenLineage event as JSON in UTF-8, or a list of them",
        ) from None
    events = told if isinstance(told, list) else [told]
    if len(events) > most:
        raise Problem(
            TOO_LARGE,
            f"{len(events)} events at once are too many",
            where="$",
            next_step=f"send at most {most} events in one list",
        )
    return events


def _no_number(name: str) -> Any:
    raise ValueError(name)
