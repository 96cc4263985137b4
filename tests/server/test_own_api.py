"""Penstock's own API: what an auditor asks, answered of a small story with known answers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from penstock.events.producer import PRODUCER as PENSTOCK
from penstock.ledger import Ledger
from penstock.server import create_app
from tests.ledger.told_events import (
    AT,
    dataset,
    identity,
    lineage,
    moment,
    run_event,
    schema,
    symlinks,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

A, B, C, D = (f"file|/lake/{name}" for name in ("bronze/a", "silver/b", "gold/c", "gold/d"))


def _of(layer: str, name: str, *columns: str, **facets: Any) -> dict[str, Any]:
    named = symlinks(("penstock", f"{layer}.{name}"))
    return dataset(f"/lake/{layer}/{name}", schema=schema(*columns), symlinks=named, **facets)


def _pii(**classes: str) -> dict[str, Any]:
    return {"tags": [{"key": "pii", "value": kind, "field": f} for f, kind in classes.items()]}


def story() -> list[dict[str, Any]]:
    """a → b masks the e-mail, for a while it does not; b → c; a's rows decide d."""
    a = _of("bronze", "a", "k", "email", tags=_pii(email="email"), version={"datasetVersion": "7"})
    names = ("/lake/bronze/a", "/lake/silver/b")

    def b(sign: str) -> dict[str, Any]:
        told = lineage(f"{names[0]}.k > k", f"{names[0]}.email {sign} email")
        tags = _pii(email="email")
        tags["tags"].append({"key": "masked", "value": "true", "field": "email"})
        return _of("silver", "b", "k", "email", columnLineage=told, tags=tags)

    c = _of("gold", "c", "contact", columnLineage=lineage(f"{names[1]}.email > contact"))
    d = _of("gold", "d", "n", columnLineage=lineage(rows=(f"{names[0]}.email",)))
    told = []
    for number, sign in enumerate("~>~"):
        told.append(run_event("START", 10 * number, "b", run=f"b{number}", inputs=(a,)))
        told.append(
            run_event(
                "COMPLETE",
                10 * number + 1,
                "b",
                run=f"b{number}",
                inputs=(a,),
                outputs=(b(sign),),
                run_facets={"penstock_run": {"codeVersion": sign, "rowsIn": 5 + number}},
            )
        )
    told.append(run_event("COMPLETE", 40, "c", inputs=(names[1],), outputs=(c,)))
    told.append(run_event("COMPLETE", 41, "d", inputs=(names[0],), outputs=(d,)))
    told.append(run_event("COMPLETE", 42, "whole", inputs=(names[0],), outputs=("/copy",)))
    return told


class Api:
    """Short words for its calls."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(f"/api/penstock/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def api(shared_url: str) -> Iterator[Api]:
    with Ledger.open(shared_url, clock=lambda: AT + timedelta(days=1)) as ledger:
        client = TestClient(create_app(ledger), base_url="http://127.0.0.1")
        assert client.post("/api/v1/lineage", json=story()).status_code == 201
        yield Api(client)


def ends(edges: list[dict[str, Any]]) -> set[tuple[str, str, str, str, bool]]:
    names = ("source", "source_column", "target", "target_column")
    return {(*(edge[n] or "" for n in names), edge["masking"]) for edge in edges}


def test_the_figures_of_the_whole(api: Api) -> None:
    told = api.get("summary")
    assert (told["events"], told["datasets"], told["jobs"], told["runs"]) == (9, 5, 4, 6)
    assert told["first_event"] == moment(0)
    assert told["last_event"] == moment(42)


def test_one_hop_around_a_dataset_and_what_lies_beyond(api: Api) -> None:
    told = api.get("graph", id=B)
    shown = {d["label"]: d for d in told["datasets"]}
    assert set(shown) == {"bronze.a", "silver.b", "gold.c"}
    assert shown["bronze.a"]["more_downstream"] == 2
    assert (shown["silver.b"]["more_upstream"], shown["silver.b"]["group"]) == (0, "silver")
    assert {(e["source"], e["target"]) for e in told["edges"]} == {(A, B), (B, C)}
    assert ends(told["column_edges"]) == {
        (A, "k", B, "k", False),
        (A, "email", B, "email", True),
        (B, "email", C, "contact", False),
    }
    assert [c["name"] for c in shown["bronze.a"]["columns"]] == ["k", "email"]
    assert [c["pii"] for c in shown["bronze.a"]["columns"]] == [None, "EMAIL"]


@pytest.mark.parametrize(
    ("minute", "masked"), [(1, True), (10.9, True), (11, False), (20.9, False), (21, True)]
)
def test_the_graph_as_of_an_instant(api: Api, minute: float, masked: bool) -> None:  # noqa: FBT001
    told = api.get("graph", id=B, at=moment(minute))
    assert (A, "email", B, "email", masked) in ends(told["column_edges"])
    assert C not in {d["id"] for d in told["datasets"]}


def test_before_anything_there_is_nothing(api: Api) -> None:
    told = api.get("graph", id=B, at=moment(0.5))
    assert (told["edges"], told["column_edges"]) == ([], [])
    assert api.get("graph", at=moment(-1))["datasets"] == []
    assert {d["id"] for d in api.get("graph", at=moment(1))["datasets"]} == {A, B}


def test_a_dataset_is_found_by_its_other_name(api: Api) -> None:
    by_name = api.get("graph", id="penstock|silver.b")
    assert by_name["datasets"] == api.get("graph", id=B)["datasets"]


def test_the_impact_of_a_column_says_where_it_is_masked(api: Api) -> None:
    told = api.get("impact", id=A, column="email")
    found = {(c["label"], c["column"]): c for c in told["columns"]}
    assert found["silver.b", "email"]["masked"]
    assert found["gold.c", "contact"]["masked"]
    assert found["gold.c", "contact"]["depth"] == 2
    assert (found["gold.d", "n"]["type"], found["gold.d", "n"]["masked"]) == ("INDIRECT", False)
    direct = api.get("impact", id=A, column="email", indirect="false")
    assert {c["label"] for c in direct["columns"]} == {"silver.b", "gold.c"}
    then = api.get("impact", id=A, column="email", at=moment(15))
    assert [(c["label"], c["masked"]) for c in then["columns"]] == [("silver.b", False)]
    up = api.get("impact", id=C, column="contact", direction="upstream")
    assert {(c["label"], c["column"]) for c in up["columns"]} == {
        ("silver.b", "email"),
        ("bronze.a", "email"),
    }


def test_the_way_between_two_columns(api: Api) -> None:
    way = {"source": A, "source_column": "email", "target": C, "target_column": "contact"}
    assert ends(api.get("path", **way)["edges"]) == {
        (A, "email", B, "email", True),
        (B, "email", C, "contact", False),
    }
    none = {**way, "source_column": "k"}
    assert api.get("path", **none)["edges"] == []
    rows = {**way, "target": D, "target_column": "n"}
    assert ends(api.get("path", **rows)["edges"]) == {(A, "email", D, "", False)}


def test_what_changed_between_two_instants(api: Api) -> None:
    told = api.get("changes", since=moment(5), until=moment(15))
    assert ends(told["added"]) == {(A, "email", B, "email", False)}
    assert ends(told["removed"]) == {(A, "email", B, "email", True)}
    told = api.get("changes", since=moment(30))
    assert told["datasets_added"] == sorted(["file|/copy", C, D])
    assert api.get("changes", since=moment(30), id=B)["added"] == []
    assert api.get("times")["changes"] == [moment(m) for m in (1, 11, 21, 40, 41, 42)]


def test_who_read_a_column_when_and_was_it_masked(api: Api) -> None:
    told = api.get("readers", id=A, column="email")
    by_job: dict[str, list[Any]] = {}
    for run in told["runs"]:
        by_job.setdefault(run["job"], []).append(run)
    assert [r["masked"] for r in by_job["spark|b"]] == [True, False, True]
    assert [r["dataset_version"] for r in by_job["spark|b"]] == ["7"] * 3
    # it says nothing of columns: nobody knows whether it read this one
    assert [r["masked"] for r in by_job["spark|whole"]] == [None]
    assert by_job["spark|d"][0]["into"] == [{"dataset": D, "label": "gold.d", "column": None}]
    # it only chose rows by the column, and for that it read it as it is
    assert by_job["spark|d"][0]["masked"] is False
    between = api.get("readers", id=A, column="email", since=moment(11), until=moment(15))
    assert [r["run_id"] for r in between["runs"]] == [identity("b1")]
    # what the columns of d are made of it does not say
    keys = {r["job"]: r["masked"] for r in api.get("readers", id=A, column="k")["runs"]}
    assert keys == {"spark|b": False, "spark|whole": None, "spark|d": None}


def test_a_run_and_what_differs_from_the_one_before(api: Api) -> None:
    told = api.get("run", id=identity("b1"))
    assert (told["state"], told["previous"]) == ("COMPLETE", identity("b0"))
    assert [e["event_type"] for e in told["events"]] == ["START", "COMPLETE"]
    assert [i["version"] for i in told["inputs"]] == ["7"]
    found = api.get("run/diff", id=identity("b1"))
    assert found["differences"] == [
        {"what": "code", "subject": None, "before": "~", "after": ">"},
        {"what": "rows in", "subject": None, "before": 5, "after": 6},
    ]
    same = api.get("run/diff", id=identity("b2"), other=identity("b2"))
    assert same["differences"] == []


def test_a_dataset_page_has_its_columns_both_ways_and_its_runs(api: Api) -> None:
    told = api.get("dataset", id=B)
    email = next(c for c in told["columns"] if c["name"] == "email")
    assert [(u["label"], u["column"], u["masking"]) for u in email["upstream"]] == [
        ("bronze.a", "email", True)
    ]
    assert [(u["label"], u["column"]) for u in email["downstream"]] == [("gold.c", "contact")]
    assert [run["run_id"] for run in told["runs"]] == [identity(f"b{n}") for n in (2, 1, 0)]
    assert told["symlinks"] == [{"namespace": "penstock", "name": "silver.b"}]
    assert api.get("dataset", id=D)["rows_from"][0]["column"] == "email"


def test_where_personal_data_is_in_clear_whatever_the_tags_say(api: Api) -> None:
    (now,) = api.get("pii")["classes"]
    found = {c["label"]: (c["masked"], c["in_clear"], c["contradicted"]) for c in now["columns"]}
    assert now["pii"] == "EMAIL"
    assert found == {"bronze.a": (False, True, False), "silver.b": (True, False, False)}
    (then,) = api.get("pii", at=moment(15))["classes"]
    told = {c["label"]: c for c in then["columns"]}
    assert (told["silver.b"]["in_clear"], told["silver.b"]["contradicted"]) == (True, True)
    assert [origin["masking"] for origin in told["silver.b"]["from"]] == [False]


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("silver.b", "dataset", "silver.b"),
        ("CONTACT", "column", "contact"),
        ("whole", "job", "whole"),
        ("email", "tag", "EMAIL"),
        (identity("b1"), "run", identity("b1")),
    ],
)
def test_search_finds_by_kind(api: Api, text: str, kind: str, label: str) -> None:
    found = api.get("search", q=text)["results"]
    assert (kind, label) in {(r["kind"], r["label"]) for r in found}


def test_search_says_when_there_is_more_and_gives_each_kind_its_share(api: Api) -> None:
    whole = api.get("search", q="email")
    kinds = {result["kind"] for result in whole["results"]}
    assert (whole["complete"], kinds) == (True, {"column", "tag"})
    part = api.get("search", q="email", limit=2)
    assert part["complete"] is False
    assert [result["kind"] for result in part["results"]] == ["column", "tag"]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("dataset", {"id": "file|/nowhere"}),
        ("graph", {"id": "no bar"}),
        ("impact", {"id": A, "column": "nope"}),
        ("run", {"id": identity("nobody")}),
    ],
)
def test_what_is_not_there_says_so(api: Api, path: str, query: dict[str, str]) -> None:
    answer = api.client.get(f"/api/penstock/v1/{path}", params=query)
    assert answer.status_code == 404
    assert answer.json()["next_step"]


def test_a_run_that_failed_is_not_told_by_what_another_did(tmp_path: Path) -> None:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        client = TestClient(create_app(ledger), base_url="http://127.0.0.1")
        clear = dataset("/lake/silver/b", columnLineage=lineage("/lake/bronze/a.email > email"))
        inputs = ("/lake/bronze/a",)
        told = [
            *story(),
            run_event("START", 60, "b", run="lost", inputs=inputs, outputs=(clear,)),
            run_event("FAIL", 61, "b", run="lost", outputs=(clear,)),
        ]
        assert client.post("/api/v1/lineage", json=told).status_code == 201
        runs = Api(client).get("readers", id=A, column="email")["runs"]
        (lost,) = [run for run in runs if run["run_id"] == identity("lost")]
        assert (lost["state"], lost["masked"], lost["into"]) == ("FAIL", None, [])


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Api]:
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        yield Api(TestClient(create_app(ledger), base_url="http://127.0.0.1"))


def made(*edges: str, rows: tuple[str, ...] = (), name: str = "/o") -> dict[str, Any]:
    return dataset(name, columnLineage=lineage(*edges, rows=rows))


def told_fields(*edges: str, **fields: Any) -> dict[str, Any]:
    """An output whose column lineage has these fields as they are, beside those of the edges."""
    told = lineage(*edges)
    return dataset("/o", columnLineage={**told, "fields": {**told["fields"], **fields}})


@pytest.mark.parametrize(
    ("state", "outputs", "masked", "into"),
    [
        ("COMPLETE", [made("/a.email ~ e")], True, ["e"]),
        ("COMPLETE", [made("/a.email > e")], False, ["e"]),
        ("COMPLETE", [made("/a.email ~ e", "/a.email > f")], False, ["e", "f"]),
        # for choosing rows by it it read it as it is
        ("COMPLETE", [made("/a.email ~ e", rows=("/a.email",))], False, [None, "e"]),
        ("COMPLETE", [made("/a.email ~ e", rows=("/a.k",))], True, ["e"]),
        ("COMPLETE", [made(rows=("/a.email",))], False, [None]),
        ("COMPLETE", [made("/a.email ~ e"), "/untold"], None, ["e"]),
        ("COMPLETE", [made("/a.email > e"), "/untold"], False, ["e"]),
        # a column of which no origin is told may come from anywhere
        ("COMPLETE", [told_fields("/a.email ~ e", blob={"inputFields": []})], None, ["e"]),
        ("COMPLETE", [told_fields("/a.k > k", blob={"inputFields": []})], None, []),
        ("COMPLETE", [told_fields("/a.k > k", blob={"inputFields": "/a.email"})], None, []),
        ("COMPLETE", [told_fields("/a.k > k", blob={"inputFields": [{"field": "e"}]})], None, []),
        ("COMPLETE", [told_fields("/a.k > k", blob={})], None, []),
        ("COMPLETE", [told_fields("/a.k > k", blob=None)], None, []),
        ("COMPLETE", [made()], None, []),
        ("COMPLETE", [dataset("/o", columnLineage={"fields": ["e"]})], None, []),
        ("COMPLETE", ["/untold"], None, []),
        ("COMPLETE", [], None, []),
        ("RUNNING", [made("/a.email ~ e")], True, ["e"]),
        ("START", [made("/a.email ~ e")], None, []),
        ("FAIL", [made("/a.email > e")], None, []),
        ("ABORT", [made("/a.email > e")], None, []),
    ],
)
def test_what_a_run_told_of_a_column_that_it_read(
    asked: Api, state: str, outputs: list[Any], masked: Any, into: list[str | None]
) -> None:
    a = dataset("/a", schema=schema("k", "email"))
    told = [
        run_event(state, 1, "job", run="it", inputs=(a,), outputs=tuple(outputs)),
        # another run of the job says the opposite, at the same moment
        run_event("COMPLETE", 1, "job", run="other", inputs=(a,), outputs=(made("/a.email > x"),)),
    ]
    assert asked.client.post("/api/v1/lineage", json=told).status_code == 201
    runs = {r["run_id"]: r for r in asked.get("readers", id="file|/a", column="email")["runs"]}
    found = runs[identity("it")]
    assert (found["masked"], [one["column"] for one in found["into"]]) == (masked, into)


def test_a_run_that_read_other_columns_alone_is_no_reader_of_this_one(asked: Api) -> None:
    a = dataset("/a", schema=schema("k", "email"), symlinks=symlinks(("penstock", "bronze.a")))
    other = dataset("bronze.a", namespace="penstock")
    named = lineage("bronze.a.email > e", namespace="penstock")
    told = [
        run_event("COMPLETE", 1, "keys", inputs=(a,), outputs=(made("/a.k > k"),)),
        run_event(
            "COMPLETE", 2, "named", inputs=(other,), outputs=(dataset("/p", columnLineage=named),)
        ),
    ]
    assert asked.client.post("/api/v1/lineage", json=told).status_code == 201
    runs = asked.get("readers", id="file|/a", column="email")["runs"]
    assert [(run["job"], run["masked"]) for run in runs] == [("spark|named", False)]
    assert len(asked.get("readers", id="file|/a")["runs"]) == 2


@pytest.mark.parametrize(
    ("edge", "unknown", "found"),
    [
        # a column of Penstock without an input is a literal, unless it says that it does not know
        ("/a.k > k", [], []),
        ("/a.k > k", [{"field": "x", "reason": "a Python function"}], [None]),
        ("/a.k > k", [{"reason": "a plan that is too deep"}], [None]),
        ("/a.k > k", "odd", [None]),
        ("/a.email ~ e", [], [True]),
        ("/a.email ~ e", [{"field": "x", "reason": "a Python function"}], [None]),
        ("/a.email > e", [{"field": "x", "reason": "a Python function"}], [False]),
    ],
)
def test_a_run_of_penstock_says_itself_what_it_does_not_know(
    asked: Api, edge: str, unknown: Any, found: list[bool | None]
) -> None:
    a = dataset("/a", schema=schema("k", "email"))
    written = told_fields(edge, x={"inputFields": []})
    written["facets"]["columnLineage"]["_producer"] = PENSTOCK
    own = {"penstock_run": {"lineageUnknown": unknown} if unknown else {"attempt": 1}}
    told = run_event("COMPLETE", 1, "j", inputs=(a,), outputs=(written,), run_facets=own)
    assert asked.client.post("/api/v1/lineage", json=[told]).status_code == 201
    runs = asked.get("readers", id="file|/a", column="email")["runs"]
    assert [run["masked"] for run in runs] == found


def test_readers_are_told_page_by_page(asked: Api) -> None:
    # seven runs, of which three at one moment
    moments = (1, 2, 3, 3, 3, 4, 5)
    told = [
        run_event("COMPLETE", at, "job", run=str(n), inputs=("/a",), outputs=("/o",))
        for n, at in enumerate(moments)
    ]
    assert asked.client.post("/api/v1/lineage", json=told).status_code == 201
    whole = asked.get("readers", id="file|/a")
    assert (whole["complete"], whole["before"], len(whole["runs"])) == (True, None, 7)
    found: list[Any] = []
    more: dict[str, Any] = {}
    for _ in range(4):
        page = asked.get("readers", id="file|/a", limit=2, **more)
        found += page["runs"]
        more = {"before": page["before"]}
    assert (page["complete"], page["before"]) == (True, None)
    assert found == whole["runs"]
    for wrong in ("x", "2026-01-01T00:00:00Z", "9999-12-31T00:00:00Z/a"):
        answer = asked.client.get(
            "/api/penstock/v1/readers", params={"id": "file|/a", "before": wrong}
        )
        assert answer.status_code == 422
