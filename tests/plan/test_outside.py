"""Readers that others told the ledger of: dashboards, models, jobs that write nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock.ledger.graph.projector import catch_up
from penstock.ledger.ledger import Ledger
from penstock.lineage.column_lineage import Subtype
from penstock.plan import Outside, read_outside
from penstock.plan.readers import Readers
from penstock.schemas.evolution.columns import Relaxed
from tests.ledger.told_events import dataset, lineage, run_event, symlinks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# as the deployment names them, and as the ledger knows them by a symlink
OURS = {"silver.a": ("penstock", "silver/a"), "silver.b": ("penstock", "silver/b")}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    found = Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield found
    found.close()


def told(ledger: Ledger, *events: dict[str, Any]) -> Outside:
    ledger.append_all(events)
    catch_up(ledger.database)
    with ledger.database.read() as connection:
        return read_outside(connection, OURS)


def own(name: str) -> dict[str, Any]:
    """One of the tables, by its place and the name that Penstock gives it."""
    return dataset(f"lake.{name}", symlinks=symlinks(("penstock", f"silver/{name}")))


def made(name: str, *edges: str, rows: tuple[str, ...] = ()) -> dict[str, Any]:
    return dataset(name, columnLineage=lineage(*edges, rows=rows))


def test_what_others_make_is_followed_as_far_as_they_tell(ledger: Ledger) -> None:
    found = told(
        ledger,
        run_event("COMPLETE", 0, "penstock", outputs=(own("a"), own("b"))),
        # one dataset of ours is made of the other: known from its function
        run_event(
            "COMPLETE",
            1,
            "own",
            inputs=(own("a"),),
            outputs=(dataset("lake.b", columnLineage=lineage("lake.a.x > y")),),
        ),
        run_event(
            "COMPLETE",
            2,
            "dbt",
            inputs=(own("a"),),
            outputs=(made("mart", "lake.a.x > m", rows=("lake.a.day",)),),
        ),
        run_event("COMPLETE", 3, "bi", inputs=("mart",), outputs=(made("board", "mart.m ~ n"),)),
    )
    assert sorted(found.lineages) == ["file|board", "file|mart"]
    (origin,) = found.lineages["file|mart"].fields["m"]
    assert (origin.dataset, origin.column, origin.masking) == ("silver.a", "x", False)
    assert found.lineages["file|mart"].dataset[0].subtype is Subtype.FILTER
    assert found.lineages["file|board"].fields["n"][0].masking
    readers = Readers(found.lineages, unknown=found.unknown)
    assert [(r.depth, r.dataset, r.column) for r in readers.of("silver.a", Relaxed(path="x"))] == [
        (1, "file|mart", "m"),
        (2, "file|board", "n"),
    ]
    assert readers.of("silver.b", Relaxed(path="y")) == ()
    assert not found.unknown


def test_who_tells_no_columns_may_read_all_of_them(ledger: Ledger) -> None:
    found = told(
        ledger,
        run_event("COMPLETE", 0, "penstock", outputs=(own("a"), own("b"))),
        run_event("COMPLETE", 1, "dashboard", inputs=(own("a"),)),
        run_event("COMPLETE", 2, "export", inputs=(own("b"),), outputs=("file.csv",)),
    )
    assert found.lineages == {}
    assert found.unknown == {
        "silver.a": frozenset({"job spark|dashboard"}),
        "silver.b": frozenset({"file|file.csv"}),
    }


def test_a_ledger_that_knows_nothing_has_no_readers(ledger: Ledger) -> None:
    assert told(ledger) == Outside()


def test_who_tells_columns_of_one_source_may_read_all_of_another(ledger: Ledger) -> None:
    found = told(
        ledger,
        run_event("COMPLETE", 0, "penstock", outputs=(own("a"), own("b"))),
        run_event(
            "COMPLETE",
            1,
            "dbt",
            inputs=(own("a"), own("b")),
            outputs=(made("mart", "lake.b.x > m"),),
        ),
    )
    assert sorted(found.lineages) == ["file|mart"]
    assert found.unknown == {"silver.a": frozenset({"file|mart"})}
