"""Which slice of each dataset a command is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.assets.dataset import Dataset
    from penstock.assets.partitions.grid import Partitions
    from penstock.assets.slice import Slice

__all__ = ["slices_wanted"]


def slices_wanted(
    specs: tuple[Dataset, ...], target: Dataset, name: str | None
) -> list[tuple[Dataset, Slice]]:
    """Each dataset with the slice that the one of that name is made of; whole where it has none.

    The name is of the target's slices, or, where it has none, of those of the last that it is made
    of. Raises DefinitionError for a name that is of none, or one that is missing.
    """
    from penstock.assets.slice import WHOLE

    cut = [spec for spec in specs if spec.partitions]
    partitions = cut[-1].partitions if cut else None
    if name is None and partitions:
        raise DefinitionError(
            "the dataset is made by slices and none was given",
            where=cut[-1].name,
            next_step=f"add --slice, such as --slice {partitions.example!r}",
        )
    if name is not None and not partitions:
        raise DefinitionError(
            "the dataset has no slices and one was given",
            where=target.name,
            found=f"--slice {name}",
            next_step=f"run it whole: penstock run {target.name}",
        )
    known = {spec.name: spec for spec in specs}
    wanted: dict[str, list[Slice]] = {}
    jobs: list[tuple[Dataset, Slice]] = []
    asked = partitions.slice(name) if partitions and name is not None else WHOLE
    for spec in reversed(specs):
        slice_ = WHOLE
        if spec.partitions and spec is cut[-1]:
            slice_ = asked
        elif spec.partitions:
            # what is read by none that is cut is asked for what was
            slice_ = _covering(spec, spec.partitions, wanted.get(spec.name) or [asked])
        if not slice_.whole:
            _want(spec, slice_, known, wanted)
        jobs.append((spec, slice_))
    return jobs[::-1]


def _want(
    spec: Dataset, slice_: Slice, known: Mapping[str, Dataset], wanted: dict[str, list[Slice]]
) -> None:
    """Note what the slice reads of each dataset that it needs."""
    from penstock.assets.inputs.sliced_read import SlicedRead
    from penstock.assets.inputs.snapshot import Snapshot

    for item in spec.inputs.values():
        source = known.get(item.dataset)
        if isinstance(item, Snapshot) and item.cut_by and source is not None and source.partitions:
            part = SlicedRead(item, source).part(slice_)
            # of what is cut by another column the same time is run
            wanted.setdefault(source.name, []).append(part if part.start else slice_)
    for other in spec.upstream:  # what is read whole is run for the slice too
        wanted.setdefault(other, [slice_])


def _covering(spec: Dataset, partitions: Partitions, slices: list[Slice]) -> Slice:
    """The dataset's slices that these are made of."""
    spanning = _spanning(slices)
    if found := partitions.covering(spanning):
        return found
    raise DefinitionError(
        "a dataset that is needed has no such slice",
        where=spec.name,
        expected=f"slices as it is cut: {partitions.words}",
        found=spanning.span,
        next_step=f"run it by itself first, such as penstock run {spec.name} --slice "
        f"{partitions.example!r}, or give another slice",
    )


def _spanning(slices: list[Slice]) -> Slice:
    """The slice that has all of them in it."""
    from penstock.assets.slice import Slice

    starts = [slice_.start for slice_ in slices if slice_.start]
    ends = [slice_.end for slice_ in slices if slice_.end]
    times = len(starts) == len(slices)
    values = all(slice_.values for slice_ in slices)
    return Slice(
        start=min(starts) if times else None,
        end=max(ends) if times else None,
        zone=slices[0].zone,
        values=tuple(dict.fromkeys(v for slice_ in slices for v in slice_.values))
        if values
        else (),
    )
