"""The nightly job on one real day: on a local folder, and once more on S3. Same tables.

On the folder its steps run at the same time, in threads; on S3 one after the other.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import dagster as dg
import pytest

from pipelines.data import CANARY, unpack_flights, write_bookings
from resources.environments import environment
from tests.moto_server import moto_server
from tests.pipelines import night_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from penstock.assets.deployment import Deployment

pytestmark = pytest.mark.slow(seconds=250)

DAY = date(2013, 2, 12)  # the day of the 1,048 mph wind
SEED = 2013


@dataclass(frozen=True)
class Night:
    """One environment after its nightly, masking and upkeep jobs."""

    here: Deployment
    folder: Path
    instance: dg.DagsterInstance

    def table(self, name: str) -> list[tuple[Any, ...]]:
        path = self.here.resources["lake"].table(name).path
        with self.here.resources["cluster"].session() as spark:
            rows = spark.read.format("delta").load(path).collect()
        return sorted((tuple(row) for row in rows), key=repr)


def deliver(landing: Path) -> None:
    unpack_flights(landing, [DAY])
    write_bookings(landing, [DAY], SEED)


def run_night(
    variables: dict[str, str], folder: Path, secrets: Path, *, at_once: bool = False
) -> Night:
    """The three jobs, in this process, in the session the suite shares."""
    variables = {
        "PENSTOCK_ENV": "team",
        "PENSTOCK_LEDGER": f"sqlite:///{folder / 'ledger.db'}",
        "PENSTOCK_SECRETS": str(secrets),
        "PENSTOCK_HOME": str(folder),
        **variables,
    }
    conf = environment(variables).resources()["lake"].spark_conf()
    if conf:
        # the suite's JVM began before the test set its environment
        conf |= {
            "spark.hadoop.fs.s3a.access.key": os.environ["AWS_ACCESS_KEY_ID"],
            "spark.hadoop.fs.s3a.secret.key": os.environ["AWS_SECRET_ACCESS_KEY"],
        }
    dagster_home = folder / "dagster"
    dagster_home.mkdir(parents=True)
    instance = dg.DagsterInstance.local_temp(str(dagster_home))
    for name, day in (("nightly", str(DAY)), ("daily_masking", None), ("weekly_upkeep", None)):
        if at_once:
            found = dg.build_reconstructable_job(
                night_job.__name__,
                "job",
                reconstructable_args=(name, variables),  # type: ignore[arg-type]
            )
            tags = {"dagster/partition": day} if day else None
            assert dg.execute_job(found, instance, tags=tags).success, name
        else:
            made = night_job.job(name, variables, conf).execute_in_process(
                partition_key=day, instance=instance, raise_on_error=False
            )
            assert made.success, name
    return Night(here=night_job.deployed(variables, conf), folder=folder, instance=instance)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "secrets"


@pytest.fixture(scope="module")
def on_disk(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, secrets: Path
) -> Iterator[Night]:
    assert spark
    folder = tmp_path_factory.mktemp("night")
    deliver(folder / "landing")
    places = {"PENSTOCK_LAKE": str(folder / "lake"), "PENSTOCK_LANDING": str(folder / "landing")}
    night = run_night(places, folder, secrets, at_once=True)
    yield night
    night.instance.dispose()


@pytest.fixture(scope="module")
def on_s3(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, secrets: Path
) -> Iterator[Night]:
    assert spark
    folder = tmp_path_factory.mktemp("night_s3")
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    with pytest.MonkeyPatch.context() as patch, moto_server() as endpoint:
        for name, value in keys.items():
            patch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        client.create_bucket(Bucket="lake")
        client.create_bucket(Bucket="landing")
        deliver(folder / "dump")
        for path in sorted((folder / "dump").rglob("*.csv")):
            client.upload_file(str(path), "landing", f"in/{path.relative_to(folder / 'dump')}")
        shutil.rmtree(folder / "dump")
        places = {
            "PENSTOCK_LAKE": "s3://lake/tables",
            "PENSTOCK_LANDING": "s3://landing/in",
            "PENSTOCK_S3_ENDPOINT": endpoint,
        }
        night = run_night(places, folder, secrets)
        yield night
        night.instance.dispose()


def test_the_night_ends_with_the_figures_of_the_day(on_disk: Night) -> None:
    rows = {s.name: len(on_disk.table(s.name)) for s in on_disk.here.datasets}
    assert rows["bronze.bookings"] == 600
    assert rows["silver.bookings"] == rows["shared.bookings"] == 595
    assert rows["bronze.flights"] == rows["silver.flights"] == rows["features.route_delays"]
    assert rows["bronze.weather"] == rows["silver.weather"] + 1, "the 1,048 mph row is set aside"


def test_s3_holds_the_same_tables_as_the_disk(on_disk: Night, on_s3: Night) -> None:
    for spec in on_disk.here.datasets:
        assert on_s3.table(spec.name) == on_disk.table(spec.name), spec.name


def test_every_table_has_its_events_and_each_names_its_inputs(on_disk: Night) -> None:
    ledger = on_disk.here.runtime().ledger
    complete = {event.job for event in ledger.events(event_type="COMPLETE")}
    assert {spec.name for spec in on_disk.here.datasets} <= complete
    assert not ledger.events(event_type="FAIL")
    assert not ledger.open_runs()


def test_a_person_is_in_no_log_event_record_or_table_history(on_disk: Night) -> None:
    clear = (CANARY.email, CANARY.phone, CANARY.passport_number, CANARY.last_name)
    key = on_disk.here.resources["secrets"].secrets().key("masking").reveal()
    pads = [bytes(b ^ n for b in key.ljust(64, b"\0")) for n in (0x36, 0x5C)]
    secrets = [part for k in (key, *pads) for part in (k, k.hex().encode())]
    looked = 0
    for path in told_by(on_disk.folder):
        content = path.read_bytes()
        looked += 1
        found = [word for word in clear if word.encode() in content]
        assert not found, path.relative_to(on_disk.folder)
        assert not any(secret in content for secret in secrets), path.relative_to(on_disk.folder)
    assert looked > 50


def test_nobody_can_be_read_in_the_shared_copy(on_disk: Night) -> None:
    text = repr(on_disk.table("shared.bookings"))
    clear = (CANARY.email, CANARY.phone, CANARY.passport_number, CANARY.first_name, "1971-04")
    assert [word for word in clear if word in text] == []
    assert repr(on_disk.table("silver.bookings")).count(CANARY.email) >= 1


def told_by(folder: Path) -> Iterator[Path]:
    """Every file that tells of runs: all but landing, the keys and the tables' own rows."""
    for root, folders, names in os.walk(folder):
        if root == str(folder):
            folders[:] = [name for name in folders if name != "landing"]
        yield from (Path(root) / name for name in names if not name.endswith(".parquet"))
