"""The jars Spark does not ship: which, with what sums, and whether this machine has them.

`jars.lock` names every file with its SHA-256 sum, so that what a session loads is exactly what
was reviewed, whichever mirror it came from. Fetching is `ivy.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import TYPE_CHECKING

from penstock.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = [
    "Damage",
    "Jar",
    "JarLock",
    "JarProblem",
    "JarSet",
    "class_path",
    "load_lock",
    "parse_lock",
    "verify",
]


class JarSet(StrEnum):
    """Jars that are wanted together.

    Delta itself always, s3a only for `s3://` lakes, drivers of databases, Kafka's client and
    Spark's Avro only to read from them.
    """

    DELTA = "delta"
    S3 = "s3"
    JDBC = "jdbc"
    KAFKA = "kafka"
    AVRO = "avro"


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One file of the lock. `coordinate` is Maven's organisation:name:revision."""

    sha256: str
    coordinate: str
    file: str
    jar_set: JarSet


@dataclass(frozen=True, slots=True, kw_only=True)
class JarLock:
    """Every jar, in class-path order."""

    jars: tuple[Jar, ...]

    def of(self, sets: Iterable[JarSet]) -> tuple[Jar, ...]:
        """The jars of these sets, in class-path order."""
        wanted = frozenset(sets)
        return tuple(jar for jar in self.jars if jar.jar_set in wanted)


class Damage(StrEnum):
    """What can be wrong with a jar on disk."""

    MISSING = "missing"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True, kw_only=True)
class JarProblem:
    """A jar that cannot be used. `found` is its sum, or None when there is no file."""

    jar: Jar
    damage: Damage
    found: str | None

    def __str__(self) -> str:
        return f"{self.jar.file} is {self.damage}"


def parse_lock(text: str) -> JarLock:
    """Read a lock: one `sha256 coordinate file set` per line, `#` for comments."""
    lines = (line.split() for line in text.splitlines() if line.strip() and line[0] != "#")
    return JarLock(
        jars=tuple(
            Jar(sha256=sha256, coordinate=coordinate, file=file, jar_set=JarSet(jar_set))
            for sha256, coordinate, file, jar_set in lines
        )
    )


def load_lock() -> JarLock:
    """The lock this version of Penstock was released with."""
    return parse_lock(resources.files("penstock.resources").joinpath("jars.lock").read_text())


def sum_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(
    folder: Path, sets: Iterable[JarSet] = tuple(JarSet), lock: JarLock | None = None
) -> list[JarProblem]:
    """What is wrong in `folder` with the jars of `sets`; empty when all are intact."""
    problems = []
    for jar in (lock or load_lock()).of(sets):
        path = folder / jar.file
        found = sum_of(path) if path.is_file() else None
        if found != jar.sha256:
            damage = Damage.MISSING if found is None else Damage.ALTERED
            problems.append(JarProblem(jar=jar, damage=damage, found=found))
    return problems


def class_path(folder: Path, jar_set: JarSet, lock: JarLock | None = None) -> tuple[Path, ...]:
    """The jars of one set as intact files; SetupError names the first that is not."""
    jars = lock or load_lock()
    problems = verify(folder, (jar_set,), jars)
    if problems:
        raise bad_jar(folder, problems)
    return tuple(folder / jar.file for jar in jars.of((jar_set,)))


def bad_jar(folder: Path, problems: list[JarProblem]) -> SetupError:
    """The error for jars that are absent or not what the lock says."""
    first, more = problems[0], len(problems) - 1
    return SetupError(
        f"the jar {first}" + (f", and {more} more" if more else ""),
        where=str(folder),
        expected=f"sha256 {first.jar.sha256}",
        found=f"sha256 {first.found}" if first.found else "no such file",
        next_step="penstock jars --resolve",
    )
