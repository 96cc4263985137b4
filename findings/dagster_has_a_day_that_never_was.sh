#!/bin/bash
# dagster 1.13.27: where a time zone left a day out on its way over the date line, daily partitions have it, and its
# window is that of the day after: two partitions are of the same 24 hours. In Samoa (Pacific/Apia) the 29th of December
# 2011 was followed by the 31st. An asset that is made by the partition's time window reads these hours twice, under two
# names, and a sum over its partitions counts them twice. The windows are neither empty nor side by side.
#
# Seen: names and windows of the partitions from 29 December 2011 on.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dagster==1.13.27
cat > seen.py <<'PY'
from datetime import timezone

import dagster as dg

days = dg.DailyPartitionsDefinition("2011-12-29", end_date="2012-01-02", timezone="Pacific/Apia")
windows = {}
for key in days.get_partition_keys():
    window = days.time_window_for_partition_key(key)
    windows[key] = [at.astimezone(timezone.utc).isoformat() for at in (window.start, window.end)]
    print(key, *windows[key])
assert list(windows) == ["2011-12-29", "2011-12-30", "2011-12-31", "2012-01-01"]
assert windows["2011-12-30"] == windows["2011-12-31"]
assert windows["2011-12-29"][1] == windows["2011-12-31"][0]
PY
venv/bin/python seen.py
