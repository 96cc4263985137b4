"""Where every column of a dataset comes from, in OpenLineage's vocabulary, as plain data.

The terms are those of the ColumnLineageDatasetFacet, version 1-2-0
(https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["ColumnLineage", "Influence", "Origin", "Subtype", "Unknown"]


class Influence(StrEnum):
    """Whether the value is made of the origin, or only decided by it."""

    DIRECT = "DIRECT"
    INDIRECT = "INDIRECT"


class Subtype(StrEnum):
    """How the origin takes part. The first three are direct, the others indirect."""

    IDENTITY = "IDENTITY"
    TRANSFORMATION = "TRANSFORMATION"
    AGGREGATION = "AGGREGATION"
    JOIN = "JOIN"
    GROUP_BY = "GROUP_BY"
    FILTER = "FILTER"
    SORT = "SORT"
    WINDOW = "WINDOW"
    CONDITIONAL = "CONDITIONAL"

    @property
    def type(self) -> Influence:
        """DIRECT for IDENTITY, TRANSFORMATION and AGGREGATION, otherwise INDIRECT."""
        return Influence.DIRECT if self in _DIRECT_RANK else Influence.INDIRECT

    def after(self, inner: Subtype) -> Subtype:
        """The subtype of a path whose first step is `inner` and whose second is this one.

        The later indirect step names how the origin acts; an indirect origin stays indirect
        through direct steps; of two direct steps the stronger counts.
        """
        if self.type is Influence.INDIRECT or inner.type is Influence.INDIRECT:
            return self if self.type is Influence.INDIRECT else inner
        return max(self, inner, key=_DIRECT_RANK.__getitem__)


_DIRECT_RANK = {Subtype.IDENTITY: 0, Subtype.TRANSFORMATION: 1, Subtype.AGGREGATION: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One input column and how it takes part.

    `column` is a dotted path into nested structs (`address.city`). `masking` is true when every
    value on this path went through a hash, a mask or a count; a second origin with the same
    column and `masking` false means that the column also arrives in clear.
    """

    dataset: str
    column: str
    subtype: Subtype
    masking: bool = False
    description: str = ""

    @property
    def type(self) -> Influence:
        """DIRECT or INDIRECT, which the subtype decides."""
        return self.subtype.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """What could not be known. `column` is None when it concerns which rows there are."""

    column: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnLineage:
    """The origins of each output column, and of the choice and order of rows.

    `fields` has every output column; an empty tuple without an entry in `unknown` means that no
    input takes part (a literal). A column in `unknown` may have more origins than its tuple says.
    """

    fields: Mapping[str, tuple[Origin, ...]]
    dataset: tuple[Origin, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def complete(self) -> bool:
        """True when nothing had to be left unknown."""
        return not self.unknown

    def inputs(self) -> Mapping[str, frozenset[str]]:
        """The columns that matter of each input dataset, whether to a value or to the rows."""
        columns: dict[str, set[str]] = {}
        for origins in (*self.fields.values(), self.dataset):
            for origin in origins:
                columns.setdefault(origin.dataset, set()).add(origin.column)
        return {dataset: frozenset(found) for dataset, found in sorted(columns.items())}

    def deciding(self, column: str, *, stays: bool = False) -> ColumnLineage:
        """The lineage where `column` decides which rows there are; it is of the output or not."""
        decides = (
            replace(origin, subtype=Subtype.FILTER.after(origin.subtype))
            for origin in self.fields.get(column, ())
        )
        return ColumnLineage(
            fields={n: o for n, o in self.fields.items() if stays or n != column},
            dataset=tuple(dict.fromkeys((*self.dataset, *decides))),
            unknown=tuple(
                replace(doubt, column=None) if doubt.column == column and not stays else doubt
                for doubt in self.unknown
            ),
        )

    def without(self, dataset: str, column: str) -> ColumnLineage:
        """The lineage without an origin that is no column of its dataset."""

        def others(origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
            return tuple(o for o in origins if (o.dataset, o.column) != (dataset, column))

        fields = {name: others(origins) for name, origins in self.fields.items()}
        return replace(self, fields=fields, dataset=others(self.dataset))

    def renamed(self, dataset: str, names: Mapping[str, str]) -> ColumnLineage:
        """The lineage with columns of the dataset called otherwise: `names` is by the old name.

        A part of a column, `a.b`, goes with it.
        """

        def called(origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
            return tuple(named(o) if o.dataset == dataset else o for o in origins)

        def named(origin: Origin) -> Origin:
            column, point, part = origin.column.partition(".")
            return replace(origin, column=f"{names.get(column, column)}{point}{part}")

        fields = {name: called(origins) for name, origins in self.fields.items()}
        return replace(self, fields=fields, dataset=called(self.dataset))

    def masked_by(
        self,
        masks: Mapping[str, str],
        dropped: frozenset[str],
        looks_at: Mapping[str, Collection[str]] | None = None,
    ) -> ColumnLineage:
        """The lineage of this frame after masking.

        `masks` says in words how a column is masked: its origins are transformed and masked.
        `looks_at` names the columns whose values decide what is masked of it: their origins are
        its own, indirect and masked. Columns in `dropped` are gone. Others pass as they are.
        """
        looks_at = looks_at or {}
        doubts = {doubt.column: doubt.reason for doubt in self.unknown}
        fields = {}
        unknown = [doubt for doubt in self.unknown if doubt.column not in dropped]
        for column, origins in self.fields.items():
            if column in dropped:
                continue
            fields[column] = origins
            if column in masks:
                decided = [o for other in looks_at.get(column, ()) for o in self.fields[other]]
                fields[column] = (
                    *(_masked(origin, masks[column]) for origin in origins),
                    *dict.fromkeys(_decides(origin, masks[column]) for origin in decided),
                )
                unknown += [
                    Unknown(column=column, reason=doubts[other])
                    for other in looks_at.get(column, ())
                    if other in doubts and column not in doubts
                ]
        return replace(self, fields=fields, unknown=tuple(dict.fromkeys(unknown)))


def _decides(origin: Origin, how: str) -> Origin:
    return replace(origin, subtype=Subtype.CONDITIONAL, masking=True, description=how)


def _masked(origin: Origin, how: str) -> Origin:
    subtype = Subtype.TRANSFORMATION.after(origin.subtype)
    return replace(origin, subtype=subtype, masking=True, description=how)
