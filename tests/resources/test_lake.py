"""The lake on a local disk and on S3: names, paths, and listings of landing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest

from penstock.errors import InputError, LakeError
from penstock.resources.lake import Lake

if TYPE_CHECKING:
    from pathlib import Path

FILES = (
    "flights/flights-2013-01-05.csv",
    "flights/flights-2013-01-06.csv.gz",
    "flights/_flights-2013-01-07.csv",
    "flights/.flights-2013-01-07.csv",
    "flights/old/flights-2013-01-04.csv",
    "flights/Flights-2013-01-05.csv",
    "weather.csv",
)


@pytest.fixture(params=["local", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    if request.param == "local":
        for name in FILES:
            file = tmp_path / "landing" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"id\n" + name.encode())
        return Lake(root=str(tmp_path / "lake"), landing=str(tmp_path / "landing"))
    endpoint = request.getfixturevalue("s3")
    for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")):
        monkeypatch.setenv(name, value)
    client: Any = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket="air")
    for name in FILES:
        client.put_object(Bucket="air", Key=f"landing/{name}", Body=b"id\n" + name.encode())
    return Lake(root="s3://air/lake/", landing="s3://air/landing", s3_endpoint=endpoint)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("flights/flights-2013-01-05*.csv", ["flights/flights-2013-01-05.csv"]),
        (
            "flights/flights-*",
            ["flights/flights-2013-01-05.csv", "flights/flights-2013-01-06.csv.gz"],
        ),
        (
            "flights/*.csv",
            ["flights/Flights-2013-01-05.csv", "flights/flights-2013-01-05.csv"],
        ),
        ("flights/flights-2013-01-0[56].csv", ["flights/flights-2013-01-05.csv"]),
        ("*.csv", ["weather.csv"]),
        ("flights/nothing*.csv", []),
        ("flights/*/*.csv", ["flights/old/flights-2013-01-04.csv"]),
        ("*/flights-2013-01-05.csv", ["flights/flights-2013-01-05.csv"]),
        ("flights/2013-01-05/*.csv", []),
        ("2013-01-05/*.csv", []),
    ],
)
def test_a_glob_finds_the_same_files_everywhere(lake: Lake, pattern: str, names: list[str]) -> None:
    found = lake.landing_files(pattern)
    assert [file.name for file in found] == names
    for file in found:
        with lake.open(file) as stream:
            content = stream.read()
        assert content == b"id\n" + file.name.encode()
        assert file.bytes == len(content)
        assert file.modified.tzinfo


def test_a_file_that_went_away_is_named(lake: Lake, tmp_path: Path) -> None:
    (file,) = lake.landing_files("weather.csv")
    if lake.landing.startswith("s3://"):
        client: Any = boto3.client("s3", endpoint_url=lake.s3_endpoint, region_name="us-east-1")
        client.delete_object(Bucket="air", Key="landing/weather.csv")
    else:
        (tmp_path / "landing" / "weather.csv").unlink()
    with pytest.raises(InputError, match="cannot be read") as caught, lake.open(file):
        pass
    assert caught.value.where == "weather.csv"


def test_a_landing_that_is_not_there_is_named(lake: Lake) -> None:
    gone = lake.model_copy(update={"landing": lake.landing.replace("landing", "gone")})
    if gone.landing.startswith("s3://"):
        gone = gone.model_copy(update={"landing": "s3://no-such-bucket/landing"})
    with pytest.raises(InputError, match="landing folder does not exist"):
        gone.landing_files("flights/*.csv")
    with pytest.raises(InputError, match="landing folder does not exist"):
        gone.landing_files("2013-01-05/*.csv")


def test_a_dataset_has_one_place(lake: Lake) -> None:
    table, aside = lake.table("silver.air.flights"), lake.quarantine("silver.air.flights")
    assert table.uri.endswith("lake/silver/air/flights")
    assert aside.uri.endswith("lake/_quarantine/silver/air/flights")
    assert aside.dataset == "silver.air.flights (quarantine)"
    assert table.read() is None
    if lake.root.startswith("s3://"):
        assert table.path == "s3a://air/lake/silver/air/flights"
        assert table.physical_name == ("s3://air", "lake/silver/air/flights")
        assert table.options["AWS_ALLOW_HTTP"] == "true"
        conf = lake.spark_conf()
        assert conf["spark.hadoop.fs.s3a.endpoint"] == lake.s3_endpoint
        assert conf["spark.hadoop.fs.s3a.connection.ssl.enabled"] == "false"
    else:
        assert table.path == table.uri
        assert table.physical_name == ("file", table.path)
        assert lake.spark_conf() == {}
    lake.check_writable()


def test_a_root_that_is_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("")
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path))
    with pytest.raises(LakeError, match="no permission to write") as caught:
        lake.check_writable()
    assert caught.value.where == str(tmp_path / "lake")


def test_an_aws_lake_needs_no_endpoint() -> None:
    lake = Lake(root="s3://air/lake", landing="/landing", s3_region="eu-west-1")
    assert lake.table("a.b").options == {"AWS_REGION": "eu-west-1"}
    assert "spark.hadoop.fs.s3a.endpoint" not in lake.spark_conf()
