"""Records of a Kafka topic, a range of offsets of each partition at a time.

`topic_pin` says which range a run takes, `topic_rows` has Spark read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.assets.inputs.topic_schemas import schemas_of
from penstock.assets.landing.cell import Dates
from penstock.assets.landing.declared import (
    check_date_format,
    check_date_formats,
    check_json,
    check_renamed,
    check_rest,
)
from penstock.assets.landing.envelope import Envelope, check_envelope, check_is_envelope
from penstock.assets.modes import Append, Merge, Scd2
from penstock.assets.time_zone import check_time_zone
from penstock.errors import DefinitionError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Arrived, Asked
    from penstock.assets.inputs.topic_schemas import Schemas
    from penstock.resources.kafka import Kafka
    from penstock.resources.secrets import Password
    from penstock.schemas.model import ContractModel

__all__ = ["PinnedRecords", "Topic", "topic"]

_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_BROKER = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_FACTS = {
    "key": ("string",),
    "partition": ("int", "bigint"),
    "offset": ("bigint",),
    "timestamp": ("timestamp",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Records of a topic whose values are JSON objects, or with `avro` rows of these schemas."""

    name: str
    broker: str
    names: tuple[tuple[str, str], ...] = ()
    derived: tuple[str, ...] = ()
    record_columns: tuple[tuple[str, str], ...] = ()
    extra_columns: bool = False
    time_zone: str | None = None
    given_up: tuple[tuple[int, int], ...] = ()
    date_formats: tuple[tuple[str, str], ...] = ()
    envelope: Envelope | None = None
    rest: str | None = None
    avro: Schemas = ()

    @property
    def dataset(self) -> str:
        """The name that lineage and Dagster know it by: `events/orders`."""
        return f"{self.broker}/{self.name}"

    @property
    def source(self) -> str:
        """The name of the resource that is read from."""
        return self.broker

    @property
    def once(self) -> bool:
        """Always."""
        return True

    @property
    def added(self) -> frozenset[str]:
        """The contract's columns that no record's value has."""
        others = (self.envelope.deleted if self.envelope else None, self.rest)
        more = [name for name in others if name is not None]
        return frozenset((*self.derived, *(name for name, _ in self.record_columns), *more))

    def sent_as(self, column: str) -> str:
        """What the sender calls the contract's column."""
        return next((sent for sent, name in self.names if name == column), column)

    def dates(self, column: str) -> Dates:
        """How dates and datetimes of the contract's column are written."""
        return Dates(pattern=dict(self.date_formats).get(column), zone=self.time_zone)

    def check(self, spec: Dataset, name: str, where: str) -> None:
        """Raise DefinitionError where it fits not the contract, the mode or the slices."""
        if spec.partitions or not isinstance(spec.write, Append | Merge | Scd2):
            raise DefinitionError(
                f"input {name} gives what is new, which would replace the rows before it",
                where=where,
                expected="write=Append(), Merge() or Scd2(), and no partitions",
                found=type(spec.write).__name__,
                next_step="load the records into a dataset without partitions and read that",
            )
        if spec.whole_list:
            raise DefinitionError(
                f"input {name} gives what is new, and says nothing of what is missing",
                where=where,
                expected="missing='keep'",
                found=f"missing={getattr(spec.write, 'missing', None)!r}",
                next_step="leave missing= out",
            )
        known = {column.name: column.type for column in spec.arriving.columns}
        said = [*self.derived, *(column for _, column in self.names), *dict(self.record_columns)]
        if unknown := sorted({*said} - known.keys()):
            raise DefinitionError(
                "topic(...) names a column that the contract has not",
                where=where,
                expected=f"one of {', '.join(known)}",
                found=", ".join(unknown),
                next_step="name the columns as the contract does",
            )
        if twice := sorted({column for column in said if said.count(column) > 1}):
            raise DefinitionError(
                "topic(...) says two things of a column",
                where=where,
                found=", ".join(twice),
                next_step="name it once, in names=, derived= or record_columns=",
            )
        for column, fact in self.record_columns:
            if known[column] not in _FACTS[fact]:
                raise DefinitionError(
                    f"the column cannot hold the {fact} of a record",
                    where=f"contract {spec.contract.__name__}.{column}",
                    expected=" or ".join(_FACTS[fact]),
                    found=known[column],
                    next_step="give the column that type",
                )
        beside = self.envelope.paths if self.envelope else {}
        check_renamed(known.keys() - self.added - beside.keys(), self.names, where)
        check_date_formats(spec, self.date_formats, self.added, where)
        check_json(spec, name, self.added, "topic")
        if self.envelope is not None:
            check_envelope(spec, name, self.envelope, frozenset(said), where)
        check_rest(spec, self.rest, {*said, *beside}, where)

    def pin(self, asked: Asked) -> PinnedRecords:
        """Which records the run takes: all that are committed and were not taken."""
        from penstock.assets.inputs.topic_pin import pin_records

        return pin_records(self, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedRecords:
    """Records of each partition from `after` (included) up to `up_to` (excluded).

    `topic_id` is Kafka's: offsets of a topic that was made anew begin again at 0. `apart` are the
    columns that tell rows apart where the newest record counts, else none. `mark` is a text that
    no record holds.
    """

    name: str
    topic: Topic
    kafka: Kafka
    password: Password | None = field(repr=False)
    topic_id: str
    after: Mapping[int, int]
    up_to: Mapping[int, int]
    apart: tuple[str, ...]
    removes: bool  # whether rows leave the table, by a column that it does not have
    mark: str = field(repr=False)
    nothing_new: bool = False

    @property
    def dataset(self) -> str:
        """The name that lineage knows it by."""
        return self.topic.dataset

    def content(self) -> dict[str, Any]:
        """What of it the result depends on."""
        return {
            "dataset": self.dataset,
            "topic_id": self.topic_id,
            "after": {str(part): offset for part, offset in self.after.items()},
            "up_to": {str(part): offset for part, offset in self.up_to.items()},
        }

    def document(self) -> dict[str, Any]:
        """What the commit says of it."""
        return self.content() | {"namespace": self.kafka.namespace, "name": self.topic.name}

    def read(self, spark: SparkSession, contract: ContractModel, *, strict: bool) -> Arrived:
        """The records as rows."""
        from penstock.assets.inputs.topic_rows import read_records

        return read_records(spark, self, contract, strict=strict)

    def refuse_other(self) -> None:
        """Raise InputError when the topic is not the one that was pinned."""
        now = self.kafka.state(self.password, self.topic.name)
        if now.id != self.topic_id:
            raise InputError(
                "the topic was made anew while it was being read",
                where=f"{self.kafka.namespace}, topic {self.topic.name}",
                expected=f"the topic {self.topic_id}",
                found=f"the topic {now.id}",
                next_step="run again: it is then told what was lost; nothing was committed",
            )


def topic(  # noqa: PLR0913 - each is what some sender does otherwise
    name: str,
    *,
    broker: str,
    names: Mapping[str, str] | None = None,
    derived: Sequence[str] = (),
    record_columns: Mapping[str, str] | None = None,
    extra_columns: bool = False,
    time_zone: str | None = None,
    date_formats: Mapping[str, str] | None = None,
    envelope: Envelope | None = None,
    rest: str | None = None,
    given_up: Mapping[int, int] | None = None,
    avro: Mapping[int, Path | str] | None = None,
) -> Topic:
    """Records of a Kafka topic whose values are JSON objects or Avro, each taken once.

    `broker` names a `Kafka` resource of the deployment. A run takes all records that are committed
    when it begins and that no run took before; which, is decided before anything is read and is in
    the commit, so that no consumer group and no checkpoint is needed. The first run begins with the
    oldest there is. Under `Merge` and `Scd2` the newest record of a key (and `valid_from`) counts,
    by its offset, also where its row breaks a rule of the contract; where a run finds a key's
    records in two partitions nobody knows which is newer, and they are set aside.

    `names` says what the sender calls columns otherwise: `names={"orderId": "order_id"}`. `derived`
    are the contract's columns that the function adds. `record_columns` are those that say something
    of the record: its `"key"` (str), `"partition"` (int), `"offset"` (int) or `"timestamp"`
    (datetime): `record_columns={"sent_at": "timestamp"}`. `extra_columns` says that keys which the
    contract does not name are ignored, `rest` that they are kept in this column, as JSON; else a
    record with some is set aside. A datetime without a zone is of `time_zone`, else of UTC.
    `date_formats` says how date and datetime columns are written, as that of `landing` does.
    `envelope` says that values are change events: `debezium()` or `envelope(...)`; records without
    a value are passed over then, for the event before them says what is gone. `given_up` says of
    partitions below which offset records are no longer missed, where Kafka deleted them before they
    were taken: `given_up={0: 120}`.

    `avro` says that values are Avro as Confluent's serializers write it, and which schemas the ids
    in front of them stand for, each a file or JSON: `avro={7: Path(__file__).with_name("o.avsc")}`.
    A value of a schema that is not named fails the run. What is read is held as JSON would be.
    """
    where = f"topic({name!r})"
    if not _fits(_NAME, name) or name in (".", ".."):
        raise DefinitionError(
            "this is not the name of a topic",
            where=where,
            expected="letters, digits, points, hyphens and underscores",
            next_step="name one topic; two are two inputs",
        )
    if not _fits(_BROKER, broker) or broker == "landing":
        raise DefinitionError(
            "this is not the name of a Kafka resource",
            where=where,
            expected="small letters, digits and underscores, and not landing",
            found=repr(broker),
            next_step="name the Kafka resource of the deployment: broker='events'",
        )
    for column, fact in (record_columns or {}).items():
        if fact not in _FACTS:
            raise DefinitionError(
                "a record says no such thing of itself",
                where=f"{where}, record_columns[{column!r}]",
                expected=f"one of {', '.join(_FACTS)}",
                found=repr(fact),
                next_step="write record_columns={'sent_at': 'timestamp'}",
            )
    for part, offset in (given_up or {}).items():
        if not (_is_number(part) and _is_number(offset)):
            raise DefinitionError(
                "given_up says no offset of a partition",
                where=where,
                expected="numbers of partitions, and of each the first offset that is wanted",
                found=f"{part!r}: {offset!r}",
                next_step="write given_up={0: 120}",
            )
    if time_zone is not None:
        check_time_zone(where, time_zone)
    for column, written in (date_formats or {}).items():
        check_date_format(f"{where}, date_formats[{column!r}]", written)
    check_is_envelope(where, envelope)
    return Topic(
        name=name,
        broker=broker,
        names=tuple(sorted((names or {}).items())),
        derived=tuple(derived),
        record_columns=tuple(sorted((record_columns or {}).items())),
        extra_columns=extra_columns,
        time_zone=time_zone,
        given_up=tuple(sorted((given_up or {}).items())),
        date_formats=tuple(sorted((date_formats or {}).items())),
        envelope=envelope,
        rest=rest,
        avro=schemas_of(avro, where),
    )


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
