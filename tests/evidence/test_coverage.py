"""Tables against the ledger: real Delta logs, events that are true, false or missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import LedgerError
from penstock.events.producer import PRODUCER
from penstock.evidence.coverage import Told, coverage, percent
from penstock.evidence.coverage_report import coverage_report
from penstock.evidence.table_histories import TableHistories
from penstock.ledger import Ledger
from penstock.ledger.archive import archive_events
from penstock.ledger.archived import archived_files
from penstock.ledger.graph.projector import catch_up
from penstock.resources.lake import Lake
from penstock.resources.table_commit import Commit
from penstock.server import create_app
from tests.ledger.told_events import (
    AT,
    dataset,
    identity,
    moment,
    run_event,
    schema,
    symlinks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "silver.bookings"


class Shop:
    """A lake with one table, and the ledger that is told of it, or not."""

    def __init__(self, root: Path, ledger: Ledger) -> None:
        self.lake = Lake(root=str(root / "lake"), landing=str(root))
        self.ledger = ledger
        self.histories = TableHistories([self.lake.table(NAME), self.lake.table("gold.totals")])
        self._minutes = 0

    def write(self, run: str | None = None, *, name: str = NAME, **more: Any) -> int:
        """A commit, with the facts of the run if there is one; gives its version."""
        metadata = {"userName": "eve"}
        if run:
            facts = {"penstock": 1, "run_id": identity(run), **more}
            metadata = {"userMetadata": json.dumps(facts)}
        uri = self.lake.table(name).uri
        properties = CommitProperties(custom_metadata=metadata)
        write_deltalake(uri, pa.table({"a": [1]}), mode="append", commit_properties=properties)
        return DeltaTable(uri).version()

    def tell(
        self,
        run: str,
        version: int | None,
        *,
        kind: str = "COMPLETE",
        producer: str = PRODUCER,
        inputs: tuple[Any, ...] = (),
        run_facets: dict[str, Any] | None = None,
    ) -> None:
        self._minutes += 1
        facets: dict[str, Any] = {"symlinks": symlinks(("shop", NAME))}
        if version is not None:
            facets["version"] = {"datasetVersion": str(version)}
        written = dataset(self.lake.table(NAME).uri, **facets)
        event = run_event(
            kind,
            self._minutes,
            NAME if producer == PRODUCER else "app.save",
            run=run,
            inputs=inputs,
            outputs=(written,),
            run_facets=run_facets or ({"penstock_run": {}} if producer == PRODUCER else None),
        )
        self.ledger.append({**event, "producer": producer})

    def query(self, name: str, *read: Any, group: str = "", at: float | None = None) -> None:
        """What OpenLineage's listener tells of a query, in the Spark `app-1`."""
        facets: dict[str, Any] = {
            "parent": {
                "run": {"runId": identity("application")},
                "job": {"namespace": "spark", "name": "app"},
            },
            "spark_applicationDetails": {"applicationId": "app-1"},
        }
        if group:
            facets["spark_jobDetails"] = {"jobId": 1, "jobGroup": identity(group)}
        minutes = self._minutes if at is None else at
        event = run_event("COMPLETE", minutes, "app.scan", run=name, inputs=read, run_facets=facets)
        self.ledger.append(event)

    def report(self, **more: Any) -> Any:
        catch_up(self.ledger.database)
        with self.ledger.database.read() as connection:
            return coverage_report(connection, self.histories, **more)

    def found(self) -> Any:
        return next(d.coverage for d in self.report().datasets if d.label == NAME)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    # not ledger.db: these events are told by hand and lack facets that Penstock's own have
    with Ledger.open(f"sqlite:///{tmp_path / 'told.db'}") as ledger:
        yield Shop(tmp_path, ledger)


def test_a_commit_that_no_run_told_of_is_listed_with_who_made_it(shop: Shop) -> None:
    shop.tell("one", shop.write("one"))
    shop.write()
    found = shop.found()
    assert (found.commits, found.governed) == (2, 1)
    [write] = found.ungoverned
    assert (write.version, write.operation, write.who) == (1, "WRITE", "eve")
    assert not found.whole
    assert shop.report().percent == 50.0


def test_the_program_stands_for_a_writer_without_a_name(shop: Shop) -> None:
    write_deltalake(shop.lake.table(NAME).uri, pa.table({"a": [1]}))
    shop.tell("other", None, kind="START")
    [write] = shop.found().ungoverned
    assert "delta-rs" in (write.who or "")


def test_a_run_that_the_ledger_has_no_complete_of_is_missing_there(shop: Shop) -> None:
    version = shop.write("one")
    shop.tell("one", version, kind="START")
    found = shop.found()
    assert [(w.version, w.run_id) for w in found.missing_in_ledger] == [(version, identity("one"))]
    assert (found.governed, found.ungoverned) == (0, ())
    shop.tell("one", version)
    assert shop.found().whole


def test_a_version_that_is_claimed_and_not_there_is_listed(shop: Shop) -> None:
    shop.tell("one", shop.write("one"))
    shop.tell("liar", 7)
    found = shop.found()
    assert [(c.version, c.run_id) for c in found.unknown_to_table] == [(7, identity("liar"))]
    assert found.whole


def test_a_claim_does_not_cover_what_another_wrote(shop: Shop) -> None:
    version = shop.write()
    shop.tell("liar", version)  # Penstock signs its commits, and this one is not signed
    found = shop.found()
    assert [w.version for w in found.ungoverned] == [version]
    assert [c.version for c in found.unknown_to_table] == [version]


def test_a_commit_that_bears_the_name_of_another_run_is_not_that_runs(shop: Shop) -> None:
    shop.tell("one", shop.write("one"))
    forged = shop.write("one")
    also = shop.write("one", upkeep="compaction")  # it says upkeep and writes rows
    assert [w.version for w in shop.found().ungoverned] == [forged, also]


def test_another_producer_covers_the_version_it_tells(shop: Shop) -> None:
    version = shop.write()
    shop.tell("spark", version, producer="https://example.com/spark")
    found = shop.found()
    assert found.whole
    assert not found.unknown_to_table


def test_compaction_is_governed_by_its_run(shop: Shop) -> None:
    shop.tell("one", shop.write("one"))
    shop.tell("two", shop.write("two"))
    facts = {"penstock": 1, "upkeep": "compaction", "run_id": identity("upkeep")}
    table = DeltaTable(shop.lake.table(NAME).uri)
    properties = CommitProperties(custom_metadata={"userMetadata": json.dumps(facts)})
    table.optimize.compact(commit_properties=properties)
    assert not shop.found().whole
    later = shop.write()
    shop.tell("upkeep", later)  # the version it left the table at; a writer came in between
    found = shop.found()
    assert [w.version for w in found.ungoverned] == [later]
    assert not found.unknown_to_table


def test_what_a_run_set_in_its_table_is_governed_and_its_claims_are_held_against_its_rows(
    shop: Shop,
) -> None:
    shop.write("one", token="1")
    note = json.dumps({"penstock": 1, "upkeep": "statistics", "run_id": identity("two")})
    DeltaTable(shop.lake.table(NAME).uri).alter.set_table_properties(
        {"delta.appendOnly": "false"},
        commit_properties=CommitProperties(custom_metadata={"userMetadata": note}),
    )
    shop.tell("one", 0)
    shop.tell("two", shop.write("two", token="2"))
    assert shop.found().whole
    shop.tell("two", 0)
    assert [claim.version for claim in shop.found().unknown_to_table] == [0]


def test_after_a_restore_and_after_a_table_was_made_anew(shop: Shop) -> None:
    for run in ("one", "two"):
        shop.tell(run, shop.write(run))
    DeltaTable(shop.lake.table(NAME).uri).restore(0)
    assert [w.operation for w in shop.found().ungoverned] == ["RESTORE"]
    import shutil

    shutil.rmtree(shop.lake.table(NAME).uri)
    assert [c.version for c in shop.found().unknown_to_table] == [0, 1]
    shop.write("three")
    assert [c.version for c in shop.found().unknown_to_table] == [0, 1]


def test_a_table_that_no_event_ever_named_is_listed(shop: Shop) -> None:
    shop.write(name="gold.totals")
    [totals] = [d for d in shop.report().datasets if d.label == "gold.totals"]
    assert (totals.coverage.commits, totals.coverage.governed) == (1, 0)
    assert totals.id.endswith("lake/gold/totals")


def test_a_table_outside_the_lake_is_never_read(shop: Shop, tmp_path: Path) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    write_deltalake(elsewhere, pa.table({"a": [1]}))
    shop.ledger.append(run_event("COMPLETE", 0, "x", outputs=(dataset(elsewhere),)))
    assert elsewhere not in str(shop.report().document())


def test_since_leaves_out_what_was_before(shop: Shop) -> None:
    shop.write()
    report = shop.report(since=datetime.now(UTC) + timedelta(hours=1))
    assert report.percent is None
    assert shop.report(since=datetime.now(UTC) - timedelta(hours=1)).percent == 0.0


def test_the_server_tells_it(shop: Shop) -> None:
    shop.tell("one", shop.write("one"))
    shop.write()
    app = create_app(shop.ledger, histories=shop.histories)
    client = TestClient(app, base_url="http://127.0.0.1")
    told = client.get("/api/penstock/v1/coverage").json()
    [mine] = [d for d in told["datasets"] if d["label"] == NAME]
    keys = {"id", "label", "commits", "governed", "percent", "ungoverned", "unknown_to_table"}
    keys |= {"missing_in_ledger", "by_day", "runs", "corroborated", "reads_by_day"}
    assert mine.keys() == keys | {"undeclared_reads"}
    assert (mine["runs"], mine["corroborated"], mine["undeclared_reads"]) == (1, 0, None)
    assert (told["runs"], told["corroborated"], told["undeclared_reads"]) == (1, 0, None)
    assert mine["ungoverned"][0].keys() == {"version", "at", "operation", "who"}
    assert mine["by_day"] == [{"day": mine["by_day"][0]["day"], "commits": 2, "governed": 1}]
    one = client.get("/api/penstock/v1/coverage", params={"id": mine["id"]}).json()
    assert one["datasets"] == [mine]
    late = client.get("/api/penstock/v1/coverage", params={"since": "2100-01-01T00:00:00Z"})
    assert late.json()["percent"] is None
    assert client.get("/api/penstock/v1/coverage", params={"id": "file|/no"}).status_code == 404


def test_what_was_archived_is_as_governed_as_before(shop: Shop, tmp_path: Path) -> None:
    shop.tell("one", shop.write("one"))
    shop.tell("two", shop.write("two"))
    archive_events(shop.ledger, tmp_path / "archive", before=2)
    assert shop.found().whole
    with shop.ledger.database.read() as connection:
        (file,) = archived_files(connection)
    file.path.unlink()
    # without it nobody knows what the ledger was told
    with pytest.raises(LedgerError, match="is not there"):
        shop.found()


def test_a_server_without_a_lake_says_so(shop: Shop) -> None:
    client = TestClient(create_app(shop.ledger), base_url="http://127.0.0.1")
    answer = client.get("/api/penstock/v1/coverage")
    assert answer.status_code == 501
    assert answer.json()["error"] == "the server was started without a lake"


def test_a_damaged_log_is_told_as_such(shop: Shop) -> None:
    from pathlib import Path

    shop.tell("one", shop.write("one"))
    log = Path(shop.lake.table(NAME).uri) / "_delta_log" / f"{0:020}.json"
    log.write_text("")
    app = create_app(shop.ledger, histories=shop.histories)
    client = TestClient(app, base_url="http://127.0.0.1")
    assert client.get("/api/penstock/v1/coverage").status_code == 503


def test_a_read_that_a_listener_saw_and_the_run_did_not_tell(shop: Shop) -> None:
    own = {"dataset": NAME, "attempt": 1, "sparkApplication": "app-1", "began": moment(0)}
    own["alsoReads"] = [{"namespace": "file", "name": "/lake/_quarantine"}]
    declared = dataset("/lake/fares", symlinks=symlinks(("shop", "bronze.fares")))
    shop.tell("one", shop.write("one"), inputs=(declared,), run_facets={"penstock_run": own})
    shop.tell("unseen", shop.write("unseen"), run_facets={"penstock_run": {"dataset": NAME}})
    rows: dict[str, Any] = {"schema": schema("email")}
    spark = {"spark_applicationDetails": {"applicationId": "app-1"}}
    shop.ledger.append(run_event("START", 0, "app", run="application", run_facets=spark))
    shop.query("q1", dataset("/lake/fares/_delta_log/0.json"), group="one")
    shop.query("q2", dataset("bronze.fares", namespace="shop", **rows), group="one")
    shop.query("q3", dataset(shop.lake.table(NAME).uri), dataset("/lake/_quarantine"), group="one")
    side = dataset("/lake/secret", **rows, symlinks=symlinks(("shop", "gold.secret")))
    shop.query("q4", side, group="one")
    shop.query("q5", dataset("/lake/iterated", **rows), at=0.5)
    shop.query("q6", dataset("/lake/later", **rows), at=9)
    told = shop.report().document()
    assert (told["runs"], told["corroborated"], told["undeclared_reads"]) == (2, 1, 2)
    [mine] = [d for d in told["datasets"] if d["label"] == NAME]
    assert mine["percent"] == 100.0
    listed = [
        (r["run_id"], r["dataset"], r["label"], r["certain"]) for r in mine["undeclared_reads"]
    ]
    assert listed == [
        (identity("one"), "file|/lake/iterated", "/lake/iterated", False),
        (identity("one"), "file|/lake/secret", "gold.secret", True),
    ]
    assert {by for r in mine["undeclared_reads"] for by in r["seen_by"]} == {"spark|app.scan"}
    later = shop.report(since=AT + timedelta(days=1)).document()
    assert (later["runs"], later["undeclared_reads"]) == (0, None)


def test_what_a_run_read_before_it_failed_is_listed_too(shop: Shop) -> None:
    shop.tell("one", shop.write("one"))
    shop.tell("lost", None, kind="FAIL")
    secret = dataset("/lake/secret", schema=schema("email"))
    shop.query("q", secret, group="lost")
    told = shop.report().document()
    assert (told["runs"], told["corroborated"], told["undeclared_reads"]) == (2, 1, 1)
    [mine] = [d for d in told["datasets"] if d["label"] == NAME]
    assert [read["run_id"] for read in mine["undeclared_reads"]] == [identity("lost")]
    assert mine["percent"] == 100.0


def test_a_query_of_a_run_is_no_second_writer_of_its_commit(shop: Shop) -> None:
    stranger = shop.write()
    facets = {"spark_jobDetails": {"jobId": 1, "jobGroup": identity("one")}}
    shop.tell("q1", stranger, producer="https://example.com/spark", run_facets=facets)
    assert shop.found().whole  # until somebody says that the group is a run
    version = shop.write("one")
    own = {"penstock_run": {"dataset": NAME, "attempt": 1}}
    shop.tell("one", version, run_facets=own)
    shop.tell("q2", version, producer="https://example.com/spark", run_facets=facets)
    found = shop.found()
    assert [write.version for write in found.ungoverned] == [stranger]
    assert (found.governed, found.unknown_to_table) == (1, ())


RUNS = st.one_of(st.none(), st.sampled_from("abc"))


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Commit], list[Told]]:
    runs = draw(st.lists(RUNS, max_size=8))
    commits = [
        Commit(
            version=version,
            at=AT + timedelta(hours=7 * version),
            operation=draw(st.sampled_from(["WRITE", "OPTIMIZE"])),
            metrics={},
            parameters={},
            only_adds=False,
            facts=None if run is None else {"penstock": 1, "run_id": run},
        )
        for version, run in enumerate(runs)
    ]
    told = st.builds(
        Told,
        run_id=RUNS,
        at=st.integers(0, 60).map(lambda hours: AT + timedelta(hours=hours)),
        version=st.one_of(st.none(), st.integers(0, 12)),
        signs=st.booleans(),
    )
    return commits, draw(st.lists(told, max_size=8))


@given(histories(), st.randoms(use_true_random=False))
def test_every_commit_is_of_one_kind_and_order_says_nothing(known: Any, random: Any) -> None:
    commits, told = known
    found = coverage(commits, told)
    ungoverned = {write.version for write in (*found.ungoverned, *found.missing_in_ledger)}
    assert found.commits == len(commits) == found.governed + len(ungoverned)
    assert sum(day.commits for day in found.by_day) == found.commits
    assert sum(day.governed for day in found.by_day) == found.governed
    assert ungoverned <= {commit.version for commit in commits}
    assert coverage(random.sample(commits, len(commits)), told[::-1]) == found
    more = coverage(commits, [*told, Told(run_id="d", at=AT, version=0, signs=False)])
    assert more.governed >= found.governed


@given(histories(), st.integers(0, 60))
def test_time_only_chooses_of_what_was_judged(known: Any, hours: int) -> None:
    commits, told = known
    moment = AT + timedelta(hours=hours)
    early = coverage(commits, told, until=moment - timedelta(microseconds=1))
    late = coverage(commits, told, since=moment)
    whole = coverage(commits, told)
    assert early.governed + late.governed == whole.governed
    assert {*early.ungoverned, *late.ungoverned} == {*whole.ungoverned}
    assert {*early.unknown_to_table, *late.unknown_to_table} == {*whole.unknown_to_table}


def test_what_the_log_has_forgotten_is_not_held_against_anybody(shop: Shop) -> None:
    for run in "abc":
        shop.tell(run, shop.write(run))
    commits = [c for c in shop.histories(*next(iter(shop.histories.tables))) or () if c.version]
    told = [Told(run_id=identity(r), at=AT, version=v, signs=True) for v, r in enumerate("abc")]
    found = coverage(commits, told)
    assert (found.commits, found.governed, found.unknown_to_table) == (2, 2, ())


def test_a_hundred_percent_is_said_of_all_alone() -> None:
    assert percent(99_999, 100_000) == 99.9
    assert percent(5, 5) == 100.0
    assert percent(0, 0) is None
