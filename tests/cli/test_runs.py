"""Commands that run: run, backfill, and what they leave for quarantine show and lineage."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from copy import copy
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable

from penstock.ledger import Runner
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2]


@pytest.mark.usefixtures("spark")
def test_a_run_tells_its_steps_on_stderr_and_its_outcome_as_json(shop: Any) -> None:
    shop.deliver("2013-02-07", "1,2013-02-07,ada@example.org,10")
    result = shop("run", "shop.orders", "--slice", "2013-02-07", "--json")
    assert result.exit_code == 0, result.output
    [outcome] = json.loads(result.stdout)
    assert outcome["committed"]
    assert outcome["rows_in"] == 1
    assert "shop.orders 2013-02-07: committed" in result.stderr
    assert "1 rows in, 1 good, 0 set aside, version 0" in result.stderr

    [again] = shop.json("run", "shop.orders", "--slice", "2013-02-07")
    assert not again["committed"]
    assert again["version"] == 0


@pytest.mark.usefixtures("spark")
def test_upstream_runs_first_what_is_needed(shop: Any) -> None:
    shop.deliver("2013-02-07", "1,2013-02-07,ada@example.org,10")
    outcomes = shop.json("run", "shop.stock", "--slice", "2013-02-07", "--upstream")
    assert [outcome["dataset"] for outcome in outcomes] == [
        *("shop.orders", "shop.totals", "shop.stock")
    ]
    assert [outcome["slice"] for outcome in outcomes] == ["2013-02-07", "2013-02-07", "whole"]


@pytest.mark.usefixtures("spark")
def test_a_backfill_is_one_run_of_the_range(shop: Any) -> None:
    for day in ("2013-02-07", "2013-02-08"):
        shop.deliver(day, f"{day[-1]},{day},ada@example.org,10")
    arguments = ("shop.orders", "--from", "2013-02-07", "--to", "2013-02-08")
    [outcome] = shop.json("backfill", *arguments)
    assert outcome["slice"] == "2013-02-07...2013-02-08"
    assert outcome["rows_in"] == 2
    assert len(shop.json("history", "shop.orders")) == 1


def test_a_run_that_died_after_its_commit_is_complete_once_another_command_ran(
    spark: SparkSession, shop: Any
) -> None:
    from penstock.assets.executor import run
    from penstock.assets.runtime import Invocation
    from penstock.assets.slice import Slice

    class Killed(BaseException):
        pass

    def on_step(step: str) -> None:
        if step == "committed":
            raise Killed

    shop.deliver("2013-02-07", "1,2013-02-07,ada@example.org,10")
    shop.deliver("2013-02-08", "2,2013-02-08,ada@example.org,10")
    assert shop("list").exit_code == 0
    deployment = sys.modules["small_shop"].deployment
    spec, runtime = deployment.dataset("shop.orders"), deployment.runtime()
    day = Slice.day(date(2013, 2, 7))
    with pytest.raises(Killed):
        run(spec, spark, day, runtime=runtime, invocation=Invocation(on_step=on_step))
    # the same run, carried by a process that is gone
    (open_run,) = runtime.ledger.open_runs()
    start = dict(runtime.ledger.events()[-1].payload)
    start["eventTime"] = (open_run.started + timedelta(microseconds=1)).isoformat()
    runtime.ledger.append(start, runner=replace(Runner.here(), started="another-boot:1"))

    result = shop("run", "shop.orders", "--slice", "2013-02-08")
    assert result.exit_code == 0, result.output
    assert "committed and then died" in result.stderr
    states = {record.slice: record.state for record in runtime.ledger.runs("shop.orders")}
    assert states == {"2013-02-07": "COMPLETE", "2013-02-08": "COMPLETE"}
    assert not runtime.ledger.events(event_type="ABORT")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "shop.orders"), "none was given"),
        (("run", "shop.stock", "--upstream"), "none was given"),
        (("run", "shop.stock", "--slice", "2013-02-07"), "has no slices and one was given"),
        (("run", "shop.orders", "--slice", "yesterday"), "not a day"),
        (("run", "shop.orders", "--slice", "2013-02-31"), "not a day"),
        (("run", "shop.orders", "--slice", "2012-12-31"), "no such day"),
        (("run", "shop.orders", "--slice", "2014-01-01"), "no such day"),
        (
            ("backfill", "shop.stock", "--from", "2013-02-07", "--to", "2013-02-08"),
            "no slices to backfill",
        ),
        (("backfill", "shop.orders", "--from", "2013-02-08", "--to", "2013-02-07"), "before"),
    ],
)
def test_a_mistake_is_exit_2_before_anything_starts(
    shop: Any, arguments: tuple[str, ...], said: str
) -> None:
    result = shop(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "next: " in result.stderr
    assert "Traceback" not in result.output
    assert not (shop.root / "ledger.db").exists()


@pytest.mark.usefixtures("spark")
def test_a_missing_file_is_exit_4_and_the_run_is_recorded_as_failed(shop: Any) -> None:
    shop.deliver("2013-02-07")
    error = shop.json("run", "shop.orders", "--slice", "2013-02-09", code=4)["error"]
    assert error["kind"] == "InputError"
    [failed] = shop.json("status")["failed"]
    assert failed["state"] == "FAIL"


@pytest.mark.usefixtures("spark")
def test_a_closed_day_is_exit_5_and_reopened_it_says_so_and_what_it_is_made_of_does_not(
    shop: Any,
) -> None:
    module = shop.root / "small_shop.py"
    closed = "partitions=DAYS, closes_after=timedelta(days=9)"
    module.write_text(module.read_text().replace("partitions=DAYS", closed))
    day = "2013-02-07"
    shop.deliver(day, f"1,{day},a@example.org,10")
    shop.json("run", "shop.totals", "--slice", day, "--upstream")
    shop.deliver(day, f"1,{day},a@example.org,20")
    error = shop.json("run", "shop.orders", "--slice", day, code=5)["error"]
    assert error["what"] == "the slice is closed, and the run would change it"
    assert error["found"] == "other arrived"
    assert f"--slice '{day}' --reopen" in error["next"]
    # what it is made of stays closed, and is not made by the way
    again = ("run", "shop.totals", "--slice", day, "--upstream", "--reopen")
    assert shop.json(*again, code=5)["error"]["where"] == f"shop.orders {day}"
    shop.json("backfill", "shop.orders", "--from", day, "--to", day, "--reopen")
    shop.json("run", "shop.totals", "--slice", day, "--reopen")
    for name in ("shop.orders", "shop.totals"):
        commits = shop.json("history", name)
        assert [commit["reopen"] for commit in commits] == [True, False]


def test_quarantine_hides_personal_data_until_asked(filled: Any) -> None:
    shown = filled.json("quarantine", "show", "shop.orders")
    assert shown["rows"] == 4
    assert shown["by_rule"] == {"amount:ge": 2, "amount:type": 2}
    assert {entry["fate"] for entry in shown["entries"]} == {"set aside"}
    assert {entry["row"]["email"] for entry in shown["entries"]} == {"(hidden)"}
    assert all(entry["row"]["order_id"] for entry in shown["entries"])
    assert "example.org" not in filled("quarantine", "show", "shop.orders").output

    result = filled("quarantine", "show", "shop.orders", "--reveal-personal-data", "--json")
    assert "canary@example.org" in result.stdout
    assert "in clear" in result.stderr


def test_quarantine_is_cut_by_slice_rule_and_limit(filled: Any) -> None:
    one = filled.json("quarantine", "show", "shop.orders", "--slice", "2013-02-07")
    assert one["rows"] == 2
    torn = filled.json("quarantine", "show", "shop.orders", "--rule", "amount:type")
    assert torn["rows"] == 2
    assert all(entry["file"] for entry in torn["entries"])
    assert filled.json("quarantine", "show", "shop.orders", "--limit", "1")["shown"] == 1
    assert filled.json("quarantine", "show", "shop.totals")["rows"] == 0
    assert filled("quarantine", "show", "shop.orders", "--slice", "soon").exit_code == 2


@pytest.mark.usefixtures("spark")
def test_quarantine_of_a_day_is_that_days_also_after_a_range(shop: Any) -> None:
    for day in ("2013-02-07", "2013-02-08"):
        rows = [f"{day[-1]}{n},{day},ada@example.org,10" for n in range(5)]
        # the last is of a day that cannot be read, in the file of this one
        torn = f"{day[-1]}9,someday,ada@example.org,10"
        shop.deliver(day, *rows, f"{day[-1]}8,{day},ada@example.org,-1", torn)
    shop.json("backfill", "shop.orders", "--from", "2013-02-07", "--to", "2013-02-08")
    assert shop.json("quarantine", "show", "shop.orders")["rows"] == 4
    for day in ("2013-02-07", "2013-02-08"):
        found = shop.json("quarantine", "show", "shop.orders", "--slice", day)
        assert {str(e["row"]["order_id"]) for e in found["entries"]} == {
            f"{day[-1]}8",
            f"{day[-1]}9",
        }
    both = ("--slice", "2013-02-07...2013-02-08")
    assert shop.json("quarantine", "show", "shop.orders", *both)["rows"] == 4


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("shop.orders", "--rule", "amount:gee"), 2, "did you mean amount:ge?"),
        (("shop.stock",), 4, "the dataset has never run here"),
        (("shop.orders", "--slice", "2013-03-01"), 4, "no run of this slice is on record"),
    ],
    ids=["rule", "dataset", "slice"],
)
def test_quarantine_does_not_say_nothing_of_what_it_does_not_know(
    filled: Any, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = filled("quarantine", "show", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_quarantine_knows_a_rule_that_no_row_broke(filled: Any) -> None:
    assert filled.json("quarantine", "show", "shop.orders", "--rule", "key:unique")["rows"] == 0


def test_a_decimal_is_shown_as_it_was_written(spark: SparkSession, tmp_path: Path) -> None:
    from penstock.cli.entries import Fates, read_entries
    from tests.assets.shop import Shop as Lake
    from tests.assets.shop import orders

    lake = Lake.at(spark, tmp_path)
    lake.land("orders-2013-01-05-a.csv", "1,a,12.30,2013-01-05", "1,b,12345678.10,2013-01-05")
    lake.land("orders-2013-01-05-b.csv", *(f"{n},c,1,2013-01-05" for n in range(2, 6)))
    lake.run(orders)
    runtime = lake.runtime
    log = runtime.lake.table(orders.name).read()
    assert log
    fates = Fates(orders, log.commits(), runtime.ledger)
    entries = read_entries(runtime.lake.quarantine(orders.name), fates, orders.model)
    assert sorted(entry.row["price"] for entry in entries) == ["12.30", "12345678.10"]


def test_a_quarantine_with_mapped_columns_and_deleted_rows_is_read(
    spark: SparkSession, shop: Any
) -> None:
    rows = [f"{n},2013-02-07,ada@example.org,{amount}" for n, amount in enumerate((-1, -2, 3, 4))]
    shop.deliver("2013-02-07", *rows)
    shop.json("run", "shop.orders", "--slice", "2013-02-07")
    path = shop.root / "lake" / "_quarantine" / "shop" / "orders"
    entries = spark.read.format("delta").load(str(path))
    kept, schema = entries.collect(), entries.schema
    columns = ", ".join(f"`{field.name}` {field.dataType.simpleString()}" for field in schema)
    shutil.rmtree(path)
    spark.sql(
        f"CREATE TABLE delta.`{path}` ({columns}) USING delta TBLPROPERTIES ("
        "'delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true')"
    )
    frame = spark.createDataFrame(kept, schema)
    frame.coalesce(1).write.format("delta").mode("append").save(str(path))
    shown = shop.json("quarantine", "show", "shop.orders")
    assert sorted(entry["row"]["amount"] for entry in shown["entries"]) == [-2, -1]
    spark.sql(f"DELETE FROM delta.`{path}` WHERE row LIKE '%-2%'")
    shown = shop.json("quarantine", "show", "shop.orders")
    assert [entry["row"]["amount"] for entry in shown["entries"]] == [-1]


@pytest.mark.usefixtures("spark")
def test_a_row_set_aside_has_the_line_of_its_file(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    day = "2013-02-07"
    rows = [
        f"1,{day},ada@example.org,10",
        f'2,{day},"two\nlines",oops',  # 3, a type
        f"3,{day},ada@example.org,-3",  # 5, a rule
        "",
        f"4,{day}",  # 7, too few cells
        f'5,{day},"ada"@example.org,1',  # 8, text behind a quote
        f"6,{day},ada@example.org,1,2",  # 9, too many cells
        f"7,{day},,-7",  # 10 and 11: one of the two, nobody knows which
        f"7,{day},,-7",
        *(f"{n},{day},ada@example.org,1" for n in range(10, 20)),
    ]
    shop.deliver(day, *rows)
    shop.json("run", "shop.orders", "--slice", day)
    shown = shop.json("quarantine", "show", "shop.orders")["entries"]
    assert sorted(entry["lines"] for entry in shown) == [
        *([3], [5], [7], [8], [9]),
        *([10, 11], [10, 11]),
    ]
    assert f"orders-{day}.csv:5" in shop("quarantine", "show", "shop.orders").output.replace(
        "\n", ""
    )
    shown = shop.json("quarantine", "show", "shop.orders", "--no-lines")["entries"]
    assert {len(entry["lines"]) for entry in shown} == {0}
    (shop.root / "landing" / "orders" / f"orders-{day}.csv").unlink()
    shown = shop.json("quarantine", "show", "shop.orders")["entries"]
    assert {len(entry["lines"]) for entry in shown} == {0}


@pytest.mark.usefixtures("spark")
def test_quarantine_leaves_out_what_a_later_run_judged_anew(shop: Any) -> None:
    good = "2,2013-02-07,ada@example.org,10"
    shop.deliver("2013-02-07", "1,2013-02-07,ada@example.org,-1", good)
    shop.json("run", "shop.orders", "--slice", "2013-02-07")
    shop.deliver("2013-02-07", "1,2013-02-07,ada@example.org,1", good)
    shop.json("run", "shop.orders", "--slice", "2013-02-07")
    assert shop.json("quarantine", "show", "shop.orders")["rows"] == 0
    [entry] = shop.json("quarantine", "show", "shop.orders", "--superseded")["entries"]
    assert entry["fate"] == "superseded"


@pytest.mark.usefixtures("spark")
def test_quarantine_marks_an_attempt_that_did_not_commit(shop: Any) -> None:
    rows = [f"{n},2013-02-07,ada@example.org,-1" for n in range(3)]
    shop.deliver("2013-02-07", *rows)
    shop.json("run", "shop.orders", "--slice", "2013-02-07", code=6)
    entries = shop.json("quarantine", "show", "shop.orders")["entries"]
    assert {entry["fate"] for entry in entries} == {"attempt not committed"}
    assert len(entries) == 3


@pytest.mark.usefixtures("spark")
def test_quarantine_leaves_out_an_attempt_after_which_the_slice_was_committed(shop: Any) -> None:
    good, bad = "9,2013-02-07,ada@example.org,10", "1,2013-02-07,ada@example.org,-1"
    shop.deliver("2013-02-07", bad, f"2{bad[1:]}", f"3{bad[1:]}")
    shop.json("run", "shop.orders", "--slice", "2013-02-07", code=6)
    shop.deliver("2013-02-08", "5,2013-02-08,ada@example.org,10")
    shop.json("run", "shop.orders", "--slice", "2013-02-08")
    # a commit of another slice says nothing of it
    assert shop.json("quarantine", "show", "shop.orders")["rows"] == 3
    shop.deliver("2013-02-07", bad, good)
    shop.json("run", "shop.orders", "--slice", "2013-02-07")

    raw = DeltaTable(shop.root / "lake" / "_quarantine" / "shop" / "orders").to_pyarrow_table()
    assert raw.num_rows == 4
    shown = shop.json("quarantine", "show", "shop.orders")
    assert [entry["fate"] for entry in shown["entries"]] == ["set aside"]
    assert shop.json("quarantine", "show", "shop.orders", "--superseded")["rows"] == 4


def test_quarantine_counts_the_rows_of_an_overtaken_run_once(
    spark: SparkSession, shop: Any
) -> None:
    from penstock.assets.executor import run
    from penstock.assets.runtime import Invocation
    from penstock.assets.slice import Slice

    good, bad = "9,2013-02-07,ada@example.org,10", "1,2013-02-07,ada@example.org,-1"
    shop.deliver("2013-02-07", good, bad)
    assert shop("list").exit_code == 0
    deployment = sys.modules["small_shop"].deployment
    spec, runtime = deployment.dataset("shop.orders"), deployment.runtime()
    day = Slice.day(date(2013, 2, 7))

    # the same dataset of other code: its run is about the same rows, and is not this one's
    other = copy(spec)
    object.__setattr__(other, "code_version", "0" * 12)

    def on_step(step: str) -> None:
        if step == "quarantining" and not shop.json("history", "shop.orders"):
            assert run(other, spark, day, runtime=runtime).committed

    assert run(spec, spark, day, runtime=runtime, invocation=Invocation(on_step=on_step)).committed
    raw = DeltaTable(shop.root / "lake" / "_quarantine" / "shop" / "orders").to_pyarrow_table()
    assert raw.num_rows == 3
    assert shop.json("quarantine", "show", "shop.orders")["rows"] == 1


def test_lineage_is_followed_both_ways(filled: Any) -> None:
    up = filled.json("lineage", "shop.totals", "--column", "turnover")
    direct = {
        (e["dataset"], e["column"], e["from_dataset"], e["from_column"], e["subtype"])
        for e in up["edges"]
        if e["type"] == "DIRECT"
    }
    assert ("shop.totals", "turnover", "shop.orders", "amount", "AGGREGATION") in direct
    assert any(edge[2] == "landing/orders" and edge[3] == "amount" for edge in direct)
    assert all(isinstance(edge["masking"], bool) for edge in up["edges"])

    down = filled.json("lineage", "shop.orders", "--column", "amount", "--downstream")
    assert {edge["dataset"] for edge in down["edges"]} == {"shop.totals"}
    assert filled.json("lineage", "shop.stock")["edges"] == []
    text = filled("lineage", "shop.totals", "--column", "turnover").stdout
    assert "shop.orders.amount" in text
    assert "AGGREGATION" in text

    result = filled("lineage", "shop.totals", "--column", "turnovr")
    assert result.exit_code == 2
    assert "did you mean turnover?" in result.stderr


@pytest.mark.usefixtures("spark")
def test_ctrl_c_ends_a_run_with_130_and_the_next_run_is_whole(shop: Any) -> None:
    slow = shop.root / "small_shop.py"
    at_work = shop.root / "at_work"
    slow.write_text(
        slow.read_text().replace(
            "    return arrived\n",
            f"    import pathlib, signal\n    pathlib.Path({str(at_work)!r}).touch()\n"
            "    signal.pause()\n    return arrived\n",
        )
    )
    shop.deliver("2013-02-07", "1,2013-02-07,ada@example.org,10")
    home = os.environ.get("PENSTOCK_HOME", str(PROJECT / ".penstock"))
    process = subprocess.Popen(
        [*(sys.executable, "-m", "penstock.cli", "run", "shop.orders"), "--slice", "2013-02-07"],
        env=os.environ | {"PYTHONPATH": str(PROJECT), "PENSTOCK_HOME": home},
        cwd=shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until(lambda: at_work.exists() or process.poll() is not None, "the function is at work")
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 130
    assert not out
    assert "Traceback" not in err
    assert "Ctrl-C" in err
