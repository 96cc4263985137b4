"""The rules of a dataset's rows: which set a row aside, which only count it, and their SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.assets.gate import frame_columns
from penstock.assets.modes import Merge, ReplaceSlice, Scd2, Warn
from penstock.schemas.model import ContractModel, ForeignKeyModel, Severity
from penstock.schemas.predicates import bad_reasons_sql, good_sql, literal, quoted, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.dataset import Dataset
    from penstock.assets.resolve import Resolved

__all__ = [
    "KEY_RULE",
    "good",
    "keeps",
    "known",
    "only_warns",
    "reasons",
    "rule_ids",
    "warning_rules",
    "warnings",
]

KEY_RULE = "key:unique"
SLICE_RULE = "slice:outside"


def good(resolved: Resolved) -> str | None:
    """SQL, true for a row that breaks no rule that it can break alone; None without such rules."""
    spec = resolved.spec
    parts = [good_sql(_enforced(spec))]
    if isinstance(spec.write, ReplaceSlice):
        parts.append(_in_slice(resolved))
    return " AND ".join(f"({part})" for part in parts if part) or None


def keeps(resolved: Resolved, flags: Mapping[str, str]) -> str:
    """SQL, true for a row that breaks no rule that sets rows aside, those of `flags` included."""
    return " AND ".join([good(resolved) or "true", *(f"NOT {flag}" for flag in flags)])


def reasons(resolved: Resolved, flags: Mapping[str, str]) -> str:
    """SQL, the ids of the rules that set the row aside; `flags` are columns and their rules."""
    spec = resolved.spec
    found = [sql] if (sql := bad_reasons_sql(_enforced(spec))) else []
    if isinstance(spec.write, ReplaceSlice):
        found.append(_reason(f"NOT {_in_slice(resolved)}", SLICE_RULE))
    found += [_reason(flag, rule) for flag, rule in flags.items()]
    joined = f"array_distinct(concat({', '.join(found)}))" if found else "array()"
    return f"CAST({joined} AS array<string>)"


def warnings(spec: Dataset) -> list[tuple[str, str]]:
    """(rule, SQL true for a good row) of the rules of one row that only count."""
    model = _frame_model(spec)
    found = rules(model, Severity.WARN)
    if not isinstance(spec.bad_rows, Warn):
        return found
    enforced = rules(_enforced(spec), Severity.ERROR)
    return [*(rule for rule in rules(model, Severity.ERROR) if rule not in enforced), *found]


def warning_rules(spec: Dataset) -> set[str]:
    """The rules that only count, those over several rows included."""
    warn = {rule for rule, _ in warnings(spec)}
    warn |= {key.id for key in spec.model.foreign_keys if only_warns(spec, key)}
    keeps_all = isinstance(spec.bad_rows, Warn) and not isinstance(spec.write, Merge | Scd2)
    if spec.row_key and keeps_all:
        warn.add(KEY_RULE)
    return warn


def rule_ids(spec: Dataset) -> list[str]:
    """Every rule that can set a row aside, the ones of arriving files included."""
    ids = [rule for rule, _ in rules(_enforced(spec), Severity.ERROR)]
    ids += [SLICE_RULE, KEY_RULE, *(key.id for key in spec.model.foreign_keys)]
    ids += [f"csv:{what}" for what in ("malformed", "encoding")]
    ids += [f"fixed:{what}" for what in ("malformed", "encoding")]
    ids += [f"json:{what}" for what in ("malformed", "repeated", "extra", "encoding")]
    ids += [f"{c.name}:type" for c in spec.model.columns]
    return list(dict.fromkeys(ids))


def known(key: tuple[str, ...]) -> str:
    """SQL, true for a row whose key is whole: NULL is no key, and equal to none."""
    return " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)


def only_warns(spec: Dataset, key: ForeignKeyModel) -> bool:
    """Whether a row that refers to nothing is kept and counted."""
    return key.severity is Severity.WARN or isinstance(spec.bad_rows, Warn)


def _in_slice(resolved: Resolved) -> str:
    partitions = resolved.spec.partitions
    assert partitions is not None
    kind = resolved.spec.model.column(partitions.column)
    assert kind is not None
    return f"coalesce({resolved.slice.predicate(partitions.column, kind.type)}, false)"


def _reason(condition: str, rule: str) -> str:
    return f"CASE WHEN {condition} THEN array({literal(rule)}) ELSE array() END"


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
