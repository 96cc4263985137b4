"""`Contract`: a pandera.pyspark model that also says what a dataset promises."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, ClassVar

import pyspark.sql.types as T
from pandera.errors import SchemaInitError
from pandera.pyspark import DataFrameModel, Field

import penstock.schemas.pandera_types  # noqa: F401 - pandera is told of more types
from penstock.errors import DefinitionError
from penstock.schemas.column_type import data_type
from penstock.schemas.definition import (
    annotations_of,
    check_foreign_keys,
    check_keywords,
    check_model,
    check_reference,
    cleared_classes,
    columns_of,
    refuse_names,
)
from penstock.schemas.model import (
    ContractModel,
    ForeignKeyModel,
    Pii,
    Severity,
)
from penstock.schemas.predicates import CHECK_KEYWORDS
from penstock.schemas.rule import row_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import timedelta

__all__ = ["Contract", "Decimal", "ForeignKey", "column", "model_of", "struct_of"]

_MOST_DIGITS = 38
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
# Dagster takes these and no others
_OWNER = re.compile(
    r"team:[A-Za-z0-9_-]+|[A-Za-z0-9_][A-Za-z0-9._%+-]*@[A-Za-z0-9.-]+\.[A-Za-z]{2,7}"
)


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

    NULL passes every check. NaN breaks every bound (gt, ge, lt, le, in_range) and equals itself in
    eq, ne, isin and notin. `str_matches` asks that the text begins with the pattern, whichever of
    its alternatives, `str_contains` that it is anywhere in it; a pattern means what Python's `re`
    says under `re.ASCII`, and one that Java cannot say the same is refused.
    """
    facts = {"key": key, "pii": pii, "masked": masked, "unit": unit, "warn": warn}
    told: dict[str, Any] = {"nullable": bool(nullable), "description": str(description)}
    # told when the class is made, which knows the column's name
    problem = None
    if unknown := sorted(checks.keys() - CHECK_KEYWORDS):
        problem = f"no such check: {', '.join(unknown)}; there are {', '.join(CHECK_KEYWORDS)}"
    for fact, value, kind in (
        *(("key", key, bool), ("masked", masked, bool), ("nullable", nullable, bool)),
        *(("warn", warn, bool), ("description", description, str), ("unit", unit or "", str)),
    ):
        if not isinstance(value, kind):
            problem = f"{fact} is a {kind.__name__}, not {value!r}"
    if problem:
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

    `name` is that of the dataset, `version` three numbers, `owner` a team or an e-mail address.
    `freshness` is how old the data may be, `retention` how long it is kept, `clustering` the
    columns that compaction sorts by, `cleared` the classes of personal data it may hold in clear.
    `rules` are SQL predicates over the row by name; a row on which one is false, or fails (division
    by zero, overflow, a cast), is set aside. A subclass has its parent's columns, `foreign_keys`
    and `rules`, one of its own by the same name in its place; the other facts are each its own.

    >>> class Bookings(Contract, name="silver.bookings", version="1.0.0", owner="team:travel"):
    ...     '''One row per booking.'''
    ...     booking_id: str = column(key=True)
    ...     fare: Decimal(10, 2) = column(ge=0, unit="USD")
    >>> model_of(Bookings).key
    ('booking_id',)
    """

    _model: ClassVar[ContractModel]
    _types: ClassVar[dict[str, T.DataType]]
    _foreign_keys: ClassVar[tuple[ForeignKey, ...]]
    _rules: ClassVar[dict[str, str]]

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
                near = re.sub(r"[\s-]+", "_", str(value).lower()) if fact == "name" else ""
                raise DefinitionError(
                    f"{fact} is missing or malformed",
                    where=where,
                    expected=f"{fact} like {example}",
                    found=repr(value),
                    next_step=f'write class {cls.__name__}(Contract, {fact}="'
                    f'{near if _NAME.fullmatch(near) else "..."}", ...)',
                )
        if not str(vars(cls).get("__doc__") or "").strip():
            raise DefinitionError(
                "the contract has no docstring",
                where=where,
                next_step="say in a docstring what one row is; it becomes the description",
            )
        check_keywords(where, kwargs, freshness=freshness, retention=retention)
        annotations = annotations_of(cls, where)
        own = {field: data_type(where, field, note) for field, note in annotations.items()}
        refuse_names(where, cls, own)
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
        columns, checks = columns_of(where, schema, types)
        check_foreign_keys(where, foreign_keys, ForeignKey)
        own_rules = row_rules(where, {} if rules is None else rules, columns)
        inherited, others = _promises(cls)
        inherited = {name: sql for name, sql in inherited.items() if name not in (rules or {})}
        named = {fk.columns for fk in foreign_keys}
        keys = (*(fk for columns, fk in others.items() if columns not in named), *foreign_keys)
        model = ContractModel(
            name=name,
            version=version,
            owner=owner,
            description=inspect.cleandoc(cls.__doc__ or ""),
            columns=columns,
            checks=(*checks, *row_rules(where, inherited, columns), *own_rules),
            foreign_keys=tuple(
                ForeignKeyModel(
                    id=f"{','.join(fk.columns)}:foreign_key",
                    columns=fk.columns,
                    references=fk.references,
                    references_columns=fk.references_columns,
                    severity=Severity.WARN if fk.warn else Severity.ERROR,
                )
                for fk in keys
            ),
            freshness=freshness,
            retention=retention,
            clustering=_names(clustering),
            cleared=cleared_classes(where, cleared),
        )
        check_model(where, model, types)
        for key, fk in zip(model.foreign_keys, keys, strict=True):
            check_reference(where, model, key, fk.target)
        # last: a class that was refused lives on until it is collected, and has no model
        cls._model = model
        cls._foreign_keys = keys
        cls._rules = {**inherited, **(rules or {})}


def _inherited(contract: type) -> dict[str, T.DataType]:
    """The columns of the contracts it is a subclass of."""
    found: dict[str, T.DataType] = {}
    for base in reversed(contract.__mro__[1:]):
        found |= vars(base).get("_types", {})
    return found


def _promises(contract: type) -> tuple[dict[str, str], dict[tuple[str, ...], ForeignKey]]:
    """The rules of the contracts it is a subclass of, and their foreign keys by their columns."""
    rules: dict[str, str] = {}
    keys: dict[tuple[str, ...], ForeignKey] = {}
    for base in reversed(contract.__mro__[1:]):
        rules |= vars(base).get("_rules", {})
        keys |= {fk.columns: fk for fk in vars(base).get("_foreign_keys", ())}
    return rules, keys


def model_of(contract: type[Contract] | Any) -> ContractModel:
    """The contract as plain data. A function, because a column may be called `model`.

    Raises DefinitionError for what is no contract.
    """
    if not (isinstance(contract, type) and issubclass(contract, Contract)):
        made_by = getattr(contract, "contract", None)
        raise DefinitionError(
            "this is no contract",
            where=f"{getattr(contract, '__name__', None) or contract!r}"[:80],
            expected="a subclass of penstock.Contract",
            found=f"a {type(contract).__name__}",
            next_step=f"name the dataset by its contract, {made_by.__name__}"
            if isinstance(made_by, type)
            else "write class Bookings(Contract, name=..., version=..., owner=...)",
        )
    if "_model" not in vars(contract):
        raise DefinitionError(
            "this is the class that contracts are made from",
            where=contract.__name__,
            next_step="write class Bookings(Contract, name=..., version=..., owner=...)",
        )
    return contract._model  # noqa: SLF001 - the friend that reads it


def struct_of(contract: type[Contract]) -> T.StructType:
    """The Spark schema, every column nullable: what a table of this contract looks like."""
    return T.StructType([T.StructField(n, t, nullable=True) for n, t in contract._types.items()])  # noqa: SLF001


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
