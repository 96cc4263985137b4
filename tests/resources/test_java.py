from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.errors import SetupError
from penstock.resources.java import find_java, parse_version, require_java

if TYPE_CHECKING:
    from pathlib import Path


def test_the_major_version_is_read_from_the_banner() -> None:
    assert parse_version('openjdk version "17.0.15" 2025-04-15\n...') == ("17.0.15", 17)
    assert parse_version('java version "21" 2023-09-19 LTS') == ("21", 21)
    assert parse_version("no such thing") == ("", 0)


def test_the_java_of_this_machine_is_supported() -> None:
    assert require_java().supported


def test_no_java_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no Java was found") as caught:
        require_java({"PATH": str(tmp_path)})
    assert "openjdk-17" in caught.value.next_step
    assert "Traceback" not in str(caught.value)


def test_an_empty_path_has_no_java() -> None:
    assert find_java({"PATH": ""}) is None


def test_a_java_home_without_java_is_named(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        require_java({"JAVA_HOME": str(tmp_path), "PATH": "/usr/bin"})
    assert str(tmp_path) in str(caught.value)


def test_a_java_spark_does_not_run_on_is_refused_with_its_version(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"25.0.3\" 2026-04-21 LTS' >&2\n")
    java.chmod(0o755)
    with pytest.raises(SetupError) as caught:
        require_java({"JAVA_HOME": str(tmp_path)})
    assert caught.value.found == "Java 25.0.3"
    assert caught.value.expected == "Java 17 or 21"
