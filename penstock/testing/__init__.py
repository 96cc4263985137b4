"""What users test their own pipelines with; the framework's own tests use it too.

A dataset's function on a few literal rows, frames compared readably, a lake in a temporary folder,
and the number of Spark jobs something costs. Messages from here may show rows: they are the
test's own.
"""

from penstock.testing.body import run_body
from penstock.testing.difference import assert_frames_equal
from penstock.testing.jobs import CountedJobs, count_jobs
from penstock.testing.rows import rows
from penstock.testing.session import small_session
from penstock.testing.temporary_lake import temporary_lake

__all__ = [
    "CountedJobs",
    "assert_frames_equal",
    "count_jobs",
    "rows",
    "run_body",
    "small_session",
    "temporary_lake",
]
