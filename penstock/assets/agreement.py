"""What the datasets of one deployment must agree on: their names, and what they read."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from penstock.assets.freshness import FRESHNESS_CHECK
from penstock.assets.inputs.external import External
from penstock.assets.inputs.files import Landing
from penstock.assets.inputs.query import Query
from penstock.assets.inputs.snapshot import Snapshot, check_slice_by
from penstock.assets.inputs.topic import Topic
from penstock.assets.metadata import CONTRACT_CHECK, asset_key, check_name
from penstock.assets.partitions.grid import windows_of
from penstock.errors import DefinitionError
from penstock.schemas.definition import check_reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from penstock.assets.dataset import Dataset

__all__ = ["check_together", "refuse_nested_names"]


def check_together(specs: Sequence[Dataset], external: Collection[str]) -> None:
    """Raise DefinitionError when datasets cannot be run together.

    `external` are tables of the lake that others write: of them only the name is known.
    """
    refuse_nested_names([spec.name for spec in specs])
    _refuse_one_name(specs)
    _refuse_two_tables(specs, external)
    made = {spec.name: spec for spec in specs}
    for spec in specs:
        where = f"dataset {spec.name}"
        for name in spec.upstream:
            if name not in made and name not in external:
                raise _unknown(where, name, [*made, *external])
        for name, item in spec.inputs.items():
            if isinstance(item, Snapshot) and item.cut_by and item.dataset in made:
                _check_cut(spec, name, item, made[item.dataset])
        for key in spec.model.foreign_keys:
            target = made.get(key.references)
            where = f"contract {spec.contract.__name__}"
            check_reference(where, spec.model, key, target.model if target else None)


def _check_cut(spec: Dataset, name: str, item: Snapshot, source: Dataset) -> None:
    """Raise DefinitionError where the input cannot be cut by the dataset's slices.

    A date is of a day of one zone. Of windows of another time zone Dagster does not know which are
    shared: an eager dataset would wait for all that there ever will be.
    """
    where = f"dataset {spec.name}, input {name}"
    check_slice_by(where, item.cut_by, source.model, spec.partitions)
    ours, theirs = windows_of(spec.partitions), windows_of(source.partitions)
    if ours is None or theirs is None or ours.time_zone == theirs.time_zone:
        return
    kinds = {column.name: column.type for column in source.model.columns}
    if dates := [by for by in item.cut_by if kinds[by] == "date"]:
        raise DefinitionError(
            "days of one time zone are read as days of another",
            where=where,
            expected=f"slices in {theirs.time_zone}, or a timestamp to cut by",
            found=f"{dates[0]}, a date, and slices in {ours.time_zone}",
            next_step=f"write time_zone={theirs.time_zone!r}, or name a timestamp in slice_by",
        )
    if spec.schedule.eager:
        raise DefinitionError(
            "an eager dataset reads slices of another time zone",
            where=where,
            expected=f"one time zone for both, such as {ours.time_zone}",
            found=f"{item.dataset}, {theirs.words}",
            next_step="leave eager out and let Automation run it, which waits for the slices that "
            "are shared",
        )


def _unknown(where: str, name: str, known: Sequence[str]) -> DefinitionError:
    near = difflib.get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    return DefinitionError(
        "no dataset of the deployment makes what it reads",
        where=where,
        expected=f"one of {', '.join(sorted(known))}",
        found=name,
        next_step=f"{hint}Add the dataset to the deployment, or name a table that others write in "
        f"external=({name!r},)",
    )


def _refuse_one_name(specs: Sequence[Dataset]) -> None:
    """Raise DefinitionError when Dagster would know two things by one name."""
    folders = {
        item.dataset
        for spec in specs
        for item in spec.inputs.values()
        if isinstance(item, Landing | Query | Topic | External)
    }
    names = [spec.name for spec in specs]
    keys = [(name, asset_key(name).to_user_string()) for name in [*names, *sorted(folders)]]
    # what makes an asset is a step, and steps have names without a slash
    steps = [(name, "__".join(asset_key(name).path)) for name in names]
    for one, other in (*_alike(keys), *_alike(steps)):
        raise DefinitionError(
            "two datasets have one name in Dagster",
            where=f"{one}, {other}",
            found=dict([*keys, *steps])[one],
            next_step="rename one of the two",
        )
    for spec in specs:
        model = spec.model
        ids = {*(check.id for check in model.checks), *(key.id for key in model.foreign_keys)}
        ids |= {f"{column.name}:type" for column in model.columns}
        own = [(f"the check of {name}", name) for name in (CONTRACT_CHECK, FRESHNESS_CHECK)]
        for one, other in _alike([*own, *((rule, check_name(rule)) for rule in sorted(ids))]):
            raise DefinitionError(
                "two rules have one name in Dagster",
                where=f"contract {spec.contract.__name__}",
                found=f"{one} and {other}: {check_name(other)}",
                next_step="rename one of the two",
            )


def _refuse_two_tables(specs: Sequence[Dataset], external: Collection[str]) -> None:
    """Raise DefinitionError when one name stands for two tables, of which one is outside the lake.

    `external` are tables of the lake that others write.
    """
    known: dict[str, External] = {}
    made = {
        *external,
        *(spec.name for spec in specs),
        *(n for spec in specs for n in spec.upstream),
    }
    for spec in specs:
        for name, item in spec.inputs.items():
            if not isinstance(item, External):
                continue
            first = known.setdefault(item.dataset, item)
            if item.dataset in made:
                raise DefinitionError(
                    "a table of the lake has the name of one that others write elsewhere",
                    where=f"dataset {spec.name}, input {name}",
                    found=item.dataset,
                    next_step="read it as table(...), or give the contract of external(...) "
                    "another name",
                )
            if (first.place, first.fingerprint) != (item.place, item.fingerprint):
                raise DefinitionError(
                    "two tables that others write have one name",
                    where=f"dataset {spec.name}, input {name}",
                    expected=f"one contract and place for each: {first.place}",
                    found=f"{item.dataset} at {item.place}",
                    next_step="give the contract of one of the two another name",
                )


def _alike(named: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    first: dict[str, str] = {}
    for what, name in named:
        if first.setdefault(name, what) != what:
            yield first[name], what


def refuse_nested_names(names: Sequence[str]) -> None:
    """Raise DefinitionError when a name goes on where another ends: `a.b` and `a.b.c`.

    Their folders would lie in each other, and VACUUM of the outer table would delete the inner one.
    """
    inner = {name: [n for n in names if n.startswith(f"{name}.")] for name in names}
    nested = [f"{name} lies inside {outer}" for outer in inner for name in inner[outer]]
    if nested:
        raise DefinitionError(
            "the table of one dataset would lie inside that of another",
            where=", ".join(sorted(name for name in inner if inner[name])),
            found="; ".join(sorted(nested)),
            next_step="rename one of the two, such as shop.orders and shop.order_lines",
        )
