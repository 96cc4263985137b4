"""Commands that look: list, show, status, history, and names nobody should trust."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.ledger.told_events import run_event

pytestmark = pytest.mark.slow(seconds=30)

HOSTILE = [
    "../../etc/passwd",
    "[red]shop[/red]",
    "[/]",
    "'; DROP TABLE event; --",
    "\x1b]0;owned\x07shop.orders",
    "shop.orders\nerror: forged",
    "{day}",
    "%s%n",
    "shop.ordersé" * 200,
    " ",
]


def test_list_names_datasets_after_what_they_read(filled: Any) -> None:
    rows = filled.json("list")
    assert [row["dataset"] for row in rows] == ["shop.orders", "shop.totals", "shop.stock"]
    orders, totals, stock = rows
    assert orders["contract_version"] == "1.2.0"
    assert orders["write"] == "ReplaceSlice"
    assert orders["partitions"] == {
        "grain": "day",
        "column": "day",
        "start": "2013-01-01",
        "end": "2014-01-01",
        "time_zone": "UTC",
    }
    assert stock["partitions"] is None
    assert stock["last_run"] is None
    assert totals["last_run"]["state"] == "COMPLETE"
    assert totals["last_run"]["slice"] == "2013-02-08"
    text = filled("list").stdout
    assert "COMPLETE" in text
    assert "never" in text


def test_show_tells_contract_and_live_table(filled: Any) -> None:
    shown = filled.json("show", "shop.orders")
    columns = {column["name"]: column for column in shown["contract"]["columns"]}
    assert columns["email"]["pii"] == "email"
    assert columns["order_id"]["key"]
    assert shown["read_by"] == ["shop.totals"]
    assert shown["table"]["version"] == 1
    assert shown["table"]["files"] == 2
    assert shown["table"]["bytes"] > 0
    text = filled("show", "shop.orders").stdout
    assert "`amount` >= 0" in text
    assert "version 1, 2 files" in text
    assert not filled.json("show", "shop.stock")["table"]["exists"]


def test_history_says_who_made_each_version(filled: Any) -> None:
    newest, oldest = filled.json("history", "shop.orders")
    assert (newest["version"], oldest["version"]) == (1, 0)
    assert newest["governed"]
    assert newest["by"] == "penstock"
    assert newest["slice"] == "2013-02-08"
    assert newest["rows"] == 1
    assert newest["rows_quarantined"] == 2
    assert len(filled.json("history", "shop.orders", "--limit", "1")) == 1
    assert filled.json("history", "shop.stock") == []


def test_history_marks_another_writer(shop: Any) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    write_deltalake(str(shop.root / "lake/shop/stock"), pa.table({"day": ["2013-02-08"]}))
    [commit] = shop.json("history", "shop.stock")
    assert not commit["governed"]
    assert "another writer" in shop("history", "shop.stock").stdout


def test_status_tells_open_failed_and_last_runs(filled: Any) -> None:
    status = filled.json("status")
    assert status["open"] == []
    assert status["failed"] == []
    assert status["last"]["shop.orders"]["state"] == "COMPLETE"
    assert status["last"]["shop.stock"] is None
    assert filled("status").exit_code == 0


def test_what_a_run_came_to_is_told_with_when_it_ended(shop: Any) -> None:
    assert shop("list").exit_code == 0
    ledger = sys.modules["small_shop"].deployment.runtime().ledger
    now = datetime.now(UTC)
    for kind, ago in (("START", timedelta(days=3)), ("COMPLETE", timedelta(hours=2))):
        event = run_event(kind, 0, "shop.orders", run="slow", namespace="penstock")
        ledger.append({**event, "eventTime": (now - ago).isoformat()})
    for command in ("list", "status"):
        text = shop(command).stdout
        assert "2 hours ago" in text
        assert "3 days ago" not in text


def test_status_judges_freshness_by_the_newest_slice_not_by_when_it_was_written(
    filled: Any,
) -> None:
    fresh = filled.json("status")["freshness"]
    assert set(fresh) == {"shop.totals"}
    assert fresh["shop.totals"]["verdict"] == "late"
    assert fresh["shop.totals"]["as_of"] == "2013-02-09T00:00:00+00:00"
    assert fresh["shop.totals"]["newest_slice"]["slice"] == "2013-02-08"
    text = " ".join(filled("status").stdout.split())
    assert "the newest rows are of 2013-02-09 00:00 UTC (slice 2013-02-08)" in text
    assert "the contract promises none older than 26 hours" in text


def test_status_says_so_when_freshness_is_not_known(shop: Any) -> None:
    log = shop.root / "lake/shop/totals/_delta_log"
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").write_text("{not json\n")
    assert shop.json("status")["freshness"]["shop.totals"]["verdict"] == "unknown"


def test_a_damaged_table_log_is_exit_7(shop: Any) -> None:
    log = shop.root / "lake/shop/orders/_delta_log"
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").write_text("{not json\n")
    error = shop.json("show", "shop.orders", code=7)["error"]
    assert error["kind"] == "LakeError"
    assert error["next"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "command", [("show",), ("run",), ("history",), ("quarantine", "show"), ("lineage",)]
)
def test_a_hostile_name_is_an_unknown_dataset_and_nothing_more(
    shop: Any, command: tuple[str, ...], name: str
) -> None:
    result = shop(*command, "--json", "--", name)
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["what"] == "there is no such dataset"
    assert "\x1b" not in result.stderr
    assert "\x07" not in result.stderr
    assert "Traceback" not in result.output
    assert not (shop.root / "lake").exists()


def test_a_misspelt_name_is_answered_with_the_nearest(shop: Any) -> None:
    result = shop("show", "shop.order")
    assert result.exit_code == 2
    assert "did you mean shop.orders?" in result.stderr
    assert not result.stdout


def test_the_demo_is_the_deployments_own(shop: Any) -> None:
    result = shop("demo")
    assert "the shop is open" in result.stdout
    assert "telling" in result.stderr
    assert shop.json("demo") == {"said": "the shop is open"}


def test_doctor_names_what_is_wrong_and_what_mends_it(shop: Any) -> None:
    (shop.root / "broken_shop.py").write_text("deployment = 1 / 0\n")
    answer = shop.json("doctor", "--deployment", "broken_shop:deployment", code=3)
    findings = {finding["what"]: finding for finding in answer["findings"]}
    assert not answer["ok"]
    assert not findings["deployment"]["ok"]
    assert findings["deployment"]["mend"]
    assert findings["java"]["ok"]


def test_jars_are_summed(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", str(shop.root / "empty"))
    answer = shop.json("jars", code=3)
    assert not answer["intact"]
    assert {jar["state"] for jar in answer["jars"]} == {"missing"}
    assert "penstock jars --resolve" in shop("jars").stdout
