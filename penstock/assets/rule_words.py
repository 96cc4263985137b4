"""What each rule of a dataset's rows expects, in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from penstock.assets.row_rules import (
    IN_TABLE_RULE,
    KEY_RULE,
    RECORD_RULES,
    SLICE_RULE,
    rule_ids,
    rules_of_others,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.dataset import Dataset

__all__ = ["rule_words"]

_TEXT = {
    "boolean": "true or false, yes or no, 1 or 0",
    "date": "a day like 2013-02-07",
    "timestamp": "a time like 2013-02-07T10:15:30Z",
    "timestamp_ntz": "a time like 2013-02-07T10:15:30",
    "double": "a number, if with an exponent",
    "float": "a number, if with an exponent",
}


def rule_words(spec: Dataset) -> Mapping[str, str]:
    """By the id of each rule that can set a row aside, what it expects of the row."""
    model = spec.arriving
    words = dict(RECORD_RULES)
    for column in model.columns:
        words[f"{column.name}:type"] = f"{column.name} as {_value(column.type)}"
        words[f"{column.name}:not_null"] = f"a value of {column.name}"
    words |= {check.id: check.sql.replace("`", "") for check in model.checks}
    for key in model.foreign_keys:
        there = ", ".join(key.references_columns)
        words[key.id] = f"{', '.join(key.columns)} that is in {key.references} ({there})"
    key_words = ", ".join(spec.row_key)
    words[KEY_RULE] = f"{key_words} that no other row of the run has"
    words[IN_TABLE_RULE] = f"{key_words} that no row of the table has"
    columns = " and ".join(spec.partitions.columns) if spec.partitions else "a day"
    words[SLICE_RULE] = f"{columns} in the slice that was run"
    words |= rules_of_others(spec)
    return {rule: words[rule] for rule in rule_ids(spec)}


def _value(kind: str) -> str:
    """What a value of the type looks like."""
    if found := re.fullmatch(r"decimal\((\d+),(\d+)\)", kind):
        whole = int(found[1]) - int(found[2])
        return f"a number, at most {whole} digits before the point and {found[2]} behind it"
    return f"{kind}: {_TEXT[kind]}" if kind in _TEXT else kind
