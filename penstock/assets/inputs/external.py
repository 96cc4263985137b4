"""A Delta table that others write, wherever it lies, held against a contract of its own.

`external_rows` has Spark read it.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.assets.inputs.snapshot import as_slice_by, check_slice_by, cut_by, refuse_unsliced
from penstock.assets.inputs.tables import refuse_replaced
from penstock.assets.landing.cell import Dates
from penstock.assets.modes import Warn
from penstock.assets.slice import WHOLE, Slice
from penstock.assets.time_zone import check_time_zone
from penstock.errors import DefinitionError, InputError
from penstock.schemas.contract import model_of
from penstock.schemas.model import Severity
from penstock.schemas.predicates import rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyspark.sql import SparkSession

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.kind import Arrived, Asked
    from penstock.resources.lake import Table
    from penstock.resources.table_log import TableLog
    from penstock.schemas.contract import Contract
    from penstock.schemas.model import ContractModel

__all__ = ["External", "PinnedExternal", "external"]

_CATALOG_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*){1,2}", re.ASCII)
_LOCATION = re.compile(r"/[^\0]*|s3://[a-z0-9][a-z0-9.-]+/[^\0]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """A table at `location`, or that a catalog knows as `catalog`; of it the contract's columns."""

    contract: type[Contract] = field(repr=False)
    fingerprint: str
    location: str | None = None
    catalog: str | None = None
    slice_by: str | tuple[str, ...] | None = None
    time_zone: str | None = None

    @property
    def model(self) -> ContractModel:
        """The contract as plain data."""
        return model_of(self.contract)

    @property
    def dataset(self) -> str:
        """The name of its contract."""
        return self.model.name

    @property
    def once(self) -> bool:
        """Never: it is read whole at each run."""
        return False

    @property
    def place(self) -> str:
        """Where it is, as its definition says."""
        return self.location or self.catalog or ""

    @property
    def dates(self) -> Dates:
        """How datetimes without a zone are read."""
        return Dates(zone=self.time_zone)

    def rules(self) -> Mapping[str, str]:
        """By the rule's id, told apart from the dataset's own, SQL that a good row keeps."""
        return {f"{self.dataset}.{rule}": sql for rule, sql in rules(self.model, Severity.ERROR)}

    @property
    def cut_by(self) -> tuple[str, ...]:
        """The columns that say which slice a row is of, none where it is read whole."""
        return cut_by(self.slice_by)

    def type_rule(self, column: str) -> str:
        """The id of the rule that the column's value is one of the contract's type."""
        return f"{self.dataset}.{column}:type"

    def check(self, spec: Dataset, name: str, where: str) -> None:
        """Raise DefinitionError where it does not fit the dataset and its other inputs."""
        if self.cut_by:
            refuse_unsliced(spec, name, where)
        check_slice_by(f"{where}, input {name}", self.cut_by, self.model, spec.partitions)
        if isinstance(spec.bad_rows, Warn) and self.rules():
            raise DefinitionError(
                f"the contract of input {name} sets rows aside, and Warn keeps all",
                where=where,
                expected="bad_rows=Quarantine() or Fail(), or nullable columns and no rules",
                found=", ".join(self.rules()),
                next_step="leave the rules to the contract of the dataset",
            )
        if any(key.references == self.dataset for key in spec.model.foreign_keys):
            raise DefinitionError(
                "a foreign key refers to a table that others write outside the lake",
                where=where,
                expected="a dataset, or a table of the lake",
                found=self.dataset,
                next_step="make a dataset of it and refer to that",
            )
        others = (i for i in spec.inputs.values() if isinstance(i, External))
        if any(i.place == self.place and i.dataset != self.dataset for i in others):
            raise DefinitionError(
                "two contracts say what one table holds",
                where=where,
                found=self.place,
                next_step="write one contract with the columns of both",
            )
        if self.dataset == spec.name:
            raise DefinitionError(
                f"input {name} has the contract of the dataset itself",
                where=where,
                expected="a contract that says what the other table holds",
                found=self.dataset,
                next_step="write a contract for it with a name of its own, like crm.orders",
            )

    def pin(self, asked: Asked) -> PinnedExternal:
        """The table as it is now. Raises InputError when there is none, LakeError."""
        found = self.location or _location_in_catalog(self, asked)
        table = asked.runtime.lake.elsewhere(self.dataset, found)
        # two inputs of one table are of one version
        log = asked.held.one(f"external {table.uri}", lambda: nullcontext(_log_of(table, found)))
        version, digest = _newest_change(table, log, asked)
        return PinnedExternal(
            name=asked.name,
            external=self,
            table=table,
            log=log,
            digest=log.digest(log.version) or "",
            table_id=log.table_id,
            version=log.version,
            data_version=version,
            data_digest=digest,
            slice=asked.slice if self.slice_by else WHOLE,
        )


def _log_of(table: Table, place: str) -> TableLog:
    log = table.read()
    if log is None:
        raise InputError(
            "there is no Delta table",
            where=f"{table.dataset} at {place}",
            expected="a folder with a _delta_log that this process may read",
            next_step="correct external(...), or wait until its owner has written it",
        )
    return log


def _newest_change(table: Table, log: TableLog, asked: Asked) -> tuple[int, str]:
    """(The newest commit that changed rows, SHA-256 of its file), as far as the log has it.

    When it has left the log, what the last run said of it holds on, where no row changed since.
    """
    newest = next((commit for commit in log.commits() if commit.changes_rows), None)
    if newest is not None:
        return newest.version, log.digest(newest.version) or ""
    oldest = log.oldest()
    last = asked.past.newest(asked.slice) if asked.past else None
    said = (last.facts or {}).get("inputs", {}).get(asked.name, {}) if last else {}
    if (said.get("location"), said.get("table_id")) == (table.uri, log.table_id) and said[
        "version"
    ] >= oldest - 1:
        return said["data_version"], said["data_digest"]
    return oldest - 1, ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedExternal:
    """A table at `version`; `data_version` is the newest commit that changed a row.

    `table_id` is Delta's: versions of a table that was made anew begin again at 0. `digest` is of
    the newest commit of `log`, the state that was pinned, `data_digest` of that which changed rows.
    """

    name: str
    external: External
    table: Table
    log: TableLog = field(repr=False)
    digest: str = field(repr=False)
    table_id: str
    version: int
    data_version: int
    data_digest: str = field(repr=False)
    slice: Slice = WHOLE

    @property
    def dataset(self) -> str:
        """The name of its contract."""
        return self.external.dataset

    @property
    def nothing_new(self) -> bool:
        """Never known: rows may have been taken out."""
        return False

    def content(self) -> dict[str, Any]:
        """What of it the result depends on: its columns too, which change without a row."""
        columns = sorted(f"{column.name} {column.type}" for column in self.log.columns())
        return {
            "dataset": self.dataset,
            # a copy has the id and may have as many commits
            "location": self.table.uri,
            "table_id": self.table_id,
            "version": self.data_version,
            "digest": self.data_digest,
            "columns": hashlib.sha256("\n".join(columns).encode()).hexdigest(),
        }

    def document(self) -> dict[str, Any]:
        """What the commit says of it."""
        return {
            "dataset": self.dataset,
            "location": self.table.uri,
            "table_id": self.table_id,
            "version": self.version,
            "data_version": self.data_version,
            "data_digest": self.data_digest,
        }

    def read(self, spark: SparkSession, contract: ContractModel, *, strict: bool) -> Arrived:  # noqa: ARG002
        """The rows that keep its contract, of the contract's types."""
        from penstock.assets.inputs.external_rows import read_external

        return read_external(spark, self, strict=strict)

    def refuse_other(self) -> None:
        """Raise InputError when another table lies there."""
        refuse_replaced(self)


def external(
    contract: type[Contract],
    location: str | None = None,
    *,
    catalog: str | None = None,
    slice_by: str | Sequence[str] | None = None,
    time_zone: str | None = None,
) -> External:
    """A Delta table that others write, outside the lake, as its `contract` says that it is.

    It lies at `location`, an absolute path or `s3://bucket/folder`, or is known to the Spark
    session's catalog under the name `catalog`, such as `sales.orders`. It is read at the version
    that is pinned, whole or with `slice_by` the rows of the slice. Nothing is written to it.

    The contract names the columns that are read; the table may have others. Each is held against
    the contract's type, nested fields included, and each row against the contract's rules: a row
    that breaks one, or holds a value that the type cannot, is set aside as the dataset's `bad_rows`
    says. That keys are unique is not looked at. A datetime without a zone is of `time_zone`, else
    of UTC.
    """
    model = model_of(contract)
    where = f"external({model.name})"
    if (location is None) == (catalog is None):
        raise DefinitionError(
            "an external table is at a location or in a catalog",
            where=where,
            expected="one of the two",
            found="both" if location is not None else "neither",
            next_step="write external(Orders, 's3://bucket/orders') or "
            "external(Orders, catalog='sales.orders')",
        )
    if location is not None and not _fits(_LOCATION, location):
        raise DefinitionError(
            "the location of an external table is malformed",
            where=where,
            expected="an absolute path, or s3://bucket/folder",
            found=repr(location),
            next_step="write it from the root on; other storage is not read",
        )
    if catalog is not None and not _fits(_CATALOG_NAME, catalog):
        raise DefinitionError(
            "this is not the name of a table in a catalog",
            where=where,
            expected="schema.table or catalog.schema.table, of letters, digits and underscores",
            found=repr(catalog),
            next_step="write it like sales.orders, or give the table's location",
        )
    _refuse_promises(model, where)
    by = as_slice_by(slice_by, where)
    check_slice_by(where, cut_by(by), model)
    if time_zone is not None:
        check_time_zone(where, time_zone)
    return External(
        contract=contract,
        fingerprint=model.fingerprint(),
        location=_plain(location) if location else None,
        catalog=catalog,
        slice_by=by,
        time_zone=time_zone,
    )


def _refuse_promises(model: ContractModel, where: str) -> None:
    """Raise DefinitionError for what the contract says and nobody would hold the table to."""
    unkept = [f"rule {c.id}, which only warns" for c in model.checks if c.severity is Severity.WARN]
    unkept += [f"foreign key {key.id}" for key in model.foreign_keys]
    unkept += ["freshness"] if model.freshness else []
    unkept += ["retention"] if model.retention else []
    if unkept:
        raise DefinitionError(
            "the contract of an external table says what is not looked at",
            where=where,
            expected="columns, and rules that set a row aside",
            found=", ".join(unkept),
            next_step="leave it out here, and say it in the contract of the dataset that reads it",
        )


def _location_in_catalog(table: External, asked: Asked) -> str:
    """Where the catalog of the session has the table. Raises InputError."""
    from penstock.assets.inputs.external_rows import location_in_catalog

    assert table.catalog is not None
    return location_in_catalog(asked.spark, table.catalog, f"input {asked.name}")


def _plain(location: str) -> str:
    """The location as others write it too, by which lineage knows it."""
    return posixpath.normpath(location) if location.startswith("/") else location.rstrip("/")


def _fits(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
