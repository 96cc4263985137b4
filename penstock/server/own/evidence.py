"""The evidence bundle of a question: for auditors."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from penstock.server.own.described import At, Describer, Id
from penstock.server.problem import Problem, documented
from penstock.server.reading import Reading, ledger_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["router"]

router = APIRouter()
_CHUNK = 1 << 20


@router.get(
    "/evidence",
    response_class=StreamingResponse,
    responses=documented({501: "the server has no key to sign with, or knows no lake"}),
)
def evidence(
    request: Request,
    connection: Reading,
    id: Id | None = None,
    column: Id | None = None,
    pii: Id | None = None,
    since: At = None,
    until: At = None,
) -> StreamingResponse:
    """A signed zip of what is known of a dataset, a column, a class of data, or a period."""
    from penstock.evidence import Question, bundle

    make_key = request.app.state.signing_key
    if make_key is None:
        raise Problem.not_offered("a key to sign with", "evidence")
    question = Question(dataset=id, column=column, pii=pii, since=since, until=until)
    if id is not None:
        describer = Describer(connection)
        number = describer.dataset(id)
        if column is not None:
            describer.column(number, column)
    ledger = ledger_of(request)
    made = bundle(
        ledger.database,
        question,
        key=make_key(),
        at=ledger.now(),
        by=request.state.caller.name,
        histories=request.app.state.histories,
    )
    headers = {"content-disposition": 'attachment; filename="evidence.zip"'}
    return StreamingResponse(_parts(made), media_type="application/zip", headers=headers)


def _parts(content: bytes) -> Iterator[bytes]:
    stream = io.BytesIO(content)
    while part := stream.read(_CHUNK):
        yield part
