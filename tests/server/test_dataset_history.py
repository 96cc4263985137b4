"""What the dataset page says of freshness, runs, files and quarantine: nothing that is not so."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from penstock.ledger import Ledger
from penstock.schemas.model import ColumnModel, ContractModel
from penstock.server import create_app
from tests.ledger.told_events import AT, dataset, identity, moment, run_event, symlinks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "silver.bookings"
ID = "file|/lake/silver/bookings"
HOUR, DAY = 60, 1440


class Told:
    """A ledger that is told of one dataset, and what its server says of it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.client = TestClient(create_app(ledger), base_url="http://127.0.0.1")

    def run(  # noqa: PLR0913 - one keyword for each fact of a run
        self,
        name: str,
        minutes: float,
        *,
        end: str | None = "COMPLETE",
        rows: int | None = None,
        kind: str = "DATASET",
        statistics: dict[str, Any] | None = None,
        nominal_end: str | None = None,
        upkeep: dict[str, Any] | None = None,
        alias: bool = False,
        group: str | None = None,
        **own: Any,
    ) -> None:
        """A run that ends at that minute; `own` are facts of `penstock_run`."""
        facets: dict[str, Any] = {"penstock_run": own} if own or rows is not None else {}
        if rows is not None:
            facets["penstock_run"]["rowsCommitted"] = rows
        if nominal_end:
            facets["nominalTime"] = {"nominalStartTime": moment(0), "nominalEndTime": nominal_end}
        if upkeep:
            facets["penstock_upkeep"] = upkeep
        if group:
            facets["spark_jobDetails"] = {"jobId": 1, "jobGroup": group}
        written = dataset("/lake/silver/bookings", symlinks=symlinks(("penstock", NAME)))
        if statistics:
            written["outputFacets"] = {"outputStatistics": statistics}
        outputs = (written, dataset(NAME, namespace="penstock")) if alias else (written,)
        job = "upkeep" if kind == "COMPACTION" else "bookings"
        told = [run_event("START", minutes - 1, job, run=name, outputs=outputs, run_facets=facets)]
        if end:
            told.append(run_event(end, minutes, job, run=name, outputs=outputs, run_facets=facets))
        for event in told:
            event["job"]["facets"] = {
                "jobType": {
                    "_producer": event["producer"],
                    "_schemaURL": event["schemaURL"],
                    "processingType": "BATCH",
                    "integration": "PENSTOCK",
                    "jobType": kind,
                }
            }
        answer = self.client.post("/api/v1/lineage", json=told)
        assert answer.status_code == 201, answer.text

    def promise(self, freshness: timedelta | None) -> None:
        columns = (ColumnModel(name="k", type="string", key=True),)
        self.ledger.register_contract(
            ContractModel(
                name=NAME,
                version="1.0.0",
                owner="team",
                description="",
                columns=columns,
                freshness=freshness,
            )
        )

    def get(self, path: str = "dataset", **query: Any) -> Any:
        answer = self.client.get(f"/api/penstock/v1/{path}", params={"id": ID, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fresh(self, minutes: float) -> Any:
        return self.get(at=moment(minutes))["freshness"]


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=lambda: AT) as ledger:
        yield Told(ledger)


@pytest.fixture
def told_on_both(url: str) -> Iterator[Told]:
    with Ledger.open(url, clock=lambda: AT) as ledger:
        yield Told(ledger)


def test_the_promise_is_kept_until_its_last_moment_and_then_late_by_what_is_over(
    told: Told,
) -> None:
    told.promise(timedelta(hours=1))
    told.run("one", 5, rows=3, slice="2026-01-01", nominal_end=moment(DAY))
    at = told.fresh(5 + HOUR)
    assert (at["verdict"], at["late_by_seconds"], at["promise_seconds"]) == ("fresh", None, 3600)
    assert (at["written"]["run_id"], at["written"]["rows"]) == (identity("one"), 3)
    assert (at["newest_slice"]["slice"], at["newest_slice"]["until"]) == (
        "2026-01-01",
        moment(DAY),
    )
    assert (at["contract_version"], at["age_seconds"]) == ("1.0.0", 3600)
    at = told.fresh(5 + HOUR + 2)
    assert (at["verdict"], at["late_by_seconds"]) == ("late", 120)


@pytest.mark.parametrize(
    ("later", "said"),
    [
        ({"end": "FAIL"}, {"failed_since": 1}),
        ({"end": "ABORT"}, {"failed_since": 1}),
        ({"end": None}, {"failed_since": 0}),
        ({"rows": 0}, {"unchanged": identity("later")}),
        ({"rows": 5, "committed": False}, {"unchanged": identity("later")}),
        ({"kind": "COMPACTION", "rows": None}, {"unchanged": None, "untold": None}),
        ({"end": "FAIL", "rows": 7}, {"failed_since": 1}),
    ],
)
def test_what_writes_no_row_makes_nothing_fresh(
    told: Told, later: dict[str, Any], said: dict[str, Any]
) -> None:
    told.promise(timedelta(hours=1))
    told.run("one", 5, rows=3)
    told.run("later", 3 * HOUR, **later)
    at = told.fresh(3 * HOUR)
    assert at["verdict"] == "late"
    assert at["written"]["run_id"] == identity("one")
    for name, value in said.items():
        found = at[name]["run_id"] if isinstance(at[name], dict) else at[name]
        assert found == value


def test_a_run_that_does_not_say_whether_it_wrote_is_no_proof(told: Told) -> None:
    told.promise(timedelta(hours=1))
    told.run("one", 5, rows=3)
    told.run("silent", 3 * HOUR)
    at = told.fresh(3 * HOUR)
    assert (at["verdict"], at["untold"]["run_id"]) == ("unproven", identity("silent"))
    assert at["late_by_seconds"] is None
    at = told.fresh(5 * HOUR)
    assert (at["verdict"], at["late_by_seconds"]) == ("late", 3600)


@pytest.mark.parametrize("statistics", [None, {"rowCount": 3}])
def test_a_query_that_sparks_listener_saw_of_a_run_is_no_writer_of_its_own(
    told: Told, statistics: dict[str, Any] | None
) -> None:
    told.promise(timedelta(hours=1))
    told.run("one", 5, rows=3, slice="1", rowsQuarantined=2)
    told.run("failed", 3 * HOUR, end="FAIL", attempt=1)
    for number, run in enumerate(("one", "failed")):
        group = identity(run).upper()
        told.run(f"query {run}", 3 * HOUR + number, group=group, statistics=statistics)
    at = told.fresh(3 * HOUR + 5)
    assert (at["verdict"], at["written"]["run_id"]) == ("late", identity("one"))
    assert (at["untold"], at["failed_since"], at["runs"]) == (None, 1, 2)
    history = told.get("dataset/history", limit=2)
    assert (history["runs"], history["complete"]) == (2, True)
    assert [run["run_id"] for run in history["files"]] == [identity("one")]
    found = history["quarantine"]
    assert (found["told"], found["untold"], found["rows_latest"]) == (1, 1, 2)


def test_a_job_group_makes_no_query_of_a_run_of_penstock_or_of_anothers(told: Told) -> None:
    told.run("spark", 5, statistics={"rowCount": 3}, group="nightly")
    told.run("beside", 6, statistics={"rowCount": 3}, group=identity("spark"))
    told.run("own", 7, rows=3, group=identity("own"))
    assert [run["run_id"] for run in told.get("dataset/history")["files"]] == [
        identity("own"),
        identity("beside"),
        identity("spark"),
    ]


def test_what_other_producers_count_is_proof_too(told: Told) -> None:
    told.run("spark", 5, statistics={"rowCount": 2})
    assert told.fresh(6)["written"]["rows"] == 2
    assert told.fresh(6)["verdict"] == "no_promise"


def test_nothing_is_fresh_by_what_comes_later_or_before_anybody_wrote(told: Told) -> None:
    told.promise(timedelta(hours=1))
    told.run("failed", 5, end="FAIL")
    told.run("one", 10, rows=3)
    assert told.fresh(9)["verdict"] == "never"
    assert told.fresh(10)["verdict"] == "fresh"
    # one that was at work then has written nothing then
    told.run("open", 3 * HOUR, end=None)
    told.run("ends", 4 * HOUR, rows=3)
    assert told.fresh(3 * HOUR + 59)["verdict"] == "late"


def test_an_old_slice_that_is_made_late_or_anew_makes_nothing_fresh(told: Told) -> None:
    told.promise(timedelta(days=2))
    told.run("new", 5 * DAY + HOUR, rows=3, slice="5", nominal_end=moment(5 * DAY))
    at = told.fresh(6 * DAY)
    assert (at["verdict"], at["as_of"], at["age_seconds"]) == ("fresh", moment(5 * DAY), 86400)
    told.run("old", 8 * DAY, rows=3, slice="2", nominal_end=moment(2 * DAY))
    told.run("again", 8 * DAY + 1, rows=3, slice="5", nominal_end=moment(5 * DAY))
    at = told.fresh(8 * DAY + 2)
    assert (at["verdict"], at["as_of"], at["late_by_seconds"]) == (
        *("late", moment(5 * DAY)),
        86400 + 120,
    )
    assert at["written"]["run_id"] == identity("again")
    # a slice that has not ended is as new as what wrote it
    told.run("open", 8 * DAY + 3, rows=3, slice="8", nominal_end=moment(9 * DAY))
    at = told.fresh(8 * DAY + 4)
    assert (at["verdict"], at["as_of"]) == ("fresh", moment(8 * DAY + 3))


def test_a_contract_promises_nothing_before_it_is_there(told: Told) -> None:
    told.run("one", -10, rows=3)
    told.promise(timedelta(hours=1))
    assert told.fresh(-5)["verdict"] == "no_promise"
    assert told.fresh(-5)["contract_version"] is None
    assert told.fresh(5)["verdict"] == "fresh"


def test_the_newest_slice_is_the_one_that_ends_last_not_the_one_written_last(told: Told) -> None:
    told.run("new", 5, rows=3, slice="2026-01-02")
    told.run("empty", 6, rows=0, slice="2026-01-03")
    told.run("old", 7, rows=3, slice="2025-12-01")
    found = told.fresh(8)["newest_slice"]
    assert (found["slice"], found["run_id"], found["until"]) == (
        "2026-01-02",
        identity("new"),
        None,
    )


def test_every_run_is_on_one_page_also_of_one_moment_and_under_two_names(
    told_on_both: Told,
) -> None:
    told = told_on_both
    told.run("twice", 1, rows=1, alias=True)
    for number in range(3):
        told.run(f"same {number}", 2, rows=1)
    told.run("last", 3, rows=1)
    seen: list[str] = []
    before = None
    while True:
        page = told.get("dataset/runs", limit=2, **({"before": before} if before else {}))
        seen += [run["run_id"] for run in page["runs"]]
        before = page["before"]
        if before is None:
            break
    everyone = {identity(n) for n in ("last", "same 0", "same 1", "same 2", "twice")}
    assert set(seen) == everyone
    assert seen[0] == identity("last")
    first = told.get()
    assert (len(first["runs"]), first["runs_before"]) == (5, None)
    for wrong in ("yesterday", "2026-01-01T00:00:00Z", "/x", "9999-12-31T23:59:59-14:00/x"):
        answer = told.client.get(
            "/api/penstock/v1/dataset/runs", params={"id": ID, "before": wrong}
        )
        assert answer.status_code == 422


def test_files_and_upkeep_are_what_the_runs_said_and_null_where_they_did_not(told: Told) -> None:
    told.run("one", 5, rows=3, statistics={"rowCount": 3, "size": 900, "fileCount": 4})
    told.run("silent", 6)
    told.run("failed", 7, end="FAIL", statistics={"fileCount": 9})
    facet = {
        "status": "done",
        "operations": ["OPTIMIZE"],
        "reasons": ["compact 1 of 1 partitions"],
        "before": {"files": 4, "bytes": 900, "expiredFiles": 0},
        "after": {"files": 1, "bytes": 700, "expiredFiles": 4},
    }
    statistics = {"size": 700, "fileCount": 1}
    told.run("kept", 8, kind="COMPACTION", upkeep=facet, statistics=statistics)
    told.run("older", 4, kind="COMPACTION", statistics=statistics)
    found = told.get("dataset/history")
    assert [(f["upkeep"], f["files_written"], f["bytes_written"]) for f in found["files"]] == [
        (True, 1, 700),
        (False, None, None),
        (False, 4, 900),
        (True, 1, 700),
    ]
    assert [f["outcome"] for f in found["files"]] == ["untold", "untold", "rows", "untold"]
    new, old = found["upkeep"]
    assert (new["status"], new["reasons"], new["operations"]) == (
        "done",
        facet["reasons"],
        ["OPTIMIZE"],
    )
    assert (new["before"]["files"], new["after"]["files"]) == (4, 1)
    assert new["after"]["expired_files"] == 4
    assert (old["status"], old["reasons"], old["before"]) == (
        None,
        [],
        {"files": None, "bytes": None, "expired_files": None},
    )
    assert [run["run_id"] for run in told.get("dataset/history", limit=2)["files"]] == [
        identity("kept")
    ]
    assert told.get("dataset/history", limit=2)["complete"] is False
    assert told.get("dataset/history", limit=5)["complete"] is True


def test_quarantined_rows_are_counted_by_check_and_a_slice_made_anew_is_told_apart(
    told: Told,
) -> None:
    by = {"fare:ge": 2, "email:format": 1}
    told.run("one", 1, rows=9, slice="1", rowsQuarantined=3, quarantinedByRule=by)
    told.run("again", 2, rows=10, slice="1", rowsQuarantined=2, quarantinedByRule={"fare:ge": 2})
    told.run("two", 3, rows=12, slice="2", rowsQuarantined=0)
    told.run("failed", 4, end="FAIL", slice="2")
    told.run("kept", 5, kind="COMPACTION")
    found = told.get("dataset/history")["quarantine"]
    assert (found["rows"], found["rows_latest"]) == (5, 2)
    assert (found["told"], found["untold"]) == (3, 1)
    assert found["by_check"] == [
        {"check": "fare:ge", "rows": 4},
        {"check": "email:format", "rows": 1},
    ]
    assert [run["rows_quarantined"] for run in found["runs"]] == [None, 0, 2, 3]
    assert found["runs"][3]["by_check"] == by


@pytest.mark.parametrize(
    ("later", "rows", "latest"),
    [
        ({"slice": "1"}, 5, None),
        ({}, 5, None),
        ({"statistics": {"rowCount": 4}}, 5, None),
        ({"slice": "1", "end": "FAIL"}, 5, 5),
        ({"slice": "1", "rowsQuarantined": 1}, 6, 3),
        ({"kind": "COMPACTION"}, 5, 5),
    ],
)
def test_the_latest_run_of_a_slice_counts_also_when_it_says_nothing(
    told: Told, later: dict[str, Any], rows: int, latest: int | None
) -> None:
    told.run("one", 1, rows=9, slice="1", rowsQuarantined=3)
    told.run("two", 2, rows=9, slice="2", rowsQuarantined=2)
    told.run("later", 3, **later)
    found = told.get("dataset/history")["quarantine"]
    assert (found["rows"], found["rows_latest"]) == (rows, latest)
    # once the slice is made anew by one that says it, it is known again
    if later.get("slice"):
        told.run("anew", 4, rows=9, slice="1", rowsQuarantined=7)
        assert told.get("dataset/history")["quarantine"]["rows_latest"] == 9


def test_facets_that_make_no_sense_are_as_if_they_were_not_told(told: Told) -> None:
    told.run(
        "odd",
        1,
        slice=7,
        rowsCommitted=True,
        rowsQuarantined=-4,
        quarantinedByRule={"fare:ge": "many", "ok": 1},
        statistics={"rowCount": "x", "size": None, "fileCount": -1},
        upkeep={"reasons": 3, "before": [], "operations": [1]},
        kind="COMPACTION",
    )
    found = told.get("dataset/history")
    assert found["files"][0]["files_written"] is None
    assert found["upkeep"][0]["reasons"] == found["upkeep"][0]["operations"] == []
    assert found["quarantine"]["runs"] == []
    assert told.get()["freshness"]["verdict"] == "never"
