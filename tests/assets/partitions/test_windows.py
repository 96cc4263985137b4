"""Windows of time: by the clock of a zone, and the same as Dagster's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from penstock import Daily, Hourly, Monthly, Slice, Weekly, Yearly
from penstock.assets.partitions.dagster import partitions_of, slice_of
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from penstock.assets.partitions.windows import Windows

BERLIN = "Europe/Berlin"
# clocks that are changed at midnight, by half an hour, or past a whole day; odd minutes; none
ZONES = (
    *("UTC", BERLIN, "America/New_York", "America/Sao_Paulo", "America/Havana", "Asia/Beirut"),
    *("Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Cairo"),
)
KINDS: tuple[type[Windows], ...] = (Hourly, Daily, Weekly, Monthly, Yearly)


def cut(kind: type[Windows], zone: str = "UTC", start: date = date(2010, 1, 1)) -> Windows:
    return kind(column="at", start=start, time_zone=zone)


def test_a_day_has_the_hours_that_clocks_say() -> None:
    days = cut(Daily, BERLIN)
    for name, hours in (("2013-03-30", 24), ("2013-03-31", 23), ("2013-10-27", 25)):
        slice_ = days.slice(name)
        assert slice_.start
        assert slice_.end
        assert (slice_.key, (slice_.end - slice_.start) / timedelta(hours=1)) == (name, hours)
        assert len(cut(Hourly, BERLIN).keys(slice_of_hours(slice_))) == hours
    twice = cut(Hourly, BERLIN).keys(slice_of_hours(days.slice("2013-10-27")))[1:4]
    assert twice == ("2013-10-27-01:00", "2013-10-27-02:00", "2013-10-27-02:00+0100")
    march = cut(Monthly, BERLIN).slice("2013-03")
    assert (march.start, march.end) == (
        datetime(2013, 2, 28, 23, tzinfo=UTC),
        datetime(2013, 3, 31, 22, tzinfo=UTC),
    )


def slice_of_hours(day: Slice) -> Slice:
    found = cut(Hourly, day.zone).covering(day)
    assert found is not None
    assert (found.start, found.end) == (day.start, day.end)
    return found


@pytest.mark.parametrize(
    ("kind", "first", "last", "key", "size"),
    [
        (Hourly, "2013-01-05-22:00", "2013-01-06-01:00", "…", 4),
        (Daily, "2013-01-05", "2013-01-09", "…", 5),
        (Weekly, "2013-01-04", "2013-01-18", "…", 3),
        (Monthly, "2012-11", "2013-02", "…", 4),
        (Yearly, "2012", "2014", "…", 3),
    ],
)
def test_a_range_is_named_by_its_first_and_last(
    kind: type[Windows], first: str, last: str, key: str, size: int
) -> None:
    windows = cut(kind)
    slice_ = windows.slice(first, last)
    assert slice_.key == key.replace("…", f"{first}...{last}")
    assert len(windows.keys(slice_)) == size
    assert windows.slice(slice_.key) == windows.read(slice_.key) == slice_
    assert windows.slice(first).key == first
    assert Slice.from_document(slice_.document()) == slice_
    windows.refuse_other(slice_, "here")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", KINDS)
def test_windows_and_their_names_are_those_of_dagster(kind: type[Windows], zone: str) -> None:
    if kind is Hourly and zone == "Australia/Lord_Howe":
        return  # refused, see below
    if kind is Weekly and zone == "Pacific/Apia":
        return  # a week that begins on the day that was left out: runs of those after it fail
    # Sao Paulo and Havana change clocks at midnight, Apia leaves 2011-12-30 out
    years = (date(2010, 1, 1), date(2014, 1, 1)) if kind is not Hourly else _around(zone)
    end = date(2013, 12, 27) if kind is Weekly else years[1]
    windows = kind(column="at", start=years[0], end=end, time_zone=zone)
    definition = partitions_of(windows)
    assert definition is not None
    keys = definition.get_partition_keys()
    whole = windows.covering(Slice())
    assert whole is not None
    # for the day that never was Dagster has a partition
    keys = [key for key in keys if (kind, zone, key) != (Daily, "Pacific/Apia", "2011-12-30")]
    assert list(windows.keys(whole)) == keys
    for name in keys[:: max(1, len(keys) // 200)]:
        theirs = definition.time_window_for_partition_key(name)  # type: ignore[attr-defined]
        ours = windows.slice(name)
        assert (ours.start, ours.end) == (
            theirs.start.astimezone(UTC),
            theirs.end.astimezone(UTC),
        )


def _around(zone: str) -> tuple[date, date]:
    """Two weeks about the day on which clocks are put back."""
    return {
        "America/Sao_Paulo": (date(2012, 2, 20), date(2012, 3, 5)),
        "America/New_York": (date(2013, 10, 28), date(2013, 11, 10)),
        "Pacific/Apia": (date(2011, 12, 25), date(2012, 1, 5)),
    }.get(zone, (date(2013, 10, 21), date(2013, 11, 10)))


DAYS = st.dates(min_value=date(2010, 1, 1), max_value=date(2030, 1, 1))


@given(st.sampled_from(KINDS), st.sampled_from(ZONES), DAYS, DAYS)
@example(Daily, "Pacific/Apia", date(2011, 12, 29), date(2011, 12, 31))
def test_windows_are_side_by_side_and_cover_what_they_share_a_moment_with(
    kind: type[Windows], zone: str, one: date, other: date
) -> None:
    if kind is Hourly:
        other = min(other, one + timedelta(days=3))
        zone = "UTC" if zone == "Australia/Lord_Howe" else zone
    windows = cut(kind, zone)
    wanted = Slice.day(min(one, other), max(one, other), zone=zone)
    slice_ = windows.covering(wanted)
    assert slice_ is not None
    assert slice_.start
    assert slice_.end
    starts = [*slice_.windows(), slice_.end]
    assert all(first < second for first, second in pairwise(starts))
    assert slice_.covers(wanted)
    # no window more than that
    assert wanted.start
    assert wanted.end
    assert starts[1] > wanted.start
    assert starts[-2] < wanted.end
    names = windows.keys(slice_)
    assert len(set(names)) == len(names)
    assert [windows.begins(name) for name in names] == starts[:-1]
    windows.refuse_other(slice_, "here")


@given(DAYS, st.integers(min_value=0, max_value=40), st.sampled_from(ZONES))
@example(date(2024, 3, 31), 1, "Asia/Beirut")  # begins at one o'clock
def test_looking_back_by_days_begins_at_midnight(day: date, back: int, zone: str) -> None:
    wider = Slice.day(day, zone=zone).widened(timedelta(days=back))
    assert wider == Slice.day(day - timedelta(days=back), day, zone=zone)


def test_a_lookback_of_hours_is_one_of_time() -> None:
    slice_ = Slice.day(date(2013, 3, 31), zone=BERLIN)
    assert slice_.start
    wider = slice_.widened(timedelta(days=1, hours=3))
    assert wider.start == slice_.start - timedelta(hours=27)


def test_a_slice_that_is_none_of_the_datasets_is_refused() -> None:
    days = cut(Daily, BERLIN)
    january = cut(Monthly, BERLIN).slice("2013-01")
    for other in (
        Slice.day(date(2013, 1, 5)),
        january,
        Slice(),
        Slice(values=("DE",)),
        Slice(
            start=datetime(2013, 1, 5, 12, tzinfo=UTC),
            end=datetime(2013, 1, 6, 12, tzinfo=UTC),
            zone=BERLIN,
        ),
    ):
        with pytest.raises(DefinitionError, match=r"none of the dataset's") as caught:
            days.refuse_other(other, "shop.sold")
        assert "daily by at from 2010-01-01 in Europe/Berlin" in str(caught.value.expected)


@pytest.mark.parametrize(
    ("windows", "name", "what", "next_step"),
    [
        (cut(Daily), "2013-02-30", "not a day", "write a day, like 2013-01-05"),
        (cut(Daily), "2009-12-31", "no such day", "of that range"),
        (cut(Hourly), "2013-01-05", "not a hour", "2013-01-05-13:00"),
        (cut(Hourly, BERLIN), "2013-03-31-02:00", "not a hour", "2013-01-05-13:00"),
        (cut(Daily, "Pacific/Apia"), "2011-12-30", "not a day", "2013-01-05"),
        (cut(Weekly), "2013-01-07", "not a week", "2013-01-07 is in the week of 2013-01-04"),
        (cut(Monthly), "2013-01-01", "not a month", "2013-01"),
        (cut(Yearly), "13", "not a year", "2013"),
        (cut(Daily), "2013-01-05...2013-01-04", "ends before it begins", "earlier one first"),
    ],
)
def test_what_is_no_name_of_a_slice_is_refused(
    windows: Windows, name: str, what: str, next_step: str
) -> None:
    with pytest.raises(DefinitionError, match=what) as caught:
        windows.slice(name)
    assert next_step in str(caught.value.next_step)


@pytest.mark.parametrize(
    ("kind", "given_", "what"),
    [
        (Daily, {"start": "2013-01-01"}, "not a date"),
        (Daily, {"start": datetime(2013, 1, 1, tzinfo=UTC)}, "not a date"),
        (Daily, {"time_zone": "Europe/Berln"}, "no such time zone"),
        (Daily, {"end": date(2010, 1, 1)}, "end before they start"),
        (Daily, {"column": 1}, "name no column"),
        (Monthly, {"start": date(2013, 1, 2)}, "in the midst of a month"),
        (Yearly, {"end": date(2013, 2, 1)}, "in the midst of a year"),
        (Weekly, {"end": date(2010, 1, 5)}, "in the midst of a week"),
        (Hourly, {"time_zone": "Australia/Lord_Howe"}, "by less than an hour"),
    ],
)
def test_windows_that_cannot_be_are_refused(
    kind: type[Windows], given_: dict[str, object], what: str
) -> None:
    with pytest.raises(DefinitionError, match=what):
        kind(**{"column": "at", "start": date(2010, 1, 1)} | given_)  # type: ignore[arg-type]


def test_dagster_asks_for_slices_that_are_side_by_side() -> None:
    months = cut(Monthly)
    keys = ["2013-02", "2012-12", "2013-01"]
    assert slice_of(months, keys).key == "2012-12...2013-02"
    with pytest.raises(DefinitionError, match="not side by side"):
        slice_of(months, keys[:2])
