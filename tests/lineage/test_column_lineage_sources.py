"""Which sources are recognised, what is left unknown, and that nothing runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyspark.sql.functions as F
import pytest

from penstock.lineage.plan.frame_lineage import column_lineage, lineage_of_plan, mark
from penstock.lineage.plan.tree import Expression, Node
from tests.lineage.column_lineage_shapes import found, inputs

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Delta table of two versions with a change feed."""
    path = tmp_path_factory.mktemp("lake") / "flights"
    rows = spark.range(3).selectExpr("id", "'UA' as carrier", "struct(id as code) as origin")
    with_feed = rows.write.format("delta").option("delta.enableChangeDataFeed", "true")
    with_feed.save(str(path))
    rows.write.format("delta").mode("append").save(str(path))
    return path


def test_a_table_read_at_a_version_is_the_marked_dataset(spark: SparkSession, table: Path) -> None:
    pinned = spark.read.format("delta").option("versionAsOf", 0).load(str(table))
    frame = mark(pinned, "bronze.flights").select("carrier", "origin.code")
    assert found(column_lineage(frame)) == {
        "fields": {"carrier": "flights.carrier IDENTITY", "code": "flights.origin.code IDENTITY"},
        "rows": "",
        "unknown": [],
    }


def test_a_change_feed_is_the_marked_dataset(spark: SparkSession, table: Path) -> None:
    feed = spark.read.format("delta").option("readChangeFeed", "true")
    changes = feed.option("startingVersion", 0).load(str(table))
    frame = mark(changes, "bronze.flights").where("_change_type = 'insert'").select("id")
    assert found(column_lineage(frame)) == {
        "fields": {"id": "flights.id IDENTITY"},
        "rows": "flights._change_type FILTER",
        "unknown": [],
    }


def test_what_was_done_before_the_mark_belongs_to_the_dataset(
    spark: SparkSession, table: Path
) -> None:
    before = spark.read.format("delta").load(str(table)).where("id > 1").withColumn("x", F.lit(1))
    frame = mark(before, "bronze.flights").select("x")
    assert found(column_lineage(frame)) == {
        "fields": {"x": "flights.x IDENTITY"},
        "rows": "",
        "unknown": [],
    }


def test_an_unmarked_table_is_unknown(spark: SparkSession, table: Path) -> None:
    lineage = column_lineage(spark.read.format("delta").load(str(table)).select("id"))
    assert lineage.fields == {"id": ()}
    assert {entry.column for entry in lineage.unknown} == {"id", None}
    assert all("not a marked input" in entry.reason for entry in lineage.unknown)
    assert not lineage.complete


def test_file_metadata_is_a_column_of_the_dataset(spark: SparkSession, table: Path) -> None:
    marked = mark(spark.read.format("delta").load(str(table)), "bronze.flights")
    frame = marked.select(F.col("_metadata.file_path").alias("file"))
    assert found(column_lineage(frame))["fields"] == {
        "file": "flights._metadata.file_path IDENTITY"
    }


def test_a_cached_frame_keeps_its_lineage(spark: SparkSession) -> None:
    cached = inputs(spark).flights.select("id", "delay").cache()
    try:
        lineage = found(column_lineage(cached.where("delay > 1").select("id")))
    finally:
        cached.unpersist()
    assert lineage["fields"] == {"id": "flights.id IDENTITY"}
    assert lineage["unknown"] == []


def test_a_checkpoint_cuts_the_lineage_and_says_so(spark: SparkSession) -> None:
    cut = inputs(spark).flights.select("id").localCheckpoint(eager=False)
    lineage = column_lineage(cut)
    assert lineage.fields == {"id": ()}
    assert "checkpointed" in lineage.unknown[0].reason


def test_opaque_functions_say_that_they_are(spark: SparkSession) -> None:
    mapped = inputs(spark).flights.select("id").mapInPandas(lambda frames: frames, "x long")
    (origin,) = column_lineage(mapped).fields["x"]
    assert "every column may be made of every column" in origin.description


def test_no_job_is_run(spark: SparkSession, table: Path) -> None:
    tracker = spark.sparkContext.statusTracker()
    flights = mark(spark.read.format("delta").load(str(table)), "bronze.flights")
    frame = flights.join(flights.groupBy("carrier").count(), "carrier").orderBy("id")
    before = set(tracker.getJobIdsForGroup())
    column_lineage(frame)
    assert set(tracker.getJobIdsForGroup()) == before


def test_a_twin_built_from_the_same_body_is_preferred(spark: SparkSession) -> None:
    def body(flights: DataFrame) -> DataFrame:
        return flights.select(F.inline("legs").alias("stop", "minutes"))

    flights = inputs(spark).flights
    lineage = column_lineage(body(flights), classic_twin=lambda: body(flights))
    assert found(lineage)["fields"]["stop"] == "flights.legs.stop TRANSFORMATION"


def _attribute(number: int, name: str) -> Expression:
    return Expression(kind="attributereference", id=number, name=name)


def _marked_leaf() -> Node:
    leaf = Node(kind="LocalRelation", output=(_attribute(1, "a"), _attribute(2, "b")))
    return Node(kind="SubqueryAlias", name="penstock:bronze.x", children=(leaf,))


def test_a_node_never_seen_leaves_doubt_on_every_column() -> None:
    novel = Node(kind="Teleport", children=(_marked_leaf(),), output=(_attribute(3, "c"),))
    project = (_attribute(1, "a"), _attribute(3, "c"))
    plan = Node(kind="Project", children=(novel,), groups={"projectList": project})
    lineage = lineage_of_plan(plan, ["a", "c"])
    assert {(entry.column, entry.reason) for entry in lineage.unknown} == {
        ("a", "the plan node Teleport"),
        ("c", "the plan node Teleport"),
        (None, "the plan node Teleport"),
    }
    assert lineage.inputs() == {"bronze.x": frozenset({"a", "b"})}


def test_an_expression_never_seen_without_inputs_is_unknown() -> None:
    strange = Expression(kind="alias", id=9, name="v", children=(Expression(kind="oracle"),))
    plan = Node(kind="Project", children=(_marked_leaf(),), groups={"projectList": (strange,)})
    (entry,) = lineage_of_plan(plan, ["v"]).unknown
    assert (entry.column, entry.reason) == ("v", "the expression oracle")


def test_columns_that_do_not_fit_the_frame_are_all_unknown() -> None:
    lineage = lineage_of_plan(_marked_leaf(), ["a", "c"])
    assert {entry.column for entry in lineage.unknown} == {"a", "c"}
