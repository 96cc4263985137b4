"""The operations that lead from one contract to another."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from penstock.schemas.evolution.check_direction import direction_of
from penstock.schemas.evolution.columns import (
    Added,
    Dropped,
    FieldsMoved,
    Moved,
    Recased,
    Relaxed,
    Required,
    Retyped,
)
from penstock.schemas.evolution.kind import Kind, Plain, fields_of, parsed
from penstock.schemas.evolution.promises import (
    Classified,
    Cleared,
    Clustered,
    Described,
    Fresh,
    Kept,
    MaskedChanged,
    Owned,
    UnitChanged,
)
from penstock.schemas.evolution.rules import (
    CheckChanged,
    Direction,
    KeyChanged,
    ReferenceChanged,
)
from penstock.schemas.model import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import timedelta

    from penstock.schemas.evolution.operation import Operation
    from penstock.schemas.model import CheckModel, ColumnModel, ContractModel, ForeignKeyModel

__all__ = ["columns_difference", "difference"]


def difference(old: ContractModel, new: ContractModel) -> tuple[Operation, ...]:
    """The operations that lead from `old` to `new`, none where they say the same.

    Their versions are no part of it. A column that is called otherwise is one that is gone and one
    that is new: nobody guesses.
    """
    before = {column.name: column for column in old.columns}
    after = {column.name: column for column in new.columns}
    required = [column.name for column in new.columns if not column.nullable]
    found: list[Operation] = [
        *columns_difference(_types(before), _types(after), required, new.open_classes),
        *(
            operation
            for name, column in after.items()
            if name in before
            for operation in _column(before[name], column)
        ),
    ]
    same = [name for name in before if name in after]
    if same != [name for name in after if name in before]:
        found.append(Moved(columns=tuple(after)))
    if {*old.key} != {*new.key}:  # their order is that of the columns
        found.append(KeyChanged(old=old.key, new=new.key))
    return (*found, *_checks(old, new), *_references(old, new), *_promises(old, new))


def columns_difference(
    old: Mapping[str, str],
    new: Mapping[str, str],
    required: Collection[str] = (),
    pii: Mapping[str, str] = {},
) -> tuple[Operation, ...]:
    """The same of columns alone: `old` and `new` are Spark's types by name.

    `required` are columns of `new` that may not be NULL, `pii` their classes of personal data.
    Order of columns is no difference.
    """
    spelled = {name.lower(): name for name in old}
    found: list[Operation] = []
    for name, text in new.items():
        known = spelled.get(name.lower())
        if known is None:
            found.append(
                Added(
                    path=name,
                    type=_kind(text),
                    nullable=name not in required,
                    pii=pii.get(name),
                )
            )
        elif known != name:
            found.append(Recased(path=known, new=name))
        elif old[name] != text:
            found += _retyped(name, _kind(old[name]), _kind(text))
    kept = {name.lower() for name in new}
    added = [operation.path for operation in found if isinstance(operation, Added)]
    for name, text in old.items():
        if name.lower() not in kept:
            near = difflib.get_close_matches(name, added, 1)
            found.append(Dropped(path=name, type=_kind(text), near=near[0] if near else None))
    return tuple(found)


def _types(columns: Mapping[str, ColumnModel]) -> dict[str, str]:
    return {name: column.type for name, column in columns.items()}


def _kind(text: str) -> Kind:
    """The type; one whose parts cannot be told, for what their fields are called, as a whole."""
    try:
        return parsed(text)
    except ValueError:
        return Plain(text)


def _retyped(path: str, old: Kind, new: Kind) -> Iterator[Operation]:
    """What differs in the parts of a type; the key of a map is its whole type."""
    if old == new:
        return
    before, after = fields_of(old), fields_of(new)
    keys = before.get("key") != after.get("key") if type(old) is type(new) else False
    if isinstance(old, Plain) or type(old) is not type(new) or keys:
        yield Retyped(path=path, old=old, new=new)
        return
    for name, kind in after.items():
        if name in before:
            yield from _retyped(f"{path}.{name}", before[name], kind)
        else:
            yield Added(path=f"{path}.{name}", type=kind)
    for name, kind in before.items():
        if name not in after:
            yield Dropped(path=f"{path}.{name}", type=kind)
    if [n for n in before if n in after] != [n for n in after if n in before]:
        yield FieldsMoved(path=path, fields=tuple(after))


def _column(old: ColumnModel, new: ColumnModel) -> Iterator[Operation]:
    if old.nullable and not new.nullable:
        yield Required(path=new.name)
    if new.nullable and not old.nullable:
        yield Relaxed(path=new.name)
    if old.pii is not new.pii:
        yield Classified(path=new.name, old=_word(old.pii), new=_word(new.pii))
    if old.masked is not new.masked and new.pii is not None:
        yield MaskedChanged(path=new.name, masked=new.masked)
    if old.unit != new.unit:
        yield UnitChanged(path=new.name, old=old.unit, new=new.unit)
    if old.description != new.description:
        yield Described(path=new.name)


def _word(value: str | None) -> str | None:
    return None if value is None else str(value)


def _checks(old: ContractModel, new: ContractModel) -> Iterator[Operation]:
    """Checks of columns that are there before and after: those of others come and go with them."""
    both = {"", *_names(old)} & {"", *_names(new)}
    before = {check.id: check for check in old.checks if check.column in both}
    after = {check.id: check for check in new.checks if check.column in both}
    for name, check in after.items():
        known = before.get(name)
        direction = direction_of(known, check) if known else _alone(check, Direction.TIGHTER)
        if direction is not None:
            yield _check(name, known, check, direction)
    for name, check in before.items():
        if name not in after:
            yield _check(name, check, None, _alone(check, Direction.LOOSER))


def _alone(rule: CheckModel | ForeignKeyModel, direction: Direction) -> Direction:
    """The direction of a rule that comes or goes."""
    return direction if rule.severity is Severity.ERROR else Direction.COUNTED


def _names(contract: ContractModel) -> set[str]:
    return {column.name for column in contract.columns}


def _check(
    name: str, old: CheckModel | None, new: CheckModel | None, direction: Direction
) -> CheckChanged:
    one = new or old
    assert one is not None
    return CheckChanged(
        id=name,
        path=one.column,
        direction=direction,
        old=_rule(old.sql, old.severity) if old else None,
        new=_rule(new.sql, new.severity) if new else None,
    )


def _rule(text: str, severity: Severity) -> str:
    return f"{text} (only warns)" if severity is Severity.WARN else text


def _references(old: ContractModel, new: ContractModel) -> Iterator[Operation]:
    """Those of columns that are there before and after, as with checks."""
    both = _names(old) & _names(new)
    before = {key.id: key for key in old.foreign_keys if {*key.columns} <= both}
    after = {key.id: key for key in new.foreign_keys if {*key.columns} <= both}
    for name in dict.fromkeys([*after, *before]):
        known, key = before.get(name), after.get(name)
        if known == key:
            continue
        one = key or known
        assert one is not None
        yield ReferenceChanged(
            id=name,
            path="" if one.columns[1:] else one.columns[0],
            direction=_reference_direction(known, key),
            old=_target(known) if known else None,
            new=_target(key) if key else None,
        )


def _reference_direction(old: ForeignKeyModel | None, new: ForeignKeyModel | None) -> Direction:
    if old is None or new is None:
        one = new or old
        assert one is not None
        return _alone(one, Direction.TIGHTER if old is None else Direction.LOOSER)
    # its own columns are its id
    match old.severity, new.severity:
        case Severity.ERROR, Severity.ERROR:
            return Direction.OTHER
        case Severity.ERROR, _:
            return Direction.LOOSER
        case _, Severity.ERROR:
            return Direction.TIGHTER
        case _:
            return Direction.COUNTED


def _target(key: ForeignKeyModel) -> str:
    return _rule(f"{key.references} ({', '.join(key.references_columns)})", key.severity)


def _promises(old: ContractModel, new: ContractModel) -> Iterator[Operation]:
    if old.cleared != new.cleared:
        yield Cleared(
            added=tuple(sorted(new.cleared - old.cleared)),
            removed=tuple(sorted(old.cleared - new.cleared)),
        )
    if old.freshness != new.freshness:
        yield Fresh(
            old=_time(old.freshness),
            new=_time(new.freshness),
            looser=new.freshness is None
            or (old.freshness is not None and new.freshness > old.freshness),
        )
    if old.retention != new.retention:
        yield Kept(
            old=_time(old.retention),
            new=_time(new.retention),
            shorter=old.retention is None
            or (new.retention is not None and new.retention < old.retention),
            personal=bool(new.open_classes),
        )
    if old.clustering != new.clustering:
        yield Clustered(old=old.clustering, new=new.clustering)
    if old.owner != new.owner:
        yield Owned(old=old.owner, new=new.owner)
    if old.description != new.description:
        yield Described(path="")


def _time(duration: timedelta | None) -> str | None:
    return None if duration is None else str(duration)
