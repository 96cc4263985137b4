#!/bin/bash
# dagster 1.13.27: `dagster-daemon run` with a module or a workspace file of modules throws its code server away
# every 60 seconds and starts a new one, which imports the whole deployment again, with nothing to do and no code
# changed. An import that costs ten seconds of CPU keeps a sixth of a core busy for ever. `dagster dev` starts one code
# server, and web server and daemon connect to it: there the code is imported once.
#
# Seen: the daemon imports the module three times or more in 150 seconds; `dagster dev` once.
set -euo pipefail
folder="$(mktemp -d)"
trap 'kill "${pid:-}" 2>/dev/null || true; sleep 3; kill -9 -- "-${pid:-}" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dagster==1.13.27 dagster-webserver==1.13.27
cat > counted.py <<'PY'
import os

import dagster as dg

with open(os.environ["IMPORTS"], "a") as file:
    file.write("imported\n")


@dg.asset
def rows() -> None: ...


defs = dg.Definitions(assets=[rows])
PY

imports() { # NAME COMMAND...: how often the module is imported in 150 seconds
    local name="$1"
    shift
    mkdir -p "$folder/$name"
    printf 'telemetry:\n  enabled: false\n' > "$folder/$name/dagster.yaml"
    : > "$folder/$name.txt"
    IMPORTS="$folder/$name.txt" DAGSTER_HOME="$folder/$name" PATH="$folder/venv/bin:$PATH" \
        setsid "$@" > "$folder/$name.log" 2>&1 &
    pid=$!
    sleep 150
    kill -TERM -- "-$pid" 2>/dev/null || true
    sleep 3
    kill -KILL -- "-$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    grep -c imported "$folder/$name.txt"
}

imports daemon venv/bin/dagster-daemon run -m counted > daemon.count
imports dev venv/bin/dagster dev -m counted -p 0 > dev.count
daemon="$(cat daemon.count)" dev="$(cat dev.count)"
echo "imports of the module in 150 seconds: dagster-daemon run $daemon, dagster dev $dev"
[ "$daemon" -ge 3 ] && [ "$dev" -eq 1 ]
