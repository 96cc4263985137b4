"""How the server says that something is wrong: what, where and the next step, never a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from penstock.errors import InputError, LakeError, LedgerError, PenstockError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

__all__ = ["Problem", "ToldProblem", "add_problems", "documented", "problem"]

BAD_REQUEST, NOT_FOUND, UNPROCESSABLE, NOT_OFFERED, UNAVAILABLE = 400, 404, 422, 501, 503


class ToldProblem(BaseModel):
    """The answer to a call that fails. `code` and `message` are Marquez's names."""

    error: str
    where: str
    next_step: str
    code: int
    message: str
    expected: str | None = None
    found: str | None = None


def documented(answers: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """These refusals, and those that any call may meet, for the API's document."""
    usual = {
        401: "a token is needed",
        403: "a token of this role may not do this",
        414: "path and query are too long",
        421: "without tokens the server answers to its own machine alone",
        422: "a parameter, or an event, is not what the call takes",
        429: "too many calls",
        503: "the ledger cannot be used",
    }
    told = sorted({**usual, **answers}.items())
    return {code: {"description": text, "model": ToldProblem} for code, text in told}


class Problem(Exception):  # noqa: N818 - it is what is answered
    """An answer that ends the call."""

    def __init__(self, status: int, what: str, *, where: str, next_step: str) -> None:
        self.status, self.what, self.where, self.next_step = status, what, where, next_step
        super().__init__(what)

    @classmethod
    def unknown(cls, kind: str, where: str) -> Problem:
        """There is no such thing."""
        step = "look it up by name: /api/v1/search?q="
        return cls(NOT_FOUND, f"there is no such {kind}", where=where, next_step=step)

    @classmethod
    def not_offered(cls, what: str, where: str) -> Problem:
        """The server was started without what it would take."""
        step = "start it with `penstock serve` in the project of the deployment"
        return cls(
            NOT_OFFERED, f"the server was started without {what}", where=where, next_step=step
        )


def problem(status: int, what: str, *, where: str, next_step: str, **more: Any) -> JSONResponse:
    """The answer as JSON."""
    told = {"error": what, "where": where, "next_step": next_step, "code": status, "message": what}
    return JSONResponse({**told, **more}, status_code=status)


def add_problems(app: FastAPI) -> None:
    """Let every error of the application be answered this way."""

    @app.exception_handler(Problem)
    def told(_request: Request, error: Problem) -> JSONResponse:
        return problem(error.status, error.what, where=error.where, next_step=error.next_step)

    @app.exception_handler(InputError)
    def refused(_request: Request, error: InputError) -> JSONResponse:
        return _of(UNPROCESSABLE, error)

    @app.exception_handler(LakeError)
    @app.exception_handler(LedgerError)
    def unavailable(_request: Request, error: LakeError | LedgerError) -> JSONResponse:
        return _of(UNAVAILABLE, error)

    @app.exception_handler(RequestValidationError)
    def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        step = "see /openapi.json for the parameters of this call"
        return problem(UNPROCESSABLE, first["msg"], where=where, next_step=step)

    @app.exception_handler(HTTPException)
    def other(request: Request, error: HTTPException) -> JSONResponse:
        step = "see /openapi.json for what there is"
        return problem(error.status_code, str(error.detail), where=request.url.path, next_step=step)


def _of(status: int, error: PenstockError) -> JSONResponse:
    more = {"expected": error.expected, "found": error.found}
    told = {name: value for name, value in more.items() if value}
    where = error.where or "ledger"
    return problem(status, error.what, where=where, next_step=error.next_step, **told)
