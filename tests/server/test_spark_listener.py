"""OpenLineage's listener in a real Spark job: what it sends is taken, and its columns are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from penstock.ledger.verification import verify
from penstock.resources.home import home
from penstock.resources.ivy import resolve
from penstock.resources.jars import JarSet, parse_lock
from tests.foreign_jvm import foreign_jvm
from tests.forked import forked
from tests.patience import PATIENCE_MILLISECONDS, PATIENCE_SECONDS
from tests.server import listener_job

if TYPE_CHECKING:
    from tests.server.live_server import LiveServer

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def jars() -> str:
    folder = home() / "test-jars"
    lock = parse_lock((HERE / "listener.lock").read_text())
    resolve(folder, (JarSet.DELTA,), lock=lock)
    return ",".join(str(folder / jar.file) for jar in lock.jars)


@pytest.mark.slow
def test_a_job_of_somebody_else_is_in_the_graph(
    server: LiveServer, tmp_path: Path, jars: str
) -> None:
    output = tmp_path / "output"
    jvm = foreign_jvm() | {
        "spark.jars": jars,
        "spark.openlineage.transport.timeoutInMillis": str(PATIENCE_MILLISECONDS),
    }
    with forked(output, listener_job.main, tmp_path, server.url, jvm) as job:
        assert job.wait() == 0, output.read_text()[-2000:]
    assert "ERROR EventEmitter" not in output.read_text()
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
