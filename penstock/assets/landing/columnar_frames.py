"""Parquet and ORC files as records: their columns held against the contract's, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException, ArithmeticException

from penstock.assets.landing.fit import Fit, Misfit, Readings, fit
from penstock.assets.landing.formats import Orc
from penstock.assets.landing.json_value import MICROS
from penstock.assets.landing.names import check_names
from penstock.assets.landing.records import (
    NO_REST,
    Records,
    Sent,
    columns_sent,
    placed,
    reasons_sql,
)
from penstock.assets.raised import NO_CLIENT, conditions
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyspark.sql.types as T
    from pyspark.sql import SparkSession

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.assets.landing.columnar_look import ColumnarLook
    from penstock.schemas.model import ColumnModel, ContractModel

__all__ = ["read_columns", "types_of", "wanted_types"]

_SENT = "_sent"


def read_columns(
    spark: SparkSession,
    item: PinnedFiles,
    contract: ContractModel,
    look: ColumnarLook,
    first: str,
    uris: list[str],
) -> Records:
    """The records of files of one look, of which `first` is one.

    Raises InputError for columns that are not the contract's, or of types that cannot be.
    """
    where = f"{first} for {contract.name} {contract.version}"
    try:
        rows = spark.read.format(item.landing.format.kind).load(uris)
        _ = rows.schema  # over Connect nothing is looked at before
    except (AnalysisException, ArithmeticException) as error:
        if NO_CLIENT & {*conditions(error)}:
            raise
        raise InputError(
            "the file has columns that Spark does not read",
            where=where,
            expected="columns of types that the contract can have, each with a name of its own",
            found=", ".join(conditions(error)) or type(error).__name__,
            next_step="have the sender write other types, times as timestamps or text; nothing of "
            "the file was loaded",
        ) from error
    check_names(item, contract, [*map(item.landing.column_of, rows.columns)], where)
    fits = _fits(item, look, rows.schema, wanted_types(spark, item.landing, contract), where)
    # by the contract's names, for by them it is known whose values are personal data
    names = rows.columns
    fields = (f"{literal(item.landing.column_of(name))}, {quoted(name)}" for name in names)
    whole = f"named_struct({', '.join(fields)}) AS {_SENT}"
    rows = rows.selectExpr(whole, *placed())
    rows = rows.selectExpr("*", *(f"{made.value} AS {quoted(n)}" for n, made in fits.items()))
    tests = {f"{n}:type": f"NOT {made.exact}" for n, made in fits.items() if made.exact}
    is_bad, reasons = reasons_sql({}, tests)
    text = f"to_json({_SENT}, map('ignoreNullFields', 'false', {MICROS}))"
    more = sorted(name for name in map(item.landing.column_of, names) if name not in fits)
    rest = ", ".join(f"{literal(name)}, {_SENT}.{quoted(name)}" for name in more)
    return Records(
        rows=rows,
        is_bad=is_bad,
        reasons=reasons,
        text=text,
        # NULLs are left out
        rest=f"nullif(to_json(named_struct({rest}), map({MICROS})), '{{}}')" if more else NO_REST,
    )


def wanted_types(spark: SparkSession, sent: Sent, contract: ContractModel) -> dict[str, T.DataType]:
    """The types of the contract's columns that records hold. Asks Spark, which runs nothing."""
    return types_of(spark, columns_sent(sent, contract))


def types_of(spark: SparkSession, columns: Sequence[ColumnModel]) -> dict[str, T.DataType]:
    """The types of columns of a contract, by name. Asks Spark, which runs nothing."""
    if not columns:
        return {}
    schema = spark.createDataFrame(
        [], ", ".join(f"{quoted(column.name)} {column.type}" for column in columns)
    ).schema
    return {field.name: field.dataType for field in schema.fields}


def _fits(
    item: PinnedFiles,
    look: ColumnarLook,
    sent: T.StructType,
    wanted: dict[str, T.DataType],
    where: str,
) -> dict[str, Fit]:
    fits, misfits = {}, []
    for name, kind in wanted.items():
        readings = Readings(
            extra=item.landing.extra_columns,
            dates=item.landing.dates(name),
            nanos=look.nanos,
            local=look.local,
            empty=look.empty,
            # writers of ORC that do not say which calendar they count by are read as Julian
            one_calendar=not isinstance(item.landing.format, Orc),
        )
        sent_name = item.landing.sent_as(name)
        if sent_name not in sent.names:
            fits[name] = Fit(value=f"CAST(NULL AS {kind.simpleString()})")
            continue
        try:
            fits[name] = fit(
                f"{_SENT}.{quoted(name)}", sent[sent_name].dataType, kind, sent_name, readings
            )
        except Misfit as misfit:
            misfits.append(misfit)
    if misfits:
        raise InputError(
            "the file has columns of other types than the contract",
            where=where,
            expected=", ".join(f"{m.path} {m.wanted}" for m in misfits),
            found=", ".join(f"{m.path} {m.sent}" for m in misfits),
            next_step="have the sender write the contract's types, or change the contract; "
            "nothing of the file was loaded",
        )
    return fits
