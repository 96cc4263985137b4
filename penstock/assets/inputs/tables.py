"""What the kinds of input that are Delta tables share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from penstock.errors import DefinitionError, InputError
from penstock.schemas.contract import model_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, DataFrameReader

    from penstock.assets.inputs.changes import PinnedChanges
    from penstock.assets.inputs.external import PinnedExternal
    from penstock.assets.inputs.snapshot import PinnedTable
    from penstock.assets.past import Past
    from penstock.ledger.past.log_index import LogIndex
    from penstock.resources.lake import Lake, Table
    from penstock.schemas.contract import Contract

__all__ = ["dataset_name", "loaded", "opened", "refuse_replaced"]


def dataset_name(dataset: str | type[Contract]) -> str:
    """The name of a contract, or the name given. Raises DefinitionError for what is none."""
    if not isinstance(dataset, str):
        return model_of(dataset).name
    if not re.fullmatch(r"\w+(\.\w+)+", dataset):
        raise DefinitionError(
            "this is not the name of a dataset",
            where=f"input {dataset!r}",
            expected="a contract, or a name like silver.bookings",
            next_step="write its contract, or landing(...) for files",
        )
    return dataset


def opened(name: str, dataset: str, lake: Lake, logs: LogIndex) -> tuple[Table, Past]:
    """The table and what is known of its past. Raises InputError when it was never written."""
    from penstock.assets.past import Past  # with the ledger, which a definition does not need

    table = lake.table(dataset)
    past = Past.of(table, logs)
    if past is None:
        raise InputError(
            f"input {name} has never been written",
            where=dataset,
            expected=f"a Delta table at {table.path}",
            next_step=f"materialize {dataset} first: penstock run {dataset}",
        )
    return table, past


def loaded(
    reader: DataFrameReader, item: PinnedTable | PinnedChanges | PinnedExternal
) -> DataFrame:
    """What is pinned, and of the table that was pinned: another one may lie there by now.

    What is made anew after this and before Spark reads is not seen here.
    """
    try:
        frame = reader.format("delta").load(item.table.path)
        _ = frame.schema  # over Connect nothing is looked at before
        return frame
    finally:  # a version that is not there is told as what it is, too
        refuse_replaced(item)


def refuse_replaced(item: PinnedTable | PinnedChanges | PinnedExternal) -> None:
    """Raise InputError when the table that lies there is not the one that was pinned.

    One that is deleted and written again has versions of the same numbers, with other rows.
    """
    # one that is replaced in place keeps its old commits
    if (item.log.digest(item.log.version) or "") == item.digest:
        return
    log = item.table.read()
    raise InputError(
        "the table was made anew while it was being read",
        where=item.table.dataset,
        expected=f"the table {item.table_id} at version {item.log.version}",
        found=f"the table {log.table_id} at version {log.version}" if log else "no table",
        next_step=f"run again: input {item.name} is then the new table; nothing was committed",
    )
