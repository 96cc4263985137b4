"""What a cell of a landing file may be: as docs/concepts.md says, and nothing outside it."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

import pytest

from penstock.assets.landing.cell import Dates, grammar, value_sql, wrong_sql
from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

AROUND = "".join(map(chr, [*range(33), 127]))
TIMES = [
    *("2013-02-07 10:15", "2013-02-07 10:15Z", "2013-02-07T10:15 +01:00"),
    *("2013-02-07T10:15:30Z", "2013-02-07 10:15:30.123456000+01:00"),
    *("2013-02-07 10:15-07", "2013-02-07 10:15:30.5+02", "2013-02-07T10:15:30 +0530"),
    *("1880-01-01 00:00:00+00:53:28", "2013-02-07 10:15+0100"),
]
GOOD = {
    "bigint": ["1", "-9223372036854775808", " +7 "],
    "double": ["1", "-1.5e3", ".5", "5.", "NaN", "-Infinity"],
    "decimal(38,2)": ["1.23", "-1.2300", ".5", "7."],
    "boolean": ["true", "F", "1"],
    "date": ["2013-02-07"],
    "timestamp": ["2013-02-07", *TIMES],
}
OFFSETS = ["2013-02-07 10:15+1", "2013-02-07+01", "2013-02-07 10:15+25", "2013-02-07 10:15+01:0"]
WRONG = {
    "bigint": ["1.0", "1e3", "9223372036854775808", "1L", "0x1"],
    "tinyint": ["128"],
    "double": ["12d", "1f", "0x1p3", "1e999", "-1e999", "inf", ""],
    "float": ["1e39"],
    "decimal(38,2)": ["1.239", ".", "1e2", "x"],
    "decimal(4,2)": ["123"],
    "boolean": ["on", "2"],
    "date": ["2013", "130207", "2013-02-07 99:99", "2013-2-7", "2013-02-30", "today"],
    "timestamp": [
        "10:15",
        "2013",
        "2013-02-07 99:99",
        "2013-02-07 10:15:30.1234567",
        "now",
        *OFFSETS,
    ],
}


def test_a_cell_is_what_is_written_and_nothing_is_guessed(spark: SparkSession) -> None:
    cells = [(kind, text, False) for kind in GOOD for text in GOOD[kind]]
    cells += [(kind, text, True) for kind in WRONG for text in WRONG[kind]]
    tests = [
        f"({wrong_sql(literal(text), kind, value_sql(literal(text), kind))})"
        for kind, text, _ in cells
    ]
    found = spark.sql(f"SELECT array({', '.join(tests)}) AS wrong").collect()[0].wrong
    assert [(*cell[:2], bool(wrong)) for cell, wrong in zip(cells, found, strict=True)] == cells


def test_what_is_told_without_the_grammar_is_what_the_grammar_says(spark: SparkSession) -> None:
    chance = random.Random(20130207)
    letters = "0123456789-:.+ TZeEdDfFxXIn\n\t\x7f\u0661\u00a0"
    for kind in (*GOOD, "timestamp_ntz", "tinyint", "float"):
        near = [
            *GOOD.get(kind, ()),
            *WRONG.get(kind, ()),
            *TIMES,
            "2013-1-01T1",
            "2013-02-07 1:2:30",
        ]
        cells = sorted({_mutated(chance, chance.choice(near), letters) for _ in range(1500)})
        frame = spark.createDataFrame([(cell,) for cell in cells], "cell string")
        wrong = f"coalesce({wrong_sql('cell', kind, 'value')}, false)"
        rows = frame.selectExpr("cell", f"{value_sql('cell', kind)} AS value")
        whole = re.compile(grammar(kind) or "")
        for cell, value, told in rows.selectExpr("cell", "string(value)", wrong).collect():
            fits = value is not None and whole.fullmatch(cell.strip(AROUND)) is not None
            large = kind in ("float", "double") and "Infinity" in str(value) and "Inf" not in cell
            assert told is not (fits and not large), (kind, cell, value)


def _mutated(chance: random.Random, text: str, letters: str) -> str:
    for _ in range(chance.randint(0, 3)):
        place = chance.randint(0, len(text))
        text = (
            text[:place]
            + chance.choice(["", chance.choice(letters)])
            + text[place + chance.randint(0, 1) :]
        )
    return text


def test_a_declared_way_to_write_a_date_is_the_only_one(spark: SparkSession) -> None:
    cells = {
        ("date", "dd.MM.yyyy"): {
            " 07.02.2013 ": "2013-02-07",
            "2013-02-07": None,
            "30.02.2013": None,
        },
        ("date", "MMM d, yyyy"): {"Feb 7, 2013": "2013-02-07", "Feb 7, 13": None},
        ("timestamp", "yyyyMMdd HHmm"): {"20130207 1015": "2013-02-07 10:15:00", "20130207": None},
        ("timestamp", "yyyy-MM-dd'T'HH:mmXXX"): {
            "2013-02-07T10:15+01:00": "2013-02-07 09:15:00",
            "2013-02-07T10:15": None,
        },
    }
    for (kind, pattern), texts in cells.items():
        frame = spark.createDataFrame([(text,) for text in texts], "cell string")
        dates = Dates(pattern=pattern)
        value = f"{value_sql('cell', kind, dates)} AS value"
        rows = frame.selectExpr("cell", value)
        wrong = wrong_sql("cell", kind, "value", dates)
        for cell, found, told in rows.selectExpr("cell", "string(value)", wrong).collect():
            assert (found, told) == (texts[cell], texts[cell] is None), (pattern, cell)
