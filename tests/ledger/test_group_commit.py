"""Callers at once share a transaction; each is answered for its own events."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.event import listen, remove

from penstock.errors import InputError, LedgerError
from penstock.ledger import Ledger
from penstock.ledger.group_commit import GroupCommit
from penstock.ledger.verification import verify
from tests.ledger.told_events import run_event
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from pathlib import Path


def told(name: str) -> dict[str, Any]:
    return run_event("COMPLETE", 1, "job", run=name)


def test_each_gets_the_sequences_of_its_own_events(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        group = GroupCommit(ledger)

        def post(worker: int) -> list[tuple[str, int]]:
            found: list[tuple[str, int]] = []
            for number in range(20):
                names = [f"{worker}-{number}-{part}" for part in range(1 + number % 3)]
                found += zip(names, group.append_all([told(n) for n in names]), strict=True)
            return found

        with ThreadPoolExecutor(8) as pool:
            answered = [pair for pairs in pool.map(post, range(8)) for pair in pairs]
        stored = {e.sequence: e.payload["run"]["runId"] for e in ledger.events()}
        assert len(answered) == len(stored) == 8 * 39
        assert all(stored[s] == told(name)["run"]["runId"] for name, s in answered)
        assert verify(ledger.database).intact


def test_a_bad_event_is_its_senders_alone(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        group, begun = GroupCommit(ledger), threading.Barrier(2)

        def good() -> tuple[int, ...]:
            begun.wait()
            return group.append_all([told("good")])

        def bad() -> None:
            begun.wait()
            with pytest.raises(InputError):
                group.append_all([told("fine"), {**told("bad"), "eventTime": "yesterday"}])

        with ThreadPoolExecutor(2) as pool:
            sequences, refused = pool.submit(good), pool.submit(bad)
            refused.result()
            assert sequences.result() == (1,)
        assert len(ledger.events()) == 1


def test_what_fails_is_told_to_all_of_the_group_and_the_next_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with Ledger.open(url, busy_timeout_seconds=0.05) as ledger, Ledger.open(url) as other:
        group = GroupCommit(ledger)
        with other.database.write() as held:
            held.exec_driver_sql("SELECT 1")

            def post(number: int) -> str:
                try:
                    group.append_all([told(str(number))])
                except LedgerError as error:
                    return error.what
                return "stored"

            with ThreadPoolExecutor(4) as pool:
                assert set(pool.map(post, range(4))) == {"the ledger is locked by another process"}
        assert group.append_all([told("after")]) == (1,)


def test_when_the_writer_is_ended_all_whom_it_wrote_for_are_told_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        group, database = GroupCommit(ledger), ledger.database
        begun, ended = threading.Semaphore(0), threading.Event()

        def end_it(*_: Any) -> None:
            begun.release()
            # the ledger is written by one at a time: the others of the group wait meanwhile
            assert ended.wait(PATIENCE_SECONDS)
            raise SystemExit

        def post(number: int) -> str:
            try:
                group.append_all([told(str(number))])
            except LedgerError as error:
                return error.what
            except SystemExit:
                return "ended"
            return "stored"

        listen(database.engine, "before_cursor_execute", end_it)
        with ThreadPoolExecutor(4) as pool:
            first = pool.submit(post, 0)
            assert begun.acquire(timeout=PATIENCE_SECONDS)
            others = [pool.submit(post, number) for number in range(1, 4)]
            until(lambda: len(group._waiting) == 3, "three wait for the first")
            ended.set()
            assert first.result(PATIENCE_SECONDS) == "ended"
            told_of = sorted(other.result(PATIENCE_SECONDS) for other in others)
        remove(database.engine, "before_cursor_execute", end_it)
        # one of the three wrote for all of them, and was ended as well
        lost = "the thread that wrote was ended before it could say what came of it"
        assert told_of == ["ended", lost, lost]
        assert group.append_all([told("after")]) == (1,)
