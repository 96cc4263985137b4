"""Column lineage of a table of plan shapes, read as JSON and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock.lineage.plan.frame_lineage import column_lineage, lineage_of_plan
from penstock.lineage.plan.text import read_plan_text
from tests.lineage.column_lineage_shapes import SHAPES, Inputs, Shape, expected, found, inputs

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

BY_NAME = [pytest.param(shape, id=shape.name.replace(" ", "-")) for shape in SHAPES]
# Over Connect these are asked for with their literals set apart.
NEEDS_LITERALS = {
    "literals that look like a plan",
    "literals that look like calls",
    "names and keys with a comma",
}


@pytest.fixture(scope="module")
def marked(spark: SparkSession) -> Inputs:
    return inputs(spark)


def _text(frame: DataFrame) -> str:
    analyzed = frame._jdf.queryExecution().analyzed()
    return str(analyzed.treeString(True, False, 2**31 - 1, False, False))


def test_there_are_at_least_thirty_shapes() -> None:
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 30


@pytest.mark.parametrize("shape", BY_NAME)
def test_lineage_is_what_was_written_down(shape: Shape, marked: Inputs) -> None:
    assert found(column_lineage(shape.build(marked))) == expected(shape)


@pytest.mark.parametrize(
    "shape",
    [p for p, s in zip(BY_NAME, SHAPES, strict=True) if s.name not in NEEDS_LITERALS],
)
def test_the_text_of_the_plan_says_the_same(shape: Shape, marked: Inputs) -> None:
    frame = shape.build(marked)
    read = read_plan_text(_text(frame), stated=shape.name == "rows in SQL")
    lineage = found(lineage_of_plan(read, frame.columns))
    assert lineage == expected(shape, text=True)
