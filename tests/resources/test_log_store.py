"""Two drivers that commit to one table on S3 at the same moment, made to happen."""

from __future__ import annotations

import errno
import json
import os
import threading
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

from penstock.errors import SetupError
from penstock.resources.home import home
from penstock.resources.jars import JarSet, load_lock
from penstock.resources.local import LocalCluster
from penstock.resources.log_store import log_store_path, make_log_store
from penstock.resources.settings import Profile
from tests.forked import forked
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

COMMIT = "_delta_log/00000000000000000001.json"
KEY = "testing"


@dataclass(frozen=True, slots=True)
class Table:
    """A table on S3, and what a session must know to reach it."""

    path: str
    endpoint: str

    def append(self, spark: SparkSession, number: int) -> list[int]:
        """Write one row; all rows that are there afterwards."""
        row = spark.range(number, number + 1, 1, 1)
        row.write.format("delta").mode("append").save(self.path)
        return sorted(row.id for row in spark.read.format("delta").load(self.path).collect())

    def session(self, cores: int) -> AbstractContextManager[SparkSession]:
        """A session of this process that reaches the table."""
        reached = {
            "spark.hadoop.fs.s3a.endpoint": self.endpoint,
            "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
            "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
            "spark.hadoop.fs.s3a.retry.interval": "50ms",
            "spark.hadoop.fs.s3a.access.key": KEY,
            "spark.hadoop.fs.s3a.secret.key": KEY,
        }
        return LocalCluster(profile=Profile.SMALL, cores=cores, extra_conf=reached).session()


def append_and_tell(table: Table, number: int, answer: Path) -> None:
    """In a process that has no driver yet: `append` with one of its own."""
    with table.session(cores=1) as spark:
        answer.write_text(json.dumps(table.append(spark, number)))


@contextmanager
def s3(answer: Callable[[Callable[[], int]], int]) -> Iterator[Table]:
    """A table on an S3 whose answer to the PUT of version 1 is left to `answer`.

    `answer` is called with what forwards the request and gives the status.
    """
    bucket = f"lake-{uuid.uuid4()}"  # moto's buckets are those of the process
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got: list[tuple[int, list[tuple[str, str]], bytes]] = []

            def forward() -> int:
                connection = HTTPConnection(host, port)
                connection.request(self.command, self.path, body, dict(self.headers.items()))
                response = connection.getresponse()
                got.append((response.status, response.getheaders(), response.read()))
                connection.close()
                return response.status

            commit = self.command == "PUT" and self.path.split("?")[0].endswith(COMMIT)
            status = answer(forward) if commit else forward()
            forwarded, headers, content = got[-1]
            content = content if status == forwarded else b""
            kept = {name.lower(): value for name, value in headers}
            told = kept.get("content-length", "0") if self.command == "HEAD" else len(content)
            self.send_response(status)
            for name in kept.keys() - {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, kept[name])
            self.send_header("Content-Length", str(told))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=proxy.serve_forever)
    serving.start()
    boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
    ).create_bucket(Bucket=bucket)
    try:
        yield Table(f"s3a://{bucket}/t", f"http://127.0.0.1:{proxy.server_port}")
    finally:
        proxy.shutdown()
        serving.join()
        proxy.server_close()
        moto.stop()


@pytest.mark.usefixtures("spark")
def test_of_two_drivers_that_commit_at_once_neither_is_lost(tmp_path: Path) -> None:
    together = threading.Barrier(2, timeout=PATIENCE_SECONDS)
    statuses: list[int] = []
    lock = threading.Lock()

    def meet(forward: Callable[[], int]) -> int:
        if len(statuses) < 2:
            together.wait()  # both were told that version 1 is not there
        with lock:
            statuses.append(forward())
            return statuses[-1]

    output, answer = tmp_path / "other.log", tmp_path / "other.json"
    with s3(meet) as table, table.session(cores=2) as spark:
        assert table.append(spark, 0) == [0]
        with forked(output, append_and_tell, table, 2, answer) as other:
            rows = table.append(spark, 1)
            assert other.wait() == 0, output.read_text()
    assert statuses == [200, 412]
    # who was refused took the next version, on top of the other's
    assert [0, 1, 2] in [rows, json.loads(answer.read_text())]


@pytest.mark.usefixtures("spark")
def test_a_commit_whose_answer_was_lost_is_known_as_its_own() -> None:
    statuses: list[int] = []

    def lose_the_first(forward: Callable[[], int]) -> int:
        statuses.append(forward())
        return 503 if len(statuses) == 1 else statuses[-1]

    with s3(lose_the_first) as table, table.session(cores=2) as spark:
        table.append(spark, 0)
        assert table.append(spark, 1) == [0, 1]
    assert statuses == [200, 412]  # the client tried again, and was refused


def test_the_jar_is_kept_one_that_is_older_removed_and_one_that_is_cut_off_made_again(
    tmp_path: Path,
) -> None:
    for jar in load_lock().jars:
        (tmp_path / jar.file).symlink_to(home() / "jars" / jar.file)
    older = tmp_path / "penstock_log-store-000000000000.jar"
    older.touch()
    made = make_log_store(tmp_path)
    assert made == log_store_path(tmp_path, load_lock())
    assert not older.exists()
    first, length = made.stat().st_mtime_ns, made.stat().st_size
    assert make_log_store(tmp_path).stat().st_mtime_ns == first

    with made.open("r+b") as stream:  # a disk that filled up, a copy that broke off
        stream.truncate(1000)
    assert make_log_store(tmp_path).stat().st_size == length


def test_a_session_without_s3_compiles_nothing(tmp_path: Path) -> None:
    for jar in load_lock().jars:
        (tmp_path / jar.file).symlink_to(home() / "jars" / jar.file)
    appended = {jar.name for jar in LocalCluster(jars_folder=str(tmp_path)).appended_jars()}
    # what sources are read with is there, and nothing of S3
    sources = (JarSet.JDBC, JarSet.KAFKA, JarSet.AVRO)
    assert appended == {jar.file for jar in load_lock().of(sources)}
    assert not [*tmp_path.glob("penstock_*")]


def test_what_does_not_compile_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for jar in load_lock().jars:
        (tmp_path / jar.file).symlink_to(home() / "jars" / jar.file)
    monkeypatch.setattr("penstock.resources.log_store._source", lambda: "class {")
    with pytest.raises(SetupError, match="could not be compiled"):
        make_log_store(tmp_path)
    assert not [*tmp_path.glob("penstock_*")]
    assert not [*tmp_path.glob(".log-store*")]


def test_a_jar_folder_that_cannot_be_written_is_said_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for jar in load_lock().jars:
        (tmp_path / jar.file).symlink_to(home() / "jars" / jar.file)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(tmp_path))

    # root may write everywhere, so the system's answer is given in its place
    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(SetupError, match="cannot be put with the jars") as caught:
        make_log_store(tmp_path)
    assert caught.value.found == "Permission denied"
    assert "jars --resolve" in str(caught.value)
