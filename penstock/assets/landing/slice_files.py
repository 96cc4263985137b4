"""Which files of landing a slice is made of, told by what their names say."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from penstock.assets.landing.file_pattern import DAY, FilePattern
from penstock.assets.partitions.grain import local
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from penstock.assets.dataset import Dataset
    from penstock.assets.partitions.grid import Partitions
    from penstock.assets.slice import Slice
    from penstock.resources.lake import LandingFile

    BySaid = dict[tuple[str, ...], list[LandingFile]]

__all__ = ["SliceFiles", "by_said", "check_names_slices", "meant", "says_when", "slice_files"]

HOUR, MONTH, YEAR = "hour", "month", "year"
# by the grain of slices, the placeholders of which one says which a file is of, finest first
_SAYS = {
    "hour": (HOUR,),
    "day": (DAY,),
    "week": (DAY,),
    "month": (DAY, MONTH),
    "year": (DAY, MONTH, YEAR),
}


@dataclass(frozen=True, slots=True)
class SliceFiles:
    """Files that a part of a slice is made of: those of a day, and whose names say `said`."""

    day: date | None = None
    said: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What they are of, in a word."""
        day = [str(self.day)] if self.day else []
        return " ".join((*day, *self.said.values()))

    def has(self, pattern: FilePattern, name: str) -> bool:
        """Whether the file of this name is one of them."""
        values = meant(pattern, name, self.day)
        return values is not None and all(values[key] == of for key, of in self.said.items())


def meant(pattern: FilePattern, name: str, day: date | None = None) -> Mapping[str, str] | None:
    """What each placeholder of the name means: partition folders are written as Hive does."""
    values = pattern.values(name, day)
    if values is None:
        return None
    return {
        said: unquote(text) if pattern.is_folder(said) else text for said, text in values.items()
    }


def says_when(pattern: FilePattern, partitions: Partitions | None) -> tuple[str, ...]:
    """The placeholders by which a name says when its file is of, in the order of time."""
    windows, names = windows_of(partitions), pattern.placeholders
    if windows is None or DAY in names:
        return (DAY, HOUR) if windows and windows.grain == "hour" else (DAY,)
    return (MONTH,) if MONTH in names else (YEAR,)


def by_said(
    pattern: FilePattern,
    files: Iterable[LandingFile],
    names: tuple[str, ...],
    day: date | None = None,
) -> BySaid:
    """The files of the pattern (of the day) by what these placeholders of their names mean."""
    found: BySaid = defaultdict(list)
    for file in files:
        values = meant(pattern, file.name, day)
        if values is not None:
            found[tuple(values[name] for name in names)].append(file)
    return found


def slice_files(
    pattern: FilePattern, slice_: Slice, partitions: Partitions | None
) -> tuple[SliceFiles, ...]:
    """The files of each part of the slice: a day or what else names say, and a value."""
    values = values_of(partitions)
    column = values.column if values else ""
    ofs = [{column: value} for value in slice_.values] if column in pattern.placeholders else [{}]
    return tuple(
        SliceFiles(day, {**said, **of}) for day, said in _parts(pattern, slice_) for of in ofs
    )


def _parts(pattern: FilePattern, slice_: Slice) -> Iterator[tuple[date | None, dict[str, str]]]:
    names = pattern.placeholders
    if slice_.start is None:
        yield None, {}
    elif slice_.grain == "hour":
        for start in slice_.windows():
            at = local(start, slice_.zone)
            yield at.date(), {HOUR: f"{at:%H}"}
    elif DAY in names:
        for day in slice_.days():
            yield day, {}
    else:
        said = MONTH if MONTH in names else YEAR
        length = len("2013-01") if said == MONTH else len("2013")
        for text in dict.fromkeys(str(day)[:length] for day in slice_.days()):
            yield None, {said: text}


def check_names_slices(spec: Dataset, name: str, pattern: FilePattern, where: str) -> None:
    """Raise DefinitionError where each slice would take the files of others.

    `{hour}` is two digits beside `{day}`, `{month}` is 2013-01 and `{year}` 2013; the placeholder
    of a value is called as its column.
    """
    windows, values = windows_of(spec.partitions), values_of(spec.partitions)
    names = pattern.placeholders
    if windows is None and DAY in names:
        raise DefinitionError(
            f"input {name} is read by day and the dataset is not",
            where=where,
            found=pattern.text,
            next_step="give the dataset partitions=Daily(...), or write a * in place of {day}",
        )
    wanted: list[str] = []
    if windows and not set(_SAYS[windows.grain]) & set(names):
        wanted.append(" or ".join(f"{{{said}}}" for said in _SAYS[windows.grain]))
    if windows and windows.grain == "hour" and DAY not in names:
        wanted.append(f"{{{DAY}}}")
    if values and values.column not in names:
        wanted.append(f"{{{values.column}}}")
    if wanted:
        raise DefinitionError(
            f"input {name} does not say which slice a file is of, and each would take all files",
            where=where,
            expected=f"{' and '.join(wanted)} in the pattern",
            found=pattern.text,
            next_step="write it where the files' names say so, or load the files into a dataset "
            "without partitions, or of others, and read that",
        )
    if windows and windows.grain == "hour" and windows.time_zone != "UTC":
        raise DefinitionError(
            "clocks of the time zone may say an hour twice, and a file's name would be of both",
            where=where,
            expected="files named by hours of UTC, and Hourly(...) without time_zone",
            found=windows.time_zone,
            next_step="load the files by hours of UTC or by day, and read that table",
        )
