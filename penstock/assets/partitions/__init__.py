"""What a dataset is cut into.

Each kind knows the columns that say which slice a row is of, the slice of a name, and the names of
the windows and values of a slice. What Dagster calls them is in `dagster`.
"""
