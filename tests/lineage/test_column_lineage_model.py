"""The laws of column lineage, and random plans against a model that knows nothing of Spark."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyspark.sql.functions as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.lineage.column_lineage import ColumnLineage, Influence, Origin, Subtype, Unknown
from penstock.lineage.plan.frame_lineage import column_lineage, lineage_of_plan, mark
from penstock.lineage.plan.text import read_plan_text
from tests.lineage.column_lineage_shapes import found

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

subtypes = st.sampled_from(Subtype)


@given(subtypes, subtypes, subtypes)
def test_composition_is_associative(a: Subtype, b: Subtype, c: Subtype) -> None:
    assert a.after(b).after(c) is a.after(b.after(c))


@given(subtypes)
def test_identity_changes_nothing(subtype: Subtype) -> None:
    assert Subtype.IDENTITY.after(subtype) is subtype is subtype.after(Subtype.IDENTITY)


@given(subtypes, subtypes)
def test_what_was_indirect_stays_indirect(later: Subtype, earlier: Subtype) -> None:
    indirect = Influence.INDIRECT in (later.type, earlier.type)
    assert (later.after(earlier).type is Influence.INDIRECT) == indirect


@dataclass
class Model:
    """Columns as the input columns they are made of, and whether they are still the same."""

    columns: dict[str, dict[str, bool]]
    rows: set[str] = field(default_factory=set)

    def found(self) -> dict[str, object]:
        def origins(made_of: dict[str, bool]) -> str:
            kinds = {True: "IDENTITY", False: "TRANSFORMATION"}
            return ", ".join(f"x.{name} {kinds[same]}" for name, same in sorted(made_of.items()))

        return {
            "fields": {name: origins(made_of) for name, made_of in self.columns.items()},
            "rows": ", ".join(f"x.{name} FILTER" for name in sorted(self.rows)),
            "unknown": [],
        }


def _apply(model: Model, frame: DataFrame, step: tuple[str, int, int]) -> DataFrame:
    kind, first, second = step
    names = list(model.columns)
    a, b = names[first % len(names)], names[second % len(names)]
    match kind:
        case "add":
            made_of = dict.fromkeys([*model.columns[a], *model.columns[b]], False)
            model.columns[b] = made_of
            return frame.withColumn(b, F.col(a) + F.col(b))
        case "copy":
            new = f"n{len(names)}_{first}_{second}"
            model.columns[new] = model.columns[a]
            return frame.withColumn(new, F.col(a))
        case "constant":
            model.columns[a] = {}
            return frame.withColumn(a, F.lit(7))
        case "filter":
            model.rows |= {*model.columns[a], *model.columns[b]}
            return frame.where(F.col(a) < F.col(b))
        case "drop" if len(names) > 1:
            del model.columns[a]
            return frame.drop(a)
        case _:
            model.columns = dict(reversed(model.columns.items()))
            return frame.select(*reversed(names))


steps = st.tuples(
    st.sampled_from(["add", "copy", "constant", "filter", "drop", "reverse"]),
    st.integers(0, 9),
    st.integers(0, 9),
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chain=st.lists(steps, max_size=8))
def test_random_chains_agree_with_the_model(
    spark: SparkSession, chain: list[tuple[str, int, int]]
) -> None:
    frame = mark(spark.createDataFrame([], "a int, b int, c int"), "bronze.x")
    model = Model(columns={name: {name: True} for name in "abc"})
    for step in chain:
        frame = _apply(model, frame, step)
    assert found(column_lineage(frame)) == model.found()
    analyzed = frame._jdf.queryExecution().analyzed()
    text = str(analyzed.treeString(True, False, 2**31 - 1, False, False))
    assert found(lineage_of_plan(read_plan_text(text), frame.columns)) == model.found()


def test_a_column_that_only_decides_which_rows_there_are_is_none_of_the_output() -> None:
    key, flag = (
        Origin(dataset="a", column=name, subtype=Subtype.IDENTITY) for name in ("id", "gone")
    )
    whole = ColumnLineage(
        fields={"id": (key,), "gone": (flag, replace(flag, subtype=Subtype.JOIN))},
        dataset=(replace(flag, subtype=Subtype.FILTER),),
        unknown=(Unknown(column="gone", reason="udf"), Unknown(column="id", reason="udf")),
    )
    decided = whole.deciding("gone")
    assert decided.fields == {"id": (key,)}
    # each of its origins once, however it led to the flag
    assert [origin.subtype for origin in decided.dataset] == [Subtype.FILTER]
    assert [doubt.column for doubt in decided.unknown] == [None, "id"]
    assert whole.without("a", "gone").inputs() == {"a": frozenset({"id"})}
    assert whole.without("b", "gone") == whole


def test_a_column_may_be_called_as_its_sender_calls_it() -> None:
    named = (("a", "id"), ("a", "box.part"), ("b", "id"))
    origins = tuple(
        Origin(dataset=dataset, column=column, subtype=Subtype.IDENTITY)
        for dataset, column in named
    )
    whole = ColumnLineage(fields={"x": origins})
    other = whole.renamed("a", {"id": "number", "box": "Kiste"})
    assert other.inputs() == {"a": frozenset({"number", "Kiste.part"}), "b": frozenset({"id"})}
    assert other.renamed("a", {"number": "id", "Kiste": "box"}) == whole
