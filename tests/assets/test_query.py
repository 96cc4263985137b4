"""Rows of a PostgreSQL database: exactly those of one snapshot, or an error, or set aside."""

from __future__ import annotations

import decimal
import logging
import random
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from pyspark.sql.connect.session import SparkSession as ConnectSession

from penstock import (
    Append,
    Contract,
    Daily,
    Decimal,
    Deployment,
    Merge,
    Overwrite,
    Quarantine,
    ReplaceSlice,
    Scd2,
    Slice,
    column,
    dataset,
    query,
)
from penstock.assets.inputs.kind import Held
from penstock.assets.inputs.query import PinnedRows
from penstock.assets.resolve import resolve
from penstock.errors import DefinitionError, InputError, SecretError, SourceError
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.ports import LOOPBACK
from penstock.resources.postgres import Postgres
from penstock.resources.secrets import FileSecrets, SecretsResource
from penstock.resources.settings import Profile
from tests.assets.shop import Shop
from tests.patience import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from penstock import Dataset
    from tests.ledger.postgres import PostgresServer

pytestmark = pytest.mark.slow(seconds=60)

_exact = decimal.Decimal
PASSWORD = "open 'sesame' \\ 42"
READER = "reader"


class Order(Contract, name="bronze.sold", version="1.0.0", owner="team:shop"):
    """One order of the shop's own database."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column(ge=0)
    day: date = column()


class Loose(Contract, name="bronze.loose", version="1.0.0", owner="team:shop"):
    """The same, of which nobody knows whether it is there twice."""

    id: int = column()
    item: str = column(nullable=True)
    price: Decimal(10, 2) = column()
    day: date = column()


class Item(Contract, name="bronze.items", version="1.0.0", owner="team:shop"):
    """What was sold."""

    item: str = column()


class Kind(Contract, name="bronze.kinds", version="1.0.0", owner="team:shop"):
    """One value of each type."""

    id: int = column(key=True)
    text: str = column(nullable=True)
    whole: int = column(nullable=True)
    amount: Decimal(20, 4) = column(nullable=True)
    real: float = column(nullable=True)
    flag: bool = column(nullable=True)
    day: date = column(nullable=True)
    at: datetime = column(nullable=True)
    local: datetime = column(nullable=True)
    other: str = column(nullable=True)


class Version(Contract, name="silver.sold_versions", version="1.0.0", owner="team:shop"):
    """One state of an order."""

    id: int = column(key=True)
    item: str = column(nullable=True)
    since: datetime = column()
    until: datetime = column(nullable=True)
    is_current: bool = column()


WHOLE = query("public.orders", database="sales")
SPLIT = query("public.orders", database="sales", split_by="id", splits=3)
BY_DAY = query("public.orders", database="sales", slice_by="day")
NEW = query("public.orders", database="sales", watermark="seq")
AGAIN = query("public.orders", database="sales", watermark="seq", overlap=5)
KINDS = query("public.kinds", database="sales", names={"wert": "amount"})
VERSIONS = query(
    "public.orders",
    database="sales",
    watermark="changed",
    overlap=timedelta(hours=1),
    names={"changed": "since"},
    derived=["until", "is_current"],
)


def _same(raw: DataFrame) -> DataFrame:
    return raw


whole = dataset(Order, inputs={"raw": WHOLE}, write=Overwrite())(_same)
split = dataset(Order, inputs={"raw": SPLIT}, write=Overwrite())(_same)
by_day = dataset(
    Order,
    inputs={"raw": BY_DAY},
    partitions=Daily(column="day", start=date(2013, 1, 1)),
    write=ReplaceSlice(),
)(_same)
merged = dataset(Order, inputs={"raw": AGAIN}, write=Merge())(_same)
LISTED = Merge(missing="delete", max_missing=1.0)
listed = dataset(Order, inputs={"raw": WHOLE}, write=LISTED)(_same)
added = dataset(Loose, inputs={"raw": NEW}, write=Append())(_same)
KEPT = Scd2(valid_from="since", valid_to="until", keep_repeated=True)
versions = dataset(Version, inputs={"raw": VERSIONS}, write=KEPT)(_same)
kinds = dataset(Kind, inputs={"raw": KINDS}, bad_rows=Quarantine(max_fraction=1.0))(_same)


class Sales:
    """A shop and the database that it reads, whose owner changes it."""

    def __init__(self, shop: Shop, server: PostgresServer, name: str) -> None:
        self.shop = shop
        self.server = server
        self.name = name

    def change(self, *statements: str) -> None:
        self.server.execute(*statements, database=self.name)

    def postgres(self, **otherwise: Any) -> Postgres:
        here: dict[str, Any] = {"host": LOOPBACK, "port": self.server.port, "database": self.name}
        return Postgres(**(here | {"user": READER} | otherwise))

    def reading(self, **otherwise: Any) -> Shop:
        """The shop, whose runtime has the database otherwise."""
        runtime = replace(self.shop.runtime, sources={"sales": self.postgres(**otherwise)})
        return Shop(spark=self.shop.spark, runtime=runtime, path=self.shop.path)

    def rows(self, spec: Dataset) -> list[tuple[Any, ...]]:
        return sorted((tuple(row) for row in self.shop.table(spec).collect()), key=repr)

    def there(self, columns: str = "id, item, price, day") -> list[tuple[Any, ...]]:
        with closing(self.server.connect(self.name)) as connection:
            rows = connection.execute(f"SELECT {columns} FROM orders".encode()).fetchall()
        return sorted(rows, key=repr)


@pytest.fixture
def sales(spark: SparkSession, tmp_path: Path, postgres: PostgresServer) -> Iterator[Sales]:
    name = postgres.database()
    shop = Shop.at(spark, tmp_path)
    secrets = FileSecrets(tmp_path / "secrets")
    secrets.key("any")  # makes the folder
    _put_password(secrets, PASSWORD)
    found = Sales(shop, postgres, name)
    quoted = PASSWORD.replace("'", "''")
    found.change(
        f"DO $$ BEGIN CREATE ROLE {READER} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$",
        f"ALTER ROLE {READER} PASSWORD '{quoted}'",
        "CREATE TABLE orders (id bigint, item text, price numeric, day date, "
        "seq bigserial, changed timestamptz DEFAULT now())",
        f"GRANT SELECT ON orders TO {READER}",
        "INSERT INTO orders (id, item, price, day) "
        "SELECT n, 'item ' || n, n * 1.25, date '2013-01-05' + n % 3 FROM generate_series(1, 9) n",
    )
    runtime = replace(shop.runtime, secrets=secrets, sources={"sales": found.postgres()})
    found.shop = Shop(spark=spark, runtime=runtime, path=tmp_path)
    yield found
    postgres.drop(name)


def _put_password(secrets: FileSecrets, text: str) -> None:
    file = secrets.folder / "sales.password"
    file.touch(mode=0o600)
    file.write_text(f"{text}\n")


def test_a_table_is_what_the_database_was_and_nothing_is_done_where_it_is_the_same(
    sales: Sales,
) -> None:
    shop = sales.shop
    first = shop.run(whole)
    assert (first.committed, first.rows_in) == (True, 9)
    assert sales.rows(whole) == sales.there()
    assert not shop.run(whole).committed
    sales.change("UPDATE orders SET item = NULL WHERE id = 3", "DELETE FROM orders WHERE id = 4")
    assert shop.run(whole).committed
    assert sales.rows(whole) == sales.there()
    sales.change("UPDATE orders SET item = '' WHERE id = 3")  # an empty text is no NULL
    assert shop.run(whole).committed
    assert sales.rows(whole) == sales.there()
    # the same rows, stored anew and in another order
    sales.change(
        "CREATE TABLE t AS SELECT * FROM orders",
        "DELETE FROM orders",
        "INSERT INTO orders SELECT * FROM t ORDER BY id DESC",
    )
    assert not shop.run(whole).committed
    sales.change("DELETE FROM orders")
    assert shop.run(whole).committed
    assert sales.rows(whole) == []


@pytest.mark.parametrize("spec", [whole, split], ids=["one reader", "three"])
def test_all_is_of_one_snapshot_whatever_changes_meanwhile(sales: Sales, spec: Dataset) -> None:
    sales.change("INSERT INTO orders (id, item, price, day) VALUES (NULL, 'none', 1, '2013-01-05')")
    before = [row for row in sales.there() if row[0] is not None]

    def changed(step: str) -> None:
        sales.change(
            f"UPDATE orders SET id = id + 100, item = '{step}' WHERE id > 2",
            f"INSERT INTO orders (id, item, price, day) VALUES (7, '{step}', 1, '2013-01-05')",
            "DELETE FROM orders WHERE id = 1",
        )

    outcome = sales.shop.run(spec, on_step=changed)
    # a row without its key has the frame computed a second time
    assert (outcome.rows_in, outcome.quarantined_by_rule) == (10, {"id:not_null": 1})
    assert sales.rows(spec) == before


def test_every_type_is_exact_or_set_aside(sales: Sales) -> None:
    at = datetime(2013, 1, 5, 11, 30, 0, 123456, tzinfo=UTC)
    good: dict[int, tuple[Any, ...]] = {
        1: ("plain", -(2**63), _exact("12.5"), 0.1, True, date(2013, 1, 5), at, at, "7"),
        2: (
            "",
            2**63 - 1,
            _exact("9999999999999999.9999"),
            5e-324,
            False,
            date(1, 1, 1),
            at,
            at,
            "",
        ),
        3: (None,) * 9,
        4: ("'; DROP --\n\"\\", 0, _exact(0), float("inf"), True, date(9999, 12, 31), at, at, "x"),
    }
    sales.change(
        "CREATE DOMAIN moment AS timestamptz",
        "CREATE DOMAIN instant AS moment",
        "CREATE TABLE kinds (id int, text text, whole bigint, wert numeric, real float8, "
        "flag bool, day date, at instant, local timestamp, other text, secret bytea)",
        f"GRANT SELECT ON kinds TO {READER}",
    )
    with closing(sales.server.connect(sales.name)) as connection:
        connection.execute("SET timezone = 'Asia/Kathmandu'")
        for key, values in good.items():
            local = values[7] and values[7].replace(tzinfo=None)
            row = (key, *values[:7], local, values[8])
            connection.execute(f"INSERT INTO kinds VALUES ({', '.join(['%s'] * 10)})".encode(), row)
    bad = {
        "wert": ("'NaN'", "1.00001", "1e17"),
        "day": ("'infinity'", "'0044-03-15 BC'", "'10000-01-01'"),
        "at": ("'-infinity'", "'0044-03-15 10:00+00 BC'", "'12013-01-05 10:00+00'"),
    }
    key, expected = 10, []
    for name, values in bad.items():
        for value in values:
            key += 1
            sales.change(f"INSERT INTO kinds (id, {name}) VALUES ({key}, {value})")
            expected.append((key, [f"{'amount' if name == 'wert' else name}:type"]))
    outcome = sales.shop.run(kinds)
    found = {row[0]: tuple(row[1:]) for row in sales.shop.table(kinds).collect()}
    naive = {
        k: tuple(v.replace(tzinfo=None) if isinstance(v, datetime) else v for v in r)
        for k, r in good.items()
    }
    assert found == naive
    assert outcome.rows_quarantined == len(expected)
    aside = sales.shop.quarantine(kinds).selectExpr(
        "CAST(get_json_object(row, '$.id') AS int)", "reasons", "file"
    )
    assert sorted(map(tuple, aside.collect())) == [
        (k, r, "sales/public.kinds") for k, r in expected
    ]


@pytest.mark.parametrize("by", ["id", "price", "day", "changed", "local"])
def test_each_row_of_a_view_is_read_once_however_it_is_split(sales: Sales, by: str) -> None:
    endless = "'NaN'" if by == "price" else "'infinity'" if by != "id" else "NULL"
    sales.change(
        "ALTER TABLE orders ADD local timestamp",
        "UPDATE orders SET changed = timestamptz '2013-01-05' + id * interval '3 hours', "
        "local = timestamp '2013-01-05' - id * interval '3 days'",
        "INSERT INTO orders (id, item, price, day) VALUES (20, 'a', 1, '2013-01-05'), "
        "(21, 'b', 1, '2013-01-05')",
        f"UPDATE orders SET {by} = NULL WHERE item = 'a'",
        f"UPDATE orders SET {by} = {endless} WHERE item = 'b'",
        "CREATE VIEW shown AS SELECT * FROM orders",
        f"GRANT SELECT ON shown TO {READER}",
    )
    read = query("public.shown", database="sales", split_by=by, splits=4)
    spec = dataset(Item, inputs={"raw": read})(_same)
    with Held() as held:
        (item,) = resolve(spec, Slice(), sales.shop.runtime, held, sales.shop.spark).inputs
        assert isinstance(item, PinnedRows)
        # of three days there are no four parts
        assert len(item.selects) == (3 if by == "day" else 4)
    sales.shop.run(spec)
    assert sales.rows(spec) == sales.there("item")


def test_new_rows_are_added_once_and_one_that_came_too_late_is_told(sales: Sales) -> None:
    shop = sales.shop
    assert shop.run(added).rows_changed == 9
    assert not shop.run(added).committed
    sales.change("INSERT INTO orders (id, item, price, day) VALUES (20, 'new', 1, '2013-01-05')")
    assert shop.run(added).rows_changed == 1
    assert sales.rows(added) == sales.there()
    # rows that were taken may go: they are history here
    sales.change("DELETE FROM orders WHERE id IN (1, 20)")
    assert not shop.run(added).committed
    version = shop.version(added)
    for key in (21, 22, 23):  # two rows are gone below
        sales.change(f"INSERT INTO orders VALUES ({key}, 'late', 1, '2013-01-05', 4)")
    with pytest.raises(InputError, match="came with a watermark below") as caught:
        shop.run(added)
    assert "late" not in str(caught.value)
    assert shop.version(added) == version


def test_rows_that_were_added_without_a_watermark_are_not_added_again(sales: Sales) -> None:
    sales.shop.run(dataset(Loose, inputs={"raw": WHOLE}, write=Overwrite())(_same))
    with pytest.raises(InputError, match="would be added again"):
        sales.shop.run(added)
    renamed = dataset(Loose, inputs={"orders": NEW}, write=Append())(lambda orders: orders)
    with pytest.raises(InputError, match="would be added again"):
        sales.shop.run(renamed)
    assert len(sales.rows(added)) == 9


def test_rows_of_the_overlap_are_read_again_and_a_larger_one_reads_late_ones(sales: Sales) -> None:
    shop = sales.shop
    shop.run(merged)
    assert not shop.run(merged).committed
    late = "INSERT INTO orders VALUES (6, 'late', 1, '2013-01-05', 6)"
    sales.change("DELETE FROM orders WHERE seq = 6", late)
    assert shop.run(merged).committed
    assert sales.rows(merged) == sales.there()
    sales.change("INSERT INTO orders VALUES (30, 'later', 1, '2013-01-05', 2)")
    with pytest.raises(InputError, match="larger overlap"):
        shop.run(merged)
    # which need not reach it: all is read once
    wider = query("public.orders", database="sales", watermark="seq", overlap=6)
    more = dataset(Order, inputs={"raw": wider}, write=Merge())(_same)
    assert shop.run(more).committed
    assert sales.rows(merged) == sales.there()
    assert not shop.run(more).committed
    # of a smaller one nothing is passed over
    smaller = query("public.orders", database="sales", watermark="seq", overlap=1)
    sales.change("INSERT INTO orders VALUES (31, 'late', 1, '2013-01-05', 4)")
    assert shop.run(dataset(Order, inputs={"raw": smaller}, write=Merge())(_same)).committed
    assert sales.rows(merged) == sales.there()
    # by another column nobody knows what was taken
    other = query("public.orders", database="sales", watermark="id", overlap=8)
    with pytest.raises(InputError, match="not the one by which rows were taken") as caught:
        shop.run(dataset(Order, inputs={"raw": other}, write=Merge())(_same))
    assert caught.value.expected == "seq int8"


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("seq", "NULL", "rows have no watermark"),
        ("changed", "'infinity'", "rows have no watermark"),
        ("item", "'x'", "the column is no watermark"),
        ("changed", "now()", "overlap is of another kind"),
    ],
)
def test_a_watermark_that_says_nothing_is_refused(
    sales: Sales, column: str, value: str, told: str
) -> None:
    sales.change(
        "ALTER TABLE orders ALTER seq DROP NOT NULL",
        f"UPDATE orders SET {column} = {value} WHERE id = 5",
    )
    overlap = 5 if "kind" in told else 0
    taken = query("public.orders", database="sales", watermark=column, overlap=overlap)
    spec = dataset(Order, inputs={"raw": taken}, write=Merge())(_same)
    with pytest.raises(InputError, match=told) as caught:
        sales.shop.run(spec)
    assert f"public.orders.{column}" in str(caught.value)
    assert sales.shop.version(spec) is None


def test_a_slice_is_the_rows_of_its_days(sales: Sales) -> None:
    shop, days = sales.shop, (date(2013, 1, 5), date(2013, 1, 6))
    for day in days:
        shop.run(by_day, Slice.day(day))
    assert sales.rows(by_day) == [row for row in sales.there() if row[3] in days]
    sales.change("UPDATE orders SET item = 'x' WHERE day = '2013-01-06'")
    for nowhere in ("NULL", "'infinity'"):
        sales.change(f"INSERT INTO orders VALUES (50, 'x', 1, {nowhere}, 50)")
        with pytest.raises(InputError, match="rows are of no slice"):
            shop.run(by_day, Slice.day(days[1]))
        sales.change("DELETE FROM orders WHERE id = 50")
    assert not shop.run(by_day, Slice.day(days[0])).committed
    assert shop.run(by_day, Slice.day(days[1])).committed
    assert sales.rows(by_day) == [row for row in sales.there() if row[3] in days]


class _KilledError(BaseException):
    """Stands for the end of the process."""


def test_any_changes_in_any_cut_into_runs_with_kills_end_in_the_same_table(sales: Sales) -> None:
    chance = random.Random(20130106)
    states: dict[tuple[int, datetime], str] = {}
    moment, number = datetime(2013, 1, 5, tzinfo=UTC), 0
    sales.change("DELETE FROM orders")
    for _ in range(3):
        for key in chance.sample(range(12), 7):
            number, moment = number + 1, moment + timedelta(minutes=1)
            item = chance.choice("abc")
            said = f"'{item}', 1, '2013-01-05', {number}, '{moment}'"
            sales.change(
                f"UPDATE orders SET (item, price, day, seq, changed) = ({said}) WHERE id = {key}"
                if any(key == known for known, _ in states)
                else f"INSERT INTO orders VALUES ({key}, {said})"
            )
            states[key, moment] = item
        for spec in (merged, versions):
            _killed_and_run(sales.shop, spec, chance.choice(("resolved", "started", "committed")))
    assert sales.rows(merged) == sales.there()
    found = sales.shop.table(versions).selectExpr("id", "since", "item").collect()
    assert {(row[0], row[1].replace(tzinfo=UTC)): row[2] for row in found} == states


def test_what_is_no_longer_in_a_whole_table_is_gone(sales: Sales) -> None:
    chance = random.Random(20130107)
    for _ in range(3):
        gone, new = chance.sample(range(1, 10), 2)
        sales.change(
            f"DELETE FROM orders WHERE id = {gone}",
            f"UPDATE orders SET item = 'again' WHERE id = {new}",
            "INSERT INTO orders (id, item, price, day) SELECT max(id) + 1, 'new', 1, '2013-01-05' "
            "FROM orders",
        )
        _killed_and_run(sales.shop, listed, chance.choice(("resolved", "started", "committed")))
        assert sales.rows(listed) == sales.there()


def _killed_and_run(shop: Shop, spec: Dataset, at: str) -> None:
    def dies(step: str) -> None:
        if step == at:
            raise _KilledError

    with pytest.raises(_KilledError):
        shop.run(spec, on_step=dies)
    shop.run(spec)
    assert not shop.run(spec).committed
    assert shop.reasons(spec) == []


def _ends_sessions(sales: Sales) -> None:
    sales.change(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{sales.name}' AND pid != pg_backend_pid()"
    )


def _when_somebody_waits(sales: Sales, act: Callable[[], None]) -> threading.Thread:
    """Acts as soon as a session of the database waits for a lock."""

    def waiting() -> bool:
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        with closing(sales.server.connect(sales.name)) as connection:
            (sessions,) = connection.execute(sql).fetchone() or (0,)
        return bool(sessions)

    def watch() -> None:
        until(waiting, "a session waits for a lock")
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def test_a_table_that_is_being_loaded_anew_is_never_read_as_empty(sales: Sales) -> None:
    with closing(sales.server.connect(sales.name)) as loading:
        loading.autocommit = False
        loading.execute("TRUNCATE orders")
        loading.execute(
            "INSERT INTO orders (id, item, price, day) "
            "SELECT n, 'anew', 1, date '2013-01-05' FROM generate_series(1, 5) n"
        )
        thread = _when_somebody_waits(sales, loading.commit)
        outcome = sales.shop.run(whole)
        thread.join()
    assert outcome.rows_in == 5
    assert sales.rows(whole) == sales.there()


def test_who_alters_the_table_meanwhile_ends_the_run_and_nobody_waits_for_ever(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.resources.postgres._LOCK_MILLISECONDS", 500)
    altering = threading.Thread(target=sales.change, args=("ALTER TABLE orders ADD more int",))

    def alter(step: str) -> None:
        if step == "resolved":
            altering.start()
            _when_somebody_waits(sales, lambda: None).join()

    with pytest.raises(SourceError, match="went away, or refused"):
        sales.shop.run(whole, on_step=alter)
    altering.join()  # which our transaction kept waiting
    assert sales.shop.run(whole).committed
    assert sales.rows(whole) == sales.there()


@pytest.mark.parametrize("step", ["resolved", "analyzed", "started"])
def test_a_database_that_goes_away_leaves_the_table_as_it_was(sales: Sales, step: str) -> None:
    shop = sales.shop
    shop.run(whole)
    before, version = sales.rows(whole), shop.version(whole)
    sales.change("UPDATE orders SET item = 'secret item'")

    def gone(at: str) -> None:
        if at == step:
            _ends_sessions(sales)

    with pytest.raises(SourceError, match="went away"):
        shop.run(whole, on_step=gone)
    assert (sales.rows(whole), shop.version(whole)) == (before, version)
    assert shop.run(whole).committed
    assert sales.rows(whole) == sales.there()


def test_what_cannot_be_read_is_told_and_nothing_is_written(sales: Sales) -> None:
    def told(expected: type[Exception], words: str, shop: Shop, spec: Dataset = whole) -> None:
        with pytest.raises(expected, match=words) as caught:
            shop.run(spec)
        assert PASSWORD not in str(caught.value)
        assert "next: " in str(caught.value)
        assert shop.version(spec) is None

    told(SourceError, "cannot be reached", sales.reading(port=1))
    told(InputError, "no such database", sales.reading(database="nowhere"))
    told(InputError, "refuses the user or the password", sales.reading(user="nobody"))
    secrets = sales.shop.runtime.secrets
    assert isinstance(secrets, FileSecrets)
    _put_password(secrets, "wrong")
    told(InputError, "refuses the user or the password", sales.shop)
    (secrets.folder / "sales.password").unlink()
    told(SecretError, "no such password", sales.shop)
    _put_password(secrets, PASSWORD)
    sales.server.execute(
        "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    told(InputError, "in which encoding its texts are", sales.reading(database="bytes"))
    sales.server.drop("bytes")
    sales.change(
        "CREATE EXTENSION file_fdw",
        "CREATE SERVER files FOREIGN DATA WRAPPER file_fdw",
        "CREATE FOREIGN TABLE far (id int) SERVER files OPTIONS (filename '/dev/null')",
    )
    for relation, words in (
        ("public.nothing", "no table or view"),
        ("nowhere.orders", "no table or view"),
        ("public.far", "a foreign table is of no snapshot"),
    ):
        spec = dataset(Order, inputs={"raw": query(relation, database="sales")})(_same)
        told(InputError, words, sales.shop, spec)
    sales.change("ALTER TABLE orders RENAME item TO items")
    told(InputError, "did you mean items", sales.shop)
    sales.change("ALTER TABLE orders RENAME items TO item")
    sales.change(f"REVOKE SELECT ON orders FROM {READER}")
    told(InputError, "may not read", sales.shop)
    sales.change(f"GRANT SELECT ON orders TO {READER}")
    assert sales.shop.run(whole).committed


def test_the_password_is_in_nothing_that_is_told_or_kept(
    sales: Sales, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    sales.change("INSERT INTO orders (id, item, price, day) VALUES (NULL, 'none', 1, '2013-01-05')")
    seen: list[str] = []

    @dataset(Order, inputs={"raw": SPLIT})
    def looked_at(raw: DataFrame) -> DataFrame:
        plan = raw._jdf.queryExecution()
        seen.extend((plan.toString(), plan.analyzed().toJSON()))
        return raw

    sales.shop.run(looked_at)
    log = sales.shop.runtime.lake.table("bronze.sold").read()
    assert log
    texts = [*seen, sales.shop.everything_told(), *capfd.readouterr(), caplog.text]
    texts += [repr(commit) for commit in log.commits()]
    texts += [repr(sales.shop.runtime), repr(looked_at)]
    for file in sales.shop.path.rglob("*"):
        if file.is_file() and file.suffix != ".password":
            texts.append(file.read_bytes().decode(errors="replace"))
    assert len(seen) > 1
    assert "public" in seen[0]
    for text in texts:
        assert "sesame" not in text


def test_lineage_knows_the_columns_of_the_database(sales: Sales) -> None:
    outcome = sales.shop.run(whole)
    (event,) = [
        e.payload
        for e in sales.shop.runtime.ledger.events()
        if e.payload["eventType"] == "COMPLETE"
    ]
    (read,) = event["inputs"]
    assert read["namespace"] == f"postgres://127.0.0.1:{sales.server.port}"
    assert read["name"] == f"{sales.name}.public.orders"
    fields = event["outputs"][0]["facets"]["columnLineage"]["fields"]
    (source,) = fields["price"]["inputFields"]
    assert (source["name"], source["field"]) == (read["name"], "price")
    assert outcome.inputs["raw"]["rows"] == 9


def test_dagster_materializes_it_and_shows_where_it_comes_from(sales: Sales) -> None:
    resources: dict[str, Any] = {
        "lake": sales.shop.runtime.lake,
        "ledger": LedgerResource(url=f"sqlite:///{sales.shop.path}/ledger.db"),
        "cluster": LocalCluster(name="cluster", profile=Profile.SMALL, cores=2),
        "secrets": SecretsResource(folder=str(sales.shop.path / "secrets")),
        "sales": sales.postgres(),
    }
    deployment = Deployment(datasets=(whole,), resources=resources)
    found = deployment.definitions(automation=None)
    (source,) = [a for a in found.assets or () if isinstance(a, dg.AssetSpec)]
    assert source.key == dg.AssetKey(["sales", "public.orders"])
    job = found.get_implicit_global_asset_job_def()
    assert job.execute_in_process().success
    assert sales.rows(whole) == sales.there()
    del resources["sales"]
    with pytest.raises(DefinitionError, match="no resource sales"):
        Deployment(datasets=(whole,), resources=resources)


def test_two_inputs_of_a_database_are_of_one_transaction(sales: Sales) -> None:
    lines = query("public.orders", database="sales", names={"seq": "id"})
    other = dataset(Order, inputs={"orders": WHOLE, "lines": lines}, write=LISTED)(_joined)
    with Held() as held:
        resolved = resolve(other, Slice(), sales.shop.runtime, held, sales.shop.spark)
        views = [item.view for item in resolved.inputs if isinstance(item, PinnedRows)]
        over_connect: Any = object.__new__(ConnectSession)
        with pytest.raises(InputError, match="is not read over Spark Connect"):
            resolved.inputs[0].read(over_connect, other.arriving, strict=True)
    assert len(views) == 2
    assert views[0] is views[1]
    with pytest.raises(SourceError, match="went away"):
        views[0].refuse_lost()


def _joined(orders: DataFrame, lines: DataFrame) -> DataFrame:
    return orders.join(lines.select("id"), "id")
