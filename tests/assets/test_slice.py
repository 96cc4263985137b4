"""Slices: half-open windows, and what they overlap."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Daily, Slice
from penstock.assets.slice import WHOLE
from penstock.errors import DefinitionError

pytestmark = pytest.mark.slow

DAYS = st.dates(min_value=date(1970, 1, 2), max_value=date(2100, 1, 1))
INSTANTS = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=40000)).map(
    lambda age: datetime(1970, 1, 2, tzinfo=UTC) + age
)


@st.composite
def slices(draw: st.DrawFn) -> Slice:
    start = draw(INSTANTS)
    length = draw(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=40)))
    return Slice(start=start, end=start + length)


@given(DAYS, st.integers(min_value=0, max_value=400))
def test_a_key_is_read_back(first: date, more: int) -> None:
    part = Slice.day(first, first + timedelta(days=more))
    assert Slice.parse(part.key) == part
    assert Slice.from_document(part.document()) == part
    assert part.days() == tuple(first + timedelta(days=n) for n in range(more + 1))


@given(slices())
def test_days_are_exactly_those_it_touches(part: Slice) -> None:
    assert part.start
    assert part.end
    last = part.end - timedelta(microseconds=1)
    days = part.days()
    assert (days[0], days[-1]) == (part.start.date(), last.date())
    assert len(days) == (last.date() - part.start.date()).days + 1


@given(slices(), slices())
def test_overlap_is_symmetric_and_means_a_shared_instant(one: Slice, other: Slice) -> None:
    assert one.overlaps(other) is other.overlaps(one)
    assert one.overlaps(one)
    assert one.overlaps(WHOLE)
    assert one.start
    assert other.start
    assert one.end
    assert other.end
    assert one.overlaps(other) is (max(one.start, other.start) < min(one.end, other.end))


@given(slices(), st.timedeltas(min_value=timedelta(), max_value=timedelta(days=9)))
def test_looking_back_keeps_the_end(part: Slice, back: timedelta) -> None:
    wider = part.widened(back)
    assert part.start
    assert (wider.start, wider.end) == (part.start - back, part.end)
    assert WHOLE.widened(back) == WHOLE


def test_the_whole_dataset_is_a_slice() -> None:
    assert (WHOLE.key, WHOLE.whole, WHOLE.days(), WHOLE.document()) == ("whole", True, (), None)
    assert Slice.parse("whole") == WHOLE
    assert WHOLE.predicate("day", "date") == "true"


def test_the_predicate_is_half_open_in_the_columns_own_type() -> None:
    part = Slice.day(date(2013, 1, 5), date(2013, 1, 6))
    assert part.predicate("day", "date") == (
        "`day` >= DATE'2013-01-05' AND `day` < DATE'2013-01-07'"
    )
    assert part.predicate("at", "timestamp") == (
        "`at` >= TIMESTAMP'2013-01-05 00:00:00+00:00' AND "
        "`at` < TIMESTAMP'2013-01-07 00:00:00+00:00'"
    )


@pytest.mark.parametrize("text", ["", "soon", "2013-01-05..2013-01-06", "2013-02-30"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Slice.parse(text)


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Slice.parse("2013-01-06...2013-01-05")


def test_the_first_day_must_be_a_date() -> None:
    with pytest.raises(DefinitionError, match="not a date"):
        Daily(column="day", start="2013-01-01")  # type: ignore[arg-type]
