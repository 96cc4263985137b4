"""Penstock's runs seen by OpenLineage's listener: what they read and did not tell is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.evidence.coverage_report import coverage_report
from penstock.evidence.table_histories import TableHistories
from penstock.ledger import Ledger
from penstock.ledger.graph.projector import catch_up
from penstock.resources.home import home
from penstock.resources.ivy import resolve
from penstock.resources.jars import JarSet, parse_lock
from penstock.resources.lake import Lake
from tests.forked import forked
from tests.server import witnessed_job
from tests.server.serving import serving_process

HERE = Path(__file__).parent
PRICES = "secret.prices"
CLEAN = ("bronze.items", PRICES, "bronze.orders", "silver.merged", "silver.sold")
BESIDE = "shared.orders"
CURIOUS = ("silver.collected", "silver.streamed")


def report(folder: Path) -> dict[str, Any]:
    lake = Lake(root=str(folder / "lake"), landing=str(folder / "landing"))
    histories = TableHistories(map(lake.table, (*CLEAN, BESIDE, *CURIOUS)))
    with Ledger.open(f"sqlite:///{folder / 'ledger.db'}") as ledger:
        catch_up(ledger.database)
        with ledger.database.read() as connection:
            return coverage_report(connection, histories).document()


@pytest.mark.slow(seconds=100)
def test_what_a_function_reads_on_the_side_is_found_and_nothing_else(tmp_path: Path) -> None:
    jars, lock = home() / "test-jars", parse_lock((HERE / "listener.lock").read_text())
    resolve(jars, (JarSet.DELTA,), lock=lock)
    jar, output = str(jars / lock.jars[0].file), tmp_path / "output"
    with (
        serving_process(tmp_path / "serve", f"sqlite:///{tmp_path / 'ledger.db'}") as server,
        forked(output, witnessed_job.main, tmp_path, server.url, jar) as job,
    ):
        assert job.wait() == 0, output.read_text()[-2000:]
    told = report(tmp_path)
    found = {item["label"]: item for item in told["datasets"]}
    assert {label: item["percent"] for label, item in found.items()} == dict.fromkeys(
        (*CLEAN, BESIDE, *CURIOUS), 100.0
    )
    assert not any(item["unknown_to_table"] for item in found.values())
    assert told["corroborated"] == told["runs"] == 10
    # a slice replaced, a merge, quarantine, a foreign key: all of it was declared
    assert {label: found[label]["undeclared_reads"] for label in CLEAN} == {n: [] for n in CLEAN}
    for label in CURIOUS:
        [read] = found[label]["undeclared_reads"]
        assert (read["label"], read["dataset"]) == (PRICES, f"file|{tmp_path}/lake/secret/prices")
    # it ran beside one that read on the side; a listener that lags does not say which of the two
    assert not any(read["certain"] for read in found[BESIDE]["undeclared_reads"])
