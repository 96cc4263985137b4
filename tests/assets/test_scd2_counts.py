"""What a run of a dataset that keeps versions says of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.assets.metadata import outcome_metadata
from tests.assets.shop import VERSIONED, versioned

if TYPE_CHECKING:
    from penstock import Outcome
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow


def test_the_rows_read_are_not_told_where_the_commit_cannot_know_them(shop: Shop) -> None:
    lines = ["1,ink,1,2013-01-01", "1,ink,1,2013-01-02", "2,pen,1,2013-01-01"]
    shop.land("orders-a.csv", *lines, header=VERSIONED)
    first = shop.run(versioned)
    _counted(shop, first, changed=2)  # three came, and one of them said nothing new
    shop.land("orders-a.csv", "1,cup,1,2013-01-09", header=VERSIONED)
    # one came: the merge was given its neighbour, too, and ends it
    _counted(shop, shop.run(versioned), changed=2)


def _counted(shop: Shop, outcome: Outcome, *, changed: int) -> None:
    assert outcome.committed
    assert (outcome.rows_in, outcome.rows_changed) == (None, changed)
    assert "rows_in" not in outcome_metadata(outcome)
    record = shop.runtime.ledger.run(outcome.run_id)
    assert record
    assert "rows_in" not in record.outcome
    assert record.outcome["rows_committed"] == changed
