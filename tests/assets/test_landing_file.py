"""What a landing file is taken for by its first bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock import Csv
from penstock.assets.landing.csv_look import CsvLook
from penstock.assets.landing.file import inspect_file
from penstock.errors import InputError
from penstock.resources.lake import Lake

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.assets.landing.file import TakenFile


def _inspected(folder: Path, content: bytes) -> TakenFile:
    (folder / "a.csv").write_bytes(content)
    lake = Lake(root=str(folder / "lake"), landing=str(folder))
    (found,) = lake.landing_files("a.csv")
    return inspect_file(lake, found, None, Csv())


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"[" * 100_000 + b"\n", "the file is JSON, not CSV"),
        (b'[\n {"id": 1}\n]\n', "the file is JSON, not CSV"),
        (b'\xef\xbb\xbf {"id": 1}\n', "the file is JSON, not CSV"),
        (b"ORC\n\x02\x00\x01", "the file is ORC, not CSV"),
        (b"id\n\n1\0\n", "the file is binary, or text in UTF-16 or UTF-32, not CSV"),
    ],
    ids=["deeper than can be read", "on several lines", "lines behind a mark", "ORC", "binary"],
)
def test_what_is_no_csv_is_told_as_what_it_is(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(InputError) as caught:
        _inspected(tmp_path, content)
    assert caught.value.what == what


@pytest.mark.parametrize("name", ["PAR1", "ORC_ID", "BZh", "{id}", "[id]"])
def test_a_column_may_be_called_as_another_format_begins(tmp_path: Path, name: str) -> None:
    look = _inspected(tmp_path, f"{name},b\n1,2\n".encode()).look
    assert isinstance(look, CsvLook)
    assert look.header == (name, "b")
