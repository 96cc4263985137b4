"""`penstock coverage` and `penstock evidence`, as an engineer and an auditor type them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa
import pytest
from deltalake import CommitProperties, write_deltalake

from penstock.events import DatasetRef, RunFacts, RunIdentity, complete_event
from penstock.ledger import Ledger
from penstock.lineage.column_lineage import ColumnLineage, Origin, Subtype
from tests.ledger.told_events import AT, identity

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def told(shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The shop after one run of its orders, told by hand: no Spark is needed to look at it."""
    monkeypatch.setenv("PENSTOCK_HOME", str(tmp_path / "home"))
    uri = str(shop.root / "lake/shop/orders")
    write(uri, facts={"penstock": 1, "run_id": identity("one")})
    origin = Origin(dataset="landing", column="mail", subtype=Subtype.IDENTITY, masking=True)
    facts = RunFacts(
        identity=RunIdentity(
            run_id=UUID(identity("one")), job_namespace="shop", job_name="shop.orders"
        ),
        inputs=(DatasetRef.at(str(shop.root / "landing"), "landing"),),
        output=DatasetRef.at(uri, "shop.orders", version=0),
        column_lineage=ColumnLineage(fields={"email": (origin,)}),
    )
    with Ledger.open(f"sqlite:///{shop.root / 'ledger.db'}") as ledger:
        ledger.append(complete_event(facts, at=AT))
    return shop


def write(uri: str, *, facts: dict[str, Any] | None = None) -> None:
    metadata = {"userMetadata": json.dumps(facts)} if facts else {"userName": "[red]eve[/red]"}
    properties = CommitProperties(custom_metadata=metadata)
    rows = pa.table({"email": ["canary@example.org"]})
    write_deltalake(uri, rows, mode="append", commit_properties=properties)


def test_coverage_is_whole_until_somebody_writes_past_penstock(told: Any) -> None:
    document = told.json("coverage")
    assert document["percent"] == 100.0
    assert {d["label"]: d["commits"] for d in document["datasets"]} == {
        "shop.orders": 1,
        "shop.totals": 0,
        "shop.stock": 0,
    }
    text = " ".join(told("coverage", "shop.orders").stdout.split())
    assert "Every commit is in the ledger." in text
    # nobody else saw the run: that is no word on what it read
    assert (document["runs"], document["corroborated"], document["undeclared_reads"]) == (
        1,
        0,
        None,
    )
    assert "reads that no run told are not known" in text
    write(str(told.root / "lake/shop/orders"))
    document = told.json("coverage", "shop.orders", code=3)
    [orders] = document["datasets"]
    assert [(w["version"], w["who"]) for w in orders["ungoverned"]] == [(1, "[red]eve[/red]")]
    text = told("coverage")
    assert text.exit_code == 3
    # however wide the terminal is
    assert "by [red]eve[/red]: no run told of it" in " ".join(text.stdout.split())
    assert told.json("coverage", "--since", "2100-01-01")["percent"] is None
    assert told.json("coverage", "shop.stock")["percent"] is None


def test_a_table_that_was_never_told_of_is_found(told: Any) -> None:
    write(str(told.root / "lake/shop/stock"))
    [stock] = told.json("coverage", "shop.stock", code=3)["datasets"]
    assert (stock["label"], stock["governed"], stock["commits"]) == ("shop.stock", 0, 1)


def test_evidence_is_exported_and_verified_elsewhere(told: Any, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    asked = ("--dataset", "shop.orders", "--column", "email", "--by", "ada")
    made = told.json("evidence", "export", *asked, "--out", str(out))
    key = told.json("evidence", "key")
    assert made["fingerprint"] == key["fingerprint"]
    assert key["public_key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert b"canary" not in out.read_bytes()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    script = (
        "import sys; from penstock.cli import main; sys.argv[0] = 'penstock'\n"
        "try: main()\n"
        "finally: assert not {'pyspark', 'dagster', 'deltalake'} & set(sys.modules)"
    )
    words = ("evidence", "verify", str(out), "--key", key["fingerprint"], "--json")
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["intact"]
    assert found["manifest"]["asked"]["column"] == "email"
    assert found["manifest"]["made_by"] == "ada"


def test_a_changed_bundle_ends_with_3_and_says_what_is_wrong(told: Any, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    assert told("evidence", "export", "--since", "2020-01-01", "--out", str(out)).exit_code == 0
    assert told("evidence", "verify", str(out)).exit_code == 0
    assert "Compare it" in told("evidence", "verify", str(out)).stdout
    assert told("evidence", "verify", str(out), "--key", "0" * 64).exit_code == 3
    content = out.read_bytes()
    out.write_bytes(content.replace(b'"runs"', b'"sunr"', 1))
    found = told.json("evidence", "verify", str(out), code=3)
    assert found["faults"]
    assert "is no whole zip" in told("evidence", "verify", str(out)).stdout


def test_what_cannot_be_asked_written_or_read_is_an_error(told: Any, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    export = ("evidence", "export", "--out", str(out))
    assert told(*export).exit_code == 4
    assert told(*export, "--dataset", "no.such").exit_code == 4
    assert told(*export, "--dataset", "shop.orders", "--column", "no").exit_code == 4
    assert not out.exists()
    out.write_bytes(b"mine")
    assert told(*export, "--dataset", "shop.orders").exit_code == 4
    assert out.read_bytes() == b"mine"
    assert told("evidence", "verify", str(tmp_path / "none.zip")).exit_code == 4
