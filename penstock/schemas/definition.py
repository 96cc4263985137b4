"""What a contract's definition must be: each part taken from the class, or refused at import.

Every function raises DefinitionError with the class, the column and the mend.
"""

from __future__ import annotations

import difflib
import inspect
import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyspark.sql.types as T
from pandera.pyspark import DataFrameModel

from penstock.errors import DefinitionError
from penstock.schemas.model import (
    CheckModel,
    ColumnModel,
    ContractModel,
    ForeignKeyModel,
    Pii,
    Severity,
)
from penstock.schemas.predicates import UncompilableCheckError, compile_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "PYTHON_TYPES",
    "annotations_of",
    "check_keywords",
    "check_model",
    "check_reference",
    "cleared_classes",
    "columns_of",
    "data_type",
    "refuse_reserved",
    "row_rules",
]

PYTHON_TYPES: dict[Any, T.DataType] = {
    str: T.StringType(),
    int: T.LongType(),
    float: T.DoubleType(),
    bool: T.BooleanType(),
    bytes: T.BinaryType(),
    date: T.DateType(),
    datetime: T.TimestampType(),
}
_KEYWORDS = (
    "name",
    "version",
    "owner",
    "freshness",
    "retention",
    "clustering",
    "cleared",
    "foreign_keys",
    "rules",
)


def check_keywords(where: str, unknown: Mapping[str, Any], **durations: object) -> None:
    """No keyword that a contract does not have, and durations that are some."""
    if unknown:
        name = next(iter(unknown))
        near = difflib.get_close_matches(name, _KEYWORDS, 1)
        raise DefinitionError(
            f"there is no class keyword {name}",
            where=where,
            expected=", ".join(_KEYWORDS),
            next_step=f"did you mean {near[0]}?" if near else "remove it",
        )
    for name, duration in durations.items():
        if duration is not None and not (isinstance(duration, timedelta) and duration):
            raise DefinitionError(
                f"{name} is no duration",
                where=where,
                expected="a datetime.timedelta",
                found=repr(duration),
                next_step=f"write {name}=timedelta(days=1)",
            )


def refuse_reserved(where: str, types: Mapping[str, T.DataType]) -> None:
    """No column by a name that pandera keeps for itself."""
    for name in types:
        if hasattr(DataFrameModel, name):
            raise DefinitionError(
                "pandera keeps this name for itself",
                where=f"{where}.{name}",
                next_step=f"call the column something else, such as {name}_",
            )


def annotations_of(cls: type, where: str) -> dict[str, Any]:
    """The class's own annotations, resolved."""
    try:
        return inspect.get_annotations(cls, eval_str=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise DefinitionError(
            f"a column's type cannot be resolved: {error}",
            where=where,
            next_step="import the type at the top of the module, or drop the string annotation",
        ) from error


def data_type(where: str, field: str, note: Any) -> T.DataType:
    """The Spark type that a column's annotation stands for."""
    if isinstance(note, type) and issubclass(note, T.DataType):
        note = note()
    found = note if isinstance(note, T.DataType) else PYTHON_TYPES.get(note)
    if found is None:
        raise DefinitionError(
            "not a column type",
            where=f"{where}.{field}",
            expected="str, int, float, bool, bytes, date, datetime, Decimal(p, s) or a pyspark "
            "DataType",
            found=str(note),
            next_step="use one of these types",
        )
    return found


def columns_of(
    where: str, schema: Any, types: Mapping[str, T.DataType]
) -> tuple[tuple[ColumnModel, ...], list[CheckModel]]:
    """The columns of the pandera schema, and their checks compiled."""
    columns: list[ColumnModel] = []
    checks: list[CheckModel] = []
    for name, declared in schema.columns.items():
        facts = (declared.metadata or {}).get("penstock")
        if facts is None:
            raise DefinitionError(
                "a column is declared without column(...)",
                where=f"{where}.{name}",
                next_step=f"write {name}: <type> = column(...)",
            )
        if problem := facts.get("problem"):
            raise DefinitionError(
                "the column's checks are not right",
                where=f"{where}.{name}",
                found=problem,
                next_step="correct the arguments of column(...)",
            )
        if facts["pii"] is not None and facts["pii"] not in list(Pii):
            raise DefinitionError(
                "no such class of personal data",
                where=f"{where}.{name}",
                expected=", ".join(f"Pii.{pii.name}" for pii in Pii),
                found=repr(facts["pii"]),
                next_step="use one of these",
            )
        model = ColumnModel(
            name=name,
            type=types[name].simpleString(),
            nullable=bool(declared.nullable),
            key=facts["key"],
            pii=None if facts["pii"] is None else Pii(facts["pii"]),
            description=declared.description or "",
            unit=facts["unit"],
            masked=facts["masked"],
        )
        columns.append(model)
        severity = Severity.WARN if facts["warn"] else Severity.ERROR
        for check in declared.checks:
            try:
                # pandera offers no public way to the bounds' inclusiveness
                arguments = {**(check.statistics or {}), **(check._check_kwargs or {})}  # noqa: SLF001
                name_of_check = check.name or "a custom function"
                checks.append(compile_check(model, name_of_check, arguments, severity))
            except UncompilableCheckError as error:
                raise DefinitionError(
                    f"the check cannot be compiled: {error}",
                    where=f"{where}.{name}",
                    next_step="use a built-in check that fits the type, or rules={...} with SQL",
                ) from error
    return tuple(columns), checks


def cleared_classes(where: str, classes: Iterable[Pii]) -> frozenset[Pii]:
    """The classes of `cleared=`; a misspelt one would clear for nothing, or break at run time."""
    told = (classes,) if isinstance(classes, str) else tuple(classes)
    wrong = [item for item in told if item not in list(Pii)]
    if wrong:
        near = difflib.get_close_matches(str(wrong[0]), [pii.value for pii in Pii], 1)
        raise DefinitionError(
            "cleared= names something that is no class of personal data",
            where=where,
            expected=", ".join(f"Pii.{pii.name}" for pii in Pii),
            found=repr(wrong[0]),
            next_step=f"did you mean Pii.{Pii(near[0]).name}?" if near else "use one of these",
        )
    return frozenset(Pii(item) for item in told)


def check_reference(
    where: str, name: str, fk: ForeignKeyModel, target: ContractModel | None
) -> None:
    """A foreign key of the contract `name` that can be checked."""
    if fk.references == name:
        raise DefinitionError(
            "a foreign key refers to its own dataset, which is not written yet when it is checked",
            where=f"{where}.{fk.columns[0]}",
            expected="another dataset",
            found=fk.references,
            next_step="drop the foreign key, or keep the referenced rows in a dataset of their own",
        )
    if target is None:
        return
    names = [column.name for column in target.columns]
    for column in fk.references_columns:
        if column not in names:
            near = difflib.get_close_matches(column, names, 1)
            raise DefinitionError(
                "a foreign key refers to a column that is not there",
                where=f"{where}.{fk.columns[0]}",
                expected=f"columns of {fk.references}: {', '.join(names)}",
                found=column,
                next_step=f"did you mean {near[0]}?"
                if near
                else "name the referenced column: ForeignKey(columns, contract, its_columns)",
            )


def row_rules(where: str, rules: Mapping[str, str]) -> list[CheckModel]:
    """The checks of `rules=`."""
    for name, sql in rules.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or not sql.strip():
            raise DefinitionError(
                f"rule {name!r} is malformed",
                where=where,
                expected="a snake_case name and a Spark SQL predicate over the row's columns",
                next_step="write rules={'arrives_after_departure': 'arrived >= departed'}",
            )
    return [
        CheckModel(id=f"rule:{name}", column="", name="rule", arguments={}, sql=f"({sql})")
        for name, sql in rules.items()
    ]


def check_model(where: str, model: ContractModel) -> None:
    """What columns, keys, clustering and clearance say must agree."""
    if not model.columns:
        raise DefinitionError(
            "the contract has no columns", where=where, next_step="declare one with column(...)"
        )
    names = [column.name for column in model.columns]
    lowered = [name.lower() for name in names]
    for name in names:
        if lowered.count(name.lower()) > 1:
            raise DefinitionError(
                "two columns differ only in case, which Spark takes for the same",
                where=f"{where}.{name}",
                next_step="rename one of them",
            )
    referred = [("clustering", c) for c in model.clustering]
    referred += [("foreign_keys", c) for fk in model.foreign_keys for c in fk.columns]
    for fact, name in referred:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise DefinitionError(
                f"{fact} names a column that is not there",
                where=f"{where}.{name}",
                found=name,
                next_step=f"did you mean {near[0]}?" if near else f"use one of {names}",
            )
    for fk in model.foreign_keys:
        if len(fk.columns) != len(fk.references_columns):
            raise DefinitionError(
                "a foreign key has another number of columns than what it refers to",
                where=where,
                expected=f"{len(fk.columns)} referenced columns",
                found=str(len(fk.references_columns)),
                next_step="name one referenced column for each column",
            )
    for col in model.columns:
        if col.key and col.nullable:
            raise DefinitionError(
                "a key column cannot be nullable",
                where=f"{where}.{col.name}",
                next_step="drop nullable=True or key=True",
            )
        if col.pii and not col.masked and col.pii not in model.cleared:
            raise DefinitionError(
                f"the column holds {col.pii.value} in clear and the dataset is not cleared for it",
                where=f"{where}.{col.name}",
                expected=f"cleared to include Pii.{col.pii.name}, or a masked column",
                found=f"cleared={sorted(p.value for p in model.cleared)}",
                next_step=f"add Pii.{col.pii.name} to cleared=, or mask the column (masked=True)",
            )
