"""Versions of datasets are what all runs and uses say, however they are looked up."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import true

from penstock.ledger import Ledger
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.projector import catch_up, rebuild
from penstock.ledger.graph.versions import Versions
from tests.ledger.told_events import AT, dataset, moment, run_event, symlinks

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from penstock.ledger.graph.nodes import RunNode, UseNode

NAMES = ("/a", "/b", "/c")


def told(name: str, version: str | None, other: str | None) -> dict[str, Any]:
    """A dataset of an event, which may tell its version and another name of its own."""
    facets: dict[str, Any] = {}
    if version is not None:
        facets["version"] = {"datasetVersion": version}
    if other is not None:
        facets["symlinks"] = symlinks(("file", other))
    return dataset(name, **facets)


ENDS = st.lists(
    st.builds(
        told,
        st.sampled_from(NAMES),
        st.sampled_from([None, None, "1", "2", "3"]),
        st.sampled_from([None, None, None, None, *NAMES]),
    ),
    max_size=2,
    unique_by=lambda end: end["name"],
).map(tuple)
EVENTS = st.lists(
    st.builds(
        lambda kind, minutes, run, inputs, outputs: run_event(
            kind, minutes, f"job{run % 2}", run=str(run), inputs=inputs, outputs=outputs
        ),
        st.sampled_from(["START", "RUNNING", "COMPLETE", "COMPLETE", "COMPLETE", "FAIL", "ABORT"]),
        st.integers(0, 12),
        st.integers(0, 6),
        ENDS,
        ENDS,
    ),
    min_size=1,
    max_size=14,
    unique_by=repr,
)


def by_all(connection: Connection) -> tuple[dict[int, list[UseNode]], dict[str, RunNode]]:
    """The uses that made a version, the newest first, by dataset, and all runs by teller."""
    catalog = Catalog(connection)
    runs = {run.teller: run for run in catalog.runs_where(true())}
    made: dict[int, list[UseNode]] = {}
    for use in catalog.uses(role="OUT"):
        if use.teller in runs and runs[use.teller].state == "COMPLETE":
            made.setdefault(use.dataset, []).append(use)
    for uses in made.values():
        uses.sort(key=lambda use: (runs[use.teller].ended, use.teller), reverse=True)
    return made, runs


def called(use: UseNode) -> str | None:
    version = use.facets.get("version", {}).get("datasetVersion")
    return version if isinstance(version, str) else None


def compare(connection: Connection) -> None:
    """What `Versions` finds by its indexes is what a look at everything finds."""
    made, runs = by_all(connection)
    catalog, versions = Catalog(connection), Versions(connection)
    numbers, total = catalog.dataset_ids(limit=100)
    assert total == len(numbers)
    for number in numbers:
        expected = [(u.teller, runs[u.teller].ended, called(u)) for u in made.get(number, [])]
        found = versions.of(number)
        assert [v.teller for v in found] == [teller for teller, *_ in expected]
        # one run may have written it under two names
        assert {(v.teller, v.at, v.told) for v in found} == set(expected)
        assert versions.count(number) == len(expected)
        assert versions.of(number, limit=2, offset=1) == found[1:3]
        for teller in runs:
            own = [u for u in made.get(number, []) if u.teller == teller]
            assert ((teller, number) in versions.made_by([teller])) is bool(own)
    for at in (None, *(AT.fromisoformat(moment(minutes)) for minutes in (0, 4, 9))):
        newest = {
            number: next((u.teller for u in uses if at is None or _ended(runs, u) <= at), None)
            for number, uses in made.items()
        }
        latest = versions.latest(numbers, at)
        assert {n: v.teller for n, v in latest.items()} == {n: t for n, t in newest.items() if t}
    reads = [(runs[u.teller], u) for u in catalog.uses(role="IN") if u.teller in runs]
    expected_reads = [_read(made.get(use.dataset, []), runs, run, use) for run, use in reads]
    together = versions.read_by(reads)
    assert [v.teller if v else None for v in together] == expected_reads
    one_by_one = [Versions(connection).read_by([read])[0] for read in reads]
    assert one_by_one == together
    newest_alone = {n: v for number in numbers for n, v in versions.latest([number]).items()}
    assert newest_alone == versions.latest(numbers)


def _ended(runs: dict[str, RunNode], use: UseNode) -> Any:
    return runs[use.teller].ended


def _read(made: list[UseNode], runs: dict[str, RunNode], run: RunNode, use: UseNode) -> str | None:
    version = called(use)
    others = [u for u in made if u.teller != run.teller]
    before = [u.teller for u in others if _ended(runs, u) <= run.started]
    if version is None:
        return next(iter(before), None)
    same = [u.teller for u in others if called(u) == version]
    return next((t for t in before if t in same), same[-1] if same else None)


@given(EVENTS, st.integers(1, 5))
def test_versions_are_what_all_runs_and_uses_say(
    tmp_path_factory: pytest.TempPathFactory, events: list[dict[str, Any]], size: int
) -> None:
    folder = tmp_path_factory.mktemp("versions")
    with Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger:
        for start in range(0, len(events), size):
            ledger.append_all(events[start : start + size])
            catch_up(ledger.database)
        with ledger.database.read() as connection:
            compare(connection)
            before = graph_lines(connection)
        # in one batch, the graph knows the same
        rebuild(ledger.database)
        with ledger.database.read() as connection:
            assert graph_lines(connection) == before


@pytest.mark.parametrize("version", [None, "1"])
def test_of_two_names_under_which_a_run_wrote_the_first_is_told_however_it_is_looked_for(
    tmp_path: Path, version: str | None
) -> None:
    """The second name is told first, so that the order of rows is another than that of names."""
    written = (told("/c", version, None), told("/b", version, None), told("/a", version, "/c"))
    events = [
        run_event("COMPLETE", 0, "job0", run="0", inputs=("/b",), outputs=("/c",)),
        run_event("COMPLETE", 1, "job0", run="1", outputs=(*written, told("/b", version, "/a"))),
        run_event("START", 2, "job1", run="2", inputs=(told("/b", version, None), "/c")),
        # told before it was made, so it is the first of those called so
        run_event("START", -1, "job1", run="3", inputs=(told("/c", version, None),)),
    ]
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.append_all(events)
        catch_up(ledger.database)
        with ledger.database.read() as connection:
            compare(connection)
            versions, (number,) = Versions(connection), Catalog(connection).dataset_ids(limit=9)[0]
            made = versions.latest([number])[number]
            assert made.written_as == ("file", "/a")
            assert versions.made_by([made.teller]) == {(made.teller, number): made}


@pytest.mark.parametrize("written", [("/b", "/c"), ("/b",)])
def test_what_a_run_made_before_it_began_hides_no_version_under_another_name(
    tmp_path: Path, written: tuple[str, ...]
) -> None:
    """Clocks differ: a run may have ended before it began, and nothing it made is what it read."""
    events = [
        run_event("COMPLETE", 0, "job0", run="0", outputs=("/c", told("/a", None, "/c"))),
        run_event("COMPLETE", 0, "job0", run="1", outputs=(told("/b", None, "/c"),)),
        run_event("COMPLETE", 2, "job0", run="2", outputs=written),
        run_event("COMPLETE", 3, "job1", run="3", outputs=("/b",)),
        run_event("START", 4, "job1", run="3", inputs=("/b", "/c")),
        # with an older one in the same question, all versions in between are looked at
        run_event("START", 1, "job1", run="4", inputs=("/b",)),
    ]
    with Ledger.open(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.append_all(events)
        catch_up(ledger.database)
        with ledger.database.read() as connection:
            compare(connection)


def story(runs: int) -> list[dict[str, Any]]:
    """Runs of two jobs, one after the other, that read and write; some tell versions."""
    chance = random.Random(7)  # the same on each database
    events = []
    for number in range(runs):
        version = str(number) if number % 3 else None
        read = told("/a", str(number - chance.randrange(1, 4)) if number % 2 else None, None)
        kind = "FAIL" if number % 11 == 10 else "COMPLETE"
        for each, minutes in (("START", number * 2), (kind, number * 2 + 1)):
            events.append(
                run_event(
                    each, minutes, f"job{number % 2}", run=str(number), inputs=(read, "/c"),
                    outputs=(told("/a" if number % 4 else "/b", version, None),),
                )
            )  # fmt: skip
    return events


def test_versions_of_a_long_history_are_the_same_on_each_database(ledger: Ledger) -> None:
    ledger.append_all(story(60))
    catch_up(ledger.database)
    with ledger.database.read() as connection:
        compare(connection)


def test_versions_that_are_all_called_the_same_are_told_apart_by_time(ledger: Ledger) -> None:
    events = [
        run_event(
            "COMPLETE", number, "job", run=str(number), inputs=(told("/b", "1", None),),
            outputs=(told("/b", "1", None),),
        )
        for number in range(30)
    ]  # fmt: skip
    ledger.append_all(events)
    catch_up(ledger.database)
    with ledger.database.read() as connection:
        compare(connection)


def test_what_an_answer_reads_does_not_grow_with_the_history(tmp_path: Path) -> None:
    costs = {}
    for runs in (40, 400):
        with Ledger.open(f"sqlite:///{tmp_path}/{runs}.db") as ledger:
            ledger.append_all(story(runs))
            catch_up(ledger.database)
            with ledger.database.read() as connection:
                costs[runs] = _cost(connection)
    few, many = costs[40], costs[400]
    assert many < 1.5 * few, costs


def _cost(connection: Connection) -> int:
    """Instructions of SQLite's machine for the newest versions of all and those that a run read."""
    catalog, versions = Catalog(connection), Versions(connection)
    numbers, _ = catalog.dataset_ids(limit=100)
    run = catalog.runs(limit=1)[0]
    reads = [(run, use) for use in catalog.uses(tellers=[run.teller], role="IN")]
    done = count()
    raw: Any = connection.connection.driver_connection
    raw.set_progress_handler(lambda: next(done) and None, 1)
    versions.latest(numbers)
    versions.of(numbers[0], limit=5)
    versions.read_by(reads)
    raw.set_progress_handler(None, 0)
    return next(done)
