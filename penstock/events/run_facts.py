"""What is known about one run of one dataset: plain data, the source of its OpenLineage events."""

from __future__ import annotations

import json
import traceback
import uuid
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from penstock.errors import PenstockError
from penstock.events.name import one_s3
from penstock.schemas.model import ContractModel, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from penstock.lineage.column_lineage import ColumnLineage

__all__ = [
    "Assertion",
    "ColumnMetric",
    "DatasetRef",
    "JobKind",
    "ParentRun",
    "ProcessingEngine",
    "RunError",
    "RunFacts",
    "RunIdentity",
    "SourceLocation",
    "TableFiles",
    "Upkeep",
    "physical_name",
    "run_id",
]

RUN_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:penstock:run")
STACK_LINES = 40  # the deepest frames; an event is not a log file


class JobKind(StrEnum):
    """What a job does to its dataset."""

    DATASET = "DATASET"
    COMPACTION = "COMPACTION"
    MASKING = "MASKING"


def run_id(dagster_run_id: str, dataset: str, slice_key: str | None, attempt: int) -> uuid.UUID:
    """The run's id: equal arguments give equal ids, so a replayed event is the same event.

    >>> run_id("a", "silver.bookings", None, 1) == run_id("a", "silver.bookings", None, 1)
    True
    """
    name = json.dumps([dagster_run_id, dataset, slice_key, attempt])
    return uuid.uuid5(RUN_NAMESPACE, name)


def physical_name(location: str) -> tuple[str, str]:
    """Namespace and name of a table's location by the OpenLineage naming specification.

    >>> physical_name("/lake/silver/bookings/")
    ('file', '/lake/silver/bookings')
    >>> physical_name("s3a://bucket/silver/bookings")
    ('s3://bucket', 'silver/bookings')
    """
    scheme, separator, rest = location.partition("://")
    if not separator:
        scheme, rest = "file", location.removeprefix("file:")
    if scheme == "file":
        return "file", "/" + rest.strip("/")
    authority, _, key = rest.partition("/")
    return one_s3(f"{scheme}://{authority}"), key.strip("/") or "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentRun:
    """The Dagster run a dataset run belongs to; `root_*` when that one has a parent itself."""

    run_id: uuid.UUID
    job_name: str
    job_namespace: str
    root_run_id: uuid.UUID | None = None
    root_job_name: str | None = None
    root_job_namespace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIdentity:
    """Which run this is. `job_name` is the dataset's name; nominal times are the slice's window."""

    run_id: uuid.UUID
    job_namespace: str
    job_name: str
    attempt: int = 1
    slice_key: str | None = None
    nominal_start: datetime | None = None
    nominal_end: datetime | None = None
    parent: ParentRun | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetRef:
    """One dataset read or written: where it lies, what it is called, at which Delta version.

    `table_id` is Delta's: a table that was made anew at the same place has another. `row_count`,
    `bytes` and `files` are what was read of an input; None means not known.
    """

    namespace: str
    name: str
    asset_key: str
    version: str | None = None
    table_id: str | None = None
    contract: ContractModel | None = None
    owner: str | None = None
    row_count: int | None = None
    bytes: int | None = None
    files: int | None = None

    @classmethod
    def at(
        cls,
        location: str,
        asset_key: str,
        *,
        version: int | str | None = None,
        table_id: str | None = None,
        contract: ContractModel | None = None,
    ) -> DatasetRef:
        """The dataset at a path or URL, named by the OpenLineage naming specification."""
        namespace, name = physical_name(location)
        return cls(
            namespace=namespace,
            name=name,
            asset_key=asset_key,
            version=None if version is None else str(version),
            table_id=table_id,
            contract=contract,
            owner=contract.owner if contract else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """The result of one check. `failed_rows` counts; no row's value is ever held."""

    check_id: str
    name: str
    success: bool
    severity: Severity = Severity.ERROR
    column: str | None = None
    failed_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMetric:
    """Counts over one column. Minima and maxima are left out: they are values of rows."""

    null_count: int | None = None
    distinct_count: int | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLocation:
    """Where the dataset's function stands in version control."""

    repository_url: str
    path: str
    commit: str
    line: int | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingEngine:
    """The engine that did the work and the Penstock that drove it."""

    name: str
    version: str
    adapter_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """Why a run ended badly, cleared for events: no row's value is in it."""

    message: str
    stack_trace: str | None = None
    language: Literal["PYTHON", "JAVA", "SCALA", "SQL"] = "PYTHON"

    @classmethod
    def of(cls, error: BaseException) -> RunError:
        """What may be told of `error`.

        A PenstockError's message is made to hold no row's value, so it is kept. Any other message
        may hold one (Spark quotes the value it could not cast), so only the type, Spark's error
        condition and the frames are kept.
        """
        message = str(error) if isinstance(error, PenstockError) else _described(error)
        frames: list[str] = []
        link: BaseException | None = error
        while link is not None and len(frames) < STACK_LINES:
            frames.extend(
                f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
                for frame in reversed(traceback.extract_tb(link.__traceback__, limit=-STACK_LINES))
            )
            link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
            if link is not None:
                frames.append(f"caused by {_described(link)}")
        stack = "\n".join([_described(error), *frames[:STACK_LINES]]) if frames else None
        return cls(message=message, stack_trace=stack)


def _described(error: BaseException) -> str:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    condition = _spark_condition(error)
    return f"{module}{kind.__qualname__}" + (f" [{condition}]" if condition else "")


def _spark_condition(error: BaseException) -> str | None:
    # such as CAST_INVALID_INPUT; asked for by name, because this package does not import pyspark
    ask = getattr(error, "getCondition", None)
    if not callable(ask):
        return None
    try:
        condition = ask()
    except Exception:  # noqa: BLE001  # a classic error asks the JVM, and the JVM may be what has just died
        return None
    return condition if isinstance(condition, str) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFiles:
    """A table's live files; `expired_files` have left it and lie there still, past retention."""

    files: int
    bytes: int
    expired_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What upkeep did to a table and why. No text in it holds a row's value.

    `operations` are those of its commits in order. `after` was measured when it had ended, so that
    other writers' work shows in it too.
    """

    status: str
    operations: tuple[str, ...]
    reasons: tuple[str, ...]
    before: TableFiles
    after: TableFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """All that is known of a run at the moment an event is made. None means not known (yet)."""

    identity: RunIdentity
    output: DatasetRef
    inputs: tuple[DatasetRef, ...] = ()
    also_reads: tuple[tuple[str, str], ...] = ()  # for itself: names of what is no input
    began: datetime | None = None  # before its function, which runs before START is told
    spark_application: str | None = None
    kind: JobKind = JobKind.DATASET
    column_lineage: ColumnLineage | None = None
    assertions: tuple[Assertion, ...] = ()
    column_metrics: Mapping[str, ColumnMetric] = field(default_factory=dict)
    rows_in: int | None = None
    rows_committed: int | None = None
    rows_quarantined: int | None = None
    quarantined_by_rule: Mapping[str, int] = field(default_factory=dict)
    quarantine: str | None = None  # where the rows lie that were set aside
    upkeep: Upkeep | None = None
    bytes: int | None = None
    files: int | None = None
    committed: bool | None = (
        None  # False: the token was found in the table, nothing new was written
    )
    token: str | None = None
    code_version: str | None = None
    source: SourceLocation | None = None
    engine: ProcessingEngine | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    error: RunError | None = None
