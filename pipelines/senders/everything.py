"""A database and a broker that hold a part of the demo's data, for as long as it is told."""

from __future__ import annotations

import secrets as randomness
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.errors import SetupError
from penstock.resources.ports import LOOPBACK
from penstock.resources.secrets import FileSecrets
from pipelines.data.flights import day_file
from pipelines.data.restated import booking_records
from pipelines.senders.kafka import broker
from pipelines.senders.postgres import database_server
from resources.environments import READER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from pipelines.senders.kafka import Broker
    from pipelines.senders.postgres import DatabaseServer

__all__ = ["Senders", "senders"]

TOPIC = "bookings"
_AIRPORTS = """CREATE TABLE public.airports (
    faa text PRIMARY KEY, name text NOT NULL, lat double precision, lon double precision,
    alt integer, tz smallint, dst char(1), tzone varchar(40)
)"""
_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Senders:
    """The two servers. `delivered` holds what they are to send, as CSV; `sent` what they did."""

    database: DatabaseServer
    broker: Broker
    delivered: Path
    sent: Path

    @property
    def variables(self) -> Mapping[str, str]:
        """What tells the deployment where they are."""
        return {
            "PENSTOCK_POSTGRES": f"{LOOPBACK}:{self.database.port}",
            "PENSTOCK_KAFKA": f"{LOOPBACK}:{self.broker.port}",
        }

    def fill(self, password: str) -> None:
        """The database of reference data, which READER may read with the password."""
        from psycopg import sql

        with self.database.connect() as owner:
            role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            owner.execute(role.format(sql.Identifier(READER), sql.Literal(password)))
            owner.execute("CREATE DATABASE reference ENCODING 'UTF8' TEMPLATE template0")
        with self.database.connect("reference") as owner:
            owner.execute(_AIRPORTS)
            copied = "COPY public.airports FROM STDIN (FORMAT csv, HEADER, NULL 'NA')"
            with owner.cursor() as cursor, cursor.copy(copied) as copy:
                copy.write((self.delivered / "airports/airports.csv").read_bytes())
            grant = sql.SQL("GRANT SELECT ON public.airports TO {}")
            owner.execute(grant.format(sql.Identifier(READER)))

    def send(self, days: Sequence[date]) -> None:
        """The bookings of these days, each once unless we are killed before it is noted."""
        from confluent_kafka import Producer
        from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

        servers: dict[str, Any] = {"bootstrap.servers": f"{LOOPBACK}:{self.broker.open_port}"}
        admin = AdminClient(servers)
        if TOPIC not in admin.list_topics(timeout=_SECONDS).topics:
            admin.create_topics([NewTopic(TOPIC, 2, 1)])[TOPIC].result(_SECONDS)
        # a broker that has just begun makes it wait, which is no news
        producer = Producer(servers | {"enable.idempotence": True, "log_level": 3})
        for day in days:
            noted = self.sent / day_file(TOPIC, day)
            if noted.exists():
                continue
            refused: list[str] = []

            def answered(error: Any, _: Any, refused: list[str] = refused) -> None:
                if error is not None:
                    refused.append(str(error.name()))

            for key, value in booking_records(self.delivered, day):
                producer.produce(TOPIC, value, key, on_delivery=answered)
            if (left := producer.flush(_SECONDS)) or refused:
                raise SetupError(
                    "the broker of the demo does not take its records",
                    where=f"{servers['bootstrap.servers']}, {TOPIC}",
                    found=", ".join({*refused}) or f"no answer of {left} records",
                    next_step="run the demo again",
                )
            noted.parent.mkdir(parents=True, exist_ok=True)
            noted.touch()


@contextmanager
def senders(folder: Path, delivered: Path, secrets: Path, jars: Path) -> Iterator[Senders]:
    """Both, for the length of the block, with the passwords of READER among the secrets.

    `folder` keeps the records of the topic, `jars` the broker's program; the database is made anew
    each time.

    Raises SetupError: a program or a client is not installed, or does not start.
    """
    _require_clients()
    words = {name: _password(secrets, name) for name in ("reference", "reservations")}
    with (
        database_server() as database,
        broker(folder / "kafka", jars, READER, words["reservations"]) as kafka,
    ):
        sent = folder / "kafka" / "sent"  # beside the records: gone when they are
        found = Senders(database=database, broker=kafka, delivered=delivered, sent=sent)
        found.fill(words["reference"])
        yield found


def _password(secrets: Path, name: str) -> str:
    """The password of this name, made when there is none yet."""
    found = FileSecrets(secrets)
    if not (secrets / f"{name}.password").exists():
        found.sealed(f"{name}.password", f"{randomness.token_urlsafe(24)}\n".encode())
    return found.password(name).reveal()


def _require_clients() -> None:
    try:
        import confluent_kafka  # noqa: F401
        import psycopg  # noqa: F401
    except ImportError as error:
        raise SetupError(
            "a client that the demo of all sources needs is not installed",
            where=error.name or "confluent_kafka, psycopg",
            next_step="make demo SOURCES=all installs both",
        ) from error
