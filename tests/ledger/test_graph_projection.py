"""The graph is made of the events alone: whatever their order, however often they come."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import string
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.errors import InputError
from penstock.events.name import LONGEST_NAME_BYTES
from penstock.ledger import Ledger
from penstock.ledger.graph.fingerprint import graph_lines
from penstock.ledger.graph.projector import catch_up, rebuild
from tests.ledger.told_events import (
    FACET,
    PRODUCER,
    dataset,
    identity,
    lineage,
    moment,
    run_event,
    schema,
    symlinks,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.ledger.postgres import PostgresServer

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Each call gives the URL of another empty ledger, all of one database."""
    if request.param == "sqlite":
        folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        yield lambda: f"sqlite:///{folders.mktemp('graph')}/ledger.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    database, numbers = server.database(), itertools.count(1)

    def new() -> str:
        # a schema each: fifty databases would be written to the disk when the server ends
        schema = f"graph_{next(numbers)}"
        server.execute(f"CREATE SCHEMA {schema}", database=database)
        return f"{server.url(database)}&options=-csearch_path%3D{schema}"

    yield new
    server.drop(database)


def lines(ledger: Ledger) -> list[str]:
    with ledger.database.read() as connection:
        return graph_lines(connection)


def story() -> list[dict[str, Any]]:
    """Runs that change what they do, that fail, that come late, that share an id, and names."""
    a = dataset("/a", schema=schema("k", "email"), symlinks=symlinks(("penstock", "bronze.a")))
    masked = dataset("/b", columnLineage=lineage("/a.k > k", "/a.email ~ email", rows=("/a.k",)))
    clear = dataset("/b", columnLineage=lineage("/a.k > k", "/a.email > email"))
    told = []
    for number, output in enumerate([masked, masked, clear, masked]):
        run = f"b-{number}"
        told.append(run_event("START", 10 * number, "make_b", run=run, inputs=(a,)))
        told.append(run_event("COMPLETE", 10 * number + 1, "make_b", run=run, outputs=(output,)))
    told += [
        run_event("START", 45, "make_b", run="lost", inputs=(a, "/other"), outputs=(clear,)),
        run_event("FAIL", 46, "make_b", run="lost", outputs=(clear,)),
        run_event("ABORT", 47, "make_b", run="b-3"),
        run_event("COMPLETE", 50, "one", run="shared", inputs=("/b",), outputs=("/c",)),
        run_event("COMPLETE", 50, "two", run="shared", inputs=("/b",), outputs=("/d",)),
        run_event("COMPLETE", 51, "dbt", inputs=(dataset("bronze.a", namespace="penstock"),),
                  outputs=(dataset("/e", columnLineage=lineage("/a.k > k")),)),
        run_event("RUNNING", 52, "stream", inputs=("/e",), outputs=("/f",)),
        run_event(None, 53, "stream", inputs=("/c",), outputs=("/f",)),
        run_event("COMPLETE", 54, "dashboard", inputs=("/f",)),
        run_event("COMPLETE", 55, "explicit", inputs=("/f",), outputs=(dataset("/h", lineage={
            "inputs": [{"namespace": "file", "name": "/e", "type": "DATASET", "field": "k"}],
        }),)),
        *broken_off(),
        *renamed(),
        *ends_alone(),
        {
            "eventTime": moment(55),
            "producer": PRODUCER,
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/JobEvent",
            "job": {"namespace": "airflow", "name": "declared"},
            "inputs": [dataset("/d")],
            "outputs": [dataset("/g")],
        },
        {
            "eventTime": moment(56),
            "producer": PRODUCER,
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/DatasetEvent",
            "dataset": dataset("/g", schema=schema("x")),
        },
    ]  # fmt: skip
    return told


def broken_off() -> list[dict[str, Any]]:
    """Streams of one job that tell this and that, at once, and are broken off."""
    one = dataset("/s", columnLineage=lineage("/e.k > k"))
    other = dataset("/s", columnLineage=lineage("/e.k ~ k", "/c.x > k"))
    told = [run_event("COMPLETE", 70, "flow", run="s-0", inputs=("/e",), outputs=(one,))]
    for number, end in enumerate(["ABORT", "FAIL", "COMPLETE"]):
        run, at = f"s-{number + 1}", 71 + 4 * number
        told += [
            run_event("START", at, "flow", run=run, inputs=("/e",)),
            run_event("RUNNING", at + 1, "flow", run=run, outputs=(one,)),
            run_event("RUNNING", at + 3, "flow", run=run, outputs=(other,)),
            run_event(None, at + 5, "flow", run=run, inputs=("/c",), outputs=(one,)),
            run_event(end, at + 7, "flow", run=run),
        ]
    kind = {**FACET, "processingType": "BATCH", "integration": "SPARK"}
    told[4]["job"]["facets"] = {"jobType": kind}
    return told


def ends_alone() -> list[dict[str, Any]]:
    """Runs that tell how their ends are joined, and runs that tell no more than their ends."""
    told = []
    words = [lineage("/a.k > k"), None, {"_deleted": True}, None, lineage("/a.x > k"), None]
    for number, word in enumerate([*words, *words]):
        facets: dict[str, Any] = {"columnLineage": word} if word else {}
        out = dataset("/alone", **facets)
        inputs = ("/a", "/b") if number % 4 == 1 else ("/a",)
        told.append(
            run_event("COMPLETE", 80 + number, "alone", run=f"alone-{number}", inputs=inputs,
                      outputs=(out,))
        )  # fmt: skip
    return told


def renamed() -> list[dict[str, Any]]:
    """Tables that are renamed, swapped and made again."""

    def rename(at: float, name: str, before: str) -> dict[str, Any]:
        told = {"lifecycleStateChange": "RENAME",
                "previousIdentifier": {"namespace": "file", "name": before}}  # fmt: skip
        out = dataset(name, lifecycleStateChange=told)
        return run_event("COMPLETE", at, "ddl", run=f"r-{at}", outputs=(out,))

    parent = {"run": {"runId": identity("up")}, "job": {"namespace": "airflow", "name": "dag"}}
    up = {"parent": parent}
    return [
        run_event("COMPLETE", 100, "load", run="r-1", inputs=("/a",), outputs=("/r",)),
        run_event("COMPLETE", 99, "load", run="r-0", outputs=("/r",), run_facets=up),
        run_event("COMPLETE", 101, "load", run="r-2", inputs=("/a",), outputs=("/staged",)),
        rename(102, "/r-old", "/r"),
        rename(103, "/r", "/staged"),
        rename(104, "/again", "/r-old"),
        run_event("COMPLETE", 105, "load", run="r-3", outputs=("/staged",)),
    ]


def labelled() -> list[dict[str, Any]]:
    """Tags and owners that change, that another name tells, and that are told before it is one."""
    pii = {"tags": [{"key": "pii", "value": "EMAIL", "field": "email", "source": "CONTRACT"}]}
    gold = {"tags": [{"key": "gold", "value": "true", "source": "USER"}]}
    odd = {"tags": [{"key": "a\0"}, {"key": "n", "value": 5}, {"value": "x"}, 7]}
    owners = {"owners": [{"name": "team:a"}, {"name": "ada"}, {"name": 5}]}
    other = {"name": "bronze.l", "namespace": "penstock"}
    claim = symlinks(("penstock", "bronze.l"))
    return [
        run_event("COMPLETE", 60, "tell", run="1", outputs=(dataset("/l", tags=pii),)),
        run_event("COMPLETE", 61, "tell", run="2", outputs=(dataset("/l", ownership=owners),)),
        run_event("COMPLETE", 62, "tell", run="3", outputs=(dataset(**other, tags=gold),)),
        run_event("COMPLETE", 63, "tell", run="4", outputs=(dataset("/l", symlinks=claim),)),
        run_event("COMPLETE", 64, "tell", run="5", outputs=(dataset("/odd", tags=odd),)),
        *withdrawn(),
    ]


def withdrawn() -> list[dict[str, Any]]:
    """Tags, other names and column lineage that are said to be no more."""
    gone = {"_deleted": True}
    claim, other = symlinks(("file", "/w1")), symlinks(("file", "/w2"))
    told: list[dict[str, Any]] = [
        {"tags": {"tags": [{"key": "old", "value": "true"}]}, "symlinks": claim},
        {"columnLineage": lineage("/a.k > k")},
        {"tags": gone, "symlinks": gone, "columnLineage": gone},
        {"symlinks": other},
    ]
    events = [
        run_event("COMPLETE", 90 + at, "undo", run=f"w-{at}", outputs=(dataset("/w", **facets),))
        for at, facets in enumerate(told)
    ]
    return [*events, run_event("COMPLETE", 91, "undo", run="w-9", outputs=("/w1", "/w2"))]


def labels(ledger: Ledger) -> list[list[Any]]:
    found = [json.loads(line) for line in lines(ledger)]
    return [line[1:] for line in found if line[0] == "label"]


def test_tags_and_owners_are_those_told_last_under_any_name(ledger: Ledger) -> None:
    told = labelled()
    ledger.append_all(told[:3])
    catch_up(ledger.database)
    own, other = ["file", "/l"], ["penstock", "bronze.l"]
    people = [[own, "owner", "", "ada", ""], [own, "owner", "", "team:a", ""]]
    tag = [own, "tag", "email", "pii", "EMAIL"]
    assert labels(ledger) == [*people, tag, [other, "tag", "", "gold", "true"]]
    # they are one now, and the other name told its tags later
    ledger.append_all(told[3:])
    catch_up(ledger.database)
    odd = [["file", "/odd"], "tag", "", "n", ""]
    assert labels(ledger) == [*people, [own, "tag", "", "gold", "true"], odd]
    again = run_event("COMPLETE", 65, "tell", run="6", outputs=(dataset("/l", tags={"tags": []}),))
    ledger.append(again)
    catch_up(ledger.database)
    assert labels(ledger) == [*people, odd]


def projected(url: str, events: list[dict[str, Any]], batch: int) -> list[str]:
    with Ledger.open(url) as ledger:
        ledger.append_all(events)
        catch_up(ledger.database, batch=batch)
        return lines(ledger)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_late_repeated_and_reordered_events_end_in_the_same_graph(
    new_url: Callable[[], str], data: st.DataObject
) -> None:
    events = [*story(), *labelled()]
    expected = projected(new_url(), events, 500)
    order = data.draw(st.permutations(range(len(events))))
    again = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=5))
    shuffled = [events[number] for number in [*order, *again]]
    batch = data.draw(st.sampled_from([1, 2, 5, 500]))
    assert projected(new_url(), shuffled, batch) == expected


def test_made_anew_it_is_the_same(ledger: Ledger) -> None:
    for event in story():
        ledger.append(event)
        catch_up(ledger.database)
    before = lines(ledger)
    assert len(before) > 50
    assert rebuild(ledger.database) == len(story())
    assert lines(ledger) == before
    assert catch_up(ledger.database) == 0


def test_intervals_are_those_of_what_completed(ledger: Ledger) -> None:
    ledger.append_all(story())
    catch_up(ledger.database)
    made = '["held", ["spark", "make_b"], ["file", "/b"]'
    held = [line for line in lines(ledger) if line.startswith(made)]
    spans = [(moment(1), moment(21)), (moment(21), moment(31)), (moment(31), None)]
    assert len(held) == 3
    for (begun, ended), line in zip(spans, held, strict=True):
        assert f'"{begun}", ' + (f'"{ended}"' if ended else "null") in line


def test_a_projection_that_is_killed_goes_on_where_it_was(
    ledger: Ledger, url: str, new_url: Callable[[], str]
) -> None:
    ledger.append_all(story())
    code = """
import os, signal, sys
from penstock.errors import InputError
from penstock.ledger import Ledger
from penstock.ledger.graph import projector, batch
real, count = batch.Batch.take, 0
def take(self, statements):
    global count
    real(self, statements)
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
batch.Batch.take = take
projector.catch_up(Ledger.open(sys.argv[1]).database, batch=4)
"""
    killed = subprocess.run([sys.executable, "-c", code, url], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert os.getpid()
    assert catch_up(ledger.database) == len(story()) - 8
    assert lines(ledger) == projected(new_url(), story(), 500)


ODD = [
    {"symlinks": {"identifiers": 5}},
    {"symlinks": {"identifiers": [{"namespace": "n\0", "name": "m", "type": "TABLE"}]}},
    {"schema": {"fields": {"a": 1}}},
    {"schema": {"fields": [{"name": "a\0"}, {"name": ""}, {"name": "b", "fields": 7}]}},
    {"columnLineage": {"fields": [1]}},
    {"columnLineage": {"fields": {"a": {"inputFields": {"x": 1}}}}},
    {"columnLineage": {"fields": {"a\0": {"inputFields": [
        {"namespace": "n", "name": "m", "field": "f"}]}}}},
    {"columnLineage": {"fields": {"a": {"inputFields": [
        {"namespace": "n", "name": "m", "field": "f", "transformations": 5}]}}}},
    {"columnLineage": {"fields": {"a": {"inputFields": [
        {"namespace": "n", "name": "m", "field": "f",
         "transformations": [{"type": "DI\0RECT", "subtype": [], "masking": "yes"}]}]}}}},
    {"columnLineage": {"fields": {}, "dataset": 8}},
]  # fmt: skip


@pytest.mark.parametrize("facets", ODD)
def test_a_facet_that_makes_no_sense_stops_nothing(ledger: Ledger, facets: dict[str, Any]) -> None:
    odd = dataset("odd", **facets)
    ledger.append(run_event("COMPLETE", 1, "job", inputs=(odd,), outputs=(odd,)))
    ledger.append(run_event("COMPLETE", 2, "after", inputs=("odd",), outputs=("other",)))
    assert catch_up(ledger.database) == 2
    # no database keeps a NUL in a text
    assert not [line for line in lines(ledger) if "\\u0000" in line]


def test_a_run_is_one_however_its_id_is_written(ledger: Ledger) -> None:
    event = run_event("COMPLETE", 1, "job", outputs=("made",))
    run = event["run"]["runId"]
    for number, text in enumerate([run, run.upper(), run.replace("-", ""), f"urn:uuid:{run}"]):
        told = {**event, "eventTime": moment(number), "run": {"runId": text}}
        parent = {"run": {"runId": text}, "job": {"namespace": "a", "name": "b"}}
        child = run_event("START", 9, f"child-{number}", run_facets={"parent": parent})
        ledger.append_all([told, child])
    catch_up(ledger.database)
    runs = [line for line in lines(ledger) if line.startswith('["run"')]
    assert len(runs) == 5
    assert sum(f'"{run}", null' in line for line in runs) == 4


def test_what_says_nothing_of_how_a_run_stands_changes_nothing_in_it(ledger: Ledger) -> None:
    ledger.append(run_event("START", 1, "job"))
    ledger.append(run_event("OTHER", 2, "job"))
    catch_up(ledger.database)
    assert [line for line in lines(ledger) if line.startswith('["run"') and '"START", ' in line]


AWKWARD = [
    pytest.param("nul\0in it", id="NUL"),
    pytest.param("".join(chr(0x4E00 + n * 7 % 20000) for n in range(3000)), id="too long"),
]


@pytest.mark.parametrize("name", AWKWARD)
def test_a_name_that_no_index_keeps_is_passed_and_the_rest_is_taken(
    ledger: Ledger, name: str
) -> None:
    a = dataset("/a", schema=schema("k", name), symlinks=symlinks(("penstock", name)))
    told = lineage("/a.k > k", f"/a.{name.replace(' ', '')} > k", f"/a.k > {name.replace(' ', '')}")
    told["fields"]["k"]["inputFields"][0]["transformations"][0] |= {
        "subtype": f"{name}x",
        "description": name,
    }
    parent = {"run": {"runId": name[:36].ljust(36, "\0")}, "job": {"namespace": "n", "name": name}}
    ledger.append(
        run_event(
            "COMPLETE",
            1,
            "make_b",
            inputs=(a,),
            outputs=(dataset("/b", columnLineage=told),),
            run_facets={"parent": parent},
        )
    )
    assert catch_up(ledger.database) == 1
    (told_of,) = [json.loads(line) for line in lines(ledger) if line.startswith('["lineage"')]
    edges = [each for each in told_of[2] if len(each) > 1]
    assert [(source[2], target[2]) for source, target, *_ in edges] == [("k", "k")]


def test_names_of_the_greatest_length_are_kept_in_every_index(ledger: Ledger) -> None:
    rng = random.Random(5)

    def name() -> str:
        return "".join(rng.choices(string.ascii_letters + string.digits, k=LONGEST_NAME_BYTES))

    space, column, job = name(), name(), name()
    a = dataset(name(), namespace=space, schema=schema(column), symlinks=symlinks((name(), name())))
    ledger.append(
        run_event("COMPLETE", 1, job, run="x", inputs=(a,), outputs=(name(),), namespace=name())
    )
    assert catch_up(ledger.database) == 1
    with pytest.raises(InputError, match="not an OpenLineage event"):
        ledger.append(run_event("COMPLETE", 1, name() + "x", run="x"))
