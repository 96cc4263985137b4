"""What a table's log says, read without Spark."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from penstock.compaction.measure import measure
from penstock.errors import LakeError
from penstock.resources.table_log import TableLog

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "kanarienvogel"


def _write(path: Path, facts: dict[str, object] | str | None = None, rows: int = 1) -> None:
    text = json.dumps(facts) if isinstance(facts, dict) else facts
    properties = CommitProperties(custom_metadata={"userMetadata": text} if text else None)
    frame = pa.table({"id": pa.array(range(rows)), "item": [CANARY] * rows})
    write_deltalake(path, frame, mode="append", commit_properties=properties)


def _open(path: Path) -> TableLog | None:
    return TableLog.open(str(path), {}, "bronze.orders")


def test_there_is_no_log_where_there_is_no_table(tmp_path: Path) -> None:
    assert _open(tmp_path / "nowhere") is None
    (tmp_path / "empty").mkdir()
    assert _open(tmp_path / "empty") is None


def test_commits_come_newest_first_with_the_facts_that_are_ours(tmp_path: Path) -> None:
    _write(tmp_path, {"penstock": 1, "token": "a"})
    _write(tmp_path, "not json")
    _write(tmp_path, {"other": "tool"})
    _write(tmp_path, "[1]")
    _write(tmp_path, {"penstock": 1, "token": "b"}, rows=3)
    log = _open(tmp_path)
    assert log
    commits = list(log.commits())
    assert [c.version for c in commits] == [4, 3, 2, 1, 0]
    assert [c.facts and c.facts["token"] for c in commits] == ["b", None, None, None, "a"]
    assert all(c.at.tzinfo and c.changes_rows for c in commits)
    assert list(log.commits()) == commits
    assert (log.version, log.rows()) == (4, 7)
    assert log.files()[0] == 5


def test_nulls_are_those_of_one_commit_in_columns_that_every_file_counts(tmp_path: Path) -> None:
    nested = pa.array([{"city": None}, {"city": CANARY}, None])
    first = pa.table({"id": [1, None, 3], "item": [None, None, CANARY], "home": nested})
    write_deltalake(tmp_path, first)
    write_deltalake(tmp_path, first.slice(0, 1), mode="append")
    log = _open(tmp_path)
    assert log
    stored = [log.stored(version) for version in (0, 1)]
    assert all(stored)
    assert [commit.nulls(rows) for commit, rows in zip(stored, (3, 1), strict=True) if commit] == [
        {"home.city": 2, "id": 1, "item": 2},
        {"home.city": 1, "id": 0, "item": 1},
    ]
    # a file that holds more rows than were written, or nobody knows how many, counts others' too
    assert [commit.nulls(rows) for commit in stored for rows in (2, None) if commit] == [{}] * 4
    (tmp_path / "_delta_log" / f"{1:020}.json").unlink()
    assert log.stored(1) is None


def test_a_merge_of_delta_rs_does_not_say_how_many_rows_it_wrote(tmp_path: Path) -> None:
    _write(tmp_path, rows=2)
    merge = DeltaTable(tmp_path).merge(
        pa.table({"id": [1, 7], "item": [CANARY, CANARY]}), "t.id = s.id", "s", "t"
    )
    merge.when_matched_update_all().when_not_matched_insert_all().execute()
    log = _open(tmp_path)
    assert log
    commit = next(log.commits())
    assert (commit.operation, commit.changed_rows, commit.good_rows) == ("MERGE", None, None)


def test_a_long_history_is_whole(tmp_path: Path) -> None:
    for number in range(70):
        _write(tmp_path, {"penstock": 1, "token": str(number)})
    log = _open(tmp_path)
    assert log
    assert [c.version for c in log.commits()] == list(range(69, -1, -1))


def test_a_state_is_of_one_instant(tmp_path: Path) -> None:
    _write(tmp_path, {"penstock": 1, "token": "first"})
    _write(tmp_path, {"penstock": 1, "token": "second"})
    log = _open(tmp_path)
    _write(tmp_path, {"penstock": 1, "token": "later"})
    assert log
    assert log.version == 1
    assert [(c.version, c.facts and c.facts["token"]) for c in log.commits()] == [
        (1, "second"),
        (0, "first"),
    ]
    assert log.rows() == 2


def test_upkeep_changes_no_rows(tmp_path: Path) -> None:
    _write(tmp_path)
    _write(tmp_path)
    DeltaTable(tmp_path).optimize.compact()
    log = _open(tmp_path)
    assert log
    assert [c.changes_rows for c in log.commits()] == [False, True, True]


def test_types_are_called_as_spark_calls_them(tmp_path: Path) -> None:
    nested = pa.struct([("x", pa.int64()), ("y", pa.map_(pa.string(), pa.date32()))])
    schema = pa.schema(
        [
            ("a", pa.int64()),
            ("b", pa.int32()),
            ("c", pa.int16()),
            ("d", pa.int8()),
            ("e", pa.decimal128(10, 2)),
            ("f", pa.timestamp("us", "UTC")),
            ("g", pa.list_(nested)),
            pa.field("h", pa.string(), nullable=False),
        ]
    )
    write_deltalake(tmp_path, schema.empty_table())
    log = _open(tmp_path)
    assert log
    assert {c.name: c.type for c in log.columns()} == {
        "a": "bigint",
        "b": "int",
        "c": "smallint",
        "d": "tinyint",
        "e": "decimal(10,2)",
        "f": "timestamp",
        "g": "array<struct<x:bigint,y:map<string,date>>>",
        "h": "string",
    }
    assert [c.name for c in log.columns() if not c.nullable] == ["h"]


def _read_all(path: Path) -> None:
    log = _open(path)
    assert log
    list(log.commits())


@pytest.mark.parametrize("damage", ["cut", "zeroes", "one quote less", "gap"])
def test_a_damaged_log_is_told_without_quoting_it(tmp_path: Path, damage: str) -> None:
    for _ in range(3):
        _write(tmp_path)
    entry = tmp_path / "_delta_log" / "00000000000000000001.json"
    whole = entry.read_bytes()
    match damage:
        case "cut":
            entry.write_bytes(whole[: len(whole) // 2])
        case "zeroes":
            entry.write_bytes(b"\x00" * len(whole))
        case "one quote less":
            entry.write_bytes(whole.replace(b'"add"', b'"add', 1))
        case _:
            entry.unlink()
    with pytest.raises(LakeError, match="log cannot be read") as caught:
        _read_all(tmp_path)
    assert CANARY not in str(caught.value)
    assert caught.value.where == "bronze.orders"
    entry.write_bytes(whole)
    assert _open(tmp_path)


def test_a_table_of_a_catalog_is_told_as_that_and_not_as_damaged(tmp_path: Path) -> None:
    _write(tmp_path)
    newest = tmp_path / "_delta_log" / f"{1:020}.json"
    features = ["catalogManaged", "vacuumProtocolCheck"]
    actions = [
        {"commitInfo": {"timestamp": 1, "inCommitTimestamp": 1, "operation": "UPGRADE"}},
        {
            "protocol": {
                "minReaderVersion": 3,
                "minWriterVersion": 7,
                "readerFeatures": features,
                "writerFeatures": [*features, "inCommitTimestamp"],
            }
        },
    ]
    newest.write_text("\n".join(map(json.dumps, actions)) + "\n")
    for ask in (lambda: _open(tmp_path), lambda: measure(str(tmp_path))):
        with pytest.raises(LakeError, match="managed by a catalog") as caught:
            ask()
        assert "backup" not in str(caught.value)


def test_what_waits_for_a_catalog_in_the_log_s_folder_is_no_commit(tmp_path: Path) -> None:
    _write(tmp_path)
    staged = tmp_path / "_delta_log" / "_staged_commits"
    staged.mkdir()
    (staged / f"{1:020}.3a0d65cd-4056-49b8-937b-95f9e3ee90e5.json").write_text("")
    log = _open(tmp_path)
    assert log
    assert log.version == 0
    assert measure(str(tmp_path), expired_after_hours=168).tables_inside == ()
