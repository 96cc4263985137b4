"""What a commit says of the run that made it: counts, checks, inputs.

The record of a run is made of it, whether the run tells it itself or died before it could.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self

from penstock.assets.row_rules import IN_TABLE_RULE, KEY_RULE
from penstock.events import Assertion, ColumnMetric, DatasetRef
from penstock.schemas.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from penstock.assets.runtime import Runtime
    from penstock.resources.table_commit import Commit
    from penstock.resources.table_log import TableLog
    from penstock.schemas.model import ContractModel

__all__ = ["Account", "input_refs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Counts of rows, files and bytes. None: the commit does not say."""

    rows_in: int | None
    rows_changed: int | None
    rows_removed: int
    rows_quarantined: int
    quarantined_by_rule: Mapping[str, int]
    warned: Mapping[str, int]
    files: int | None
    bytes: int | None
    column_metrics: Mapping[str, ColumnMetric]

    @classmethod
    def of(
        cls, commit: Commit, log: TableLog | None, *, versions: bool, columns: bool = True
    ) -> Self:
        """The counts of a commit that has facts; `versions`: it is one of a `Scd2`.

        Without `columns` there are no metrics of columns, and only the commit's file is read.
        Raises LakeError when the commit cannot be read.
        """
        facts: Mapping[str, Any] = commit.facts or {}
        stored = log.stored(commit.version, columns=columns) if log else None
        rows = commit.changed_rows
        quarantined = int(facts.get("rows_quarantined", 0))
        return cls(
            # a Scd2 gives the commit its neighbours too, and no version that says nothing new
            rows_in=None
            if versions or commit.good_rows is None
            # those that a whole list lacks are the table's own
            else commit.good_rows - int(facts.get("rows_missing", 0)) + quarantined,
            rows_changed=rows,
            rows_removed=commit.removed_rows,
            rows_quarantined=quarantined,
            quarantined_by_rule=facts.get("quarantined_by_rule", {}),
            warned=facts.get("warned", {}),
            files=len(stored.written) if stored else None,
            bytes=sum(file.bytes for file in stored.written) if stored else None,
            column_metrics={
                column: ColumnMetric(null_count=count)
                for column, count in (stored.nulls(rows) if stored else {}).items()
            },
        )

    def assertions(self, model: ContractModel) -> tuple[Assertion, ...]:
        """One for each check of the contract: every enforced check holds for what is committed."""
        checks: list[tuple[str, str, str | None, Severity]] = [
            (f"{c.name}:not_null", "not_null", c.name, Severity.ERROR)
            for c in model.columns
            if not c.nullable
        ]
        checks += [(c.id, c.name, c.column or None, c.severity) for c in model.checks]
        checks += [(f.id, "foreign_key", None, f.severity) for f in model.foreign_keys]
        if model.key:
            checks.append((KEY_RULE, "unique", None, Severity.ERROR))
        # under Append a key that the table has is there twice, too
        counts = {
            rule: self.warned.get(rule, self.quarantined_by_rule.get(rule, 0))
            for rule in (*(rule for rule, *_ in checks), IN_TABLE_RULE)
        }
        counts[KEY_RULE] = max(counts.get(KEY_RULE, 0), counts[IN_TABLE_RULE])
        warned = {*self.warned} | ({KEY_RULE} if IN_TABLE_RULE in self.warned else set())
        return tuple(
            Assertion(
                check_id=rule,
                name=name,
                column=column,
                severity=Severity.WARN if rule in warned else severity,
                success=not (rule in warned and counts[rule]),
                failed_rows=counts[rule],
            )
            for rule, name, column, severity in checks
        )


def input_refs(
    documents: Iterable[Mapping[str, Any]],
    content: str | None,
    runtime: Runtime,
    contracts: Mapping[str, ContractModel] = MappingProxyType({}),
) -> tuple[DatasetRef, ...]:
    """The inputs that a commit names, each once, at the versions that were read.

    `contracts` are those, by dataset, that whoever reads declares; others are asked of the ledger.
    A folder of files and a database have no version; `content`, the digest of all that was read,
    stands for it.
    """
    lake, found = runtime.lake, []
    for item in documents:
        name = item["dataset"]
        if "namespace" in item:
            found.append(
                DatasetRef(
                    namespace=item["namespace"],
                    name=item["name"],
                    asset_key=name,
                    version=content,
                )
            )
            continue
        if "files" in item:
            folder = f"{lake.landing.rstrip('/')}/{name.removeprefix('landing/')}"
            found.append(DatasetRef.at(folder, name, version=content, contract=None))
            continue
        contract = contracts.get(name) or runtime.ledger.latest_contract(name)
        uri = item.get("location") or lake.table(name).uri
        found.append(
            DatasetRef.at(
                uri,
                name,
                version=item["version"],
                table_id=item.get("table_id"),
                contract=contract,
            )
        )
    # a dataset that is an input and refers to itself by a foreign key is one input
    return tuple({(ref.namespace, ref.name): ref for ref in found}.values())
