from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest

from penstock.errors import ClusterError
from penstock.resources import ports
from penstock.resources.cluster import Capability, Cluster
from penstock.resources.connect import ConnectCluster

if TYPE_CHECKING:
    from tests.resources.conftest import RunScript


def test_a_server_that_is_not_there_is_named_at_once_with_what_to_do() -> None:
    url = f"sc://127.0.0.1:{ports.free_port()}/;token=secret"
    cluster = ConnectCluster(url=url)
    with pytest.raises(ClusterError) as caught, cluster.session():
        pass
    assert caught.value.where == url.split("/;", maxsplit=1)[0]
    assert "secret" not in str(caught.value)
    assert "penstock up" in caught.value.next_step


def test_the_server_of_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_CONNECT_URL", "sc://127.0.0.1:9")
    with pytest.raises(ClusterError, match=r"sc://127\.0\.0\.1:9"):
        ConnectCluster().ensure()


def test_it_follows_the_protocol_and_says_that_it_is_shared() -> None:
    cluster = ConnectCluster(url="sc://127.0.0.1:9")
    assert isinstance(cluster, Cluster)
    assert cluster.capabilities == {Capability.SESSION, Capability.SHARED}


LIFE = """
import os, signal, sys, tempfile, threading, time
from pyspark.sql import functions as F
from penstock.errors import ClusterError
from penstock.resources.connect import ConnectCluster
from penstock.resources.interruption import Interrupted, Interruption, interruptible
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile

cluster = ConnectCluster(profile=Profile.SMALL, cores=1)
cluster.ensure()
server = cluster._server.child.process.pid
print("SERVER", server)
with cluster.session() as spark, cluster.session() as other:
    spark.sql("SET spark.sql.shuffle.partitions=7")
    print("APART", other.conf.get("spark.sql.shuffle.partitions"))
    with tempfile.TemporaryDirectory() as folder:
        spark.range(5).withColumn("x", F.col("id")).write.format("delta").save(folder + "/t")
        print("DELTA", other.read.format("delta").load(folder + "/t").count())
print("CPU", cluster.cost().cpu_seconds > 0)

endless = "SELECT count(*) FROM range(100000000000) WHERE hash(id, id) % 7 = rand()"
interruption = Interruption()
try:
    with cluster.session() as other, interruptible(interruption), cluster.session() as spark:
        def ask(done, **_):
            if not done and not interruption.asked:
                threading.Thread(target=interruption.ask).start()

        spark.registerProgressHandler(ask)
        spark.sql(endless).collect()
except Interrupted:
    with cluster.session() as spark:
        print("INTERRUPTED", spark.range(3).count())

try:
    with cluster.session() as spark:
        def kill(done, **_):
            global killed
            if not done and killed is None:
                killed = time.monotonic()
                os.kill(server, signal.SIGKILL)

        killed = None
        spark.registerProgressHandler(kill)  # called while the query is at work
        spark.sql(endless).collect()
except ClusterError as error:
    print("LOST", int(time.monotonic() - killed), error)

with cluster.session() as spark:
    print("NEW SERVER", spark.range(3).count(), cluster._server.child.process.pid)
cluster.release()
cluster.release()
with LocalCluster(profile=Profile.SMALL, cores=1).session() as spark:
    print("CLASSIC", spark.range(3).select(F.col("id")).count())
cluster.ensure()
print("FORGOTTEN", cluster._server.child.process.pid)
"""


@pytest.mark.slow
def test_the_life_of_an_own_server(run_script: RunScript) -> None:
    done = run_script(LIFE)
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines() if line[:1].isupper())
    assert said["APART"] == "1", done.stderr
    assert said["DELTA"] == "5"
    assert said["CPU"] == "True"
    assert said["INTERRUPTED"] == "3", "the query of the one session, and the server lives"
    seconds, message = said["LOST"].split(" ", 1)
    assert int(seconds) < 120, "not the ten minutes of PySpark's own policy"
    assert message.endswith("the Spark Connect server is gone")
    _, rows, second = said["NEW"].split()
    assert rows == "3"
    assert said["CLASSIC"] == "3"
    assert not psutil.pid_exists(int(said["SERVER"]))
    assert not psutil.pid_exists(int(second))
    assert not psutil.pid_exists(int(said["FORGOTTEN"]))
