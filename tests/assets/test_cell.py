"""What a cell of a landing file may be: as docs/concepts.md says, and nothing outside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.assets.cell import wrong_sql
from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

TIMES = ["2013-02-07 10:15", "2013-02-07T10:15:30Z", "2013-02-07 10:15:30.123456000+01:00"]
GOOD = {
    "bigint": ["1", "-9223372036854775808", " +7 "],
    "double": ["1", "-1.5e3", ".5", "5.", "NaN", "-Infinity"],
    "decimal(38,2)": ["1.23", "-1.2300", ".5", "7."],
    "boolean": ["true", "F", "1"],
    "date": ["2013-02-07"],
    "timestamp": ["2013-02-07", *TIMES],
}
WRONG = {
    "bigint": ["1.0", "1e3", "9223372036854775808", "1L", "0x1"],
    "tinyint": ["128"],
    "double": ["12d", "1f", "0x1p3", "1e999", "-1e999", "inf", ""],
    "float": ["1e39"],
    "decimal(38,2)": ["1.239", ".", "1e2", "x"],
    "decimal(4,2)": ["123"],
    "boolean": ["on", "2"],
    "date": ["2013", "130207", "2013-02-07 99:99", "2013-2-7", "2013-02-30", "today"],
    "timestamp": ["10:15", "2013", "2013-02-07 99:99", "2013-02-07 10:15:30.1234567", "now"],
}


def test_a_cell_is_what_is_written_and_nothing_is_guessed(spark: SparkSession) -> None:
    cells = [(kind, text, False) for kind in GOOD for text in GOOD[kind]]
    cells += [(kind, text, True) for kind in WRONG for text in WRONG[kind]]
    tests = [f"({wrong_sql(literal(text), kind)})" for kind, text, _ in cells]
    found = spark.sql(f"SELECT array({', '.join(tests)}) AS wrong").collect()[0].wrong
    assert [(*cell[:2], bool(wrong)) for cell, wrong in zip(cells, found, strict=True)] == cells
