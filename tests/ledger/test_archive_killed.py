"""An archive killed with SIGKILL at any of its lines loses nothing, and the next call goes on."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from penstock.ledger import Ledger
from penstock.ledger.archive import archive_events
from penstock.ledger.event_reader import events_after
from penstock.ledger.graph.projector import catch_up
from penstock.ledger.verification import verify
from tests.ledger.told_events import run_event

if TYPE_CHECKING:
    from pathlib import Path

EACH = 2

# Forks a child for each call, which is killed when it comes to its n-th new line of what writes.
KILLER = """
import os, signal, sys
from pathlib import Path
from penstock.ledger import Ledger, archive, append_only, archive_file
# what a child would have to import itself
import alembic.command, pandas, psycopg, pyarrow.parquet, sqlalchemy.dialects.postgresql.psycopg
FILES = {archive.__file__, append_only.__file__, archive_file.__file__}
READS = {"_asked", "_cut", "_end_of_archive", "_batches", "_walked", "rows_of", "archive_events"}
url, folder = sys.argv[1:]
for line in sys.stdin:
    wanted, before = map(int, line.split())
    child = os.fork()
    if child == 0:
        seen = set()
        def trace(frame, kind, argument):
            code = frame.f_code
            if code.co_filename not in FILES or code.co_name in READS:
                return None
            if kind == "line":
                seen.add((code.co_filename, frame.f_lineno))
                if len(seen) == wanted:
                    os.write(2, f"{code.co_name}:{frame.f_lineno}\\n".encode())
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace
        with Ledger.open(url) as ledger:
            sys.settrace(trace)
            archive.archive_events(ledger, Path(folder), before=before)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


def event_of(number: int) -> dict[str, object]:
    return run_event(
        "COMPLETE", number, f"job-{number % 5}", run=str(number), namespace=f"n{number % 2}"
    )


@pytest.mark.slow
def test_killed_at_any_line_nothing_is_lost_and_the_next_call_goes_on(
    url: str, tmp_path: Path
) -> None:
    folder, places = tmp_path / "archive", tmp_path / "places"
    with (
        Ledger.open(url) as ledger,
        places.open("wb") as told,
        subprocess.Popen(
            [sys.executable, "-c", KILLER, url, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
        ) as killer,
    ):
        assert killer.stdin
        assert killer.stdout
        ledger.append_all([event_of(number) for number in range(200)])
        catch_up(ledger.database)
        step, before, code = 0, 1, -9
        while code == -9:
            step, before = step + 1, before + EACH
            killer.stdin.write(f"{step} {before}\n")
            killer.stdin.flush()
            code = int(killer.stdout.readline())
            found = verify(ledger.database)
            assert found.faults == (), step
            assert found.events == 200
            assert ledger.append(event_of(before - 2)) == before - 1, "known, archived or not"
            if step % 2:  # the other half is finished by the next call, together with its own
                archive_events(ledger, folder, before=before)
        killer.stdin.close()
        assert code == 0
        archive_events(ledger, folder, before=before)
        with ledger.database.read() as connection:
            sequences = [row["sequence"] for row in events_after(connection, 0, 5000)]
        assert sequences == list(range(1, 201))
        found = verify(ledger.database)
        assert (found.faults, found.archived) == ((), before - 1)
        # no file is left that the ledger does not name
        assert len(list(folder.glob("*.parquet*"))) == found.files
    killed = {line.partition(":")[0] for line in places.read_text().splitlines()}
    assert killed >= {
        *("write_rows", "_read_back", "_next_file", "sync_folder", "_move", "append_only_lifted"),
    }
    assert step > 50
