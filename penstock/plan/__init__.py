"""What a deployment would change, and whom it would break, told before anything runs.

Every dataset's function is called on empty frames, so that neither data nor a cluster is needed.
"""

from penstock.plan.build import build_plan
from penstock.plan.outside import Outside, read_outside
from penstock.plan.plan import DatasetPlan, Plan, Problem
from penstock.plan.standing import Standing

__all__ = [
    "DatasetPlan",
    "Outside",
    "Plan",
    "Problem",
    "Standing",
    "build_plan",
    "read_outside",
]
