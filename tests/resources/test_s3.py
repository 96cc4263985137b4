from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer

from penstock import Contract, column, dataset, external

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame

    from tests.resources.conftest import RunScript


class Number(Contract, name="others.numbers", version="1.0.0", owner="team:others"):
    """A number of somebody else's."""

    id: int = column()


class Ours(Contract, name="bronze.numbers", version="1.0.0", owner="team:ours"):
    """A number of ours."""

    id: int = column()


@dataset(Ours, inputs={"rows": external(Number, "s3://lake/t")})
def numbers(rows: DataFrame) -> DataFrame:
    return rows


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


S3 = """
import os
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
extra = {
    "spark.hadoop.fs.s3a.endpoint": os.environ["ENDPOINT"],
    "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
    "spark.hadoop.fs.s3a.path.style.access": "true",
    "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
}
table = "s3a://lake/t"
first = LocalCluster(profile=Profile.SMALL, cores=1)
with first.session():
    pass
with LocalCluster(profile=Profile.SMALL, cores=1, extra_conf=extra).session() as spark:
    for _ in range(2):
        spark.range(5).write.format("delta").mode("append").save(table)
    spark.range(7).createOrReplaceTempView("arrived")
    spark.sql(
        f"MERGE INTO delta.`{table}` t USING arrived s ON t.id = s.id AND t.id > 100 "
        "WHEN NOT MATCHED THEN INSERT *"
    )
    spark.sql(f"OPTIMIZE delta.`{table}`")
    print(spark.read.format("delta").load(table).count())

    from dataclasses import replace
    from pathlib import Path
    from penstock import Slice, run
    from penstock.resources.lake import Lake
    from penstock.testing import temporary_lake
    from tests.resources.test_s3 import numbers
    mine = temporary_lake(Path(os.environ["FOLDER"]))
    lake = Lake(
        root=mine.lake.root, landing="s3://lake/landing", s3_endpoint=os.environ["ENDPOINT"]
    )
    outcome = run(numbers, spark, Slice(), runtime=replace(mine, lake=lake))
    print(outcome.rows_changed, outcome.inputs["rows"]["location"])
    print(run(numbers, spark, Slice(), runtime=replace(mine, lake=lake)).committed)
"""


@pytest.mark.slow
def test_delta_on_s3_with_the_small_jar_set_in_a_session_that_began_without_it(
    run_script: RunScript, endpoint: str, tmp_path: Path
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.create_bucket(Bucket="lake")
    done = run_script(S3, ENDPOINT=endpoint, FOLDER=str(tmp_path), **keys)
    told = ["17", "17", "s3://lake/t", "False"]
    assert done.stdout.split() == told, done.stderr
