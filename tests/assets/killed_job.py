"""What a process does that runs a dataset and kills itself.

With step `writing` it dies while Delta writes its data files: the function makes the second row
wait until then. With `meet` it lives, and waits after its start for another run to have started.
"""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from penstock import dataset, landing
from tests.assets import shop as datasets
from tests.assets.shop import FILES, Loaded, Shop
from tests.forked import attached

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from tests.forked import Jvm

STUCK = "PENSTOCK_TEST_STUCK"


@dataset(Loaded, inputs={"raw": landing(FILES)})
def stuck(raw: DataFrame) -> DataFrame:
    if os.environ.get(STUCK):
        nap = "coalesce(java_method('java.lang.Thread', 'sleep', 600000L), '')"
        item = f"CASE WHEN id = 2 THEN concat(item, {nap}) ELSE item END AS item"
        raw = raw.selectExpr("id", item, "price", "day")
    return raw


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_when_a_file_is_written(table: Path, before: set[Path]) -> None:
    never = threading.Event()
    while not set(table.rglob("*.parquet")) - before:
        never.wait(0.01)
    _die()


def meet(folder: Path, me: str, other: str) -> None:
    """Wait until the other run has come as far as this one."""
    (folder / me).touch()
    never = threading.Event()
    while not (folder / other).exists():
        never.wait(0.01)


def die_after(step: str, name: str, folder: Path, jvm: Jvm) -> None:
    """Run the dataset of this name in `shop.py`, in a JVM that lives on, and die after the step."""

    def reached(now: str) -> None:
        if now == step:
            _die()

    Shop.at(attached(jvm), folder).run(getattr(datasets, name), on_step=reached)


def run_stuck(folder: Path, step: str) -> None:
    """Run `stuck` with a Spark of its own, whose process id it leaves in the folder."""
    from penstock.resources import driver
    from penstock.testing import small_session

    with small_session() as spark:
        live = driver.current()
        assert live
        (folder / "jvm.pid").write_text(str(live.process.pid))
        shop = Shop.at(spark, folder)
        if step == "writing":
            os.environ[STUCK] = "1"
            table = Path(shop.runtime.lake.table(stuck.name).path)
            known = set(table.rglob("*.parquet"))
            threading.Thread(target=_die_when_a_file_is_written, args=(table, known)).start()

        def on_step(name: str) -> None:
            if name == step:
                _die()
            if step == "meet" and name == "started":
                meet(folder, "child.met", "parent.met")

        shop.run(stuck, on_step=on_step)
