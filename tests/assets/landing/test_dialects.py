"""CSV as senders write it: what Python's csv module wrote is what is read, in each dialect."""

from __future__ import annotations

import csv
import io
import random
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from penstock import Contract, Csv, column, landing
from penstock import Decimal as Digits
from penstock.errors import DefinitionError, InputError
from penstock.schemas.contract import model_of
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.ledger.postgres import PostgresServer

pytestmark = pytest.mark.slow(seconds=40)


class Text(Contract, owner="team:law", version="1.0.0", name="law.text"):
    """A row of text."""

    a: str = column(nullable=True)
    b: str = column(nullable=True)
    c: str = column(nullable=True)


class Kept(Contract, owner="team:law", version="1.0.0", name="law.kept"):
    """A row of a database."""

    id: int = column()
    note: str = column(nullable=True)
    fare: Digits(20, 6) = column(nullable=True)
    share: float = column(nullable=True)
    paid: bool = column(nullable=True)
    day: date = column(nullable=True)
    at: datetime = column(nullable=True)
    local: datetime = column(nullable=True)


class Paid(Contract, owner="team:law", version="1.0.0", name="law.paid"):
    """A row of numbers."""

    id: int = column()
    fare: Digits(10, 2) = column(nullable=True)
    share: float = column(nullable=True)


DIALECTS = {
    "semicolons": Csv(delimiter=";"),
    "tabs": Csv(delimiter="\t"),
    "vertical bars and single quotes": Csv(delimiter="|", quote="'"),
    "carets and brackets": Csv(delimiter="^", quote="]"),
    "backslashes between": Csv(delimiter="\\", quote="-"),
    "backslashes before quotes": Csv(escape="\\"),
    "no quotes": Csv(delimiter="\t", quote=None),
    "ISO-8859-1": Csv(delimiter=";", encoding="latin1"),
    "ISO-8859-2": Csv(encoding="latin2"),
    "ISO-8859-15": Csv(encoding="ISO-8859-15", delimiter="|"),
    "windows-1250": Csv(encoding="windows-1250"),
    "windows-1252": Csv(encoding="cp1252"),
    "UTF-16 with a mark": Csv(encoding="UTF-16"),
    "UTF-16LE": Csv(encoding="utf-16-le", delimiter=";"),
    "comments": Csv(comment="#"),
    "no header": Csv(columns=("a", "b", "c")),
    "a delimiter behind the last cell": Csv(delimiter=";", trailing_delimiter=True),
}


def _cell(chance: random.Random, written: Csv, *, all_quoted: bool) -> str:
    letters = [
        "a",
        "7",
        "x y",
        "é",
        "\\",
        "#",
        "'",
        '"',
        ";",
        ",",
        "|",
        "^",
        "]",
        "-",
        "\n",
        "\r\n",
        "\r",
        "\t",
    ]
    if written.encoding.startswith(("UTF", "windows")):
        letters.append("€")
    if written.quote is None or not all_quoted:
        letters = [one for one in letters if one != "\r"]  # csv leaves it without quotes
    if written.quote is None:
        letters = [one for one in letters if one not in "\t\r\n"]
    return "".join(chance.choice(letters) for _ in range(chance.choice([0, 1, 1, 2, 4])))


def _sent(chance: random.Random, written: Csv) -> tuple[bytes, list[tuple[Any, ...]]]:
    held = io.StringIO(newline="")
    end = chance.choice(["\n", "\r\n"])
    all_quoted = bool(written.escape or written.comment) or chance.random() < 0.5
    writer = csv.writer(
        held,
        delimiter=written.delimiter,
        quotechar=written.quote,
        escapechar=written.escape,
        doublequote=written.escape is None,
        lineterminator=end,
        quoting=csv.QUOTE_NONE
        if written.quote is None
        else csv.QUOTE_ALL
        if all_quoted
        else csv.QUOTE_MINIMAL,
    )
    rows = [
        tuple(_cell(chance, written, all_quoted=all_quoted) for _ in "abc")
        for _ in range(chance.randint(1, 6))
    ]
    # of a line with a single empty cell nobody knows whether it is a record
    rows = [("a", *row[1:]) if not any(row) else row for row in rows]
    more = [""] if written.trailing_delimiter else []
    for n, row in enumerate([*([] if written.columns else [("a", "b", "c")]), *rows]):
        if written.comment and chance.random() < 0.4:
            held.write(f'# what "comes" now, {n}{end}')
        writer.writerow([*row, *more])
    text = held.getvalue()
    return text.encode(written.encoding), [tuple(cell or None for cell in row) for row in rows]


@pytest.mark.parametrize("written", DIALECTS.values(), ids=DIALECTS.keys())
def test_what_was_written_is_what_is_read(
    spark: SparkSession, tmp_path: Path, written: Csv
) -> None:
    chance = random.Random(1859)
    files, rows = {}, []
    for number in range(60):
        content, sent = _sent(chance, written)
        files[f"f{number}__csv"] = content
        rows += sent
    read = arrive(spark, tmp_path, Text, landing("*.csv", format=written), **files)
    assert read.rejected == []
    assert read.rows == sorted(rows, key=repr)


@pytest.mark.parametrize(
    ("written", "text", "reasons"),
    [
        (Csv(delimiter=";"), "a;b;c\n1;2\n1;2;3;4\n1;2;3\n", ["csv:malformed"] * 2),
        (Csv(escape="\\"), 'a,b,c\n"1""2",2,3\n"1\\"2",2,3\n', ["csv:malformed"]),
        (Csv(trailing_delimiter=True), "a,b,c,\n1,2,3,4\n1,2,3\n1,2,3,\n", ["csv:malformed"] * 2),
        (Csv(columns=("a", "b", "c")), "1,2,3\n4,5\n", ["csv:malformed"]),
        (Csv(quote="'"), "a,b,c\n'1'2,2,3\n1,2,3\n", ["csv:malformed"]),
    ],
    ids=["cells", "doubled quotes", "behind the last", "no header", "text behind a quote"],
)
def test_a_record_that_is_none_in_the_dialect_is_set_aside(
    spark: SparkSession, tmp_path: Path, written: Csv, text: str, reasons: list[str]
) -> None:
    read = arrive(spark, tmp_path, Text, landing("*.csv", format=written), f__csv=text)
    assert len(read.rows) == 1
    assert read.reasons == [(reason,) for reason in reasons]


@pytest.mark.parametrize(
    ("encoding", "byte"), [("cp1252", b"\x81"), ("ascii", b"\xe9"), ("utf-16-le", b"\x00\xdc")]
)
def test_bytes_that_are_no_text_in_the_encoding_are_set_aside(
    spark: SparkSession, tmp_path: Path, encoding: str, byte: bytes
) -> None:
    content = "a,b,c\n1,2,3\n4,".encode(encoding) + byte + ",6\n".encode(encoding)
    written = Csv(encoding=encoding)
    read = arrive(spark, tmp_path, Text, landing("*.csv", format=written), f__csv=content)
    assert read.rows == [("1", "2", "3")]
    assert read.reasons == [("csv:encoding",)]


def test_text_in_utf_16_is_followed_to_its_end(spark: SparkSession, tmp_path: Path) -> None:
    """What is wrong far behind a character that is none is still wrong."""
    lines = ["a,b,c", "1,2,\ufffd", *["x,y,z"] * 300_000, '4,"5,6']
    landed = landing("*.csv", format=Csv(encoding="UTF-16LE"))
    with pytest.raises(InputError, match="a quoted cell does not end"):
        arrive(spark, tmp_path, Text, landed, f__csv="\n".join(lines).encode("utf-16-le"))


def test_several_texts_stand_for_null(spark: SparkSession, tmp_path: Path) -> None:
    landed = landing("*.csv", null_value=["NA", "-", "NULL"])
    read = arrive(spark, tmp_path, Text, landed, f__csv='a,b,c\nNA,-,\nNULL,"",x\nna,--,-NULL\n')
    assert read.rows == sorted(
        [(None, None, None), (None, None, "x"), ("na", "--", "-NULL")], key=repr
    )


@pytest.mark.parametrize(
    ("written", "good", "bad"),
    [
        (
            Csv(delimiter=";", decimal=",", thousands="."),
            {"1.234,5": "1234.5", "12": "12", "-1.234.567,89": "-1234567.89", ",5": "0.5"},
            ["1.23,4", "1234.567", "1,2,3", "1.234.56", "0.125", "-01.234", "x"],
        ),
        (
            Csv(delimiter=";", decimal=",", thousands=" "),
            {"1 234,5": "1234.5", "1\u00a0234": "1234", "1\u202f234,00": "1234"},
            ["1 23", "1.5"],
        ),
        (Csv(delimiter=";", thousands=","), {"1,234.5": "1234.5", " 7 ": "7"}, ["1,5", "12,34"]),
        (Csv(delimiter=";", thousands="'"), {"1'234.5": "1234.5"}, ["1'5"]),
        (Csv(delimiter=";", decimal=","), {"1234,5": "1234.5"}, ["1.234,5", "1.5"]),
    ],
    ids=["German", "French", "English", "Swiss", "a decimal comma"],
)
def test_numbers_are_read_as_their_country_writes_them(
    spark: SparkSession, tmp_path: Path, written: Csv, good: dict[str, str], bad: list[str]
) -> None:
    lines = [f"{n};{text};" for n, text in enumerate([*good, *bad])]
    text = "\n".join(["id;fare;share", *lines]) + "\n"
    read = arrive(spark, tmp_path, Paid, landing("*.csv", format=written), f__csv=text)
    assert [row[1] for row in sorted(read.rows)] == [Decimal(value) for value in good.values()]
    assert read.reasons == [("fare:type",)] * len(bad)
    assert sorted(row["fare"] for _, row, _ in read.rejected) == sorted(bad)


def test_a_file_of_another_delimiter_is_refused_with_how_to_say_it(
    spark: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        arrive(spark, tmp_path, Text, landing("*.csv"), f__csv="a;b;c\n1;2;3\n")
    assert "landing(format=Csv(delimiter=';'))" in caught.value.next_step
    with pytest.raises(InputError, match="not separated by semicolons"):
        arrive(spark, tmp_path, Text, landing("*.csv", format=Csv(delimiter=";")), f__csv="a,b,c\n")


@pytest.mark.parametrize(
    "wrong",
    [
        {"delimiter": "||"},
        {"delimiter": "a"},
        {"delimiter": "\n"},
        {"quote": "“"},
        {"delimiter": '"'},
        {"comment": ","},
        {"escape": " "},
        {"encoding": "UTF-7"},
        {"encoding": "no such"},
        {"decimal": ";"},
        {"decimal": ",", "thousands": ","},
        {"columns": ("a", "a")},
        {"columns": ("a", "")},
    ],
    ids=str,
)
def test_what_nobody_writes_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError):
        Csv(**wrong)


ROWS = r"""
    (1, 'plain', 12345678901234.567890, 0.1, true, date '0001-01-01',
     timestamptz '2013-07-01 12:00:00.123456+02', timestamp '2013-07-01 12:00:00'),
    (2, E'a "b",\n\\c\t''d''', -0.000001, 1e300, false, date '9999-12-31',
     timestamptz '2013-01-01 12:00:00+05:45', timestamp '2013-01-01 00:00:00.5'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, E'\\.', 0, -0.5, true, date '2024-02-29', NULL, NULL)
"""


def test_what_postgresql_copies_is_read(
    spark: SparkSession, tmp_path: Path, postgres: PostgresServer
) -> None:
    names = ", ".join(column.name for column in model_of(Kept).columns)
    query = f"COPY (SELECT * FROM (VALUES {ROWS}) AS kept ({names})) TO STDOUT (FORMAT csv, HEADER)"
    database = postgres.database()
    with closing(postgres.connect(database)) as owner, owner.cursor() as cursor:
        for zone in ("UTC", "Asia/Kathmandu"):
            cursor.execute(f"SET TimeZone = '{zone}'".encode())
            with cursor.copy(query.encode()) as copy:
                content = b"".join(map(bytes, copy))
            read = arrive(spark, tmp_path, Kept, landing("kept.csv"), kept__csv=content)
            assert read.rejected == []
            assert [row[:6] for row in read.rows] == [
                (1, "plain", Decimal("12345678901234.567890"), 0.1, True, date(1, 1, 1)),
                (2, "a \"b\",\n\\c\t'd'", Decimal("-0.000001"), 1e300, False, date(9999, 12, 31)),
                (3, None, None, None, None, None),
                (4, "\\.", Decimal(0), -0.5, True, date(2024, 2, 29)),
            ]
            moments = [(f"{row[6]}", f"{row[7]}") for row in read.rows[:2]]
            assert moments == [
                ("2013-07-01 10:00:00.123456", "2013-07-01 12:00:00"),
                ("2013-01-01 06:15:00", "2013-01-01 00:00:00.500000"),
            ]
    postgres.drop(database)
