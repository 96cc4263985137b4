"""The four-dataset chain: stock Dagster with a JVM a step, and Penstock cold and warm."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from chain_bodies import ROWS, TABLES, make_landing
from chain_penstock import produce
from cpu import measured_command
from deltalake import DeltaTable

from penstock.resources.connect import ConnectCluster
from penstock.resources.home import home
from penstock.resources.jars import JarSet, class_path
from penstock.resources.settings import Profile

if TYPE_CHECKING:
    from collections.abc import Callable

    from write_pairs import Note

__all__ = ["CHAIN_SIDES", "measure_chain"]

_HERE = Path(__file__).parent
_WARM_UP = 3  # chains that a server has done before it is called warm
CHAIN_SIDES = {
    "stock": "stock dagster + dagster-pyspark, multiprocess",
    "standard": "Penstock, one process, standard profile",
    "small": "Penstock, one process, small profile",
    "dagster standard": "Penstock as a Dagster job, in process, standard profile",
    "dagster small": "Penstock as a Dagster job, in process, small profile",
    "connect": "Penstock on warm Connect, a new client process",
    "connect dagster": "Penstock on warm Connect as a Dagster job, a new process",
    "connect client": "Penstock on warm Connect, a client that is already up",
}


@dataclass(slots=True)
class _Chains:
    folder: Path
    log: Path = field(init=False)
    made: int = 0

    def __post_init__(self) -> None:
        self.log = self.folder / "output.log"

    def root(self) -> Path:
        """A new place with the file in its landing and nothing else."""
        self.made += 1
        root = self.folder / f"{self.made:03}"
        make_landing(root / "landing")
        return root

    def dagster_job(self, script: str, cluster: str = "") -> tuple[float, Path]:
        """CPU-seconds of `dagster job execute` with an instance of its own, and its root."""
        root = self.root()
        (root / "dagster").mkdir()
        (root / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        environment = {
            "CHAIN_ROOT": str(root),
            "CHAIN_CLUSTER": cluster,
            "CHAIN_JARS": ",".join(map(str, class_path(home() / "jars", JarSet.DELTA))),
            "DAGSTER_HOME": str(root / "dagster"),
            "PYSPARK_PYTHON": sys.executable,
        }
        command = [sys.executable, "-m", "dagster", "job", "execute", "-j", "chain"]
        command += ["-f", str(_HERE / script), "-d", str(_HERE)]
        return measured_command(command, environment, self.log)[0], root

    def script(self, cluster: str) -> tuple[float, Path]:
        """CPU-seconds of a process that makes one chain without Dagster's runs, and its root."""
        root = self.root()
        command = [sys.executable, str(_HERE / "chain_penstock.py"), cluster, str(root)]
        return measured_command(command, {}, self.log)[0], root

    def here(self, cluster: str) -> tuple[float, Path]:
        """CPU-seconds of this process for one chain, and its root."""
        root = self.root()
        before = time.process_time()
        produce(cluster, root)
        return time.process_time() - before, root


def measure_chain(folder: Path, pairs: int, note: Note) -> dict[str, list[float]]:
    """CPU-seconds of each of CHAIN_SIDES; the n-th of each belong to one round.

    Each side makes the same four tables of the same file, in a new place; that is checked. A
    server is warm when it has done `_WARM_UP` chains; what it uses during a chain is counted.
    """
    chains = _Chains(folder)
    used: dict[str, list[float]] = {side: [] for side in CHAIN_SIDES}
    expected = list[list[dict[str, object]]]()
    # the size that `penstock up` gives its server
    server = ConnectCluster(profile=Profile.SMALL)
    url = server.ensure().address

    def warm(way: Callable[[], tuple[float, Path]]) -> tuple[float, Path]:
        before = server.cost().cpu_seconds or 0.0
        seconds, root = way()
        return seconds + (server.cost().cpu_seconds or 0.0) - before, root

    ways = {
        "stock": lambda: chains.dagster_job("chain_stock.py"),
        "standard": lambda: chains.script("standard"),
        "small": lambda: chains.script("small"),
        "dagster standard": lambda: chains.dagster_job("chain_penstock.py", "standard"),
        "dagster small": lambda: chains.dagster_job("chain_penstock.py", "small"),
        "connect": lambda: warm(lambda: chains.script(url)),
        "connect dagster": lambda: warm(lambda: chains.dagster_job("chain_penstock.py", url)),
        "connect client": lambda: warm(lambda: chains.here(url)),
    }
    try:
        for number in range(_WARM_UP):
            seconds, _root = ways["connect client"]()
            note(f"warming the server up {number + 1}/{_WARM_UP}: {seconds:.2f} CPU-s")
        for number in range(pairs):
            for side, way in ways.items():
                seconds, root = way()
                used[side].append(seconds)
                note(f"chain {number + 1}/{pairs} {side}: {seconds:.2f} CPU-s")
                found = [_content(root, table) for table in TABLES]
                expected = expected or found
                assert len(found[0]) == ROWS
                assert found == expected, f"{side} made other tables than {CHAIN_SIDES['stock']}"
    finally:
        server.release()
    return used


def _content(root: Path, table: str) -> list[dict[str, object]]:
    rows = DeltaTable(str(root / "lake" / table.replace(".", "/"))).to_pyarrow_table()
    keys = [name for name in ("order_id", "ordered_on", "city") if name in rows.column_names]
    return list(rows.sort_by([(name, "ascending") for name in keys]).to_pylist())
