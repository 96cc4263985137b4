"""`penstock plan`: against what runs have registered, and against a revision of git."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from penstock.cli.plan import AGREED, BLOCKED
from penstock.ledger.ledger import Ledger
from tests.cli.conftest import MODULE, Shop, in_project, make_project
from tests.ledger.told_events import dataset, run_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow(seconds=30)


@pytest.fixture
def committed(
    tmp_path: Path,
    spark: SparkSession,  # noqa: ARG001 - the session that the plan finds and shares
) -> Iterator[Shop]:
    """A project in a folder of a git repository; nothing ran."""
    root = tmp_path / "shop"
    root.mkdir()
    make_project(root)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    with in_project(root):
        yield Shop(root=root)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def edit(shop: Shop, *changes: tuple[str, str]) -> None:
    """The project's module with these texts replaced."""
    file = shop.root / f"{MODULE}.py"
    text = file.read_text()
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file.write_text(text)
    sys.modules.pop(MODULE, None)


def test_what_was_deployed_is_as_before(filled: Any) -> None:
    assert filled("plan").stdout.splitlines() == [
        "shop.stock 0.1.0, new",
        "3 datasets: 2 as before, 1 new",
    ]
    made = filled.json("plan")
    assert made["verdict"] == "fine"
    assert [one["before"] for one in made["datasets"]] == ["1.2.0", "1.0.0", None]
    assert made["unseen"] == []
    everything = filled("plan", "--all").stdout.splitlines()
    assert everything[:3] == ["shop.orders 1.2.0", "shop.totals 1.0.0", "shop.stock 0.1.0, new"]


def test_a_change_is_held_against_a_revision(committed: Shop) -> None:
    assert committed("plan", "--against", "main").stdout.strip() == "3 datasets: 3 as before"
    edit(
        committed,
        ("    amount: int = column(ge=0, unit=", "    fee: int = column(ge=0, unit="),
        ('version="0.1.0"', 'version="0.1.1"'),
    )
    report = committed.root / "plan.md"
    result = committed("plan", "--against", "main", "--report", str(report))
    assert result.exit_code == BLOCKED
    said = [line.strip() for line in result.stdout.splitlines()]
    assert said[0] == "shop.orders 1.2.0"
    assert said[1].startswith("blocked       the version does not say what changes")
    # whatever the width of the terminal
    text = " ".join(result.stdout.split())
    assert 'next: write version="2.0.0" in the contract' in text
    assert "read by shop.totals (turnover); through them shop.stock (which rows)" in text
    assert "shop.totals 1.0.0" in said
    assert "blocked the function names a column that is not there" in text
    assert said[-1] == "3 datasets: 1 as before, 2 blocked"
    assert report.read_text().startswith("## ⛔ penstock plan: blocked\n")
    made = committed.json("plan", "--against", "main", code=BLOCKED)
    changed = made["datasets"][0]["changes"]
    assert [(one["kind"], one["path"]) for one in changed] == [
        ("Added", "fee"),
        ("Dropped", "amount"),
    ]
    assert changed[1]["readers"] == [
        {"dataset": "shop.totals", "column": "turnover", "depth": 1, "unknown": False},
        {"dataset": "shop.stock", "column": "which rows", "depth": 2, "unknown": False},
    ]


def test_a_column_more_is_fine_and_less_freshness_is_agreed(committed: Shop) -> None:
    edit(
        committed,
        ('version="1.2.0"', 'version="1.3.0"'),
        (
            '    amount: int = column(ge=0, unit="euro")\n',
            '    amount: int = column(ge=0, unit="euro")\n    note: str = column(nullable=True)\n',
        ),
    )
    result = committed("plan", "--against", "HEAD")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (
        0,
        "3 datasets: 2 as before, 1 fine",
    )
    edit(
        committed,
        ("    freshness=timedelta(hours=26),\n", ""),
        (
            '    name="shop.totals",\n    version="1.0.0",',
            '    name="shop.totals",\n    version="2.0.0",',
        ),
    )
    # nobody reads a value of it: the rows of stock are made of its days
    assert committed("plan", "--against", "HEAD").exit_code == AGREED


def test_a_dataset_that_is_gone_is_told(committed: Shop) -> None:
    edit(committed, ("datasets=(totals, stock, orders)", "datasets=(totals, orders)"))
    result = committed("plan", "--against", "main")
    assert result.exit_code == AGREED
    assert "shop.stock 0.1.0, gone" in result.stdout


def test_a_revision_that_cannot_be_read_is_told(committed: Shop, tmp_path: Path) -> None:
    for wrong in ("no-such-branch", "--upload-pack=x", "main:shop"):
        told = committed.json("plan", "--against", wrong, code=2)["error"]
        assert told["what"] == "the revision to compare with cannot be read"
    edit(committed, ("from __future__ import annotations\n", "import no_such_module\n"))
    git(tmp_path, "commit", "-q", "-am", "broken")
    git(tmp_path, "revert", "--no-edit", "HEAD")
    sys.modules.pop(MODULE, None)
    told = committed.json("plan", "--against", "HEAD~1", code=2)["error"]
    assert told["what"] == "the deployment of that revision does not load with this Penstock"
    assert "no_such_module" in told["found"]
    before = git_root_without_project(tmp_path)
    told = committed.json("plan", "--against", before, code=2)["error"]
    assert told["what"] == "the project is not in that revision"


def test_a_link_that_leads_out_of_the_revision_is_left_out(committed: Shop, tmp_path: Path) -> None:
    (committed.root / "elsewhere").symlink_to("/")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "a link")
    assert committed("plan", "--against", "HEAD").exit_code == 0


def test_what_is_imported_from_the_working_tree_is_no_revision(
    committed: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the project is installed as editable, and its folder is not where it is loaded."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "shop_words.py").write_text("EURO = 'euro'\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "library"))
    monkeypatch.syspath_prepend(str(tmp_path / "library"))
    edit(committed, ("from pathlib import Path\n", "from pathlib import Path\nimport shop_words\n"))
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "a library")
    told = committed.json("plan", "--against", "HEAD", code=2)["error"]
    assert told["found"].startswith("it imports shop_words from the working tree")


def test_a_deployment_that_the_environment_names_is_the_one_before(
    committed: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (committed.root / "pyproject.toml").write_text("[tool.penstock]\n")
    git(committed.root, "commit", "-q", "-am", "named elsewhere")
    monkeypatch.setenv("PENSTOCK_DEPLOYMENT", f"{MODULE}:deployment")
    assert committed("plan", "--against", "HEAD").stdout.strip() == "3 datasets: 3 as before"


def test_what_a_function_prints_is_no_part_of_the_answer(committed: Shop) -> None:
    edit(
        committed,
        (
            "    return totals.where(",
            '    print("looking")\n    totals.show()\n    return totals.where(',
        ),
    )
    assert committed.json("plan", "--against", "main")["verdict"] == "fine"


def test_a_report_that_cannot_be_written_is_told_after_the_answer(committed: Shop) -> None:
    result = committed("plan", "--against", "main", "--report", "nowhere/plan.md")
    assert result.exit_code == 4
    assert "3 datasets: 3 as before" in result.stdout


def git_root_without_project(top: Path) -> str:
    """A commit that has another folder alone."""
    git(top, "checkout", "-q", "--orphan", "empty")
    git(top, "rm", "-rqf", "--cached", ".")
    (top / "other.txt").write_text("nothing\n")
    git(top, "add", "other.txt")
    git(top, "commit", "-q", "-m", "other")
    return "empty"


def test_outside_of_git_it_is_told(shop: Any, spark: SparkSession) -> None:  # noqa: ARG001
    told = shop.json("plan", "--against", "main", code=2)["error"]
    assert told["what"] == "the revision to compare with cannot be read"


def test_readers_that_others_told_of_are_named(shop: Any, spark: SparkSession) -> None:  # noqa: ARG001
    shop.deliver("2013-02-07", "11,2013-02-07,ada@example.org,10")
    assert shop("run", "shop.orders", "--slice", "2013-02-07").exit_code == 0
    (made,) = [
        event.payload["outputs"][0]
        for event in shop_ledger(shop.root).events()
        if event.payload["eventType"] == "COMPLETE"
    ]
    lineage = {"fields": {"paid": {"inputFields": [{**name_of(made), "field": "amount"}]}}}
    shop_ledger(shop.root).append(
        run_event(
            "COMPLETE",
            0,
            "dashboard",
            inputs=({**name_of(made), "facets": {}},),
            outputs=(dataset("board", columnLineage=lineage),),
        )
    )
    # what runs wrote is nobody's but the deployment's
    assert shop("plan").stdout.splitlines()[-1] == "3 datasets: 1 as before, 2 new"
    owned = 'column(ge=0, unit="euro")\n\n\nclass Totals'
    edit(shop, (owned, owned.replace("ge=0, ", "")))
    (changed,) = shop.json("plan", code=BLOCKED)["datasets"][0]["changes"]
    assert changed["verdict"] == "agreed"
    assert [(r["depth"], r["dataset"]) for r in changed["readers"]] == [
        (1, "file|board"),
        (1, "shop.totals"),
        (2, "shop.stock"),
    ]


def shop_ledger(root: Path) -> Ledger:
    return Ledger.open(f"sqlite:///{root / 'ledger.db'}")


def name_of(made: dict[str, Any]) -> dict[str, str]:
    return {"namespace": made["namespace"], "name": made["name"]}
