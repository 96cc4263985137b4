"""The lines on which records of a landing file stand."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Csv, JsonLines, Parquet
from penstock.assets.inputs.files import Landing
from penstock.assets.landing.lines import MOST_LINES, Cells, Record, is_compared, lines_of
from penstock.errors import InputError
from penstock.resources.lake import Lake
from tests.packed import PACKED, pack

if TYPE_CHECKING:
    from pathlib import Path

FILES = Landing(pattern="*.csv")
NULLED = Landing(pattern="*.csv", null_values=("NA",))
_cells = st.text(st.sampled_from('ab1,"\n\r \ufffdé'), max_size=4)
_records = st.lists(st.tuples(_cells, _cells, _cells), min_size=1, max_size=8)


def _lake(folder: Path) -> Lake:
    folder.mkdir(exist_ok=True)
    return Lake(root=str(folder / "lake"), landing=str(folder))


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("landing")


@given(records=_records, end=st.sampled_from(["\n", "\r\n", "\r"]), packed=st.sampled_from(PACKED))
def test_every_record_is_found_where_it_begins(
    landing: Path, records: list[tuple[str, str, str]], end: str, packed: str
) -> None:
    text = f"a,b,c{end}"
    begins: dict[tuple[str, ...], list[int]] = {}
    for record in records:
        # a line end is LF, CR or both; a CR of one record's end and a LF of the next never meet
        line = 1 + text.count("\n") + text.count("\r") - text.count("\r\n")
        begins.setdefault(record, []).append(line)
        held = io.StringIO(newline="")
        csv.writer(held, lineterminator=end, quoting=csv.QUOTE_ALL).writerow(record)
        text += held.getvalue()
    name = f"rows.csv{packed}"
    (landing / name).write_bytes(pack(packed, text.encode()))

    sought = list(begins)
    whole = lines_of(_lake(landing), name, FILES, [Record(cells=record) for record in sought])
    assert whole == [tuple(begins[record][:MOST_LINES]) for record in sought]
    by_name = [
        Cells(by_column={c: ("string", value or None) for c, value in zip("abc", r, strict=True)})
        for r in sought
    ]
    assert lines_of(_lake(landing), name, FILES, by_name) == whole


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("int", " 007", "7"),
        ("bigint", "-5", "-5"),
        ("decimal(10,2)", "12.30", "12.3"),
        ("double", "1e3", "1000.0"),
        ("double", "NaN", "NaN"),
        ("boolean", "yes", "True"),
        ("date", "2013-02-07 ", "2013-02-07"),
        ("timestamp", "2013-02-07 10:15:00+01:00", "2013-02-07T09:15:00.000Z"),
        ("timestamp", "2013-02-07", "2013-02-07T00:00:00.000Z"),
        ("timestamp_ntz", "2013-02-07 10:15", "2013-02-07T10:15:00.000"),
        ("string", "NA", None),
        ("string", "", None),
    ],
)
def test_a_cell_is_known_by_its_value(
    tmp_path: Path, kind: str, cell: str, value: str | None
) -> None:
    (tmp_path / "rows.csv").write_text(f"x,y\nother,1\n{cell},2\n\n{cell},3\n")
    sought = Cells(by_column={"x": (kind, value), "y": ("int", "3")})
    alike = Cells(by_column={"x": (kind, value)})
    assert is_compared(kind)
    assert lines_of(_lake(tmp_path), "rows.csv", NULLED, [sought, alike]) == [(5,), (3, 5)]


def test_rows_of_which_other_cells_and_types_are_known_are_found_together(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y,z\n01,a,2\n1,b,oops\n02,c,\n")
    sought: list[Cells | Record] = [
        Cells(by_column={"x": ("int", "1"), "z": ("int", "2")}),
        Cells(by_column={"x": ("string", "1"), "y": ("string", "b"), "z": ("string", "oops")}),
        Cells(by_column={"y": ("string", "c")}),
        Cells(by_column={"z": ("int", None)}),
        Record(cells=("02", "c", None)),
    ]
    assert lines_of(_lake(tmp_path), "rows.csv", FILES, sought) == [(2,), (3,), (4,), (4,), (4,)]


@pytest.mark.parametrize(
    ("kind", "others", "cell", "value"),
    [
        ("boolean", ["maybe"], "no", "False"),
        ("int", ["7.0", "7x"], "7", "7"),
        ("decimal(10,2)", ["1.239"], "1.23", "1.23"),
        ("date", ["2013-2-7", "2013-02-30"], "2013-02-07", "2013-02-07"),
        ("float", ["0.12"], "0.123456789", "0.12345679"),
        (
            "timestamp",
            ["2013-02-07 10:15:00.122999Z"],
            "2013-02-07 10:15:00.1239 Z",
            "2013-02-07T10:15:00.123Z",
        ),
    ],
)
def test_a_cell_that_is_not_of_the_type_or_has_another_value_is_not_meant(
    tmp_path: Path, kind: str, others: list[str], cell: str, value: str
) -> None:
    (tmp_path / "rows.csv").write_text("\n".join(["x", *others, cell]) + "\n")
    [found] = lines_of(_lake(tmp_path), "rows.csv", FILES, [Cells(by_column={"x": (kind, value)})])
    assert found == (2 + len(others),)


def test_times_that_the_quarantine_cannot_tell_apart_have_all_their_lines(tmp_path: Path) -> None:
    times = ["2013-02-07 10:15:00.123456Z", "2013-02-07 10:15:00.123Z"]
    (tmp_path / "rows.csv").write_text("\n".join(["x", *times]) + "\n")
    sought = [
        Cells(by_column={"x": ("timestamp", f"2013-02-07T10:15:00.{fraction}Z")})
        for fraction in ("123", "123456", "123000", "123457")
    ]
    # rows that were set aside when they were kept to milliseconds, and to microseconds
    assert lines_of(_lake(tmp_path), "rows.csv", FILES, sought) == [(2, 3), (2,), (3,), ()]


def test_a_column_without_a_name_has_the_one_that_it_had_when_it_was_read(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,\n1,a\n1,b\n")
    named = {"x": ("string", "1"), "column 2 without a name": ("string", "b")}
    assert lines_of(_lake(tmp_path), "rows.csv", FILES, [Cells(by_column=named)]) == [(3,)]


def test_what_is_not_there_has_no_line(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x,y\n1,2\n")
    lake = _lake(tmp_path)
    gone: list[Cells | Record] = [
        Cells(by_column={"x": ("int", "7")}),
        Cells(by_column={"z": ("int", "1")}),
        Cells(by_column={}),
        Record(cells=("1",)),
    ]
    assert lines_of(lake, "rows.csv", FILES, gone) == [()] * len(gone)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"x,y\n1,2\n")[:-9])
    assert lines_of(lake, "cut.csv.gz", FILES, gone[:1]) == [()]
    damaged = bytearray(gzip.compress(b"x,y\n" + bytes(range(48, 58)) * 500))
    damaged[20:30] = b"\xff" * 10
    (tmp_path / "damaged.csv.gz").write_bytes(damaged)
    assert lines_of(lake, "damaged.csv.gz", FILES, gone[:1]) == [()]
    with pytest.raises(InputError, match="cannot be read"):
        lines_of(lake, "none.csv", FILES, gone)


def test_a_line_of_json_is_found_as_it_came(tmp_path: Path) -> None:
    lines = ['{"id":1}', "", '{"id":2', '{"id":1}', '{"id":3, "more":"x,y"}\r']
    (tmp_path / "rows.json").write_text("\n".join(lines), newline="")
    landed = Landing(pattern="*.json", format=JsonLines())
    sought = [
        Record.parse('{"id":1}', JsonLines()),
        Record.parse('{"id":2', JsonLines()),
        Record.parse('{"id":3, "more":"x,y"}', JsonLines()),
        Record.parse('{"id":4}', JsonLines()),
    ]
    found = lines_of(_lake(tmp_path), "rows.json", landed, sought)
    assert found == [(1, 4), (3,), (5,), ()]


def test_lines_of_a_dialect_are_those_of_the_file(tmp_path: Path) -> None:
    written = Csv(delimiter=";", quote="'", comment="#", encoding="cp1252", trailing_delimiter=True)
    text = "# what\na;b;\n1;'x\ny';\n# 'more'\n2;€;\n3;z\n"
    (tmp_path / "rows.csv.bz2").write_bytes(bz2.compress(text.encode("cp1252")))
    landed = Landing(pattern="*.csv.bz2", format=written)
    sought: list[Cells | Record] = [
        Cells(by_column={"a": ("int", "1"), "b": ("string", "x\ny")}),
        Cells(by_column={"b": ("string", "€")}),
        Record.parse("3;z", written),
    ]
    assert lines_of(_lake(tmp_path), "rows.csv.bz2", landed, sought) == [(3,), (6,), (7,)]


def test_a_format_without_lines_has_none(tmp_path: Path) -> None:
    landed = Landing(pattern="*", format=Parquet())
    assert lines_of(_lake(tmp_path), "rows.parquet", landed, [Record(cells=("1",))]) == [()]
