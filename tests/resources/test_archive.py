from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from penstock.resources.archive import archive_fits, archive_path, make_archive
from penstock.resources.home import home
from penstock.resources.jars import JarSet, load_lock
from penstock.resources.java import require_java

if TYPE_CHECKING:
    from pathlib import Path

    from tests.resources.conftest import RunScript


def test_an_archive_is_keyed_by_java_and_jars(tmp_path: Path) -> None:
    java, lock = require_java(), load_lock()
    here = archive_path(tmp_path, java, lock)
    assert here == archive_path(tmp_path, java, lock)
    other_jars = replace(lock, jars=lock.jars[1:])
    assert here != archive_path(tmp_path, java, other_jars)
    assert here != archive_path(tmp_path, replace(java, banner="another build"), lock)


def test_no_archive_fits_nothing(tmp_path: Path) -> None:
    assert not archive_fits(tmp_path / "classes.jsa", tmp_path, load_lock())


SESSION = """
from penstock.resources import driver
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
cluster = LocalCluster(profile=Profile.SMALL, cores=1, jars_folder=JARS)
with cluster.session() as spark:
    print(spark.range(3).count(), driver.current().shape.archive is not None)
"""


@pytest.mark.slow
def test_an_archive_is_made_used_and_never_needed(run_script: RunScript, tmp_path: Path) -> None:
    jars, lock = tmp_path / "jars", load_lock()
    jars.mkdir()
    for jar in lock.of([JarSet.DELTA]):
        shutil.copy2(home() / "jars" / jar.file, jars / jar.file)
    session = SESSION.replace("JARS", repr(str(jars)))

    stale = jars / "classes-17-000000000000.jsa"
    stale.write_bytes(b"of an older Java")
    archive = make_archive(jars)
    assert archive_fits(archive, jars, lock)
    assert run_script(session).stdout.split() == ["3", "True"]
    assert not stale.exists()

    archive.chmod(0o644)
    with archive.open("r+b") as stream:
        stream.truncate(1_000_000)
    assert not archive_fits(archive, jars, lock)
    done = run_script(session)
    assert done.stdout.split() == ["3", "False"]
    assert done.stderr == ""
