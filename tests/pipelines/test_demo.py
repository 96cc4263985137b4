"""The demo, told twice over two of its days: all of it happens, and then nothing changes."""

from __future__ import annotations

import json
import os
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable

from penstock.resources.home import home
from pipelines.demo import chapters
from tests.forked import forked
from tests.pipelines.demo_job import tell_of_all, tell_twice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that has the jars and nothing else."""
    made = tmp_path_factory.mktemp("demo")
    for name in ("jars", "broker-jars"):
        there = home(cwd=ROOT) / name
        there.mkdir(exist_ok=True)
        (made / name).symlink_to(there)
    return made


def tell(how: Callable[[Path], None], folder: Path, **variables: str) -> Any:
    """What the telling left, in a process of its own."""
    ours = ("PENSTOCK_", "DAGSTER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    output, told = folder / "output", folder / "told.json"
    env = kept | {"PENSTOCK_HOME": str(folder)} | variables
    with forked(output, how, told, env=env, cwd=ROOT) as job:
        assert job.wait() == 0, output.read_text()
    return json.loads(told.read_text())


@pytest.fixture(scope="module")
def told(folder: Path) -> list[dict[str, Any]]:
    """Both tellings."""
    answer: list[dict[str, Any]] = tell(tell_twice, folder)
    return answer


def test_the_days_before_the_last_nights_are_filled_in_at_once() -> None:
    titles = [chapter.title for chapter in chapters((date(2013, 2, 7), date(2013, 2, 8)))]
    assert titles == [
        "Backfill 2013-02-07 to 2013-02-07",
        "Nightly 2013-02-08",
        "Masking",
        "Upkeep",
    ]


@pytest.mark.slow(seconds=200)
def test_told_again_it_finds_all_of_it_and_changes_nothing(told: list[dict[str, Any]]) -> None:
    first, second = (telling["document"] for telling in told)
    assert (first["unchanged"], second["unchanged"]) == (False, True)
    assert told[0]["versions"] == told[1]["versions"]
    assert None not in told[0]["versions"].values()
    assert [_numbers(story) for story in first["datasets"]] == [
        _numbers(story) for story in second["datasets"]
    ]
    assert all(story["runs_committed"] for story in first["datasets"])
    assert first["files_before_upkeep"] > first["files_after_upkeep"]
    assert second["files_before_upkeep"] == second["files_after_upkeep"]


def _numbers(story: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in story.items() if not name.startswith("runs_")}


@pytest.mark.slow(seconds=200)
def test_the_summary_says_all_that_came_of_it(told: list[dict[str, Any]]) -> None:
    document, shown = told[0]["document"], told[0]["shown"]
    assert all(heading in shown for heading in ("rows in", "committed", "set aside", "why"))
    for story in document["datasets"]:
        (line,) = (one for one in shown.splitlines() if one.startswith(f"{story['dataset']} "))
        for number in ("rows_in", "rows_committed", "rows_quarantined"):
            assert f"{story[number]:,}" in line
        for rule in list(story["quarantined_by_rule"])[:1]:
            assert rule in line
    assert any(story["rows_quarantined"] for story in document["datasets"])
    assert f"{document['lineage_events']:,} told now" in shown
    before, after = document["files_before_upkeep"], document["files_after_upkeep"]
    assert f"{before:,} files before upkeep, {after:,} after" in shown
    assert document["masked_columns"]
    for name, columns in document["masked_columns"].items():
        assert f"{name}: {', '.join(columns)}" in shown
    assert re.search(r"^seconds +\d+", shown, re.MULTILINE)
    assert "try next" in shown
    assert "quarantine show silver.bookings" in shown
    assert "Nothing had changed" not in shown
    assert "Nothing had changed" in told[1]["shown"]


@pytest.mark.slow(seconds=200)
def test_progress_is_shown_by_table_in_upkeep_and_by_line_elsewhere(
    told: list[dict[str, Any]],
) -> None:
    tables = len(told[0]["document"]["datasets"])
    assert f"{tables}/{tables}" in told[0]["live"]
    seen = {int(done) for done in re.findall(rf"(\d+)/{tables}\b", told[0]["live"])}
    assert len(seen) > 2
    for title in ("Starting Spark", "Nightly", "Masking", "Upkeep"):
        assert re.search(rf"^{title}.*: \d+\.\d s$", told[1]["progress"], re.MULTILINE)


@pytest.mark.slow(seconds=200)
def test_the_tables_are_the_same_of_whatever_source(
    told: list[dict[str, Any]], folder: Path
) -> None:
    # with the same keys, so that tokens are the same
    of_all = tell(
        tell_of_all, folder, PENSTOCK_SOURCES="all", PENSTOCK_SECRETS=str(folder / "secrets")
    )
    assert of_all["lake"] == str(folder / "all-sources" / "lake")
    assert "make demo SOURCES=all" in of_all["shown"]
    tables = [story["dataset"] for story in told[0]["document"]["datasets"]]
    for table in tables:
        one, other = (_rows(lake, table) for lake in (folder / "lake", Path(of_all["lake"])))
        assert one == other, table
        assert one
    arrived = {path.suffix for path in (folder / "all-sources" / "landing").glob("*/*")}
    assert arrived == {".csv", ".jsonl", ".parquet"}
    assert not (folder / "all-sources" / "landing" / "bookings").exists()
    assert not (folder / "all-sources" / "landing" / "airports").exists()


def _rows(lake: Path, table: str) -> list[str]:
    rows = DeltaTable(lake.joinpath(*table.split("."))).to_pyarrow_table().to_pylist()
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)
