"""What a run of the suite costs: processes started, and CPU by folder against a budget.

In CPU-seconds, so that other work on the machine does not count; and by this machine's speed, so
that a slow one is not told that the tests became slow.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "BUDGETS",
    "FolderCost",
    "Kind",
    "Started",
    "budget_rows",
    "kind_of",
    "over_budget",
    "slowness",
    "table",
]

LOOK_SECONDS = 0.5

# CPU-seconds that each folder may take on the machine of which `_REFERENCE_SECONDS` is the speed: a
# sixth more than it took in the first run that was measured so, of 2,611 tests, or in a later one
# that took less.
BUDGETS: Mapping[str, float] = {
    "tests": 5,
    "tests/assets": 3400,
    "tests/assets/automation": 40,
    "tests/assets/landing": 310,
    "tests/assets/partitions": 20,
    "tests/browser": 320,
    "tests/browser/lineage": 350,
    "tests/cli": 230,
    "tests/compaction": 195,
    "tests/deployment": 70,
    "tests/docs": 65,
    "tests/events": 5,
    "tests/evidence": 20,
    "tests/ledger": 400,
    "tests/lineage": 125,
    "tests/operations": 55,
    "tests/outbox": 12,
    "tests/pipelines": 250,
    "tests/plan": 30,
    "tests/privacy": 40,
    "tests/resources": 170,
    "tests/schemas": 80,
    "tests/schemas/evolution": 8,
    "tests/server": 600,
    "tests/testing": 20,
    "start and end of the workers": 60,
}
_REFERENCE_SECONDS = 0.067


class Kind(StrEnum):
    """What a process is, by its command line."""

    JVM = "JVM"
    CHROMIUM = "chromium"
    POSTGRESQL = "PostgreSQL"
    DAGSTER = "Python: Dagster's own"
    PENSTOCK = "Python: penstock"
    MOTO = "Python: moto"
    UDF = "Python: Spark's workers"
    FORKED = "Python: forked"
    PYTEST = "Python: pytest"
    PYTHON = "Python: other"
    OTHER = "other"


_BY_WORDS = (
    ("pyspark.daemon", Kind.UDF),
    ("multiprocessing.", Kind.FORKED),
    ("moto", Kind.MOTO),
    ("penstock", Kind.PENSTOCK),
    ("dagster", Kind.DAGSTER),
    ("pytest", Kind.PYTEST),
    ("exec(eval(sys.stdin", Kind.PYTEST),  # what execnet starts for xdist
)


def kind_of(name: str, command: Sequence[str]) -> Kind:
    """The kind of a process of this name and command line."""
    if name == "java":
        return Kind.JVM
    if name.startswith("chrom"):
        return Kind.CHROMIUM
    if name == "postgres":
        return Kind.POSTGRESQL
    if not name.startswith("python") and not any("python" in word for word in command[:1]):
        return Kind.OTHER
    # the program and its arguments, and not where the checkout is
    told = " ".join(word.rpartition("/")[2] for word in command[1:6])
    return next((kind for words, kind in _BY_WORDS if words in told), Kind.PYTHON)


@dataclass(slots=True)
class _Seen:
    kind: Kind
    first: bool
    cpu_seconds: float = 0.0


@dataclass(slots=True)
class Started:
    """All processes below this one, seen by looking twice a second; shorter ones are missed.

    A browser or a database server is one start, however many processes it is made of.
    """

    root: psutil.Process = field(default_factory=psutil.Process)
    _seen: dict[tuple[int, float], _Seen] = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def begin(self) -> None:
        """Look until `end`."""
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread:
            self._thread.join()

    def look(self) -> None:
        """Look once."""
        for process in self.root.children(recursive=True):
            with suppress(psutil.Error):
                key = (process.pid, process.create_time())
                if key not in self._seen or self._seen[key].kind in (Kind.OTHER, Kind.FORKED):
                    # a process becomes another when it starts its program
                    self._seen[key] = self._made(process)
                times = process.cpu_times()
                self._seen[key].cpu_seconds = times.user + times.system

    def counts(self) -> dict[Kind, tuple[int, float]]:
        """By kind: how many were started, and what all of them used in CPU-seconds."""
        starts: dict[Kind, int] = defaultdict(int)
        seconds: dict[Kind, float] = defaultdict(float)
        for seen in self._seen.values():
            starts[seen.kind] += seen.first
            seconds[seen.kind] += seen.cpu_seconds
        return {kind: (starts[kind], seconds[kind]) for kind in Kind if kind in starts}

    def rows(self) -> list[tuple[str, str, str]]:
        """A table with its heading and its sum."""
        counts = self.counts()
        total = (sum(n for n, _ in counts.values()), sum(used for _, used in counts.values()))
        return [
            ("kind", "started", "CPU-seconds"),
            *((kind.value, f"{n:,}", f"{used:,.0f}") for kind, (n, used) in counts.items()),
            ("together", f"{total[0]:,}", f"{total[1]:,.0f}"),
        ]

    def _look_on(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()

    def _made(self, process: psutil.Process) -> _Seen:
        kind = kind_of(process.name(), process.cmdline())
        parent = process.parent()
        inner = (
            kind in (Kind.CHROMIUM, Kind.POSTGRESQL, Kind.UDF)
            and parent is not None
            and kind_of(parent.name(), parent.cmdline()) is kind
        )
        return _Seen(kind, first=not inner)


def cpu_of_tree() -> float:
    """CPU-seconds of this process and of all below it, living and dead."""
    here = os.times()
    total = here.user + here.system + here.children_user + here.children_system
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


@dataclass(slots=True)
class FolderCost:
    """What the tests of each folder used, in one worker: files follow each other, folder by folder.

    Measured where a test of another file begins, so that it costs nothing between.
    """

    by_folder: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    _file: str = ""
    _before: float = 0.0

    def begins(self, file: str) -> None:
        """A test of `file` begins; what was used until now belongs to the file before."""
        if file != self._file:
            self._settle()
            self._file = file

    def end(self) -> dict[str, float]:
        """CPU-seconds by folder; the last file has ended."""
        self._settle()
        return dict(self.by_folder)

    def _settle(self) -> None:
        now = cpu_of_tree()
        # what was used before the first test is the worker's own start
        self.by_folder[folder_of(self._file)] += max(0.0, now - self._before)
        self._before = now


def folder_of(file: str) -> str:
    """The folder whose budget a file counts to; `tests/browser/lineage` is one of its own."""
    parts = file.split("/")[:-1]
    return "/".join(parts[:3]) if file else "start and end of the workers"


def slowness() -> float:
    """How many times longer this machine takes for the same work than the reference."""
    best = min(_count() for _ in range(5))
    return best / _REFERENCE_SECONDS


def _count() -> float:
    began = time.process_time()
    sum(n % 7 for n in range(1_000_000))
    return time.process_time() - began


def over_budget(used: Mapping[str, float], slow: float) -> list[str]:
    """The folders that used more than they may on a machine so slow, or that have no budget."""
    return [name for name, seconds in used.items() if seconds > BUDGETS.get(name, 0.0) * slow]


def budget_rows(used: Mapping[str, float], slow: float) -> list[tuple[str, str, str]]:
    """A table with its heading: what each folder used, and may use on a machine so slow."""
    most = sorted(used.items(), key=lambda item: -item[1])
    return [
        ("folder", "CPU-seconds", "budget"),
        *((name, f"{spent:,.0f}", f"{BUDGETS.get(name, 0.0) * slow:,.0f}") for name, spent in most),
        ("together", f"{sum(used.values()):,.0f}", f"{sum(BUDGETS.values()) * slow:,.0f}"),
    ]


def table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of aligned columns; all but the first are numbers."""
    kept = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if n else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in kept
    ]
