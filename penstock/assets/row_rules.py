"""The rules of a dataset's rows: which set a row aside, which only count it, and their SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from penstock.assets.inputs.external import External
from penstock.assets.modes import Append, Merge, ReplaceSlice, Scd2, Warn
from penstock.schemas.model import ContractModel, ForeignKeyModel, Severity
from penstock.schemas.predicates import literal, quoted, reasons_sql, rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.dataset import Dataset
    from penstock.assets.resolve import Resolved

__all__ = [
    "IN_TABLE_RULE",
    "KEY_RULE",
    "RECORD_RULES",
    "SLICE_RULE",
    "good",
    "is_gone",
    "keeps",
    "key_keeps",
    "known",
    "only_warns",
    "reasons",
    "rule_ids",
    "rules_of_others",
    "warning_rules",
    "warnings",
]

KEY_RULE = "key:unique"
IN_TABLE_RULE = "key:in_table"
SLICE_RULE = "slice:outside"
#: The rules of records in files, and what each expects.
RECORD_RULES = {
    "csv:malformed": "as many cells as there are columns, and nothing behind a closing quote",
    "csv:encoding": "bytes of the encoding that landing(...) says",
    "fixed:malformed": "a line that ends where the last column does",
    "fixed:encoding": "bytes of the encoding that landing(...) says",
    "json:malformed": "one object on each line, and nothing behind it",
    "json:repeated": "each key once",
    "json:extra": "no key that the contract does not name",
    "json:encoding": "UTF-8",
    "event:operation": "an operation that envelope(...) names",
    "event:unavailable": "values that the sender knew",
    "event:key": "a key that a write does not change: a deletion and a new row",
    "event:row": "an object with the row that was written or deleted",
    "topic:tombstone": "a value; a record without one says that what its key names is gone",
    "topic:key": "a key in UTF-8",
}


def good(resolved: Resolved) -> str | None:
    """SQL, true for a row that breaks no rule that it can break alone; None without such rules."""
    spec = resolved.spec
    parts = [sql for _, sql in _error_rules(spec)]
    if isinstance(spec.write, ReplaceSlice):
        parts.append(_in_slice(resolved))
    return " AND ".join(f"({part})" for part in parts) or None


def keeps(resolved: Resolved, flags: Mapping[str, str]) -> str:
    """SQL, true for a row that breaks no rule that sets rows aside, those of `flags` included."""
    return " AND ".join([good(resolved) or "true", *(f"NOT {flag}" for flag in flags)])


def reasons(resolved: Resolved, flags: Mapping[str, str]) -> str:
    """SQL, the ids of the rules that set the row aside; `flags` are columns and their rules."""
    spec = resolved.spec
    found = [sql] if (sql := reasons_sql(_error_rules(spec))) else []
    if isinstance(spec.write, ReplaceSlice):
        found.append(_reason(f"NOT {_in_slice(resolved)}", SLICE_RULE))
    found += [_reason(flag, rule) for flag, rule in flags.items()]
    joined = f"array_distinct(concat({', '.join(found)}))" if found else "array()"
    return f"CAST({joined} AS array<string>)"


def is_gone(spec: Dataset) -> str | None:
    """SQL, true for a row that is to be taken out of the table; None where none can be."""
    return None if spec.removes is None else f"coalesce({quoted(spec.removes)}, false)"


def warnings(spec: Dataset) -> list[tuple[str, str]]:
    """(rule, SQL true for a good row) of the rules of one row that only count."""
    found = rules(spec.returned, Severity.WARN)
    if isinstance(spec.bad_rows, Warn):
        enforced = rules(_enforced(spec), Severity.ERROR)
        errors = rules(spec.returned, Severity.ERROR)
        found = [*(rule for rule in errors if rule not in enforced), *found]
    return _of_those_that_stay(spec, found)


def warning_rules(spec: Dataset) -> set[str]:
    """The rules that only count, those over several rows included."""
    warn = {rule for rule, _ in warnings(spec)}
    warn |= {key.id for key in spec.model.foreign_keys if only_warns(spec, key)}
    keeps_all = isinstance(spec.bad_rows, Warn) and not isinstance(spec.write, Merge | Scd2)
    if spec.row_key and keeps_all:
        warn.add(KEY_RULE)
        if spec.write == Append():
            warn.add(IN_TABLE_RULE)
    return warn


def rule_ids(spec: Dataset) -> list[str]:
    """Every rule that can set a row aside, the ones of arriving files included."""
    ids = [rule for rule, _ in _error_rules(spec)]
    ids += [SLICE_RULE, KEY_RULE, IN_TABLE_RULE, *(key.id for key in spec.model.foreign_keys)]
    ids += RECORD_RULES
    ids += [f"{c.name}:type" for c in spec.arriving.columns]
    ids += rules_of_others(spec)
    return list(dict.fromkeys(ids))


def rules_of_others(spec: Dataset) -> dict[str, str]:
    """By the rule's id, what each rule expects of the rows of tables that others write."""
    found: dict[str, str] = {}
    for item in spec.inputs.values():
        if isinstance(item, External):
            found |= {rule: sql.replace("`", "") for rule, sql in item.rules().items()}
            found |= {item.type_rule(c.name): f"{c.name} as {c.type}" for c in item.model.columns}
    return found


def known(key: tuple[str, ...]) -> str:
    """SQL, true for a row whose key is whole: NULL is no key, and equal to none."""
    return " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)


def only_warns(spec: Dataset, key: ForeignKeyModel) -> bool:
    """Whether a row that refers to nothing is kept and counted."""
    return key.severity is Severity.WARN or isinstance(spec.bad_rows, Warn)


def _in_slice(resolved: Resolved) -> str:
    return f"coalesce({resolved.in_slice}, false)"


def _reason(condition: str, rule: str) -> str:
    return f"CASE WHEN {condition} THEN array({literal(rule)}) ELSE array() END"


def _error_rules(spec: Dataset) -> list[tuple[str, str]]:
    return _of_those_that_stay(spec, rules(_enforced(spec), Severity.ERROR))


def _of_those_that_stay(spec: Dataset, found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The rules; of a row that is to be taken out more is not asked than what finds it."""
    gone = is_gone(spec)
    if gone is None:
        return found
    finds = _finding_rules(spec)
    return [(rule, sql if rule in finds else f"({gone} OR {sql})") for rule, sql in found]


def key_keeps(spec: Dataset) -> str:
    """SQL, true for a row whose key is whole and keeps the contract."""
    return " AND ".join(sql for _, sql in _rules_of(spec, spec.row_key, Severity.ERROR)) or "true"


def _finding_rules(spec: Dataset) -> set[str]:
    """The rules of the columns by which the row to take out is found."""
    return {rule for each in Severity for rule, _ in _rules_of(spec, _finds(spec), each)}


def _rules_of(spec: Dataset, columns: tuple[str, ...], severity: Severity) -> list[tuple[str, str]]:
    """The rules of these columns, without those over whole rows."""
    model = spec.returned.only(columns)
    return rules(replace(model, checks=tuple(c for c in model.checks if c.column)), severity)


def _finds(spec: Dataset) -> tuple[str, ...]:
    return (*spec.row_key, *filter(None, (spec.order_by, spec.removes)))


def _enforced(spec: Dataset) -> ContractModel:
    model = spec.returned
    if not isinstance(spec.bad_rows, Warn):
        return model
    # a row without its key could never be matched again
    key = _finds(spec) if isinstance(spec.write, Merge | Scd2) else ()
    return replace(model.only(key), checks=())
