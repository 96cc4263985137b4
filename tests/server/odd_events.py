"""Events of which any part may be any JSON: what is told of facets, by a producer gone wrong."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from tests.ledger.told_events import dataset, lineage, run_event, schema, symlinks

__all__ = ["IN_FACETS", "WHOLE", "events", "put"]

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**40,
    2**70,
    1.5,
    "",
    "x",
    "a\0b",
    "|",
    "a|b",
    "\N{GRINNING FACE}",
    "true",
    "1" * 36,
    "n" * 5000,
    "\N{GRINNING FACE}" * 400,
    [],
    {},
    [[]],
    [None],
    ["x"],
    [{}],
    {"x": None},
    {"": ""},
    {"name": 5},
    {"run": "x", "job": []},
]
odd = st.one_of(
    st.sampled_from(ODD),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)


def _whole() -> dict[str, Any]:
    """An event that uses all that the server reads of one."""
    parent = {
        "run": {"runId": "3f5e83fa-3480-44ff-99c5-ff943904e5e8"},
        "job": {"namespace": "spark", "name": "above"},
    }
    tags = [
        {"key": "pii", "value": "email", "field": "x"},
        {"key": "masked", "value": "true", "field": "y"},
    ]
    source = dataset("a", schema=schema("x", "y"), version={"datasetVersion": "1"})
    source["inputFacets"] = {
        "inputStatistics": {"rowCount": 1},
        "dataQualityAssertions": {"assertions": [{"assertion": "a", "success": True}]},
    }
    check = {
        "assertion": "not_null",
        "column": "x",
        "success": False,
        "params": {"failedRows": 1},
        "severity": "error",
    }
    target = dataset(
        "b",
        schema={
            "fields": [
                {"name": "x", "type": "string", "description": "text"},
                {"name": "y", "type": "struct", "fields": [{"name": "z", "type": "string"}]},
            ]
        },
        version={"datasetVersion": "2"},
        symlinks=symlinks(("file", "silver.b")),
        columnLineage=lineage("a.x > x", "a.y ~ y", rows=("a.x",)),
        documentation={"description": "text"},
        ownership={"owners": [{"name": "team:a", "type": "OWNER"}]},
        tags={"tags": tags},
        dataQualityAssertions={"assertions": [check]},
        lifecycleStateChange={"lifecycleStateChange": "ALTER"},
        dataSource={"name": "s", "uri": "file:///"},
    )
    target["outputFacets"] = {"outputStatistics": {"rowCount": 1, "size": 2, "fileCount": 1}}
    told = run_event(
        "COMPLETE",
        5,
        "j",
        inputs=(source,),
        outputs=(target,),
        run_facets={
            "parent": {**parent, "root": parent},
            "nominalTime": {"nominalStartTime": "2026-01-01T00:00:00Z"},
            "errorMessage": {"message": "m", "programmingLanguage": "P"},
            "spark_applicationDetails": {"applicationId": "local-1"},
            "penstock_run": {
                "sparkApplication": "local-1",
                "began": "2026-01-01T00:00:00Z",
                "alsoReads": [{"namespace": "file", "name": "keys"}],
                "dataset": "silver.b",
                "slice": "2026-01-01",
                "attempt": 1,
                "dagsterRunId": "d",
                "rowsIn": 1,
                "rowsCommitted": 1,
                "rowsQuarantined": 0,
                "inputVersions": {"a": 1},
            },
        },
    )
    told["job"]["facets"] = {
        "jobType": {"processingType": "BATCH", "integration": "SPARK", "jobType": "DATASET"},
        "sourceCodeLocation": {"type": "git", "url": "https://example.com", "version": "abc"},
        "sql": {"query": "SELECT 1"},
        "documentation": {"description": "text"},
        "ownership": {"owners": [{"name": "team:a"}]},
        "tags": {"tags": tags},
    }
    return told


WHOLE = _whole()


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in it."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += _places(inner, (*path, key))
    return found


PLACES = _places(WHOLE)
IN_FACETS = [path for path in PLACES if any("acets" in str(step) for step in path[:-1])]


def put(told: Any, path: tuple[Any, ...], value: Any, how: str) -> None:
    for step in path[:-1]:
        # an earlier change may have put something else there
        try:
            told = told[step]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    inside = last in told if isinstance(told, dict) else isinstance(told, list)
    if not inside or (isinstance(told, list) and not (isinstance(last, int) and last < len(told))):
        return
    match how:
        case "drop":
            del told[last]
        case "rename" if isinstance(told, dict):
            told[value if isinstance(value, str) else "renamed"] = told.pop(last)
        case "list":
            told[last] = [told[last], value]
        case _:
            told[last] = value


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """An event of which one to four parts are something else; most of them in facets."""
    told = copy.deepcopy(WHOLE)
    kind = draw(st.sampled_from(["run", "run", "run", "job", "dataset"]))
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(IN_FACETS) | st.sampled_from(PLACES))
        how = draw(st.sampled_from(["put", "put", "put", "drop", "rename", "list"]))
        put(told, path, draw(odd), how)
    if kind != "run":
        told.pop("run", None)
        told.pop("eventType", None)
    if kind == "dataset":
        told.pop("job", None)
        outputs = told.pop("outputs", None)
        told["dataset"] = outputs[0] if isinstance(outputs, list) and outputs else outputs
    return told
