"""Runs against the queries that somebody else told of: whose they are, and what was not told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.evidence.undeclared_reads import reads
from penstock.evidence.witness import GovernedRun, Query, Read, is_told, witnessed
from tests.ledger.told_events import AT

SPARK = "spark-1"
PLACES = ("/lake/a", "/lake/b", "/lake/c")


def run(name: str, *told: str, hours: tuple[float, float] = (0, 1), **more: Any) -> GovernedRun:
    ended = AT + timedelta(hours=hours[1])
    return GovernedRun(
        run_id=name,
        at=ended,
        told=frozenset(("file", place) for place in told),
        applications=more.get("applications", frozenset({SPARK})),
        began=AT + timedelta(hours=hours[0]),
        ended=ended,
    )


def read(place: str, **more: Any) -> Read:
    return Read(id=f"file|{place}", label=place, names=frozenset({("file", place)}), **more)


def query(group: str, *places: str, hours: tuple[float, float] = (0.2, 0.3), **more: Any) -> Query:
    return Query(
        by="spark|app.scan",
        group=group,
        application=SPARK,
        began=AT + timedelta(hours=hours[0]),
        ended=AT + timedelta(hours=hours[1]),
        reads=tuple(read(place, **more) for place in places),
    )


def found(runs: list[GovernedRun], queries: list[Query]) -> dict[str, list[tuple[str, bool]]]:
    told = reads(witnessed(runs, queries)).undeclared
    listed: dict[str, list[tuple[str, bool]]] = {}
    for one in told or ():
        listed.setdefault(one.run_id, []).append((one.label, one.certain))
    return listed


def test_a_read_that_the_run_did_not_tell_is_listed_once() -> None:
    queries = [query("one", "/lake/a", "/lake/b", columns=("x",)), query("one", "/lake/b")]
    [seen] = witnessed([run("one", "/lake/a")], queries)
    [listed] = reads([seen]).undeclared or ()
    assert listed.document() == {
        "run_id": "one",
        "at": "2026-01-01T01:00:00+00:00",
        "dataset": "file|/lake/b",
        "label": "/lake/b",
        "columns": ["x"],
        "seen_by": ["spark|app.scan"],
        "certain": True,
    }


def test_nothing_seen_is_not_nothing_read() -> None:
    runs = [run("one", "/lake/a"), run("two", "/lake/a", hours=(24, 25))]
    unseen = reads(witnessed(runs, []))
    assert (unseen.runs, unseen.corroborated, unseen.undeclared) == (2, 0, None)
    assert unseen.document()["undeclared_reads"] is None
    half = reads(witnessed(runs, [query("two", "/lake/a", hours=(24, 24.1))]))
    assert (half.runs, half.corroborated, half.undeclared) == (2, 1, ())
    assert [day.document() for day in half.by_day] == [
        {"day": "2026-01-01", "runs": 1, "corroborated": 0, "undeclared_reads": None},
        {"day": "2026-01-02", "runs": 1, "corroborated": 1, "undeclared_reads": 0},
    ]
    assert reads([]).undeclared is None


def test_a_query_without_a_group_is_of_the_run_that_went_on_in_its_spark() -> None:
    late = run("two", hours=(2, 3))
    elsewhere = run("three", applications=frozenset({"spark-2"}))
    runs = [run("one", "/lake/a"), late, elsewhere]
    assert found(runs, [query("", "/lake/a", "/lake/b")]) == {"one": [("/lake/b", False)]}
    assert reads(witnessed(runs, [query("", "/lake/a")])).corroborated == 1
    assert found(runs, [query("", "/lake/b", hours=(1.5, 1.6))]) == {}
    assert found(runs, [query("somebody-else", "/lake/b")]) == {"one": [("/lake/b", False)]}


def test_of_two_runs_at_once_the_one_that_is_known_to_read_it_is_meant() -> None:
    runs = [run("one", "/lake/a"), run("two", "/lake/b")]
    assert found(runs, [query("", "/lake/a", "/lake/b")]) == {}
    either = {"one": [("/lake/c", False)], "two": [("/lake/c", False)]}
    assert found(runs, [query("", "/lake/c")]) == either
    both = [query("", "/lake/c"), query("one", "/lake/c")]
    assert found(runs, both) == {"one": [("/lake/c", True)]}
    # which of the two it was of is not known, so neither is corroborated by it
    assert reads(witnessed(runs, [query("", "/lake/a")])).corroborated == 0


def test_a_log_that_nobody_is_known_to_have_read_is_delta_s_own_affair() -> None:
    assert found([run("one")], [query("", "/lake/b", rows=False)]) == {}
    assert found([run("one")], [query("one", "/lake/b", rows=False)]) == {
        "one": [("/lake/b", True)]
    }


@pytest.mark.parametrize(
    ("seen", "told", "expected"),
    [
        ("/lake/a", "/lake/a", True),
        ("/lake/a/_delta_log/00000000000000000001.json", "/lake/a", True),
        ("/lake/a/day=2013-01-05/part-0.parquet", "/lake/a", True),
        ("/lake/ab", "/lake/a", False),
        ("/lake", "/lake/a", False),
        ("/landing/orders/orders-1.csv", "/landing/orders", True),
        ("/landing/items.csv", "/landing/items.csv", True),
        ("/landing/prices-2013-01-05.csv", "/landing/prices-{day}.csv", True),
        ("/landing/prices-1.csv", "/landing/prices-*.csv", True),
        ("/landing", "/landing/prices-*.csv", True),
        ("/landing/secret.csv", "/landing/prices-*.csv", False),
        ("/landing/hr/salaries.csv", "/landing/*.csv", False),
        ("/landing/x/2013/y.csv", "/landing/{day}.csv", False),
        ("/landing/prices-1.csv/x", "/landing/prices-?.csv", False),
        ("/landing/a.b", "/landing/a?b", True),
        ("/landing/prices-7.csv", "/landing/prices-[0-9].csv", True),
        ("/landing/" + "a" * 600, "/landing/" + "*a" * 300 + "*b.csv", False),
        ("/landing/2013-01-05/x.csv", "/landing/{day}", True),
    ],
)
def test_what_lies_within_what_was_told_was_told(seen: str, told: str, expected: bool) -> None:  # noqa: FBT001
    assert is_told({("file", seen)}, {("file", told)}) is expected
    assert not is_told({("s3://bucket", seen)}, {("file", told)})


def test_every_client_of_s3_reads_one_place() -> None:
    assert is_told({("s3a://bucket", "lake/a/_delta_log")}, {("s3://bucket", "lake/a")})
    assert not is_told({("s3a://bucket", "lake/a")}, {("s3://other", "lake/a")})


NAMES = st.lists(st.sampled_from(PLACES), unique=True)
SPANS = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda span: (min(span), max(span)))
QUERIES = st.lists(
    st.builds(
        lambda group, places, hours, rows: query(group, *places, hours=hours, rows=rows),
        st.sampled_from(["", "r0", "r1", "r2", "other"]),
        NAMES,
        SPANS,
        st.booleans(),
    ),
    max_size=6,
)
RUNS = st.lists(st.tuples(NAMES, SPANS), min_size=1, max_size=3).map(
    lambda drawn: [run(f"r{i}", *told, hours=hours) for i, (told, hours) in enumerate(drawn)]
)


@given(RUNS, QUERIES, st.randoms(use_true_random=False))
def test_what_a_run_told_is_never_held_against_it(
    runs: list[GovernedRun], queries: list[Query], random: Any
) -> None:
    told = {one.run_id: {name for _, name in one.told} for one in runs}
    listed = found(runs, queries)
    for run_id, labels in listed.items():
        assert not told[run_id] & {label for label, _ in labels}
    for one in queries:
        for place in one.reads if one.group in told else ():
            if place.label not in told[one.group]:
                assert (place.label, True) in listed[one.group]
    shuffled = random.sample(queries, len(queries))
    assert found(runs[::-1], shuffled) == listed
    everything = [run(one.run_id, *PLACES) for one in runs]
    assert found(everything, queries) == {}
