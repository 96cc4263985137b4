"""Which slice of each dataset a command is about, and of which slice a row set aside is."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from penstock import (
    Daily,
    Dataset,
    Dynamic,
    Hourly,
    Merge,
    Monthly,
    Slice,
    Static,
    Weekly,
    landing,
    table,
)
from penstock.cli.entries import Entry, Fate, may_be_of, slice_named
from penstock.cli.slices import slices_wanted
from penstock.errors import DefinitionError
from tests.cut_dataset import cut_dataset as spec

SINCE = date(2013, 1, 1)
BERLIN = "Europe/Berlin"
COUNTRIES = Static(column="country", values=["DE", "FR"])


HOURS = spec("hours", Hourly(column="at", start=SINCE), landing("{day}/{hour}.csv"))
NAMES = spec("names", None, landing("names.csv"), write=Merge())
DAYS = spec(
    "days",
    Daily(column="day", start=SINCE, time_zone=BERLIN),
    table("shop.hours", slice_by="at"),
    table("shop.names"),
)
GRID = spec(
    "grid",
    (Monthly(column="day", start=SINCE, time_zone=BERLIN), COUNTRIES),
    table("shop.days", slice_by=("day", "country")),
)
WEEKS = spec(
    "weeks", Weekly(column="day", start=SINCE, time_zone=BERLIN), table("shop.days", slice_by="day")
)
MONTHS = spec(
    "months",
    Monthly(column="day", start=SINCE, time_zone=BERLIN),
    table("shop.weeks", slice_by="day"),
)
TOTAL = spec("total", None, table("shop.days"))
TENANTS = spec("tenants", Dynamic(column="country"), landing("{country}/*.csv"))


def wanted(name: str | None, *specs: Dataset) -> dict[str, str]:
    return {each.name: part.key for each, part in slices_wanted(specs, specs[-1], name)}


def test_each_dataset_that_is_needed_is_run_for_what_the_asked_slice_is_made_of() -> None:
    assert wanted("2013-03|FR", HOURS, NAMES, DAYS, GRID) == {
        "shop.hours": "2013-02-28-23:00...2013-03-31-21:00",
        "shop.names": "whole",
        "shop.days": "2013-03-01...2013-03-31",
        "shop.grid": "2013-03|FR",
    }
    # a month of weeks is made of more days than it has
    assert wanted("2013-02", HOURS, NAMES, DAYS, WEEKS, MONTHS) == {
        "shop.hours": "2013-01-28-23:00...2013-03-04-22:00",
        "shop.names": "whole",
        "shop.days": "2013-01-29...2013-03-04",
        "shop.weeks": "2013-01-29...2013-02-26",
        "shop.months": "2013-02",
    }
    # one that has none is made of what was asked of the last that has
    assert wanted("2013-02-03", HOURS, NAMES, DAYS, TOTAL)["shop.days"] == "2013-02-03"
    assert wanted("2013-02-03", HOURS, NAMES, DAYS, TOTAL)["shop.total"] == "whole"
    assert wanted(None, NAMES) == {"shop.names": "whole"}
    assert wanted("DE,FR", TENANTS) == {"shop.tenants": "DE,FR"}


@pytest.mark.parametrize(
    ("name", "specs", "what", "next_step"),
    [
        (None, (HOURS, NAMES, DAYS), "none was given", "add --slice, such as --slice '2013-01-01'"),
        (None, (GRID,), "none was given", "--slice '2013-01|DE'"),
        ("2013-01-01", (NAMES,), "has no slices and one was given", "penstock run shop.names"),
        ("2013-01-01", (GRID,), "this is not a slice", "both, with | between them"),
        ("2013-13|DE", (GRID,), "not a month", "a month, like 2013-01"),
        ("2013-01|XX", (GRID,), "no such slice", "name one of them"),
        ("acme", (HOURS, TENANTS), "", ""),
    ],
)
def test_a_slice_that_is_none_is_refused_with_one_that_is(
    name: str | None, specs: tuple[Dataset, ...], what: str, next_step: str
) -> None:
    if not what:  # values say nothing of windows: all of them are meant, and there is no end
        with pytest.raises(DefinitionError, match="no such slice"):
            wanted(name, *specs)
        return
    with pytest.raises(DefinitionError, match=what) as caught:
        wanted(name, *specs)
    assert next_step in str(caught.value.next_step)


def entry(slice_: str, file: str | None = None, **row: Any) -> Entry:
    return Entry(
        fate=Fate.SET_ASIDE,
        run_id="r",
        slice=slice_,
        contract_version="1.0.0",
        reasons=("id:ge",),
        row=row,
        file=file,
    )


def test_a_row_of_a_range_is_of_the_slice_that_its_file_or_itself_says() -> None:
    def of(which: Dataset, name: str, one: Entry) -> bool:
        return may_be_of(one, which, slice_named(which, name))

    hours = "2013-01-05-00:00...2013-01-05-05:00"
    assert of(HOURS, "2013-01-05-03:00", entry(hours, "2013-01-05/03.csv"))
    assert not of(HOURS, "2013-01-05-03:00", entry(hours, "2013-01-05/04.csv"))
    assert of(HOURS, "2013-01-05-03:00", entry(hours, at="2013-01-05T03:59:59.999Z"))
    assert not of(HOURS, "2013-01-05-03:00", entry(hours, at="2013-01-05T04:00:00Z"))
    days = "2013-01-05...2013-01-07"
    assert of(DAYS, "2013-01-05", entry(days, day="2013-01-05"))
    assert not of(DAYS, "2013-01-05", entry(days, day="2013-01-06"))
    # a moment at which clocks of the zone are a day further
    assert of(DAYS, "2013-01-06", entry(days, day="2013-01-05T23:30:00Z"))
    assert not of(DAYS, "2013-01-05", entry(days, day="2013-01-05T23:30:00Z"))
    # nobody can say
    assert of(DAYS, "2013-01-05", entry(days, day="soon"))
    assert of(DAYS, "2013-01-05", entry(days))
    grid = "2013-01...2013-02|DE,FR"
    assert of(GRID, "2013-01|DE", entry(grid, day="2013-01-31", country="DE"))
    assert not of(GRID, "2013-01|DE", entry(grid, day="2013-01-31", country="FR"))
    assert not of(GRID, "2013-01|DE", entry(grid, day="2013-02-01", country="DE"))
    assert not of(TENANTS, "acme", entry("acme,zeta", "zeta/a.csv"))
    assert of(TENANTS, "acme", entry("acme,zeta", "acme/a.csv"))


def test_a_name_of_how_a_dataset_was_cut_before_is_of_all_that_it_may_be() -> None:
    assert slice_named(GRID, "2013-01-05") == Slice.day(date(2013, 1, 5))
    assert slice_named(GRID, "whole").whole
    assert slice_named(NAMES, "2013-01-05") == Slice.day(date(2013, 1, 5))
    assert slice_named(HOURS, "DE").whole
    assert slice_named(GRID, "2013-01|DE").key == "2013-01|DE"
