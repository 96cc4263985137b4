"""Slices of values, known beforehand or not, and of windows and values together."""

from __future__ import annotations

from datetime import date
from itertools import product

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Daily, Dynamic, Monthly, Slice, Static
from penstock.assets.partitions.dagster import keys_of, partitions_of, slice_of
from penstock.assets.partitions.grid import Grid, partitions_from
from penstock.errors import DefinitionError

COUNTRIES = Static(column="country", values=["DE", "FR", "it"])
TENANTS = Dynamic(column="tenant")
DAYS = Daily(column="day", start=date(2013, 1, 1))
GRID = Grid(windows=DAYS, values=COUNTRIES)


def test_a_value_a_list_and_a_range_are_slices() -> None:
    assert COUNTRIES.slice("FR") == Slice(values=("FR",))
    assert COUNTRIES.slice("it,DE").key == "DE,it"
    assert COUNTRIES.slice("FR", "it").values == ("FR", "it")
    assert COUNTRIES.slice("DE...it").values == ("DE", "FR", "it")
    assert TENANTS.slice("b,a,b").values == ("b", "a")
    both = GRID.slice("2013-01-05|DE")
    assert (both.key, both.values, both.days()) == ("2013-01-05|DE", ("DE",), (date(2013, 1, 5),))
    assert GRID.slice("2013-01-05|DE", "2013-01-06|FR").key == "2013-01-05...2013-01-06|DE,FR"
    assert GRID.slice("2013-01-05...2013-01-06|it").key == "2013-01-05...2013-01-06|it"


def test_predicates_are_of_both_columns() -> None:
    country = Slice(values=("DE", "O'Neill \\ 'x"))
    assert country.predicate("country", "string") == ("`country` IN ('DE', 'O\\'Neill \\\\ \\'x')")
    day = GRID.slice("2013-01-05|FR")
    assert day.predicate("country", "string") == "`country` IN ('FR')"
    assert day.predicate("day", "date") == (
        "`day` >= DATE'2013-01-05' AND `day` < DATE'2013-01-06'"
    )
    # never true for all: what is not cut by a column is not read by it
    for slice_, kind in ((country, "date"), (day.of_times(), "string"), (country, "int")):
        with pytest.raises(DefinitionError, match="does not say which slice"):
            slice_.predicate("x", kind)


VALUES = st.sets(st.sampled_from(COUNTRIES.values), min_size=1).map(
    lambda some: tuple(value for value in COUNTRIES.values if value in some)
)


@given(st.dates(date(2013, 1, 1), date(2014, 1, 1)), st.integers(0, 5), VALUES)
def test_names_are_read_back_and_are_those_of_dagster(
    first: date, more: int, values: tuple[str, ...]
) -> None:
    last = date.fromordinal(first.toordinal() + more)
    days = DAYS.slice(str(first), str(last))
    slice_ = Slice(start=days.start, end=days.end, values=values)
    assert GRID.read(slice_.key) == GRID.slice(slice_.key) == slice_
    assert Slice.from_document(slice_.document()) == slice_
    GRID.refuse_other(slice_, "here")
    keys = keys_of(GRID, slice_)
    definition = partitions_of(GRID)
    assert definition is not None
    assert all(definition.has_partition_key(key) for key in keys)
    assert slice_of(GRID, keys) == slice_
    assert {(key.keys_by_dimension["day"], key.keys_by_dimension["country"]) for key in keys} == {  # type: ignore[attr-defined]
        *product((str(day) for day in slice_.days()), values)
    }


def test_a_run_is_of_all_values_in_all_windows_that_dagster_names() -> None:
    keys = [
        dg.MultiPartitionKey({"day": day, "country": country})
        for day, country in (("2013-01-05", "DE"), ("2013-01-06", "FR"))
    ]
    with pytest.raises(DefinitionError, match="not side by side") as caught:
        slice_of(GRID, keys)
    assert caught.value.found == "2 of 4"


def test_slices_overlap_where_they_may_share_a_row() -> None:
    one, other = GRID.slice("2013-01-05|DE"), GRID.slice("2013-01-05|FR")
    assert not one.overlaps(other)
    assert one.overlaps(DAYS.slice("2013-01-05"))
    assert one.overlaps(COUNTRIES.slice("DE"))
    assert not one.overlaps(COUNTRIES.slice("FR"))
    assert DAYS.slice("2013-01-05").covers(one)
    assert not one.covers(DAYS.slice("2013-01-05"))
    assert COUNTRIES.slice("DE,FR").covers(one)
    assert GRID.slice("2013-01-05|DE,FR").covers(other)


def test_what_covers_a_slice_has_the_values_that_it_has() -> None:
    months = Grid(windows=Monthly(column="day", start=date(2012, 1, 1)), values=COUNTRIES)
    day = GRID.slice("2013-01-05|FR")
    assert months.covering(day) == months.slice("2013-01|FR")
    assert DAYS.covering(day) == DAYS.slice("2013-01-05")
    assert COUNTRIES.covering(day) == COUNTRIES.slice("FR")
    assert TENANTS.covering(DAYS.slice("2013-01-05")) is None
    of_all = GRID.covering(DAYS.slice("2013-01-05"))
    assert of_all == GRID.slice("2013-01-05|DE,FR,it")
    assert GRID.covering(DAYS.read("2012-12-31")) is None


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([], "have no values"),
        ("DE", "have no values"),
        ([1], "have no values"),
        (["DE", "DE"], "twice"),
        (["a|b"], "can be called so"),
        (["a,b"], "can be called so"),
        ([" a"], "can be called so"),
        (["a...b"], "can be called so"),
        (["a\n"], "can be called so"),
        (["[a]"], "can be called so"),
        ([""], "can be called so"),
        ([".."], "can be called so"),
        (["a/b"], "can be called so"),
    ],
)
def test_values_that_no_slice_can_be_called_by_are_refused(values: list[str], what: str) -> None:
    with pytest.raises(DefinitionError, match=what):
        Static(column="country", values=values)


def test_what_is_no_slice_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no such slice") as caught:
        COUNTRIES.slice("IT")
    assert caught.value.next_step == "name one of them"
    for bad in ("2013-01-05", "2013-01-05|XX", "soon|DE", "2013-01-05|"):
        with pytest.raises(DefinitionError):
            GRID.slice(bad)
    with pytest.raises(DefinitionError, match="no order, and no range"):
        TENANTS.slice("a", "b")
    with pytest.raises(DefinitionError, match="called so"):
        TENANTS.slice("a|b")
    for partitions, other in (
        (COUNTRIES, Slice(values=("XX",))),
        (COUNTRIES, DAYS.slice("2013-01-05")),
        (TENANTS, Slice()),
        (GRID, DAYS.slice("2013-01-05")),
        (GRID, COUNTRIES.slice("DE")),
    ):
        with pytest.raises(DefinitionError, match=r"none of the dataset's"):
            partitions.refuse_other(other, "here")


def test_two_kinds_are_one_of_time_and_one_of_values() -> None:
    assert partitions_from((DAYS, COUNTRIES), "here") == GRID
    assert partitions_from([COUNTRIES, DAYS], "here") == GRID
    for bad in ((DAYS, DAYS), (DAYS,), (DAYS, COUNTRIES, TENANTS), "daily", Daily, 1):
        with pytest.raises(DefinitionError, match="of another kind"):
            partitions_from(bad, "here")
