"""A process that runs a dataset where it may not write, and then where it may.

`unwritable_job.py <folder>` prints, by case: how the run ended, the table's version, its rows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import PenstockError
from penstock.resources.local import LocalCluster
from penstock.resources.settings import Profile
from tests.assets.shop import DAY, NEXT, Shop, orders

if TYPE_CHECKING:
    from penstock import Slice

READ_ONLY, OPEN = 0o555, 0o755


def _told(shop: Shop, slice_: Slice) -> list[Any]:
    try:
        how = "committed" if shop.run(orders, slice_).committed else "unchanged"
    except PenstockError as error:
        how = f"{type(error).__name__}: {error.what}"
    version = shop.version(orders)
    rows = [] if version is None else sorted(row.id for row in shop.table(orders).collect())
    return [how, version, rows]


def main(folder: Path) -> None:
    lake = folder / "lake"
    table = lake / "bronze" / "orders"
    told = {}
    with LocalCluster(profile=Profile.SMALL, cores=1).session() as spark:
        shop = Shop.at(spark, folder)
        shop.land("orders-2013-01-05.csv", "1,kanarienvogel,1.50,2013-01-05")
        shop.land("orders-2013-01-06.csv", "2,kanarienvogel,1.50,2013-01-06")
        lake.mkdir(mode=READ_ONLY)
        told["lake"] = _told(shop, DAY)
        lake.chmod(OPEN)
        told["open lake"] = _told(shop, DAY)
        for place in (table / "_delta_log", table):
            place.chmod(READ_ONLY)
        told["table"] = _told(shop, NEXT)
        for place in (table, table / "_delta_log"):
            place.chmod(OPEN)
        told["open table"] = _told(shop, NEXT)
    print(json.dumps(told))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(Path(sys.argv[1]))
