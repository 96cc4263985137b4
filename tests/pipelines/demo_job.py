"""Tells the demo in one process, in the home that the environment names."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from rich.console import Console

if TYPE_CHECKING:
    from pathlib import Path

DAYS = slice(-2, None)


def tell_twice(answer: Path) -> None:
    """Leaves what was told in the file, as JSON."""
    from pipelines.data import DEMO_DAYS
    from pipelines.demo import demo

    told: list[dict[str, Any]] = []
    for _ in range(2):
        progress = Console(file=io.StringIO(), width=200)
        live = Console(file=io.StringIO(), width=200, force_terminal=True)
        summary = demo(live if not told else progress, DEMO_DAYS[DAYS])
        shown = Console(file=io.StringIO(), width=200)
        shown.print(summary)
        # after the demo: it reads the environment when it is imported
        from pipelines.deployment import deployment

        logs = {
            spec.name: deployment.resources["lake"].table(spec.name).read()
            for spec in deployment.datasets
        }
        told.append(
            {
                "document": summary.document(),
                "shown": shown.file.getvalue(),  # type: ignore[attr-defined]
                "live": live.file.getvalue(),  # type: ignore[attr-defined]
                "progress": progress.file.getvalue(),  # type: ignore[attr-defined]
                "versions": {name: log and log.version for name, log in logs.items()},
            }
        )
    answer.write_text(json.dumps(told))


def tell_of_all(answer: Path) -> None:
    """The same days, as `PENSTOCK_SOURCES=all` has them arrive: what each table is made of."""
    from pipelines.data import DEMO_DAYS
    from pipelines.demo import demo

    summary = demo(Console(file=io.StringIO()), DEMO_DAYS[DAYS])
    shown = Console(file=io.StringIO(), width=200)
    shown.print(summary)
    answer.write_text(json.dumps({"lake": summary.lake, "shown": shown.file.getvalue()}))  # type: ignore[attr-defined]
