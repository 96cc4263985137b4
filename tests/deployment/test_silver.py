from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from assets.bronze import flights as bronze_flights
from assets.bronze import weather as bronze_weather
from assets.shared import bookings as share_bookings
from assets.shared.bookings import MASKING
from assets.silver import airlines, airports, bookings, planes, weather
from penstock.privacy import mask, pads_file, read_pads
from penstock.resources.secrets import FileSecrets
from penstock.schemas.contract import model_of, struct_of
from penstock.schemas.model import Pii
from penstock.schemas.predicates import bad_reasons_sql, good_sql
from pipelines.data import CANARY
from schemas import bronze, shared, silver

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow(seconds=15)


def test_bronze_adds_the_day_a_row_is_of(landed: Any) -> None:
    for contract, function, folder, day in (
        (bronze.Flights, bronze_flights, "flights", "flight_date"),
        (bronze.Weather, bronze_weather, "weather", "observation_date"),
    ):
        typed = function(landed(contract, folder, derived=day))
        assert typed.columns == struct_of(contract).names
        assert {row[day].day for row in typed.select(day).distinct().collect()} == set(range(7, 14))
        assert typed.where(f"day({day}) != day OR month({day}) != month").count() == 0


def test_a_day_that_does_not_exist_is_null_and_stops_nothing(rows: Any) -> None:
    reported = rows(
        bronze.Flights,
        {"year": 2013, "month": 2, "day": 30},
        {"year": None, "month": 2, "day": 3},
        {"year": 2013, "month": 2, "day": 28},
    ).drop("flight_date")
    found = [row.flight_date for row in bronze_flights(reported).collect()]
    assert found == [None, None, date(2013, 2, 28)]


def test_the_repeated_hour_of_november_gives_two_keys(rows: Any) -> None:
    local = {"origin": "EWR", "observation_date": date(2013, 11, 3), "hour": 1}
    given = rows(
        bronze.Weather,
        local | {"time_hour": datetime(2013, 11, 3, 5, tzinfo=UTC)},
        local | {"time_hour": datetime(2013, 11, 3, 6, tzinfo=UTC)},
    )
    assert weather(given).select("origin", "hour_utc").distinct().count() == 2


def test_of_the_real_week_only_the_impossible_wind_is_set_aside(landed: Any) -> None:
    week = weather(bronze_weather(landed(bronze.Weather, "weather", derived="observation_date")))
    model = model_of(silver.Weather)
    [bad] = (
        week.where(f"NOT ({good_sql(model)})")
        .select("*", F.expr(bad_reasons_sql(model) or ""))
        .collect()
    )
    assert (bad.origin, bad.observation_date, int(bad.wind_speed_mph)) == (
        "EWR",
        date(2013, 2, 12),
        1048,
    )
    assert bad[-1] == ["wind_speed_mph:in_range"]
    assert week.count() == 504


def test_every_real_reference_row_keeps_its_contract(landed: Any) -> None:
    for function, source, folder, count in (
        (planes, bronze.Planes, "planes", 3322),
        (airports, bronze.Airports, "airports", 1458),
        (airlines, bronze.Airlines, "airlines", 16),
    ):
        frame = function(landed(source, folder))
        assert frame.columns == struct_of(function.contract).names
        good = frame.where(good_sql(function.model) or "")
        assert good.select(*function.model.key).distinct().count() == frame.count() == count


BOOKING = {
    "booking_id": "B20130207-00001",
    "flight_date": date(2013, 2, 7),
    "carrier": "UA",
    "flight": 1545,
    "origin": "EWR",
    "name": " Ana Gómez ",
    "email": "Ana@Example.org ",
    "passport_number": "t43890869",
    "fare": Decimal("92.50"),
}


def test_a_booking_names_its_flight_as_flights_do(rows: Any) -> None:
    [row] = bookings(rows(bronze.Bookings, BOOKING)).collect()
    assert row.flight_id == "2013-02-07-UA-1545-EWR"
    assert (row["name"], row.email, row.passport_number) == (
        "Ana Gómez",
        "ana@example.org",
        "T43890869",
    )


def test_of_the_real_bookings_five_a_day_are_set_aside(landed: Any) -> None:
    week = bookings(landed(bronze.Bookings, "bookings"))
    model = model_of(silver.Bookings)
    reasons = F.explode(F.expr(bad_reasons_sql(model) or "")).alias("reason")
    found = {
        row.reason: row["count"] for row in week.select(reasons).groupBy("reason").count().collect()
    }
    assert found == {"fare:ge": 21, "email:str_matches": 14}
    assert week.where(good_sql(model) or "").count() == 4165


def test_what_is_shared_names_nobody(spark: Any, landed: Any, tmp_path: Path) -> None:
    pads = read_pads(spark, pads_file(FileSecrets(tmp_path / "secrets"), "masking"))
    clear = bookings(landed(bronze.Bookings, "bookings")).where(
        good_sql(model_of(silver.Bookings)) or ""
    )
    copy = mask(share_bookings(clear), MASKING, pads).cache()
    assert set(copy.schema.names) == set(struct_of(shared.Bookings).names)
    assert copy.where(good_sql(model_of(shared.Bookings)) or "").count() == 4165
    # tokens join: as many different passengers, e-mails and passports as before
    for column in ("passenger_id", "email", "passport_number"):
        assert copy.select(column).distinct().count() == clear.select(column).distinct().count()
    text = "\n".join(str(row) for row in copy.collect()).lower()
    canary = (CANARY.name.split()[-1], CANARY.email, CANARY.phone, CANARY.passport_number)
    assert not [detail for detail in canary if str(detail).lower() in text]
    copy.unpersist()


def test_no_clear_personal_data_is_shared() -> None:
    source, copy = model_of(silver.Bookings), model_of(shared.Bookings)
    personal = {column.name for column in source.columns if column.pii}
    assert {column.pii for column in source.columns if column.pii} == source.cleared
    assert copy.cleared == frozenset()
    assert all(column.masked for column in copy.columns if column.pii)
    kept = {column.name for column in copy.columns if not column.masked}
    assert not kept & personal
    assert {"name", "phone"}.isdisjoint(column.name for column in copy.columns)
    assert Pii.FREE_TEXT in {column.pii for column in copy.columns if column.masked}
