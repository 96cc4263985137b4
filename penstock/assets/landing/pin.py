"""Landing files that a run takes, pinned: which are there, and which are new."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, assert_never

from penstock.assets.inputs.files import PinnedFiles
from penstock.assets.landing.file import TakenFile, inspect_file
from penstock.assets.landing.file_pattern import DAY
from penstock.assets.landing.slice_files import by_said, says_when
from penstock.assets.modes import Append, Merge, Overwrite, ReplaceSlice, Scd2
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from penstock.assets.dataset import Dataset
    from penstock.assets.inputs.files import Landing
    from penstock.assets.landing.formats import Format
    from penstock.assets.landing.slice_files import BySaid, SliceFiles
    from penstock.assets.past import Past
    from penstock.ledger.past.inspected_files import InspectedFiles
    from penstock.ledger.past.log_index import IndexedFile
    from penstock.resources.lake import Lake, LandingFile

__all__ = ["arrived", "pin_files"]

_DAYS_NAMED = 5  # of those that lack a file
_AT_ONCE = 8  # files that are read; hashing and unpacking leave Python's lock to others


def pin_files(
    spec: Dataset,
    name: str,
    landed: Landing,
    found: list[TakenFile],
    past: Past | None,
    at: datetime,
) -> PinnedFiles:
    """Which files a run at this instant takes: all where rows are replaced, else the new ones."""
    known: list[IndexedFile] = []
    if past and isinstance(spec.write, Append | Merge | Scd2):
        past.refuse_cloned()
        known = (
            past.files(digests=(file.sha256 for file in found))
            if isinstance(spec.write, Append)
            else past.files(names=(file.name for file in found))
        )
        # what another input took is not taken by this one, though it be the same bytes; an input
        # that is no longer one was this one under another name
        others = spec.inputs.keys() - {name}
        known = [file for file in known if file.input not in others]
    files: list[TakenFile] = []
    copies: list[TakenFile] = []
    match spec.write:
        case Merge() | Scd2():
            # bytes that came before may say that a row is again as it was
            last = {file.name: file.sha256 for file in known}
            for file in found:
                (copies if last.get(file.name) == file.sha256 else files).append(file)
            if spec.whole_list and isinstance(spec.write, Merge):
                # each file is a whole list, and the newest says what there is: taken or not, for a
                # run without a list would find everything missing
                newest = max(found, key=lambda file: (file.modified, file.name))
                copies += [file for file in files if file is not newest]
                files = [newest]
                copies = [file for file in copies if file is not newest]
            by_file = spec.order_by is None and landed.added.isdisjoint(spec.row_key)
            apart = spec.row_key if by_file else ()
            if spec.whole_list and isinstance(spec.write, Scd2):
                # of one moment the newest file has the list
                moment = spec.write.valid_from
                apart = () if moment in landed.derived else (moment,)
        case Overwrite() | ReplaceSlice() | Append():
            apart = ()
            seen = {file.identity for file in known}
            named = {(file.name, file.sha256): file.day for file in known}
            for file in found:
                again = file.identity in seen or _was_taken(file, seen, named)
                (copies if again else files).append(file)
                seen.add(file.identity)
        case _:
            assert_never(spec.write)
    said = _said(past, known, at)
    return PinnedFiles(
        name=name,
        landing=landed,
        files=tuple(files),
        copies=tuple(file for file in copies if (file.name, file.identity) not in said),
        apart=apart,
        when=says_when(landed.files, spec.partitions),
        removes=spec.removes,
    )


def _was_taken(
    file: TakenFile,
    seen: set[tuple[str | None, str]],
    named: dict[tuple[str, str], str | None],
) -> bool:
    """Whether a commit took the file under a pattern by which its name said something else."""
    if file.said is None and (None, file.sha256) in seen:
        return True  # commits made before days were noted say the content alone
    if (file.name, file.sha256) not in named:
        return False
    day = (named[file.name, file.sha256] or "").partition(" ")[0]
    return file.day is None or "=" in day or day in ("", file.day.isoformat())


def _said(
    past: Past | None, known: list[IndexedFile], at: datetime
) -> set[tuple[str, tuple[str | None, str]]]:
    """(name, identity) of the files that a commit names which the log keeps for long enough.

    A commit repeats what the log is going to lose in half the time that it promises.
    """
    kept = past.log_kept() if past else timedelta()
    return {(file.name, file.identity) for file in known if at - file.said_at < kept / 2}


def arrived(
    name: str,
    landed: Landing,
    wanted: Sequence[SliceFiles],
    lake: Lake,
    inspected: InspectedFiles,
) -> list[TakenFile]:
    """The files that are wanted and there. Raises InputError for a part that has none."""
    found: list[tuple[LandingFile, date | None]] = []
    missing, names = [], landed.files
    there: dict[date | None, BySaid] = {}
    for part in wanted:
        if part.day not in there:
            listed = lake.landing_files(names.glob(part.day))
            there[part.day] = by_said(names, listed, tuple(part.said), part.day)
        matching = there[part.day].get(tuple(part.said.values()), ())
        found += [(file, part.day) for file in matching]
        missing += [] if matching else [part.key or "the pattern"]
    if missing:
        # a day without a file is not a day without rows: it would be replaced by nothing
        more = f" and {len(missing) - _DAYS_NAMED} more" if missing[_DAYS_NAMED:] else ""
        raise InputError(
            f"no file has arrived for input {name}",
            where=f"{lake.landing}/{landed.pattern}",
            expected=f"at least one file for each of {len(wanted)}, from {wanted[0].key} to "
            f"{wanted[-1].key}"
            if wanted[1:]
            else f"at least one file for {wanted[0].key or 'the pattern'}",
            found=f"none for {', '.join(missing[:_DAYS_NAMED])}{more}",
            next_step="wait for the file, run the slices that have arrived, or correct the pattern "
            "of landing(...)",
        )
    files = _inspect(found, lake, inspected, landed.format)
    if not {*names.placeholders} - {DAY}:
        return files
    return [replace(file, said=names.said(file.name, file.day)) for file in files]


def _inspect(
    files: list[tuple[LandingFile, date | None]],
    lake: Lake,
    inspected: InspectedFiles,
    written: Format,
) -> list[TakenFile]:
    """The files, looked at: one that was, and did not change since, is not read again."""
    states = {file.uri: file.state for file, _ in files if file.state is not None}
    known = inspected.get(states)
    # a name may hold the days of two slices
    taken: dict[tuple[str, date | None], TakenFile] = {}
    for file, day in files:
        if file.uri in known and (
            was := TakenFile.of_findings(file, day, written, known[file.uri])
        ):
            taken[file.uri, day] = was
    unknown = [(file, day) for file, day in files if (file.uri, day) not in taken]
    for (file, day), looked in zip(unknown, _looked_at(unknown, lake, written), strict=True):
        taken[file.uri, day] = looked
    inspected.put(
        {
            file.uri: (file.state, taken[file.uri, day].findings(written))
            for file, day in unknown
            if file.state is not None
        }
    )
    return [taken[file.uri, day] for file, day in files]


def _looked_at(
    files: list[tuple[LandingFile, date | None]], lake: Lake, written: Format
) -> list[TakenFile]:
    """The files, several read at once. Raises what is wrong with the first that is."""
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="landing")
    try:
        return [*pool.map(lambda found: inspect_file(lake, found[0], found[1], written), files)]
    finally:
        pool.shutdown(cancel_futures=True)
