"""The same shapes through a real Spark Connect server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyspark
import pytest

from penstock.resources.ports import answers
from tests.foreign_jvm import foreign_jvm
from tests.lineage.column_lineage_shapes import SHAPES, Shape, expected
from tests.lineage.tpcds_queries import QUERIES, stated
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
BY_NAME = [pytest.param(shape, id=shape.name.replace(" ", "-")) for shape in SHAPES]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    until(
        lambda: server.poll() is not None or answers("127.0.0.1", port),
        f"a Connect server on port {port}",
    )
    assert server.poll() is None, log.read_text()[-2000:]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("connect"), _free_port()
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    settings = foreign_jvm() | {
        "spark.master": "local[2]",
        "spark.driver.memory": "700m",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                *(str(submit), *options),
                *("--class", "org.apache.spark.sql.connect.service.SparkConnectServer"),
                "spark-internal",
            ],
            cwd=folder,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYSPARK_PYTHON": sys.executable},
            start_new_session=True,
        )
        try:
            _wait_for(port, process, log)
            yield f"sc://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def over_connect(server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    answer = tmp_path_factory.mktemp("answer") / "lineage.json"
    job = subprocess.run(
        [sys.executable, "-m", "tests.lineage.column_lineage_connect_job", server, str(answer)],
        cwd=ROOT,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_CONNECT_MODE_ENABLED": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert job.returncode == 0, job.stderr[-4000:]
    results: dict[str, Any] = json.loads(answer.read_text())
    return results


@pytest.mark.parametrize("shape", BY_NAME)
def test_lineage_over_connect(shape: Shape, over_connect: dict[str, Any]) -> None:
    seen = {key: over_connect[shape.name][key] for key in ("fields", "rows", "unknown")}
    assert seen == expected(shape, text=True)


@pytest.mark.parametrize("name", [pytest.param(n, id=n.replace(" ", "-")) for n in QUERIES])
def test_a_query_over_connect(name: str, over_connect: dict[str, Any]) -> None:
    seen = over_connect[f"query: {name}"]
    assert seen == stated(QUERIES[name], seen)
