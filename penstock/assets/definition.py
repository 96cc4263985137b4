"""What a dataset's definition must be, as far as it can be told from itself and its contract.

Every function raises DefinitionError with the dataset, the part and the mend.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, get_args

from penstock.assets.closed import check_closes
from penstock.assets.layout import check_layout
from penstock.assets.mode_definition import check_mode
from penstock.assets.modes import BadRows, WriteMode
from penstock.assets.partitions.grid import values_of, windows_of
from penstock.errors import DefinitionError
from penstock.privacy.method import Drop, Generalise, Null, Token
from penstock.privacy.policy import MaskingPolicy

if TYPE_CHECKING:
    from penstock.assets.dataset import Dataset

__all__ = ["check_dataset", "check_schedule", "is_cron", "refuse_parts"]

_GROUP = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")
_TAG = re.compile(r"([\w.-]{1,63}/)?[\w.-]{1,63}", re.ASCII)
_TAG_VALUE = re.compile(r"[\w.-]{0,63}", re.ASCII)


def refuse_parts(where: str, *, inputs: object, **parts: Any) -> None:
    """Each argument of `@dataset` is of its kind; None is the default of all but `inputs`."""
    if not isinstance(inputs, Mapping):
        raise DefinitionError(
            "inputs= is no mapping",
            where=where,
            expected="the function's parameters, each with what it is bound to",
            found=f"a {type(inputs).__name__}",
            next_step="write inputs={'bookings': Bookings}",
        )
    kinds: dict[str, tuple[tuple[type, ...], str]] = {
        "write": (get_args(WriteMode), "Merge()"),
        "bad_rows": (get_args(BadRows), "Fail()"),
        "masking": ((MaskingPolicy,), "MaskingPolicy.of({'email': Token('email')})"),
        "tags": ((Mapping,), "{'tier': 'gold'}"),
        "cluster": ((str,), "'cluster'"),
        "group": ((str,), "'silver'"),
    }
    for name, value in parts.items():
        allowed, example = kinds[name]
        if value is None or isinstance(value, allowed):
            continue
        word = value.__name__ if isinstance(value, type) else str(value)
        near = [kind.__name__ for kind in allowed if kind.__name__.lower() == word.lower()]
        raise DefinitionError(
            f"{name}= is of another kind",
            where=where,
            expected=" or ".join(kind.__name__ for kind in allowed),
            found=f"the class {word}" if isinstance(value, type) else repr(value),
            next_step=f"write {name}={f'{near[0]}()' if near else example}",
        )


def check_dataset(spec: Dataset) -> None:
    """Raise DefinitionError when the parts of the dataset do not fit together."""
    where = f"dataset {spec.name}"
    _check_body(spec, where)
    _check_dagster(spec, where)
    for name, item in spec.inputs.items():
        item.check(spec, name, where)
    check_mode(spec, where)
    _check_partitions(spec, where)
    check_layout(spec, where)
    check_closes(spec, where)
    if spec.masking:
        _check_masking(spec, spec.masking, where)


def _check_body(spec: Dataset, where: str) -> None:
    parameters = set(inspect.signature(spec.body).parameters) - {"run"}
    if parameters != set(spec.inputs):
        raise DefinitionError(
            "the function's parameters are not its inputs",
            where=where,
            expected=f"{sorted(spec.inputs)}, and `run` for the slice",
            found=str(sorted(parameters)),
            next_step="give each input a parameter of the same name",
        )
    body = inspect.unwrap(spec.body)
    if (
        inspect.iscoroutinefunction(body)
        or inspect.isgeneratorfunction(body)
        or inspect.signature(body).return_annotation in (None, "None")
        or _never_returns(body)
    ):
        raise DefinitionError(
            "the function returns no DataFrame",
            where=where,
            expected="a plain function that ends in `return` and a DataFrame",
            next_step="return the DataFrame; Penstock writes it",
        )


def _never_returns(body: object) -> bool:
    """Whether the function has neither `return` with a value nor `raise`, as far as can be seen."""
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(body))).body  # type: ignore[arg-type]
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    if not isinstance(tree, ast.FunctionDef):  # a lambda, or a call that made it
        return False
    left: list[ast.AST] = list(tree.body)
    while left:
        node = left.pop()
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Return) and node.value):
            return False
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            left.extend(ast.iter_child_nodes(node))
    return True


def _check_dagster(spec: Dataset, where: str) -> None:
    """What Dagster would refuse, at a place that names no dataset."""
    if not _GROUP.fullmatch(spec.group):
        raise DefinitionError(
            "this is not the name of a group",
            where=where,
            expected="letters, digits and underscores",
            found=repr(spec.group),
            next_step=f"write group='{re.sub(r'[^A-Za-z0-9_/]', '_', spec.group) or 'silver'}'",
        )
    for name, value in spec.tags.items():
        if not (_TAG.fullmatch(str(name)) and _TAG_VALUE.fullmatch(str(value))):
            raise DefinitionError(
                "this is not a tag",
                where=where,
                expected="letters, digits, underscores, dots and dashes, at most 63",
                found=f"{name!r}: {value!r}",
                next_step="write tags={'tier': 'gold'}",
            )


def _check_partitions(spec: Dataset, where: str) -> None:
    windows, values = windows_of(spec.partitions), values_of(spec.partitions)
    if windows:
        kinds = ("timestamp",) if windows.grain == "hour" else ("date", "timestamp")
        _check_says_slice(spec, windows.column, kinds, where)
    if values:
        _check_says_slice(spec, values.column, ("string",), where)


def _check_says_slice(spec: Dataset, name: str, kinds: tuple[str, ...], where: str) -> None:
    """The column is there, and of a kind that says which slice a row is of."""
    column = spec.model.column(name)
    if column is None:
        raise DefinitionError(
            "the partition column is not in the contract",
            where=f"{where}.{name}",
            expected=f"one of {[c.name for c in spec.model.columns]}",
            next_step=f"name the {' or '.join(kinds)} column that says which slice a row is of",
        )
    if column.type not in kinds:
        raise DefinitionError(
            "the partition column does not say which slice a row is of",
            where=f"{where}.{name}",
            expected=" or ".join(kinds),
            found=column.type,
            next_step=f"use a {' or '.join(kinds)} column",
        )
    if column.pii and not column.masked:
        raise DefinitionError(
            "slices would be called by personal data",
            where=f"{where}.{name}",
            expected="a column without personal data, or masked: names of slices are in "
            "Dagster, commits, events and logs",
            found=column.pii,
            next_step="cut the dataset by another column"
            + (", or mask this one with Token(...)" if column.type == "string" else ""),
        )


def _check_masking(spec: Dataset, policy: MaskingPolicy, where: str) -> None:
    """What masking gives is what the contract says; a column that is dropped is not in it."""
    known = {column.name for column in spec.model.columns} | policy.dropped
    try:
        policy.refuse_unknown(known)
    except DefinitionError as error:
        near = difflib.get_close_matches(str(error.where), known, 1)
        raise DefinitionError(
            error.what,
            where=f"{where}.{error.where}",
            expected=error.expected,
            next_step=f"did you mean {near[0]}?" if near else error.next_step,
        ) from None
    for name, method in policy.methods:
        column = spec.model.column(name)
        given = {Token: "string", Generalise: "int"}.get(type(method))
        at = f"contract {spec.contract.__name__}.{name}"
        if column is None:
            continue
        if isinstance(method, Drop):
            raise DefinitionError(
                "masking drops a column that the contract has",
                where=at,
                next_step="take it out of the contract, or mask it with Null()",
            )
        if isinstance(method, Null) and not column.nullable:
            raise DefinitionError(
                "masking writes NULL to a column that may not be NULL",
                where=at,
                expected="column(nullable=True)",
                next_step="make the column nullable, or Drop() it",
            )
        if given and column.type != given:
            raise DefinitionError(
                f"{type(method).__name__} gives another type than the contract says",
                where=at,
                expected=given,
                found=column.type,
                next_step="declare the column as what masking makes of it",
            )


def check_schedule(
    cron: object, *, eager: object, max_retries: object, retry_delay: object
) -> None:
    """Raise DefinitionError for a schedule that Dagster could not keep."""
    problem = None
    if cron is not None and not is_cron(cron):
        problem = f"cron={cron!r} is no cron expression; write cron='0 4 * * *' for four o'clock"
    elif cron is not None and eager:
        problem = "eager and cron are two ways to be run; choose one"
    elif not isinstance(eager, bool):
        problem = f"eager={eager!r} is neither True nor False"
    elif not isinstance(max_retries, int) or isinstance(max_retries, bool) or max_retries < 0:
        problem = f"max_retries={max_retries!r} is no number of retries; write max_retries=2"
    elif not isinstance(retry_delay, timedelta) or retry_delay < timedelta():
        problem = f"retry_delay={retry_delay!r} is no duration; write timedelta(seconds=30)"
    if problem:
        found, _, mend = problem.partition("; ")
        raise DefinitionError(
            "the schedule cannot be kept",
            where="Schedule(...)",
            found=found,
            next_step=mend or "write True or False",
        )


def is_cron(text: object) -> bool:
    """Whether Dagster takes it for a cron expression."""
    if not isinstance(text, str):
        return False
    import dagster as dg  # a second, which a dataset without a schedule need not pay

    try:
        dg.ScheduleDefinition(name="a", job_name="a", cron_schedule=text)
    except dg.DagsterInvalidDefinitionError:
        return False
    return bool(text.strip())
