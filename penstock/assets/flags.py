"""Flags: what one row alone does not say, as a column of each row that says it.

Whether another row has its key, and whether what it refers to is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, Self

from pyspark.sql import functions as F

from penstock.assets.frames import table_rows
from penstock.assets.inputs.snapshot import read_table
from penstock.assets.modes import Append
from penstock.assets.row_rules import (
    IN_TABLE_RULE,
    KEY_RULE,
    is_gone,
    known,
    only_warns,
    warning_rules,
)
from penstock.schemas.definition import check_referred
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.snapshot import PinnedTable
    from penstock.assets.resolve import Resolved
    from penstock.schemas.model import ForeignKeyModel

__all__ = ["Flagged", "flagged", "with_known", "with_orphans"]

_MANY = "_penstock_many"
_FOUND = "_penstock_found"
_KNOWN = "_penstock_known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """A frame with a boolean for each rule: `errors` set a row aside, `warnings` only count it.

    Both by column, the rule's id behind it.
    """

    frame: DataFrame
    errors: Mapping[str, str] = field(default_factory=dict)
    warnings: Mapping[str, str] = field(default_factory=dict)

    def held(self) -> Self:
        """The same rows, computed once for all that is asked of them: Spark holds them until then.

        What was tested is then what is written, whatever a function would say the next time.
        """
        return replace(self, frame=self.frame.localCheckpoint(eager=False))


def flagged(
    resolved: Resolved, spark: SparkSession, frame: DataFrame, *, warnings: bool = False
) -> Flagged:
    """The frame with the flags that set rows aside; with `warnings` those that only count too."""
    spec, warn = resolved.spec, warning_rules(resolved.spec)
    flags: dict[str, str] = {}
    if (key := spec.row_key) and (warnings or KEY_RULE not in warn):
        names = ", ".join(quoted(name) for name in key)
        # a row that does not say which it is of several says nothing of the others
        each = quoted(spec.order_by) if spec.order_by else "1"
        alone = f" AND {each} IS NOT NULL" if spec.order_by else ""
        many = f"{known(key)}{alone} AND count({each}) OVER (PARTITION BY {names}) > 1"
        frame = frame.withColumn(_MANY, F.expr(many))
        flags[_MANY] = KEY_RULE
    if warnings or IN_TABLE_RULE not in warn:
        frame, known_ones = with_known(resolved, spark, frame)
        flags |= known_ones
    wanted = [k for k in spec.model.foreign_keys if warnings or not only_warns(spec, k)]
    frame, orphans = with_orphans(resolved, spark, frame, wanted)
    flags |= orphans
    return Flagged(
        frame=frame,
        errors={flag: rule for flag, rule in flags.items() if rule not in warn},
        warnings={flag: rule for flag, rule in flags.items() if rule in warn},
    )


def with_known(
    resolved: Resolved, spark: SparkSession, frame: DataFrame
) -> tuple[DataFrame, dict[str, str]]:
    """The frame with a flag for rows whose key the table has already, where `Append` refuses them.

    Not flagged where there is nothing to compare with.
    """
    spec = resolved.spec
    if not (spec.write == Append() and spec.row_key and resolved.state):
        return frame, {}
    names = {name: f"_penstock_key_{n}" for n, name in enumerate(spec.row_key)}
    there = table_rows(resolved, spark).select(
        *(F.col(quoted(name)).alias(here) for name, here in names.items())
    )
    same = reduce(
        lambda a, b: a & b, [F.col(quoted(name)) == F.col(here) for name, here in names.items()]
    )
    joined = frame.join(there.distinct().withColumn(_FOUND, F.lit(True)), same, "left")
    flagged = joined.withColumn(_KNOWN, F.expr(f"{_FOUND} IS NOT NULL"))
    return flagged.drop(_FOUND, *names.values()), {_KNOWN: IN_TABLE_RULE}


def with_orphans(
    resolved: Resolved,
    spark: SparkSession,
    frame: DataFrame,
    foreign_keys: list[ForeignKeyModel] | tuple[ForeignKeyModel, ...],
) -> tuple[DataFrame, dict[str, str]]:
    """The frame with a flag for each foreign key: the row refers to something that is not there."""
    flags = {}
    stays = f" AND NOT {gone}" if (gone := is_gone(resolved.spec)) else ""
    for n, foreign in enumerate(foreign_keys):
        flag, referenced = f"_penstock_orphan_{n}", _referenced(spark, resolved, foreign)
        frame = _with_orphan(frame, foreign, referenced, flag, stays)
        flags[flag] = foreign.id
    return frame, flags


def _referenced(spark: SparkSession, resolved: Resolved, foreign: ForeignKeyModel) -> DataFrame:
    pinned = {item.table.dataset: item for item in resolved.references}
    item: PinnedTable = pinned[foreign.references]
    there = read_table(spark, item)
    types = {field.name: field.dataType.simpleString() for field in there.schema.fields}
    # of a table that others write nothing was known when the dataset was defined
    check_referred(f"dataset {resolved.spec.name}", resolved.spec.model, foreign, types)
    names = zip(foreign.references_columns, _referred(foreign), strict=True)
    return there.select(*(F.col(quoted(name)).alias(here) for name, here in names)).distinct()


def _with_orphan(
    frame: DataFrame, foreign: ForeignKeyModel, referenced: DataFrame, flag: str, stays: str
) -> DataFrame:
    names = _referred(foreign)
    condition = reduce(
        lambda a, b: a & b,
        [F.col(quoted(c)) == F.col(name) for c, name in zip(foreign.columns, names, strict=True)],
    )
    joined = frame.join(referenced.withColumn(_FOUND, F.lit(True)), condition, "left")
    refers = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in foreign.columns)
    orphan = F.expr(f"{refers} AND {_FOUND} IS NULL{stays}")
    return joined.withColumn(flag, orphan).drop(_FOUND, *names)


def _referred(foreign: ForeignKeyModel) -> list[str]:
    """Names for the columns that are referred to, which the frame may have under its own."""
    return [f"_penstock_ref_{n}" for n in range(len(foreign.columns))]
