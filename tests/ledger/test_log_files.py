"""What is remembered of landing files, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from penstock.ledger.past.log_index import Indexed, IndexedCommit, IndexedFile

if TYPE_CHECKING:
    from penstock.ledger import Ledger

AT = datetime(2024, 1, 5, tzinfo=UTC)


def test_what_a_name_says_is_kept_whole_whatever_its_length(ledger: Ledger) -> None:
    said = f"2024-01-05 land={'ä' * 300} till=7"
    file = IndexedFile(input="raw", name="a.csv", day=said, sha256="0" * 64, said_at=AT)
    commit = IndexedCommit(version=0, changes_rows=True, ours=True, files=(file,))
    now = Indexed(version=0, digest="d", table_id="t", properties={})
    ledger.logs.take_in("/lake/a", None, now, [commit])
    known = ledger.logs.known("/lake/a")
    assert known
    assert [f.identity for f in ledger.logs.files(known, ["a.csv"], [])] == [(said, "0" * 64)]
