"""What governing costs: CPU-seconds of whole process trees, as ratios, in one run.

    python benchmarks/spine.py                     all of it; an hour on two quiet cores
    python benchmarks/spine.py --only chain --pairs 2
    python benchmarks/spine.py --only governed --rows 500000

Prints a table and writes JSON (`--out`). Both sides of every ratio are checked to have made the
same tables. Goals are those of the project; a missed one is said, and is no failure.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report import Ratio, facts, markdown, ratio

from penstock.resources.archive import make_archive
from penstock.resources.home import home

if TYPE_CHECKING:
    from collections.abc import Mapping

_OUT = Path(__file__).parent / "results" / "spine.json"
# columns: comparison, side, against; both in words; the goal
_WRITES = (
    ("clean", "governed", "bare", "governed write, clean rows", "bare Delta write", 1.15),
    ("clean", "governed", "pandera", "governed write, clean rows", "pandera, then write", None),
    ("clean", "pandera", "bare", "pandera, then write, clean rows", "bare Delta write", None),
    ("clean, key", "governed", "bare", "and a unique key checked", "bare Delta write", None),
    ("bad", "governed", "bare", "16 bad rows, as in the run before", "bare Delta write", 1.5),
    ("bad, new", "governed", "bare", "16 bad rows, none before", "bare Delta write", 1.5),
)
_CHAIN_GOALS = {"standard": 0.2, "small": 0.12, "connect": 0.05}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=5_000_000, help="of the write (5000000)")
    parser.add_argument("--pairs", type=int, default=5, help="rounds of each comparison (5)")
    parser.add_argument("--only", choices=("governed", "chain"), help="one half")
    parser.add_argument("--out", type=Path, default=_OUT, help="the JSON file")
    asked = parser.parse_args()
    # ended from outside, it still ends what it started
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    note("the class archive, if it is not there")
    make_archive(home() / "jars")
    # a half that is measured alone takes the place of its old figures; the other's stay
    told = json.loads(asked.out.read_text()) if asked.only and asked.out.is_file() else {}
    with tempfile.TemporaryDirectory(prefix="penstock-spine-") as scratch:
        if asked.only != "chain":
            told["governed"] = _governed(Path(scratch) / "governed", asked.rows, asked.pairs)
        if asked.only != "governed":
            told["chain"] = _chain(Path(scratch) / "chain", asked.pairs)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told, indent=2) + "\n")
    print(markdown(Ratio(**r) for half in told.values() for r in half["ratios"]))


def note(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


def _governed(folder: Path, rows: int, pairs: int) -> Mapping[str, Any]:
    from write_pairs import measure_writes

    when = facts()
    used = measure_writes(folder, rows, pairs, note)
    ratios = [
        ratio(what, other, used[comparison][side], used[comparison][against], goal)
        for comparison, side, against, what, other, goal in _WRITES
    ]
    return {"facts": when, "rows": rows, "cpu_seconds": used, "ratios": [*map(asdict, ratios)]}


def _chain(folder: Path, pairs: int) -> Mapping[str, Any]:
    from chain_pairs import CHAIN_SIDES, measure_chain

    when = facts()
    used = measure_chain(folder, pairs, note)
    ratios = [
        ratio(CHAIN_SIDES[side], "stock chain", seconds, used["stock"], _goal(side))
        for side, seconds in used.items()
        if side != "stock"
    ]
    return {"facts": when, "cpu_seconds": used, "ratios": [*map(asdict, ratios)]}


def _goal(side: str) -> float | None:
    return next((goal for way, goal in _CHAIN_GOALS.items() if way in side.split()), None)


if __name__ == "__main__":
    main()
