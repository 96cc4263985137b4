"""What is known of datasets, jobs and runs, by name and by id, with their facets."""

from __future__ import annotations

from penstock.ledger.graph.reads.datasets import DatasetReads
from penstock.ledger.graph.reads.jobs import JobReads
from penstock.ledger.graph.reads.runs import RunReads

__all__ = ["Catalog"]


class Catalog(DatasetReads, JobReads, RunReads):
    """All questions in one transaction, so that what they see is of one moment.

    Where `facets` is given, nodes have these facets alone, and no others are read.
    """
