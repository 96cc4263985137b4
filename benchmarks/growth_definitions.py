"""What many datasets cost to load: `python growth_definitions.py FILE DATASETS` prints JSON.

Without datasets it loads what a deployment imports, and no dataset.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path

_HEAD = """from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from penstock import Contract, Decimal, column, dataset, landing, table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

"""
_ONE = '''
class C{n}(Contract, name="bronze.t{n}", version="1.0.0", owner="team:benchmark"):
    """One row of table {n}."""

    id: int = column(key=True, ge=0)
    code: str = column(str_matches="^[A-Z]{{2}}-[0-9]{{6,8}}$")
    city: str = column(isin=["AMS", "BER"])
    miles: float = column(gt=0.0, le=5000.0)
    fare: Decimal(10, 2) = column(ge=0, lt=100000)
    started: datetime = column()
    day: date = column()
    remark: str = column(nullable=True, str_length={{"max_value": 60}})


@dataset(C{n}, inputs={{"raw": {source}}})
def t{n}(raw: DataFrame) -> DataFrame:
    """Table {n}."""
    return raw.where("id > {n}")

'''


def main() -> None:
    """Import, load the datasets, make Dagster's definitions of them: CPU-seconds of each."""
    file, count = Path(sys.argv[1]), int(sys.argv[2])
    sources = ('landing("x{n}/*.csv")', 'table("bronze.t{before}")')
    parts = [
        _ONE.format(n=n, source=sources[n % 10 > 0].format(n=n, before=n - 1)) for n in range(count)
    ]
    file.write_text(_HEAD + "".join(parts))
    begun = time.process_time()
    import penstock.assets.asset
    from penstock import Deployment
    from penstock.resources.lake import Lake
    from penstock.resources.ledger import LedgerResource
    from penstock.resources.local import LocalCluster

    imported = time.process_time()
    # compiled as any module is the second time that it is imported
    code = compile(file.read_text(), str(file), "exec")
    compiled = time.process_time()
    spec = importlib.util.spec_from_file_location("many", file)
    assert spec
    module = importlib.util.module_from_spec(spec)
    sys.modules["many"] = module
    exec(code, vars(module))  # noqa: S102 - what was written above
    folder = str(file.parent)
    deployment = Deployment(
        datasets=tuple(getattr(module, f"t{n}") for n in range(count)),
        resources={
            "lake": Lake(root=f"{folder}/lake", landing=f"{folder}/landing"),
            "ledger": LedgerResource(url=f"sqlite:///{folder}/ledger.db"),
            "cluster": LocalCluster(),
        },
    )
    loaded = time.process_time()
    assert penstock.assets.asset.definitions
    deployment.definitions()
    told = {
        "imports": imported - begun,
        "load": loaded - compiled,
        "definitions": time.process_time() - loaded,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
