"""Table upkeep: measure the files, plan the cheapest rewrite, apply it without touching a row."""

from penstock.compaction.action import Action, Compact, Purge, Vacuum
from penstock.compaction.apply import apply
from penstock.compaction.facts import FileFacts, Partition, SizeBucket, TableFacts
from penstock.compaction.measure import measure
from penstock.compaction.outcome import CompactionOutcome, CompactionStatus, UpkeepCommit
from penstock.compaction.plan import CompactionPlan, plan_compaction
from penstock.compaction.policy import CompactionPolicy

__all__ = [
    "Action",
    "Compact",
    "CompactionOutcome",
    "CompactionPlan",
    "CompactionPolicy",
    "CompactionStatus",
    "FileFacts",
    "Partition",
    "Purge",
    "SizeBucket",
    "TableFacts",
    "UpkeepCommit",
    "Vacuum",
    "apply",
    "measure",
    "plan_compaction",
]
