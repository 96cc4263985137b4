"""Makes this machine ready for a session: the jars of the lock, the log store, the class archive.

`python -m penstock.resources.prepare` is what `make setup` calls, before there is a deployment.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from penstock.errors import PenstockError, SetupError
from penstock.resources.archive import archive_fits, archive_path, make_archive
from penstock.resources.home import home
from penstock.resources.ivy import resolve
from penstock.resources.jars import JarSet, load_lock
from penstock.resources.java import require_java
from penstock.resources.log_store import log_store_made, make_log_store

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["prepare"]


def prepare(folder: Path | None = None, console: Console | None = None) -> None:
    """Fetch and compile the jars that are missing, make the archive if it does not fit.

    With progress bars; the second time it finds all of it and takes two seconds. Raises
    SetupError for what a session cannot do without; a missing archive is only said, for sessions
    work without it.
    """
    jars = folder or home() / "jars"
    lock, java = load_lock(), require_java()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        fetching = bars.add_task("Fetching jars", total=len(lock.jars))
        resolve(
            jars,
            tuple(JarSet),
            lambda done, total, _file: bars.update(fetching, completed=done, total=total),
            lock=lock,
        )
        bars.update(fetching, total=len(lock.jars), completed=len(lock.jars))
        if not log_store_made(jars, lock):
            compiling = bars.add_task("Compiling the log store", total=None)
            make_log_store(jars)
            bars.update(compiling, total=1, completed=1)
        archive = archive_path(jars, java, lock)
        if not archive_fits(archive, jars, lock):
            making = bars.add_task("Making the class archive", total=None)
            try:
                make_archive(jars)
            except SetupError as error:
                bars.console.print(str(error), style="yellow", highlight=False, soft_wrap=True)
            bars.update(making, total=1, completed=1)


def _main() -> int:
    try:
        prepare()
    except PenstockError as error:
        Console(stderr=True).print(str(error), style="red", highlight=False, soft_wrap=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
