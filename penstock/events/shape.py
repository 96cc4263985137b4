"""What an OpenLineage event must be for the ledger to take it: the core of the specification.

Facets are kept as they come, known or not. Names are the specification's, version 2-0-2
(https://openlineage.io/spec/2-0-2/OpenLineage.json).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from penstock.errors import InputError
from penstock.events.instant import told_moment
from penstock.events.name import LONGEST_NAME_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EventShape", "EventType", "event_shape"]

EventType = Literal["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]

_LONGEST_TEXT = 4096  # characters of what is no name
_LONGEST_PATH = 300  # characters of a JSON path in a message; its names are the sender's


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    text.encode()  # a lone surrogate is no text
    return text


def _name(text: str) -> str:
    if len(_storable(text).encode()) > LONGEST_NAME_BYTES:
        raise ValueError(f"is longer than {LONGEST_NAME_BYTES} bytes of UTF-8")
    return text


def _moment(told: Any) -> datetime:
    # pydantic alone would take a number too, which no other reader of the event understands
    if not isinstance(told, str):
        raise ValueError("is no text")  # noqa: TRY004 - pydantic tells of a ValueError alone
    return told_moment(told)


def _storable_facets(facets: dict[str, Any] | None) -> dict[str, Any]:
    for name, facet in (facets or {}).items():
        _storable(name)
        if facet is not None and not isinstance(facet, dict):
            raise ValueError(f"the facet {name[:80]!r} is no object")
    return facets or {}


_Name = Annotated[str, Field(min_length=1), AfterValidator(_name)]
_Text = Annotated[str, Field(min_length=1, max_length=_LONGEST_TEXT), AfterValidator(_storable)]
_Moment = Annotated[datetime, BeforeValidator(_moment)]
_Facets = Annotated[dict[str, Any] | None, AfterValidator(_storable_facets)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class _Run(_Part):
    runId: UUID  # noqa: N815 - the specification's name
    facets: _Facets = None


class _Job(_Part):
    namespace: _Name
    name: _Name
    facets: _Facets = None


class _Dataset(_Part):
    namespace: _Name
    name: _Name
    facets: _Facets = None
    inputFacets: _Facets = None  # noqa: N815
    outputFacets: _Facets = None  # noqa: N815


class EventShape(_Part):
    """A run event, a job event (no run) or a dataset event (neither), as far as it must be right.

    `run`, `job` and `dataset` say which it is.
    """

    eventTime: _Moment  # noqa: N815
    producer: _Text
    schemaURL: _Text  # noqa: N815
    eventType: EventType | None = None  # noqa: N815
    run: _Run | None = None
    job: _Job | None = None
    dataset: _Dataset | None = None
    inputs: list[_Dataset] | None = None
    outputs: list[_Dataset] | None = None

    @property
    def namespace(self) -> str:
        """Whose chain it belongs to: the job's namespace, or the dataset's."""
        named = self.job or self.dataset
        assert named is not None
        return named.namespace


def event_shape(payload: Mapping[str, Any], where: str) -> EventShape:
    """The event's own shape. Raises InputError that names the JSON path of what is wrong."""
    try:
        shape = EventShape.model_validate(payload)
    except (ValidationError, RecursionError, OverflowError) as error:
        path, found = _first(error)
        raise _refused(where, path, found) from None
    if shape.run and not shape.job:
        raise _refused(where, "$.job", "nothing: a run belongs to a job")
    if not (shape.job or shape.dataset):
        raise _refused(where, "$", "neither run and job, nor job, nor dataset")
    return shape


def _first(error: Exception) -> tuple[str, str]:
    if not isinstance(error, ValidationError):
        return "$", type(error).__name__
    # the input itself is not shown: it may be a value of somebody's data
    first = error.errors(include_url=False, include_input=False)[0]
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"])
    path = ("$" + "".join(steps)).encode("ascii", "backslashreplace").decode()
    return path[:_LONGEST_PATH], first["msg"]


def _refused(where: str, path: str, found: str) -> InputError:
    return InputError(
        "this is not an OpenLineage event",
        where=f"{where} {path}",
        expected="a RunEvent, JobEvent or DatasetEvent of the OpenLineage specification 2-0-2",
        found=found,
        next_step=f"correct {path} and send the event again; nothing of it was kept",
    )
