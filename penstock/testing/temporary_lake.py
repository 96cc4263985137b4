"""A lake, a landing folder and a ledger in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.assets.runtime import Runtime
from penstock.ledger import Ledger
from penstock.resources.lake import Lake

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["temporary_lake"]


def temporary_lake(path: Path) -> Runtime:
    r"""What `run` needs, all of it under `path`: `lake/`, `landing/` and `ledger.db`.

    Calling it again for the same path opens what is there.

    >>> runtime = temporary_lake(tmp_path)
    >>> (tmp_path / "landing" / "bookings.csv").write_text("booking_id,fare\\nb1,3.50\\n")
    >>> run(bookings, spark, runtime=runtime).rows_in
    1
    """
    landing = path / "landing"
    landing.mkdir(parents=True, exist_ok=True)
    return Runtime(
        lake=Lake(root=str(path / "lake"), landing=str(landing)),
        ledger=Ledger.open(f"sqlite:///{path / 'ledger.db'}"),
    )
