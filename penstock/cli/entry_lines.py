"""On which lines of its landing file an entry of the quarantine stands."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import UUID

from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.files import Landing
    from penstock.assets.landing.lines import Cells, Record
    from penstock.cli.entries import Entry
    from penstock.ledger import Ledger
    from penstock.resources.lake import Lake

__all__ = ["entry_lines"]


def entry_lines(
    entries: Sequence[Entry], spec: Dataset, lake: Lake, ledger: Ledger
) -> list[tuple[int, ...]]:
    """The lines of each entry's file on which such a record begins; empty where nobody can say.

    Several lines: each has such a record, one of them is the entry's. Files are read once more.
    """
    from penstock.assets.landing.lines import lines_of

    found: list[tuple[int, ...]] = [()] * len(entries)
    by_file: dict[tuple[str, Landing], dict[int, Cells | Record]] = defaultdict(dict)
    passed = _Passed(ledger)
    for n, entry in enumerate(entries):
        landing = _landing(entry, spec)
        if entry.file is None or landing is None:
            continue
        if sought := _sought(entry, spec, landing, passed):
            by_file[entry.file, landing][n] = sought
    for (file, landing), sought_in in by_file.items():
        try:
            lines = lines_of(lake, file, landing, [*sought_in.values()])
        except InputError:  # the file has gone, or may not be read by this process
            continue
        for n, numbers in zip(sought_in, lines, strict=True):
            found[n] = numbers
    return found


def _landing(entry: Entry, spec: Dataset) -> Landing | None:
    from penstock.assets.inputs.files import Landing

    inputs = [item for item in spec.inputs.values() if isinstance(item, Landing)]
    return next((i for i in inputs if i.files.values(entry.file or "") is not None), None)


def _sought(
    entry: Entry, spec: Dataset, landing: Landing, passed: _Passed
) -> Cells | Record | None:
    """What is known of the entry's record; None: nothing that tells it from others."""
    from penstock.assets.landing.formats import Csv, FixedWidth, JsonLines
    from penstock.assets.landing.lines import Cells, Record, is_compared
    from penstock.assets.landing.numbers import is_number

    row = entry.row
    written = landing.format
    if not isinstance(written, Csv | FixedWidth | JsonLines):
        return None
    if not isinstance(written, Csv) or "csv:malformed" in entry.reasons:
        if isinstance(line := row.get("line"), str):
            return Record.parse(line, written)
        if not isinstance(written, Csv):
            return None
        return Record(cells=tuple(row.get("cells") or ()))
    if any(rule == "csv:encoding" or rule.endswith(":type") for rule in entry.reasons):
        # as it arrived: every cell is text
        return Cells(
            by_column={landing.sent_as(n): ("string", _text(value)) for n, value in row.items()}
        )
    formatted = {name for name, _ in landing.date_formats}
    if (written.decimal, written.thousands) != (".", None):
        formatted |= {column.name for column in spec.model.columns if is_number(column.type)}
    if landing.time_zone is not None:
        formatted |= {column.name for column in spec.model.columns if column.type == "timestamp"}
    by_column = {}
    told = passed.of(entry.run_id)
    for name, sent in told.items():
        column = landing.column_of(sent)
        if [*told.values()].count(sent) > 1:  # one of them is of the file, and not in it
            continue
        model = spec.model.column(column)
        if model and name in row and column not in formatted and is_compared(model.type):
            by_column[column] = (model.type, _text(row[name]))
    by_column = {
        landing.sent_as(c): known for c, known in by_column.items() if c not in landing.added
    }
    return Cells(by_column=by_column) if by_column else None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


class _Passed:
    """Which columns a run passed as they came, by what its lineage says."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, Mapping[str, str]] = {}

    def of(self, run_id: str) -> Mapping[str, str]:
        """Column of the dataset -> column of the file."""
        if run_id not in self._known:
            from penstock.ledger.told_lineage import told_lineage
            from penstock.lineage.column_lineage import Subtype

            told = told_lineage(self._ledger, UUID(run_id))
            doubtful = {doubt.column for doubt in told.unknown} if told else set()
            self._known[run_id] = {
                name: origins[0].column
                for name, origins in (told.fields.items() if told else ())
                if len(origins) == 1
                and origins[0].subtype is Subtype.IDENTITY
                and name not in doubtful
            }
        return self._known[run_id]
