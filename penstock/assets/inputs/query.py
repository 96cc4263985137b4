"""Rows of a database's table or view, all of them of one snapshot.

`query_pin` asks the database what a run takes, `query_rows` has Spark read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from penstock.assets.inputs.snapshot import as_slice_by, cut_by, refuse_unsliced
from penstock.assets.landing.cell import Dates
from penstock.assets.landing.declared import check_renamed
from penstock.assets.modes import Append, Merge, Scd2
from penstock.assets.time_zone import check_time_zone
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Arrived, Asked
    from penstock.resources.postgres import PostgresView
    from penstock.resources.secrets import Password
    from penstock.schemas.model import ColumnModel, ContractModel

__all__ = ["PinnedRows", "Query", "Reach", "query"]

_RELATION = re.compile(r"[A-Za-z_][\w$]*\.[A-Za-z_][\w$]*", re.ASCII)
_DATABASE = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_MOST_SPLITS = 64
# what a text can be read as, and nothing lost
_READABLE = re.compile(
    r"string|tinyint|smallint|int|bigint|decimal\(.*\)|float|double|boolean|date|timestamp(_ntz)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Rows of a table or view. `watermark` says which are new, `slice_by` which are of a slice.

    How it is split among readers does not change what is read.
    """

    relation: str
    database: str
    slice_by: str | tuple[str, ...] | None = None
    watermark: str | None = None
    overlap: timedelta | int = 0
    names: tuple[tuple[str, str], ...] = ()
    derived: tuple[str, ...] = ()
    time_zone: str | None = None
    split_by: str | None = field(default=None, repr=False)
    splits: int = field(default=1, repr=False)

    @property
    def dataset(self) -> str:
        """The name that lineage and Dagster know it by: `shop/public.orders`."""
        return f"{self.database}/{self.relation}"

    @property
    def source(self) -> str:
        """The name of the resource that is read from."""
        return self.database

    @property
    def once(self) -> bool:
        """Whether it is taken by a watermark."""
        return self.watermark is not None

    def columns(self, contract: ContractModel) -> list[ColumnModel]:
        """The contract's columns that the database has."""
        return [column for column in contract.columns if column.name not in self.derived]

    def sent_as(self, column: str) -> str:
        """What the database calls the contract's column."""
        return next((sent for sent, name in self.names if name == column), column)

    def column_of(self, sent: str) -> str:
        """The contract's name of what the database calls `sent`."""
        return dict(self.names).get(sent, sent)

    @property
    def cut_by(self) -> tuple[str, ...]:
        """The columns that say which slice a row is of, none where it is read whole."""
        return cut_by(self.slice_by)

    def dates(self, _: str) -> Dates:
        """How dates and datetimes are written, in any column."""
        return Dates(zone=self.time_zone)

    def check(self, spec: Dataset, name: str, where: str) -> None:
        """Raise DefinitionError where it fits not the contract, the mode or the slices."""
        columns = spec.partitions.columns if spec.partitions else ()
        if self.slice_by is not None:
            refuse_unsliced(spec, name, where)
        if len(self.cut_by) < len(columns):
            raise DefinitionError(
                f"input {name} names no column that says which slice a row is of",
                where=where,
                expected=f"query(..., slice_by=...) with {len(columns)} of them",
                next_step="name the column, or load the rows into a dataset without partitions and "
                "read that",
            )
        if self.watermark is not None and not isinstance(spec.write, Append | Merge | Scd2):
            raise DefinitionError(
                f"input {name} gives what is new, which would replace the rows before it",
                where=where,
                expected="write=Append(), Merge() or Scd2()",
                found=type(spec.write).__name__,
                next_step="add what is new to the table, or leave watermark= out",
            )
        if self.overlap and isinstance(spec.write, Append) and spec.write.known != "skip":
            raise DefinitionError(
                f"input {name} reads rows of the overlap again, and they would be added again",
                where=where,
                expected="write=Append(known='skip') and a key, or Merge()",
                next_step="say so, or leave overlap= out",
            )
        marked = spec.arriving.column(self.column_of(self.watermark)) if self.watermark else None
        if marked and marked.pii and not marked.masked:
            raise DefinitionError(
                "the watermark is personal data, and commits say how far it was taken",
                where=f"contract {spec.contract.__name__}.{marked.name}",
                next_step="name a sequence number or a time of change",
            )
        known = {column.name for column in spec.arriving.columns}
        unknown = sorted({*self.derived, *(name for _, name in self.names)} - known)
        if unknown:
            raise DefinitionError(
                "query(...) names a column that the contract has not",
                where=where,
                expected=f"one of {', '.join(c.name for c in spec.arriving.columns)}",
                found=", ".join(unknown),
                next_step="name the columns as the contract does",
            )
        given = [name for _, name in self.names]
        if twice := sorted({name for name in given if given.count(name) > 1}):
            raise DefinitionError(
                "names= has two of the database's columns for one",
                where=where,
                expected="each column of the contract once",
                found=", ".join(twice),
                next_step="leave one out",
            )
        check_renamed(known - {*self.derived}, self.names, where)
        for column in self.columns(spec.arriving):
            if not _READABLE.fullmatch(column.type):
                raise DefinitionError(
                    f"input {name} cannot give the column: a database's value is read as text",
                    where=f"contract {spec.contract.__name__}.{column.name}",
                    expected="a type without parts, and not binary",
                    found=column.type,
                    next_step="load the text into a dataset with a str column and take it apart in "
                    "the next one; or, if the function adds it, write query(derived=...)",
                )

    def pin(self, asked: Asked) -> PinnedRows:
        """What the run takes, of a view of the database that is held open."""
        from penstock.assets.inputs.query_pin import pin_rows

        return pin_rows(self, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a watermark, a column and its type, was taken, as text of the database's.

    Rows above `after` were taken, up to `up_to`; `rows` and `digest` are of those. The next run
    begins above `settled`, where `below` rows were then. `recent` is the digest of those between
    that and `up_to`.
    """

    watermark: str
    after: str | None
    up_to: str | None
    settled: str | None
    below: int
    recent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRows:
    """Rows of a view of the database: `rows` of them, with a keyed `digest` of what they say.

    `selects` are SQL of the database's, one for each reader, of text columns `_0`, `_1`, ... in the
    contract's order.
    """

    name: str
    query: Query
    view: PostgresView
    password: Password | None = field(repr=False)
    selects: tuple[str, ...]
    rows: int
    digest: str
    reach: Reach | None = None
    nothing_new: bool = False

    @property
    def dataset(self) -> str:
        """The name that lineage knows it by."""
        return self.query.dataset

    def content(self) -> dict[str, Any]:
        """What of it the result depends on."""
        said = {"dataset": self.dataset, "rows": self.rows, "digest": self.digest}
        if self.reach:
            said |= {"after": self.reach.after, "up_to": self.reach.up_to}
        return said

    def document(self) -> dict[str, Any]:
        """What the commit says of it."""
        postgres = self.view.postgres
        said = self.content() | {
            "namespace": postgres.namespace,
            "name": f"{postgres.database}.{self.query.relation}",
        }
        if self.reach:
            reach = self.reach
            said |= {"watermark": reach.watermark, "settled": reach.settled}
            said |= {"below": reach.below, "recent": reach.recent}
        return said

    def read(self, spark: SparkSession, contract: ContractModel, *, strict: bool) -> Arrived:
        """The rows, of the contract's types."""
        from penstock.assets.inputs.query_rows import read_rows

        return read_rows(spark, self, contract, strict=strict)

    def refuse_other(self) -> None:
        """Raise SourceError when the view is gone; it shows nothing else while it is there."""
        self.view.refuse_lost()


def query(  # noqa: PLR0913 - each is what some table asks for
    relation: str,
    *,
    database: str,
    slice_by: str | Sequence[str] | None = None,
    watermark: str | None = None,
    overlap: timedelta | int = 0,
    names: Mapping[str, str] | None = None,
    derived: Sequence[str] = (),
    time_zone: str | None = None,
    split_by: str | None = None,
    splits: int = 8,
) -> Query:
    """Rows of a table or view of a PostgreSQL database, such as `public.orders`.

    `database` names a `Postgres` resource of the deployment. All that a run reads is of one
    snapshot of it, and of the contract's columns alone.

    By default the whole relation is read at each run, and nothing is written where its rows are
    those of the last one. `slice_by` names a column of which only the slice is read: a date or
    timestamp, for a slice of values a text, or one of each. `watermark` names one that grows with
    each row that is new or changes, as a sequence number or `updated_at` does: only rows above the
    highest that was taken are read, up to the highest there is. Rows may get there later than their
    number says, for a transaction takes it before it commits: `overlap`, a timedelta or for numbers
    an int, is read again each time. One that came even later fails the run, as far as it makes rows
    below the overlap more.

    `names` says what the database calls columns otherwise: `names={"cust_no": "customer"}`.
    `derived` are the contract's columns that the function adds. A `timestamp` of the database's,
    which says no zone, is of `time_zone`, else of UTC. `split_by` names a column of numbers, dates
    or datetimes by which `splits` readers share the rows.
    """
    where = f"query({relation!r})"
    if not _fits(_RELATION, relation):
        raise DefinitionError(
            "this is not the name of a table or view",
            where=where,
            expected="a schema and a name, like public.orders",
            next_step="write both; of a name with other characters, or of rows that are to be "
            "chosen or joined, make a view",
        )
    if not _fits(_DATABASE, database) or database == "landing":
        raise DefinitionError(
            "this is not the name of a database resource",
            where=where,
            expected="small letters, digits and underscores, and not landing",
            found=repr(database),
            next_step="name the Postgres resource of the deployment: database='shop'",
        )
    if watermark is not None and slice_by is not None:
        raise DefinitionError(
            "watermark and slice_by are two ways to say what is read",
            where=where,
            next_step="choose one",
        )
    if overlap and watermark is None:
        raise DefinitionError(
            "overlap without watermark",
            where=where,
            next_step="name the column that grows: watermark='updated_at'",
        )
    if not _is_overlap(overlap):
        raise DefinitionError(
            "overlap is neither a duration nor a number",
            where=where,
            expected="a timedelta, or an int for a column of numbers, not below 0",
            found=repr(overlap),
            next_step="write overlap=timedelta(minutes=10)",
        )
    if not _is_number(splits) or not 1 <= splits <= _MOST_SPLITS:
        raise DefinitionError(
            "splits is no number of readers",
            where=where,
            expected=f"1 to {_MOST_SPLITS}: each is a session of the database's",
            found=repr(splits),
            next_step="write splits=8",
        )
    if time_zone is not None:
        check_time_zone(where, time_zone)
    return Query(
        relation=relation,
        database=database,
        slice_by=as_slice_by(slice_by, where),
        watermark=watermark,
        overlap=overlap,
        names=tuple(sorted((names or {}).items())),
        derived=tuple(derived),
        time_zone=time_zone,
        split_by=split_by,
        splits=splits if split_by is not None else 1,
    )


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_overlap(value: object) -> bool:
    if isinstance(value, timedelta):
        return value >= timedelta()
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
