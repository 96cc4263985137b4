"""Records of a topic as a DataFrame: rows of the contract's types, and records that are none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from penstock.assets.inputs.kind import Arrived
from penstock.assets.inputs.topic_avro import UNREAD, VALUE, with_lines
from penstock.assets.landing.json_frames import GONE, objects
from penstock.assets.row_filters import newest_of, only, raise_unless
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.topic import PinnedRecords
    from penstock.schemas.model import ContractModel

__all__ = ["read_records"]

_PART, _OFFSET, _AT, _KEY = "_part", "_offset", "_at", "_key"
_FACTS = {"key": _KEY, "partition": _PART, "offset": _OFFSET, "timestamp": _AT}


def read_records(
    spark: SparkSession, item: PinnedRecords, contract: ContractModel, *, strict: bool
) -> Arrived:
    """The records that were pinned. Raises InputError over Connect where they want a password."""
    topic = item.topic
    rows = _records(spark, item)
    if topic.envelope is not None and topic.envelope.deletes:
        rows = rows.where(f"{VALUE} IS NOT NULL")  # the event before it says what is gone
    if topic.avro:
        rows = with_lines(
            rows, topic.avro, item.mark, f"{item.kafka.namespace}, topic {topic.name}"
        )
    else:
        rows = rows.withColumn("_line", F.col(VALUE).cast("string")).drop(VALUE)
    found = objects(spark, rows, topic, contract, item.mark, decodes=False, removes=item.removes)
    # a record without a value is no malformed one: it says that what its key names is gone
    is_bad = f"({found.is_bad})"
    reasons = f"CASE WHEN _line IS NULL THEN array('topic:tombstone') ELSE {found.reasons} END"
    if topic.avro:
        is_bad = f"({is_bad} OR {UNREAD} IS NOT NULL)"
        reasons = f"CASE WHEN {UNREAD} IS NOT NULL THEN array({UNREAD}) ELSE {reasons} END"
    facts = dict(topic.record_columns)
    if "key" in facts.values():
        is_bad = f"({is_bad} OR NOT coalesce(is_valid_utf8({_KEY}), true))"
        unread = f"NOT coalesce(is_valid_utf8({_KEY}), true)"
        reasons = f"concat({reasons}, CASE WHEN {unread} THEN array('topic:key') ELSE array() END)"
    columns = [c for c in contract.columns if c.name not in topic.derived]
    known = {name: _FACTS[fact] for name, fact in facts.items()}
    if topic.envelope and topic.envelope.deleted:
        known[topic.envelope.deleted] = GONE
    if topic.rest is not None:
        known[topic.rest] = found.rest
    values = [
        f"CAST({known[c.name]} AS {c.type}) AS {quoted(c.name)}"
        if c.name in known
        else quoted(c.name)
        for c in columns
    ]
    keep = raise_unless if strict else only
    good = keep(found.rows, f"NOT {is_bad}").selectExpr(*values, _PART, _OFFSET)
    if item.apart:
        # of one partition the records of a key are in order, of two nobody knows which is newer
        good = newest_of(good, (*item.apart, _PART), f"{_OFFSET} DESC")
    place = f"concat({literal(f'{item.dataset} ')}, {_PART}, ':', {_OFFSET})"
    return Arrived(
        good=good.drop(_PART, _OFFSET),
        rejected=only(found.rows, is_bad).selectExpr(
            f"{reasons} AS reasons", f"{found.text} AS row", f"{place} AS file"
        ),
    )


def _records(spark: SparkSession, item: PinnedRecords) -> DataFrame:
    """The records of the range, their value as bytes in VALUE."""
    if item.password and type(spark).__module__.startswith("pyspark.sql.connect"):
        raise InputError(
            "a topic that wants a password is not read over Spark Connect: it would be in the plan "
            "that is sent, and the server shows plans",
            where=f"input {item.name}",
            expected="a dataset on a classic session",
            next_step="give the dataset that reads the topic cluster=..., a LocalCluster",
        )
    name = item.topic.name
    taken = [part for part, offset in item.up_to.items() if offset > item.after[part]]
    if not taken:
        kinds = f"{_PART} int, {_OFFSET} bigint, {_AT} timestamp, {_KEY} string, {VALUE} binary"
        return spark.createDataFrame([], kinds)
    reader = spark.read.format("kafka").options(**item.kafka.spark_options(item.password))
    rows = (
        reader.option("assign", json.dumps({name: taken}))
        .option("startingOffsets", _offsets(name, {p: item.after[p] for p in taken}))
        .option("endingOffsets", _offsets(name, {p: item.up_to[p] for p in taken}))
        .load()
    )
    return rows.selectExpr(
        f"partition AS {_PART}",
        f"offset AS {_OFFSET}",
        f"timestamp AS {_AT}",
        f"CAST(key AS string) AS {_KEY}",
        f"value AS {VALUE}",
    )


def _offsets(name: str, offsets: dict[int, int]) -> str:
    return json.dumps({name: {str(part): offset for part, offset in offsets.items()}})
