"""Slices of hours, business days, months and values: what a run reads, replaces and leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    Contract,
    Daily,
    Dynamic,
    Fail,
    Hourly,
    Merge,
    Monthly,
    Pii,
    Slice,
    Static,
    Weekly,
    Yearly,
    column,
    dataset,
    landing,
    table,
)
from penstock.errors import DefinitionError, GateError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import DataFrame

    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow(seconds=60)

BERLIN = "Europe/Berlin"
SINCE = date(2013, 1, 1)
HOURS = Hourly(column="at", start=SINCE)
BUSINESS_DAYS = Daily(column="at", start=SINCE, time_zone=BERLIN)
DAYS = Daily(column="day", start=SINCE)
MONTHS = Monthly(column="month", start=SINCE)
COUNTRIES = Static(column="country", values=["DE", "FR"])


class Beat(Contract, name="bronze.beats", version="1.0.0", owner="team:shop"):
    """One heartbeat."""

    id: int = column(key=True)
    at: datetime = column()


class BusinessBeat(Contract, name="silver.beats", version="1.0.0", owner="team:shop"):
    """One heartbeat of a business day."""

    id: int = column(key=True)
    at: datetime = column()


class Sale(Contract, name="bronze.sales", version="1.0.0", owner="team:shop"):
    """One sale."""

    id: int = column(key=True)
    day: date = column()
    country: str = column()


class Month(Contract, name="gold.months", version="1.0.0", owner="team:shop"):
    """Sales of a month."""

    month: date = column(key=True)
    sales: int = column()


class OfCountry(Contract, name="gold.countries", version="1.0.0", owner="team:shop"):
    """Sales of a country."""

    country: str = column(key=True)
    sales: int = column()


class Versions(Contract, name="bronze.versions", version="1.0.0", owner="team:shop"):
    """What has two times."""

    id: int = column(key=True)
    at: datetime = column()
    day: date = column()


class Person(
    Contract,
    name="bronze.people",
    version="1.0.0",
    owner="team:shop",
    cleared={Pii.NAME, Pii.BIRTH_DATE},
):
    """One person."""

    id: int = column(key=True)
    name: str = column(pii=Pii.NAME)
    token: str = column(pii=Pii.NAME, masked=True)
    born: date = column(pii=Pii.BIRTH_DATE)
    born_at: datetime = column(pii=Pii.BIRTH_DATE)
    shifted: date = column(pii=Pii.BIRTH_DATE, masked=True)


class OfTenant(Contract, name="gold.tenants", version="1.0.0", owner="team:shop"):
    """One order of a tenant."""

    id: int = column(key=True)
    tenant: str = column()


@dataset(Beat, inputs={"raw": landing("beats/{day}/beats-{hour}.csv")}, partitions=HOURS)
def beats(raw: DataFrame) -> DataFrame:
    return raw


@dataset(BusinessBeat, inputs={"beats": table(Beat, slice_by="at")}, partitions=BUSINESS_DAYS)
def business_beats(beats: DataFrame) -> DataFrame:
    return beats


@dataset(Sale, inputs={"raw": landing("sales/{country}/{day}.csv")}, partitions=(DAYS, COUNTRIES))
def sales(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Month, inputs={"sales": table(Sale, slice_by="day")}, partitions=MONTHS)
def months(sales: DataFrame, run: Slice) -> DataFrame:
    return sales.selectExpr(f"DATE'{run.days()[0]}' AS month", "count(*) AS sales")


@dataset(Month, inputs={"sales": table(Sale, slice_by="day", gaps="read")}, partitions=MONTHS)
def months_as_they_are(sales: DataFrame, run: Slice) -> DataFrame:
    return sales.selectExpr(f"DATE'{run.days()[0]}' AS month", "count(*) AS sales")


@dataset(OfCountry, inputs={"sales": table(Sale, slice_by="country")}, partitions=COUNTRIES)
def countries(sales: DataFrame) -> DataFrame:
    return sales.groupBy("country").count().withColumnRenamed("count", "sales")


@dataset(
    OfTenant,
    inputs={"raw": landing("tenants/{tenant}/*.csv", file_columns={"tenant": "tenant"})},
    partitions=Dynamic(column="tenant"),
)
def tenants(raw: DataFrame) -> DataFrame:
    return raw


def land(shop: Shop, name: str, *lines: str) -> Path:
    file = shop.path / "landing" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def rows(shop: Shop, spec: Any, *columns: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in shop.table(spec).select(*columns).collect())


def test_hours_are_made_alone_and_a_business_day_of_them(shop: Shop) -> None:
    # the last day of March has 23 hours in Berlin: 30th 23:00 to 31st 22:00 of UTC
    hours = HOURS.slice("2013-03-30-22:00", "2013-03-31-22:00")
    for n, start in enumerate(hours.windows()):
        name = f"beats/{start.date()}/beats-{start:%H}.csv"
        land(
            shop,
            name,
            "id,at",
            f"{n},{start:%Y-%m-%dT%H:%M:%S}Z",
            f"{n + 100},{start:%Y-%m-%dT%H}:59:59.999999Z",
        )
    made = shop.run(beats, hours)
    assert (made.rows_changed, made.rows_quarantined) == (50, 0)
    day = BUSINESS_DAYS.slice("2013-03-31")
    assert shop.run(business_beats, day).rows_changed == 46
    assert rows(shop, business_beats, "id")[:2] == [(1,), (2,)]
    assert rows(shop, business_beats, "id")[22:24] == [(23,), (101,)]

    # an hour that is sent again replaces its own rows, and the day that it is in is made anew
    land(
        shop,
        "beats/2013-03-31/beats-05.csv",
        "id,at",
        "7,2013-03-31T05:30:00Z",
        "8,2013-03-31T06:00:00Z",
    )
    again = shop.run(beats, HOURS.slice("2013-03-31-05:00"))
    assert (again.rows_changed, again.rows_quarantined) == (1, 1)
    assert shop.reasons(beats) == ["slice:outside"]
    assert shop.table(beats).count() == 49
    assert not shop.run(beats, HOURS.slice("2013-03-31-05:00")).committed
    assert shop.run(business_beats, day).rows_changed == 45
    # one that is not in it does not concern it
    land(shop, "beats/2013-03-30/beats-22.csv", "id,at", "0,2013-03-30T22:30:00Z")
    assert shop.run(beats, HOURS.slice("2013-03-30-22:00")).committed
    assert not shop.run(business_beats, day).committed
    # and the commit says which slice it is of
    log = shop.runtime.lake.table("silver.beats").read()
    assert log
    facts = next(commit.facts for commit in log.commits() if commit.facts)
    assert Slice.from_document(facts["slice"]) == day
    assert facts["slice"]["zone"] == BERLIN

    with pytest.raises(InputError, match="never made for a part of the slice") as caught:
        shop.run(business_beats, BUSINESS_DAYS.slice("2013-04-01"))
    assert caught.value.found == "none of 2013-04-01 01:00 to 00:00"
    with pytest.raises(InputError, match="no file has arrived") as missing:
        shop.run(beats, HOURS.slice("2013-03-31-23:00", "2013-04-01-00:00"))
    assert missing.value.found == "none for 2013-03-31 23, 2013-04-01 00"


def test_each_country_of_each_day_is_a_slice_and_others_read_across(shop: Shop) -> None:
    def deliver(day: str, country: str, *ids: int) -> None:
        lines = (f"{n},{day},{country}" for n in ids)
        land(shop, f"sales/{country}/{day}.csv", "id,day,country", *lines)

    january = MONTHS.slice("2013-01")
    deliver("2013-01-05", "DE", 1, 2)
    deliver("2013-01-05", "FR", 3)
    deliver("2013-01-06", "DE", 4)
    one, other = sales.partitions.slice("2013-01-05|DE"), sales.partitions.slice("2013-01-05|FR")  # type: ignore[union-attr]
    assert shop.run(sales, one).rows_changed == 2
    assert shop.run(sales, other).rows_changed == 1
    # each is known by its own commit
    assert not shop.run(sales, one).committed
    assert not shop.run(sales, other).committed
    assert shop.run(sales, sales.partitions.slice("2013-01-06|DE")).rows_changed == 1  # type: ignore[union-attr]
    with pytest.raises(InputError, match="no file has arrived") as caught:
        shop.run(sales, sales.partitions.slice("2013-01-05...2013-01-06|DE,FR"))  # type: ignore[union-attr]
    assert caught.value.found == "none for 2013-01-06 FR"

    # a month waits for all its days of all countries, and says which are missing
    with pytest.raises(InputError, match="never made for a part of the slice") as waits:
        shop.run(months, january)
    assert waits.value.found == (
        "none of 2013-01-01...2013-01-04|DE; 2013-01-07...2013-01-31|DE; "
        "2013-01-01...2013-01-04|FR; 2013-01-06...2013-01-31|FR"
    )
    assert shop.version(months) is None
    assert shop.run(months_as_they_are, january).rows_changed == 1
    assert rows(shop, months, "month", "sales") == [(date(2013, 1, 1), 4)]

    # a country is read across all days, and does not hear of the other
    assert shop.run(countries, COUNTRIES.slice("DE")).rows_changed == 1
    assert shop.run(countries, COUNTRIES.slice("FR")).rows_changed == 1
    deliver("2013-01-05", "FR", 3, 5, 6)
    assert shop.run(sales, other).rows_changed == 3
    assert not shop.run(countries, COUNTRIES.slice("DE")).committed
    assert shop.run(countries, COUNTRIES.slice("FR")).committed
    assert rows(shop, countries, "country", "sales") == [("DE", 3), ("FR", 3)]
    assert rows(shop, sales, "id") == [(1,), (2,), (3,), (4,), (5,), (6,)]
    # a range of both is one run that replaces them all
    deliver("2013-01-06", "FR", 7)
    deliver("2013-01-05", "DE", 9)
    whole = shop.run(sales, sales.partitions.slice("2013-01-05...2013-01-06|DE,FR"))  # type: ignore[union-attr]
    assert whole.rows_changed == 6
    assert rows(shop, sales, "id") == [(3,), (4,), (5,), (6,), (7,), (9,)]
    # a row of another country is set aside, and replaces nothing there
    deliver("2013-01-05", "DE", 9)
    land(shop, "sales/DE/2013-01-05.csv", "id,day,country", "9,2013-01-05,DE", "8,2013-01-05,FR")
    assert shop.run(sales, one).rows_quarantined == 1
    assert shop.reasons(sales) == ["slice:outside"]
    assert rows(shop, sales, "id") == [(3,), (4,), (5,), (6,), (7,), (9,)]


def test_a_new_value_is_a_new_slice_whatever_it_is_called(shop: Shop) -> None:
    cut = tenants.partitions
    assert cut
    names = ("acme", "Acme", "O'Neill & Söhne", "100% {x} \\ `y`", "a=b")
    for n, name in enumerate(names):
        land(shop, f"tenants/{name}/orders.csv", "id", str(n))
        assert shop.run(tenants, cut.slice(name)).rows_changed == 1
    assert rows(shop, tenants, "id", "tenant") == [*enumerate(names)]
    for name in names:
        assert not shop.run(tenants, cut.slice(name)).committed
    land(shop, "tenants/acme/more.csv", "id", "10", "11")
    assert shop.run(tenants, cut.slice("acme")).rows_changed == 3
    assert not shop.run(tenants, cut.slice("Acme")).committed
    assert shop.table(tenants).count() == 7


def test_a_slice_that_the_dataset_does_not_have_is_refused_before_anything_is_read(
    shop: Shop,
) -> None:
    for spec, slice_ in (
        (beats, Slice.day(date(2013, 1, 5))),
        (business_beats, Slice.day(date(2013, 1, 5))),
        (sales, Slice.day(date(2013, 1, 5))),
        (countries, Slice(values=("XX",))),
        (months, Slice.day(date(2013, 1, 1), date(2013, 1, 31))),
    ):
        with pytest.raises(DefinitionError, match=r"none of the dataset's"):
            shop.run(spec, slice_)


def _nothing() -> Any:
    return None


def test_what_cannot_be_cut_so_is_refused_when_it_is_defined() -> None:
    def of(contract: Any, inputs: Any, partitions: Any) -> None:
        dataset(contract, inputs=inputs, partitions=partitions)(
            (lambda raw: raw) if inputs else _nothing
        )

    by_day = {"raw": landing("sales/{day}.csv")}
    for contract, inputs, partitions, what in (
        (Sale, {}, Hourly(column="day", start=SINCE), "does not say which slice"),
        (Sale, {}, Static(column="id", values=["1"]), "does not say which slice"),
        (Sale, {}, Static(column="nobody", values=["1"]), "not in the contract"),
        (Sale, by_day, (DAYS, COUNTRIES), "each would take all files"),
        (Sale, by_day, COUNTRIES, "is read by day and the dataset is not"),
        (Beat, by_day, HOURS, "each would take all files"),
        (
            Beat,
            {"raw": landing("{day}-{hour}.csv")},
            Hourly(column="at", start=SINCE, time_zone=BERLIN),
            "an hour twice",
        ),
        (Month, {"raw": landing("sales/{year}.csv")}, MONTHS, "each would take all files"),
    ):
        with pytest.raises(DefinitionError, match=what):
            of(contract, inputs, partitions)
    with pytest.raises(DefinitionError, match="gaps= says something else"):
        table(Sale, gaps="ignore")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="does not say which slice"):
        table(Sale, slice_by="id")
    for two in ((), ("day",), ("day", "day"), ("day", "country", "id")):
        with pytest.raises(DefinitionError, match="too few columns or too many"):
            table("bronze.sales", slice_by=two)
    with pytest.raises(DefinitionError, match="say the same of a slice"):
        table(Versions, slice_by=("at", "day"))
    tokens, shifted = Dynamic(column="token"), Daily(column="shifted", start=SINCE)
    for personal in (
        Dynamic(column="name"),
        Static(column="name", values=["Ada"]),
        Hourly(column="born_at", start=SINCE),
        Daily(column="born", start=SINCE),
        Weekly(column="born", start=SINCE),
        Monthly(column="born", start=SINCE),
        Yearly(column="born_at", start=SINCE),
        (shifted, Dynamic(column="name")),
        (Daily(column="born", start=SINCE), tokens),
    ):
        with pytest.raises(DefinitionError, match="called by personal data"):
            of(Person, {}, personal)
    of(Person, {}, (shifted, tokens))


def test_months_of_files_and_a_merge_of_slices(shop: Shop) -> None:
    @dataset(
        Month,
        inputs={"raw": landing("months/{month}.csv")},
        partitions=MONTHS,
        write=Merge(),
    )
    def merged(raw: DataFrame) -> DataFrame:
        return raw

    for name, count in (("2013-01", 5), ("2013-02", 6)):
        land(shop, f"months/{name}.csv", "month,sales", f"{name}-01,{count}")
    assert shop.run(merged, MONTHS.slice("2013-01", "2013-02")).rows_changed == 2
    assert not shop.run(merged, MONTHS.slice("2013-02")).committed
    land(shop, "months/2013-02.csv", "month,sales", "2013-02-01,7")
    assert shop.run(merged, MONTHS.slice("2013-02")).committed
    assert rows(shop, merged, "sales") == [(5,), (7,)]


def test_a_merge_may_move_a_row_to_another_slice_and_readers_of_both_hear_of_it(
    shop: Shop,
) -> None:
    @dataset(
        Sale,
        inputs={"raw": landing("sales/{country}/*.csv")},
        partitions=COUNTRIES,
        write=Merge(),
    )
    def moved(raw: DataFrame) -> DataFrame:
        return raw

    head = "id,day,country"
    land(shop, "sales/DE/a.csv", head, "1,2013-01-05,DE", "2,2013-01-05,DE")
    land(shop, "sales/FR/a.csv", head, "3,2013-01-05,FR")
    assert shop.run(moved, COUNTRIES.slice("DE")).committed
    assert shop.run(countries, COUNTRIES.slice("DE")).committed
    assert shop.run(moved, COUNTRIES.slice("FR")).committed
    land(shop, "sales/FR/b.csv", head, "1,2013-01-06,FR")
    assert shop.run(moved, COUNTRIES.slice("FR")).committed
    assert shop.run(countries, COUNTRIES.slice("DE")).committed
    assert rows(shop, countries, "country", "sales") == [("DE", 1)]
    # nothing new is nothing to do, whatever other slices did
    assert not shop.run(moved, COUNTRIES.slice("DE")).committed


def test_a_value_that_was_never_made_is_missing_and_not_empty(shop: Shop) -> None:
    @dataset(Sale, inputs={"raw": landing("sales/{country}/*.csv")}, partitions=COUNTRIES)
    def by_country(raw: DataFrame) -> DataFrame:
        return raw

    land(shop, "sales/DE/a.csv", "id,day,country", "1,2013-01-05,DE")
    assert shop.run(by_country, COUNTRIES.slice("DE")).committed
    assert shop.run(countries, COUNTRIES.slice("DE")).committed
    with pytest.raises(InputError, match="never made for a part of the slice") as caught:
        shop.run(countries, COUNTRIES.slice("FR"))
    assert caught.value.found == "none of FR"
    # a day is no slice of what is not cut by days: nothing is known to be missing
    assert shop.run(months, MONTHS.slice("2013-01")).committed
    # and where the column does not say the slice, all rows would be read
    for by, spec, slice_ in (
        ("day", OfCountry, COUNTRIES.slice("DE")),
        ("country", Month, MONTHS.slice("2013-01")),
    ):
        cut = COUNTRIES if spec is OfCountry else MONTHS
        read = table("bronze.sales", slice_by=by)
        with pytest.raises(DefinitionError, match="does not say which slice"):
            shop.run(dataset(spec, inputs={"a": read}, partitions=cut)(lambda a: a), slice_)


def test_a_plain_table_of_days_is_joined_by_upkeep_and_its_days_stay_apart(shop: Shop) -> None:
    def of(layout: Any) -> Any:
        return dataset(
            Versions,
            inputs={"raw": landing("versions/{day}.csv")},
            partitions=Daily(column="day", start=SINCE),
            layout=layout,
        )(lambda raw: raw)

    head = "id,at,day"
    plain, days = of("plain"), [date(2013, 1, number) for number in range(1, 4)]
    for day in days:
        land(shop, f"versions/{day}.csv", head, f"{day.day},{day}T10:00:00Z,{day}")
        shop.run(plain, Slice.day(day))
    log = shop.runtime.lake.table("bronze.versions").read()
    assert log
    assert (log.partition_columns(), log.files()[0]) == ((), 3)
    path = shop.runtime.lake.table("bronze.versions").path
    shop.spark.sql(f"OPTIMIZE delta.`{path}`").collect()
    # a day in a file with others is replaced, and they stay
    land(shop, f"versions/{days[1]}.csv", head, f"9,{days[1]}T10:00:00Z,{days[1]}")
    assert shop.run(plain, Slice.day(days[1])).committed
    assert rows(shop, plain, "id") == [(1,), (3,), (9,)]
    assert not shop.run(plain, Slice.day(days[2])).committed
    # another layout is of a table that is made anew, and changes no result
    assert of("plain").definition == of(None).definition == of("folders").definition
    for layout, what in (("hive", "says something else"), ("folders", "could have folders")):
        with pytest.raises(DefinitionError, match=what):
            dataset(Beat, inputs={}, partitions=HOURS, layout=layout)(_nothing)  # type: ignore[arg-type]


def test_a_closed_slice_is_changed_by_nothing_but_who_reopens_it(shop: Shop) -> None:
    def of(**more: Any) -> Callable[..., Any]:
        return dataset(
            Versions,
            inputs={"raw": landing("versions/{day}.csv")},
            partitions=Daily(column="day", start=SINCE, time_zone=BERLIN),
            closes_after=timedelta(days=2),
            **more,
        )

    @of()
    def spec(raw: DataFrame) -> DataFrame:
        return raw

    @of()
    def other(raw: DataFrame) -> DataFrame:
        return raw.where("id > 0")

    def at(year: int, month: int, day: int, hour: int = 0) -> Shop:
        now = datetime(year, month, day, hour, tzinfo=UTC)
        return replace(shop, runtime=replace(shop.runtime, clock=lambda: now))

    day, following = (spec.partitions.slice(f"2013-01-0{n}") for n in (5, 6))
    land(shop, "versions/2013-01-05.csv", "id,at,day", "1,2013-01-05T10:00:00Z,2013-01-05")
    # one that was never made is made, however late
    assert at(2013, 3, 1).run(spec, day).committed
    assert not at(2013, 3, 1).run(spec, day).committed
    land(shop, "versions/2013-01-05.csv", "id,at,day", "2,2013-01-05T10:00:00Z,2013-01-05")
    # a day of Berlin ends an hour before one of UTC, and two days later it is closed
    for what, changed in ((spec, "raw"), (other, "code, raw")):
        with pytest.raises(GateError, match="the slice is closed") as caught:
            at(2013, 1, 7, 23).run(what, day)
        assert caught.value.found == f"other {changed}"
        assert caught.value.expected == "no change after 2013-01-07 23:00 UTC"
    assert rows(shop, spec, "id") == [(1,)]
    assert "FAIL" in shop.states(spec)
    # a range is closed where one of its days is
    land(shop, "versions/2013-01-06.csv", "id,at,day", "6,2013-01-06T10:00:00Z,2013-01-06")
    both = spec.partitions.slice("2013-01-05", "2013-01-06")
    with pytest.raises(GateError, match="the slice is closed"):
        at(2013, 1, 8).run(spec, both)
    assert at(2013, 1, 8).run(spec, following).committed
    # before it closes it is made anew, after it with a word that the commit keeps
    assert at(2013, 1, 7, 22).run(spec, day).committed
    land(shop, "versions/2013-01-05.csv", "id,at,day", "3,2013-01-05T10:00:00Z,2013-01-05")
    assert at(2013, 3, 1).run(spec, day, reopen=True).committed
    log = shop.runtime.lake.table("bronze.versions").read()
    assert log
    said = [commit.facts.get("reopen") for commit in log.commits() if commit.facts]
    assert said == [True, None, None, None]
    assert rows(shop, spec, "id") == [(3,), (6,)]
    # a day of a range that one run made is as it was reported, until a file of its own is another
    assert at(2013, 3, 1).run(spec, both, reopen=True).committed
    assert not at(2013, 3, 1).run(spec, day).committed
    land(shop, "versions/2013-01-06.csv", "id,at,day", "7,2013-01-06T10:00:00Z,2013-01-06")
    assert not at(2013, 3, 1).run(spec, day).committed
    with pytest.raises(GateError, match="the slice is closed") as caught:
        at(2013, 3, 1).run(spec, following)
    assert caught.value.found == "other raw"
    # the same files and code, read or judged otherwise
    for how in (
        {"inputs": {"raw": landing("versions/{day}.csv", null_value="NA")}},
        {"bad_rows": Fail()},
    ):
        with pytest.raises(GateError, match="the slice is closed") as caught:
            at(2013, 3, 1).run(replace(spec, **how), day)
        assert caught.value.found == "other definition or masking"
    assert rows(shop, spec, "id") == [(3,), (6,)]
    for more, what in (
        ({"closes_after": 3}, "no duration"),
        ({"closes_after": timedelta(1), "partitions": COUNTRIES}, "of slices that end"),
        # a file of the next day could change a row of one that is closed
        ({"closes_after": timedelta(1), "partitions": DAYS, "write": Merge()}, "are replaced"),
    ):
        with pytest.raises(DefinitionError, match=what):
            dataset(Sale, inputs={}, **more)(_nothing)


def test_what_another_writer_did_closes_no_day_that_was_never_made(shop: Shop) -> None:
    @dataset(
        Versions,
        inputs={"raw": landing("versions/{day}.csv")},
        partitions=Daily(column="day", start=SINCE),
        closes_after=timedelta(days=2),
    )
    def spec(raw: DataFrame) -> DataFrame:
        return raw

    march = datetime(2013, 3, 1, tzinfo=UTC)
    late = replace(shop, runtime=replace(shop.runtime, clock=lambda: march))
    days = [Slice.day(date(2013, 1, n)) for n in (5, 6, 7)]
    for number in (5, 6, 7):
        day = f"2013-01-0{number}"
        land(shop, f"versions/{day}.csv", "id,at,day", f"{number},{day}T10:00:00Z,{day}")
    assert late.run(spec, days[0]).committed
    # rows of the 7th that no run made, and nothing of the 6th
    path = shop.runtime.lake.table("bronze.versions").path
    other = shop.spark.read.format("delta").load(path)
    other = other.selectExpr("id * 14 AS id", "at", "date'2013-01-07' AS day")
    other.write.format("delta").mode("append").save(path)
    assert late.run(spec, days[1]).committed
    for closed in (days[0], days[2]):
        with pytest.raises(GateError, match="the slice is closed") as caught:
            late.run(spec, closed)
        assert caught.value.found == "other writers"
    assert rows(shop, spec, "id") == [(5,), (6,), (70,)]
