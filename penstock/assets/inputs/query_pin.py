"""What a run takes of a database, asked within one snapshot of it. The SQL is PostgreSQL's."""

from __future__ import annotations

import difflib
import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from penstock.assets.inputs.query import PinnedRows, Query, Reach
from penstock.assets.inputs.taken import is_idempotent, taken
from penstock.assets.partitions.grain import local
from penstock.errors import InputError, SecretError
from penstock.resources.postgres import Postgres, identifier, literal, relation_sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.inputs.kind import Asked
    from penstock.assets.modes import WriteMode
    from penstock.assets.slice import Slice
    from penstock.resources.postgres import PostgresView
    from penstock.resources.secrets import Key, Password

__all__ = ["pin_rows"]

_WHOLE = ("int2", "int4", "int8")
_NUMBERS = (*_WHOLE, "numeric")
_TIMES = ("date", "timestamp", "timestamptz")
_TEXTS = ("text", "varchar", "bpchar")


def pin_rows(query: Query, asked: Asked) -> PinnedRows:
    """The rows that the run takes.

    Raises InputError for a relation or columns that are not there or say nothing of what is asked,
    and for rows that came too late; SecretError, SourceError.
    """
    postgres = asked.runtime.sources[query.database]
    assert isinstance(postgres, Postgres)  # the deployment sees to it
    key, password = _key(asked), _password(query, asked, postgres)
    relations = {
        item.relation
        for item in asked.spec.inputs.values()
        if isinstance(item, Query) and item.database == query.database
    }
    view = asked.held.one(query.database, lambda: postgres.view(password, relations))
    place = f"{postgres.namespace}/{postgres.database}, {query.relation}"
    kinds = view.columns(query.relation)
    if not kinds:
        raise InputError(
            f"input {asked.name} is no table or view of the database",
            where=place,
            next_step="correct query(...), or grant the user USAGE on its schema",
        )
    contract = asked.spec.arriving
    wanted = [query.sent_as(column.name) for column in query.columns(contract)]
    asks = [*query.cut_by, query.watermark, query.split_by]
    for name in (*wanted, *filter(None, asks)):
        _refuse_unknown(name, kinds, asked.name, place)
    cells = [f"{_text(name, kinds[name])} AS _{n}" for n, name in enumerate(wanted)]
    table = _Relation(view, query.relation, ", ".join(cells) or "NULL AS _0", key)
    if query.watermark is not None:
        mark = _Watermark(table, query.watermark, kinds[query.watermark], query.overlap, place)
        reach, new = mark.reach(asked)
        where = mark.between(reach.after, reach.up_to) if new else "false"
    else:
        reach, where, new = None, _slice(query, table, asked.slice, kinds, place), True
    rows, digest = table.digest(where)
    return PinnedRows(
        name=asked.name,
        query=query,
        view=view,
        password=password,
        selects=tuple(table.select(part) for part in _parts(query, table, kinds, where, place)),
        rows=rows,
        digest=digest,
        reach=reach,
        nothing_new=not new,
    )


@dataclass(frozen=True, slots=True)
class _Relation:
    """A table or view, and the text columns that are read of it."""

    view: PostgresView
    name: str
    cells: str
    key: Key

    @property
    def sql(self) -> str:
        return relation_sql(self.name)

    def select(self, where: str) -> str:
        return f"SELECT {self.cells} FROM {self.sql} WHERE {where}"

    def digest(self, where: str) -> tuple[int, str]:
        """(Rows, a digest): the same for the same rows in any order.

        It is of the sums of two hashes of each row, with a key: who reads commits can tell neither
        what a row said nor what a new one adds.
        """
        hashes = (f"sum(hashtextextended(r::text, {seed})::numeric)" for seed in (0, 1))
        one, two = (f"coalesce({each}, 0)::text" for each in hashes)
        rows, digest = self.view.one(
            f"SELECT count(*), {one} || ' ' || {two} FROM ({self.select(where)}) AS r"
        )
        told = hmac.new(self.key.reveal(), f"{rows} {digest}".encode(), hashlib.sha256)
        return int(rows), told.hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class _Watermark:
    """A column that grows, with its type in the database."""

    table: _Relation
    column: str
    kind: str
    overlap: timedelta | int
    place: str

    def reach(self, asked: Asked) -> tuple[Reach, bool]:
        """(How far the run gets, whether anything is new)."""
        self._refuse_kind()
        name = identifier(self.column)
        before = taken(asked, self.place)
        self._refuse_other(before)
        after, settled = (before["up_to"], before["settled"]) if before else (None, None)
        nulls, highest, below = self.table.view.one(
            f"SELECT count(*) FILTER (WHERE {name} IS NULL OR {_is_endless(name, self.kind)}), "
            f"max({name})::text, count(*) FILTER (WHERE {self.between(None, settled)}) "
            f"FROM {self.table.sql}"
        )
        if nulls:
            raise InputError(
                "rows have no watermark, and nobody can say whether they were taken",
                where=f"{self.place}.{self.column}",
                expected="a value in each row, not infinite",
                found=f"{nulls} rows without",
                next_step="give the column a default and fill it; or read a view that leaves them "
                "out",
            )
        # of a smaller overlap than before, too, nothing is passed over
        start = self._one_of("least", self._settled(after), settled)
        if before and below > before["below"]:
            if start == settled:
                raise self._late(asked.spec.write, below, before["below"])
            start = None  # a larger one may still be too small: all is read, once
        if before and start != after and not is_idempotent(asked.spec.write):
            raise InputError(
                "rows of the overlap were taken, and would be added again",
                where=f"{self.place}.{self.column}",
                next_step="put overlap= back, with Append(known='skip'); or move the dataset's "
                "table away and run it again: it begins anew with all rows",
            )
        # what was taken may have been deleted
        up_to = self._one_of("greatest", after, highest)
        more = self._settled(up_to)
        reach = Reach(
            watermark=f"{self.column} {self.kind}",
            after=start,
            up_to=up_to,
            settled=more,
            below=below + self._count(settled, more)
            if start == settled
            else self._count(None, more),
            recent=self.table.digest(self.between(more, up_to))[1],
        )
        same = (
            before is not None
            and (up_to, start) == (after, settled)
            and reach.recent == before["recent"]
        )
        return reach, not same

    def between(self, low: str | None, high: str | None) -> str:
        """SQL, true for rows above `low` up to `high`."""
        if high is None:
            return "false"
        name = identifier(self.column)
        above = "true" if low is None else f"{name} > {self._value(low)}"
        return f"{above} AND {name} <= {self._value(high)}"

    def _value(self, text: str) -> str:
        return f"{literal(text)}::{self.kind}"

    def _one_of(self, which: str, *texts: str | None) -> str | None:
        """The `greatest` or `least` of those that there are, as the database compares them."""
        there = [self._value(text) for text in texts if text is not None]
        if not there:
            return None
        return str(self.table.view.one(f"SELECT {which}({', '.join(there)})::text")[0])

    def _settled(self, up_to: str | None) -> str | None:
        """What the next run begins above."""
        if up_to is None or not self.overlap:
            return up_to
        less = str(self.overlap)
        if isinstance(self.overlap, timedelta):
            micros = self.overlap // timedelta(microseconds=1)
            less = f"interval '{micros} microseconds'"
        # a date less an interval is a timestamp
        sql = f"SELECT ({self._value(up_to)} - {less})::{self.kind}::text"
        return str(self.table.view.one(sql)[0])

    def _count(self, low: str | None, high: str | None) -> int:
        sql = f"SELECT count(*) FROM {self.table.sql} WHERE {self.between(low, high)}"
        return int(self.table.view.one(sql)[0])

    def _late(self, write: WriteMode, now: int, then: int) -> InputError:
        """There are more rows below what was taken for settled."""
        return InputError(
            "rows came with a watermark below what was taken: they would never be read",
            where=f"{self.place}.{self.column}",
            expected=f"{then} rows that were there when it was taken, or fewer",
            found=f"{now} rows",
            next_step="give query(...) a larger overlap=, longer than its transactions last: the "
            "next run reads them; nothing was committed"
            if is_idempotent(write)
            else "give the contract a key, and write Append(known='skip') and overlap=; or move "
            "the dataset's table away and run it again: it begins anew with all rows",
        )

    def _refuse_other(self, before: Mapping[str, object] | None) -> None:
        """Raise InputError where what was taken was told by another column."""
        mine = f"{self.column} {self.kind}"
        if before and before["watermark"] != mine:
            raise InputError(
                "the watermark is not the one by which rows were taken so far",
                where=f"{self.place}.{self.column}",
                expected=str(before["watermark"]),
                found=mine,
                next_step="put the old one back; or move the dataset's table away and run it "
                "again: it begins anew with all rows",
            )

    def _refuse_kind(self) -> None:
        timed = isinstance(self.overlap, timedelta)
        fits = _TIMES if timed else (*_NUMBERS, *(() if self.overlap else _TIMES))
        if self.kind not in fits:
            raise InputError(
                "the column is no watermark"
                if self.kind not in (*_NUMBERS, *_TIMES)
                else "the overlap is of another kind than the watermark",
                where=f"{self.place}.{self.column}",
                expected=f"one of {', '.join(fits)}",
                found=self.kind,
                next_step="name a column that grows with each new row or change"
                if self.kind not in (*_NUMBERS, *_TIMES)
                else "write a timedelta for times, an int for numbers",
            )
        if timed and self.kind == "date" and self.overlap % timedelta(days=1):  # type: ignore[operator]
            raise InputError(
                "the overlap is no number of days, and the watermark a date",
                where=f"{self.place}.{self.column}",
                next_step="write overlap=timedelta(days=1)",
            )


def _text(name: str, kind: str) -> str:
    """SQL, the value as text that landing's grammar reads: exact, and NULL for NULL alone."""
    text = f"{identifier(name)}::text"
    # of UTC by the settings; an era stays, and is none of the grammar
    return f"replace({text}, '+00', 'Z')" if kind == "timestamptz" else text


def _is_endless(name: str, kind: str) -> str:
    """SQL, true for a value that no other is above, or below."""
    if kind in _TIMES:
        return f"NOT isfinite({name})"
    return f"{name}::text IN ('NaN', 'Infinity', '-Infinity')" if kind == "numeric" else "false"


def _slice(
    query: Query, table: _Relation, slice_: Slice, kinds: Mapping[str, str], place: str
) -> str:
    """SQL, true for rows of the slice. Raises InputError where rows are of none."""
    cut = (_cut(query, by, table, slice_, kinds[by], place) for by in query.cut_by)
    return " AND ".join(cut) or "true"


def _cut(query: Query, by: str, table: _Relation, slice_: Slice, kind: str, place: str) -> str:
    name = identifier(by)
    times, texts = slice_.start is not None, bool(slice_.values)
    fits = (*(_TIMES if times else ()), *(_TEXTS if texts else ()))
    if kind not in fits:
        raise InputError(
            "the column does not say which slice a row is of",
            where=f"{place}.{by}",
            expected=f"one of {', '.join(fits)}",
            found=kind,
            next_step="name a column of dates or timestamps, or of the values of the slices",
        )
    nowhere = f"{name} IS NULL"
    nowhere += f" OR {name} IN ('infinity', '-infinity')" if kind in _TIMES else ""
    (lost,) = table.view.one(f"SELECT count(*) FROM {table.sql} WHERE {nowhere}")
    if lost:
        raise InputError(
            "rows are of no slice, and no run would read them",
            where=f"{place}.{by}",
            expected="a value in each row, a date not infinite",
            found=f"{lost} rows without",
            next_step="fill the column; or read a view that leaves them out",
        )
    if kind in _TEXTS:
        return f"{name}::text IN ({', '.join(map(literal, slice_.values))})"
    start, end = slice_.start, slice_.end
    assert start is not None
    assert end is not None
    if kind == "date":
        if slice_.grain == "hour":
            raise InputError(
                "a date does not say the hour",
                where=f"{place}.{by}",
                expected="timestamp or timestamptz",
                found=kind,
                next_step="name a column of timestamps, or cut the dataset by day",
            )
        low, high = (f"{local(at, slice_.zone).date()}" for at in (start, end))
    elif kind == "timestamp":
        # PostgreSQL takes some names of zones for abbreviations, which have no summer
        zone = ZoneInfo(query.time_zone or "UTC")
        low, high = (f"{at.astimezone(zone).replace(tzinfo=None)}" for at in (start, end))
    else:
        low, high = start.isoformat(), end.isoformat()
    return f"{name} >= '{low}'::{kind} AND {name} < '{high}'::{kind}"


def _parts(
    query: Query, table: _Relation, kinds: Mapping[str, str], where: str, place: str
) -> list[str]:
    """The condition, parted among readers: each row is in one of them."""
    if query.split_by is None or query.splits == 1:
        return [where]
    name, kind = identifier(query.split_by), kinds[query.split_by]
    if kind not in (*_NUMBERS, *_TIMES):
        raise InputError(
            "the column cannot be split by",
            where=f"{place}.{query.split_by}",
            expected=f"one of {', '.join((*_NUMBERS, *_TIMES))}",
            found=kind,
            next_step="name a column of numbers, dates or timestamps, best one with an index",
        )
    # nothing lies between ends that are infinite or no number
    finite = f"NOT ({_is_endless(name, kind)})"
    number = "numeric" if kind in _NUMBERS else kind
    ends = (
        f"SELECT min({name})::{number} AS low, max({name})::{number} AS high "
        f"FROM {table.sql} WHERE ({where}) AND {finite}"
    )
    step = f"(high - low) * n / {query.splits}"
    if kind == "date":
        step = f"((high - low)::bigint * n / {query.splits})::int"
    bound = f"(low + {step})::{kind}"
    if kind in _WHOLE:
        bound = f"floor(low + {step})::{kind}"
    found = table.view.one(
        f"SELECT array_agg(DISTINCT {bound} ORDER BY {bound})::text[] FROM ({ends}) AS e, "
        f"generate_series(1, {query.splits - 1}) AS n WHERE low IS NOT NULL"
    )[0]
    if not found:
        return [where]
    bounds = [f"{literal(text)}::{kind}" for text in found]
    first = f"({name} < {bounds[0]} OR {name} IS NULL)"
    between = [f"{name} >= {low} AND {name} < {high}" for low, high in pairwise(bounds)]
    return [f"({where}) AND {part}" for part in (first, *between, f"{name} >= {bounds[-1]}")]


def _key(asked: Asked) -> Key:
    """What digests are made with."""
    if asked.runtime.secrets is None:
        raise SecretError(
            "a database is read and there is no secrets resource",
            where=f"{asked.spec.name}, input {asked.name}",
            next_step="give the deployment a `secrets` resource, such as SecretsResource",
        )
    return asked.runtime.secrets.key("digests")


def _password(query: Query, asked: Asked, postgres: Postgres) -> Password | None:
    if postgres.passwordless:
        return None
    assert asked.runtime.secrets is not None
    return asked.runtime.secrets.password(query.database)


def _refuse_unknown(name: str, kinds: Mapping[str, str], item: str, place: str) -> None:
    if name in kinds:
        return
    near = difflib.get_close_matches(name, kinds, 1)
    raise InputError(
        f"input {item} has no such column",
        where=f"{place}.{name}",
        expected=f"one of {', '.join(kinds)}",
        next_step=(f"did you mean {near[0]}? " if near else "")
        + "Say what the database calls it: query(names={...: "
        + f"'{name}'}})",
    )
