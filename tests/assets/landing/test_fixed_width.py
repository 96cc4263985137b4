"""Lines of fixed width: each column's characters, and lines that are none."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import Contract, FixedWidth, column, landing
from penstock import Decimal as Digits
from penstock.assets.inputs.files import Landing
from penstock.assets.landing.lines import Record, lines_of
from penstock.errors import DefinitionError, InputError
from penstock.resources.lake import Lake
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow(seconds=20)


class Account(Contract, owner="team:bank", version="1.0.0", name="bronze.accounts"):
    """One account."""

    id: int = column()
    name: str = column(nullable=True)
    amount: Digits(10, 2) = column(nullable=True)
    day: date = column(nullable=True)


PLACES = {"id": (1, 4), "name": (6, 8), "amount": (14, 9), "day": (23, 10)}
FORMAT = FixedWidth(PLACES, decimal=",", thousands=".")
FILES = landing("*", format=FORMAT, null_value=["", "N/A"])
GOOD = [
    "0001 Zoë Ü   1.234,50 2024-02-29",
    "   2|        N/A      2024-02-29   ",
    "0003   x         -7,5          ",
]


@pytest.mark.parametrize("encoding", ["UTF-8", "latin1", "cp1252"])
def test_each_column_is_what_stands_in_its_place(
    spark: SparkSession, tmp_path: Path, encoding: str
) -> None:
    written = FixedWidth(PLACES, encoding=encoding, decimal=",", thousands=".")
    landed = landing("*", format=written, null_value=["", "N/A"])
    lines = [line.ljust(32) for line in GOOD]
    content = "\r\n".join(["", *lines, "   ", ""]).encode(encoding)
    read = arrive(spark, tmp_path, Account, landed, f=content)
    assert read.rejected == []
    assert read.rows == [
        (1, "Zoë Ü", Decimal("1234.50"), date(2024, 2, 29)),
        (2, None, None, date(2024, 2, 29)),
        (3, "  x", Decimal("-7.50"), None),
    ]


def test_lines_that_are_none_are_set_aside_as_they_came(
    spark: SparkSession, tmp_path: Path
) -> None:
    lines = {
        "0004 a            7,50 2024-02-2"[:31]: "fixed:malformed",
        "0005 a           7,50 2024-02-29 more": "fixed:malformed",
        "abcd a           7,50 2024-02-29": "id:type",
        "0006 a           7.50 2024-02-29": "amount:type",
        "0007 a           7,50 2024-02-30": "day:type",
    }
    text = "\n".join([GOOD[0].ljust(32), *lines])
    read = arrive(spark, tmp_path, Account, FILES, f=text)
    assert {row["line"]: reasons for reasons, row, _ in read.rejected} == {
        line: (reason,) for line, reason in lines.items()
    }
    assert [row[0] for row in read.rows] == [1]


def test_lines_may_lack_the_blanks_at_their_end_where_that_is_said(
    spark: SparkSession, tmp_path: Path
) -> None:
    landed = landing("*", format=FixedWidth({"id": (1, 4), "name": (6, 8)}, stripped=True))

    class Named(Contract, owner="team:bank", version="1.0.0", name="bronze.named"):
        """A name."""

        id: int = column()
        name: str = column(nullable=True)

    read = arrive(spark, tmp_path, Named, landed, f="0001 a\n0002\n0003 abcdefgh\n0004 abcdefghi\n")
    assert read.rows == [(1, "a"), (2, None), (3, "abcdefgh")]
    assert read.reasons == [("fixed:malformed",)]


def test_a_carriage_return_alone_ends_no_line(spark: SparkSession, tmp_path: Path) -> None:
    landed = landing("*", format=FixedWidth({"name": (1, 8)}, stripped=True))

    class Word(Contract, owner="team:bank", version="1.0.0", name="bronze.words"):
        """A word."""

        name: str = column(nullable=True)

    read = arrive(spark, tmp_path, Word, landed, f="ab\rcd\r\nef\r\n")
    assert read.rows == [("ab\rcd",), ("ef",)]


def test_bytes_that_are_no_text_are_set_aside(spark: SparkSession, tmp_path: Path) -> None:
    content = GOOD[0].ljust(32).encode() + b"\n0002 \xff" + b" " * 26 + b"\n"
    read = arrive(spark, tmp_path, Account, FILES, f=content)
    assert ([row[0] for row in read.rows], read.reasons) == ([1], [("fixed:encoding",)])


_NAMES = st.text(st.sampled_from("ab é\"'\\,;#\t"), max_size=8).map(str.rstrip)


@settings(max_examples=5)
@given(rows=st.lists(st.tuples(st.integers(-999, 9999), _NAMES), min_size=1, max_size=40))
def test_what_python_writes_is_what_is_read(
    spark: SparkSession,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, str]],
) -> None:
    text = "\n".join(f"{number:>4} {name:<8}{'':19}" for number, name in rows)
    read = arrive(spark, tmp_path_factory.mktemp("law"), Account, FILES, f=text)
    assert read.rejected == []
    sent = [(number, name or None, None, None) for number, name in rows]
    assert read.rows == sorted(sent, key=repr)


def test_a_line_is_found_as_it_came(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes("a\r\n\r\nbé\na\n".encode("cp1252"))
    written = FixedWidth({"id": (1, 4)}, encoding="cp1252")
    landed = Landing(pattern="f", format=written)
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path))
    sought = [Record.parse(text, written) for text in ("a", "bé", "c")]
    assert lines_of(lake, "f", landed, sought) == [(1, 4), (3,), ()]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "the file is empty"),
        (b" \r\n \n", "the file is empty"),
        (
            b"PK\x03\x04\0\0",
            "the file is a zip archive or an Excel workbook, not text of fixed width",
        ),
    ],
)
def test_a_file_that_is_none_is_refused(
    spark: SparkSession, tmp_path: Path, content: bytes, what: str
) -> None:
    with pytest.raises(InputError) as caught:
        arrive(spark, tmp_path, Account, FILES, f=content)
    assert caught.value.what == what


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": {}},
        {"columns": {"a": (0, 4)}},
        {"columns": {"a": (1, 0)}},
        {"columns": {"a": (1, 4), "b": (4, 2)}},
        {"columns": {"a": 4}},
        {"columns": {"a": (1.5, 4)}},
        {"columns": {"": (1, 4)}},
        {"columns": ["a"]},
        {"columns": {"a": (1, 4)}, "encoding": "UTF-16"},
        {"columns": {"a": (1, 4)}, "decimal": "x"},
    ],
    ids=str,
)
def test_what_nobody_writes_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        FixedWidth(**wrong)
