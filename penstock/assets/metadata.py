"""Datasets and outcomes in Dagster's words: column schema, column lineage, counts, checks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dagster as dg

from penstock.assets.freshness import duration_words
from penstock.schemas.model import CheckModel, ColumnModel, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.dataset import Dataset
    from penstock.assets.outcome import Outcome
    from penstock.lineage.column_lineage import ColumnLineage

__all__ = [
    "CONTRACT_CHECK",
    "asset_key",
    "check_name",
    "column_schema",
    "definition_metadata",
    "outcome_metadata",
    "warning_rules",
]

CONTRACT_CHECK = "contract"

# a hyphen that a code point would begin with is written as its own, or two names could share a key
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9_.-]|-(?=0x)")


def asset_key(dataset: str) -> dg.AssetKey:
    """`silver.bookings` and `landing/bookings` as asset keys; no two names share one.

    What Dagster takes in no name is written as its code point: `landing/a b`, `landing/a-0x20-b`.
    """
    parts = dataset.split("/" if "/" in dataset else ".")
    return dg.AssetKey([_NOT_IN_A_KEY.sub(_code_point, part) for part in parts])


def _code_point(found: re.Match[str]) -> str:
    return f"-{ord(found[0]):#x}-"


def check_name(rule: str) -> str:
    """A rule's id as the name of an asset check: `a_ge` of a:ge, `gr_f6__e4_e_ge` of gröäe:ge.

    Two rules of one contract may still share a name: `check_together` refuses them.
    """
    return re.sub(r"[^A-Za-z0-9_]", lambda c: "_" if c[0].isascii() else f"_{ord(c[0]):x}_", rule)


def warning_rules(spec: Dataset) -> tuple[str, ...]:
    """Ids of the rules that only warn: each is an asset check of its own."""
    model = spec.model
    rules = [check.id for check in model.checks if check.severity is Severity.WARN]
    rules += [key.id for key in model.foreign_keys if key.severity is Severity.WARN]
    return tuple(dict.fromkeys(rules))


def column_schema(spec: Dataset) -> dg.TableSchema:
    """The contract's columns, with personal-data classes and units as tags."""
    checks: dict[str, list[CheckModel]] = {}
    for check in spec.model.checks:
        checks.setdefault(check.column, []).append(check)
    columns = [_column(column, checks.get(column.name, [])) for column in spec.model.columns]
    rules = [f"{check.id}: {check.sql}" for check in checks.get("", [])]
    key = [f"key: {', '.join(spec.model.key)}"] if spec.model.key else []
    return dg.TableSchema(columns=columns, constraints=dg.TableConstraints(other=[*key, *rules]))


def _column(column: ColumnModel, checks: list[CheckModel]) -> dg.TableColumn:
    tags = {"pii": column.pii.value} if column.pii else {}
    tags |= {"masked": ""} if column.masked else {}
    tags |= {"key": ""} if column.key else {}
    tags |= {"unit": re.sub(r"[^\w.-]", "_", column.unit)} if column.unit else {}
    return dg.TableColumn(
        name=column.name,
        type=column.type,
        description=column.description or None,
        constraints=dg.TableColumnConstraints(
            nullable=column.nullable, other=[check.sql for check in checks]
        ),
        tags=tags,
    )


def definition_metadata(spec: Dataset) -> dict[str, Any]:
    """What is known of the dataset before it is ever run."""
    model = spec.model
    facts: dict[str, Any] = {
        "dagster/column_schema": column_schema(spec),
        "contract": f"{model.name} {model.version}",
        "contract_fingerprint": model.fingerprint()[:12],
        "write_mode": type(spec.write).__name__,
        "bad_rows": type(spec.bad_rows).__name__,
        "cluster": spec.cluster,
    }
    if spec.partitions:
        facts["partition_column"] = ", ".join(spec.partitions.columns)
    durations = {"freshness": model.freshness, "retention": model.retention}
    facts |= {name: duration_words(duration) for name, duration in durations.items() if duration}
    if model.clustering:
        facts["clustering"] = ", ".join(model.clustering)
    if model.cleared:
        facts["cleared_for"] = ", ".join(sorted(model.cleared))
    if spec.masking:
        facts["masking"] = dg.MetadataValue.json(spec.masking.document())
    return facts


def outcome_metadata(outcome: Outcome, page: str | None = None) -> dict[str, Any]:
    """What a run did, for the materialization. `page` is the dataset's in the lineage browser."""
    facts: dict[str, Any] = {
        "status": "committed" if outcome.committed else "unchanged",
        "delta_version": outcome.version,
        "dagster/uri": outcome.path,
        "lineage_run_id": str(outcome.run_id),
        "rows_quarantined": outcome.rows_quarantined,
        "seconds": round(outcome.seconds, 2),
        "inputs": dg.MetadataValue.json(dict(outcome.inputs)),
    }
    if page is not None:
        facts["lineage"] = dg.MetadataValue.url(page)
    counts = {
        "rows_in": outcome.rows_in,
        "rows_changed": outcome.rows_changed,
        "rows_removed": outcome.rows_removed or None,
        "files_written": outcome.files,
        "bytes_written": outcome.bytes,
    }
    facts |= {name: number for name, number in counts.items() if number is not None}
    if outcome.rows_in is not None:
        rows = outcome.rows_in - outcome.rows_quarantined
        facts["dagster/partition_row_count" if outcome.one_slice else "rows_good"] = rows
    if outcome.table_rows is not None:
        facts["dagster/row_count"] = outcome.table_rows
    if outcome.quarantined_by_rule:
        facts["quarantined_by_rule"] = dg.MetadataValue.json(dict(outcome.quarantined_by_rule))
    if outcome.lineage is not None:
        facts["dagster/column_lineage"] = _lineage(outcome.lineage)
        # the same for people: the asset page shows this one
        facts["column_lineage"] = dg.MetadataValue.md(_lineage_table(outcome.lineage))
    return facts


def _lineage(lineage: ColumnLineage) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        deps_by_column={
            column: [
                dg.TableColumnDep(asset_key=asset_key(dataset), column_name=name)
                for dataset, name in dict.fromkeys((o.dataset, o.column) for o in origins)
            ]
            for column, origins in lineage.fields.items()
        }
    )


def _lineage_table(lineage: ColumnLineage) -> str:
    """A Markdown table: each column and what its values are made of."""
    doubts = {doubt.column for doubt in lineage.unknown}
    lines = ["| column | comes from |", "|---|---|"]
    for column, origins in lineage.fields.items():
        sources = [
            f"{o.dataset}.{o.column} ({o.subtype.value.lower()}{', masked' if o.masking else ''})"
            for o in origins
        ]
        sources += ["not known"] if column in doubts else []
        lines.append(f"| {column} | {', '.join(sources) or 'no input'} |")
    return "\n".join(lines)


def check_facts(counts: Mapping[str, int]) -> dict[str, Any]:
    """Counts by rule, as metadata of a check."""
    return {check_name(rule): count for rule, count in sorted(counts.items())}
