"""The analyzed plan of a frame of a classic session, written out within its JVM.

Spark's own `toJSON` writes the branches of a CASE twice, so that it doubles with every level, and
its text quotes no literal. `PlanWriter.java` writes each part once; the JVM compiles it by the
compiler that Spark has for its own generated code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from penstock.lineage.plan.json_plan import read_plan

if TYPE_CHECKING:
    from pyspark.sql.classic.dataframe import DataFrame

    from penstock.lineage.plan.tree import Node

__all__ = ["classic_plan"]

_SOURCE = Path(__file__).with_name("PlanWriter.java")
_writers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()  # by the gateway of their JVM


def classic_plan(frame: DataFrame) -> Node:
    """The analyzed plan of the frame; runs nothing."""
    gateway = frame.sparkSession.sparkContext._gateway  # noqa: SLF001 - the only road to it
    if gateway not in _writers:
        _writers[gateway] = _compiled(gateway)
    analyzed = frame._jdf.queryExecution().analyzed()  # noqa: SLF001
    return read_plan(json.loads(_writers[gateway].apply(analyzed)))


def _compiled(gateway: Any) -> Any:
    compiler = gateway.jvm.org.codehaus.janino.SimpleCompiler()
    compiler.cook(_SOURCE.read_text())
    written = compiler.getClassLoader().loadClass("PlanWriter")
    made = written.getDeclaredConstructor(gateway.new_array(gateway.jvm.java.lang.Class, 0))
    return made.newInstance(gateway.new_array(gateway.jvm.java.lang.Object, 0))
