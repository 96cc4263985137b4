"""Step 3, gate: before any data moves.

The frame is held against the contract, the contract against the live table, and the classes of
personal data that column lineage says would arrive against those the dataset is cleared for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from penstock.assets.frames import table_rows
from penstock.assets.inputs.changes import Changes
from penstock.assets.inputs.snapshot import Snapshot
from penstock.assets.modes import Overwrite, ReplaceSlice, Warn
from penstock.errors import DefinitionError, GateError
from penstock.lineage.column_lineage import ColumnLineage, Influence, Origin
from penstock.schemas.evolution import columns_difference
from penstock.schemas.mismatch import mismatches
from penstock.schemas.model import ColumnModel, ContractModel, Pii
from penstock.schemas.predicates import quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.resolve import Resolved
    from penstock.resources.table_log import TableLog

__all__ = [
    "check_frame",
    "check_key",
    "check_leaks",
    "check_required",
    "check_table",
    "refuse_other",
]

ContractOf = Callable[[str], ContractModel | None]


def refuse_other(spec: Dataset, made: object) -> None:
    """Raise DefinitionError when what the function returned is no DataFrame of Spark's."""
    if not isinstance(made, DataFrame):
        name = "None" if made is None else f"{type(made).__module__}.{type(made).__qualname__}"
        raise DefinitionError(
            "the function returns no DataFrame",
            where=f"dataset {spec.name}, {spec.source[0]}:{spec.source[1]}",
            expected="pyspark.sql.DataFrame",
            found=name,
            next_step="end the function in `return` and the DataFrame; Penstock writes it",
        )


def check_frame(spec: Dataset, frame: DataFrame) -> DataFrame:
    """The frame with its columns in the contract's order. Raises GateError when it differs.

    Delta would cast 1.9 to 1, '7' to 7, and fill a missing column with NULL, all in silence; so
    names and types must be the contract's exactly.
    """
    where = f"{spec.name} {spec.model.version}"
    names = Counter(frame.columns)
    twice = sorted(name for name, count in names.items() if count > 1)
    if twice:
        raise GateError(
            "the function returns a column twice",
            where=where,
            found=", ".join(twice),
            next_step="select or rename so that each name is there once",
        )
    found = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    expected = {c.name: c.type for c in spec.returned.columns}
    if problems := mismatches(expected, found):
        raise GateError(
            "the function's result is not what the contract says",
            where=where,
            expected=", ".join(f"{name} {kind}" for name, kind in expected.items()),
            found="; ".join(problems),
            next_step="cast, rename or add the columns in the function, or change the contract",
        )
    ordered = frame.select(*(F.col(quoted(name)) for name in expected))
    _check_rules(spec, ordered, where)
    return ordered


def _check_rules(spec: Dataset, frame: DataFrame, where: str) -> None:
    """Raise GateError for a rule that Spark cannot compute on the frame; it is the user's SQL."""
    ours = [check for check in spec.model.checks if not check.column]
    broken = [check.id for check in ours if not _fits(frame, check.sql)]
    if broken:
        raise GateError(
            "rules cannot be computed on the row's columns",
            where=where,
            expected=f"Spark SQL predicates over {', '.join(frame.columns)}",
            found=", ".join(broken),
            next_step="correct them in rules={...} of the contract",
        )


def _fits(frame: DataFrame, predicate: str) -> bool:
    try:
        # asking for the schema has a Connect frame analysed too
        return bool(frame.where(F.expr(predicate)).schema)
    except AnalysisException:
        return False


def check_table(spec: Dataset, state: TableLog | None) -> bool:
    """Whether the live table must gain columns. Raises GateError when it would have to change."""
    if state is None:
        return False
    live = {column.name: column.type for column in state.columns()}
    wanted = {column.name: column.type for column in spec.model.columns}
    required = [column.name for column in spec.model.columns if not column.nullable]
    changes = columns_difference(live, wanted, required)
    if broken := [change for change in changes if change.meaning.refused]:
        raise GateError(
            "the contract would change the live table in a way that breaks it",
            where=f"{spec.name} {spec.model.version}, table at version {state.version}",
            expected="the table's columns, or more columns that are nullable",
            found="; ".join(str(change) for change in broken),
            next_step="follow the advice after each column, then run again",
        )
    return bool(changes)


def check_required(resolved: Resolved, spark: SparkSession) -> None:
    """Raise GateError when rows that stay have NULL in a column that the contract now requires.

    One Spark job, and only for the first run after a change of the contract, or after a run that
    kept bad rows: what others wrote under the same contract has been checked, and what `Overwrite`
    replaces does not stay.
    """
    spec, state = resolved.spec, resolved.state
    if state is None or isinstance(spec.write, Overwrite) or isinstance(spec.bad_rows, Warn):
        return
    last = _last_run(state)
    same = last and last["contract"]["fingerprint"] == spec.model.fingerprint()
    if last and same and not last.get("keeps_bad_rows"):
        return
    live = {column.name for column in state.columns()}
    required = [c.name for c in spec.model.columns if not c.nullable and c.name in live]
    rows = table_rows(resolved, spark)
    if isinstance(spec.write, ReplaceSlice):
        rows = rows.where(F.expr(f"NOT coalesce({resolved.in_slice}, false)"))
    missing = [F.count_if(F.col(quoted(name)).isNull()) for name in required]
    counts = rows.agg(*missing).collect()[0] if missing else ()
    if found := [f"{name}: {n:,}" for name, n in zip(required, counts, strict=True) if n]:
        raise GateError(
            "the contract requires a column in which rows of the table have none",
            where=f"{spec.name} {spec.model.version}, table at version {state.version}",
            expected="a value in every row that this run leaves in the table",
            found=f"rows with NULL: {', '.join(found)}",
            next_step="fill them first, while the contract lets them be NULL, and require the "
            "column then"
            + ("; or run the slices that hold them in one range" if spec.partitions else ""),
        )


def _last_run(state: TableLog) -> Mapping[str, Any] | None:
    """What the newest commit in force of a run says, None where none is in the log."""
    return next((commit.facts for commit in state.commits_in_force() if commit.by_run), None)


def check_key(resolved: Resolved, spark: SparkSession) -> None:
    """Raise GateError when rows that stay have the same key, which the contract now tells apart by.

    A merge would change each of them, or none. One Spark job, and only for the first run after the
    key or the write mode became another: a key that only gained columns tells the same rows apart.
    """
    spec, state = resolved.spec, resolved.state
    if state is None or isinstance(spec.write, Overwrite) or not spec.kept_key:
        return
    last = _last_run(state) or {}
    # commits of before it was said name the key of a merge alone
    before = set(last.get("kept_key") or last.get("row_key") or ())
    if before and before <= set(spec.kept_key):
        return
    live = {column.name for column in state.columns()}
    key = [F.col(quoted(name)) for name in spec.kept_key if name in live]
    if not key:
        return
    rows = table_rows(resolved, spark)
    doubled = rows.groupBy(*key).agg(F.count("*").alias("n")).where("n > 1")
    (keys, several) = doubled.agg(F.count("*"), F.coalesce(F.sum("n"), F.lit(0))).collect()[0]
    if keys:
        raise GateError(
            "the contract has a key by which rows of the table are the same",
            where=f"{spec.name} {spec.model.version}, table at version {state.version}",
            expected=f"one row in the table for each {', '.join(spec.kept_key)}",
            found=f"{keys:,} keys in {several:,} rows",
            next_step="make the dataset anew of its whole input in a new table; or take out the "
            "rows that are too many, then run again",
        )


def check_leaks(spec: Dataset, lineage: ColumnLineage, contract_of: ContractOf) -> None:
    """Raise GateError when personal data would reach a column in clear that is not cleared for it.

    A column of the dataset's own contract that carries the class is checked when the contract is
    defined; here the data's real way counts: a class travels along direct, unmasked lineage. A
    column whose way is not known counts as made of all personal data of the inputs, unless the
    contract says that it is masked.

    Where the dataset is cleared, the column must say what it holds: who reads it is asked for no
    more than that.
    """
    inputs = _contracts(spec, lineage, contract_of)
    unfollowed = "unmasked on a way that cannot be followed, perhaps from"
    doubtful = {doubt.column for doubt in lineage.unknown if doubt.column is not None}
    for column, origins in lineage.fields.items():
        method = spec.masking.method(column) if spec.masking else None
        declared = spec.model.column(column)
        made_of = [
            (field.pii, f"unmasked from {dataset}.{name}", True)
            for dataset, name in _direct(origins)
            for source in inputs.get(dataset, ())
            if (field := source.column(name)) and _open(field)
        ]
        if column in doubtful and not (declared and declared.masked):
            made_of += [
                (
                    field.pii,
                    f"{unfollowed} {dataset}.{field.name}",
                    False,
                )
                for dataset, sources in inputs.items()
                for source in sources
                for field in source.columns
                if _open(field)
            ]
        for pii, source_column, known in made_of:
            assert pii is not None
            if method is not None and pii in method.adequate:
                continue
            if pii not in spec.model.cleared:
                raise _leak(spec, column, pii, source_column)
            if declared and not _tells(declared, pii if known else None):
                raise _untold(spec, declared, pii, source_column)


def _tells(column: ColumnModel, pii: Pii | None) -> bool:
    """Whether the column says that it holds personal data in clear, of this class or of any."""
    return _open(column) and (pii is None or column.pii in (pii, Pii.FREE_TEXT))


def _contracts(
    spec: Dataset, lineage: ColumnLineage, contract_of: ContractOf
) -> dict[str, list[ContractModel]]:
    """The contracts of what the dataset reads: what it declares, and what the plan shows.

    Of a table that others write there may be its maker's and its reader's: both hold.
    """
    names = {i.dataset for i in spec.inputs.values() if isinstance(i, Snapshot | Changes)}
    declared = spec.contracts_of_others
    return {
        name: [c for c in (declared.get(name), contract_of(name)) if c]
        for name in sorted({*names, *declared, *lineage.inputs()})
    }


def _direct(origins: Iterable[Origin]) -> Iterator[tuple[str, str]]:
    """(dataset, column) of the origins whose values arrive as they are."""
    for origin in origins:
        if origin.type is Influence.DIRECT and not origin.masking:
            yield origin.dataset, origin.column.partition(".")[0]


def _open(column: ColumnModel) -> bool:
    return column.pii is not None and not column.masked


def _leak(spec: Dataset, column: str, pii: Pii, source: str) -> GateError:
    return GateError(
        f"{pii.value} would be written in clear to a dataset that is not cleared for it",
        where=f"{spec.name}.{column}",
        expected=f"a masked value, or Pii.{pii.name} in cleared= of the contract",
        found=f"comes {source}",
        next_step=f"drop or mask the column, or clear {spec.name} for Pii.{pii.name}",
    )


def _untold(spec: Dataset, column: ColumnModel, pii: Pii, source: str) -> GateError:
    says = "no class" if column.pii is None else f"Pii.{column.pii.name}"
    return GateError(
        f"{pii.value} would be written in clear to a column that does not say so",
        where=f"{spec.name}.{column.name}",
        expected=f"column(pii=Pii.{pii.name}), Pii.FREE_TEXT of several classes, or a masked value",
        found=f"comes {source}; the column says {says}{', masked' if column.masked else ''}",
        next_step="say the class in the contract: who reads the column needs a clearance, and it "
        "gets no statistics in the table's log; or drop or mask it",
    )
