"""A run that says only which datasets it joins takes nothing from what was said of how."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.ledger.graph.validity import Stated, intervals
from tests.ledger.asked import made_of
from tests.ledger.told_events import AT, FACET, dataset, lineage, run_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.ledger import Ledger

    Tell = Callable[..., None]

K = lineage("/a.k > k")
OTHER = lineage("/a.x > k")
WITHDRAWN: Any = {"_deleted": True}


def write(
    minutes: float, *inputs: str, job: str = "job", kind: str = "COMPLETE", **facets: Any
) -> dict[str, Any]:
    out = dataset("/out", **facets)
    run = f"{job} {minutes}"
    return run_event(kind, minutes, job, run=run, inputs=inputs or ("/a",), outputs=(out,))


def held(ledger: Ledger, *minutes: float) -> list[set[str]]:
    return [made_of(ledger, at) for at in minutes]


def test_it_stays_as_an_earlier_run_told_it(ledger: Ledger, tell: Tell) -> None:
    tell(write(0, columnLineage=K), write(10), write(20), write(30, columnLineage=OTHER), write(40))
    k, other = {"/a", "/a.k"}, {"/a", "/a.x"}
    assert held(ledger, 5, 15, 25, 35, 45) == [k, k, k, other, other]


def test_what_was_never_told_is_not_made_up(ledger: Ledger, tell: Tell) -> None:
    tell(write(0), write(10, columnLineage=K), write(20))
    assert held(ledger, 5, 15, 25) == [{"/a"}, {"/a", "/a.k"}, {"/a", "/a.k"}]


def test_other_ends_are_another_version_of_the_job(ledger: Ledger, tell: Tell) -> None:
    tell(write(0, columnLineage=K), write(10, "/b"), write(20, "/a", "/b"), write(30))
    assert held(ledger, 5, 15, 25, 35) == [{"/a", "/a.k"}, {"/b"}, {"/a", "/b"}, {"/a", "/a.k"}]


def test_another_job_that_says_less_takes_nothing_and_gets_nothing(
    ledger: Ledger, tell: Tell
) -> None:
    tell(write(0, columnLineage=K), write(10, job="copy"), write(20, "/b"))
    assert held(ledger, 5, 15, 25) == [{"/a", "/a.k"}, {"/a", "/a.k"}, {"/a", "/b"}]


@pytest.mark.parametrize("facet", ["columnLineage", "lineage"])
def test_what_was_withdrawn_stays_withdrawn(ledger: Ledger, tell: Tell, facet: str) -> None:
    tell(write(0, columnLineage=K), write(10, **{facet: WITHDRAWN}), write(20))
    assert held(ledger, 5, 15, 25) == [{"/a", "/a.k"}, {"/a"}, {"/a"}]


def test_of_an_explicit_lineage_too(ledger: Ledger, tell: Tell) -> None:
    told = {"inputs": [{"namespace": "file", "name": "/a", "type": "DATASET", "field": "k"}]}
    tell(write(0, lineage=told), write(10))
    first, second = held(ledger, 5, 15)
    assert first == second
    assert "/a" in first


def test_a_facet_without_a_column_is_a_word(ledger: Ledger, tell: Tell) -> None:
    tell(write(0, columnLineage=K), write(10, columnLineage={"fields": {}}), write(20))
    assert held(ledger, 5, 15, 25) == [{"/a", "/a.k"}, {"/a"}, {"/a"}]


def test_a_stream_that_says_less_until_it_is_broken_off(ledger: Ledger, tell: Tell) -> None:
    def beat(kind: str, minutes: float) -> dict[str, Any]:
        event = run_event(kind, minutes, "job", run="s", inputs=("/a",), outputs=("/out",))
        event["job"]["facets"] = {
            "jobType": {**FACET, "processingType": "STREAMING", "integration": "FLINK"}
        }
        return event

    tell(write(0, columnLineage=K), beat("START", 5), beat("RUNNING", 10), beat("ABORT", 20))
    assert held(ledger, 2, 7, 15, 25) == [{"/a", "/a.k"}] * 4


def test_what_comes_late_takes_its_place(ledger: Ledger, tell: Tell) -> None:
    tell(write(30), write(10), write(0, columnLineage=K), write(20, columnLineage=OTHER))
    assert held(ledger, 5, 15, 25, 35) == [{"/a", "/a.k"}] * 2 + [{"/a", "/a.x"}] * 2


@given(
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("ab"), st.integers(0, 2)), max_size=12),
    st.randoms(),
)
def test_intervals_of_any_statements_are_those_of_the_last_word(
    story: list[tuple[int, str, int]], random: Any
) -> None:
    """State 0 says no more than its ends: 10 for `a`, 20 for `b`."""
    at = {moment: (ends, word) for moment, ends, word in story}
    alone = {"a": 10, "b": 20}
    told = [
        Stated(
            at=_moment(moment),
            teller=str(moment),
            state=alone[ends] + word,
            ends=ends,
            ends_alone=word == 0,
        )
        for moment, (ends, word) in at.items()
    ]
    random.shuffle(told)
    words: dict[str, int] = {}
    expected = []
    for moment in sorted(at):
        ends, word = at[moment]
        words[ends] = word or words.get(ends, 0)
        expected.append((_moment(moment), alone[ends] + words[ends]))
    found = intervals(told)
    for number, (moment, state) in enumerate(expected):
        (holding,) = [
            item.state
            for item in found
            if item.valid_from <= moment and (item.valid_to is None or moment < item.valid_to)
        ]
        assert holding == state, number


def _moment(minutes: int) -> Any:
    return AT + timedelta(minutes=minutes)
