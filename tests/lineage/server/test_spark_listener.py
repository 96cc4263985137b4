"""OpenLineage's listener in a real Spark job: what it sends is taken, and its columns are read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from penstock.lineage.verification import verify
from penstock.resources.home import home
from penstock.resources.ivy import resolve
from penstock.resources.jars import JarSet, class_path, parse_lock
from tests.patience import PATIENCE_MILLISECONDS, PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.lineage.server.live_server import LiveServer

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def jars() -> str:
    folder = home() / "test-jars"
    lock = parse_lock((HERE / "listener.lock").read_text())
    resolve(folder, (JarSet.DELTA,), lock=lock)
    found = [*class_path(home() / "jars", JarSet.DELTA), *(folder / j.file for j in lock.jars)]
    return ",".join(map(str, found))


@pytest.mark.slow
def test_a_job_of_somebody_else_is_in_the_graph(
    server: LiveServer, tmp_path: Path, jars: str
) -> None:
    job = HERE / "listener_job.py"
    done = subprocess.run(
        [sys.executable, str(job), str(tmp_path), server.url, jars, str(PATIENCE_MILLISECONDS)],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "ERROR EventEmitter" not in done.stderr
    clean = f"file|{tmp_path / 'clean'}"
    answer = requests.get(
        f"{server.url}/api/penstock/v1/dataset", params={"id": clean}, timeout=PATIENCE_SECONDS
    )
    assert answer.status_code == 200, answer.text
    columns = {column["name"]: column for column in answer.json()["columns"]}
    origins = {
        name: {(o["dataset"], o["column"], o["masking"]) for o in column["upstream"]}
        for name, column in columns.items()
    }
    raw = f"file|{tmp_path / 'raw'}"
    assert origins["customer"] == {(raw, "id", False)}
    assert origins["who"] == {(raw, "email", True)}
    decides = {o["column"] for o in answer.json()["rows_from"]}
    assert decides == {"id"}
    assert answer.json()["runs"][0]["state"] == "COMPLETE"
    # facets that nobody here knows are kept and shown
    assert "spark_properties" in server.ledger.events()[0].payload["run"]["facets"]
    run = requests.get(
        f"{server.url}/api/penstock/v1/run",
        params={"id": answer.json()["runs"][0]["run_id"]},
        timeout=PATIENCE_SECONDS,
    ).json()
    assert run["parent"]["job_name"] == "foreign"
    assert verify(server.ledger.database).intact
