"""Step 4, audit: which rows break the contract, and whether the run may commit.

Clean data pays for one test of each row, fused into the write (`strict`): the first bad row stops
the job before anything is visible. Only then, or when the last run of the slice had bad rows, one
pass sets the bad rows aside with their reasons and counts them; the write then leaves them out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from typing import TYPE_CHECKING, assert_never

from pyspark.sql import Observation
from pyspark.sql import functions as F

from penstock.assets.frames import read_table
from penstock.assets.gate import frame_columns
from penstock.assets.landing.frames import FILE, with_file
from penstock.assets.modes import Fail, Merge, Quarantine, ReplaceSlice, Scd2, Warn
from penstock.assets.row_filters import raise_unless
from penstock.errors import ValidationError
from penstock.schemas.definition import check_referred
from penstock.schemas.model import ContractModel, ForeignKeyModel, Severity
from penstock.schemas.predicates import bad_reasons_sql, good_sql, literal, quoted, rules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.pinned import PinnedTable
    from penstock.assets.resolve import Resolved

__all__ = [
    "Audit",
    "count_dataset_checks",
    "good_rows",
    "judge",
    "rule_ids",
    "set_aside",
    "split_counts",
    "strict",
    "warning_rules",
]

KEY_RULE = "key:unique"
SLICE_RULE = "slice:outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What the checks found. Counts are rows; `by_rule` counts a row once for each rule."""

    rows: int | None = None
    bad: int = 0
    by_rule: Mapping[str, int] = field(default_factory=dict)
    warned: Mapping[str, int] = field(default_factory=dict)


def strict(resolved: Resolved, frame: DataFrame) -> DataFrame:
    """The frame; running it fails with BAD_ROW when a row breaks the contract."""
    predicate = _good(resolved)
    return frame if predicate is None else raise_unless(frame, predicate)


def count_dataset_checks(
    resolved: Resolved, spark: SparkSession, frame: DataFrame
) -> dict[str, int]:
    """Rows that break each check that one row alone cannot: keys, foreign keys, and warnings.

    One Spark action that computes the frame once, and none when the contract has no such check.
    Counts of zero are included.
    """
    spec = resolved.spec
    key = spec.row_key
    broken = {rule: f"NOT ({sql})" for rule, sql in _warnings(spec)}
    for n, foreign in enumerate(spec.model.foreign_keys):
        frame = _with_orphan(frame, foreign, _referenced(spark, resolved, foreign), f"_o{n}")
        broken[foreign.id] = f"_o{n}"
    if not key and not broken:
        return {}
    counts = [F.count_if(F.expr(sql)).alias(f"_n{n}") for n, sql in enumerate(broken.values())]
    if key:
        # counted by key and summed up, so that the body is computed once for all checks
        by_key = frame.groupBy(*(F.col(quoted(name)) for name in key)).agg(
            F.count(F.lit(1)).alias("_rows"), *counts
        )
        broken = {KEY_RULE: "_rows > 1", **broken}
        many = F.sum(F.when(F.expr(f"_rows > 1 AND {_known(key)}"), F.col("_rows")))
        totals = by_key.agg(many, *(F.sum(f"_n{n}") for n in range(len(counts))))
    else:
        totals = frame.agg(*counts)
    return {rule: int(n or 0) for rule, n in zip(broken, totals.collect()[0], strict=True)}


def split_counts(spec: Dataset, counts: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """(`counts` of checks that set rows aside, those that only warn)."""
    warn = warning_rules(spec)
    errors = {rule: n for rule, n in counts.items() if rule not in warn}
    return errors, {rule: n for rule, n in counts.items() if rule in warn}


def warning_rules(spec: Dataset) -> set[str]:
    """The rules that only count."""
    warn = {rule for rule, _ in _warnings(spec)}
    warn |= {key.id for key in spec.model.foreign_keys if _only_warns(spec, key)}
    keeps_all = isinstance(spec.bad_rows, Warn) and not isinstance(spec.write, Merge | Scd2)
    if spec.row_key and keeps_all:
        warn.add(KEY_RULE)
    return warn


def set_aside(
    resolved: Resolved,
    spark: SparkSession,
    frame: DataFrame,
    rejected: list[DataFrame],
    facts: Mapping[str, str],
    write: Callable[[DataFrame], None],
) -> Audit:
    """Write the rows that break the contract, with their reasons, to quarantine; count them.

    One pass over the frame. `facts` are constant columns (run, token, contract version); `write`
    commits the frame in place of what the same token left there before.
    """
    total, found = Observation(), Observation()
    names = frame.columns
    flagged, flags = _flagged(resolved, spark, with_file(frame, resolved.inputs))
    # above what shuffles: adaptive execution drops an empty stage and the counts taken in it
    counted = flagged.observe(total, F.count(F.lit(1)).alias("rows"))
    row = F.to_json(
        F.struct(*(F.col(quoted(name)) for name in names)), {"ignoreNullFields": "false"}
    )
    # never true, which the optimizer cannot know: where it knows that no row is bad, the count of
    # all rows would go with the filter
    never = "monotonically_increasing_id() < 0"
    bad = counted.where(F.expr(f"NOT coalesce({_keeps(resolved, flags)}, false) OR {never}"))
    # only bad rows get this far: naming the reasons of every row would cost half a write
    bad = bad.select(
        F.expr(_reasons(resolved, flags)).alias("reasons"),
        row.alias("row"),
        F.col(FILE).alias("file"),
        F.lit(False).alias("unread"),
    )
    unread = (frame.withColumn("unread", F.lit(True)) for frame in rejected)
    entries = reduce(lambda a, b: a.unionByName(b), [bad, *unread])
    known = rule_ids(resolved.spec)
    entries = entries.observe(
        found,
        F.count(F.lit(1)).alias("rows"),
        F.count_if("unread").alias("unread"),
        *(
            F.count_if(F.array_contains("reasons", rule)).alias(f"r{n}")
            for n, rule in enumerate(known)
        ),
    )
    write(entries.select(*(F.lit(v).alias(k) for k, v in facts.items()), "reasons", "row", "file"))
    seen = found.get
    return Audit(
        rows=int(total.get["rows"]) + int(seen["unread"]),
        bad=int(seen["rows"]),
        by_rule={rule: int(seen[f"r{n}"]) for n, rule in enumerate(known) if seen[f"r{n}"]},
    )


def good_rows(resolved: Resolved, spark: SparkSession, frame: DataFrame, audit: Audit) -> DataFrame:
    """The rows that keep the contract, all of them and no others."""
    flags: Mapping[str, str] = {}
    names = [F.col(quoted(name)) for name in frame.columns]
    if audit.by_rule.keys() & {KEY_RULE, *(key.id for key in resolved.spec.model.foreign_keys)}:
        frame, flags = _flagged(resolved, spark, frame)
    return frame.where(F.expr(_keeps(resolved, flags))).select(*names)


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


def _good(resolved: Resolved) -> str | None:
    """One predicate for all row rules that set rows aside."""
    spec = resolved.spec
    parts = [good_sql(_enforced(spec))]
    if isinstance(spec.write, ReplaceSlice):
        parts.append(_in_slice(resolved))
    return " AND ".join(f"({part})" for part in parts if part) or None


def _in_slice(resolved: Resolved) -> str:
    partitions = resolved.spec.partitions
    assert partitions is not None
    kind = resolved.spec.model.column(partitions.column)
    assert kind is not None
    return f"coalesce({resolved.slice.predicate(partitions.column, kind.type)}, false)"


def _flagged(
    resolved: Resolved, spark: SparkSession, frame: DataFrame
) -> tuple[DataFrame, Mapping[str, str]]:
    """The frame with a boolean for each rule that one row alone cannot break; (column, rule)."""
    spec = resolved.spec
    flags = {}
    if (key := spec.row_key) and KEY_RULE not in warning_rules(spec):
        names = ", ".join(quoted(name) for name in key)
        many = f"{_known(key)} AND count(1) OVER (PARTITION BY {names}) > 1"
        frame = frame.withColumn("_many", F.expr(many))
        flags["_many"] = KEY_RULE
    for n, foreign in enumerate(spec.model.foreign_keys):
        if not _only_warns(spec, foreign):
            frame = _with_orphan(frame, foreign, _referenced(spark, resolved, foreign), f"_o{n}")
            flags[f"_o{n}"] = foreign.id
    return frame, flags


def _keeps(resolved: Resolved, flags: Mapping[str, str]) -> str:
    """SQL, true for the flagged rows that break no rule that sets rows aside."""
    return " AND ".join([_good(resolved) or "true", *(f"NOT {flag}" for flag in flags)])


def _reasons(resolved: Resolved, flags: Mapping[str, str]) -> str:
    """SQL, the ids of the rules a flagged row breaks."""
    spec = resolved.spec
    reasons = [sql] if (sql := bad_reasons_sql(_enforced(spec))) else []
    if isinstance(spec.write, ReplaceSlice):
        reasons.append(_reason(f"NOT {_in_slice(resolved)}", SLICE_RULE))
    reasons += [_reason(flag, rule) for flag, rule in flags.items()]
    joined = f"array_distinct(concat({', '.join(reasons)}))" if reasons else "array()"
    return f"CAST({joined} AS array<string>)"


def _reason(condition: str, rule: str) -> str:
    return f"CASE WHEN {condition} THEN array({literal(rule)}) ELSE array() END"


def _referenced(spark: SparkSession, resolved: Resolved, foreign: ForeignKeyModel) -> DataFrame:
    pinned = {item.table.dataset: item for item in resolved.references}
    item: PinnedTable = pinned[foreign.references]
    there = read_table(spark, item)
    types = {field.name: field.dataType.simpleString() for field in there.schema.fields}
    # of a table that others write nothing was known when the dataset was defined
    check_referred(f"dataset {resolved.spec.name}", resolved.spec.model, foreign, types)
    return there.select(
        *(F.col(quoted(c)).alias(f"_ref{n}") for n, c in enumerate(foreign.references_columns))
    ).distinct()


def _with_orphan(
    frame: DataFrame, foreign: ForeignKeyModel, referenced: DataFrame, flag: str
) -> DataFrame:
    """The frame and a boolean: the row refers to something that is not there."""
    marked = referenced.withColumn("_found", F.lit(True))
    condition = reduce(
        lambda a, b: a & b,
        [F.col(quoted(c)) == F.col(f"_ref{n}") for n, c in enumerate(foreign.columns)],
    )
    joined = frame.join(marked, condition, "left")
    refers = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in foreign.columns)
    return joined.withColumn(flag, F.expr(f"{refers} AND _found IS NULL")).drop(
        "_found", *(f"_ref{n}" for n in range(len(foreign.columns)))
    )


def _known(key: tuple[str, ...]) -> str:
    """SQL, true for a row whose key is whole: NULL is no key, and equal to none."""
    return " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)


def _only_warns(spec: Dataset, key: ForeignKeyModel) -> bool:
    return key.severity is Severity.WARN or isinstance(spec.bad_rows, Warn)


def _frame_model(spec: Dataset) -> ContractModel:
    """The contract without the columns that the write mode adds."""
    return spec.model.only(tuple(frame_columns(spec)))


def _enforced(spec: Dataset) -> ContractModel:
    model = _frame_model(spec)
    if not isinstance(spec.bad_rows, Warn):
        return model
    # a row without its key could never be matched again
    key = spec.row_key if isinstance(spec.write, Merge | Scd2) else ()
    return replace(model.only(key), checks=())


def _warnings(spec: Dataset) -> list[tuple[str, str]]:
    """(rule, SQL true for a good row) of the row checks that only count."""
    model = _frame_model(spec)
    found = rules(model, Severity.WARN)
    if not isinstance(spec.bad_rows, Warn):
        return found
    enforced = rules(_enforced(spec), Severity.ERROR)
    return [*(rule for rule in rules(model, Severity.ERROR) if rule not in enforced), *found]


def rule_ids(spec: Dataset) -> list[str]:
    """Every rule that can set a row aside, the ones of arriving files included."""
    ids = [rule for rule, _ in rules(_enforced(spec), Severity.ERROR)]
    ids += [SLICE_RULE, KEY_RULE, *(key.id for key in spec.model.foreign_keys)]
    ids += ["csv:malformed", "csv:encoding", *(f"{c.name}:type" for c in spec.model.columns)]
    return list(dict.fromkeys(ids))
