from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.errors import SetupError
from penstock.resources.connect import ConnectCluster
from penstock.resources.local import LocalCluster
from resources.environments import READER, environment

if TYPE_CHECKING:
    from pathlib import Path


def test_without_variables_everything_is_in_penstocks_home(tmp_path: Path) -> None:
    local = environment({"PENSTOCK_HOME": str(tmp_path)})
    assert (local.name, local.root) == ("local", str(tmp_path / "lake"))
    assert local.ledger == f"sqlite:///{tmp_path / 'ledger.db'}"
    resources = local.resources()
    assert set(resources) == {"lake", "ledger", "secrets", "cluster"}
    assert isinstance(resources["cluster"], LocalCluster)
    assert not list(tmp_path.iterdir())


def test_a_variable_moves_one_thing(tmp_path: Path) -> None:
    moved = environment(
        {
            "PENSTOCK_HOME": str(tmp_path),
            "PENSTOCK_LAKE": "s3://lake/root",
            "PENSTOCK_S3_ENDPOINT": "http://127.0.0.1:9000",
        }
    )
    assert moved.landing == str(tmp_path / "landing")
    cluster = moved.resources()["cluster"]
    assert cluster.extra_conf["spark.hadoop.fs.s3a.endpoint"] == "http://127.0.0.1:9000"


def test_a_connect_server_is_used_when_it_is_named(tmp_path: Path) -> None:
    warm = environment(
        {"PENSTOCK_HOME": str(tmp_path), "PENSTOCK_CONNECT_URL": "sc://127.0.0.1:15002"}
    )
    cluster = warm.resources()["cluster"]
    assert isinstance(cluster, ConnectCluster)
    assert cluster.url == "sc://127.0.0.1:15002"


def test_what_is_no_file_is_read_where_it_is_said_to_be() -> None:
    here = environment(
        {
            "PENSTOCK_SOURCES": "all",
            "PENSTOCK_POSTGRES": "db.example.org:5433",
            "PENSTOCK_KAFKA": "",
        }
    ).resources()
    reference, reservations = here["reference"], here["reservations"]
    assert (reference.host, reference.port) == ("db.example.org", 5433)
    assert reservations.bootstrap_servers == "127.0.0.1:9092"
    assert reference.user == reservations.user == READER
    with pytest.raises(SetupError, match="no place of a database"):
        environment({"PENSTOCK_SOURCES": "all", "PENSTOCK_POSTGRES": "db:one"}).resources()
    with pytest.raises(SetupError, match="there are no such sources") as caught:
        environment({"PENSTOCK_SOURCES": "file"})
    assert caught.value.expected == "files or all"


def test_a_team_must_say_where_its_things_are() -> None:
    with pytest.raises(SetupError) as refused:
        environment({"PENSTOCK_ENV": "team", "PENSTOCK_LAKE": "s3://lake"})
    assert refused.value.found == "not set: PENSTOCK_LANDING, PENSTOCK_LEDGER, PENSTOCK_SECRETS"


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(SetupError, match="no such environment"):
        environment({"PENSTOCK_ENV": "staging"})
