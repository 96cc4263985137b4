#!/bin/bash
# dagster 1.13.27: a partition mapping that has no settings is false. `dg.AllPartitionMapping()`,
# `dg.IdentityPartitionMapping()` and `dg.LastPartitionMapping()` are named tuples without fields, and an empty tuple is
# false; `dg.TimeWindowPartitionMapping()`, which has settings with defaults, is true. So `mapping or default`, or a
# filter of what was given, drops the mapping without a word, and the asset gets the one that Dagster infers: where all
# partitions were meant, those of the same window, or an error about time zones that the mapping was to avoid.
#
# Seen: bool() of each, and the upstream partitions of a day with and without the mapping being kept.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dagster==1.13.27
cat > seen.py <<'PY'
import warnings
from datetime import datetime, timezone

warnings.simplefilter("ignore")
import dagster as dg

truth = {
    name: bool(getattr(dg, name)())
    for name in (
        "AllPartitionMapping",
        "IdentityPartitionMapping",
        "LastPartitionMapping",
        "TimeWindowPartitionMapping",
    )
}
print(truth)
days = dg.DailyPartitionsDefinition("2024-01-01")


def upstream(mapping):
    @dg.asset(partitions_def=days)
    def rows() -> None: ...

    @dg.asset(partitions_def=days, ins={"rows": dg.AssetIn("rows", partition_mapping=mapping)})
    def total(rows) -> None: ...

    graph = dg.Definitions(assets=[rows, total]).resolve_asset_graph()
    found = graph.get_partition_mapping(
        dg.AssetKey("total"), dg.AssetKey("rows")
    ).get_upstream_mapped_partitions_result_for_partitions(
        days.subset_with_partition_keys(["2024-01-05"]), days, days, datetime(2024, 1, 11, tzinfo=timezone.utc)
    )
    return len(list(found.partitions_subset.get_partition_keys()))


kept, dropped = upstream(dg.AllPartitionMapping()), upstream(dg.AllPartitionMapping() or None)
print(f"partitions that a day is made of: {kept}; with `dg.AllPartitionMapping() or None`: {dropped}")
assert truth == {
    "AllPartitionMapping": False,
    "IdentityPartitionMapping": False,
    "LastPartitionMapping": False,
    "TimeWindowPartitionMapping": True,
}
assert (kept, dropped) == (10, 1)
PY
venv/bin/python seen.py
