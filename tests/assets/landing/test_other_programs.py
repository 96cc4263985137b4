"""What other programs wrote, and would once have been kept otherwise, lost, or told as nothing."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from decimal import Decimal as Exact
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from penstock import (
    Contract,
    Csv,
    Decimal,
    FixedWidth,
    JsonDocument,
    JsonLines,
    Parquet,
    Xml,
    column,
    landing,
)
from penstock.assets.landing.cell import Dates, value_sql, wrong_sql
from penstock.errors import DefinitionError, InputError
from penstock.resources.lake import Lake
from tests.assets.landing.arriving import arrive

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow(seconds=30)


class Text(Contract, owner="team:law", version="1.0.0", name="law.text"):
    """A row of text."""

    a: str = column(nullable=True)
    b: str = column(nullable=True)
    c: str = column(nullable=True)


class One(Contract, owner="team:law", version="1.0.0", name="law.one"):
    """A text."""

    a: str = column(nullable=True)


class Real(Contract, owner="team:law", version="1.0.0", name="law.real"):
    """A number."""

    id: int = column()
    fare: float = column(nullable=True)


class Whole(Contract, owner="team:law", version="1.0.0", name="law.whole"):
    """A large number."""

    v: Decimal(38, 0) = column(nullable=True)


class Float(Contract, owner="team:law", version="1.0.0", name="law.float"):
    """A number of less digits than another."""

    v: float = column(nullable=True)


class Price(Contract, owner="team:law", version="1.0.0", name="law.price"):
    """A price."""

    v: Decimal(10, 2) = column(nullable=True)


class Day(Contract, owner="team:law", version="1.0.0", name="law.day"):
    """A day."""

    v: date = column(nullable=True)


class Moment(Contract, owner="team:law", version="1.0.0", name="law.moment"):
    """A moment."""

    v: datetime = column(nullable=True)


GERMAN: Any = {"decimal": ",", "thousands": "."}


def test_an_exponent_behind_groups_of_thousands_is_no_number(
    spark: SparkSession, tmp_path: Path
) -> None:
    # LibreOffice shows them so beside 1.234,50
    cells = ["1.234,50", "1.234E+020", "-1.234E-10", "1,5E3", "12E2"]
    text = "".join(f"{n};{cell}\n" for n, cell in enumerate(cells))
    written = Csv(delimiter=";", **GERMAN)
    read = arrive(
        spark, tmp_path, Real, landing("*.csv", format=written), f__csv=f"id;fare\n{text}"
    )
    assert read.rows == [(0, 1234.5), (3, 1500.0), (4, 1200.0)]
    assert read.reasons == [("fare:type",)] * 2
    places = FixedWidth({"id": (1, 1), "fare": (3, 10)}, **GERMAN)
    lines = "".join(f"{n} {cell:<10}\n" for n, cell in enumerate(cells))
    read = arrive(spark, tmp_path, Real, landing("*.dat", format=places), f__dat=lines)
    assert [row[0] for row in read.rows] == [0, 3, 4]
    rows = "".join(f"<r><id>{n}</id><fare>{c}</fare></r>" for n, c in enumerate(cells))
    xml = landing("*.xml", format=Xml(row="r", **GERMAN))
    read = arrive(spark, tmp_path, Real, xml, f__xml=f"<all>{rows}</all>")
    assert [row[0] for row in read.rows] == [0, 3, 4]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("o.csv.BZ2", Csv()),
        ("o.csv.GZ", Csv()),
        ("o.csv.gzip", Csv()),
        ("o.dat.deflate", FixedWidth({"a": (1, 1)})),
        ("o.json.lz4", JsonLines()),
        ("o.Zip", Csv()),
        ("o.csv.zstd", Csv()),
    ],
)
def test_a_name_by_which_spark_would_unpack_the_file_is_refused(
    spark: SparkSession, tmp_path: Path, name: str, written: Any
) -> None:
    with pytest.raises(InputError, match="says that it is compressed") as told:
        arrive(
            spark,
            tmp_path,
            One,
            landing("*", format=written),
            **{name.replace(".", "__"): "a\n1\n"},
        )
    assert told.value.where == name


def test_a_file_that_is_still_being_copied_has_not_arrived(tmp_path: Path) -> None:
    # hdfs dfs -put; Spark would read nothing of it
    (tmp_path / "o-1.csv._COPYING_").write_text("a\n1\n")
    (tmp_path / "o-2.csv").write_text("a\n1\n")
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path))
    assert [file.name for file in lake.landing_files("o-*")] == ["o-2.csv"]


def test_a_number_that_no_double_holds_is_no_text(spark: SparkSession, tmp_path: Path) -> None:
    lines = '{"a":1e999}\n{"a":-1e400}\n{"a":"Infinity"}\n{"a":"-Infinity"}\n{"a":"x"}\n'
    read = arrive(spark, tmp_path, One, landing("*.json", format=JsonLines()), f__json=lines)
    assert read.rows == sorted([("Infinity",), ("-Infinity",), ("x",)], key=repr)
    assert read.reasons == [("a:type",)] * 2
    document = landing("*.doc", format=JsonDocument())
    read = arrive(spark, tmp_path, One, document, f__doc='[{"a":1e999},{"a":"Infinity"}]')
    assert (read.rows, read.reasons) == ([("Infinity",)], [("a:type",)])
    # where a number is wanted it is one beyond all, and the word is the number that has no end
    numbers = '{"id":1,"fare":1e999}\n{"id":2,"fare":"Infinity"}\n{"id":3,"fare":-0.5}\n'
    read = arrive(spark, tmp_path, Real, landing("*.num", format=JsonLines()), f__num=numbers)
    assert read.rows == [(2, float("inf")), (3, -0.5)]
    assert read.reasons == [("fare:type",)]


BACKSLASH = Csv(escape="\\")


def _python(rows: list[list[str]], **how: Any) -> bytes:
    held = io.StringIO(newline="")
    csv.writer(held, escapechar="\\", lineterminator="\n", **how).writerows(rows)
    return held.getvalue().encode()


def test_an_escape_outside_of_quotes_is_nobodys_to_guess(
    spark: SparkSession, tmp_path: Path
) -> None:
    rows = [["a", "b", "c"], ["C:\\dir", 'a"b', "x,y"], ["1", "2", 'q"\\"']]
    quoted = _python(rows, doublequote=False, quoting=csv.QUOTE_ALL)
    read = arrive(spark, tmp_path, Text, landing("*.all", format=BACKSLASH), f__all=quoted)
    assert read.rows == sorted((tuple(row) for row in rows[1:]), key=repr)
    # of Python's own a backslash stands twice without quotes too, of Spark's and DuckDB's once
    content = _python(rows, doublequote=False)
    assert b"C:\\\\dir" in content
    read = arrive(spark, tmp_path, Text, landing("*.csv", format=BACKSLASH), f__csv=content)
    assert ("C:\\\\dir", 'a\\"b', "x,y") not in read.rows
    assert ("csv:malformed",) in read.reasons
    plain = 'a,b,c\nC:\\dir,x\\,"y\\"z"\n'
    read = arrive(spark, tmp_path, Text, landing("*.txt", format=BACKSLASH), f__txt=plain)
    assert read.rows == [("C:\\dir", "x\\", 'y"z')]
    with pytest.raises(DefinitionError, match="no cell is quoted"):
        Csv(quote=None, escape="\\")


def test_text_behind_a_quote_where_records_span_lines_is_refused_with_an_escape(
    spark: SparkSession, tmp_path: Path
) -> None:
    # Spark goes on behind the quote, and would take lines within a cell for records
    text = 'a,b,c\n"x"\\,y,z\n1,2,3\n7,"u\n8,9,10\nv",w\n11,12,13\n'
    with pytest.raises(
        InputError, match="behind the quote that closes a cell, in a file that is read whole"
    ):
        arrive(spark, tmp_path, Text, landing("*.csv", format=BACKSLASH), f__csv=text)
    one_line = 'a,b,c\n"x"\\,y,z\n1,2,3\n'
    read = arrive(spark, tmp_path, Text, landing("*.txt", format=BACKSLASH), f__txt=one_line)
    assert read.rows == [("1", "2", "3")]
    assert read.reasons == [("csv:malformed",)]


def test_nul_characters_are_refused_where_nothing_is_quoted(
    spark: SparkSession, tmp_path: Path
) -> None:
    # by them Spark would quote
    text = "a,b,c\n" + "~,~,~\n" * 300 + "1,\0a,b\0,3\n"
    with pytest.raises(InputError, match="NUL"):
        arrive(spark, tmp_path, Text, landing("*.csv", format=Csv(quote=None)), f__csv=text)


@pytest.mark.parametrize(
    ("contract", "pattern", "good", "bad"),
    [
        (
            Day,
            "yyyy-MM-dd HH:mm:ss",
            {"2024-02-29 00:00:00": date(2024, 2, 29)},
            ["2024-02-29 23:30:00"],
        ),
        (
            Day,
            "yyyy-MM-dd'T'HH:mm:ssXXX",
            {"2024-02-29T00:00:00Z": date(2024, 2, 29)},
            ["2024-02-29T23:30:00-05:00", "2024-03-01T00:30:00+02:00"],
        ),
        (
            Day,
            "dd.MM.yyyy",
            {"29.02.2024": date(2024, 2, 29), "01.01.0001": date(1, 1, 1)},
            ["29.02.0000"],
        ),
        (
            Day,
            None,
            {"0001-01-01": date(1, 1, 1), "9999-12-31": date(9999, 12, 31)},
            ["0000-01-01"],
        ),
        (
            Moment,
            None,
            {"9999-12-31T23:59:59": datetime(9999, 12, 31, 23, 59, 59)},  # noqa: DTZ001 - as Spark's
            ["9999-12-31T23:59:59-05:00", "0000-12-31T00:00:00"],
        ),
    ],
    ids=["a time", "a zone", "the year 0", "years", "moments"],
)
def test_a_day_is_a_day_and_no_more(
    spark: SparkSession,
    tmp_path: Path,
    contract: type[Contract],
    pattern: str | None,
    good: dict[str, Any],
    bad: list[str],
) -> None:
    text = "v\n" + "".join(f"{cell}\n" for cell in [*good, *bad])
    formats = {} if pattern is None else {"v": pattern}
    read = arrive(spark, tmp_path, contract, landing("*.csv", date_formats=formats), f__csv=text)
    assert read.rows == sorted(((value,) for value in good.values()), key=repr)
    assert read.reasons == [("v:type",)] * len(bad)


def test_a_pattern_of_more_than_microseconds_is_refused() -> None:
    with pytest.raises(DefinitionError, match="microseconds"):
        landing("*.csv", date_formats={"v": "yyyy-MM-dd HH:mm:ss.SSSSSSSSS"})


def _parquet(values: Any, **how: Any) -> bytes:
    held = io.BytesIO()
    pq.write_table(pa.table({"v": values}), held, **how)
    return held.getvalue()


def test_large_whole_numbers_are_what_they_are(spark: SparkSession, tmp_path: Path) -> None:
    parquet = landing("*.parquet", format=Parquet())
    exact = [2**60, 2**62, 2**53, -(2**63), 5, -3]
    others = [2**60 + 4, 2**62 - 1, 2**53 + 1, 2**63 - 1]
    sent = _parquet(pa.array([*exact, *others]))
    read = arrive(spark, tmp_path, Float, parquet, f__parquet=sent)
    assert read.rows == sorted(((float(v),) for v in exact), key=repr)
    assert len(read.rejected) == len(others)
    doubles = [2.0**60, 1.2345678901234567e18, 2.0**53, -(2.0**62), 7.0, 1e20, -(2.0**63), 2.0**126]
    sent = _parquet(pa.array([*doubles, 2.0**130, 0.5]))
    read = arrive(spark, tmp_path, Whole, parquet, f__parquet=sent)
    assert read.rows == sorted(((Exact(int(v)),) for v in doubles), key=repr)
    assert len(read.rejected) == 2


def test_decimals_are_doubles_where_they_are_the_same_number(
    spark: SparkSession, tmp_path: Path
) -> None:
    exact = [Exact(2**60), Exact(10**22), Exact(-(2**100)), Exact(17)]
    others = [Exact(2**60 + 4), Exact(10**22 + 1), Exact(10**37 + 7)]
    sent = _parquet(pa.array([*exact, *others], pa.decimal128(38, 0)))
    read = arrive(spark, tmp_path, Float, landing("*.parquet", format=Parquet()), f__parquet=sent)
    assert read.rows == sorted(((float(v),) for v in exact), key=repr)
    assert len(read.rejected) == len(others)
    # what has a point is one as it is written, as in text
    cents = [Exact("0.1"), Exact("12345678.91"), Exact("-0.05")]
    sent = _parquet(pa.array(cents, pa.decimal128(10, 2)))
    read = arrive(spark, tmp_path, Float, landing("*.par", format=Parquet()), f__par=sent)
    assert read.rows == sorted(((float(v),) for v in cents), key=repr)


def test_floats_of_four_bytes_are_the_decimals_that_they_are_written_as(
    spark: SparkSession, tmp_path: Path
) -> None:
    sent = pa.array([200000.1, 1234567.1, 0.1, 2.0**25, -0.5, 1 / 3], pa.float32())
    read = arrive(
        spark, tmp_path, Price, landing("*.parquet", format=Parquet()), f__parquet=_parquet(sent)
    )
    texts = ("200000.10", "1234567.10", "0.10", "33554432.00", "-0.50")
    assert read.rows == sorted(((Exact(text),) for text in texts), key=repr)
    assert len(read.rejected) == 1


def test_characters_before_a_crlf_stay(spark: SparkSession, tmp_path: Path) -> None:
    places = FixedWidth({"a": (1, 2), "b": (3, 3)}, encoding="latin-1", stripped=True)
    text = "3 ab\u00e9\n\u00e9\n5 a\u00e9\n"
    for end in ("\n", "\r\n"):
        content = text.replace("\n", end).encode("latin-1")
        named = landing("*.dat", format=places, derived=["c"])
        read = arrive(spark, tmp_path, Text, named, f__dat=content)
        assert [row[:2] for row in read.rows] == sorted(
            [("3", "ab\u00e9"), ("\u00e9", None), ("5", "a\u00e9")], key=repr
        )
        assert read.rejected == []
    # and a byte that is none sets its line aside as it came
    lines = '{"a":"x\u00f0"}\r\n{"a":"y"}\r\n'.encode("latin-1")
    read = arrive(spark, tmp_path, One, landing("*.json", format=JsonLines()), f__json=lines)
    assert (read.rows, read.reasons) == ([("y",)], [("json:encoding",)])
    ((_, sent, _),) = read.rejected
    assert sent == {"line": '{"a":"x\ufffd"}'}


def test_a_lone_cr_in_utf16_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    content = "a,b,c\n1,x,\ry\n2,3,4\n".encode("utf-16")
    utf16 = landing("*.csv", format=Csv(encoding="UTF-16"))
    with pytest.raises(InputError, match="end in different ways"):
        arrive(spark, tmp_path, Text, utf16, f__csv=content)


def test_a_line_of_blanks_before_the_header_is_no_header(
    spark: SparkSession, tmp_path: Path
) -> None:
    tabs = landing("*.tsv", format=Csv(delimiter="\t", comment="#"))
    with pytest.raises(InputError, match="first line is empty"):
        arrive(spark, tmp_path, Text, tabs, f__tsv="# c\n\t\t\na\tb\tc\n1\t2\t3\n")
    commas = landing("*.csv", format=Csv(comment="#"))
    with pytest.raises(InputError, match="first line is empty"):
        arrive(spark, tmp_path, Text, commas, f__csv='# c\n  \na,b,c\n1,"2\n2",3\n')
    read = arrive(spark, tmp_path, Text, commas, f__csv="# c\n  \na,b,c\n1,2,3\n")
    assert read.rows == [("1", "2", "3")]
    bare = landing("*.txt", format=Csv(delimiter="\t", columns=("a", "b", "c")))
    read = arrive(spark, tmp_path, Text, bare, f__txt="\t\t\n")
    assert (read.rows, read.rejected) == ([(None, None, None)], [])


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_the_first_and_last_moments_are_those_of_the_clock(spark: SparkSession, zone: str) -> None:
    # asked in SQL: Python has no such moments in UTC
    dates = Dates(zone=zone)
    cells = "('0001-01-01T00:00:00'), ('9999-12-31T23:59:59'), ('0000-12-31T23:59:59')"
    rows = spark.sql(
        f"SELECT c, {value_sql('c', 'timestamp', dates)} AS v FROM VALUES {cells} t(c)"
    )
    wrong = rows.selectExpr(wrong_sql("c", "timestamp", "v", dates))
    assert [row[0] for row in wrong.collect()] == [False, False, True]


@pytest.mark.parametrize("delimiter", ["\t", " "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_record_of_empty_cells_is_one_whatever_parts_them(
    spark: SparkSession, tmp_path: Path, delimiter: str, end: str
) -> None:
    lines = ["a,b,c", "1,2,3", ",,", "", "4,,"]
    text = end.join(lines).replace(",", delimiter) + end
    read = arrive(
        spark, tmp_path, Text, landing("*.csv", format=Csv(delimiter=delimiter)), f__csv=text
    )
    assert read.rejected == []
    assert read.rows == sorted([("1", "2", "3"), (None, None, None), ("4", None, None)], key=repr)


@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "ascii"])
def test_bytes_that_are_none_of_the_encoding_set_their_line_aside(
    spark: SparkSession, tmp_path: Path, encoding: str
) -> None:
    places = FixedWidth({"a": (1, 1), "b": (3, 1), "c": (5, 2)}, encoding=encoding)
    content = b"1 a bb\n2 \x81 cc\n3 d ee\n"
    read = arrive(spark, tmp_path, Text, landing("*.dat", format=places), f__dat=content)
    assert read.rows == [("1", "a", "bb"), ("3", "d", "ee")]
    assert read.reasons == [("fixed:encoding",)]


def test_half_a_character_in_a_document_is_told(spark: SparkSession, tmp_path: Path) -> None:
    twice = '[{"a":"\\ud800","a":"x"},{"a":"y"}]'
    for text in ('[{"a":"\\ud800"},{"a":"fine"}]', '[{"\\udfff":"x"}]', twice):
        with pytest.raises(InputError, match="half of a character"):
            arrive(spark, tmp_path, One, landing("*.doc", format=JsonDocument()), f__doc=text)
    whole = '[{"a":"\\ud83d\\ude00"}]'
    read = arrive(spark, tmp_path, One, landing("*.doc", format=JsonDocument()), f__doc=whole)
    assert read.rows == [("\U0001f600",)]


@pytest.mark.parametrize(
    ("values", "how", "found"),
    [
        (pa.array(["x"]), {"compression": "brotli"}, "BROTLI"),
        (
            pa.array([1.5]),
            {"use_dictionary": False, "use_byte_stream_split": True},
            "BYTE_STREAM_SPLIT",
        ),
        (pa.array([1], pa.decimal256(50, 2)), {}, "decimal256(50, 2)"),
    ],
    ids=["compression", "encoding", "digits"],
)
def test_what_spark_does_not_read_of_parquet_is_told(
    spark: SparkSession, tmp_path: Path, values: Any, how: dict[str, Any], found: str
) -> None:
    with pytest.raises(InputError, match="Spark does not read") as told:
        arrive(
            spark,
            tmp_path,
            Float,
            landing("*.parquet", format=Parquet()),
            f__parquet=_parquet(values, **how),
        )
    assert f"v: {found}" in (told.value.found or "")


@pytest.mark.parametrize("content", ["a,b,c\n1,2,3\n".encode("utf-16-le"), b"a,b,c\n1,2,3\n"])
def test_utf16_without_a_mark_is_told(spark: SparkSession, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="UTF-16"):
        arrive(
            spark, tmp_path, Text, landing("*.csv", format=Csv(encoding="UTF-16")), f__csv=content
        )
