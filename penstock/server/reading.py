"""What a call reads from: one transaction, on a graph that knows every event accepted before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection

from penstock.ledger.graph.projector import catch_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from penstock.ledger.ledger import Ledger

__all__ = ["Reading", "ledger_of"]


def ledger_of(request: Request) -> Ledger:
    """The ledger that the application serves."""
    ledger: Ledger = request.app.state.ledger
    return ledger


def _reading(request: Request) -> Iterator[Connection]:
    database = ledger_of(request).database
    catch_up(database)
    with database.read() as connection:
        yield connection


Reading = Annotated[Connection, Depends(_reading)]
