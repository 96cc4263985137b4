"""Whether the ledger's events are what was appended: no change, no gap, no other order.

And whether each contract is the one that was registered, by its fingerprint. Contracts have no
chain: one that was taken out, or put in with a fingerprint that fits, is not found.

Every hash is computed again from the payloads, so the columns that queries use must say what the
payloads say, each event must be linked to the one before it in its namespace, and the chains must
end where the ledger says they end. Archived events are read from their files, from the first on.
Who owns the database and rewrites a whole chain is found by a link that was kept elsewhere:
`expected`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import func, select

from penstock.ledger.archive_file import rows_of
from penstock.ledger.archived import ArchivedFile, archived_files, fault_of
from penstock.ledger.chain_walk import ChainEnd, ChainWalk, Fault
from penstock.ledger.contract_register import what_was_altered
from penstock.ledger.tables import archived_event, chain, contract, event, head

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from penstock.ledger.database import LedgerDatabase

__all__ = ["ChainEnd", "Fault", "Verification", "verify"]

_BATCH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found. `events` counts all that were looked at, `files` the archives among them.

    `archived` counts the events that were moved out, whether their files could be read or not.
    """

    events: int
    contracts: int
    archived: int
    files: int
    chains: Mapping[str, ChainEnd]
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def verify(
    database: LedgerDatabase, *, expected: Mapping[str, ChainEnd] | None = None
) -> Verification:
    """Looks at every event and contract in one consistent state of the ledger. Raises LedgerError.

    `expected` are ends of chains that were written down elsewhere; the chain must pass through
    each of them.
    """
    walk, files = ChainWalk(), 0
    wanted = {(name, end.position) for name, end in (expected or {}).items()}
    passed: dict[tuple[str, int], str] = {}
    with database.read() as connection:
        archives = archived_files(connection)
        for file in archives:
            files += _take_file(walk, file, wanted, passed)
        for row in _rows(connection):
            _take(walk, row, wanted, passed)
        archived = archives[-1].last if archives else 0
        _check_remembered(connection, walk, archived)
        _check_ends(connection, walk)
        contracts = _check_contracts(connection, walk)
    for namespace, end in (expected or {}).items():
        if passed.get((namespace, end.position)) != end.link:
            what = f"the link kept elsewhere for number {end.position} is not in the chain"
            walk.faults.append(Fault(what=what, namespace=namespace, sequence=None))
    return Verification(
        events=walk.events,
        contracts=contracts,
        archived=archived,
        files=files,
        chains=walk.ends,
        faults=tuple(walk.faults),
    )


def _take_file(
    walk: ChainWalk,
    file: ArchivedFile,
    wanted: set[tuple[str, int]],
    passed: dict[tuple[str, int], str],
) -> int:
    """Walk through an archive; 1 if it could be looked at. After it the walk is at its end."""
    looked = 0
    if file.first != walk.sequence + 1:
        walk.blame(f"the archive {file.path} begins after a gap, at sequence {file.first}")
    if wrong := fault_of(file):
        walk.blame(f"the archive {file.path} {wrong}")
    else:
        looked = 1
        try:
            for row in rows_of(file.path):
                _take(walk, row, wanted, passed)
        except (OSError, pa.ArrowException) as error:
            walk.blame(f"the archive {file.path} cannot be read ({type(error).__name__})")
        if (walk.sequence, walk.ends) != (file.last, dict(file.ends)):
            walk.blame(f"the archive {file.path} does not end where the ledger says that it ends")
    walk.jump(file.last, file.ends)
    passed |= {
        (name, end.position): end.link
        for name, end in file.ends.items()
        if (name, end.position) in wanted
    }
    return looked


def _take(
    walk: ChainWalk,
    row: Mapping[str, Any],
    wanted: set[tuple[str, int]],
    passed: dict[tuple[str, int], str],
) -> None:
    walk.take(row)
    if (place := (row["namespace"], row["position"])) in wanted:
        passed[place] = row["link"]


def _check_remembered(connection: Connection, walk: ChainWalk, archived: int) -> None:
    query = select(func.count()).select_from(archived_event)
    remembered = connection.execute(query).scalar_one()
    if remembered != archived:
        what = f"the ledger remembers {remembered} of {archived} archived events"
        walk.blame(f"{what}: one sent again would be stored twice")


def _check_ends(connection: Connection, walk: ChainWalk) -> None:
    last = int(connection.execute(select(head.c.sequence)).scalar_one())
    if last != walk.sequence:
        what = f"the ledger says that its last event is {last}, and the last there is "
        walk.faults.append(
            Fault(what=f"{what}{walk.sequence}", namespace=None, sequence=walk.sequence)
        )
    said = {
        row.namespace: ChainEnd(position=row.position, link=row.link)
        for row in connection.execute(select(chain))
    }
    for namespace in sorted(said.keys() | walk.ends.keys()):
        if said.get(namespace) != walk.ends.get(namespace):
            what = "the chain does not end where the ledger says that it ends"
            walk.faults.append(Fault(what=what, namespace=namespace, sequence=None))


def _check_contracts(connection: Connection, walk: ChainWalk) -> int:
    """How many were looked at."""
    number = 0
    for row in connection.execute(select(contract).order_by(contract.c.id)):
        number += 1
        if wrong := what_was_altered(row):
            walk.blame(f"the contract {row.name} {row.version}, number {row.id}: {wrong}")
    return number


def _rows(connection: Connection) -> Iterator[Mapping[str, Any]]:
    last = 0
    while True:
        query = select(event).where(event.c.sequence > last).order_by(event.c.sequence)
        rows = connection.execute(query.limit(_BATCH)).mappings().all()
        yield from (dict(row) for row in rows)
        if len(rows) < _BATCH:
            return
        last = rows[-1]["sequence"]
