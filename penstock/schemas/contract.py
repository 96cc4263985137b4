"""`Contract`: a pandera.pyspark model that also says what a dataset promises."""

from __future__ import annotations

import difflib
import inspect
import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pyspark.sql.types as T
from pandera.errors import SchemaInitError
from pandera.pyspark import DataFrameModel, Field

from penstock.errors import DefinitionError
from penstock.schemas.model import (
    CheckModel,
    ColumnModel,
    ContractModel,
    ForeignKeyModel,
    Pii,
    Severity,
)
from penstock.schemas.predicates import CHECK_KEYWORDS, UncompilableCheckError, compile_check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Contract", "Decimal", "ForeignKey", "column", "model_of", "struct_of"]

PYTHON_TYPES: dict[Any, T.DataType] = {
    str: T.StringType(),
    int: T.LongType(),
    float: T.DoubleType(),
    bool: T.BooleanType(),
    bytes: T.BinaryType(),
    date: T.DateType(),
    datetime: T.TimestampType(),
}
_MOST_DIGITS = 38
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
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_VERSION = re.compile(r"\d+\.\d+\.\d+")
_OWNER = re.compile(r"team:[\w-]+|[^@\s]+@[^@\s]+\.[^@\s]+")


def Decimal(precision: int, scale: int) -> T.DecimalType:  # noqa: N802 - reads as a type
    """The exact numeric type of `precision` digits, `scale` of them after the point."""
    if not 0 <= scale <= precision or not 1 <= precision <= _MOST_DIGITS:
        raise DefinitionError(
            "no such decimal type",
            where=f"Decimal({precision}, {scale})",
            expected=f"1 to {_MOST_DIGITS} digits, and no more of them after the point",
            next_step="write Decimal(10, 2) for amounts up to 99999999.99",
        )
    return T.DecimalType(precision, scale)


def column(
    *,
    key: bool = False,
    pii: Pii | None = None,
    masked: bool = False,
    nullable: bool = False,
    description: str = "",
    unit: str | None = None,
    warn: bool = False,
    **checks: Any,
) -> Any:
    """One column of a contract.

    `key` columns together identify a row. `pii` says which personal data the column holds,
    `masked` that its values are masked. `unit` is the unit of measure. `checks` are pandera's:
    eq, ne, gt, ge, lt, le, in_range, isin, notin, str_matches, str_contains, str_startswith,
    str_endswith, str_length. With `warn` the checks only count rows, they set none aside.
    """
    facts = {"key": key, "pii": pii, "masked": masked, "unit": unit, "warn": warn}
    told: dict[str, Any] = {"nullable": nullable, "description": description}
    if unknown := sorted(checks.keys() - CHECK_KEYWORDS):
        # told when the class is made, which knows the column's name
        problem = f"no such check: {', '.join(unknown)}; there are {', '.join(CHECK_KEYWORDS)}"
        return Field(metadata={"penstock": {**facts, "problem": problem}}, **told)
    try:
        return Field(metadata={"penstock": facts}, **told, **checks)
    except (SchemaInitError, TypeError, ValueError, re.error) as error:
        return Field(metadata={"penstock": {**facts, "problem": str(error)}}, **told)


class ForeignKey:
    """Values of `columns` must exist in `references_columns` of the input bound to `references`.

    `references` is a contract or a dataset name. NULL in any column refers to nothing and passes.
    """

    def __init__(
        self,
        columns: str | Sequence[str],
        references: type[Contract] | str,
        references_columns: str | Sequence[str] | None = None,
        *,
        warn: bool = False,
    ) -> None:
        self.columns = _names(columns)
        self.target = None if isinstance(references, str) else model_of(references)
        self.references = self.target.name if self.target else str(references)
        self.references_columns = (
            self.columns if references_columns is None else _names(references_columns)
        )
        self.warn = warn


class Contract(DataFrameModel):  # type: ignore[type-arg]
    """What a dataset promises: its columns, and who answers for it.

    Subclass it with the dataset's facts as class keywords; the docstring is the description.
    A contract that is defined wrongly raises DefinitionError when its module is imported.

    >>> class Bookings(Contract, name="silver.bookings", version="1.0.0", owner="team:travel"):
    ...     '''One row per booking.'''
    ...     booking_id: str = column(key=True)
    ...     fare: Decimal(10, 2) = column(ge=0, unit="USD")
    >>> model_of(Bookings).key
    ('booking_id',)
    """

    _model: ClassVar[ContractModel]
    _types: ClassVar[dict[str, T.DataType]]

    def __init_subclass__(  # noqa: PLR0913 - one keyword for each fact of a dataset
        cls,
        *,
        name: str = "",
        version: str = "",
        owner: str = "",
        freshness: timedelta | None = None,
        retention: timedelta | None = None,
        clustering: Sequence[str] = (),
        cleared: Iterable[Pii] = (),
        foreign_keys: Sequence[ForeignKey] = (),
        rules: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        where = f"contract {cls.__name__}"
        for fact, value, pattern, example in (
            ("name", name, _NAME, "silver.bookings"),
            ("version", version, _VERSION, "1.0.0"),
            ("owner", owner, _OWNER, "team:travel or someone@example.com"),
        ):
            if not pattern.fullmatch(str(value)):
                raise DefinitionError(
                    f"{fact} is missing or malformed",
                    where=where,
                    expected=f"{fact} like {example}",
                    found=repr(value),
                    next_step=f'write class {cls.__name__}(Contract, {fact}="...", ...)',
                )
        if not str(vars(cls).get("__doc__") or "").strip():
            raise DefinitionError(
                "the contract has no docstring",
                where=where,
                next_step="say in a docstring what one row is; it becomes the description",
            )
        _check_keywords(where, kwargs, freshness=freshness, retention=retention)
        annotations = _annotations(cls, where)
        own = {field: _data_type(where, field, note) for field, note in annotations.items()}
        _refuse_reserved(where, own)
        types = {**_inherited(cls), **own}
        cls._types = types
        cls.__annotations__ = dict(own)
        try:
            super().__init_subclass__()  # type: ignore[no-untyped-call]
            schema = cls.to_schema()
        except (SchemaInitError, TypeError, AttributeError, ValueError) as error:
            raise DefinitionError(
                f"pandera refuses the model: {error}",
                where=where,
                next_step="see the pandera.pyspark documentation of DataFrameModel",
            ) from error
        if schema.checks or schema.unique:
            raise DefinitionError(
                "dataframe-wide pandera checks cannot be compiled",
                where=where,
                next_step="use column(key=True), foreign_keys= or rules={'name': 'SQL predicate'}",
            )
        columns, checks = _columns(where, schema, types)
        model = ContractModel(
            name=name,
            version=version,
            owner=owner,
            description=inspect.cleandoc(cls.__doc__ or ""),
            columns=columns,
            checks=(*checks, *_row_rules(where, rules or {})),
            foreign_keys=tuple(
                ForeignKeyModel(
                    id=f"{','.join(fk.columns)}:foreign_key",
                    columns=fk.columns,
                    references=fk.references,
                    references_columns=fk.references_columns,
                    severity=Severity.WARN if fk.warn else Severity.ERROR,
                )
                for fk in foreign_keys
            ),
            freshness=freshness,
            retention=retention,
            clustering=_names(clustering),
            cleared=_cleared(where, cleared),
        )
        _check_model(where, model)
        for fk in foreign_keys:
            _check_reference(where, model, fk)
        # last: a class that was refused lives on until it is collected, and has no model
        cls._model = model


def _check_keywords(where: str, unknown: Mapping[str, Any], **durations: object) -> None:
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


def _inherited(contract: type) -> dict[str, T.DataType]:
    """The columns of the contracts it is a subclass of."""
    found: dict[str, T.DataType] = {}
    for base in reversed(contract.__mro__[1:]):
        found |= vars(base).get("_types", {})
    return found


def model_of(contract: type[Contract]) -> ContractModel:
    """The contract as plain data. A function, because a column may be called `model`."""
    return contract._model  # noqa: SLF001 - the friend that reads it


def struct_of(contract: type[Contract]) -> T.StructType:
    """The Spark schema, every column nullable: what a table of this contract looks like."""
    return T.StructType([T.StructField(n, t, nullable=True) for n, t in contract._types.items()])  # noqa: SLF001


def _refuse_reserved(where: str, types: Mapping[str, T.DataType]) -> None:
    for name in types:
        if hasattr(DataFrameModel, name):
            raise DefinitionError(
                "pandera keeps this name for itself",
                where=f"{where}.{name}",
                next_step=f"call the column something else, such as {name}_",
            )


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def _annotations(cls: type, where: str) -> dict[str, Any]:
    try:
        return inspect.get_annotations(cls, eval_str=True)
    except (NameError, TypeError, SyntaxError) as error:
        raise DefinitionError(
            f"a column's type cannot be resolved: {error}",
            where=where,
            next_step="import the type at the top of the module, or drop the string annotation",
        ) from error


def _data_type(where: str, field: str, note: Any) -> T.DataType:
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


def _columns(
    where: str, schema: Any, types: Mapping[str, T.DataType]
) -> tuple[tuple[ColumnModel, ...], list[CheckModel]]:
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


def _cleared(where: str, classes: Iterable[Pii]) -> frozenset[Pii]:
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


def _check_reference(where: str, model: ContractModel, fk: ForeignKey) -> None:
    """Raise DefinitionError for a foreign key that could never be checked."""
    if fk.references == model.name:
        raise DefinitionError(
            "a foreign key refers to its own dataset, which is not written yet when it is checked",
            where=f"{where}.{fk.columns[0]}",
            expected="another dataset",
            found=fk.references,
            next_step="drop the foreign key, or keep the referenced rows in a dataset of their own",
        )
    if fk.target is None:
        return
    names = [column.name for column in fk.target.columns]
    for name in fk.references_columns:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise DefinitionError(
                "a foreign key refers to a column that is not there",
                where=f"{where}.{fk.columns[0]}",
                expected=f"columns of {fk.references}: {', '.join(names)}",
                found=name,
                next_step=f"did you mean {near[0]}?"
                if near
                else "name the referenced column: ForeignKey(columns, contract, its_columns)",
            )


def _row_rules(where: str, rules: Mapping[str, str]) -> list[CheckModel]:
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


def _check_model(where: str, model: ContractModel) -> None:
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
