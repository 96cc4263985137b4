"""Contracts: what a dataset promises, as a pandera model, as plain data and as Spark SQL.

Import `Contract` and its companions from `penstock`; nothing is imported here, because the plain
model must not load pyspark.
"""
