"""Steps 4 and 5 together: the rows are audited, and those that keep the contract are committed.

How is decided by what the last run wrote and found. Few rows in which nothing was found are checked
in the write itself; few others are held and computed once; many are counted first, and computed
again for each thing that is done with them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from penstock.assets.audit import (
    Audit,
    count_dataset_checks,
    count_flagged,
    good_rows,
    judge,
    set_aside,
    split_counts,
    strict,
    strict_throughout,
)
from penstock.assets.body import leaving_out, refuse_other_inputs
from penstock.assets.commit import commit_good, commit_quarantine
from penstock.assets.fault import found_bad_row
from penstock.assets.flags import Flagged, flagged
from penstock.assets.landing.frames import with_file
from penstock.assets.modes import Warn
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.assets.partitions.values import Static
from penstock.assets.row_rules import warning_rules
from penstock.assets.whole_list import completed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.body import Analyzed
    from penstock.assets.resolve import Resolved
    from penstock.assets.runtime import Runtime, Step
    from penstock.resources.table_commit import Commit

__all__ = ["GovernedWrite"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GovernedWrite:
    """The write of what a function returned, for the run `run_id`."""

    resolved: Resolved
    analyzed: Analyzed
    spark: SparkSession
    runtime: Runtime
    run_id: str
    on_step: Step
    reopen: bool = False

    def commit(self) -> Commit:
        """Audit the rows and commit the good ones.

        Raises ValidationError when too many are bad, and ConflictError when another writer was
        first; then nothing was committed.
        """
        resolved = self.resolved
        if resolved.spec.whole_list:
            # what is missing of it is asked of the very rows that are written
            return self._few()
        if not resolved.wrote_little:
            return self._many()
        clean = self.analyzed.strictly and not resolved.found_something
        return (self._at_once() if clean else None) or self._few()

    def _at_once(self) -> Commit | None:
        """One pass that tests everything and writes; None when it found something."""
        rows = strict_throughout(self.resolved, self.spark, self.analyzed.frame)
        nothing = dict.fromkeys(warning_rules(self.resolved.spec), 0)
        return self._unless_bad(rows, Audit(warned=nothing))

    def _few(self) -> Commit:
        """One pass that computes and flags the rows; what is done with them is done from there."""
        resolved, strictly = self.resolved, self.analyzed.strictly
        frame, rejected = self.analyzed.frame, self.analyzed.rejected
        rows = None
        if strictly and (warning_rules(resolved.spec) or resolved.spec.whole_list):
            # it may be that nothing is bad, and something only warns
            try:
                rows = self._held(frame)
                bad, warned = count_flagged(resolved, rows)
            except Exception as error:
                if not found_bad_row(error):
                    raise
                rows = None
            else:
                self.on_step("checked")
                if not bad:
                    audit = Audit(warned=warned)
                    return self._written_of(rows, audit)
                rejected = []  # every row could be read
        if rows is None:
            if strictly and rejected:
                # what stops at a row that cannot be read does not name it
                frame, rejected = leaving_out(resolved, self.spark, self.runtime)
            rows = self._held(frame)
        return self._written_of(rows, self._set_aside(rows, rejected))

    def _written_of(self, held: Flagged, audit: Audit) -> Commit:
        """The commit of the good ones of rows that Spark holds."""
        resolved = self.resolved
        rows = good_rows(resolved, held)
        if not resolved.spec.whole_list:
            return self._written(rows, audit, held=True)
        whole = completed(resolved, self.spark, rows, held.frame, unread=audit.unread)
        # the table's own rows are not held
        return self._written(whole.rows, audit, held=whole.as_given, more=whole.facts)

    def _held(self, frame: DataFrame) -> Flagged:
        with_files = with_file(frame, self.resolved.inputs)
        return flagged(self.resolved, self.spark, with_files, warnings=True).held()

    def _many(self) -> Commit:
        """One pass that counts and one that writes; a third where a row is bad by surprise."""
        resolved, frame, rejected = self.resolved, self.analyzed.frame, self.analyzed.rejected
        warned: dict[str, int] | None = None
        if self.analyzed.strictly:
            counts = self._counted(frame)
            if counts is not None:
                errors, warned = split_counts(resolved.spec, counts)
                clean = not any(errors.values())
                audit = Audit(warned=warned)
                made = self._unless_bad(strict(resolved, frame), audit) if clean else None
                if made:
                    return made
            if rejected:
                # what stops at a row that cannot be read does not name it
                frame, rejected = leaving_out(resolved, self.spark, self.runtime)
        with_files = with_file(frame, resolved.inputs)
        rows = flagged(resolved, self.spark, with_files, warnings=warned is None)
        audit = self._set_aside(rows, rejected)
        if warned is not None:
            audit = replace(audit, warned=warned)
        # what is written is computed again, without what no row needs
        needed = audit.by_rule.keys() & set(rows.errors.values())
        rows = flagged(resolved, self.spark, with_files) if needed else Flagged(frame=with_files)
        return self._written(good_rows(resolved, rows), audit)

    def _counted(self, frame: DataFrame) -> dict[str, int] | None:
        """Rows that break each check over several rows; None: one row cannot even be read."""
        try:
            counts = count_dataset_checks(self.resolved, self.spark, frame)
        except Exception as error:
            if not found_bad_row(error):
                raise
            counts = None
        self.on_step("checked")
        return counts

    def _set_aside(self, rows: Flagged, rejected: list[DataFrame]) -> Audit:
        """The bad rows in quarantine. Raises ValidationError when there are too many."""
        resolved = self.resolved
        self.on_step("quarantining")
        constants = {
            "token": resolved.token,
            "run_id": self.run_id,
            "slice": resolved.slice.key,
            "contract_version": resolved.spec.model.version,
        }
        put = partial(commit_quarantine, resolved.quarantine, token=resolved.token)
        audit = set_aside(resolved, rows, rejected, constants, put)
        self.on_step("quarantined")
        judge(resolved, audit)
        return audit

    def _unless_bad(self, rows: DataFrame, audit: Audit) -> Commit | None:
        """The commit of rows that stop the write at a bad one; None, and nothing, when one did."""
        try:
            return self._written(rows, audit)
        except Exception as error:
            if not found_bad_row(error):
                raise
            return None

    def _written(
        self,
        rows: DataFrame,
        audit: Audit,
        *,
        held: bool = False,
        more: Mapping[str, Any] = {},
    ) -> Commit:
        self.on_step("committing")
        # jobs have run since the frames were made: what they read then and now are the same files
        refuse_other_inputs(self.resolved)
        return commit_good(
            self.resolved,
            self.spark,
            rows,
            {**self._facts(audit), **more},
            evolve=self.analyzed.evolve,
            held=held,
        )

    def _facts(self, audit: Audit) -> Mapping[str, Any]:
        """What the commit says of its run; enough to complete the run's record after a crash."""
        resolved, spec = self.resolved, self.resolved.spec
        windows, values = windows_of(spec.partitions), values_of(spec.partitions)
        return {
            "penstock": 1,
            "dataset": spec.name,
            "run_id": self.run_id,
            "token": resolved.token,
            "content": resolved.content,
            "standing": resolved.standing,
            "rules": resolved.rules,
            "write": type(spec.write).__name__,
            "row_key": list(spec.table_key),
            "kept_key": list(spec.kept_key),
            **({"keeps_bad_rows": True} if isinstance(spec.bad_rows, Warn) else {}),
            "slice": resolved.slice.document(),
            # also where the slice was open: who asked did not look
            **({"reopen": True} if self.reopen else {}),
            "slice_column": windows.column if windows else None,
            "slice_values_column": values.column if values else None,
            "slices_from": windows.first.isoformat() if windows else None,
            "slices_to": windows.last.isoformat() if windows and windows.last else None,
            "slices_of": list(values.values) if isinstance(values, Static) else None,
            "contract": {"version": spec.model.version, "fingerprint": spec.model.fingerprint()},
            "code_version": spec.code_version,
            "inputs": {item.name: item.document() for item in resolved.inputs},
            "references": {item.name: item.document() for item in resolved.references},
            "rows_quarantined": audit.bad,
            "quarantined_by_rule": dict(audit.by_rule),
            "warned": dict(audit.warned),
        }
