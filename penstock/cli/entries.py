"""Quarantine entries, read without Spark, with the values of personal data hidden."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from penstock.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from penstock.assets.dataset import Dataset
    from penstock.assets.slice import Slice
    from penstock.ledger import Ledger
    from penstock.resources.lake import Table
    from penstock.resources.table_commit import Commit
    from penstock.schemas.model import ContractModel

__all__ = [
    "Entry",
    "Fate",
    "Fates",
    "fates",
    "hidden",
    "may_be_of",
    "read_entries",
    "slice_named",
]

HIDDEN = "(hidden)"
_READ = (
    'SELECT "token", "run_id", "slice", "contract_version", "reasons", "row", "file" FROM entries'
)


class Fate(StrEnum):
    """What became of the run that set a row aside."""

    SET_ASIDE = "set aside"
    NOT_COMMITTED = "attempt not committed"
    SUPERSEDED = "superseded"  # a later run made the same rows anew, and judged them anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row set aside. `row` is its columns by name, those of files as text."""

    fate: Fate
    run_id: str
    slice: str
    contract_version: str
    reasons: tuple[str, ...]
    row: Mapping[str, Any]
    file: str | None

    def document(self) -> dict[str, Any]:
        """The entry as JSON-ready data."""
        return {
            "fate": self.fate.value,
            "run_id": self.run_id,
            "slice": self.slice,
            "contract_version": self.contract_version,
            "reasons": list(self.reasons),
            "row": dict(self.row),
            "file": self.file,
        }


def fates(spec: Dataset, commits: Iterable[Commit]) -> dict[str, Fate]:
    """What became of each token in the table's log (newest commit first)."""
    from penstock.assets.modes import Overwrite, ReplaceSlice

    found: dict[str, Fate] = {}
    later: list[Slice] = []
    for token, slice_, _ in _made(commits):
        # the other modes add to what is there: the rows of an earlier commit still stand
        again = isinstance(spec.write, Overwrite | ReplaceSlice) and any(
            other.covers(slice_) for other in later
        )
        found[token] = Fate.SUPERSEDED if again else Fate.SET_ASIDE
        later.append(slice_)
    return found


class Fates:
    """What became of each run that set rows aside, by the table's log and the ledger."""

    def __init__(self, spec: Dataset, commits: Iterable[Commit], ledger: Ledger) -> None:
        """`commits`: the newest first."""
        known = list(commits)
        self._spec = spec
        self._ledger = ledger
        self._commits = list(_made(known))
        self._by_token = fates(spec, known)

    def of(self, entry: Mapping[str, Any]) -> Fate:
        """The fate of an entry of the quarantine table. Raises LedgerError."""
        token = entry["token"]
        if token not in self._by_token:
            self._by_token[token] = self._uncommitted(token, entry["run_id"], entry["slice"])
        return self._by_token[token]

    def _uncommitted(self, token: str, run_id: str, slice_key: str) -> Fate:
        """An attempt is about what there was when it began; a later commit judged that anew."""
        slice_, began = slice_named(self._spec, slice_key), self._began(token, run_id)
        again = began is not None and any(
            at > began and later.covers(slice_) for _, later, at in self._commits
        )
        return Fate.SUPERSEDED if again else Fate.NOT_COMMITTED

    def _began(self, token: str, run_id: str) -> datetime | None:
        # a run that was overtaken begins again, with another token
        for event in reversed(self._ledger.events(run_id=UUID(run_id), event_type="START")):
            if event.payload["run"]["facets"]["penstock_run"].get("token") == token:
                return event.event_time
        return None


def read_entries(table: Table, fates: Fates, model: ContractModel) -> Iterator[Entry]:
    """The entries of a quarantine table, a batch of rows at a time; none when there is no table.

    Numbers with a point are floats in columns of floats, and text as written in all others.

    Raises LakeError when it cannot be read.
    """
    if table.read() is None:
        return
    import pyarrow as pa
    from deltalake import DeltaTable, QueryBuilder
    from deltalake.exceptions import DeltaError

    floats = {c.name for c in model.columns if c.type in ("float", "double")}
    try:
        rows = DeltaTable(table.uri, storage_options=dict(table.options) or None)
        # not by pyarrow, which knows neither deletion vectors nor mapped columns
        query = QueryBuilder().register("entries", rows).execute(_READ)
        for batch in query:
            for entry in pa.record_batch(batch).to_pylist():
                yield Entry(
                    fate=fates.of(entry),
                    run_id=entry["run_id"],
                    slice=entry["slice"],
                    contract_version=entry["contract_version"],
                    reasons=tuple(entry["reasons"] or ()),
                    row=_columns(entry["row"], floats),
                    file=entry["file"],
                )
    except (DeltaError, OSError) as error:
        raise LakeError(
            "the quarantine cannot be read",
            where=table.dataset,
            found=type(error).__name__,
            next_step=f"check read access to {table.path}, and that its files are all there",
        ) from error


def slice_named(spec: Dataset, name: str) -> Slice:
    """The slice that is called so, whole where the dataset is no longer cut like that."""
    from penstock.assets.slice import WHOLE, Slice

    if name == WHOLE.key:
        return WHOLE
    for read in (*([spec.partitions.read] if spec.partitions else []), Slice.parse):
        try:
            return read(name)
        except ValueError:
            continue
    return WHOLE


def may_be_of(entry: Entry, spec: Dataset, slice_: Slice) -> bool:
    """Whether the entry's file, else its row, does not say that it is of other slices.

    A range is run as one, and each of its rows is of one slice; of some nobody can say of which.
    """
    from penstock.assets.landing.file_pattern import DAY
    from penstock.assets.landing.slice_files import HOUR, MONTH, YEAR
    from penstock.assets.partitions.grid import values_of, windows_of

    windows, values = windows_of(spec.partitions), values_of(spec.partitions)
    said = _said_by_file(entry, spec)
    if values and slice_.values:
        value = said.get(values.column, entry.row.get(values.column))
        if isinstance(value, str) and value not in slice_.values:
            return False
    if windows is None or slice_.start is None or slice_.end is None:
        return True
    if windows.grain == "hour" and DAY in said and HOUR in said:
        return _is_within(f"{said[DAY]}T{said[HOUR]}:00", slice_)
    for named in (DAY, MONTH, YEAR):
        if named in said and len(said[named]) == _LENGTHS[named]:
            return any(str(day).startswith(said[named]) for day in slice_.days())
    return _is_within(str(entry.row.get(windows.column)), slice_)


_LENGTHS = {"day": len("2013-01-05"), "month": len("2013-01"), "year": len("2013")}


def _said_by_file(entry: Entry, spec: Dataset) -> Mapping[str, str]:
    """What the name of the entry's file says."""
    from penstock.assets.inputs.files import Landing
    from penstock.assets.landing.slice_files import meant

    patterns = [i.files for i in spec.inputs.values() if isinstance(i, Landing)]
    found = (meant(pattern, entry.file) for pattern in patterns if entry.file)
    return next(filter(None, found), {})


def _is_within(text: str, slice_: Slice) -> bool:
    """Whether the day or moment is in the slice, or is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return True
    if len(text.strip()) == _LENGTHS["day"]:
        return moment.date() in slice_.days()
    at = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    assert slice_.start is not None
    assert slice_.end is not None
    return slice_.start <= at < slice_.end


def hidden(row: Mapping[str, Any], model: ContractModel) -> dict[str, Any]:
    """The row without values of personal data.

    In a dataset with such columns, what the contract does not name (a line that could not be
    split, an extra column) may hold them too.
    """
    clear = {c.name for c in model.columns if c.pii is None or c.masked}
    personal = any(c.pii and not c.masked for c in model.columns)
    if row.keys() in ({"line"}, {"cells"}):
        clear = set()  # a record as it came, also where the contract has a column called so
    return {
        name: value if value is None or name in clear or not personal else HIDDEN
        for name, value in row.items()
    }


def _columns(text: str | None, floats: Collection[str]) -> dict[str, Any]:
    try:
        # a decimal that becomes a float loses digits: 12.30, and more than the last zero
        row = json.loads(text or "{}", parse_float=_Digits)
    except ValueError:
        return {"line": text}
    if not isinstance(row, dict):
        return {"line": text}
    return {
        name: float(value) if name in floats and isinstance(value, _Digits) else value
        for name, value in row.items()
    }


class _Digits(str):
    """A number with a point, as it was written."""

    __slots__ = ()


def _made(commits: Iterable[Commit]) -> Iterator[tuple[str, Slice, datetime]]:
    """(token, slice, moment) of each commit that a run made."""
    from penstock.assets.slice import Slice

    for commit in commits:
        if commit.facts and commit.by_run:
            yield commit.facts["token"], Slice.from_document(commit.facts["slice"]), commit.at
