"""What is remembered of a log says what reading all of it says, whatever happened to either."""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Slice
from penstock.assets.past import Past, may_write
from penstock.errors import ConflictError, LakeError
from penstock.ledger import Ledger
from penstock.resources.lake import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from penstock.resources.lake import Table
    from penstock.resources.table_commit import Commit
    from penstock.resources.table_log import TableLog

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SLICES = [
    Slice(),
    *(Slice.day(date(2013, 1, n)) for n in range(1, 5)),
    Slice.day(date(2013, 1, 2), date(2013, 1, 3)),
    Slice(values=("a",)),
    Slice(values=("A", "b")),
    replace(Slice.day(date(2013, 1, 2)), values=("a",)),
    replace(Slice.day(date(2013, 1, 2), date(2013, 1, 4)), values=("a", "b")),
]


class Log:
    """A Delta table whose commits change no file: its log alone, written as Spark writes it."""

    def __init__(self, table: Table, folder: Path, *, created: bool = True) -> None:
        """`created`: by a commit of its own; else the first run makes it."""
        self.table = table
        self.log = folder / "_delta_log"
        self.version = -1
        if created:
            self.restarted()

    def restarted(self) -> None:
        """The table is deleted and made anew."""
        shutil.rmtree(self.log, ignore_errors=True)
        self.version = -1
        self.commit({"operation": "CREATE TABLE"})

    def _made(self) -> tuple[Mapping[str, Any], ...]:
        self.log.mkdir(parents=True)
        column = {"name": "id", "type": "long", "nullable": True, "metadata": {}}
        schema = {"type": "struct", "fields": [column]}
        return (
            {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
            {
                "metaData": {
                    "id": str(uuid.uuid4()),
                    "format": {"provider": "parquet", "options": {}},
                    "schemaString": json.dumps(schema),
                    "partitionColumns": [],
                    "configuration": {"delta.logRetentionDuration": "interval 40 days"},
                }
            },
        )

    def commit(self, told: Mapping[str, Any], *actions: Mapping[str, Any]) -> None:
        self.version += 1
        actions = (*(self._made() if self.version == 0 else ()), *actions)
        at = int((BEGIN + timedelta(hours=self.version)).timestamp() * 1000)
        # no two commits of Spark's are alike
        own = {"txnId": str(uuid.uuid4()), "operationParameters": {}}
        info = {"commitInfo": {"timestamp": at, **own, **told}}
        lines = "\n".join(map(json.dumps, (info, *actions)))
        (self.log / "whole").write_text(lines + "\n")
        (self.log / "whole").rename(self.log / f"{self.version:020}.json")

    def run(
        self,
        slice_: Slice,
        column: str | None,
        inputs: Mapping[str, Any],
        write: str = "ReplaceSlice",
    ) -> None:
        facts = {
            "penstock": 1,
            "run_id": str(uuid.uuid4()),
            "write": write,
            "slice": slice_.document(),
            "slice_column": column if slice_.start else None,
            "slice_values_column": "of" if slice_.values else None,
            "slices_from": datetime(2013, 1, 2, tzinfo=UTC).isoformat(),
            "slices_to": None,
            "slices_of": ["a", "b"] if slice_.values else None,
            "inputs": inputs,
        }
        self.commit({"operation": "WRITE", "userMetadata": json.dumps(facts)})

    def restore(self, back: int) -> None:
        to = max(0, self.version - back)
        self.commit({"operation": "RESTORE", "operationParameters": {"version": str(to)}})


def _newest(
    log: TableLog, slice_: Slice, column: str | None, values_column: str | None = None
) -> Commit | None:
    for commit in log.commits():
        if not commit.changes_rows:
            continue
        facts = commit.facts
        if facts is None:
            return commit
        replaces = facts["write"] == "ReplaceSlice"
        cut = [
            facts[name] if replaces else None for name in ("slice_column", "slice_values_column")
        ]
        wanted = slice_
        if wanted.start and column and cut[0] != column:
            wanted = replace(wanted, start=None, end=None)
        if wanted.values and values_column and cut[1] != values_column:
            wanted = replace(wanted, values=())
        if wanted.overlaps(Slice.from_document(facts["slice"])):
            return commit
    return None


def _files(log: TableLog) -> Iterator[tuple[int, dict[str, Any]]]:
    for commit in log.commits_in_force():
        for item in ((commit.facts or {}).get("inputs") or {}).values():
            for file in (*item.get("files", ()), *item.get("copies", ())):
                yield commit.version, file


def _take(log: TableLog, name: str, dataset: str) -> Commit | None:
    for commit in log.commits_in_force():
        item = ((commit.facts or {}).get("inputs") or {}).get(name)
        if not item or item["dataset"] != dataset:
            continue
        # who read the whole table took all of it, who read a slice did not
        whole = "version" in item and (commit.facts or {})["slice"] is None
        if whole or "after" in item or "up_to" in item:
            return commit
    return None


def _compare(past: Past | None, log: TableLog | None) -> None:
    assert past
    assert log
    assert (past.log.version, past.table_id) == (log.version, log.table_id)
    for slice_ in SLICES:
        for column in (None, "day", "other"):
            for of in (None, "of", "another"):
                newest = past.newest(slice_, column, of)
                assert newest == _newest(log, slice_, column, of), (slice_, column, of)
                may = (c for c in log.commits() if may_write(c, slice_, column, of))
                assert newest == next(may, None), (slice_, column, of)
    for name in ("a", "b"):
        for dataset in ("x", "y"):
            assert past.newest_take(name, dataset) == _take(log, name, dataset)
    said = list(_files(log))
    known = past.files(names=[file["name"] for _, file in said])
    assert {file.identity for file in known} == {(f.get("day"), f["sha256"]) for _, f in said}
    last: dict[str, str] = {}
    for _, file in said:
        last.setdefault(file["name"], file["sha256"])
    assert {file.name: file.sha256 for file in known} == last
    for one in known:
        versions = [v for v, f in said if (f["name"], f["sha256"]) == (one.name, one.sha256)]
        assert one.version in versions
        assert one.said_at in {commit.at for commit in log.commits() if commit.version in versions}
    assert past.files(digests=[f["sha256"] for _, f in said]) == known
    ours = (c for c in log.commits_in_force() if c.changes_rows and c.facts)
    assert past.newest_of_ours() == next(ours, None)


FILES = st.lists(
    st.builds(
        lambda name, sha, day: {"name": name, "sha256": sha, **({"day": day} if day else {})},
        st.sampled_from("fgh"),
        st.sampled_from("123"),
        st.sampled_from([None, "2013-01-01"]),
    ),
    max_size=3,
    unique_by=lambda file: file["name"],
)
TABLES = st.dictionaries(
    st.sampled_from("ab"),
    st.fixed_dictionaries(
        {"dataset": st.sampled_from("xy"), "version": st.integers(0, 9)},
        optional={"after": st.integers(-1, 9)},
    ),
)
LANDED = st.fixed_dictionaries({"dataset": st.just("landing/f"), "files": FILES})
RUNS = st.tuples(
    st.just("run"),
    st.sampled_from(SLICES),
    st.sampled_from([None, "day", "other"]),
    st.builds(lambda tables, landed: {**tables, "files": landed}, TABLES, LANDED),
    st.sampled_from(["ReplaceSlice", "Merge"]),
)
STEPS = st.lists(
    st.one_of(
        RUNS,
        RUNS,
        st.tuples(st.sampled_from(["upkeep", "other", "look", "look elsewhere", "lost", "anew"])),
        st.tuples(st.just("restore"), st.integers(0, 6)),
    ),
    max_size=25,
)


@given(STEPS)
def test_the_past_is_what_the_log_says(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]
) -> None:
    folder = tmp_path_factory.mktemp("past")
    lake = Lake(root=str(folder), landing=str(folder))
    table = lake.table("orders")
    log = Log(table, folder / "orders")
    with (
        Ledger.open(f"sqlite:///{folder}/one.db") as one,
        Ledger.open(f"sqlite:///{folder}/two.db") as two,
    ):
        for step in (*steps, ("look",)):
            match step:
                case ("run", slice_, column, inputs, write):
                    log.run(slice_, column, inputs, write)
                case ("upkeep",):
                    log.commit({"operation": "OPTIMIZE"})
                case ("other",):
                    log.commit({"operation": "WRITE"})
                case ("restore", back):
                    log.restore(back)
                case ("lost",):
                    known = one.logs.known(table.uri)
                    if known:
                        _lose(one)
                case ("anew",):
                    log.restarted()
                case ("look" | "look elsewhere" as where,):
                    ledger = one if where == "look" else two
                    _compare(Past.of(table, ledger.logs), table.read())
    shutil.rmtree(folder)


PARTS = st.tuples(st.integers(1, 6), st.integers(0, 2), st.sets(st.sampled_from("ab"), min_size=1))


def _part(first: int, more: int, values: set[str]) -> Slice:
    days = Slice.day(date(2013, 1, first), date(2013, 1, first + more))
    return replace(days, values=tuple(sorted(values)))


@given(st.lists(PARTS, min_size=1, max_size=6), PARTS, st.booleans())
def test_gaps_are_the_days_and_values_of_which_no_run_was(
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[tuple[int, int, set[str]]],
    wanted: tuple[int, int, set[str]],
    by_value: bool,  # noqa: FBT001 - given
) -> None:
    folder = tmp_path_factory.mktemp("gaps")
    table = Lake(root=str(folder), landing=str(folder)).table("orders")
    log = Log(table, folder / "orders", created=False)
    for run in runs:
        log.run(_part(*run), "day", {})
    part = _part(*wanted)
    made = {(day, of) for run in runs for day in _part(*run).days() for of in run[2]}
    begins = date(2013, 1, 2)
    values = part.values if by_value else ("a", "b")
    missing = {
        (day, of) for day in part.days() for of in values if day >= begins and (day, of) not in made
    }
    with Ledger.open(f"sqlite:///{folder}/one.db") as ledger:
        past = Past.of(table, ledger.logs)
        assert past
        gaps = past.gaps(part if by_value else part.of_times(), "day", "of" if by_value else None)
        assert {(day, of) for gap in gaps for day in gap.days() for of in gap.values} == missing
        # of a column by which it is not cut nothing is known, nor after another writer
        assert past.gaps(part, "other", "of") == ()
        log.commit({"operation": "WRITE"})
        after = Past.of(table, ledger.logs)
        assert after
        assert after.gaps(part, "day", "of") == ()
    shutil.rmtree(folder)


def _lose(ledger: Ledger) -> None:
    with ledger.database.write() as connection:
        for name in ("log_commit", "log_take", "log_file", "log_index"):
            connection.exec_driver_sql(f"DELETE FROM {name}")


@pytest.fixture
def log(tmp_path: Path) -> Log:
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path))
    return Log(lake.table("orders"), tmp_path / "lake" / "orders")


def _opened(*_: Any, **__: Any) -> Any:
    message = "the table was opened"
    raise AssertionError(message)


def test_what_is_known_is_not_read_again(
    log: Log, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in SLICES[1:5]:
        log.run(day, "day", {})
    assert Past.of(log.table, ledger.logs)
    for version in range(4):  # of the past only what is asked for is needed
        (log.log / f"{version:020}.json").write_text("no commit")
    monkeypatch.setattr("penstock.resources.table_log.DeltaTable", _opened)
    past = Past.of(log.table, ledger.logs)
    assert past
    newest = past.newest(SLICES[4])
    assert newest
    assert newest.version == 4
    log.run(SLICES[1], "day", {})
    later = Past.of(log.table, ledger.logs)
    assert later
    assert later.newest(SLICES[1]) == later.log.commit(5)
    with pytest.raises(LakeError, match="log cannot be read"):
        later.newest(SLICES[3])


def test_what_has_left_the_log_is_no_longer_known(log: Log, ledger: Ledger) -> None:
    for day in SLICES[1:5]:
        log.run(
            day,
            "day",
            {"a": {"dataset": "x", "version": 1, "after": 0}} if day is SLICES[1] else {},
        )
    past = Past.of(log.table, ledger.logs)
    assert past
    assert past.newest(SLICES[1])
    for version in range(3):
        (log.log / f"{version:020}.json").unlink()
    past = Past.of(log.table, ledger.logs)
    assert past
    assert past.newest(SLICES[1]) is None
    assert past.newest_take("a", "x") is None
    assert past.newest(SLICES[3])


def test_an_emptied_commit_is_found_by_who_takes_it_in(log: Log, ledger: Ledger) -> None:
    log.run(SLICES[1], "day", {})
    assert Past.of(log.table, ledger.logs)
    log.run(SLICES[2], "day", {})
    (log.log / f"{log.version:020}.json").write_bytes(b"")
    with pytest.raises(LakeError, match="is an empty file"):
        Past.of(log.table, ledger.logs)


def test_a_property_that_changed_is_known(log: Log, ledger: Ledger) -> None:
    past = Past.of(log.table, ledger.logs)
    assert past
    assert past.log_kept() == timedelta(days=40)
    content = (log.log / f"{0:020}.json").read_text().splitlines()[2]
    metadata = json.loads(content.replace("interval 40 days", "interval 3 weeks"))
    log.commit({"operation": "SET TBLPROPERTIES"}, metadata)
    past = Past.of(log.table, ledger.logs)
    assert past
    assert past.log_kept() == timedelta(days=21)
    odd = json.loads(content.replace("interval 40 days", "interval 1 fortnight"))
    log.commit({"operation": "SET TBLPROPERTIES"}, odd)
    past = Past.of(log.table, ledger.logs)
    assert past
    assert past.log_kept() == timedelta(0)


def test_drivers_that_look_at_once_know_the_same(log: Log, ledger: Ledger) -> None:
    stop = threading.Event()
    failed: list[BaseException] = []
    looked: list[int] = []

    def looks() -> None:
        try:
            while not stop.is_set():
                past = Past.of(log.table, ledger.logs)
                assert past
                try:
                    found = past.newest()
                except ConflictError:
                    continue  # a RESTORE had it made anew, and a run is told to begin again
                assert found is None or found.version <= past.log.version
                looked.append(past.log.version)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=looks) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(40):
        log.run(SLICES[1 + number % 4], "day", {"f": {"dataset": "x", "files": []}})
        if number % 13 == 12:
            log.restore(2)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failed, failed
    assert looked
    _compare(Past.of(log.table, ledger.logs), log.table.read())


def test_a_table_that_was_removed_is_none(log: Log, ledger: Ledger) -> None:
    log.run(SLICES[1], "day", {})
    assert Past.of(log.table, ledger.logs)
    shutil.rmtree(log.log.parent)
    assert Past.of(log.table, ledger.logs) is None
    log.restarted()
    past = Past.of(log.table, ledger.logs)
    assert past
    assert past.log.version == 0
