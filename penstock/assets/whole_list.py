"""Runs that are given the whole list: what of the table is not in it is gone.

Asked of all rows of the run, bad ones too: a row that is set aside is there. They have to be held,
for they are asked several times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from penstock.assets.frames import table_rows
from penstock.assets.inputs.files import PinnedFiles
from penstock.assets.modes import Merge, Scd2
from penstock.assets.row_rules import key_keeps, known
from penstock.errors import ValidationError
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import Column, DataFrame, SparkSession

    from penstock.assets.resolve import Resolved

__all__ = ["GONE", "Completed", "completed"]

GONE = "_penstock_gone"  # the column that has rows taken out, where the function returns none
_FOUND, _BEFORE = "_penstock_found", "_penstock_before"
_SINCE, _CURRENT = "_penstock_since", "_penstock_current"
_ENDS = f"{_BEFORE} AND {_FOUND} IS NULL"
_LISTS = 100  # that one run takes; more are no lists
_AS_OF = "list_as_of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The run's good rows with a row for each that is gone, and what the commit says of them."""

    rows: DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict)
    as_given: bool = False


def completed(
    resolved: Resolved, spark: SparkSession, rows: DataFrame, present: DataFrame, *, unread: int
) -> Completed:
    """`rows` and those that are missing: of the table, and no row of `present` has their key.

    A Spark job, and one more where something is missing. Raises ValidationError for more than the
    mode allows, for any where `unread` rows may be those that are missing, and for a list that is
    older than one before it.
    """
    match resolved.spec.write:
        case Merge() as mode:
            return _merged(resolved, spark, mode, rows, present, unread)
        case Scd2() as mode:
            return _versioned(resolved, spark, mode, rows, present, unread)
        case mode:
            raise AssertionError(f"{mode} takes no whole list")


def _merged(
    resolved: Resolved,
    spark: SparkSession,
    mode: Merge,
    rows: DataFrame,
    present: DataFrame,
    unread: int,
) -> Completed:
    if resolved.state is None:
        return Completed(rows=rows, facts={"rows_missing": 0}, as_given=True)
    key, there = list(resolved.spec.model.key), table_rows(resolved, spark)
    if mode.deletes in there.columns:
        # what is said to be gone already is not missing once more
        there = there.where(F.expr(f"NOT coalesce({quoted(str(mode.deletes))}, false)"))
    keys = present.select(*map(_column, key))
    there = there.where(F.expr(known(resolved.spec.model.key)))
    known_keys = there.select(*map(_column, key)).distinct()
    found = known_keys.join(keys.distinct().withColumn(_FOUND, F.lit(True)), key, "left")
    lacks = F.count_if(F.expr(f"{_FOUND} IS NULL"))
    total, missing = found.agg(F.count(F.lit(1)), lacks).collect()[0]
    facts = {"rows_missing": int(missing)}
    if not missing:
        return Completed(rows=rows, facts=facts, as_given=True)
    _refuse_too_many(resolved, missing, total, mode.max_missing)
    _refuse_unread(resolved, missing, present, unread)
    column = mode.deletes or GONE
    names = [c.name for c in resolved.spec.model.columns if c.name in there.columns]
    gone = there.join(keys, key, "left_anti").select(
        *(_column(name) for name in names if name != column), F.lit(True).alias(column)
    )
    # a key that another writer left there twice goes with both rows
    gone = gone.dropDuplicates(key)
    if mode.deletes is None:
        rows = rows.withColumn(GONE, F.lit(False))
    return Completed(rows=rows.unionByName(gone, allowMissingColumns=True), facts=facts)


def _versioned(
    resolved: Resolved,
    spark: SparkSession,
    mode: Scd2,
    rows: DataFrame,
    present: DataFrame,
    unread: int,
) -> Completed:
    """Each moment of the rows is a list: a key that is not in it is gone from then on."""
    removes, start = resolved.spec.removes or GONE, mode.valid_from
    told = _told(resolved, spark, mode, present)
    moment = f"unix_micros(CAST({quoted(start)} AS timestamp))"
    counts = told.groupBy(F.expr(moment)).agg(
        F.count_if(F.expr(_BEFORE)), F.count_if(F.expr(_ENDS))
    )
    lists = sorted(tuple(row) for row in counts.limit(_LISTS + 1).collect())
    if len(lists) > _LISTS:
        raise ValidationError(
            f"the run was given more than {_LISTS} lists: each {start} is one",
            where=_where(resolved),
            expected="the same valid_from in all rows of a list",
            next_step="make it the moment that the list is of, such as file_columns="
            f"{{{start!r}: 'modified'}} of landing(...), or write missing='keep'",
        )
    last = _last_list(resolved)
    if lists and last is not None and lists[0][0] < last:
        raise ValidationError(
            "a list came late: what is missing of it is known no more",
            where=_where(resolved),
            expected=f"lists in the order of {start}, none before {_at(last)}",
            found=f"one of {_at(lists[0][0])}",
            next_step="take the late file out of landing; nothing was committed",
        )
    if not lists and _was_given(resolved):
        current = _current(resolved, spark, mode)
        count = 0 if current is None else current.count()
        _refuse_too_many(resolved, count, count, mode.max_missing)
    for _, total, missing in lists:
        _refuse_too_many(resolved, missing, total, mode.max_missing)
    ended = sum(missing for *_, missing in lists)
    if ended:
        _refuse_unread(resolved, ended, present, unread)
    facts = {
        "rows_missing": ended,
        _AS_OF: lists[-1][0] if lists else last,
    }
    gone = told.where(F.expr(_ENDS)).select(
        *map(_column, (*resolved.spec.model.key, start)), F.lit(True).alias(removes)
    )
    if resolved.spec.removes is None:
        rows = rows.withColumn(GONE, F.lit(False))
    return Completed(rows=rows.unionByName(gone, allowMissingColumns=True), facts=facts)


def _told(resolved: Resolved, spark: SparkSession, mode: Scd2, present: DataFrame) -> DataFrame:
    """For each key and list whether it is in it (_FOUND), and was there before (_BEFORE).

    A key is asked for from the list on in which it is first, and those of the table in all.
    """
    key, start = list(resolved.spec.model.key), mode.valid_from
    named = (
        present.where(F.expr(known((*key, start)))).select(*map(_column, (*key, start))).distinct()
    )
    lists = named.select(_column(start)).distinct()
    since = named.groupBy(*map(_column, key)).agg(F.min(_column(start)).alias(_SINCE))
    current = _current(resolved, spark, mode)
    if current is not None:
        old = current.select(*map(_column, key)).withColumn(_CURRENT, F.lit(True))
        since = since.join(old, key, "full")
    else:
        since = since.withColumn(_CURRENT, F.lit(None).cast("boolean"))
    asked = since.crossJoin(lists).where(F.expr(f"{_CURRENT} OR {quoted(start)} >= {_SINCE}"))
    found = asked.join(named.withColumn(_FOUND, F.lit(True)), [*key, start], "left")
    by_key = ", ".join(quoted(name) for name in key)
    before = f"lag({_FOUND} IS NOT NULL) OVER (PARTITION BY {by_key} ORDER BY {quoted(start)})"
    return found.withColumn(_BEFORE, F.expr(f"coalesce({before}, {_CURRENT}, false)"))


def _current(resolved: Resolved, spark: SparkSession, mode: Scd2) -> DataFrame | None:
    if resolved.state is None:
        return None
    return table_rows(resolved, spark).where(_column(mode.is_current))


def _was_given(resolved: Resolved) -> bool:
    """Whether there is a list, if one without rows: files that are new, or tables."""
    landed = [item for item in resolved.inputs if isinstance(item, PinnedFiles)]
    return all(item.files for item in landed)


def _last_list(resolved: Resolved) -> int | None:
    """The moment of the newest list that the table was made of, in microseconds since 1970."""
    commits = resolved.state.commits_in_force() if resolved.state else ()
    return next((c.facts[_AS_OF] for c in commits if c.facts and _AS_OF in c.facts), None)


def _refuse_too_many(resolved: Resolved, missing: int, total: int, most: float) -> None:
    """Raise ValidationError where so much is missing that the list may not be whole."""
    if missing > most * total:
        raise ValidationError(
            f"{missing:,} of the table's {total:,} rows are not in the list that the run was given",
            where=_where(resolved),
            expected=f"at most {most:.2%} (max_missing)",
            found=f"{missing / total:.2%}",
            next_step="see whether the list was sent whole; if these rows are gone, raise "
            "max_missing; nothing was committed",
        )


def _refuse_unread(resolved: Resolved, missing: int, present: DataFrame, unread: int) -> None:
    """Raise ValidationError where rows whose key nobody knows may be those that are missing."""
    key = key_keeps(resolved.spec)
    unread += present.where(F.expr(f"NOT coalesce({key}, false)")).count()
    if unread:
        raise ValidationError(
            f"{missing:,} rows of the table are not in the list, and {unread:,} rows of the list "
            "could not be taken, or have no key: they may be the same",
            where=_where(resolved),
            expected="a list in which every row can be read, or every row of the table is",
            next_step=f"look at them: penstock quarantine show {resolved.spec.name}; mend the "
            "source, or write missing='keep'; nothing was committed",
        )


def _at(micros: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat(" ")


def _where(resolved: Resolved) -> str:
    at = f", table at version {resolved.state.version}" if resolved.state else ""
    return f"{resolved.spec.name} {resolved.spec.model.version}{at}"


def _column(name: str) -> Column:
    return F.col(quoted(name))
