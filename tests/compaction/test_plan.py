"""The plan is a pure decision: enough reason, within budget, and it explains itself."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.compaction import (
    Compact,
    CompactionPolicy,
    FileFacts,
    Purge,
    TableFacts,
    Vacuum,
    plan_compaction,
)
from penstock.compaction.action import statement
from penstock.errors import DefinitionError

POLICY = CompactionPolicy(target_file_bytes=1000, min_files=3)


def files(*sizes: int, partition: str | None = None, deleted: int = 0) -> list[FileFacts]:
    key = () if partition is None else (partition,)
    return [
        FileFacts(size_bytes=size, rows=100, deleted_rows=deleted, partition=key) for size in sizes
    ]


def table(*some: list[FileFacts], by: str | None = None, **facts: int | bool) -> TableFacts:
    return TableFacts(
        version=7,
        files=tuple(file for group in some for file in group),
        partition_columns=(by,) if by else (),
        **facts,  # type: ignore[arg-type]
    )


def test_many_small_files_are_compacted() -> None:
    plan = plan_compaction(table(files(10, 20, 30, 900)), POLICY)
    assert plan.actions == (
        Compact(
            partitions=None, below_bytes=500, target_file_bytes=1000, files=3, rewrite_bytes=60
        ),
    )
    assert str(plan) == (
        "version 7: 4 files, 960 B, 1 partitions, 0.0% of rows marked deleted\n"
        "  compact 1 of 1 partitions: 3 of 4 files are under 500 B; "
        "about 2 files fewer for 60 B rewritten\n"
        "  no purge: 0.0% of rows are marked deleted; purging starts at 10.0% of a partition\n"
        "  no vacuum: the policy gives no retain_hours"
    )
    json.dumps(plan.document())


@pytest.mark.parametrize(
    "sizes",
    [(), (10,), (10, 20), (600, 700, 800), (10, 20, 30, *[900] * 20)],
    ids=["empty", "one", "too few", "large enough", "too small a share"],
)
def test_a_table_in_order_is_left_alone(sizes: tuple[int, ...]) -> None:
    plan = plan_compaction(table(files(*sizes)), POLICY)
    assert not plan.acts
    assert plan.reasons[0].startswith("no compaction: ")


def test_only_partitions_that_want_it_are_touched() -> None:
    facts = table(files(1, 2, 3, partition="a"), files(999, partition="b"), by="day")
    (action,) = plan_compaction(facts, POLICY).actions
    assert isinstance(action, Compact)
    assert action.partitions == (("a",),)
    assert statement(action, "/lake/t", ("day",)) == (
        "OPTIMIZE delta.`/lake/t` WHERE (`day` = 'a')"
    )


def test_partition_values_and_paths_cannot_break_out_of_the_statement() -> None:
    action = Purge(partitions=(("o'b\\", None),), files=1, rewrite_bytes=1)
    assert statement(action, "/la`ke", ("a", "b`")) == (
        "REORG TABLE delta.`/la``ke` WHERE (`a` = 'o\\'b\\\\' AND `b``` IS NULL) APPLY (PURGE)"
    )


def test_the_budget_takes_the_partition_that_gains_most() -> None:
    facts = table(
        files(300, 300, 300, partition="dear"), files(*[1] * 9, partition="cheap"), by="p"
    )
    policy = CompactionPolicy(target_file_bytes=1000, min_files=3, budget_bytes=500)
    (action,) = (plan := plan_compaction(facts, policy)).actions
    assert isinstance(action, Compact)
    assert action.partitions == (("cheap",),)
    assert "1 wait for budget" in plan.reasons[0]


def test_a_partition_over_the_budget_is_done_in_part_smallest_files_first() -> None:
    policy = CompactionPolicy(target_file_bytes=1000, min_files=3, budget_bytes=100)
    (action,) = plan_compaction(table(files(10, 20, 30, 90, 95)), policy).actions
    assert isinstance(action, Compact)
    assert (action.below_bytes, action.files, action.rewrite_bytes) == (90, 3, 60)
    tight = CompactionPolicy(target_file_bytes=1000, min_files=3, budget_bytes=50)
    assert not plan_compaction(table(files(10, 20, 30, 90, 95)), tight).acts


def test_a_contract_with_clustering_orders_what_is_rewritten() -> None:
    facts = table(files(10, 20, 30, 600, partition="a"), by="day")
    (action,) = plan_compaction(facts, POLICY, clustering=("day", "carrier")).actions
    assert isinstance(action, Compact)
    assert (action.order_by, action.files, action.rewrite_bytes) == (("carrier",), 4, 660)
    assert statement(action, "t", ("day",)) == "OPTIMIZE delta.`t` ZORDER BY (`carrier`)"


def test_ordering_gives_way_to_the_budget() -> None:
    policy = CompactionPolicy(target_file_bytes=1000, min_files=3, budget_bytes=100)
    plan = plan_compaction(table(files(10, 20, 30, 600)), policy, clustering=("carrier",))
    (action,) = plan.actions
    assert isinstance(action, Compact)
    assert action.order_by == ()
    assert plan.reasons[0].startswith("not ordered: ")


def test_a_table_that_delta_clusters_is_left_to_optimize() -> None:
    (action,) = plan_compaction(
        table(files(10, 20, 30), clustered=True), POLICY, clustering=("carrier",)
    ).actions
    assert isinstance(action, Compact)
    assert (action.order_by, action.partitions) == ((), None)


def test_deletion_vectors_are_purged_where_they_are_many() -> None:
    facts = table(
        files(900, partition="a", deleted=40), files(900, partition="b", deleted=5), by="p"
    )
    (action,) = (plan := plan_compaction(facts, POLICY)).actions
    assert action == Purge(partitions=(("a",),), files=1, rewrite_bytes=900)
    assert plan.facts.deleted_share == pytest.approx(0.225)


def test_files_that_compaction_rewrites_are_not_purged_as_well() -> None:
    (action,) = plan_compaction(table(files(10, 20, 30, deleted=90)), POLICY).actions
    assert isinstance(action, Compact)


def test_vacuum_runs_when_allowed_and_keeps_the_longer_retention() -> None:
    policy = CompactionPolicy(retain_hours=168)
    assert not plan_compaction(table(files(1)), policy).acts
    facts = table(files(1), expired_files=4, retain_hours=720)
    assert plan_compaction(facts, policy).actions == (Vacuum(retain_hours=720, files=4),)
    assert not plan_compaction(facts, CompactionPolicy()).acts
    assert statement(Vacuum(retain_hours=720, files=4), "t", ()) == (
        "VACUUM delta.`t` RETAIN 720 HOURS"
    )


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"retain_hours": 167}, "retain_hours"),
        ({"retain_hours": 200, "promised_hours": 201}, "retain_hours"),
        ({"small_file_share": 0}, "small_file_share"),
        ({"deleted_row_share": 1.5}, "deleted_row_share"),
        ({"target_file_bytes": 0}, "target_file_bytes"),
        ({"min_files": 1}, "min_files"),
        ({"budget_bytes": 0}, "budget_bytes"),
    ],
)
def test_a_policy_that_breaks_a_promise_is_refused(wrong: dict[str, int], where: str) -> None:
    with pytest.raises(DefinitionError, match="cannot be followed") as caught:
        CompactionPolicy(**wrong)
    assert caught.value.where == f"CompactionPolicy.{where}"


def test_the_histogram_has_every_file_once() -> None:
    facts = table(files(0, 1, 64 * 1024, 2**20, 2**31))
    buckets = facts.histogram()
    assert [bucket.files for bucket in buckets] == [2, 1, 1, 0, 0, 0, 0, 1]
    assert sum(bucket.size_bytes for bucket in buckets) == facts.size_bytes


TABLES = st.lists(
    st.builds(
        FileFacts,
        size_bytes=st.integers(1, 1500),
        rows=st.none() | st.integers(1, 100),
        deleted_rows=st.integers(0, 100),
        partition=st.sampled_from([("a",), ("b",), (None,)]),
    ),
    max_size=60,
).map(lambda some: TableFacts(version=0, files=tuple(some), partition_columns=("p",)))


@given(facts=TABLES, budget=st.none() | st.integers(1, 5000))
def test_a_plan_keeps_to_its_budget(facts: TableFacts, budget: int | None) -> None:
    policy = CompactionPolicy(target_file_bytes=1000, min_files=3, budget_bytes=budget)
    plan = plan_compaction(facts, policy)
    rewritten = sum(a.rewrite_bytes for a in plan.actions if not isinstance(a, Vacuum))
    assert budget is None or rewritten <= budget
    assert rewritten <= 2 * facts.size_bytes
    assert plan == plan_compaction(facts, policy)


@given(facts=TABLES)
def test_a_plan_carried_out_leaves_nothing_to_plan(facts: TableFacts) -> None:
    policy = CompactionPolicy(target_file_bytes=1000, min_files=3)
    for _ in range(8):
        plan = plan_compaction(facts, policy)
        if not plan.acts:
            return
        done = carried_out(facts, plan.actions)
        assert done.file_count < facts.file_count or done.deleted_share < facts.deleted_share
        facts = done
    raise AssertionError(str(plan))


def carried_out(facts: TableFacts, actions: tuple[Compact | Purge | Vacuum, ...]) -> TableFacts:
    """What Delta would make of the files, if bytes were conserved."""
    left = list(facts.files)
    for action in actions:
        assert not isinstance(action, Vacuum)
        if isinstance(action, Purge):
            left = [
                FileFacts(size_bytes=f.size_bytes, rows=f.rows, partition=f.partition)
                if action.partitions is None or f.partition in action.partitions
                else f
                for f in left
            ]
            continue
        for key in facts.partitions():
            if action.partitions is not None and key not in action.partitions:
                continue
            merged = [f for f in left if f.partition == key and f.size_bytes < action.below_bytes]
            size = sum(f.size_bytes for f in merged)
            count = math.ceil(size / action.target_file_bytes)
            left = [f for f in left if f not in merged]
            left += [FileFacts(size_bytes=size // count, rows=1, partition=key)] * count
    return TableFacts(version=1, files=tuple(left), partition_columns=facts.partition_columns)
