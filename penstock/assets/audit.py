"""Step 4, audit: which rows break the contract, and whether the run may commit.

Clean data pays for one test of each row, fused into the write: the first bad row stops the job
before anything is visible. Where little is written, keys, foreign keys and what only warns are
tested there too (`strict_throughout`): it brings the rows of a key together, which takes many rows
out of the order they came in. Many rows are therefore counted by key first, in a pass of its own
(`count_dataset_checks`), and then tested one by one (`strict`).

Only when something was found, or was the last time, one pass sets the bad rows aside with their
reasons and counts them; the write then leaves them out. Few rows are held for that, so that they
are computed once (`count_flagged`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, assert_never

from pyspark.sql import Observation
from pyspark.sql import functions as F

from penstock.assets.flags import Flagged, flagged, with_known, with_orphans
from penstock.assets.landing.frames import FILE
from penstock.assets.landing.json_value import MICRO_FORMATS
from penstock.assets.modes import Fail, Quarantine, Warn
from penstock.assets.row_filters import only, raise_unless
from penstock.assets.row_rules import (
    KEY_RULE,
    good,
    keeps,
    known,
    reasons,
    rule_ids,
    warning_rules,
    warnings,
)
from penstock.errors import ValidationError
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pyspark.sql import Column, DataFrame, SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.resolve import Resolved

__all__ = [
    "Audit",
    "count_dataset_checks",
    "count_flagged",
    "good_rows",
    "judge",
    "set_aside",
    "split_counts",
    "strict",
    "strict_throughout",
]


_ROWS = "_penstock_rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What the checks found. Counts are rows; `by_rule` counts a row once for each rule.

    Of the `bad` ones `unread` could not be read at all.
    """

    rows: int | None = None
    bad: int = 0
    unread: int = 0
    by_rule: Mapping[str, int] = field(default_factory=dict)
    warned: Mapping[str, int] = field(default_factory=dict)


def strict(resolved: Resolved, frame: DataFrame) -> DataFrame:
    """The frame; running it fails with BAD_ROW when a row breaks the contract by itself."""
    predicate = good(resolved)
    return frame if predicate is None else raise_unless(frame, predicate)


def strict_throughout(resolved: Resolved, spark: SparkSession, frame: DataFrame) -> DataFrame:
    """The frame; running it fails with BAD_ROW when any check finds a row.

    Those over several rows and those that only warn too: then their counts are zero.
    """
    names = frame.columns
    rows = flagged(resolved, spark, frame, warnings=True)
    tests = [sql] if (sql := good(resolved)) else []
    tests += [f"coalesce({sql}, true)" for _, sql in warnings(resolved.spec)]
    tests += [f"NOT {flag}" for flag in (*rows.errors, *rows.warnings)]
    if not tests:
        return frame
    return _columns(raise_unless(rows.frame, " AND ".join(f"({t})" for t in tests)), names)


def count_dataset_checks(
    resolved: Resolved, spark: SparkSession, frame: DataFrame
) -> dict[str, int]:
    """Rows that break each check that one row alone cannot: keys, foreign keys, and warnings.

    One Spark action that computes the frame once, and none when the contract has no such check.
    Counts of zero are included.
    """
    spec = resolved.spec
    key = spec.row_key
    frame, known_ones = with_known(resolved, spark, frame)
    frame, orphans = with_orphans(resolved, spark, frame, spec.model.foreign_keys)
    broken = {rule: f"NOT ({sql})" for rule, sql in warnings(spec)}
    broken |= {rule: flag for flag, rule in {**known_ones, **orphans}.items()}
    if not key and not broken:
        return {}
    aliases = [f"_penstock_{n}" for n in range(len(broken))]
    tests = zip(broken.values(), aliases, strict=True)
    counts = [F.count_if(F.expr(sql)).alias(alias) for sql, alias in tests]
    if key:
        # counted by key and summed up, so that the body is computed once for all checks
        by_key = frame.groupBy(*(F.col(quoted(name)) for name in key)).agg(
            F.count(F.col(quoted(spec.order_by)) if spec.order_by else F.lit(1)).alias(_ROWS),
            *counts,
        )
        many = F.sum(F.when(F.expr(f"{_ROWS} > 1 AND {known(key)}"), F.col(_ROWS)))
        totals = by_key.agg(many, *map(F.sum, aliases))
    else:
        totals = frame.agg(*counts)
    ids = [KEY_RULE, *broken] if key else broken
    return {rule: int(n or 0) for rule, n in zip(ids, totals.collect()[0], strict=True)}


def count_flagged(resolved: Resolved, rows: Flagged) -> tuple[int, dict[str, int]]:
    """(Rows to be set aside, rows by each rule that only warns), in one action over the rows."""
    warned = _warned(resolved, rows)
    bad = F.count_if(F.expr(f"NOT coalesce({keeps(resolved, rows.errors)}, false)"))
    found, *counts = map(int, rows.frame.agg(bad, *warned.values()).collect()[0])
    return found, dict(zip(warned, counts, strict=True))


def _warned(resolved: Resolved, rows: Flagged) -> dict[str, Column]:
    """By rule that only warns, the count of its rows."""
    broken = {rule: f"NOT ({sql})" for rule, sql in warnings(resolved.spec)}
    broken |= {rule: flag for flag, rule in rows.warnings.items()}
    return {
        rule: F.count_if(F.expr(sql)).alias(f"w{n}") for n, (rule, sql) in enumerate(broken.items())
    }


def split_counts(spec: Dataset, counts: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """(`counts` of checks that set rows aside, those that only warn)."""
    warn = warning_rules(spec)
    errors = {rule: n for rule, n in counts.items() if rule not in warn}
    return errors, {rule: n for rule, n in counts.items() if rule in warn}


def set_aside(
    resolved: Resolved,
    rows: Flagged,
    rejected: list[DataFrame],
    facts: Mapping[str, str],
    write: Callable[[DataFrame], None],
) -> Audit:
    """Write the rows that break the contract, with their reasons, to quarantine; count them.

    Those by rules that only warn too, as far as the rows are flagged for them. One pass over the
    rows, which have FILE. `facts` are constant columns (run, token, contract version); `write`
    commits the frame in place of what the same token left there before.
    """
    total, found, names = Observation(), Observation(), _names(resolved)
    row = F.to_json(
        F.struct(*(F.col(quoted(name)) for name in names)),
        {"ignoreNullFields": "false", **MICRO_FORMATS},
    )
    # above what shuffles: adaptive execution drops an empty stage and the counts taken in it
    warned = _warned(resolved, rows)
    counted = rows.frame.observe(total, F.count(F.lit(1)).alias("rows"), *warned.values())
    # never true, which the optimizer cannot know: where it knows that no row is bad, the count of
    # all rows would go with the filter
    never = "monotonically_increasing_id() < 0"
    bad = counted.where(F.expr(f"NOT coalesce({keeps(resolved, rows.errors)}, false) OR {never}"))
    # only bad rows get this far: naming the reasons of every row would cost half a write
    bad = bad.select(
        F.expr(reasons(resolved, rows.errors)).alias("reasons"),
        row.alias("row"),
        F.col(FILE).alias("file"),
        F.lit(False).alias("unread"),
    )
    unread = (frame.withColumn("unread", F.lit(True)) for frame in rejected)
    entries = reduce(lambda a, b: a.unionByName(b), [bad, *unread])
    ids = rule_ids(resolved.spec)
    entries = entries.observe(
        found,
        F.count(F.lit(1)).alias("rows"),
        F.count_if("unread").alias("unread"),
        *(F.count_if(F.array_contains("reasons", id_)).alias(f"r{n}") for n, id_ in enumerate(ids)),
    )
    write(entries.select(*(F.lit(v).alias(k) for k, v in facts.items()), "reasons", "row", "file"))
    counts, seen = total.get, found.get
    return Audit(
        rows=int(counts["rows"]) + int(seen["unread"]),
        bad=int(seen["rows"]),
        unread=int(seen["unread"]),
        by_rule={rule: int(seen[f"r{n}"]) for n, rule in enumerate(ids) if seen[f"r{n}"]},
        warned={rule: int(counts[f"w{n}"]) for n, rule in enumerate(warned)},
    )


def good_rows(resolved: Resolved, rows: Flagged) -> DataFrame:
    """The rows that keep the contract, all of them and no others."""
    return _columns(only(rows.frame, keeps(resolved, rows.errors)), _names(resolved))


def judge(resolved: Resolved, audit: Audit) -> None:
    """Raise ValidationError when so many rows are bad that the run must not commit."""
    policy = resolved.spec.bad_rows
    match policy:
        case Fail():
            limit = "no bad row"
            over = audit.bad > 0
        case Quarantine():
            share = audit.bad / audit.rows if audit.rows else 0.0
            most = [f"{policy.max_rows} rows"] if policy.max_rows is not None else []
            most += [f"{policy.max_fraction:.2%}"] if policy.max_fraction is not None else []
            limit = "at most " + " and ".join(most) + " set aside" if most else "any number"
            over = (policy.max_rows is not None and audit.bad > policy.max_rows) or (
                policy.max_fraction is not None and share > policy.max_fraction
            )
        case Warn():
            return
        case _:
            assert_never(policy)
    if over:
        rules = ", ".join(f"{rule} {n}" for rule, n in sorted(audit.by_rule.items()))
        raise ValidationError(
            f"{audit.bad} of {audit.rows} rows break the contract",
            where=f"{resolved.spec.name} {resolved.spec.model.version}, {resolved.slice.key}",
            expected=limit,
            found=rules,
            next_step=f"look at them: penstock quarantine show {resolved.spec.name}; nothing was "
            "committed",
        )


def _names(resolved: Resolved) -> list[str]:
    return [column.name for column in resolved.spec.returned.columns]


def _columns(frame: DataFrame, names: Iterable[str]) -> DataFrame:
    return frame.select(*(F.col(quoted(name)) for name in names))
