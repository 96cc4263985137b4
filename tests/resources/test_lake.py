"""The lake on a local disk and on S3: names, paths, and listings of landing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import DefinitionError, InputError, LakeError
from penstock.resources.lake import Lake

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
        with lake.open(file.name) as stream:
            content = stream.read()
        assert content == b"id\n" + file.name.encode()
        assert file.bytes == len(content)
        assert file.modified.tzinfo


def test_a_link_to_nothing_is_no_file(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    (landing / "folder.csv").mkdir(parents=True)
    (landing / "gone.csv").symlink_to("nothing")
    (landing / "loop.csv").symlink_to("loop.csv")
    (landing / "there.csv").write_text("id\n")
    (landing / "link.csv").symlink_to("there.csv")
    found = Lake(root=str(tmp_path / "lake"), landing=str(landing)).landing_files("*.csv")
    assert [file.name for file in found] == ["link.csv", "there.csv"]


def test_a_file_that_went_away_is_named(lake: Lake, tmp_path: Path) -> None:
    (file,) = lake.landing_files("weather.csv")
    if lake.landing.startswith("s3://"):
        client: Any = boto3.client("s3", endpoint_url=lake.s3_endpoint, region_name="us-east-1")
        client.delete_object(Bucket="air", Key="landing/weather.csv")
    else:
        (tmp_path / "landing" / "weather.csv").unlink()
    with pytest.raises(InputError, match="cannot be read") as caught, lake.open(file.name):
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


def test_what_is_kept_for_a_while_is_gone_afterwards(lake: Lake) -> None:
    scratch = lake.scratch("_unpacked")
    assert scratch.folders() == []
    kept = scratch.put("one/orders/a [1].zip", io.BytesIO(b"content"))
    scratch.put("one two/a.zip", io.BytesIO(b""))
    place = lake.root.replace("s3://", "s3a://").rstrip("/")
    assert kept == f"{place}/_unpacked/one/orders/a [1].zip"
    assert scratch.folders() == ["one", "one two"]
    scratch.remove("one")
    scratch.remove("one")
    assert scratch.folders() == ["one two"]


def test_a_storage_that_refuses_what_is_kept_for_a_while_says_so(lake: Lake) -> None:
    if lake.root.startswith("s3://"):
        scratch = lake.model_copy(update={"root": "s3://no-such-bucket/lake"}).scratch("_unpacked")
    else:
        scratch = lake.model_copy(update={"root": f"{lake.landing}/weather.csv"}).scratch("x")
    with pytest.raises(LakeError, match="cannot be kept in the lake"):
        scratch.put("one/a.zip", io.BytesIO(b"content"))


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


_SIGNS = st.sampled_from("ab20 %#?\\:é+[*'")


@settings(max_examples=60)
@given(st.text(_SIGNS, min_size=1, max_size=6))
def test_a_local_root_is_refused_or_both_engines_read_the_same_folder(name: str) -> None:
    with TemporaryDirectory() as folder:
        lake = Lake(root=f"{folder}/{name}", landing=folder)
        try:
            table = lake.table("a.b")
        except DefinitionError:
            return  # which signs are refused is the next test's subject
        _written_by_hand(Path(folder, name, "a", "b"))
        log = table.read()
        assert log is not None
        assert [commit.operation for commit in log.commits()] == ["MADE"]
        assert table.path == str(Path(folder, name, "a", "b"))


@pytest.mark.parametrize("name", ["a%20b", "a#b", "a?b", "a\\b", "%23"])
def test_a_root_that_delta_rs_takes_for_another_is_refused(tmp_path: Path, name: str) -> None:
    for root in (str(tmp_path / name), f"s3://air/{name}"):
        with pytest.raises(DefinitionError, match="read differently") as caught:
            Lake(root=root, landing=str(tmp_path)).table("a.b")
        assert caught.value.where == root


@pytest.mark.parametrize("name", ["a b", "100%", "a+b", "é"])
def test_other_signs_are_the_same_to_both_on_s3(
    name: str, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "x")
    client: Any = boto3.client("s3", endpoint_url=s3, region_name="us-east-1")
    client.create_bucket(Bucket="signs")
    client.put_object(Bucket="signs", Key=f"{name}/a/b/_delta_log/{0:020}.json", Body=_commit())
    log = Lake(root=f"s3://signs/{name}", landing="s3://signs/in", s3_endpoint=s3).table("a.b")
    found = log.read()
    assert found is not None
    assert [commit.operation for commit in found.commits()] == ["MADE"]


def test_a_colon_is_refused_on_s3_alone(tmp_path: Path) -> None:
    assert Lake(root=str(tmp_path / "a:b"), landing=str(tmp_path)).table("a.b")
    with pytest.raises(DefinitionError, match="read differently"):
        Lake(root="s3://air/a:b", landing=str(tmp_path)).table("a.b")


def _written_by_hand(folder: Path) -> None:
    """A table that no engine's notion of an address had a part in."""
    (folder / "_delta_log").mkdir(parents=True)
    (folder / "_delta_log" / f"{0:020}.json").write_text(_commit())


def _commit() -> str:
    column = {"name": "n", "type": "long", "nullable": True, "metadata": {}}
    schema = {"type": "struct", "fields": [column]}
    actions = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps(schema),
                "partitionColumns": [],
                "configuration": {},
                "createdTime": 1,
            }
        },
        {"commitInfo": {"timestamp": 1, "operation": "MADE"}},
    ]
    return "\n".join(map(json.dumps, actions)) + "\n"
