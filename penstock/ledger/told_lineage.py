"""Column lineage as events told it, made back into what they were made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.lineage.column_lineage import ColumnLineage, Origin, Subtype, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any
    from uuid import UUID

    from penstock.ledger.ledger import Ledger

__all__ = ["asset_names", "told_lineage"]

#: (namespace, name), as OpenLineage calls a dataset.
Physical = tuple[str, str]


def asset_names(payload: Mapping[str, Any]) -> dict[Physical, str]:
    """The own name of each dataset that the event names."""
    return {
        (item["namespace"], item["name"]): link["name"]
        for item in (*(payload.get("inputs") or ()), *(payload.get("outputs") or ()))
        for link in (item.get("facets") or {}).get("symlinks", {}).get("identifiers") or ()
    }


def told_lineage(ledger: Ledger, run_id: UUID) -> ColumnLineage | None:
    """The column lineage that one of Penstock's runs told last, None when it told none.

    Origins come sorted by column; an undeclared input stands in `unknown`. Raises LedgerError.
    """
    for event in reversed(ledger.events(run_id=run_id)):
        for output in event.payload.get("outputs") or ():
            facet = (output.get("facets") or {}).get("columnLineage")
            if facet is not None:
                return _lineage(event.payload, facet)
    return None


def _lineage(payload: Mapping[str, Any], facet: Mapping[str, Any]) -> ColumnLineage:
    names = asset_names(payload)
    unknown = payload["run"]["facets"]["penstock_run"].get("lineageUnknown", ())
    return ColumnLineage(
        fields={
            column: _origins(field.get("inputFields") or (), names)
            for column, field in facet["fields"].items()
        },
        dataset=_origins(facet.get("dataset") or (), names),
        unknown=tuple(Unknown(column=u.get("field"), reason=u["reason"]) for u in unknown),
    )


def _origins(
    fields: Iterable[Mapping[str, Any]], names: Mapping[Physical, str]
) -> tuple[Origin, ...]:
    return tuple(
        Origin(
            dataset=names.get((field["namespace"], field["name"]), field["name"]),
            column=field["field"],
            subtype=Subtype(step["subtype"]),
            masking=bool(step.get("masking")),
            description=step.get("description") or "",
        )
        for field in fields
        for step in field.get("transformations") or ()
    )
