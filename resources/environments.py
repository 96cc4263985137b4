"""Where the deployment runs: `PENSTOCK_ENV` says which environment it is.

local  (the default) everything in Penstock's home (`PENSTOCK_HOME`, or `.penstock` in the project)
team   a lake, a landing folder and a ledger that several people share; each must be named

`PENSTOCK_LAKE`, `PENSTOCK_LANDING` (folders or s3://), `PENSTOCK_LEDGER` (an SQLAlchemy URL),
`PENSTOCK_SECRETS` (a folder), `PENSTOCK_S3_ENDPOINT` and `PENSTOCK_S3_REGION` say where things are;
`PENSTOCK_CONNECT_URL` names a Spark Connect server to run on, `PENSTOCK_BROWSER_URL` the lineage
browser that assets link to.

`PENSTOCK_SOURCES` says how the data arrives: `files`, or `all` with a database
(`PENSTOCK_POSTGRES`, host:port) and a Kafka broker (`PENSTOCK_KAFKA`) beside them, which ask for
passwords of the secrets.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import SetupError
from penstock.resources.connect import CONNECT_URL, ConnectCluster
from penstock.resources.home import home
from penstock.resources.kafka import Kafka
from penstock.resources.lake import Lake
from penstock.resources.ledger import LedgerResource
from penstock.resources.local import LocalCluster
from penstock.resources.ports import LOOPBACK, host_and_port
from penstock.resources.postgres import Postgres
from penstock.resources.secrets import SecretsResource
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["READER", "Environment", "Sources", "environment", "sources"]

READER = "penstock_reader"
"""Who reads the database and the topic."""


class Sources(StrEnum):
    """How the data arrives."""

    FILES = "files"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where data, events and keys are, and what Spark runs on."""

    name: str
    root: str
    landing: str
    ledger: str
    secrets: Path
    profile: Profile
    s3_endpoint: str | None = None
    s3_region: str = "us-east-1"
    connect_url: str | None = None
    browser_url: str | None = None
    sources: Sources = Sources.FILES
    postgres: str = f"{LOOPBACK}:5432"
    kafka: str = f"{LOOPBACK}:9092"

    def resources(self) -> dict[str, Any]:
        """What Dagster gives to the assets."""
        lake = Lake(
            root=self.root,
            landing=self.landing,
            s3_endpoint=self.s3_endpoint,
            s3_region=self.s3_region,
        )
        cluster = (
            ConnectCluster(url=self.connect_url, extra_conf=lake.spark_conf())
            if self.connect_url
            else LocalCluster(profile=self.profile, extra_conf=lake.spark_conf())
        )
        return {
            "lake": lake,
            "ledger": LedgerResource(
                url=self.ledger,
                namespace=f"penstock.{self.name}",
                browser_url=self.browser_url,
            ),
            "secrets": SecretsResource(folder=str(self.secrets)),
            "cluster": cluster,
            **(self._senders() if self.sources is Sources.ALL else {}),
        }

    def _senders(self) -> dict[str, Any]:
        """What is read that is no file, each by the name of its resource."""
        try:
            host, port = host_and_port(f"//{self.postgres}", 5432)
        except ValueError:
            raise SetupError(
                "this is no place of a database",
                where="PENSTOCK_POSTGRES",
                expected="host:port",
                found=self.postgres,
                next_step="correct it",
            ) from None
        return {
            "reference": Postgres(host=host, port=port, database="reference", user=READER),
            "reservations": Kafka(
                bootstrap_servers=self.kafka,
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism="PLAIN",
                user=READER,
            ),
        }


def sources(variables: Mapping[str, str] = os.environ) -> Sources:
    """How the data arrives, by `PENSTOCK_SOURCES`. Raises SetupError."""
    named = variables.get("PENSTOCK_SOURCES") or Sources.FILES
    try:
        return Sources(named)
    except ValueError:
        raise SetupError(
            "there are no such sources",
            where="PENSTOCK_SOURCES",
            expected=" or ".join(Sources),
            found=named,
            next_step="unset PENSTOCK_SOURCES for files alone, or correct it",
        ) from None


def environment(variables: Mapping[str, str] = os.environ) -> Environment:
    """The environment that the variables name. Raises SetupError."""
    name = variables.get("PENSTOCK_ENV", "local")
    folder = home(variables)
    match name:
        case "local":
            places = {
                "PENSTOCK_LAKE": str(folder / "lake"),
                "PENSTOCK_LANDING": str(folder / "landing"),
                "PENSTOCK_LEDGER": f"sqlite:///{folder / 'ledger.db'}",
                "PENSTOCK_SECRETS": str(folder / "secrets"),
            }
            profile = Profile.SMALL
        case "team":
            places, profile = {}, Profile.STANDARD
        case _:
            raise SetupError(
                "there is no such environment",
                where="PENSTOCK_ENV",
                expected="local or team",
                found=name,
                next_step="unset PENSTOCK_ENV for the local one, or correct it",
            )
    places |= {key: value for key, value in variables.items() if value}
    missing = [key for key in _PLACES if not places.get(key)]
    if missing:
        raise SetupError(
            f"environment {name} does not say where things are",
            where="PENSTOCK_ENV",
            expected=", ".join(_PLACES),
            found=f"not set: {', '.join(missing)}",
            next_step=f"export {missing[0]}=...",
        )
    return Environment(
        name=name,
        root=places["PENSTOCK_LAKE"],
        landing=places["PENSTOCK_LANDING"],
        ledger=places["PENSTOCK_LEDGER"],
        secrets=Path(places["PENSTOCK_SECRETS"]),
        profile=profile,
        s3_endpoint=variables.get("PENSTOCK_S3_ENDPOINT") or None,
        s3_region=variables.get("PENSTOCK_S3_REGION") or "us-east-1",
        browser_url=variables.get("PENSTOCK_BROWSER_URL"),
        connect_url=variables.get(CONNECT_URL) or None,
        sources=sources(variables),
        **{
            name: variables[key]
            for name, key in (("postgres", "PENSTOCK_POSTGRES"), ("kafka", "PENSTOCK_KAFKA"))
            if variables.get(key)
        },
    )


_PLACES = ("PENSTOCK_LAKE", "PENSTOCK_LANDING", "PENSTOCK_LEDGER", "PENSTOCK_SECRETS")
