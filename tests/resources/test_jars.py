from __future__ import annotations

import hashlib
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from penstock.errors import SetupError
from penstock.resources.ivy import MIRROR, resolve
from penstock.resources.jars import (
    Damage,
    Jar,
    JarLock,
    JarSet,
    class_path,
    load_lock,
    parse_lock,
    verify,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = {"alpha": b"the first jar", "beta": b"the second jar"}


def lock_of(content: dict[str, bytes]) -> JarLock:
    return JarLock(
        jars=tuple(
            Jar(
                sha256=hashlib.sha256(data).hexdigest(),
                coordinate=f"org.example:{name}:1.0",
                file=f"org.example_{name}-1.0.jar",
                jar_set=JarSet.DELTA,
            )
            for name, data in content.items()
        )
    )


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class Mirror:
    """A Maven repository on loopback that can hold any content."""

    def __init__(self, root: Path) -> None:
        self.root = root
        handler = partial(Quiet, directory=str(root))
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.env = os.environ | {MIRROR: f"http://127.0.0.1:{self.server.server_port}"}

    def put(self, name: str, data: bytes) -> None:
        folder = self.root / "org" / "example" / name / "1.0"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}-1.0.jar").write_bytes(data)


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    root = tmp_path / "mirror"
    root.mkdir()
    mirror = Mirror(root)
    for name, data in CONTENT.items():
        mirror.put(name, data)
    thread = threading.Thread(target=mirror.server.serve_forever)
    thread.start()
    yield mirror
    mirror.server.shutdown()
    thread.join()
    mirror.server.server_close()


def test_the_lock_holds_delta_alone_and_s3_without_its_bundle() -> None:
    lock = load_lock()
    assert [jar.coordinate for jar in lock.of([JarSet.DELTA])] == [
        "io.delta:delta-spark_4.2_2.13:4.4.0",
        "io.delta:delta-storage:4.4.0",
    ]
    s3 = {jar.coordinate.split(":")[1] for jar in lock.of([JarSet.S3])}
    assert {"hadoop-aws", "s3", "s3-transfer-manager", "sts", "apache-client"} <= s3
    assert "bundle" not in s3
    assert [jar.coordinate.split(":")[1] for jar in lock.of([JarSet.JDBC])] == ["postgresql"]
    kafka = {jar.coordinate.split(":")[1] for jar in lock.of([JarSet.KAFKA])}
    assert {"kafka-clients", "spark-sql-kafka-0-10_2.13"} <= kafka
    assert all(len(jar.sha256) == 64 for jar in lock.jars)


def test_the_lock_says_nothing_of_where_jars_come_from() -> None:
    assert not any("/" in f"{jar.coordinate}{jar.file}" for jar in load_lock().jars)


def test_comments_and_empty_lines_of_a_lock_are_left_out() -> None:
    lock = parse_lock("# sums\n\nabc  org.example:a:1  a-1.jar  s3\n")
    assert [(jar.file, jar.jar_set) for jar in lock.jars] == [("a-1.jar", JarSet.S3)]


def test_a_missing_and_an_altered_jar_are_told_apart(tmp_path: Path) -> None:
    lock = lock_of(CONTENT)
    (tmp_path / lock.jars[0].file).write_bytes(b"something else")
    found = [(problem.jar.file, problem.damage) for problem in verify(tmp_path, lock=lock)]
    assert found == [
        ("org.example_alpha-1.0.jar", Damage.ALTERED),
        ("org.example_beta-1.0.jar", Damage.MISSING),
    ]


def test_a_damaged_jar_never_reaches_a_class_path(tmp_path: Path) -> None:
    lock = lock_of(CONTENT)
    for jar, data in zip(lock.jars, CONTENT.values(), strict=True):
        (tmp_path / jar.file).write_bytes(data)
    assert class_path(tmp_path, JarSet.DELTA, lock) == tuple(
        tmp_path / jar.file for jar in lock.jars
    )
    (tmp_path / lock.jars[1].file).write_bytes(b"cut sho")
    with pytest.raises(SetupError, match=r"beta-1\.0\.jar is altered") as caught:
        class_path(tmp_path, JarSet.DELTA, lock)
    assert caught.value.next_step == "penstock jars --resolve"


def test_jars_come_from_the_mirror_with_progress(tmp_path: Path, mirror: Mirror) -> None:
    lock, folder, told = lock_of(CONTENT), tmp_path / "jars", []
    fetched = resolve(
        folder, progress=lambda *told_now: told.append(told_now[:2]), lock=lock, env=mirror.env
    )
    assert fetched == list(lock.jars)
    assert told == [(1, 2), (2, 2)]
    assert verify(folder, lock=lock) == []
    assert sorted(path.name for path in folder.iterdir() if path.name != ".lock") == [
        jar.file for jar in lock.jars
    ]


def test_what_is_there_is_not_fetched_again(tmp_path: Path, mirror: Mirror) -> None:
    lock, folder = lock_of(CONTENT), tmp_path / "jars"
    resolve(folder, lock=lock, env=mirror.env)
    assert resolve(folder, lock=lock, env={"PATH": ""}) == []


def test_a_damaged_jar_is_mended_by_resolving(tmp_path: Path, mirror: Mirror) -> None:
    lock, folder = lock_of(CONTENT), tmp_path / "jars"
    resolve(folder, lock=lock, env=mirror.env)
    (folder / lock.jars[0].file).write_bytes(b"bit rot")
    assert resolve(folder, lock=lock, env=mirror.env) == [lock.jars[0]]
    assert verify(folder, lock=lock) == []


def test_a_jar_with_a_wrong_sum_is_refused_by_name(tmp_path: Path, mirror: Mirror) -> None:
    lock, folder = lock_of(CONTENT), tmp_path / "jars"
    mirror.put("beta", b"not what was reviewed")
    with pytest.raises(SetupError, match=r"beta-1\.0\.jar is altered"):
        resolve(folder, lock=lock, env=mirror.env)
    assert not (folder / lock.jars[1].file).exists()
    mirror.put("beta", CONTENT["beta"])
    resolve(folder, lock=lock, env=mirror.env)
    assert verify(folder, lock=lock) == []


def test_a_download_that_broke_off_goes_on_where_it_stopped(tmp_path: Path, mirror: Mirror) -> None:
    lock, folder = lock_of(CONTENT), tmp_path / "jars"
    beta = mirror.root / "org" / "example" / "beta"
    beta.rename(mirror.root / "away")
    with pytest.raises(SetupError, match="could not be fetched") as caught:
        resolve(folder, lock=lock, env=mirror.env)
    assert "org.example#beta" in str(caught.value)
    (mirror.root / "away").rename(beta)
    (mirror.root / "org" / "example" / "alpha").rename(mirror.root / "away")
    resolve(folder, lock=lock, env=mirror.env)
    assert verify(folder, lock=lock) == []


def test_no_network_says_which_variable_names_a_mirror(tmp_path: Path) -> None:
    env = os.environ | {MIRROR: "http://127.0.0.1:9/maven2"}
    with pytest.raises(SetupError) as caught:
        resolve(tmp_path, lock=lock_of(CONTENT), env=env)
    assert MIRROR in caught.value.next_step


def test_a_folder_that_is_a_file_is_a_set_up_error(tmp_path: Path) -> None:
    (tmp_path / "jars").write_text("in the way")
    with pytest.raises(SetupError, match="cannot be put in their folder"):
        resolve(tmp_path / "jars", lock=lock_of(CONTENT))
