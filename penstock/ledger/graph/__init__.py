"""The graph of datasets, columns, jobs and runs: a projection of the events, as of any instant."""
