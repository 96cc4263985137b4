"""Deciding what upkeep a table needs: a pure function of facts and policy."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.compaction.action import Compact, Purge, Vacuum, document
from penstock.compaction.facts import readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock.compaction.action import Action
    from penstock.compaction.facts import FileFacts, Partition, TableFacts
    from penstock.compaction.policy import CompactionPolicy

__all__ = ["CompactionPlan", "plan_compaction"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionPlan:
    """What to do, in order, and why; `reasons` also say why something is not done."""

    facts: TableFacts
    policy: CompactionPolicy
    actions: tuple[Action, ...]
    reasons: tuple[str, ...]

    @property
    def acts(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.actions)

    def document(self) -> dict[str, Any]:
        """The plan as JSON-ready data, without partition values."""
        return {
            "facts": self.facts.document(),
            "policy": self.policy.document(),
            "actions": [document(action) for action in self.actions],
            "reasons": list(self.reasons),
        }

    def __str__(self) -> str:
        return "\n".join([str(self.facts), *(f"  {reason}" for reason in self.reasons)])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    partition: Partition
    files: int  # that would be read
    saved: int  # files fewer afterwards
    rewrite_bytes: int


@dataclass(slots=True, kw_only=True)
class _Draft:
    facts: TableFacts
    policy: CompactionPolicy
    spent_bytes: int = 0
    actions: list[Action] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    compacted: set[Partition] = field(default_factory=set)

    @property
    def left_bytes(self) -> float:
        budget = self.policy.budget_bytes
        return math.inf if budget is None else budget - self.spent_bytes

    def chosen(self, candidates: Iterable[_Candidate]) -> list[_Candidate]:
        """Those that fit the budget, most files saved per byte first."""
        best = sorted(candidates, key=lambda c: (-c.saved / max(1, c.rewrite_bytes), c.files))
        taken = []
        for candidate in best:
            if candidate.rewrite_bytes <= self.left_bytes:
                taken.append(candidate)
                self.spent_bytes += candidate.rewrite_bytes
        return taken


def plan_compaction(
    facts: TableFacts, policy: CompactionPolicy, clustering: Sequence[str] = ()
) -> CompactionPlan:
    """The cheapest rewrite that brings the table within the policy; nothing when it already is.

    `clustering` is the contract's: a table that Delta clusters itself is left to OPTIMIZE, others
    are Z-ordered where they are rewritten anyway. Guarantees that the estimated rewrite stays
    within the budget, and that a plan made after carrying this one out has less to do.
    """
    draft = _Draft(facts=facts, policy=policy)
    _compaction(draft, tuple(c for c in clustering if c not in facts.partition_columns))
    _purge(draft)
    _vacuum(draft)
    return CompactionPlan(
        facts=facts, policy=policy, actions=tuple(draft.actions), reasons=tuple(draft.reasons)
    )


def _compaction(draft: _Draft, clustering: tuple[str, ...]) -> None:
    facts, policy = draft.facts, draft.policy
    partitions = facts.partitions()
    small = {key: _small(files, policy) for key, files in partitions.items()}
    wanting = [key for key, files in partitions.items() if _wants(files, small[key], policy)]
    count = sum(map(len, small.values()))
    share = f"{count} of {facts.file_count} files are under {readable(policy.small_file_bytes)}"
    if not wanting:
        draft.reasons.append(
            f"no compaction: {share}; no partition has {policy.min_files} or more of them that are "
            f"{policy.small_file_share:.0%} of its files and could be merged"
        )
        return
    order_by: tuple[str, ...] = ()
    rewritten = small
    if clustering and not facts.clustered:
        if sum(_size(partitions[key]) for key in wanting) <= draft.left_bytes:
            order_by, rewritten = clustering, dict(partitions)
        else:
            draft.reasons.append("not ordered: ordering rewrites more bytes than the budget allows")
    elif facts.clustered:
        rewritten = dict(partitions)
    taken = draft.chosen(
        _Candidate(
            partition=key,
            files=len(rewritten[key]),
            saved=len(small[key]) - _after(small[key], policy),
            rewrite_bytes=_size(rewritten[key]),
        )
        for key in wanting
    )
    below = policy.small_file_bytes
    if not taken and not facts.clustered:
        taken, below = _slice_of(draft, {key: small[key] for key in wanting})
    if not taken:
        draft.reasons.append(f"no compaction: {share}, but no rewrite fits the budget")
        return
    keys = tuple(c.partition for c in taken)
    draft.compacted.update(keys)
    draft.actions.append(
        Compact(
            partitions=None if set(keys) == set(partitions) else keys,
            below_bytes=below,
            target_file_bytes=policy.target_file_bytes,
            files=sum(c.files for c in taken),
            rewrite_bytes=sum(c.rewrite_bytes for c in taken),
            order_by=order_by,
        )
    )
    ordered = f", ordered by {', '.join(order_by)}" if order_by else ""
    left = f"; {len(wanting) - len(taken)} wait for budget" if len(taken) < len(wanting) else ""
    draft.reasons.append(
        f"compact {len(taken)} of {len(partitions)} partitions{ordered}: {share}; "
        f"about {sum(c.saved for c in taken)} files fewer for "
        f"{readable(sum(c.rewrite_bytes for c in taken))} rewritten{left}"
    )


def _purge(draft: _Draft) -> None:
    facts, policy = draft.facts, draft.policy
    candidates = []
    for key, files in facts.partitions().items():
        # compaction rewrites the small files anyway, and drops their deletion vectors
        least = policy.small_file_bytes if key in draft.compacted else 0
        left = [f for f in files if f.size_bytes >= least]
        marked = [f for f in left if f.deleted_rows]
        rows = sum(f.rows or f.deleted_rows for f in left)
        if marked and sum(f.deleted_rows for f in marked) / rows >= policy.deleted_row_share:
            candidates.append(
                _Candidate(partition=key, files=len(marked), saved=1, rewrite_bytes=_size(marked))
            )
    limit = f"{policy.deleted_row_share:.1%}"
    share = f"{facts.deleted_share:.1%} of rows are marked deleted"
    taken = draft.chosen(candidates)
    if not taken:
        why = f"purging starts at {limit} of a partition" if not candidates else "over the budget"
        draft.reasons.append(f"no purge: {share}; {why}")
        return
    keys = tuple(c.partition for c in taken)
    draft.actions.append(
        Purge(
            partitions=None if len(keys) == len(facts.partitions()) else keys,
            files=sum(c.files for c in taken),
            rewrite_bytes=sum(c.rewrite_bytes for c in taken),
        )
    )
    draft.reasons.append(
        f"purge {len(taken)} partitions: {share}; {limit} or more of these, "
        f"{readable(sum(c.rewrite_bytes for c in taken))} rewritten"
    )


def _vacuum(draft: _Draft) -> None:
    facts, policy = draft.facts, draft.policy
    if policy.retain_hours is None:
        draft.reasons.append("no vacuum: the policy gives no retain_hours")
    elif facts.tables_inside:
        draft.reasons.append("no vacuum: a table inside this one would lose its files")
    elif not facts.expired_files:
        draft.reasons.append(f"no vacuum: no file left the table over {policy.retain_hours} h ago")
    else:
        hours = max(policy.retain_hours, facts.retain_hours or 0)
        draft.actions.append(Vacuum(retain_hours=hours, files=facts.expired_files))
        draft.reasons.append(
            f"vacuum: {facts.expired_files} files left the table over {hours} h ago"
        )


def _slice_of(
    draft: _Draft, small: dict[Partition, tuple[FileFacts, ...]]
) -> tuple[list[_Candidate], int]:
    """When no partition fits whole: the smallest files of one, as many as the budget allows."""
    for partition, files in small.items():
        sizes = sorted(f.size_bytes for f in files)
        taken, total = 0, 0
        while taken < len(sizes) and total + sizes[taken] <= draft.left_bytes:
            total += sizes[taken]
            taken += 1
        # a limit by size takes all files of one size or none
        below = sizes[taken] if taken < len(sizes) else draft.policy.small_file_bytes
        chosen = [size for size in sizes if size < below]
        if len(chosen) >= draft.policy.min_files:
            draft.spent_bytes += sum(chosen)
            saved = len(chosen) - math.ceil(sum(chosen) / draft.policy.target_file_bytes)
            candidate = _Candidate(
                partition=partition, files=len(chosen), saved=saved, rewrite_bytes=sum(chosen)
            )
            return [candidate], below
    return [], draft.policy.small_file_bytes


def _wants(
    files: Sequence[FileFacts], small: Sequence[FileFacts], policy: CompactionPolicy
) -> bool:
    enough = len(small) >= policy.min_files
    share = len(small) >= policy.small_file_share * len(files)
    return enough and share and _after(small, policy) < len(small)


def _after(small: Sequence[FileFacts], policy: CompactionPolicy) -> int:
    return math.ceil(_size(small) / policy.target_file_bytes) if small else 0


def _small(files: Iterable[FileFacts], policy: CompactionPolicy) -> tuple[FileFacts, ...]:
    return tuple(file for file in files if file.size_bytes < policy.small_file_bytes)


def _size(files: Iterable[FileFacts]) -> int:
    return sum(file.size_bytes for file in files)
