"""No table inside another: VACUUM of the outer one would delete the files of the inner one."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from penstock import Contract, Decimal, column, dataset, landing
from penstock.assets.agreement import refuse_nested_names
from penstock.assets.asset import definitions
from penstock.assets.deployment import Deployment
from penstock.errors import DefinitionError
from penstock.testing import temporary_lake
from tests.assets.shop import FILES, Shop, loaded

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from penstock import Dataset

pytestmark = pytest.mark.slow


class Line(Contract, name="bronze.loaded.lines", version="1.0.0", owner="team:shop"):
    """One line of an order, named as if it were a part of it."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


@dataset(Line, inputs={"raw": landing(FILES)})
def lines(raw: DataFrame) -> DataFrame:
    return raw


def foreign(place: Path) -> None:
    """A table that somebody else made."""
    place.mkdir(parents=True, exist_ok=True)
    write_deltalake(str(place), pa.table({"n": [1]}))


@pytest.mark.parametrize("specs", list(itertools.permutations([loaded, lines])))
def test_a_deployment_refuses_names_that_nest(specs: tuple[Dataset, ...]) -> None:
    resources: Any = dict.fromkeys(("lake", "ledger", "cluster"))
    for make in (
        lambda: Deployment(datasets=specs, resources=resources),
        lambda: definitions(specs, resources=resources),
    ):
        with pytest.raises(DefinitionError, match="inside that of another") as caught:
            make()
        assert caught.value.found == "bronze.loaded.lines lies inside bronze.loaded"


_name = st.lists(st.sampled_from(["a", "b", "ab", "a_b"]), min_size=2, max_size=4).map(".".join)


@given(st.lists(_name, max_size=5, unique=True))
def test_the_folders_of_names_that_pass_never_nest(names: list[str]) -> None:
    folders = [PurePosixPath(name.replace(".", "/")) for name in names]
    nest = any(one in other.parents for one in folders for other in folders)
    if nest:
        with pytest.raises(DefinitionError):
            refuse_nested_names(names)
    else:
        refuse_nested_names(names)


def test_a_run_makes_no_table_inside_another(shop: Shop) -> None:
    shop.land("orders-1.csv", "1,tea,1.00,2013-01-05")
    shop.run(loaded)
    with pytest.raises(DefinitionError, match="would lie inside another") as caught:
        shop.run(lines)
    assert caught.value.where == lines.name
    assert shop.version(lines) is None
    assert shop.states(lines) == ["FAIL"]


def test_a_run_makes_no_table_around_another(shop: Shop) -> None:
    shop.land("orders-1.csv", "1,tea,1.00,2013-01-05")
    shop.run(lines)
    with pytest.raises(DefinitionError, match="another table lies where") as caught:
        shop.run(loaded)
    assert str(caught.value.found).endswith("/bronze/loaded/lines")
    assert shop.version(loaded) is None
    # what was there before this was refused goes on
    shop.land("orders-2.csv", "2,jam,2.00,2013-01-05")
    assert shop.run(lines).table_rows == 2


def test_a_lake_inside_a_table_is_refused(shop: Shop, tmp_path: Path) -> None:
    foreign(tmp_path / "theirs")
    runtime = replace(temporary_lake(tmp_path / "theirs" / "ours"), ledger=shop.runtime.ledger)
    inner = Shop(spark=shop.spark, runtime=runtime, path=tmp_path / "theirs" / "ours")
    inner.land("orders-1.csv", "1,tea,1.00,2013-01-05")
    with pytest.raises(DefinitionError, match="would lie inside another") as caught:
        inner.run(loaded)
    assert caught.value.found == str(tmp_path / "theirs")


def test_a_quarantine_inside_a_table_is_refused(shop: Shop) -> None:
    foreign(Path(shop.runtime.lake.quarantine("bronze.loaded").path).parent)
    shop.land("orders-1.csv", "1,tea,1.00,2013-01-05", "2,jam,-1.00,2013-01-05")
    with pytest.raises(DefinitionError, match="would lie inside another") as caught:
        shop.run(loaded)
    assert str(caught.value.where) == "bronze.loaded (quarantine)"
    assert shop.version(loaded) is None
