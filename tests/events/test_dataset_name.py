"""A folder is one dataset, with and without a slash at its end, whoever reads its bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock.events.name import LONGEST_NAME_BYTES, dataset_name
from penstock.ledger.graph.catalog import Catalog
from penstock.ledger.graph.projector import catch_up
from tests.ledger.asked import made_of
from tests.ledger.told_events import dataset, lineage, run_event, symlinks

if TYPE_CHECKING:
    from penstock.ledger import Ledger


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (("s3://bucket", "path/"), ("s3://bucket", "path")),
        (("s3a://bucket", "path"), ("s3://bucket", "path")),
        (("s3n://bucket", "path//"), ("s3://bucket", "path")),
        (("s3://bucket", "/"), ("s3://bucket", "/")),
        (("gs://bucket", "a/b/"), ("gs://bucket", "a/b")),
        (("abfss://box@account.dfs.core.windows.net", "a/"),
         ("abfss://box@account.dfs.core.windows.net", "a")),
        (("hdfs://name:8020", "/a/"), ("hdfs://name:8020", "/a")),
        (("file", "/lake/a/"), ("file", "/lake/a")),
        (("file://host", "/lake/a/"), ("file://host", "/lake/a")),
        # what is no folder is called as it is called
        (("postgres://host:5432", "db.public.a/"), ("postgres://host:5432", "db.public.a/")),
        (("files", "a/"), ("files", "a/")),
        (("s3a", "a/"), ("s3a", "a/")),
        (("s3://bucket", ""), None),
        (("s3://bucket", 7), None),
        (("file", "x" * (LONGEST_NAME_BYTES + 1)), None),
    ],
)  # fmt: skip
def test_names(told: tuple[Any, Any], known: tuple[str, str] | None) -> None:
    assert dataset_name(*told) == known
    if known:
        assert dataset_name(*known) == known


def test_lineage_goes_on_where_one_says_a_slash_and_another_none(ledger: Ledger) -> None:
    middle = dataset("/middle/", columnLineage=lineage("/in/.k > k"))
    other = dataset("/out", lineage={
        "inputs": [{"namespace": "file", "name": "/middle//", "type": "DATASET", "field": "k"}],
    })  # fmt: skip
    ledger.append(run_event("COMPLETE", 0, "one", inputs=("/in",), outputs=(middle,)))
    ledger.append(run_event("COMPLETE", 1, "two", inputs=("/middle",), outputs=(other,)))
    catch_up(ledger.database)
    assert made_of(ledger, 5, "/middle/") == made_of(ledger, 5, "/middle") == {"/in", "/in.k"}
    assert "/middle" in made_of(ledger, 5, "/out")
    with ledger.database.read() as connection:
        catalog = Catalog(connection)
        _, total = catalog.dataset_ids(limit=10)
        number = catalog.dataset_id("file", "/out")
        assert number is not None
        edges = catalog.edges(targets=[number], at=None)
        names = catalog.names({edge.source for edge in edges})
    assert total == 3
    assert set(names.values()) == {("file", "/middle")}


def test_another_name_may_have_a_slash_too(ledger: Ledger) -> None:
    names = symlinks(("s3a://bucket", "sales/"), ("s3://bucket", "sales"))
    table = dataset("shop.sales", namespace="hive://host:9083", symlinks=names)
    ledger.append(run_event("COMPLETE", 0, "one", outputs=(table,)))
    catch_up(ledger.database)
    with ledger.database.read() as connection:
        catalog = Catalog(connection)
        found = {
            catalog.dataset_id(*name)
            for name in (
                ("hive://host:9083", "shop.sales"),
                ("s3://bucket", "sales"),
                ("s3://bucket", "sales/"),
                ("s3a://bucket", "sales/"),
            )
        }
    assert len(found) == 1
    assert None not in found
