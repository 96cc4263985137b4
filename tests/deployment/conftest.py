"""Literal rows and the demo's week as DataFrames with a contract's columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from penstock.schemas.contract import struct_of
from pipelines.data import DEMO_DAYS, unpack_flights, write_bookings

if TYPE_CHECKING:
    from pathlib import Path

    from penstock import Contract

Rows = Callable[..., DataFrame]
Landed = Callable[..., DataFrame]


@pytest.fixture(scope="session")
def rows(spark: SparkSession) -> Rows:
    """A frame of a contract's columns; what a row does not name is NULL."""

    def make(contract: type[Contract], *given: Mapping[str, Any]) -> DataFrame:
        names = struct_of(contract).names
        assert all(set(row) <= set(names) for row in given)
        return spark.createDataFrame(
            [tuple(row.get(name) for name in names) for row in given], struct_of(contract)
        )

    return make


@pytest.fixture(scope="session")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    unpack_flights(folder, DEMO_DAYS)
    write_bookings(folder, DEMO_DAYS, 13)
    return folder


@pytest.fixture(scope="session")
def landed(spark: SparkSession, landing: Path) -> Landed:
    """The files of a landing folder, with the contract's types; `derived` columns are not there."""

    def read(contract: type[Contract], folder: str, *, derived: str = "") -> DataFrame:
        fields = [field for field in struct_of(contract).fields if field.name != derived]
        return (
            spark.read.schema(T.StructType(fields))
            .options(header=True, nullValue="NA", escape='"')
            .csv(str(landing / folder / "*.csv"))
        )

    return read
