"""The register of contracts: every version a deployment has had, in the order it had them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Select, insert, select

from penstock.ledger.database import LedgerDatabase, lock_head
from penstock.ledger.tables import contract
from penstock.schemas.model import ContractModel

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["ContractRegister"]


class ContractRegister:
    """Contracts by name. All methods raise LedgerError when the database cannot be used."""

    def __init__(self, database: LedgerDatabase) -> None:
        self._database = database

    def add(self, model: ContractModel, *, at: datetime) -> bool:
        """Makes `model` the latest of its name; False when it was that already.

        A return to an earlier contract is a new entry: what holds is always the last one.
        """
        fingerprint = model.fingerprint()
        newest = _newest(model.name)
        with self._database.read() as connection:
            if connection.execute(newest).scalar() == fingerprint:
                return False
        with self._database.write() as connection:
            lock_head(connection)
            # another process may have registered it meanwhile
            if connection.execute(newest).scalar() == fingerprint:
                return False
            connection.execute(
                insert(contract).values(
                    name=model.name,
                    version=model.version,
                    fingerprint=fingerprint,
                    document=json.dumps(model.document(), sort_keys=True),
                    registered_at=at,
                )
            )
            return True

    def latest(self, name: str) -> ContractModel | None:
        """The contract registered last under `name`, or None."""
        found = self._read(
            select(contract.c.document)
            .where(contract.c.name == name)
            .order_by(contract.c.id.desc())
            .limit(1)
        )
        return found[0] if found else None

    def all(self, name: str) -> tuple[ContractModel, ...]:
        """Every contract registered under `name`, oldest first."""
        return self._read(
            select(contract.c.document).where(contract.c.name == name).order_by(contract.c.id)
        )

    def _read(self, query: Select[tuple[str]]) -> tuple[ContractModel, ...]:
        with self._database.read() as connection:
            documents = connection.execute(query).scalars().all()
        return tuple(ContractModel.from_document(json.loads(text)) for text in documents)


def _newest(name: str) -> Select[tuple[str]]:
    return (
        select(contract.c.fingerprint)
        .where(contract.c.name == name)
        .order_by(contract.c.id.desc())
        .limit(1)
    )
