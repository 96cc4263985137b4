"""Rows of an external table: its columns held against the contract's, and each row to its rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from penstock.assets.inputs.kind import Arrived
from penstock.assets.inputs.tables import loaded
from penstock.assets.landing.columnar_frames import types_of
from penstock.assets.landing.fit import Fit, Misfit, Readings, fit
from penstock.assets.landing.json_value import MICROS
from penstock.assets.landing.names import folded
from penstock.assets.landing.records import reasons_sql
from penstock.assets.raised import conditions
from penstock.assets.row_filters import only, raise_unless
from penstock.errors import InputError
from penstock.schemas.predicates import literal, quoted

if TYPE_CHECKING:
    import pyspark.sql.types as T
    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.inputs.external import External, PinnedExternal

__all__ = ["location_in_catalog", "read_external"]

_SENT = "_sent"
_PARTS = re.compile("struct|array|map|variant")


def read_external(spark: SparkSession, item: PinnedExternal, *, strict: bool) -> Arrived:
    """The table at its pinned version, cut to the slice: rows that keep its contract, and others.

    Raises InputError for columns that are not there, or of types that cannot be the contract's.
    """
    external = item.external
    where = f"{item.dataset} at {external.place}, version {item.version}"
    rows = loaded(spark.read.option("versionAsOf", item.version), item)
    wanted = types_of(spark, external.model.columns)
    _check_names(list(wanted), rows.columns, where)
    fits = _fits(external, rows.schema, wanted, where)
    for by in external.cut_by:
        rows = _cut(rows, item, by, fits[by], where)
    # one column of all of them: a value is told from the one that was made of it
    sent = ", ".join(f"{literal(name)}, {quoted(name)}" for name in wanted)
    rows = rows.selectExpr(f"named_struct({sent}) AS {_SENT}")
    rows = rows.selectExpr("*", *(f"{made.value} AS {quoted(n)}" for n, made in fits.items()))
    _check_rules(external, rows, where)
    unread = {external.type_rule(n): f"NOT {made.exact}" for n, made in fits.items() if made.exact}
    broken = {rule: f"NOT coalesce({sql}, true)" for rule, sql in external.rules().items()}
    names = [F.col(quoted(name)) for name in wanted]
    if not unread and not broken:
        return Arrived(good=rows.select(*names))
    is_bad, reasons = reasons_sql(unread, broken)
    keep = raise_unless if strict else only
    # what of it is personal data stays where it is: the dataset may not be cleared for it. So do
    # parts of a value that nobody asked for, of which nobody said what they are
    shown = [c for c in external.model.columns if c.pii is None or c.masked]
    values = (
        quoted(c.name) if _PARTS.match(c.type) else f"{_SENT}.{quoted(c.name)}" for c in shown
    )
    row = ", ".join(f"{literal(c.name)}, {v}" for c, v in zip(shown, values, strict=True))
    row = (
        f"to_json(named_struct({row}), map('ignoreNullFields', 'false', {MICROS}))"
        if shown
        else "'{}'"
    )
    return Arrived(
        good=keep(rows, f"NOT ({is_bad})").select(*names),
        rejected=only(rows, is_bad).selectExpr(
            f"{reasons} AS reasons", f"{row} AS row", f"{literal(item.dataset)} AS file"
        ),
    )


def _check_names(wanted: list[str], there: list[str], where: str) -> None:
    """Raise InputError when a column of the contract is not in the table, letter by letter."""
    missing = [name for name in wanted if name not in there]
    if not missing:
        return
    alike = {folded(name): name for name in there}
    found = [
        f"{name} is written {alike[folded(name)]}" if folded(name) in alike else f"missing {name}"
        for name in missing
    ]
    raise InputError(
        "the table lacks columns of its contract",
        where=where,
        expected=", ".join(wanted),
        found=", ".join(found),
        next_step="correct the contract, or ask the table's owner what became of the column; "
        "nothing was read",
    )


def _fits(
    external: External, there: T.StructType, wanted: dict[str, T.DataType], where: str
) -> dict[str, Fit]:
    fits, misfits = {}, []
    readings = Readings(extra=True, dates=external.dates)
    for name, kind in wanted.items():
        try:
            fits[name] = fit(f"{_SENT}.{quoted(name)}", there[name].dataType, kind, name, readings)
        except Misfit as misfit:
            misfits.append(misfit)
    if misfits:
        raise InputError(
            "the table has columns of other types than its contract",
            where=where,
            expected=", ".join(f"{m.path} {m.wanted}" for m in misfits),
            found=", ".join(f"{m.path} {m.sent}" for m in misfits),
            next_step="write the table's types into the contract, and cast in the function; "
            "nothing was read",
        )
    return fits


def _check_rules(external: External, rows: DataFrame, where: str) -> None:
    """Raise InputError for a rule that Spark cannot compute; it is the user's SQL."""
    for rule, sql in external.rules().items():
        try:
            _ = rows.where(F.expr(sql)).schema
        except AnalysisException as error:
            raise InputError(
                "a rule of the table's contract cannot be computed on its columns",
                where=f"{where}, {rule}",
                expected="a Spark SQL predicate over "
                + ", ".join(column.name for column in external.model.columns),
                found=", ".join(conditions(error)) or type(error).__name__,
                next_step="correct it in rules={...} of the contract",
            ) from error


def _cut(rows: DataFrame, item: PinnedExternal, name: str, made: Fit, where: str) -> DataFrame:
    """The rows of the slice. Raises InputError where some are of none; a Spark job looks."""
    column = item.external.model.column(name)
    assert column is not None
    kind = rows.schema[name].dataType.simpleString()
    if made.exact is not None or kind != column.type:
        raise InputError(
            "the column to slice by is of another type in the table",
            where=f"{where}, {name}",
            expected=column.type,
            found=kind,
            next_step="write the table's type into the contract, or read the table whole",
        )
    if rows.where(F.expr(f"{quoted(name)} IS NULL")).limit(1).count():  # statistics spare files
        raise InputError(
            "rows are of no slice, and no run would read them",
            where=f"{where}, {name}",
            expected="a value in each row",
            found="rows without",
            next_step="have the table's owner fill the column, or read the table whole",
        )
    return rows.where(F.expr(item.slice.predicate(name, column.type)))


def location_in_catalog(spark: SparkSession, name: str, where: str) -> str:
    """The location, a path or `s3://…`, of the Delta table that the session's catalog calls so.

    Raises InputError for a name that is not there, or is no Delta table.
    """
    parts = ".".join(quoted(part) for part in name.split("."))
    try:
        detail = spark.sql(f"DESCRIBE DETAIL {parts}").select("format", "location").collect()[0]
    except AnalysisException as error:
        raise InputError(
            "the session's catalog has no such table",
            where=f"{where}, {name}",
            expected="a Delta table, no view",
            found=", ".join(conditions(error)) or type(error).__name__,
            next_step="correct catalog=, or configure the catalog in the cluster's Spark settings",
        ) from error
    if detail["format"] != "delta":
        raise InputError(
            "the catalog's table is no Delta table",
            where=f"{where}, {name}",
            expected="delta",
            found=str(detail["format"]),
            next_step="read its files with landing(...), or have its owner convert it",
        )
    location = str(detail["location"])
    if location.startswith("file:"):  # Hadoop's way to say it, in which nothing is encoded
        return "/" + location.removeprefix("file:").lstrip("/")
    return location.replace("s3a://", "s3://", 1)
