"""What differs between two contracts, as small operations that each know what they mean.

`difference` finds them, `deserved` says which version they ask for, `judge` whether they may be.
"""

from penstock.schemas.evolution.difference import columns_difference, difference
from penstock.schemas.evolution.operation import Bump, Meaning, Operation, Reach
from penstock.schemas.evolution.verdict import Judgement, Reader, Verdict, judge
from penstock.schemas.evolution.version import deserved, problem_of, raised

__all__ = [
    "Bump",
    "Judgement",
    "Meaning",
    "Operation",
    "Reach",
    "Reader",
    "Verdict",
    "columns_difference",
    "deserved",
    "difference",
    "judge",
    "problem_of",
    "raised",
]
