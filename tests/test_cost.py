"""What the suite says of its own cost."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from tests import cost
from tests.cost import FolderCost, Kind, Started, budget_rows, kind_of, over_budget, table


@pytest.mark.parametrize(
    ("name", "command", "kind"),
    [
        ("java", ["/usr/bin/java", "-cp", "/moto/dagster"], Kind.JVM),
        ("chromium", ["/usr/lib/chromium/chromium", "--type=zygote"], Kind.CHROMIUM),
        ("postgres", ["/usr/lib/postgresql/15/bin/postgres", "-D", "x"], Kind.POSTGRESQL),
        ("python", ["/a/penstock/python", "-m", "dagster_webserver"], Kind.DAGSTER),
        ("python3.11", ["python3.11", "-m", "moto.server"], Kind.MOTO),
        ("python", ["python", "-m", "penstock.cli", "up"], Kind.PENSTOCK),
        ("penstock", ["/v/bin/python", "/home/dagster/v/bin/penstock", "run"], Kind.PENSTOCK),
        ("python", ["python", "-c", "from multiprocessing.forkserver import main"], Kind.FORKED),
        ("python", ["python", "-m", "pyspark.daemon"], Kind.UDF),
        ("python", ["python", "/home/penstock/dagster/arrive.py"], Kind.PYTHON),
        ("bash", ["bash", "-c", "penstock run"], Kind.OTHER),
    ],
)
def test_a_process_is_known_by_its_program_and_not_by_its_folder(
    name: str, command: list[str], kind: Kind
) -> None:
    assert kind_of(name, command) is kind


def test_what_runs_below_is_counted_once_with_what_it_used() -> None:
    started = Started(root=psutil.Process())
    started.look()
    before = started.counts().get(Kind.PYTHON, (0, 0.0))
    code = "sum(range(20_000_000)); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        child.stdout.readline()
        started.look()
        started.look()
        child.communicate(b"\n")
    started.look()
    count, seconds = started.counts()[Kind.PYTHON]
    assert count == before[0] + 1
    assert seconds > before[1]
    assert started.rows()[-1][0] == "together"


def test_a_folder_pays_for_the_processes_of_its_files() -> None:
    used = FolderCost()
    used.begins("tests/a/test_x.py")
    subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True)
    used.begins("tests/a/b/test_y.py")
    by_folder = used.end()
    assert list(by_folder) == ["start and end of the workers", "tests/a", "tests/a/b"]
    assert by_folder["tests/a"] > by_folder["tests/a/b"]


def test_a_folder_over_its_budget_is_named_and_a_slow_machine_has_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cost, "BUDGETS", {"a": 10.0, "b": 10.0})
    used = {"a": 11.0, "b": 9.0, "new": 1.0}
    assert over_budget(used, 1.0) == ["a", "new"]
    assert over_budget(used, 3.0) == ["new"]
    assert table(budget_rows(used, 3.0)) == [
        "folder    CPU-seconds  budget",
        "a                  11      30",
        "b                   9      30",
        "new                 1       0",
        "together           21      60",
    ]
