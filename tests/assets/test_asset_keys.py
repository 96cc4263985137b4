"""What Dagster knows datasets and landing folders by."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Contract, Daily, Deployment, column, dataset, definitions, landing
from penstock.assets.metadata import asset_key, check_name
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

RESOURCES: dict[str, Any] = {"lake": None, "ledger": None, "cluster": None}
# what a folder's name may be, and what the code points in a key are written with
FOLDERS = st.lists(st.text("ab0x-_2. *{=ü/", min_size=1, max_size=8), min_size=1, max_size=4)


class Items(Contract, name="shop.items", version="1.0.0", owner="team:shop"):
    """What is sold."""

    id: int = column(key=True)
    day: date = column()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("silver.bookings", ["silver", "bookings"]),
        ("landing/bookings", ["landing", "bookings"]),
        ("landing/a/b_c-d", ["landing", "a", "b_c-d"]),
        ("landing/a.b", ["landing", "a.b"]),
        ("landing/day={day}", ["landing", "day-0x3d--0x7b-day-0x7d-"]),
        ("landing/über uns", ["landing", "-0xfc-ber-0x20-uns"]),
        ("landing/a-0x20-b", ["landing", "a-0x2d-0x20-b"]),
        ("landing/a 0x20-b", ["landing", "a-0x20-0x20-b"]),
        ("crm.übersicht", ["crm", "-0xfc-bersicht"]),
    ],
)
def test_a_key_is_the_name_in_letters_that_dagster_takes(name: str, key: list[str]) -> None:
    assert list(asset_key(name).path) == key


@given(folders=FOLDERS)
def test_no_two_folders_share_a_key(folders: list[str]) -> None:
    keys = {asset_key(f"landing/{folder}") for folder in folders}
    assert len(keys) == len(set(folders))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b/{day}.csv", "a_b/{day}.csv"),
        ("a=b/{day}.csv", "*/a-{day}.csv"),
        ("[ab]/{day}.csv", "ä/{day}.csv"),
        ("a.b/{day}.csv", "a/b/{day}.csv"),
        ("a-b/{day}.csv", "items-{day}.csv"),
        ("day={day}/{day}.csv", "{day}.csv"),
    ],
)
def test_dagster_takes_every_folder_of_landing(one: str, other: str) -> None:
    @dataset(
        Items,
        inputs={"one": landing(one), "other": landing(other)},
        partitions=Daily(column="day", start=date(2013, 1, 1)),
    )
    def items(one: DataFrame, other: DataFrame) -> DataFrame:
        return one.union(other)

    taken = definitions(
        [items], resources=RESOURCES, jobs=[dg.define_asset_job("night", "shop/items")]
    )
    dg.Definitions.validate_loadable(taken)
    assert len(taken.resolve_asset_graph().get(asset_key("shop.items")).parent_keys) == 2


def named(name: str, folder: str = "items") -> Any:
    class Named(Contract, name=name, version="1.0.0", owner="team:shop"):
        """What is sold."""

        id: int = column(key=True)

    @dataset(Named, inputs={"raw": landing(f"{folder}/*.csv")})
    def made(raw: DataFrame) -> DataFrame:
        return raw

    return made


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (named("shop.a__b"), named("shop.a.b")),
        (named("shop__a.b"), named("shop.a__b")),
        (named("landing.x", "y"), named("shop.x", "x")),
        (named("landing.x", "x"), named("shop.x", "y")),
    ],
)
def test_two_that_dagster_would_take_for_one_are_refused(one: Any, other: Any) -> None:
    with pytest.raises(DefinitionError, match="have one name in Dagster"):
        Deployment(datasets=(one, other), resources=RESOURCES)


def test_folders_are_no_steps() -> None:
    specs = [named("shop.a", "a__b"), named("shop.b", "a/b")]
    dg.Definitions.validate_loadable(definitions(specs, resources=RESOURCES))


NAMES = ["a:ge", "a_ge", "größe:ge", "gräße:ge", "gr__e:ge", "a:le", "key:unique", "contract"]


def test_rules_have_names_of_their_own() -> None:
    names = [check_name(rule) for rule in NAMES]
    assert all(name.isascii() and name.isidentifier() for name in names)
    assert [n for n in set(names) if names.count(n) > 1] == ["a_ge"]


def test_two_rules_that_dagster_would_take_for_one_are_refused() -> None:
    class Rules(
        Contract,
        name="shop.rules",
        version="1.0.0",
        owner="team:shop",
        rules={"a_ge": "rule_a > 1"},
    ):
        """Two rules that differ in the place of their colon."""

        rule_a: int = column(ge=0)

    @dataset(Rules, inputs={"raw": landing("a/*.csv")})
    def ruled(raw: DataFrame) -> DataFrame:
        return raw

    with pytest.raises(DefinitionError, match="rule:a_ge and rule_a:ge") as caught:
        Deployment(datasets=(ruled,), resources=RESOURCES)
    assert "contract Rules" in str(caught.value)
