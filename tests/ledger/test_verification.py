"""A change, a gap, another order: whatever is done to the events is found, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, MetaData, Table, create_engine, insert, select

from penstock.errors import LedgerError
from penstock.ledger import Ledger, tables
from penstock.ledger.verification import ChainEnd, verify
from penstock.schemas.model import ColumnModel, ContractModel, Pii
from tests.ledger.test_ledger_schema import WITHOUT_THOSE_OF_CONTRACTS
from tests.ledger.told_events import run_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPACES = ("spark", "dbt", "spark", "spark", "dbt", "spark")


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    with Ledger.open(url) as ledger:
        for number, space in enumerate(SPACES):
            ledger.append(run_event("COMPLETE", number, f"job-{number}", namespace=space))
        yield ledger


LIFTED = {
    "sqlite": ("DROP TRIGGER event_no_update", "DROP TRIGGER event_no_delete"),
    "postgresql": ("DROP TRIGGER event_append_only ON event",),
}


def tamper(url: str, *statements: str) -> None:
    """As somebody who owns the database does it: without the triggers."""
    engine = create_engine(url)
    with engine.begin() as raw:
        for statement in (*LIFTED[engine.dialect.name], *statements):
            raw.exec_driver_sql(statement)
    engine.dispose()


def test_what_nobody_touched_is_intact(ledger: Ledger) -> None:
    found = verify(ledger.database)
    assert found.intact
    assert found.events == len(SPACES)
    assert {name: end.position for name, end in found.chains.items()} == {"spark": 4, "dbt": 2}


SWAP = (
    "UPDATE event SET sequence = -3 WHERE sequence = 3",
    "UPDATE event SET sequence = 3 WHERE sequence = 4",
    "UPDATE event SET sequence = 4 WHERE sequence = -3",
)
CASES = {
    "payload": ("UPDATE event SET payload = replace(payload, 'job-2', 'job-x') WHERE sequence=3",),
    # who reads the text takes the first of two keys, a parser the last
    "a key before its like": (
        """UPDATE event SET payload = '{"run":1,' || substr(payload, 2) WHERE sequence = 3""",
    ),
    "a column": ("UPDATE event SET event_type = 'FAIL' WHERE sequence = 3",),
    "the moment it arrived": (
        "UPDATE event SET recorded_at = '2001-01-01 00:00:00.000000' WHERE sequence = 3",
    ),
    "gone": ("DELETE FROM event WHERE sequence = 3",),
    "gone, the rest moved up": (
        "DELETE FROM event WHERE sequence = 3",
        "UPDATE event SET sequence = -(sequence - 1) WHERE sequence > 3",
        "UPDATE event SET sequence = -sequence WHERE sequence < 0",
        "UPDATE head SET sequence = 5",
    ),
    "the last gone": ("DELETE FROM event WHERE sequence = 6",),
    "the last gone, and the head moved": (
        "DELETE FROM event WHERE sequence = 6",
        "UPDATE head SET sequence = 5",
    ),
    "another order": SWAP,
    "another order within the chain": (
        *SWAP,
        "UPDATE event SET position = 5 - position WHERE sequence IN (3, 4)",
    ),
    "another namespace": ("UPDATE event SET namespace = 'dbt' WHERE sequence = 3",),
    "a link": ("UPDATE event SET link = '0' WHERE sequence = 3",),
    "the end of a chain": ("UPDATE chain SET link = '0' WHERE namespace = 'dbt'",),
    "a chain forgotten": ("DELETE FROM chain WHERE namespace = 'dbt'",),
    "no event at all": ("UPDATE event SET payload = '[' WHERE sequence = 3",),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_done_to_the_events_is_found(ledger: Ledger, url: str, case: str) -> None:
    tamper(url, *CASES[case])
    found = verify(ledger.database)
    assert not found.intact
    assert len(found.faults) <= 6
    if case in {
        "payload",
        "a key before its like",
        "a column",
        "the moment it arrived",
        "no event at all",
    }:
        assert {fault.sequence for fault in found.faults} == {3}


CONTRACT = ContractModel(
    name="silver.bookings",
    version="1.0.0",
    owner="bookings@example.com",
    description="Bookings",
    columns=(ColumnModel(name="email", type="string", pii=Pii.EMAIL),),
    cleared=frozenset({Pii.EMAIL}),
    freshness=timedelta(hours=36),
)
ALTERED = {
    "what it is cleared for": "document = replace(document, '[\"email\"]', '[]')",
    "a key before its like": "document = '{\"name\": 1, ' || substr(document, 2)",
    "the document, to none": "document = '{'",
    "another document": "document = '[]'",
    "the fingerprint": "fingerprint = '0'",
    "the name": "name = 'silver.others'",
    "the version": "version = '1.0.1'",
}


@pytest.mark.parametrize("case", ALTERED)
def test_a_contract_that_was_altered_is_found_and_not_read(
    ledger: Ledger, url: str, case: str
) -> None:
    ledger.register_contract(CONTRACT)
    ledger.register_contract(replace(CONTRACT, version="2.0.0"))
    whole = verify(ledger.database)
    assert whole.intact
    assert whole.contracts == 2
    engine = create_engine(url)
    with engine.begin() as raw:
        for statement in WITHOUT_THOSE_OF_CONTRACTS[engine.dialect.name]:
            raw.exec_driver_sql(statement)
        raw.exec_driver_sql(f"UPDATE contract SET {ALTERED[case]} WHERE id = 1")
        changed = raw.execute(select(tables.contract.c.name).where(tables.contract.c.id == 1))
        name = changed.scalar_one()
    engine.dispose()
    (fault,) = verify(ledger.database).faults
    assert "number 1" in fault.what
    with pytest.raises(LedgerError, match="not as it was registered") as caught:
        ledger.contracts(name)
    assert "penstock ledger verify" in caught.value.next_step
    assert ledger.latest_contract(CONTRACT.name) == replace(CONTRACT, version="2.0.0")


def test_a_chain_made_anew_is_found_by_a_link_kept_elsewhere(
    ledger: Ledger, tmp_path: Path
) -> None:
    kept = verify(ledger.database).chains
    ledger.append(run_event("COMPLETE", 9, "job-9"))
    assert verify(ledger.database, expected=kept).intact
    # the same events but one, appended again to a ledger that then takes the place of this one
    with Ledger.open(f"sqlite:///{tmp_path / 'other.db'}") as forged:
        for number, space in enumerate(SPACES):
            name = "job-x" if number == 2 else f"job-{number}"
            forged.append(run_event("COMPLETE", number, name, namespace=space))
        assert verify(forged.database).intact
        found = verify(forged.database, expected=kept)
        assert {fault.namespace for fault in found.faults} == {"spark", "dbt"}
    longer = {"spark": replace(kept["spark"], position=99), "new": ChainEnd(position=1, link="0")}
    assert len(verify(ledger.database, expected=longer).faults) == 2


def test_a_clock_that_goes_back_breaks_no_chain(url: str) -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=h) for h in (5, 1, 3, -9)]
    with Ledger.open(url, clock=lambda: moments.pop(0)) as ledger:
        for number in range(4):
            ledger.append(run_event("COMPLETE", number, "job", run=str(number)))
        assert [event.sequence for event in ledger.events()] == [1, 2, 3, 4]
        assert verify(ledger.database).intact


def test_an_old_ledger_is_linked_when_it_is_opened(url: str, tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config

    from penstock.ledger.database import LedgerDatabase
    from penstock.ledger.schema import MIGRATIONS

    events = [
        run_event("COMPLETE", n, "job", run=str(n), namespace=s) for n, s in enumerate(SPACES)
    ]
    with Ledger.open(f"sqlite:///{tmp_path / 'new.db'}") as new:
        new.append_all(events)
        rows = new.events()
        with new.database.read() as connection:
            kept = [dict(row) for row in connection.execute(select(tables.event)).mappings()]
    old_columns = [c for c in tables.event.c if c.name not in ("position", "link")]
    old_event = Table("event", MetaData(), *(Column(c.name, c.type) for c in old_columns))

    class Old(LedgerDatabase):
        def _migrate(self) -> None:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            with self.write() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "0001")
                values = [{c.name: row[c.name] for c in old_columns} for row in kept]
                connection.execute(insert(old_event), values)
                connection.exec_driver_sql("UPDATE head SET sequence = 6")

    Old.open(url, busy_timeout_seconds=5).close()
    with Ledger.open(url) as old:
        assert [event.payload for event in old.events()] == [event.payload for event in rows]
        found = verify(old.database)
        assert (found.events, found.faults) == (6, ())
        assert old.append(run_event("COMPLETE", 9, "job")) == 7
        assert verify(old.database).intact
        with pytest.raises(LedgerError, match="append-only"), old.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM event")
