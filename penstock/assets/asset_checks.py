"""The checks of a dataset in Dagster: what they are, and what a run says of each.

Those of rows are of the slices that the run is about; freshness is of the dataset.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from penstock.assets.freshness import FRESHNESS_CHECK, freshness_words
from penstock.assets.metadata import CONTRACT_CHECK, check_facts, check_name, warning_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from penstock.assets.dataset import Dataset
    from penstock.assets.outcome import Outcome
    from penstock.errors import ValidationError

__all__ = ["Verdict", "check_specs", "failed_contract", "freshness_verdict", "row_verdicts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a run says of one check. `blocking`: what is downstream does not run where it fails."""

    check: str
    passed: bool
    severity: dg.AssetCheckSeverity
    description: str
    metadata: dict[str, Any]
    blocking: bool = False

    def evaluation(self, key: dg.AssetKey, partition: str | None) -> dg.AssetCheckEvaluation:
        """As Dagster keeps it, of one slice, or of the dataset."""
        return dg.AssetCheckEvaluation(
            asset_key=key,
            check_name=self.check,
            passed=self.passed,
            severity=self.severity,
            description=self.description,
            metadata=self.metadata,
            blocking=self.blocking,
            partition=partition,
        )


def check_specs(
    spec: Dataset, key: dg.AssetKey, partitions: dg.PartitionsDefinition | None
) -> Sequence[dg.AssetCheckSpec]:
    """The contract's, one for each rule that only warns, and freshness where it is promised."""
    found = [
        dg.AssetCheckSpec(
            CONTRACT_CHECK,
            asset=key,
            blocking=True,
            description="Every committed row keeps the contract; the others are in quarantine.",
            partitions_def=partitions,
        )
    ]
    found += [
        dg.AssetCheckSpec(
            check_name(rule),
            asset=key,
            description=f"{rule}, counted, not enforced.",
            partitions_def=partitions,
        )
        for rule in warning_rules(spec)
    ]
    if spec.model.freshness:
        found.append(
            dg.AssetCheckSpec(
                FRESHNESS_CHECK,
                asset=key,
                description="The newest rows are as fresh as the contract promises, by the end of "
                "their slice: an old slice that is made again makes nothing fresh.",
            )
        )
    return found


def row_verdicts(spec: Dataset, outcome: Outcome) -> Iterator[Verdict]:
    """What a run that ended well says of the rows. A range of slices is counted as one."""
    of = "" if outcome.slice_key == "whole" else f" in {outcome.slice_key}"
    yield Verdict(
        check=CONTRACT_CHECK,
        passed=True,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{outcome.rows_quarantined} rows are set aside{of}",
        metadata=check_facts(outcome.quarantined_by_rule),
        blocking=True,
    )
    for rule in warning_rules(spec):
        rows = outcome.warned.get(rule, 0)
        yield Verdict(
            check=check_name(rule),
            passed=rows == 0,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{rows} rows{of}",
            metadata={"rows": rows},
        )


def failed_contract(error: ValidationError) -> Verdict:
    """What a run that wrote nothing for its bad rows says."""
    return Verdict(
        check=CONTRACT_CHECK,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description=error.what,
        metadata={"found": error.found or "", "expected": error.expected or ""},
        blocking=True,
    )


def freshness_verdict(judged: dict[str, Any]) -> Verdict:
    """What the judgement of `penstock.assets.freshness` says."""
    facts: dict[str, Any] = {"verdict": judged["verdict"]}
    if judged["as_of"] is not None:
        as_of = datetime.fromisoformat(judged["as_of"])
        until = as_of + timedelta(seconds=judged["promise_seconds"])
        facts["rows_as_of"] = dg.MetadataValue.timestamp(as_of)
        facts["fresh_until"] = dg.MetadataValue.timestamp(until)
    return Verdict(
        check=FRESHNESS_CHECK,
        passed=judged["verdict"] == "fresh",
        severity=dg.AssetCheckSeverity.WARN,
        description=freshness_words(judged),
        metadata=facts,
    )
