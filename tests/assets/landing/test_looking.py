"""Files are looked at several at once, and what is wrong with the first of them is told."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from penstock import Csv, JsonLines, Slice, landing
from penstock.assets.landing.csv_look import CsvLook
from penstock.assets.landing.pin import arrived
from penstock.assets.landing.slice_files import SliceFiles, slice_files
from penstock.errors import InputError
from penstock.testing import temporary_lake

if TYPE_CHECKING:
    from pathlib import Path


def test_each_file_is_what_it_is_and_in_its_place(tmp_path: Path) -> None:
    runtime = temporary_lake(tmp_path)
    place = tmp_path / "landing"
    for number in range(60):
        (place / f"f{number:02}.csv").write_text(f"id,a{number}\n1,2\n")
    landed = landing("f*.csv")
    for _ in range(2):  # the second time as it was found the first
        found = arrived("raw", landed, (SliceFiles(),), runtime.lake, runtime.ledger.inspected)
        assert [file.name for file in found] == [f"f{number:02}.csv" for number in range(60)]
        headers = [file.look.header for file in found if isinstance(file.look, CsvLook)]
        assert headers == [("id", f"a{n}") for n in range(60)]
        assert len({file.sha256 for file in found}) == 60


def test_what_is_wrong_with_the_first_file_is_told(tmp_path: Path) -> None:
    runtime = temporary_lake(tmp_path)
    for number in range(30):
        text = "" if number in (7, 20) else "id\n1\n"
        (tmp_path / "landing" / f"f{number:02}.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        arrived("raw", landing("f*.csv"), (SliceFiles(),), runtime.lake, runtime.ledger.inspected)
    assert (caught.value.what, caught.value.where) == ("the file is empty", "f07.csv")


def test_a_file_of_two_days_is_one_of_each(tmp_path: Path) -> None:
    runtime = temporary_lake(tmp_path)
    (tmp_path / "landing" / "2013-01-05-2013-01-06.csv").write_text("id\n1\n")
    landed = landing("*{day}*.csv")
    days = Slice.day(date(2013, 1, 5), date(2013, 1, 6))
    both = slice_files(landed.files, days, None)
    found = arrived("raw", landed, both, runtime.lake, runtime.ledger.inspected)
    assert [file.day for file in found] == [date(2013, 1, 5), date(2013, 1, 6)]


def test_what_was_found_as_one_format_is_not_taken_for_another(tmp_path: Path) -> None:
    runtime = temporary_lake(tmp_path)
    (tmp_path / "landing" / "f").write_text(json.dumps({"id": 1}) + "\nx;y\n")
    lake, inspected = runtime.lake, runtime.ledger.inspected
    arrived("raw", landing("f", format=JsonLines()), (SliceFiles(),), lake, inspected)
    with pytest.raises(InputError, match="the file is JSON, not CSV"):
        arrived("raw", landing("f", format=Csv(delimiter=";")), (SliceFiles(),), lake, inspected)
