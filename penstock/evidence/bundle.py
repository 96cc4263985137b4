"""A bundle made: asked of one state of the ledger, put together, signed, and checked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from penstock.errors import LedgerError
from penstock.events.instant import instant
from penstock.evidence.archive_file import packed
from penstock.evidence.check import check
from penstock.evidence.coverage_report import coverage_report
from penstock.evidence.drawing import drawing
from penstock.evidence.event_lines import EventLines, event_lines
from penstock.evidence.graph_document import graph_document
from penstock.evidence.manifest import (
    KEY,
    MANIFEST,
    SIGNATURE,
    Asked,
    FileEntry,
    Manifest,
    SignedBy,
    json_bytes,
)
from penstock.evidence.readme import readme
from penstock.evidence.records import check_records, contract_records, run_records
from penstock.evidence.scope import scope_of
from penstock.evidence.versions import table_versions
from penstock.ledger.graph.projector import catch_up
from penstock.ledger.tables import head
from penstock.version import VERSION

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from penstock.evidence.question import Question
    from penstock.evidence.signing_key import SigningKey
    from penstock.evidence.table_histories import Histories
    from penstock.ledger.database import LedgerDatabase

__all__ = ["bundle"]

_NOTES = (
    "approvals.json is empty: the ledger keeps no approvals yet",
    "evidence by data subject is not offered: the ledger does not know whose a row is",
    "coverage.json names undeclared reads of corroborated runs alone; null: nothing is known",
)
_NO_LAKE = "made without a lake: versions.json is empty and there is no coverage.json"
_LAKE = (
    "versions.json has the SHA-256 of each commit's file, which names the data files and their "
    "sizes; the data files themselves were not read"
)
_GAP = "not every link up to the ends of the chains is in links.jsonl: there are too many"


def bundle(
    database: LedgerDatabase,
    question: Question,
    *,
    key: SigningKey,
    at: datetime,
    by: str,
    histories: Histories | None = None,
) -> bytes:
    """The zip. The same question, ledger, lake, key, moment and asker give the same bytes.

    Raises InputError for a dataset or column that is not known or too much for one bundle,
    LakeError when a table's log cannot be read, LedgerError when the events are not as they were
    appended: Penstock signs nothing that it could not verify.
    """
    catch_up(database)
    with database.read() as connection:
        files, manifest = _collected(connection, question, histories, key=key, at=at, by=by)
    content = manifest.content()
    files |= {MANIFEST: content, SIGNATURE: key.sign(content), KEY: key.public.pem}
    made = packed(files)
    checked = check(made)
    if not checked.intact:
        raise LedgerError(
            "the events are not as they were appended: no evidence is given of them",
            where=database.where,
            found=checked.faults[0],
            next_step="see what is wrong with: penstock ledger verify",
        )
    return made


def _collected(
    connection: Connection,
    question: Question,
    histories: Histories | None,
    *,
    key: SigningKey,
    at: datetime,
    by: str,
) -> tuple[dict[str, bytes], Manifest]:
    scope, period = scope_of(connection, question), question.period
    datasets = sorted(scope.datasets)
    graph = graph_document(connection, scope)
    events = event_lines(connection, scope, period)
    told: dict[str, Any] = {
        "graph.json": graph,
        "runs.json": {"runs": run_records(connection, datasets, period)},
        "checks.json": {"checks": check_records(connection, datasets, period)},
        "approvals.json": {"approvals": [], "note": _NOTES[0]},
        "versions.json": {"tables": []},
        **contract_records(connection, datasets),
    }
    if histories is not None:
        tables = table_versions(connection, datasets, period, histories)
        told["versions.json"] = {"tables": tables}
        told["coverage.json"] = coverage_report(
            connection, histories, datasets=datasets, since=period.since, until=period.until
        ).document()
    fingerprint = key.public.fingerprint
    files = {name: json_bytes(value) for name, value in told.items()}
    files |= {
        "README.txt": readme(question, at=at, by=by, version=VERSION, fingerprint=fingerprint),
        "graph.svg": drawing(graph),
        "events.jsonl": events.events,
        "links.jsonl": events.links,
    }
    manifest = Manifest(
        format="penstock-evidence/1",
        made_at=instant(at),
        made_by=by,
        penstock=VERSION,
        asked=Asked(**question.document()),
        datasets=[item["id"] for item in graph["datasets"]],
        events=events.count,
        last_sequence=int(connection.execute(select(head.c.sequence)).scalar_one()),
        chains=dict(events.chains),
        signed_by=SignedBy(algorithm="Ed25519", fingerprint=fingerprint),
        notes=_notes(events, lake=histories is not None),
        files={name: FileEntry.of(content) for name, content in sorted(files.items())},
    )
    return files, manifest


def _notes(events: EventLines, *, lake: bool) -> list[str]:
    gap = [] if all(chain.whole for chain in events.chains.values()) else [_GAP]
    return [*_NOTES, _LAKE if lake else _NO_LAKE, *gap]
