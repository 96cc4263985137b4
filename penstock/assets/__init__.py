"""The governed asset: a dataset's definition, the executor that produces it, and its Dagster form.

The executor's steps are in `resolve`, `body`, `gate`, `audit`, `commit` and `record`.
"""
