"""What no client should send: refused, or kept and shown without harm."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from penstock.events.name import LONGEST_NAME_BYTES
from penstock.ledger.graph.projector import catch_up
from penstock.ledger.verification import verify
from tests.ledger.told_events import dataset, lineage, run_event, schema, symlinks
from tests.patience import PATIENCE_SECONDS
from tests.server.serving import LINEAGE, OWN, Serving, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

pytestmark = pytest.mark.slow(seconds=150)

JSON = {"content-type": "application/json"}
MEGABYTE = 1024 * 1024


@pytest.fixture
def server(url: str) -> Iterator[Serving]:
    with serving(url) as server:
        yield server


@pytest.fixture(scope="module")
def shared(shared_url: str) -> Iterator[Serving]:
    with serving(shared_url) as server:
        yield server


@pytest.fixture
def refusing(shared: Serving) -> Iterator[Serving]:
    """One server for all that is refused: of what a test sends it nothing is kept."""
    before = len(shared.ledger.events())
    yield shared
    assert {event.job for event in shared.ledger.events()[before:]} <= {"afterwards"}


def harmless(job: str = "nightly") -> dict[str, Any]:
    return run_event("COMPLETE", 0, job, inputs=("a",), outputs=("b",))


def sent(server: Serving, body: Any, **headers: str) -> requests.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.send("POST", LINEAGE, data=body, headers={**JSON, **named})


def is_still_well(server: Serving) -> None:
    assert server.post(harmless("afterwards")).status_code == 201
    assert server.get(f"{OWN}/summary").status_code == 200
    assert verify(server.ledger.database).intact


def test_a_facet_of_ten_megabytes_is_kept_and_shown(server: Serving) -> None:
    text = "x" * (10 * MEGABYTE)
    told = run_event("COMPLETE", 0, "j", outputs=(dataset("b", documentation={"text": text}),))
    assert server.post(told).status_code == 201
    page = server.get(f"{OWN}/dataset", id="file|b").json()
    assert page["facets"]["documentation"]["text"] == text


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_above_the_limit_is_refused(refusing: Serving, *, chunked: bool) -> None:
    body = json.dumps({**harmless(), "x": "y" * (17 * MEGABYTE)}).encode()
    parts = (body[at : at + MEGABYTE] for at in range(0, len(body), MEGABYTE))
    answer = sent(refusing, parts if chunked else body)
    assert answer.status_code == 413, answer.text
    assert "16777216 bytes" in answer.json()["error"]
    is_still_well(refusing)


@pytest.mark.parametrize("levels", [200, 900, 100_000])
@pytest.mark.parametrize(("opened", "closed"), [("[", "]"), ('{"a":', "}")])
def test_a_bottomless_event_is_refused(
    refusing: Serving, levels: int, opened: str, closed: str
) -> None:
    deep = opened * levels + "1" + closed * levels
    body = json.dumps({**harmless(), "x": "deep"}).replace('"deep"', deep)
    answer = sent(refusing, body)
    assert answer.status_code in {400, 422}, answer.text
    is_still_well(refusing)


def test_an_event_as_deep_as_is_allowed_is_shown_everywhere(server: Serving) -> None:
    deep: Any = []
    for _ in range(90):
        deep = [deep]
    output = dataset("b", odd={"deep": deep}, schema=schema("x"))
    told = run_event("COMPLETE", 0, "j", outputs=(output,), run_facets={"odd": {"deep": deep}})
    assert server.post(told).status_code == 201
    page = server.get(f"{OWN}/dataset", id="file|b")
    assert page.json()["facets"]["odd"]["deep"] == deep
    run = server.get(f"{OWN}/run", id=told["run"]["runId"])
    assert run.json()["facets"]["odd"]["deep"] == deep


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "[NaN]", "9" * 5000]
)
def test_what_is_no_number_of_json_is_refused(refusing: Serving, number: str) -> None:
    body = json.dumps({**harmless(), "x": "number"}).replace('"number"', number)
    assert sent(refusing, body).status_code in {400, 422}


@pytest.mark.parametrize(
    "place", ["value", "key", "name", "namespace", "facet", "run facet", "producer"]
)
def test_half_a_character_is_refused(refusing: Serving, place: str) -> None:
    told, half = harmless(), "\ud800"
    match place:
        case "value":
            told["x"] = half
        case "key":
            told[half] = 1
        case "facet":
            told["outputs"][0]["facets"][half] = {}
        case "run facet":
            told["run"]["facets"][half] = {}
        case "producer":
            told["producer"] = half
        case _:
            told["job"][place] = half
    answer = sent(refusing, json.dumps(told))
    assert answer.status_code == 422, answer.text
    is_still_well(refusing)


@pytest.mark.parametrize("place", ["job", "dataset", "facet"])
def test_a_nul_in_a_name_is_refused_with_its_place(refusing: Serving, place: str) -> None:
    told = harmless()
    match place:
        case "job":
            told["job"]["name"], path = "a\0b", "$.job.name"
        case "dataset":
            told["outputs"][0]["name"], path = "a\0b", "$.outputs[0].name"
        case _:
            told["outputs"][0]["facets"]["a\0b"], path = {}, "$.outputs[0].facets"
    answer = refusing.post(told)
    assert answer.status_code == 422
    assert path in answer.json()["where"]


def test_a_nul_in_a_facet_is_kept_and_names_nothing(server: Serving) -> None:
    output = dataset(
        "b",
        schema=schema("fine", "a\0b"),
        symlinks=symlinks(("file", "other\0name"), ("file", "other name")),
        columnLineage={
            "fields": {
                "fine": {"inputFields": [{"namespace": "file", "name": "a", "field": "x\0y"}]},
                "a\0b": {"inputFields": [{"namespace": "file", "name": "a", "field": "x"}]},
                "": {"inputFields": [{"namespace": "file", "name": "a", "field": "x"}]},
            }
        },
        documentation={"description": "be\0fore"},
    )
    parent = {"run": {"runId": "\0" * 36}, "job": {"namespace": "n", "name": "j"}}
    told = run_event("COMPLETE", 0, "j", outputs=(output,), run_facets={"parent": parent})
    assert server.post(told).status_code == 201
    page = server.get(f"{OWN}/dataset", id="file|b").json()
    assert [column["name"] for column in page["columns"]] == ["fine"]
    assert page["rows_from"] == []
    assert page["label"] == "other name"
    assert page["description"] == "be\0fore"


def test_a_name_of_five_thousand_characters_is_refused(refusing: Serving) -> None:
    answer = refusing.post(run_event("COMPLETE", 0, "n" * 5000))
    assert answer.status_code == 422
    assert "$.job.name" in answer.json()["where"]
    assert len(answer.content) < 2000


def test_long_names_in_facets_name_nothing(server: Serving) -> None:
    long = "c" * 5000
    output = dataset(
        "b",
        schema=schema(long, "fine"),
        symlinks=symlinks(("file", long)),
        columnLineage=lineage(f"a.{long} > fine", f"a.x > {long}", "a.x > fine"),
    )
    assert server.post(run_event("COMPLETE", 0, "j", outputs=(output,))).status_code == 201
    page = server.get(f"{OWN}/dataset", id="file|b").json()
    assert [column["name"] for column in page["columns"]] == ["fine"]
    assert [found["column"] for found in page["columns"][0]["upstream"]] == ["x"]


def test_the_longest_name_is_found_again(server: Serving) -> None:
    name = "\N{GRINNING FACE}" * (LONGEST_NAME_BYTES // 4)
    assert server.post(run_event("COMPLETE", 0, name, outputs=(name,))).status_code == 201
    assert server.get(f"{OWN}/dataset", id=f"file|{name}").json()["name"] == name
    assert server.get(f"{OWN}/datasets", q=name).json()["total"] == 1


def test_a_field_name_of_a_megabyte_is_not_sent_back(refusing: Serving) -> None:
    told = harmless()
    told["outputs"][0]["facets"]["x" * MEGABYTE] = 5
    answer = refusing.post(told)
    assert answer.status_code == 422
    assert len(answer.content) < 2000


SCRIPT = "<script>alert(1)</script>"


def test_markup_in_names_comes_back_as_text_of_json_alone(server: Serving) -> None:
    output = dataset(SCRIPT, namespace=SCRIPT, schema=schema(SCRIPT))
    told = run_event("COMPLETE", 0, SCRIPT, outputs=(output,), namespace=SCRIPT)
    assert server.post(told).status_code == 201
    answer = server.get(f"{OWN}/dataset", id=f"{SCRIPT}|{SCRIPT}")
    assert answer.json()["name"] == SCRIPT
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    for path in ("/", f"/{quote(SCRIPT)}", f"/dataset?id={quote(SCRIPT)}"):
        page = server.send("GET", path)
        assert page.headers["content-type"].startswith("text/html")
        assert "alert(1)" not in page.text
    refused = server.get(f"{OWN}/dataset", id=f"{SCRIPT}|none")
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/json"


def test_a_packed_event_is_unpacked(server: Serving) -> None:
    answer = sent(server, gzip.compress(json.dumps(harmless()).encode()), content_encoding="gzip")
    assert answer.status_code == 201, answer.text
    assert [event.job for event in server.ledger.events()] == ["nightly"]


def test_a_packed_body_that_grows_above_the_limit_is_refused(refusing: Serving) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b" " * MEGABYTE) for _ in range(1024)) + packer.flush()
    assert len(bomb) < 2 * MEGABYTE
    answer = sent(refusing, bomb, content_encoding="gzip")
    assert answer.status_code == 413, answer.text
    is_still_well(refusing)


@pytest.mark.parametrize("body", [b"", b"no gzip", gzip.compress(b"{}", mtime=0)[:-4], b"{}"])
def test_a_packed_body_that_is_broken_is_refused(refusing: Serving, body: bytes) -> None:
    assert sent(refusing, body, content_encoding="gzip").status_code == 400


def test_a_body_packed_otherwise_is_refused(refusing: Serving) -> None:
    answer = sent(refusing, b"{}", content_encoding="br")
    assert answer.status_code == 415
    assert "gzip" in answer.json()["next_step"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain; application/json",
        "application/json-seq",
        "",
        None,
    ],
)
@pytest.mark.parametrize("path", [LINEAGE, f"{LINEAGE}/batch"])
def test_a_form_of_a_page_in_a_browser_is_refused(
    refusing: Serving, kind: str | None, path: str
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = refusing.send("POST", path, data=json.dumps(harmless()).encode(), headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=UTF-8", "Application/JSON"]
)
def test_what_the_clients_send_is_taken(server: Serving, kind: str) -> None:
    assert sent(server, json.dumps(harmless()), content_type=kind).status_code == 201


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_openlineage_python_is_understood(server: Serving, compression: str | None) -> None:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.transport.http import HttpCompression, HttpConfig, HttpTransport

    config = HttpConfig(
        url=server.url,
        timeout=PATIENCE_SECONDS,
        compression=HttpCompression(compression) if compression else None,
    )
    client = OpenLineageClient(transport=HttpTransport(config))
    told = harmless()
    client.emit(
        RunEvent(
            eventType=RunState.COMPLETE,
            eventTime=told["eventTime"],
            run=Run(runId=told["run"]["runId"]),
            job=Job(namespace="spark", name="nightly"),
            producer="https://example.com/p",
        )
    )
    client.close()
    assert [event.job for event in server.ledger.events()] == ["nightly"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"5", b'"text"', b"[5]", b"[[]]", b"\xff\xfe", b"[null]"]
)
def test_what_is_no_event_is_refused(refusing: Serving, body: bytes) -> None:
    assert sent(refusing, body).status_code in {400, 422}


@pytest.mark.parametrize(
    "moment",
    [
        1767225600,
        1767225600.5,
        "1767225600",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "2026-01-01T00:00:60Z",
        "",
        True,
        [],
    ],
)
@pytest.mark.parametrize("of_run", [True, False])
def test_a_moment_that_is_none_is_refused(refusing: Serving, moment: Any, *, of_run: bool) -> None:
    told = {**harmless(), "eventTime": moment}
    if not of_run:
        del told["run"], told["eventType"]
    answer = refusing.post(told)
    assert answer.status_code == 422, answer.text
    assert "$.eventTime" in answer.json()["where"]
    is_still_well(refusing)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-01-01T00:00:00.123456789Z",
        "2026-01-01t00:00:00z",
        "2026-01-01T01:00:00+01:00",
        "2026-01-01 00:00:00Z",
    ],
)
def test_a_moment_may_be_written_in_any_way_of_the_standard(server: Serving, moment: str) -> None:
    assert server.post({**harmless(), "eventTime": moment}).status_code == 201
    catch_up(server.ledger.database)
    assert server.get(f"{OWN}/times").json()["first"].startswith("2026-01-01T00:00:00")


@pytest.mark.parametrize("form", ["{0}", "urn:uuid:{0}", "{{{0}}}", "upper", "hex"])
def test_a_run_is_found_however_its_id_was_written(server: Serving, form: str) -> None:
    told = harmless()
    plain = told["run"]["runId"]
    match form:
        case "upper":
            told["run"]["runId"] = plain.upper()
        case "hex":
            told["run"]["runId"] = plain.replace("-", "")
        case _:
            told["run"]["runId"] = form.format(plain)
    assert server.post(told).status_code == 201
    run = server.get(f"{OWN}/run", id=plain)
    assert run.status_code == 200, run.text
    assert [item["dataset"] for item in run.json()["outputs"]] == ["file|b"]
    readers = server.get(f"{OWN}/readers", id="file|a").json()["runs"]
    assert [reader["run_id"] for reader in readers] == [plain]
