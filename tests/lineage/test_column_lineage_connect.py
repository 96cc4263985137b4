"""The same shapes through a real Spark Connect server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyspark
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql.connect.proto import SQL, Relation

from penstock.lineage.plan.frame_lineage import column_lineage, lineage_of_plan
from penstock.lineage.plan.literals import apart, odd_names, set_apart_in_sql
from penstock.lineage.plan.text import read_plan_text
from penstock.resources.ports import answers
from tests.foreign_jvm import foreign_jvm
from tests.lineage.column_lineage_shapes import SHAPES, Shape, expected, found, inputs
from tests.lineage.test_column_lineage_literals import hostile
from tests.lineage.tpcds_queries import QUERIES, stated
from tests.patience import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A process of Connect's that reads lineage when asked."""

    process: subprocess.Popen[str]
    log: Path

    def ask(self, query: str | None) -> dict[str, Any]:
        """The lineage of a query, or of all that is written down."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        too_long = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        too_long.start()
        try:
            self.process.stdin.write(json.dumps(query) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        finally:
            too_long.cancel()
        assert answer, self.log.read_text()[-4000:]
        told: dict[str, Any] = json.loads(answer)
        return told


@pytest.fixture(scope="module")
def client(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    log = tmp_path_factory.mktemp("client") / "client.log"
    with (
        log.open("w") as err,
        subprocess.Popen(
            [sys.executable, "-m", "tests.lineage.column_lineage_connect_job", server],
            cwd=ROOT,
            env={**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_CONNECT_MODE_ENABLED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        ) as process,
    ):
        yield Client(process=process, log=log)
        process.kill()


@pytest.fixture(scope="module")
def over_connect(client: Client) -> dict[str, Any]:
    return client.ask(None)


@pytest.mark.parametrize("shape", BY_NAME)
def test_lineage_over_connect(shape: Shape, over_connect: dict[str, Any]) -> None:
    seen = {key: over_connect[shape.name][key] for key in ("fields", "rows", "unknown")}
    assert seen == expected(shape, text=True)


@pytest.mark.parametrize("name", [pytest.param(n, id=n.replace(" ", "-")) for n in QUERIES])
def test_a_query_over_connect(name: str, over_connect: dict[str, Any]) -> None:
    seen = over_connect[f"query: {name}"]
    assert seen == stated(QUERIES[name], seen)


# -- a query is the same to every reader -----------------------------------------------------


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


_texts = hostile.map(_quoted)
_names = hostile.filter(bool).map(lambda text: f"`{text.replace('`', '``')}`")
_columns = st.sampled_from(["carrier", "tail", "origin.city", "tags['a, b']"])


def _larger(smaller: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("concat({}, {}, {})".format, _texts, smaller, _texts),
        st.builds("sha2(concat({}, {}), 256)".format, smaller, _texts),
        st.builds("if({} = {}, {}, {})".format, smaller, _texts, smaller, _texts),
        st.builds("CASE {} WHEN {} THEN {} END".format, smaller, _texts, smaller),
        st.builds("coalesce({}, tags[{}])".format, smaller, _texts),
        st.builds(
            "named_struct('c', {}, {}, delay).c".format,
            smaller,
            _texts.filter(lambda t: t != "'c'"),
        ),
        st.builds(
            "concat({}, (SELECT max(maker) FROM planes WHERE maker = {}))".format, smaller, _texts
        ),
    )


_values = st.recursive(st.one_of(_columns, _texts), _larger, max_leaves=4)


@given(value=_values, name=_names, text=_texts)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_query_is_the_same_to_every_reader(
    spark: SparkSession, client: Client, value: str, name: str, text: str
) -> None:
    query = (
        f"SELECT upper({name}) AS value, s.{name} AS field, tail FROM (SELECT {value} AS {name}, "
        f"struct(lower(payload) AS {name}) AS s, tail FROM flights WHERE carrier <> {text})"
    )
    inputs(spark)
    frame = spark.sql(query)
    read = found(column_lineage(frame))
    assert read["unknown"] == []
    odd = odd_names(Relation(sql=SQL(query=query)))
    analyzed = spark.sql(set_apart_in_sql(query, odd))._jdf.queryExecution().analyzed()
    printed = apart(str(analyzed.treeString(True, False, 2**31 - 1, False, False)), odd)
    assert found(lineage_of_plan(read_plan_text(printed), frame.columns)) == read
    assert client.ask(query) == read
