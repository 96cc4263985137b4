"""The register of contracts: every version a deployment has had, in the order it had them.

A contract is registered with its fingerprint, and is held against it whenever it is read: who
changed what a dataset was cleared for would else decide what the gate lets pass.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, insert, select

from penstock.errors import LedgerError
from penstock.ledger.database import LedgerDatabase, lock_head
from penstock.ledger.tables import contract
from penstock.schemas.model import ContractModel, fingerprint_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

__all__ = ["ContractRegister", "registered", "what_was_altered"]


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
                    document=_text(model.document()),
                    registered_at=at,
                )
            )
            return True

    def latest(self, name: str) -> ContractModel | None:
        """The contract registered last under `name`, or None."""
        found = self._read(
            select(contract).where(contract.c.name == name).order_by(contract.c.id.desc()).limit(1)
        )
        return found[0] if found else None

    def all(self, name: str) -> tuple[ContractModel, ...]:
        """Every contract registered under `name`, oldest first."""
        return self._read(select(contract).where(contract.c.name == name).order_by(contract.c.id))

    def _read(self, query: Select[Any]) -> tuple[ContractModel, ...]:
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return tuple(ContractModel.from_document(registered(row)) for row in rows)


def registered(row: Row[Any]) -> dict[str, Any]:
    """The document of a row of the register. Raises LedgerError when it is not what was added."""
    if wrong := what_was_altered(row):
        raise LedgerError(
            "a contract in the ledger is not as it was registered",
            where=f"{row.name} {row.version}, number {row.id} of the register",
            expected=f"the document with fingerprint {row.fingerprint}",
            found=wrong,
            next_step="ask `penstock ledger verify` what else was changed, and put the ledger back "
            "from a backup",
        )
    found: dict[str, Any] = json.loads(row.document)
    return found


def what_was_altered(row: Row[Any]) -> str | None:
    """How a row of the register differs from what was added, None where it does not."""
    try:
        document = json.loads(row.document)
    except ValueError:
        return "its document is no JSON"
    # who reads the text takes the first of two keys, a parser the last
    whole = isinstance(document, dict) and _text(document) == row.document
    if not whole or fingerprint_of(document) != row.fingerprint:
        return "its document is not what its fingerprint is of"
    told = {"name": document.get("name"), "version": document.get("version")}
    wrong = [name for name, value in told.items() if getattr(row, name) != value]
    return f"its {wrong[0]} is not what its document says" if wrong else None


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True)


def _newest(name: str) -> Select[tuple[str]]:
    return (
        select(contract.c.fingerprint)
        .where(contract.c.name == name)
        .order_by(contract.c.id.desc())
        .limit(1)
    )
