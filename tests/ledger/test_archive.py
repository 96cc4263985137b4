"""Archived events are as they were: verified, read again, known; a damaged file is found."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner

from penstock.cli.app import app
from penstock.errors import LedgerError
from penstock.ledger import Ledger, Runner, tables
from penstock.ledger.archive import archive_events
from penstock.ledger.archived import archived_files
from penstock.ledger.event_reader import events_after
from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.projector import catch_up, rebuild
from penstock.ledger.verification import verify
from penstock.outbox import OutboxConfig, Relay
from tests.ledger.told_events import PRODUCER, dataset, lineage, moment, run_event, schema
from tests.ledger.told_events import identity as run_identity
from tests.outbox.told_endpoint import endpoint
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from penstock.ledger.archived import ArchivedFile

SPACES = ("spark", "dbt", "spark", "spark", "dbt")
COUNT = 20


def told(number: int) -> dict[str, Any]:
    made = dataset(f"/out-{number % 3}", columnLineage=lineage("/a.k > k", "/a.é ~ é"))
    return run_event(
        "COMPLETE",
        number,
        f"job-{number % 4}",
        run=f"run-{number}",
        inputs=(dataset("/a", schema=schema("k", "é")),),
        outputs=(made,),
        namespace=SPACES[number % len(SPACES)],
    )


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    arrivals = iter(range(10_000))
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with Ledger.open(url, clock=lambda: day + timedelta(hours=next(arrivals))) as ledger:
        for number in range(COUNT):
            ledger.append(told(number))
        yield ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def rows(ledger: Ledger) -> list[dict[str, Any]]:
    with ledger.database.read() as connection:
        return [dict(row) for row in events_after(connection, 0, 100_000)]


def live(ledger: Ledger) -> list[int]:
    return [event.sequence for event in ledger.events()]


def graph(ledger: Ledger) -> list[str]:
    with ledger.database.read() as connection:
        return graph_lines(connection)


def files(ledger: Ledger) -> tuple[ArchivedFile, ...]:
    with ledger.database.read() as connection:
        return archived_files(connection)


def test_what_is_archived_reads_as_before_and_the_chain_goes_on(
    ledger: Ledger, folder: Path
) -> None:
    far = {**told(50), "eventTime": "9998-12-30T23:59:59.999999+00:00"}
    old = {**told(51), "eventTime": "0002-01-02T00:00:00.000001+00:00"}
    job_event = {key: value for key, value in told(52).items() if key not in ("run", "eventType")}
    about = {
        "eventTime": moment(60),
        "producer": PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent",
        "dataset": dataset("/x", namespace="café\u2028\U0001d54f", schema=schema("a\0b")),
    }
    ledger.append_all([far, old, job_event, about])
    before, intact = rows(ledger), verify(ledger.database)
    report = archive_events(ledger, folder, before=24, file_events=10)
    assert (report.events, report.held_by) == (23, None)
    assert [(file.first, file.last) for file in report.files] == [(1, 10), (11, 20), (21, 23)]
    assert live(ledger) == [24]
    assert rows(ledger) == before
    found = verify(ledger.database)
    assert (found.faults, found.events, found.archived, found.files) == ((), 24, 23, 3)
    assert found.chains == intact.chains
    assert ledger.append(told(98)) == 25
    report = archive_events(ledger, folder, before=10**9)
    assert (report.events, live(ledger)) == (2, [])
    assert ledger.append(told(99)) == 26
    assert verify(ledger.database, expected=intact.chains).intact
    assert [row["sequence"] for row in rows(ledger)] == list(range(1, 27))


def test_the_files_are_parquet_with_every_column_compressed(ledger: Ledger, folder: Path) -> None:
    (file,) = archive_events(ledger, folder, before=11).files
    meta = pq.read_metadata(file.path)
    assert meta.num_rows == 10
    assert meta.row_group(0).column(0).compression == "ZSTD"
    assert meta.schema.names == [column.name for column in tables.event.c]


def test_any_part_of_the_archive_is_read_in_any_steps(ledger: Ledger, folder: Path) -> None:
    archive_events(ledger, folder, before=16, file_events=4)
    with ledger.database.read() as connection:
        for after in range(COUNT + 2):
            for limit in (1, 3, 4, 9, 100):
                found = [row["sequence"] for row in events_after(connection, after, limit)]
                assert found == list(range(after + 1, COUNT + 1))[:limit]


def test_nothing_is_moved_twice_and_nothing_when_there_is_nothing(
    ledger: Ledger, folder: Path
) -> None:
    assert archive_events(ledger, folder, before=11).events == 10
    assert archive_events(ledger, folder, before=11).files == ()
    assert archive_events(ledger, folder, before=3).files == ()
    assert sorted(path.suffix for path in folder.iterdir() if path.name != ".lock") == [".parquet"]


def test_before_a_moment_is_by_arrival_and_a_whole_prefix(url: str, folder: Path) -> None:
    hours = iter([1, 2, 9, 3, 4, 5])
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with Ledger.open(url, clock=lambda: day + timedelta(hours=next(hours))) as ledger:
        for number in range(6):
            ledger.append(told(number))
        report = archive_events(ledger, folder, before=day + timedelta(hours=6))
        # the third arrived too late, so what came after it stays too
        assert report.events == 2
        assert archive_events(ledger, folder, before=day + timedelta(hours=10)).events == 4
        with pytest.raises(ValueError, match="time zone"):
            archive_events(ledger, folder, before=datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_archived_event_sent_again_is_known(ledger: Ledger, folder: Path) -> None:
    archive_events(ledger, folder, before=11)
    assert ledger.append_all([told(3), told(77), told(15)]) == (4, 21, 16)
    assert [row["sequence"] for row in rows(ledger)] == list(range(1, 22))


@pytest.mark.parametrize(
    "statement", ["UPDATE event SET payload = '{}'", "DELETE FROM event WHERE sequence = 19"]
)
def test_the_database_refuses_changes_again_afterwards(
    ledger: Ledger, folder: Path, statement: str
) -> None:
    archive_events(ledger, folder, before=11)
    with pytest.raises(LedgerError, match="append-only"), ledger.database.write() as connection:
        connection.exec_driver_sql(statement)


def test_what_a_destination_was_not_told_stays(ledger: Ledger, folder: Path) -> None:
    with ledger.database.write() as connection:
        row = {"destination": "http://there", "cursor": 7, "attempts": 0}
        connection.execute(insert(tables.delivery).values(row))
    report = archive_events(ledger, folder, before=11)
    assert report.events == 7
    assert report.held_by == "http://there has been told events up to 7 only"


def test_an_open_run_of_ours_keeps_its_events_and_is_closed_as_ever(
    ledger: Ledger, folder: Path
) -> None:
    elsewhere = Runner(host="another-host", pid=1, started="x")
    ledger.append(run_event("START", 1, "open", run="open"), runner=elsewhere)
    ledger.append(told(88))
    ledger.append(run_event("START", 1, "others", run="somebody-elses"))
    report = archive_events(ledger, folder, before=1000)
    assert (report.events, live(ledger)) == (COUNT, [21, 22, 23])
    assert report.held_by == "the run that began with event 21 is open"
    assert len(ledger.close_dead_runs(datetime(2030, 1, 1, tzinfo=UTC))) == 1
    assert archive_events(ledger, folder, before=1000).events == 4


def test_a_new_destination_is_told_what_was_archived_and_parked_events_are_found(
    ledger: Ledger, folder: Path
) -> None:
    archive_events(ledger, folder, before=16, file_events=6)
    taken: list[str] = []
    with endpoint(taken, refused=run_identity("run-4")) as address:
        relay = Relay(ledger, OutboxConfig(url=address, timeout_seconds=PATIENCE_SECONDS))
        report = relay.run_once()
        assert (report.sent, report.parked) == (COUNT - 1, 1)
    assert taken == [run_identity(f"run-{n}") for n in range(COUNT) if n != 4]
    taken.clear()
    assert archive_events(ledger, folder, before=21).events == 5
    host_and_port = address
    with endpoint(taken, at=host_and_port):
        assert relay.resend_parked().sent == 1
    assert taken == [run_identity("run-4")]


def test_the_graph_is_made_anew_from_the_archive(ledger: Ledger, folder: Path) -> None:
    catch_up(ledger.database)
    before = graph(ledger)
    archive_events(ledger, folder, before=16, file_events=4)
    assert graph(ledger) == before
    assert rebuild(ledger.database) == COUNT
    assert graph(ledger) == before


def damage(path: Path, place: float) -> None:
    with path.open("r+b") as stream:
        stream.seek(int(place * (path.stat().st_size - 1)))
        byte = stream.read(1)
        stream.seek(-1, os.SEEK_CUR)
        stream.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("place", [0.0, 0.3, 0.6, 0.9, 1.0, None])
def test_a_file_that_was_changed_or_is_gone_is_named_and_the_graph_stays(
    ledger: Ledger, folder: Path, place: float | None
) -> None:
    archive_events(ledger, folder, before=13, file_events=6)
    assert rebuild(ledger.database) == COUNT
    before, second = graph(ledger), files(ledger)[1].path
    kept = second.read_bytes()
    if place is None:
        second.unlink()
    else:
        state = second.stat()
        damage(second, place)
        os.utime(second, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    found = verify(ledger.database)
    (fault,) = found.faults
    assert str(second) in fault.what
    assert (found.events, found.files) == (COUNT - 6, 1)
    with pytest.raises(LedgerError, match="archived events 7 to 12") as caught:
        rebuild(ledger.database)
    assert str(second) in str(caught.value)
    assert graph(ledger) == before
    assert ledger.append(told(70)) == 21
    assert catch_up(ledger.database) == 1
    second.write_bytes(kept)
    assert verify(ledger.database).intact
    assert rebuild(ledger.database) == 21


def test_a_file_made_anew_with_its_hash_is_found_by_the_chain(ledger: Ledger, folder: Path) -> None:
    archive_events(ledger, folder, before=13, file_events=6)
    first = files(ledger)[0]
    forged = pq.read_table(first.path).to_pylist()
    forged[2]["payload"] = forged[2]["payload"].replace("job-2", "job-x")
    import hashlib

    import pyarrow as pa

    pq.write_table(pa.Table.from_pylist(forged, schema=pq.read_schema(first.path)), first.path)
    digest = hashlib.sha256(first.path.read_bytes()).hexdigest()
    with ledger.database.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE archive SET sha256 = '{digest}' WHERE first_sequence = 1"
        )
    assert {fault.sequence for fault in verify(ledger.database).faults} == {3}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM archive WHERE first_sequence = 1",
        "DELETE FROM archive WHERE first_sequence = 7",
        "DELETE FROM archived_event WHERE sequence = 3",
        "UPDATE archive SET chains = '{}' WHERE first_sequence = 1",
        "UPDATE archive SET last_sequence = 5 WHERE first_sequence = 1",
    ],
)
def test_what_was_done_to_the_ledgers_word_of_its_archives_is_found(
    ledger: Ledger, folder: Path, statement: str
) -> None:
    archive_events(ledger, folder, before=13, file_events=6)
    with ledger.database.write() as connection:
        connection.exec_driver_sql(statement)
    assert not verify(ledger.database).intact


def test_events_that_were_tampered_with_are_not_archived(ledger: Ledger, folder: Path) -> None:
    with ledger.database.write() as connection:
        connection.exec_driver_sql("UPDATE chain SET link = link")  # takes the lock
        lifted = {
            "sqlite": "DROP TRIGGER event_no_update",
            "postgresql": "ALTER TABLE event DISABLE TRIGGER ALL",
        }
        connection.exec_driver_sql(lifted[connection.dialect.name])
        connection.exec_driver_sql("UPDATE event SET link = '0' WHERE sequence = 5")
    with pytest.raises(LedgerError, match="not as they were taken") as caught:
        archive_events(ledger, folder, before=13)
    assert "sequence 5" in str(caught.value)
    assert len(live(ledger)) == COUNT
    assert list(folder.glob("*.parquet")) == []


def test_a_folder_that_cannot_be_written_says_so(ledger: Ledger, folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(LedgerError, match="cannot be written"):
        archive_events(ledger, folder, before=13)
    assert len(live(ledger)) == COUNT


def test_two_at_once_do_not_meet(ledger: Ledger, folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    with (folder / ".lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LedgerError, match="another archive is being made"):
            archive_events(ledger, folder, before=13)
    assert archive_events(ledger, folder, before=13).events == 12
    # two ledgers may share a folder: the names differ
    with Ledger.open(f"sqlite:///{tmp_path}/other.db") as other:
        other.append(told(1))
        archive_events(other, folder, before=13)
        assert verify(other.database).intact
    assert verify(ledger.database).intact


def test_the_command_moves_verifies_and_names_a_damaged_file(
    ledger: Ledger, url: str, folder: Path
) -> None:
    def call(*arguments: str, code: int = 0) -> Any:
        result = CliRunner().invoke(app, ["ledger", *arguments, "--ledger", url, "--json"])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout)

    moved = call("archive", "--before", "2026-01-01T06:00", "--to", str(folder))
    assert (moved["events"], moved["held_by"]) == (6, None)
    assert call("archive", "--before", "9", "--to", str(folder))["events"] == 2
    said = call("verify")
    assert (said["intact"], said["archived"], said["archives"]) == (True, 8, 2)
    assert call("rebuild")["same"]
    damage(files(ledger)[0].path, 0.5)
    said = call("verify", code=3)
    assert moved["files"][0]["file"] in said["faults"][0]["what"]
    assert "archived events 1 to 6" in call("rebuild", code=10)["error"]["what"]
    call("archive", "--before", "yesterday", "--to", str(folder), code=3)


def test_the_rows_of_the_archive_are_those_of_the_files(ledger: Ledger, folder: Path) -> None:
    archive_events(ledger, folder, before=13, file_events=6)
    with ledger.database.read() as connection:
        kept = connection.execute(select(tables.archived_event)).all()
    assert sorted(row.sequence for row in kept) == list(range(1, 13))
    assert {row.payload_hash for row in kept} == {row["payload_hash"] for row in rows(ledger)[:12]}
