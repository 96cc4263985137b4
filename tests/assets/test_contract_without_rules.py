"""A contract that refuses no row: what cannot be read is set aside all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock import Contract, column, dataset, landing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow


class Note(Contract, name="bronze.notes", version="1.0.0", owner="team:shop"):
    """Anything at all."""

    id: int = column(nullable=True)
    text: str = column(nullable=True)


@dataset(Note, inputs={"raw": landing("orders/notes.csv")})
def notes(raw: DataFrame) -> DataFrame:
    return raw


def test_a_malformed_line_is_counted_and_set_aside(shop: Shop) -> None:
    shop.land("notes.csv", "1,a", "2", ",", header="id,text")
    outcome = shop.run(notes)
    assert (outcome.rows_in, outcome.rows_quarantined) == (3, 1)
    assert dict(outcome.quarantined_by_rule) == {"csv:malformed": 1}
    assert shop.table(notes).count() == 2
