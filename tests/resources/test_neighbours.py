"""One table inside another, on a local disk and on S3."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import boto3
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from penstock.errors import DefinitionError
from penstock.resources.neighbours import refuse_nested, table_around, tables_inside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Place = tuple[str, Mapping[str, str]]
    Make = Callable[[str], None]


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "local":
        return str(tmp_path), {}
    endpoint = request.getfixturevalue("s3")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    client: Any = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    bucket = f"lake-{tmp_path.name.replace('_', '-')}".lower()[:60].rstrip("-")
    client.create_bucket(Bucket=bucket)
    options = {
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_S3_ALLOW_UNSAFE_RENAME": "true",
    }
    return f"s3://{bucket}", options


@pytest.fixture
def make(place: Place) -> Make:
    root, options = place

    def written(name: str) -> None:
        write_deltalake(
            f"{root}/{name}", pa.table({"n": [1]}), storage_options=dict(options) or None
        )

    return written


def test_a_table_beside_others_is_nobodys_neighbour(place: Place, make: Make) -> None:
    root, options = place
    for name in ("shop/orders", "shop/orders_lines", "shop/order", "_quarantine/shop/orders"):
        make(name)
    assert table_around(f"{root}/shop/orders", options) is None
    assert tables_inside(f"{root}/shop/orders", options) == ()
    refuse_nested(f"{root}/shop/orders", options, "shop.orders")
    refuse_nested(f"{root}/shop/customers", options, "shop.customers")


def test_what_lies_inside_is_found_at_any_depth_and_not_what_lies_inside_that(
    place: Place, make: Make
) -> None:
    root, options = place
    for name in ("shop/orders/lines", "shop/orders/a/b=1/c", "shop/orders/lines/deeper"):
        make(name)
    assert tables_inside(f"{root}/shop/orders", options) == ("a/b=1/c", "lines")
    with pytest.raises(DefinitionError, match="another table lies where") as caught:
        refuse_nested(f"{root}/shop/orders", options, "shop.orders")
    assert caught.value.found == f"{root}/shop/orders/a/b=.../c, {root}/shop/orders/lines"


def test_the_nearest_table_around_is_found(place: Place, make: Make) -> None:
    root, options = place
    make("shop")
    make("shop/orders")
    assert table_around(f"{root}/shop/orders/x/lines", options) == f"{root}/shop/orders"
    assert table_around(f"{root}/shop/customers", options) == f"{root}/shop"
    with pytest.raises(DefinitionError, match="would lie inside another") as caught:
        refuse_nested(f"{root}/shop/customers", options, "shop.customers")
    assert "VACUUM" in caught.value.next_step


def test_asking_makes_no_folder(tmp_path: Path) -> None:
    assert tables_inside(str(tmp_path / "a" / "b"), {}) == ()
    assert table_around(str(tmp_path / "a" / "b"), {}) is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_above_that_may_not_be_looked_into_is_passed_over_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(place: str, **_: object) -> bool:
        if place.endswith("shop"):
            raise PermissionError("Forbidden")
        return place.endswith("lake")

    monkeypatch.setattr(DeltaTable, "is_deltatable", refuse)
    for name in ("lake", "lake/shop"):
        (tmp_path / name / "_delta_log").mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        assert table_around(f"{tmp_path}/lake/shop/orders", {}) == f"{tmp_path}/lake"
    assert f"place={tmp_path}/lake/shop reason='Forbidden'" in caplog.text
