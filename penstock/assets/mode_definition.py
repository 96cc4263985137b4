"""What a write mode asks of its dataset: a key, columns with a part to play, inputs that fit.

Every function raises DefinitionError with the dataset, the part and the mend.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from penstock.assets.inputs.files import Landing
from penstock.assets.modes import Append, Merge, Overwrite, ReplaceSlice, Scd2
from penstock.errors import DefinitionError
from penstock.schemas.column_type import comparable
from penstock.schemas.contract import struct_of

if TYPE_CHECKING:
    from penstock.assets.dataset import Dataset

__all__ = ["check_mode"]

_IN_ORDER = (
    *("tinyint", "smallint", "int", "bigint", "decimal"),
    *("date", "timestamp", "timestamp_ntz"),
)
_PYTHON = {"date": "date", "timestamp": "datetime"}


def check_mode(spec: Dataset, where: str) -> None:
    """Raise DefinitionError when the dataset cannot be written by its mode."""
    match spec.write:
        case Overwrite() if spec.partitions is not None:
            raise DefinitionError(
                "Overwrite with partitions: a run of one slice replaces the other slices too",
                where=where,
                expected="write=ReplaceSlice(), or no partitions",
                next_step="drop write=Overwrite(): ReplaceSlice() is what partitions default to",
            )
        case ReplaceSlice() if spec.partitions is None:
            raise DefinitionError(
                "ReplaceSlice without partitions",
                where=where,
                next_step="give partitions=Daily(column=..., start=...), or another kind",
            )
        case Append() if spec.inputs and not any(i.once for i in spec.inputs.values()):
            raise DefinitionError(
                "Append of whole tables adds the same rows at every run",
                where=where,
                next_step="take the input as changes(...), or use Merge() or Overwrite()",
            )
        case Merge() | Scd2() if not spec.model.key:
            raise DefinitionError(
                f"{type(spec.write).__name__} needs a key to match rows by",
                where=where,
                next_step="mark the key columns of the contract with column(key=True)",
            )
        case _:
            pass
    if isinstance(spec.write, Merge | Scd2):
        _check_comparable(spec)
        if spec.write.deletes is not None:
            _check_deletes(spec, spec.write.deletes, where)
        if spec.whole_list:
            _check_whole_list(spec, where)
    if spec.order_by is not None:
        _check_order(spec, spec.order_by, where)
    if isinstance(spec.write, Scd2):
        _check_versions(spec, spec.write, where)


def _check_deletes(spec: Dataset, name: str, where: str) -> None:
    """The column that says that a row is gone is a flag, and no other column of the contract."""
    column = spec.model.column(name)
    like = [c.name for c in spec.model.columns if c.name.lower() == name.lower() and c.name != name]
    taken = {spec.write.valid_to, spec.write.is_current} if isinstance(spec.write, Scd2) else set()
    if not re.fullmatch(r"[A-Za-z]\w*", name) or like or name in taken:
        raise DefinitionError(
            "deletes= names no column that says that a row is gone",
            where=where,
            expected="a name of its own: letters, digits and underscores",
            found=repr(name) + (f", and the contract has {like[0]}" if like else ""),
            next_step="write deletes='is_deleted'",
        )
    if column and (column.type != "boolean" or column.nullable or column.key):
        raise DefinitionError(
            "the column of deletes= cannot say that a row is gone",
            where=f"contract {spec.contract.__name__}.{name}",
            expected="boolean NOT NULL, not in the key",
            found=_kind(column.type, column.nullable) + (", in the key" if column.key else ""),
            next_step=f"write {name}: bool = column(); or take it out of the contract, to have the "
            "rows taken out of the table",
        )


def _check_order(spec: Dataset, name: str, where: str) -> None:
    """The column that says which row is newer has an order that all agree on, in every row."""
    column = spec.model.column(name)
    base = column.type.partition("(")[0] if column else ""
    if column and base in _IN_ORDER and not column.nullable and not column.key:
        return
    raise DefinitionError(
        "order_by= names no column of the contract that says which row is newer",
        where=f"{where}.{name}",
        expected="a whole number, decimal, date or datetime, NOT NULL and not in the key",
        found=_kind(column.type, column.nullable) + (", in the key" if column.key else "")
        if column
        else f"one of {[c.name for c in spec.model.columns]}",
        next_step="name the sequence number or the time that the source gives each change",
    )


def _check_whole_list(spec: Dataset, where: str) -> None:
    """What is missing is known of a list that is whole at each run alone."""
    files = [name for name, item in spec.inputs.items() if isinstance(item, Landing)]
    changing = [name for name, item in spec.inputs.items() if item.once and name not in files]
    found = None
    if spec.partitions:
        found = "a list of one slice says nothing of the others"
    elif changing:
        found = f"input {changing[0]} gives what changed, and not what there is"
    elif any(item.files.placeholders for item in spec.inputs.values() if isinstance(item, Landing)):
        found = "a file whose name says what it is of is a part of the list"
    elif len(files) > 1:
        found = f"inputs {' and '.join(files)} have new files at different times"
    deletes = spec.write.deletes if isinstance(spec.write, Scd2) else None
    if deletes and spec.model.column(deletes):
        raise DefinitionError(
            "what is missing has no row that could say it is gone",
            where=f"contract {spec.contract.__name__}.{deletes}",
            expected="a contract without the column, whose versions end where the row is gone",
            next_step=f"take {deletes} out of the contract, or write missing='keep'",
        )
    if found:
        assert isinstance(spec.write, Merge | Scd2)
        raise DefinitionError(
            f"missing={spec.write.missing!r} is of what a run is not given, and no run is given "
            "everything",
            where=where,
            expected="no partitions, whole tables, and at most one input of landing, each file of "
            "which is the whole list",
            found=found,
            next_step="write missing='keep'; changes(..., deletes=...) gives what was taken out",
        )


def _check_comparable(spec: Dataset) -> None:
    """Merge and Scd2 ask of each column whether it has changed."""
    for field in struct_of(spec.contract).fields:
        if not comparable(field.dataType):
            raise DefinitionError(
                f"{type(spec.write).__name__} cannot tell whether the column has changed: Spark "
                "compares no maps and no variants",
                where=f"contract {spec.contract.__name__}.{field.name}",
                expected="a type without maps and variants in it",
                found=field.dataType.simpleString(),
                next_step="keep it as an array of structs (map_entries, sorted by key) or as text "
                "(to_json), or use Overwrite() or ReplaceSlice()",
            )


def _check_versions(spec: Dataset, scd2: Scd2, where: str) -> None:
    """Raise DefinitionError when the contract's columns cannot say when a version holds."""
    names = (scd2.valid_from, scd2.valid_to, scd2.is_current)
    missing = [n for n in names if spec.model.column(n) is None]
    in_key = [n for n in names if n in spec.model.key]
    if missing or in_key or len(set(names)) < len(names):
        raise DefinitionError(
            f"the contract lacks {missing}"
            if missing
            else "a column of Scd2 has two parts to play",
            where=where,
            expected=f"three columns {names}, none of them in the key",
            found=f"in the key: {in_key}" if in_key else None,
            next_step="declare them: timestamp, nullable timestamp, bool",
        )
    made = (scd2.valid_to, scd2.is_current)
    if promised := [check.id for check in spec.model.checks if check.column in made]:
        raise DefinitionError(
            "the contract has a check of a column that Scd2 makes when it writes",
            where=f"contract {spec.contract.__name__}",
            expected=f"checks of what the function returns, not of {' and '.join(made)}",
            found=", ".join(promised),
            next_step="leave the check out",
        )
    kinds = {column.name: (column.type, column.nullable) for column in spec.model.columns}
    start, _ = kinds[scd2.valid_from]
    moment = start if start in ("date", "timestamp") else "timestamp"
    for name, wanted, write in (
        (scd2.valid_from, (moment, False), f"{_PYTHON[moment]} = column()"),
        (scd2.valid_to, (moment, True), f"{_PYTHON[moment]} = column(nullable=True)"),
        (scd2.is_current, ("boolean", False), "bool = column()"),
    ):
        if kinds[name] != wanted:
            raise DefinitionError(
                "the column cannot hold what Scd2 writes to it",
                where=f"contract {spec.contract.__name__}.{name}",
                expected=_kind(*wanted),
                found=_kind(*kinds[name]),
                next_step=f"write {name}: {write}",
            )


def _kind(kind: str, nullable: bool) -> str:  # noqa: FBT001 - a column's two facts, unpacked
    return f"{kind}{'' if nullable else ' NOT NULL'}"
