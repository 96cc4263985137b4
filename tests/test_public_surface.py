"""What `import penstock` gives, and what it must not cost."""

from __future__ import annotations

import json
import subprocess
import sys

import penstock


def test_every_public_name_can_be_loaded_and_the_list_is_sorted() -> None:
    assert penstock.__all__ == sorted(penstock.__all__)
    for name in penstock.__all__:
        assert getattr(penstock, name) is not None
    assert set(penstock._HOME_OF) == set(penstock.__all__)


def test_importing_it_loads_neither_spark_nor_dagster_nor_pandera() -> None:
    code = "import sys, json, penstock; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"pyspark", "dagster", "pandera", "pandas", "py4j", "sqlalchemy"}


def test_the_contract_model_the_rules_and_the_lineage_model_are_pure() -> None:
    pure = (
        "penstock.schemas.model, penstock.schemas.evolution, penstock.schemas.predicates, "
        "penstock.lineage.column_lineage"
    )
    code = f"import sys, json, {pure}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"pyspark", "dagster", "pandera"}
