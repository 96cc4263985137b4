"""A process that runs a dataset and kills itself: `killed_job.py <folder> <step> [<dataset>]`.

The dataset is a name in `shop.py`, without one it is `stuck`.

With step `writing` it dies while Delta writes its data files: the function makes the second row
wait until then. With `meet` it lives, and waits after its start for another run to have started.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from penstock import dataset, landing
from tests.assets import shop as datasets
from tests.assets.shop import FILES, Loaded, Shop

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

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


def main(folder: Path, step: str, name: str | None = None) -> None:
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

        shop.run(getattr(datasets, name) if name else stuck, on_step=on_step)


if __name__ == "__main__":
    # the dataset of the module's own name: what is defined in __main__ is other code
    from tests.assets import killed_job

    killed_job.main(Path(sys.argv[1]), *sys.argv[2:])
