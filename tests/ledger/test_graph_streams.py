"""What a stream tells at work holds from then until it ends; no later event changes the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.flow import Flow
from penstock.ledger.graph.projector import catch_up
from tests.ledger.asked import made_of
from tests.ledger.told_events import AT, FACET, dataset, lineage, moment, run_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from penstock.ledger import Ledger


def work(
    kind: str | None, minutes: float, *, processing: str | None = "STREAMING", **told: Any
) -> dict[str, Any]:
    """An event of the job `stream`, which says what kind of processing it is."""
    event = run_event(kind, minutes, "stream", **told)
    if processing:
        facet = {**FACET, "processingType": processing, "integration": "FLINK"}
        event["job"]["facets"] = {"jobType": facet}
    return event


def read(ledger: Ledger, minutes: float) -> set[str]:
    """The datasets that the job reads at that moment, and writes nothing of."""
    with ledger.database.read() as connection:
        catalog = Catalog(connection)
        job = catalog.job_id("spark", "stream")
        assert job is not None
        (ends,) = Flow(connection, at=AT.fromisoformat(moment(minutes))).of([job]).values()
        assert not ends.outputs
        return {name for _, name in catalog.names(ends.inputs).values()}


BOTH = {"/a", "/a.k"}
OUT = dataset("/out", columnLineage=lineage("/a.k > k"))
START = work("START", 0, inputs=("/a",), outputs=(OUT,))


@pytest.mark.parametrize("end", ["ABORT", "FAIL"])
def test_it_holds_from_the_first_event_at_work_until_it_is_broken_off(
    ledger: Ledger, tell: Callable[..., None], end: str
) -> None:
    beats = [work("RUNNING", minutes) for minutes in (10, 20, 30)]
    tell(START, *beats, work(end, 40))
    held = {minutes: made_of(ledger, minutes) for minutes in (5, 10, 15, 25, 39, 40, 50, None)}
    assert held == {
        5: set(), 10: BOTH, 15: BOTH, 25: BOTH, 39: BOTH, 40: set(), 50: set(), None: set()
    }  # fmt: skip


def test_one_that_completes_holds_on(ledger: Ledger, tell: Callable[..., None]) -> None:
    tell(START, work("RUNNING", 10), work("COMPLETE", 40))
    assert [made_of(ledger, minutes) for minutes in (5, 15, 45, None)] == [set(), BOTH, BOTH, BOTH]


def test_a_heartbeat_takes_nothing_from_the_past(ledger: Ledger, tell: Callable[..., None]) -> None:
    tell(START, work("RUNNING", 10))
    before = made_of(ledger, 15)
    # in the batch before, in this one: the same answer
    for minutes in (20, 30):
        ledger.append(work("RUNNING", minutes))
        catch_up(ledger.database)
        assert made_of(ledger, 15) == before == BOTH


def test_what_it_tells_later_holds_from_then_on(ledger: Ledger, tell: Callable[..., None]) -> None:
    other = dataset("/out", columnLineage=lineage("/b.x > k"))
    tell(
        START,
        work("RUNNING", 10),
        work("RUNNING", 20, inputs=("/b",)),
        work("RUNNING", 30, outputs=(other,)),
        work("RUNNING", 40, outputs=(OUT,)),
        work("RUNNING", 50, outputs=("/second",)),
        work("COMPLETE", 60, outputs=(dataset("/out", columnLineage=lineage("/a.z > k")),)),
    )
    held = {minutes: made_of(ledger, minutes) for minutes in (15, 25, 35, 45, 55, 65)}
    both = {"/a", "/b"}
    assert held == {
        15: BOTH, 25: BOTH | both, 35: {"/b.x", *both}, 45: BOTH | both, 55: BOTH | both,
        65: {"/a.z", *both},
    }  # fmt: skip
    assert made_of(ledger, 45, "/second") == set()
    assert made_of(ledger, 55, "/second") == both


def test_what_it_tells_at_its_breaking_off_it_did_not_do(
    ledger: Ledger, tell: Callable[..., None]
) -> None:
    tell(START, work("RUNNING", 10), work("FAIL", 20, inputs=("/b",)), work("OTHER", 30))
    assert [made_of(ledger, minutes) for minutes in (15, 25)] == [BOTH, set()]


def test_a_run_that_goes_on_is_not_ended_by_one_that_is_broken_off(
    ledger: Ledger, tell: Callable[..., None]
) -> None:
    second: dict[str, Any] = {"run": "second", "inputs": ("/b",), "outputs": ("/out",)}
    tell(
        START,
        work("RUNNING", 10),
        work("START", 15, **second),
        work("RUNNING", 20, **second),
        work("ABORT", 30),
        work("FAIL", 40, run="second"),
        work("COMPLETE", 5, run="batch", inputs=("/c",), outputs=("/out",)),
    )
    held = {minutes: made_of(ledger, minutes) for minutes in (7, 12, 25, 35, 45)}
    assert held == {7: {"/c"}, 12: BOTH, 25: {"/b"}, 35: {"/b"}, 45: {"/c"}}


@pytest.mark.parametrize("processing", ["SERVICE", "streaming", None])
def test_so_does_what_does_not_say_that_it_ends_by_itself(
    ledger: Ledger, tell: Callable[..., None], processing: str | None
) -> None:
    told: dict[str, Any] = {"inputs": ("/a",), "outputs": (OUT,), "processing": processing}
    tell(work("START", 0, **told), work("RUNNING", 10, processing=None), work("ABORT", 20, **told))
    assert [made_of(ledger, minutes) for minutes in (5, 15, 25)] == [set(), BOTH, set()]


@pytest.mark.parametrize("end", ["FAIL", "COMPLETE"])
def test_a_batch_counts_when_it_completes(
    ledger: Ledger, tell: Callable[..., None], end: str
) -> None:
    told: dict[str, Any] = {"inputs": ("/a",), "outputs": (OUT,), "processing": "BATCH"}
    # that it is one is told once
    later = [work(kind, at, processing=None) for kind, at in (("RUNNING", 10), (end, 20))]
    tell(work("START", 0, **told), *later)
    after = BOTH if end == "COMPLETE" else set()
    assert [made_of(ledger, minutes) for minutes in (15, 25)] == [set(), after]


@pytest.mark.parametrize("end", ["FAIL", "ABORT"])
@pytest.mark.parametrize("processing", ["BATCH", None])
def test_a_run_that_failed_has_read_what_it_read_until_then(
    ledger: Ledger, tell: Callable[..., None], processing: str | None, end: str
) -> None:
    told: dict[str, Any] = {"outputs": (OUT,), "processing": processing}
    tell(
        work("START", 0, inputs=("/a",), **told),
        work(end, 20, inputs=("/b",), processing=processing),
    )
    assert [read(ledger, minutes) for minutes in (-1, 0, 10, 20)] == [
        set(), {"/a", "/b"}, {"/a", "/b"}, set()
    ]  # fmt: skip
    assert made_of(ledger, 10) == set()


def test_one_that_only_says_that_it_failed_has_read_it_at_that_moment(
    ledger: Ledger, tell: Callable[..., None]
) -> None:
    tell(work("FAIL", 20, inputs=("/a",)))
    assert [read(ledger, minutes) for minutes in (19, 20, 21)] == [set(), {"/a"}, set()]


def test_what_goes_on_at_the_instant_at_which_it_ended_is_one_interval(
    ledger: Ledger, tell: Callable[..., None]
) -> None:
    # what a run that was broken off had read, another reads from that very minute on
    tell(
        run_event("START", 0, "job", run="first", inputs=("/a",)),
        run_event("ABORT", 1, "job", run="first"),
        run_event("COMPLETE", 1, "job", run="second", inputs=("/a",)),
    )
    with ledger.database.read() as connection:
        held = [line for line in graph_lines(connection) if line.startswith('["held"')]
    assert len(held) == 1
