from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from penstock.resources import driver
from penstock.resources.archive import (
    _remove_others,
    archive_fits,
    archive_path,
    make_archive,
)
from penstock.resources.home import home
from penstock.resources.jars import load_lock
from penstock.resources.java import require_java

if TYPE_CHECKING:
    from pathlib import Path

    from tests.resources.conftest import RunScript

pytestmark = pytest.mark.slow


def test_an_archive_is_keyed_by_java_and_jars(tmp_path: Path) -> None:
    java, lock = require_java(), load_lock()
    here = archive_path(tmp_path, java, lock)
    assert here == archive_path(tmp_path, java, lock)
    other_jars = replace(lock, jars=lock.jars[1:])
    assert here != archive_path(tmp_path, java, other_jars)
    assert here != archive_path(tmp_path, replace(java, banner="another build"), lock)


def test_no_archive_fits_nothing(tmp_path: Path) -> None:
    assert not archive_fits(tmp_path / "classes.jsa", tmp_path, load_lock())


@pytest.mark.usefixtures("spark")
def test_the_archive_that_set_up_made_is_in_use() -> None:
    jars, lock = home() / "jars", load_lock()
    archive = archive_path(jars, require_java(), lock)
    assert archive_fits(archive, jars, lock)
    live = driver.current()
    assert live
    assert live.shape.archive == archive
    # made once: what fits is not made again
    made = archive.stat().st_mtime_ns
    assert make_archive(jars).stat().st_mtime_ns == made


def test_a_new_archive_takes_the_place_of_older_ones(tmp_path: Path) -> None:
    archive = tmp_path / "classes-17-aaaaaaaaaaaa.jsa"
    kept = {archive, archive.with_suffix(".size"), tmp_path / "a.jar"}
    for file in (*kept, tmp_path / "classes-17-000000000000.jsa", tmp_path / "classes-21-0.size"):
        file.touch()
    _remove_others(archive)
    assert set(tmp_path.iterdir()) == kept


SESSION = """
from pathlib import Path
from penstock.resources import driver, machine
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
machine.archive_path = lambda *_: Path(ARCHIVE)
with LocalCluster(profile=Profile.SMALL, cores=1).session() as spark:
    print(spark.range(3).count(), driver.current().shape.archive)
"""


def test_one_that_is_cut_off_is_left_alone_and_sessions_start_without(
    run_script: RunScript, tmp_path: Path
) -> None:
    jars, lock = home() / "jars", load_lock()
    whole = archive_path(jars, require_java(), lock)
    cut = tmp_path / whole.name
    with whole.open("rb") as stream:
        cut.write_bytes(stream.read(1_000_000))
    shutil.copy(whole.with_suffix(".size"), cut.with_suffix(".size"))
    assert not archive_fits(cut, jars, lock)
    done = run_script(SESSION.replace("ARCHIVE", repr(str(cut))))
    assert done.stdout.split() == ["3", "None"]
    assert done.stderr == ""
