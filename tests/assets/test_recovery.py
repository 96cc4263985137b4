"""The record of a run that could not tell its end itself is what an undisturbed one says."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock import Contract, Decimal, Overwrite, Pii, column, dataset, landing
from penstock.assets.file_statistics import keep_out_of_statistics
from penstock.assets.inputs.kind import Held
from penstock.assets.metadata import outcome_metadata
from penstock.assets.recovery import settle_dead_runs
from penstock.assets.resolve import resolve
from penstock.assets.slice import Slice
from penstock.events import ParentRun
from penstock.ledger import Ledger, Runner
from tests.assets.shop import (
    DAY,
    FILES,
    HEADER,
    VERSIONED,
    Shop,
    copied,
    loaded,
    merged,
    orders,
    versioned,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from penstock import Dataset
    from penstock.ledger import RunRecord
    from penstock.lineage.column_lineage import ColumnLineage, Origin

pytestmark = pytest.mark.slow

PARENT = ParentRun(run_id=uuid.uuid4(), job_name="nightly", job_namespace="penstock")


class Killed(BaseException):
    """What ends a run in the middle and is no Exception, as a signal is."""


def gone() -> Runner:
    """A process that has ended."""
    made = "from penstock.ledger import Runner; r = Runner.here(); print(r.pid, r.started)"
    said = subprocess.run(
        [sys.executable, "-c", made], capture_output=True, text=True, check=True
    ).stdout.split()
    return replace(Runner.here(), pid=int(said[0]), started=said[1])


def elsewhere() -> Runner:
    """A process of another host."""
    return replace(Runner.here(), host="another-host")


def break_off(shop: Shop, spec: Dataset, step: str, runner: Runner, **how: Any) -> RunRecord:
    """A run that ends after `step` without a word, and was carried by `runner`."""

    def on_step(name: str) -> None:
        if name == step:
            raise Killed

    with pytest.raises(Killed):
        shop.run(spec, on_step=on_step, **how)
    ledger = shop.runtime.ledger
    record = next(run for run in ledger.open_runs() if run.dataset == spec.name)
    return carried_by(ledger, record, runner)


def carried_by(ledger: Ledger, record: RunRecord, runner: Runner) -> RunRecord:
    """The run, open, as if `runner` had begun it a moment later."""
    start = dict(ledger.events(run_id=record.run_id, event_type="START")[-1].payload)
    start["eventTime"] = (record.last_event_time + timedelta(microseconds=1)).isoformat()
    ledger.append(start, runner=runner)
    found = ledger.run(record.run_id)
    assert found
    return found


def last_event(shop: Shop, spec: Dataset) -> dict[str, Any]:
    """What the newest event of the dataset says, but for its moments, folder and table ids."""
    event = shop.runtime.ledger.events(job=spec.name)[-1]
    text = json.dumps({**event.payload, "eventTime": ""}).replace(str(shop.path), "")
    for made in (orders, spec):
        if log := shop.runtime.lake.table(made.name).read():
            text = text.replace(log.table_id, made.name)
    if spec is copied:  # the id of the table it read is in its content, and so in the token
        text = text.replace(event.payload["run"]["facets"]["penstock_run"]["token"], "token")
    found: dict[str, Any] = json.loads(text)
    own = found["run"]["facets"]["penstock_run"]
    assert own["began"] <= event.payload["eventTime"]
    return found | {"run": _without(found["run"], "facets", "penstock_run", "began")}


def _without(told: dict[str, Any], *path: str) -> dict[str, Any]:
    first, *rest = path
    if rest:
        return {**told, first: _without(told[first], *rest)}
    return {name: value for name, value in told.items() if name != first}


@pytest.mark.parametrize(
    ("spec", "by"),
    [
        (orders, "settling"),
        (orders, "the next run"),
        (copied, "settling"),
        (loaded, "settling"),
        (versioned, "settling"),
    ],
)
def test_a_recovered_event_says_what_an_undisturbed_run_would(
    spark: SparkSession, tmp_path: Path, spec: Dataset, by: str
) -> None:
    shops = Shop.at(spark, tmp_path / "one"), Shop.at(spark, tmp_path / "other")
    how: dict[str, Any] = {"id": "nightly-1", "attempt": 2, "parent": PARENT}
    for shop in shops:
        lines = ("1,ink,1,2013-01-05", "2,pen,1,2013-01-05", "x,y,1,2013")
        header = VERSIONED if spec is versioned else HEADER
        shop.land("orders-2013-01-05.csv", *lines, header=header)
        if spec is copied:
            shop.run(orders, DAY, id="before")
    undisturbed, disturbed = shops
    undisturbed.run(spec, **how)
    # the next run settles dead runs first: only one whose process lives is left to it
    runner = gone() if by == "settling" else Runner.here()
    record = break_off(disturbed, spec, "committed", runner, **how)
    if by == "settling":
        settled = settle_dead_runs(disturbed.runtime)
        assert (settled.completed, settled.aborted) == ((record.run_id,), ())
    else:
        assert not disturbed.run(spec, id="another", attempt=1).committed
    expected = last_event(undisturbed, spec)
    assert last_event(disturbed, spec) == expected
    assert expected["inputs"]
    assert expected["run"]["facets"]["parent"]
    assert ("nominalTime" in expected["run"]["facets"]) is (spec is orders)
    assert "columnLineage" in expected["outputs"][0]["facets"]
    assert disturbed.states(spec) == ["COMPLETE"]


def test_a_recovered_event_without_a_start_says_what_the_commit_knows(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", "1,ink,1,2013-01-05", "2,pen,-1,2013-01-05")
    shop.run(orders)
    with Ledger.open(f"sqlite:///{shop.path / 'new.db'}") as ledger:
        fresh = replace(shop, runtime=replace(shop.runtime, ledger=ledger))
        outcome = fresh.run(orders)
        (event,) = ledger.events()
        record = ledger.run(outcome.run_id)
    told, facets = event.payload, event.payload["run"]["facets"]
    assert [item["name"] for item in told["inputs"]] == [f"{shop.path}/landing/orders"]
    assert facets["nominalTime"]["nominalStartTime"] == "2013-01-05T00:00:00+00:00"
    assert facets["penstock_run"]["quarantinedByRule"] == {"price:ge": 1}
    assert record
    assert (record.state, record.slice, record.outcome["rows_in"]) == ("COMPLETE", "2013-01-05", 2)


class Sent(Contract, name="bronze.loaded", version="1.1.0", owner="team:shop", cleared=[Pii.NAME]):
    """The last file that was sent, in which items are names of persons."""

    id: int = column(key=True)
    item: str = column(nullable=True, pii=Pii.NAME)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


def test_a_run_that_set_its_table_and_wrote_no_row_is_not_completed(shop: Shop) -> None:
    shop.land("orders-a.csv", "1,ink,1,2013-01-05")
    shop.run(loaded)
    sent = dataset(Sent, inputs={"raw": landing(FILES)}, write=Overwrite())(lambda raw: raw)

    def on_step(name: str) -> None:
        if name == "committing":
            raise Killed

    with pytest.raises(Killed):
        shop.run(sent, on_step=on_step)
    record = carried_by(shop.runtime.ledger, shop.runtime.ledger.runs(sent.name)[0], gone())
    with Held() as held:
        resolved = resolve(sent, Slice(), shop.runtime, held, shop.spark)
        keep_out_of_statistics(resolved, shop.spark, str(record.run_id))
    assert shop.version(sent) == 1
    settled = settle_dead_runs(shop.runtime)
    assert (settled.completed, settled.aborted) == ((), (record.run_id,))
    assert shop.run(sent).committed
    assert shop.version(sent) == 2


def test_a_stale_run_of_another_host_that_committed_is_completed(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", "1,ink,1,2013-01-05")
    done = break_off(shop, loaded, "committed", elsewhere())
    other = json.loads(json.dumps(dict(shop.runtime.ledger.events()[-1].payload)))
    other["run"]["runId"] = str(uuid.uuid4())
    shop.runtime.ledger.append(other, runner=elsewhere())
    assert settle_dead_runs(shop.runtime).completed == ()  # it may be at work
    later = replace(shop.runtime, clock=lambda: datetime.now(UTC) + timedelta(hours=1))
    settled = settle_dead_runs(later)
    assert (settled.completed, settled.aborted) == (
        (done.run_id,),
        (uuid.UUID(other["run"]["runId"]),),
    )
    assert settle_dead_runs(later) == type(settled)()


def test_a_run_whose_table_cannot_be_read_is_not_yet_judged(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", "1,ink,1,2013-01-05")
    record = break_off(shop, loaded, "committed", gone())
    log = Path(shop.runtime.lake.table(loaded.name).path, "_delta_log", f"{0:020}.json")
    whole = log.read_bytes()
    log.write_bytes(b"")
    settled = settle_dead_runs(shop.runtime)
    assert (settled.completed, settled.aborted) == ((), ())
    log.write_bytes(whole)
    assert settle_dead_runs(shop.runtime).completed == (record.run_id,)


def _origins(lineage: ColumnLineage | None) -> dict[str, set[Origin]]:
    assert lineage
    return {column: set(origins) for column, origins in lineage.fields.items()}


@pytest.mark.parametrize("spec", [orders, merged], ids=lambda s: s.name)
def test_a_run_that_finds_nothing_to_do_keeps_the_column_lineage(shop: Shop, spec: Dataset) -> None:
    shop.land("orders-2013-01-05.csv", "1,ink,1,2013-01-05")
    if spec is merged:
        shop.run(orders)
    first, again = shop.run(spec), shop.run(spec)
    assert (first.committed, again.committed) == (True, False)
    assert _origins(again.lineage) == _origins(first.lineage)
    assert again.lineage
    assert first.lineage
    assert set(again.lineage.dataset) == set(first.lineage.dataset)
    assert again.lineage.unknown == first.lineage.unknown
    shown = outcome_metadata(again)
    assert set(shown) == set(outcome_metadata(first))
    assert "dagster/column_lineage" in shown
