"""Every rule that can set a row aside says what it expects."""

from __future__ import annotations

import pytest

from penstock import Append, Contract, Decimal, ForeignKey, Merge, Warn, column, dataset, landing
from penstock.assets.row_rules import rule_ids
from penstock.assets.rule_words import rule_words
from pipelines.deployment import deployment


class Item(
    Contract,
    name="shop.items",
    version="1.0.0",
    owner="team:shop",
    rules={"sold_after_bought": "sold >= bought"},
    foreign_keys=[ForeignKey("kind", "shop.kinds", "id")],
):
    """One item."""

    id: int = column(key=True)
    kind: int = column(nullable=True)
    price: Decimal(8, 2) = column(ge=0)
    bought: int = column()
    sold: int = column(nullable=True)


FILES = {"raw": landing("items/*.csv", derived=["gone"])}


@pytest.mark.parametrize("spec", deployment.datasets, ids=lambda spec: spec.name)
def test_no_rule_is_without_words(spec: object) -> None:
    assert list(rule_words(spec)) == rule_ids(spec)  # type: ignore[arg-type]


def test_what_a_rule_expects() -> None:
    merged = dataset(Item, inputs=FILES, write=Merge(deletes="gone"))(lambda raw: raw)
    words = rule_words(merged)
    assert list(words) == rule_ids(merged)
    assert words["price:type"] == (
        "price as a number, at most 6 digits before the point and 2 behind it"
    )
    assert words["price:ge"] == "price >= 0"
    assert words["gone:not_null"] == "a value of gone"
    assert words["key:unique"] == "id that no other row of the run has"
    assert "kind that is in shop.kinds (id)" in words.values()
    assert "(sold >= bought)" in words.values()
    added = dataset(Item, inputs=FILES, write=Append(), bad_rows=Warn())(lambda raw: raw)
    assert rule_words(added)["key:in_table"] == "id that no row of the table has"
