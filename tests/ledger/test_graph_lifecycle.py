"""Datasets that are dropped, made again, and renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.dropped import dropped
from penstock.ledger.graph.projector import catch_up
from tests.ledger.told_events import dataset, run_event

if TYPE_CHECKING:
    from penstock.ledger import Ledger

pytestmark = pytest.mark.parametrize("order", ["in order", "reversed"])

WRITTEN = run_event("COMPLETE", 1, "job", run="1", outputs=("/d",))


def change(kind: str, minutes: int, name: str = "/d", before: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {"lifecycleStateChange": kind}
    if before:
        told["previousIdentifier"] = {"namespace": "file", "name": before}
    out = dataset(name, lifecycleStateChange=told)
    return run_event("COMPLETE", minutes, "ddl", run=f"{kind} {minutes}", outputs=(out,))


def tell(ledger: Ledger, order: str, *events: dict[str, Any]) -> None:
    for event in events if order == "in order" else reversed(events):
        ledger.append(event)
        catch_up(ledger.database)


def is_dropped(ledger: Ledger) -> bool:
    with ledger.database.read() as connection:
        catalog = Catalog(connection)
        number = catalog.dataset_id("file", "/d")
        assert number is not None
        return bool(dropped(connection, catalog.datasets([number]).values()))


def same(ledger: Ledger, *names: str) -> list[str]:
    """The name of the dataset that each name means."""
    with ledger.database.read() as connection:
        catalog = Catalog(connection)
        found = [catalog.dataset_id("file", name) for name in names]
        assert None not in found
        known = catalog.names([number for number in found if number is not None])
        return [known[number][1] for number in found if number is not None]


def test_a_dropped_dataset_is_no_more(ledger: Ledger, order: str) -> None:
    begun = {**change("DROP", 2), "eventType": "START"}
    tell(ledger, order, WRITTEN, begun, change("DROP", 3))
    assert is_dropped(ledger)


@pytest.mark.parametrize("kind", ["COMPLETE", "RUNNING"])
def test_one_that_is_written_after_it_is_there_again(ledger: Ledger, order: str, kind: str) -> None:
    tell(ledger, order, WRITTEN, change("DROP", 2), run_event(kind, 3, "job", outputs=("/d",)))
    assert not is_dropped(ledger)


def test_reading_it_or_failing_to_write_it_makes_it_not_again(ledger: Ledger, order: str) -> None:
    read = run_event("COMPLETE", 3, "read", inputs=("/d",))
    failed = run_event("FAIL", 4, "job", outputs=("/d",))
    tell(ledger, order, WRITTEN, change("DROP", 2), read, failed)
    assert is_dropped(ledger)


def test_dropped_anew_it_is_no_more(ledger: Ledger, order: str) -> None:
    again = run_event("COMPLETE", 3, "job", run="2", outputs=("/d",))
    tell(ledger, order, WRITTEN, change("DROP", 2), again, change("DROP", 4))
    assert is_dropped(ledger)


def test_a_renamed_dataset_is_the_one_it_was(ledger: Ledger, order: str) -> None:
    tell(ledger, order, WRITTEN, change("RENAME", 2, "/new", "/d"))
    assert same(ledger, "/d", "/new") == ["/new", "/new"]


def test_renamed_twice_it_is_still_the_one_it_was(ledger: Ledger, order: str) -> None:
    tell(
        ledger, order, WRITTEN, change("RENAME", 2, "/new", "/d"), change("RENAME", 3, "/z", "/new")
    )
    assert same(ledger, "/d", "/new", "/z") == ["/z", "/z", "/z"]


def test_what_is_made_under_the_old_name_after_that_is_another(ledger: Ledger, order: str) -> None:
    again = run_event("COMPLETE", 3, "job", run="2", outputs=("/d",))
    tell(ledger, order, WRITTEN, change("RENAME", 2, "/new", "/d"), again)
    assert same(ledger, "/d", "/new") == ["/d", "/new"]


def test_a_swap_of_two_tables_joins_what_took_the_name(ledger: Ledger, order: str) -> None:
    tell(
        ledger,
        order,
        WRITTEN,
        run_event("COMPLETE", 2, "job", run="2", outputs=("/staged",)),
        change("RENAME", 3, "/old", "/d"),
        change("RENAME", 4, "/d", "/staged"),
    )
    assert same(ledger, "/d", "/old", "/staged") == ["/d", "/old", "/d"]
