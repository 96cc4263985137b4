"""A run on a host that nobody can ask says itself that it is alive."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from penstock.events import DatasetRef, RunFacts, RunIdentity, run_id, start_event
from penstock.ledger import Ledger, Runner
from penstock.ledger.heartbeat import beating
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from penstock.ledger import Clock

pytestmark = pytest.mark.slow

RUN = run_id("dagster-run", "shop.orders", None, 1)
AT = datetime(2013, 1, 5, tzinfo=UTC)


class Ticks:
    """A clock that goes on by ten minutes whenever it is asked, and knows who asks."""

    def __init__(self) -> None:
        self.now = AT
        self.asked = threading.Condition()

    def __call__(self) -> datetime:
        with self.asked:
            self.now += timedelta(minutes=10)
            self.asked.notify_all()
            return self.now

    def wait_until(self, moment: datetime) -> None:
        with self.asked:
            assert self.asked.wait_for(lambda: self.now >= moment, timeout=PATIENCE_SECONDS)


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def ledger(tmp_path: Path, ticks: Clock) -> Iterator[Ledger]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", clock=ticks) as opened:
        facts = RunFacts(
            identity=RunIdentity(run_id=RUN, job_namespace="penstock", job_name="shop.orders"),
            output=DatasetRef.at("/lake/shop/orders", "shop.orders"),
        )
        elsewhere = replace(Runner.here(), host="another-host")
        opened.append(start_event(facts, at=AT), runner=elsewhere)
        yield opened


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == f"heartbeat-{RUN}"]


def _ends() -> None:
    # the run does not wait for one that is being written
    until(lambda: not _threads(), "the heartbeat ends with the run")


def test_a_run_that_beats_is_not_held_dead_however_long_it_takes(
    ledger: Ledger, ticks: Ticks
) -> None:
    with beating(ledger, RUN, every_seconds=0.001):
        ticks.wait_until(AT + timedelta(hours=2))
    _ends()
    last = ledger.run(RUN)
    assert last
    assert last.heartbeat
    assert last.heartbeat >= AT + timedelta(hours=1, minutes=40)
    assert ledger.close_dead_runs(last.heartbeat + timedelta(minutes=15)) == ()
    assert ledger.close_dead_runs(last.heartbeat + timedelta(minutes=16)) == (RUN,)


def test_the_error_of_the_run_passes_and_the_heartbeat_ends_with_it(ledger: Ledger) -> None:
    def run() -> None:
        with beating(ledger, RUN):
            assert len(_threads()) == 1
            raise ValueError("of the run")

    with pytest.raises(ValueError, match="of the run"):
        run()
    _ends()


def test_a_broken_ledger_is_logged_once_and_does_not_touch_the_run(
    ledger: Ledger, ticks: Ticks, caplog: pytest.LogCaptureFixture
) -> None:
    with ledger.database.write() as connection:
        connection.execute(text("ALTER TABLE run RENAME TO lost"))
    with beating(ledger, RUN, every_seconds=0.001):
        ticks.wait_until(ticks.now + timedelta(hours=1))
    _ends()
    assert caplog.text.count("no heartbeat in the ledger") == 1
