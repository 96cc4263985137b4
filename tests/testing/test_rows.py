"""Literal rows and the comparison of frames."""

from __future__ import annotations

import decimal
import time
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from penstock import Contract, Daily, Decimal, Slice, column, dataset, landing, table
from penstock.errors import DefinitionError, GateError
from penstock.testing import assert_frames_equal, count_jobs, rows, run_body

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TYPES = {"id": int, "fare": "decimal(10,2)", "day": "date"}


class Raw(Contract, name="bronze.fares", version="1.0.0", owner="team:x"):
    """One fare."""

    id: int = column()
    fare: Decimal(10, 2) = column(nullable=True)
    day: date = column()


class Doubled(Contract, name="silver.fares", version="1.0.0", owner="team:x"):
    """One fare, doubled."""

    id: int = column(key=True)
    fare: Decimal(10, 2) = column(nullable=True)
    day: date = column()


@dataset(Raw, inputs={"raw": landing("fares.csv", derived=["day"])})
def raw_fares(raw: DataFrame) -> DataFrame:
    return raw.selectExpr("*", "DATE'2013-01-05' AS day")


@dataset(
    Doubled,
    inputs={"raw": table(Raw)},
    partitions=Daily(column="day", start=date(2013, 1, 1)),
)
def doubled_fares(raw: DataFrame, run: Slice) -> DataFrame:
    kept = raw.where(run.predicate("day", "date"))
    return kept.selectExpr("id", "CAST(2 * fare AS decimal(10,2)) AS fare", "day")


def test_a_drawn_table_gets_its_types(spark: SparkSession) -> None:
    frame = rows(spark, TYPES, "id | fare | day\n 1 | 3.5 | 2013-01-05\n 2 | NULL | 2013-01-06")
    assert [tuple(row) for row in frame.collect()] == [
        (1, decimal.Decimal("3.50"), date(2013, 1, 5)),
        (2, None, date(2013, 1, 6)),
    ]


def test_dictionaries_may_leave_columns_out_and_not_invent_them(spark: SparkSession) -> None:
    given: list[dict[str, Any]] = [{"id": 1}, {"fare": "2.5", "id": 2}]
    frame = rows(spark, Raw, given)
    assert [row.fare for row in frame.collect()] == [None, decimal.Decimal("2.50")]
    with pytest.raises(ValueError, match="no such column: \\['fair'\\]"):
        rows(spark, Raw, [{"id": 1, "fair": 2}])


def test_a_cell_of_another_type_is_named(spark: SparkSession) -> None:
    with pytest.raises(ValueError, match="day: 'soon' is not a date"):
        rows(spark, TYPES, [(1, 2, "soon")])
    with pytest.raises(ValueError, match="2 cells"):
        rows(spark, TYPES, [(1, 2)])


def test_equal_frames_in_another_order_are_equal(spark: SparkSession) -> None:
    frame = rows(spark, TYPES, [(1, 1, "2013-01-05"), (2, 2, "2013-01-05")])
    assert_frames_equal(frame.orderBy("id"), frame.orderBy("id", ascending=False))
    assert_frames_equal(frame, frame.select("day", "fare", "id"))
    with pytest.raises(AssertionError, match="order differs from row 0"):
        assert_frames_equal(frame.orderBy("id"), frame.orderBy("id", ascending=False), ordered=True)


def test_the_difference_lists_rows_missing_and_too_many(spark: SparkSession) -> None:
    types = {"id": int, "x": float}
    actual = rows(spark, types, [(1, 1.0), (1, 1.0), (2, float("nan"))])
    with pytest.raises(AssertionError) as caught:
        assert_frames_equal(actual, [(1, 1.0), (2, float("nan")), (3, None)])
    assert str(caught.value).splitlines() == [
        "the rows differ: 3 expected, 3 found",
        "  missing: id=3, x=None",
        "  too many: id=1, x=1.0",
    ]


def test_the_difference_lists_columns_and_types(spark: SparkSession) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_frames_equal(rows(spark, {"a": int, "b": str}), rows(spark, {"a": "int", "c": str}))
    assert str(caught.value).splitlines() == [
        "the columns differ",
        "  missing c string",
        "  too many b string",
        "  a: expected int, found bigint",
    ]


def test_a_body_runs_on_literal_rows_of_its_inputs_contracts(spark: SparkSession) -> None:
    arrived = run_body(raw_fares, spark, raw="id | fare\n 1 | 2.50")
    assert_frames_equal(arrived, [(1, "2.50", "2013-01-05")])
    doubled = run_body(
        doubled_fares,
        spark,
        run=Slice.day(date(2013, 1, 5)),
        raw=[(1, "2.50", "2013-01-05"), (2, "1", "2013-01-06")],
    )
    assert_frames_equal(doubled, [(1, "5.00", "2013-01-05")])
    with pytest.raises(ValueError, match="inputs are \\['raw'\\]"):
        run_body(raw_fares, spark)


def test_a_body_whose_result_is_not_the_contracts_is_refused(spark: SparkSession) -> None:
    @dataset(Doubled, inputs={"raw": table(Raw)})
    def wrong(raw: DataFrame) -> DataFrame:
        return raw.drop("day")

    with pytest.raises(GateError, match="not what the contract says"):
        run_body(wrong, spark, raw=[])


def test_a_contract_that_was_refused_stands_in_nobodys_way(spark: SparkSession) -> None:
    with pytest.raises(DefinitionError) as refused:  # holds the class as long as it lives

        class Broken(Contract, name="bronze.broken", version="1.0.0", owner="team:x"):
            """Refused: there is no such check."""

            id: int = column(positive=True)

    arrived = run_body(doubled_fares, spark, run=Slice.day(date(2013, 1, 5)), raw=[])
    assert_frames_equal(arrived, [])
    assert refused.value


def test_jobs_are_counted_with_the_place_they_come_from(spark: SparkSession) -> None:
    with count_jobs(spark) as jobs:
        spark.range(3).collect()
        spark.range(4).collect()
    assert [name.split()[0] for name in jobs.started_from] == ["collect", "collect"]
    with count_jobs(spark) as none:
        spark.range(3).where("id > 1")
    assert len(none) == 0


def test_a_moment_is_the_same_wherever_the_machine_stands(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {"at": "timestamp", "wall": "timestamp_ntz", "each": "array<struct<at timestamp>>"}
    # in New York's autumn these two are both half past one
    moments = ("2013-11-03T05:30:00", "2013-11-03T06:30:00")
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        first, second = (
            rows(spark, kinds, [(moment, moment, [(datetime.fromisoformat(moment),)])])
            for moment in moments
        )
        told = first.selectExpr("string(at)", "string(wall)", "string(each[0].at)").collect()
        assert {text.replace(" ", "T") for text in told[0]} == {moments[0]}
        assert_frames_equal(first, first)
        with pytest.raises(AssertionError, match="1 expected, 1 found"):
            assert_frames_equal(first.select("at"), second.select("at"))
        with pytest.raises(AssertionError, match="1 expected, 1 found"):
            assert_frames_equal(first.select("each"), second.select("each"))
    finally:
        monkeypatch.undo()
        time.tzset()
