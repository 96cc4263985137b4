"""What a contract's definition must be: each part taken from the class, or refused at import.

Every function raises DefinitionError with the class, the column and the mend.
"""

from __future__ import annotations

import difflib
import inspect
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pandera.pyspark import DataFrameModel

from penstock.errors import DefinitionError
from penstock.schemas.column_type import comparable
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

    import pyspark.sql.types as T

__all__ = [
    "annotations_of",
    "check_foreign_keys",
    "check_keywords",
    "check_model",
    "check_reference",
    "check_referred",
    "cleared_classes",
    "columns_of",
    "refuse_names",
]

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
_FORBIDDEN = re.compile(r"[ ,;{}()\n\t=]")
_WHOLE = ("tinyint", "smallint", "int", "bigint")


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
        if duration is not None and not (
            isinstance(duration, timedelta) and duration > timedelta()
        ):
            raise DefinitionError(
                f"{name} is no duration",
                where=where,
                expected="a datetime.timedelta of more than nothing",
                found=repr(duration),
                next_step=f"write {name}=timedelta(days=1)",
            )


def refuse_names(where: str, cls: type, types: Mapping[str, T.DataType]) -> None:
    """No column that pandera, Delta or Python would drop in silence, or take for something else."""
    for name in types:
        if hasattr(DataFrameModel, name):
            raise DefinitionError(
                "pandera keeps this name for itself",
                where=f"{where}.{name}",
                next_step=f"call the column something else, such as {name}_",
            )
        if name.startswith("_"):
            raise DefinitionError(
                "a column's name begins with an underscore",
                where=f"{where}.{name}",
                expected="a name that begins with a letter: pandera leaves such columns out, with "
                "their checks and personal-data classes, and Delta keeps some for itself",
                next_step=f"call the column {name.strip('_') or 'something else'}, and rename it "
                "in the function",
            )
        if found := _FORBIDDEN.search(name):
            raise DefinitionError(
                "a column's name holds a character that Delta does not take",
                where=f"{where}.{name}",
                found=repr(found[0]),
                next_step=f"call the column {_FORBIDDEN.sub('_', name)}",
            )
    for name, value in vars(cls).items():
        declared = getattr(value, "metadata", None)
        if isinstance(declared, dict) and "penstock" in declared and name not in types:
            raise DefinitionError(
                "a column has no type",
                where=f"{where}.{name}",
                expected="an annotation",
                next_step=f"write {name}: str = column(...)",
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
    told: tuple[Any, ...] = (
        tuple(classes) if isinstance(classes, list | tuple | set | frozenset) else (classes,)
    )
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


def check_foreign_keys(where: str, keys: object, kind: type) -> None:
    """`foreign_keys=` is a sequence of them."""
    wrong = (
        [keys] if not isinstance(keys, list | tuple) else [k for k in keys if type(k) is not kind]
    )
    if wrong:
        raise DefinitionError(
            "foreign_keys= holds something that is no foreign key",
            where=where,
            expected="a list of ForeignKey(...)",
            found=repr(wrong[0]) if isinstance(wrong[0], str) else type(wrong[0]).__name__,
            next_step="write foreign_keys=[ForeignKey('carrier', Carriers, 'code')]",
        )


def check_reference(
    where: str, source: ContractModel, fk: ForeignKeyModel, target: ContractModel | None
) -> None:
    """A foreign key of the contract `source` can be checked against the contract it refers to."""
    if fk.references == source.name:
        raise DefinitionError(
            "a foreign key refers to its own dataset, which is not written yet when it is checked",
            where=f"{where}.{fk.columns[0]}",
            expected="another dataset",
            found=fk.references,
            next_step="drop the foreign key, or keep the referenced rows in a dataset of their own",
        )
    if target is not None:
        check_referred(where, source, fk, {c.name: c.type for c in target.columns})


def check_referred(
    where: str, source: ContractModel, fk: ForeignKeyModel, target: Mapping[str, str]
) -> None:
    """Raise DefinitionError unless `target`, types by column, has what the key refers to."""
    for own, other in zip(fk.columns, fk.references_columns, strict=True):
        column, referred = source.column(own), target.get(other)
        if referred is None:
            near = difflib.get_close_matches(other, target, 1)
            raise DefinitionError(
                "a foreign key refers to a column that is not there",
                where=f"{where}.{own}",
                expected=f"columns of {fk.references}: {', '.join(target)}",
                found=other,
                next_step=f"did you mean {near[0]}?"
                if near
                else "name the referenced column: ForeignKey(columns, contract, its_columns)",
            )
        if column and _family(column.type) != _family(referred):
            raise DefinitionError(
                "a foreign key is of another type than what it refers to",
                where=f"{where}.{own}",
                expected=f"{referred}, as {fk.references}.{other}",
                found=column.type,
                next_step="give both the same type: Spark would cast, and '01' would equal 1",
            )


def _check_widths(where: str, model: ContractModel) -> None:
    """Each foreign key has columns, as many as what it refers to, and is the only one of them."""
    ids = [fk.id for fk in model.foreign_keys]
    for fk in model.foreign_keys:
        if not fk.columns:
            raise DefinitionError(
                "a foreign key has no columns",
                where=where,
                next_step="write ForeignKey('carrier', Carriers, 'code')",
            )
        if ids.count(fk.id) > 1:
            raise DefinitionError(
                "two foreign keys have the same columns, and would be counted as one",
                where=f"{where}.{fk.columns[0]}",
                next_step="keep one of them, or say the other as a column of its own",
            )
        if len(fk.columns) != len(fk.references_columns):
            raise DefinitionError(
                "a foreign key has another number of columns than what it refers to",
                where=where,
                expected=f"{len(fk.columns)} referenced columns",
                found=str(len(fk.references_columns)),
                next_step="name one referenced column for each column",
            )


def _family(kind: str) -> str:
    """Types whose values are equal without a cast that loses or guesses."""
    if kind.startswith("decimal"):
        return "decimal"
    return "whole" if kind in _WHOLE else kind


def check_model(where: str, model: ContractModel, types: Mapping[str, T.DataType]) -> None:
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
    for fact, name in [*(("key=", name) for name in model.key), *referred]:
        if not comparable(types[name]):
            raise DefinitionError(
                f"{fact} names a column whose values cannot be compared",
                where=f"{where}.{name}",
                expected="a type without maps and variants in it",
                found=types[name].simpleString(),
                next_step="use a column of another type, such as the map's text or a hash of it",
            )
    _check_widths(where, model)
    ids = [check.id for check in model.checks]
    for rule in model.checks:
        # `rule:ge` is the check of a column called rule and the row rule called ge
        if ids.count(rule.id) > 1:
            raise DefinitionError(
                "two rules have one name: their bad rows could not be told apart",
                where=where,
                found=rule.id,
                next_step="rename the row rule in rules=, or the column",
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
