from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from penstock.operations.doctor import (
    Examined,
    archive_finding,
    byte_code_finding,
    diagnose,
    disk_finding,
    folder_finding,
    jars_finding,
    java_finding,
    port_finding,
    python_finding,
    secrets_finding,
    versions_finding,
)
from penstock.resources.byte_code import ByteCode
from penstock.resources.jars import load_lock


def test_this_machine_is_fit_and_every_finding_could_be_mended() -> None:
    findings = diagnose(Examined(min_free_bytes=0))
    assert {finding.what: finding.detail for finding in findings if not finding.ok} == {}
    assert [finding.what for finding in findings] == [
        "python",
        "java",
        "versions",
        "byte code",
        "jars",
        "class archive",
        "disk",
    ]


def test_what_is_given_is_looked_at_too(tmp_path: Path) -> None:
    places = Examined(
        home=tmp_path, lake=tmp_path / "l", ledger=tmp_path, secrets=tmp_path, ports={"web": 1}
    )
    names = [finding.what for finding in diagnose(places)]
    assert names[6:] == ["port for web", "disk", "lake folder", "ledger folder", "secrets"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("running", "ok"), [((3, 10), False), ((3, 11), True), ((3, 14), False)])
def test_python_is_three_eleven_to_thirteen(running: tuple[int, int], ok: bool) -> None:  # noqa: FBT001
    assert python_finding(running).ok is ok


def test_a_missing_java_comes_with_the_command_that_installs_one(tmp_path: Path) -> None:
    finding = java_finding({"PATH": str(tmp_path)})
    assert not finding.ok
    assert "apt-get install openjdk-17" in (finding.mend or "")


def test_versions_that_do_not_belong_together_are_seen() -> None:
    assert versions_finding("4.2.0", "4.4.0").ok
    assert not versions_finding("4.3.0", "4.4.0").ok
    assert not versions_finding("4.2.0", "4.4.1").ok
    assert not versions_finding(None, None).ok


@pytest.mark.parametrize(
    ("missing", "kept", "ok", "said"),
    [
        (0, False, True, "1,000 modules that this process loaded are compiled"),
        (20, False, True, "are compiled"),
        (21, False, False, "every process does it anew"),
        (1000, True, True, "1,000 of 1,000 .* the next process finds them so"),
    ],
)
def test_packages_that_every_process_compiles_anew_are_found(
    missing: int,
    kept: bool,  # noqa: FBT001
    ok: bool,  # noqa: FBT001
    said: str,
) -> None:
    found = ByteCode(files=1000, missing=missing, folders=(Path("/site"),), kept=kept)
    finding = byte_code_finding(found)
    assert finding.ok is ok
    assert re.search(said, finding.detail)
    assert (finding.mend or "").endswith(" -m compileall -qq -j 0 /site")


def test_damaged_and_missing_jars_are_named(tmp_path: Path) -> None:
    first = load_lock().jars[0]
    (tmp_path / first.file).write_bytes(b"half")
    finding = jars_finding(tmp_path)
    assert not finding.ok
    assert finding.detail.startswith(f"{first.file} is altered; ")
    assert finding.detail.endswith("is missing ...")
    assert finding.mend == "penstock jars --resolve"


def test_no_archive_is_said_to_be_only_slower(tmp_path: Path) -> None:
    finding = archive_finding(tmp_path)
    assert not finding.ok
    assert "work without it" in (finding.mend or "")


def test_a_taken_port_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port_finding("the web server", port).detail == f"{port} is taken"
    assert port_finding("the web server", port).ok


def test_too_little_room_is_found(tmp_path: Path) -> None:
    assert disk_finding(tmp_path / "not" / "yet", 1).ok
    assert not disk_finding(tmp_path, 10**18).ok


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    assert folder_finding("lake", tmp_path / "not" / "yet").ok
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    finding = folder_finding("lake", in_the_way)
    assert not finding.ok
    assert str(in_the_way) in (finding.mend or "")


def test_a_key_that_others_can_read_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    assert secrets_finding(folder).ok
    folder.mkdir(mode=0o700)
    key = folder / "key"
    key.write_text("")
    key.chmod(0o600)
    assert secrets_finding(folder).ok
    key.chmod(0o640)
    finding = secrets_finding(folder)
    assert not finding.ok
    assert finding.detail.startswith(str(key))
