"""Fetching the jars of the lock with the Ivy that Spark itself ships.

Where they come from does not matter: a file that has not the sum of the lock is refused. What was
fetched is kept until all is there, so that a broken download goes on where it stopped.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from penstock.errors import SetupError
from penstock.resources.jars import JarSet, bad_jar, load_lock, verify
from penstock.resources.java import require_java
from penstock.resources.spark_home import spark_jars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from penstock.resources.jars import Jar, JarLock, JarProblem

__all__ = ["MIRROR", "resolve"]

MIRROR = "PENSTOCK_MAVEN_MIRROR"

_AGAIN = "penstock jars --resolve"


def resolve(
    folder: Path,
    sets: Iterable[JarSet] = tuple(JarSet),
    progress: Callable[[int, int, str], None] | None = None,
    *,
    lock: JarLock | None = None,
    env: Mapping[str, str] | None = None,
) -> list[Jar]:
    """Fetch what `verify` misses in `folder`; gives back the jars that were fetched.

    `progress` gets (jars done, jars wanted, file). A jar is put in place whole and right, or not
    at all. Raises SetupError: no Java, no network, no space, or a jar whose sum is wrong.
    """
    lock = lock or load_lock()
    names = os.environ if env is None else env
    with _alone(folder):
        wanted = [problem.jar for problem in verify(folder, sets, lock)]
        if not wanted:
            return []
        kept = folder / ".ivy"
        arrived = folder / ".arrived"
        shutil.rmtree(arrived, ignore_errors=True)
        _run_ivy(wanted, kept, arrived, progress, names)
        if wrong := _refused(arrived, wanted, lock):
            shutil.rmtree(arrived)
            shutil.rmtree(kept)
            raise bad_jar(arrived, wrong)
        for jar in wanted:
            (arrived / jar.file).replace(folder / jar.file)
        shutil.rmtree(arrived)
        shutil.rmtree(kept)
        return wanted


def _refused(arrived: Path, wanted: list[Jar], lock: JarLock) -> list[JarProblem]:
    return [problem for problem in verify(arrived, tuple(JarSet), lock) if problem.jar in wanted]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two set-ups at once take turns; the second finds everything there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield
    except OSError as error:
        if isinstance(error, SetupError):
            raise
        raise SetupError(
            "the jars cannot be put in their folder",
            where=str(folder),
            found=error.strerror or type(error).__name__,
            next_step=f"make room or give write permission there, then {_AGAIN}",
        ) from error


def _run_ivy(
    wanted: list[Jar],
    kept: Path,
    arrived: Path,
    progress: Callable[[int, int, str], None] | None,
    env: Mapping[str, str],
) -> None:
    java = require_java(env)
    ivy = next(spark_jars().glob("ivy-*.jar"))
    with tempfile.TemporaryDirectory(prefix="penstock-ivy-") as scratch:
        module = Path(scratch) / "ivy.xml"
        module.write_text(_module(wanted))
        where = Path(scratch) / "settings.xml"
        where.write_text(_settings(env.get(MIRROR)))
        command = [str(java.path), "-jar", str(ivy), "-settings", str(where), "-ivy", str(module)]
        command += ["-cache", str(kept), "-types", "jar", "-retrieve"]
        command += [f"{arrived}/[organization]_[artifact]-[revision].[ext]"]
        said: list[str] = []
        done = 0
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=dict(env)
        ) as process:
            for line in process.stdout or ():
                said.append(line.strip())
                if progress and ("[SUCCESSFUL" in line or "[NOT REQUIRED" in line):
                    done += 1
                    progress(done, len(wanted), line.split("!")[-1].split(" ")[0].strip())
    if process.returncode != 0:
        raise _not_fetched(said, env.get(MIRROR))


def _not_fetched(said: list[str], mirror: str | None) -> SetupError:
    clues = [line for line in said if "not found" in line or "exception" in line.lower()]
    clues = clues or [line for line in said if line and not line.startswith(("|", "-"))]
    return SetupError(
        "the jars could not be fetched",
        where=mirror or "Ivy's default repository",
        found=clues[0].lstrip(": ") if clues else "no word from Ivy",
        next_step=f"check the network, or set {MIRROR} to a Maven repository; then {_AGAIN}",
    )


def _module(wanted: list[Jar]) -> str:
    """An ivy.xml that names each jar by itself: what a POM would add is in the lock already."""
    lines = [
        f"    <dependency org={quoteattr(organisation)} name={quoteattr(name)}"
        f' rev={quoteattr(revision)} conf="jars->default" transitive="false"/>'
        for organisation, name, revision in (jar.coordinate.split(":") for jar in wanted)
    ]
    return "\n".join(
        [
            '<ivy-module version="2.0">',
            '  <info organisation="penstock" module="jars"/>',
            '  <configurations><conf name="jars"/></configurations>',
            "  <dependencies>",
            *lines,
            "  </dependencies>",
            "</ivy-module>",
        ]
    )


def _settings(mirror: str | None) -> str:
    """Ivy's own default repository or the mirror; no POMs, and our sums instead of SHA-1."""
    root = f" root={quoteattr(mirror.rstrip('/') + '/')}" if mirror else ""
    return (
        '<ivysettings><settings defaultResolver="jars"/><resolvers>'
        f'<ibiblio name="jars" m2compatible="true" usepoms="false" checksums=""{root}/>'
        "</resolvers></ivysettings>"
    )
