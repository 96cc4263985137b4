"""The law of deletes: in any order and any cut into runs the table is what all events say.

Every key is a history of its own, so one run of many keys tries many histories at once. Each run is
first killed at a step of its own.
"""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from penstock import Contract, Merge, Scd2, column, dataset, landing
from penstock.testing import assert_frames_equal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyspark.sql import DataFrame

    from penstock import Dataset
    from tests.assets.shop import Shop

pytestmark = pytest.mark.slow

RUNS, KEYS, LAST = 4, 150, 6
GONE = "gone"
Events = dict[int, str]  # by sequence number: a tier, or GONE
Histories = dict[int, list[Events]]
STEPS = ("resolved", "analyzed", "started", "committing", "committed")


class Marked(Contract, name="silver.marked", version="1.0.0", owner="team:shop"):
    """One customer, gone ones too."""

    id: int = column(key=True)
    tier: str = column()
    seq: int = column(ge=0)
    gone: bool = column()


class Removed(Contract, name="silver.removed", version="1.0.0", owner="team:shop"):
    """One customer that there is."""

    id: int = column(key=True)
    tier: str = column()
    seq: int = column(ge=0)


class Ended(Contract, name="silver.ended", version="1.0.0", owner="team:shop"):
    """One tier of a customer and when it held."""

    id: int = column(key=True)
    tier: str = column()
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


class Listed(Contract, name="silver.listed", version="1.0.0", owner="team:shop"):
    """One tier of a customer in lists that are sent whole."""

    id: int = column(key=True)
    tier: str = column()
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


class Told(Contract, name="silver.told", version="1.0.0", owner="team:shop"):
    """The same, and when the customer was gone."""

    id: int = column(key=True)
    tier: str = column()
    gone: bool = column()
    valid_from: datetime = column()
    valid_to: datetime = column(nullable=True)
    is_current: bool = column()


EVENTS = {"raw": landing("orders/events*.csv")}
VERSIONS = {"raw": landing("orders/versions*.csv", derived=["valid_to", "is_current"])}
LISTS = {"raw": landing("orders/list*.csv", derived=["valid_to", "is_current"])}


def _same(raw: DataFrame) -> DataFrame:
    return raw


marked = dataset(Marked, inputs=EVENTS, write=Merge(deletes="gone", order_by="seq"))(_same)
removed = dataset(Removed, inputs=EVENTS, write=Merge(deletes="gone", order_by="seq"))(_same)
ended = dataset(Ended, inputs=VERSIONS, write=Scd2(deletes="gone", keep_repeated=True))(_same)
# the same table when nobody says any more what is gone
said = dataset(
    Ended,
    inputs={"raw": landing("orders/more*.csv", derived=["valid_to", "is_current"])},
    write=Scd2(keep_repeated=True),
)(_same)
listed = dataset(Listed, inputs=LISTS, write=Scd2(missing="close", max_missing=0.9))(_same)
told = dataset(Told, inputs=VERSIONS, write=Scd2(deletes="gone", keep_repeated=True))(_same)


class _KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(scope="module")
def histories() -> Histories:
    """For each key, the events that each run is given: some late, some repeated, some both."""
    chance = random.Random(20130103)
    histories = {}
    for key in range(KEYS):
        events = {n: chance.choice(("basic", "gold", GONE)) for n in range(1, LAST + 1)}
        runs: list[Events] = []
        for _ in range(RUNS):
            some = chance.sample(sorted(events), chance.choice((0, 1, 1, 2, 3)))
            runs.append({number: events[number] for number in some})
        if any(runs):
            histories[key] = runs
    return histories


def test_a_merge_that_marks_is_exact_in_any_order(shop: Shop, histories: Histories) -> None:
    _run_all(shop, marked, histories)
    found = {
        row.id: (row.seq, GONE if row.gone else row.tier) for row in shop.table(marked).collect()
    }
    assert found == {key: max(_everything(runs).items()) for key, runs in histories.items()}


def test_a_merge_that_removes_forgets_only_what_it_removed(
    shop: Shop, histories: Histories
) -> None:
    _run_all(shop, removed, histories)
    assert shop.table(removed).columns == ["id", "tier", "seq"]
    found = {row.id: (row.seq, row.tier) for row in shop.table(removed).collect()}
    exact = 0
    for key, runs in histories.items():
        last = max(_everything(runs).items())
        assert found.get(key) == _merged(runs), (key, runs)
        if _comes_back(runs):
            continue
        exact += 1
        assert found.get(key) == (None if last[1] == GONE else last), (key, runs)
    assert exact > KEYS / 2


def test_versions_that_say_when_a_row_was_gone_are_exact(shop: Shop, histories: Histories) -> None:
    _run_all(shop, told, histories)
    rows = _versions(shop, told, "CASE WHEN gone THEN 'gone' ELSE tier END")
    for key, runs in histories.items():
        everything = sorted(_everything(runs).items())
        ends = [day for day, _ in everything[1:]]
        assert rows[key] == [
            (day, tier, until) for (day, tier), until in zip(everything, [*ends, None], strict=True)
        ], (key, runs)


def test_versions_end_where_the_row_is_gone(shop: Shop, histories: Histories) -> None:
    _run_all(shop, ended, histories)
    rows = _versions(shop, ended, "tier")
    exact = 0
    for key, runs in histories.items():
        assert rows[key] == _intervals(_remembered(runs)), (key, runs)
        if _ended_nothing(runs):
            continue
        exact += 1
        assert rows[key] == _intervals(_everything(runs)), (key, runs)
    assert exact > KEYS / 3
    chance = random.Random(20130105)
    more: Histories = {
        key: [*runs, {n: chance.choice(("basic", "gold")) for n in chance.sample(range(1, 9), 2)}]
        for key, runs in histories.items()
    }
    lines = [
        f"{key},{tier},2013-01-{day:02}"
        for key, runs in more.items()
        for day, tier in runs[-1].items()
    ]
    shop.land("more.csv", *lines, header="id,tier,valid_from")
    shop.run(said)
    rows = _versions(shop, said, "tier")
    for key, runs in more.items():
        assert rows[key] == _intervals(_remembered(runs)), (key, runs)


def test_a_key_holds_while_it_is_in_the_whole_lists(shop: Shop) -> None:
    chance = random.Random(20130104)
    lists = [
        {key: chance.choice(("basic", "gold")) for key in range(KEYS) if chance.random() < 0.7}
        for _ in range(7)
    ]
    cuts = ([0], [1, 2], [3], [3], [4, 5, 6])  # the fourth is the third once more, corrected
    for run, days in enumerate(cuts):
        if run == 3:
            lists[3] = {**dict(list(lists[3].items())[10:]), **dict.fromkeys(range(5), "gold")}
        for day in days:
            lines = [f"{key},{tier},2013-01-{day + 1:02}" for key, tier in lists[day].items()]
            shop.land(f"list-{day}.csv", *lines, header="id,tier,valid_from")
        _killed_and_run(shop, listed, chance.choice(STEPS))
    rows = _versions(shop, listed, "tier")
    for key in range(KEYS):
        events = {day + 1: tiers.get(key, GONE) for day, tiers in enumerate(lists)}
        line = dict(_without_repeats(_that_end(sorted(events.items()))))
        # corrected back to what it was, a version stands where it was corrected
        assert _joined(rows[key]) == _intervals(line), (key, events)


def _without_repeats(events: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    before = None
    for seq, what in events:
        if what != before:
            yield seq, what
        before = what


def _joined(
    versions: Sequence[tuple[int, str, int | None]],
) -> list[tuple[int, str, int | None]]:
    """The versions, those that follow each other and say the same as one."""
    line: list[tuple[int, str, int | None]] = []
    for start, what, end in versions:
        if line and line[-1][1:] == (what, start):
            line[-1] = (line[-1][0], what, end)
        else:
            line.append((start, what, end))
    return line


def _run_all(shop: Shop, spec: Dataset, histories: Histories) -> None:
    chance = random.Random(spec.name)
    for number in range(RUNS):
        _land(shop, histories, number)
        _killed_and_run(shop, spec, chance.choice(STEPS))


def _killed_and_run(shop: Shop, spec: Dataset, step: str) -> None:
    """Once killed at the step, once to its end, and once more with nothing to do."""

    def killed(at: str) -> None:
        if at == step:
            raise _KilledError(at)

    with pytest.raises(_KilledError):
        shop.run(spec, on_step=killed)
    assert shop.run(spec).rows_quarantined == 0
    before = shop.table(spec).localCheckpoint()
    assert not shop.run(spec).committed
    assert_frames_equal(shop.table(spec), before)


def _land(shop: Shop, histories: Histories, number: int) -> None:
    """The events of a run in two files, of which the second repeats some of the first."""
    lines = [
        (key, seq, what) for key, runs in histories.items() for seq, what in runs[number].items()
    ]
    random.Random(number).shuffle(lines)
    cut = len(lines) // 2
    for part, some in {"a": lines[: cut + 20], "b": lines[cut:]}.items():
        events = [f"{k},{_tier(what)},{seq},{_flag(what)}" for k, seq, what in some]
        shop.land(f"events-{number}-{part}.csv", *events, header="id,tier,seq,gone")
        versions = [f"{k},{_tier(what)},{_flag(what)},2013-01-{seq:02}" for k, seq, what in some]
        shop.land(f"versions-{number}-{part}.csv", *versions, header="id,tier,gone,valid_from")


def _tier(what: str) -> str:
    return "basic" if what == GONE else what


def _flag(what: str) -> str:
    return "true" if what == GONE else "false"


def _everything(runs: Sequence[Events]) -> Events:
    return {seq: what for run in runs for seq, what in run.items()}


def _merged(runs: Sequence[Events]) -> tuple[int, str] | None:
    """What the table has after the runs, where what is removed is forgotten."""
    row: tuple[int, str] | None = None
    for run in filter(None, runs):
        last = max(run.items())
        if row is None or last[0] >= row[0]:
            row = None if last[1] == GONE else last
    return row


def _comes_back(runs: Sequence[Events]) -> bool:
    """Whether something that is older than a removal comes in a later run."""
    removed_at = 0
    for run in filter(None, runs):
        if min(run) < removed_at:
            return True
        last = max(run.items())
        if last[1] == GONE:
            removed_at = max(removed_at, last[0])
    return False


def _remembered(runs: Sequence[Events]) -> Events:
    """What the versions of the table say after the runs: a removal that ended none says nothing."""
    known: Events = {}
    for run in runs:
        known = dict(_that_end(sorted({**known, **run}.items())))
    return known


def _that_end(events: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    before = GONE
    for seq, what in events:
        if not (what == GONE and before == GONE):
            yield seq, what
        before = what


def _ended_nothing(runs: Sequence[Events]) -> bool:
    """Whether a removal was forgotten, and something came in a later run that belongs before it."""
    known: Events = {}
    forgotten: set[int] = set()
    for run in runs:
        if any(seq < gone for seq in run for gone in forgotten - run.keys()):
            return True
        at = {**known, **run}
        known = dict(_that_end(sorted(at.items())))
        forgotten = (forgotten | (at.keys() - known.keys())) - known.keys()
    return False


def _intervals(events: Mapping[int, str]) -> list[tuple[int, str, int | None]]:
    line = sorted(events.items())
    ends = [day for day, _ in line[1:]]
    return (
        [
            (day, what, until)
            for (day, what), until in zip(line, [*ends, None], strict=True)
            if what != GONE
        ]
        if line
        else []
    )


def _versions(
    shop: Shop, spec: Dataset, what: str
) -> Mapping[int, list[tuple[int, str, int | None]]]:
    found = defaultdict(list)
    frame = shop.table(spec).selectExpr(
        "id", "day(valid_from)", what, "day(valid_to)", "is_current"
    )
    for key, start, said, end, current in sorted(tuple(row) for row in frame.collect()):
        assert current is (end is None)
        found[key].append((start, said, end))
    return found
