"""Evidence: what is in it, that it is the same again, and that nobody changes a byte of it."""

from __future__ import annotations

import io
import json
import sqlite3
import stat
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import InputError, LedgerError
from penstock.evidence import Question, SigningKey, bundle, check
from penstock.evidence.archive_file import packed, unpacked
from penstock.evidence.drawing import drawing
from penstock.evidence.manifest import KEY, MANIFEST, SIGNATURE, FileEntry, Manifest
from penstock.evidence.table_histories import TableHistories
from penstock.ledger import Ledger
from penstock.ledger.archive import archive_events
from penstock.ledger.tokens import Role, Tokens
from penstock.ledger.verification import verify
from penstock.resources.lake import Lake
from penstock.resources.secrets import FileSecrets
from penstock.schemas.model import ColumnModel, ContractModel
from penstock.server import ServerSettings, create_app
from tests.ledger.told_events import AT, dataset, lineage, run_event, schema, symlinks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = AT + timedelta(days=1)
CANARY = "canary@example.org"
HOSTILE = '</text><script>alert("1")</script>&\x01'


def story(root: str) -> list[dict[str, Any]]:
    """a.email → b (masked) → c; d is another's; a name that is no name; events in three spaces."""
    a, b, c, d = (f"{root}/{name}" for name in ("bronze/a", "silver/b", "gold/c", "gold/d"))
    facets: dict[str, Any] = {
        "schema": schema("k", "email", HOSTILE),
        "symlinks": symlinks(("shop", "bronze.a")),
        "tags": {"tags": [{"key": "pii", "value": "email", "field": "email"}]},
    }
    source = dataset(a, **facets)
    checks = {"assertions": [{"assertion": "unique", "success": True, "column": "k"}]}
    made = dataset(
        b,
        schema=schema("k", "email"),
        symlinks=symlinks(("shop", "silver.b")),
        version={"datasetVersion": "0"},
        dataQualityAssertions=checks,
        columnLineage=lineage(f"{a}.k > k", f"{a}.email ~ email", rows=(f"{a}.{HOSTILE}",)),
    )
    derived = dataset(c, columnLineage=lineage(f"{b}.email > contact"))
    told = []
    for number in range(3):
        run = f"b{number}"
        told.append(run_event("START", number, "b", run=run, inputs=(source,)))
        told.append(run_event("COMPLETE", number, "b", run=run, inputs=(a,), outputs=(made,)))
        told.append(run_event("COMPLETE", number, "d", run=f"d{number}", outputs=(d,)))
    told.append(run_event("COMPLETE", 5, "c", inputs=(b,), outputs=(derived,), namespace="dbt"))
    told.append(run_event("COMPLETE", 6, "e", inputs=(d,), namespace="other"))
    described = {**run_event(None, 7, "x"), "dataset": {"namespace": "file", "name": a}}
    del described["run"], described["job"], described["inputs"], described["outputs"]
    told.append(described)
    return told


class Office:
    """A ledger with a story, a lake with a table, and the key."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "told.db"
        self.ledger = Ledger.open(f"sqlite:///{self.path}", clock=lambda: NOW)
        lake = Lake(root=str(root), landing=str(root))
        write_deltalake(
            lake.table("silver.b").uri,
            pa.table({"email": [CANARY], "k": ["1"]}),
            partition_by=["email"],
        )
        self.histories = TableHistories([lake.table("silver.b")])
        self.ledger.append_all(story(str(root)))
        self.key = SigningKey.of(FileSecrets(root / "secrets"))

    def make(self, **asked: Any) -> bytes:
        return bundle(
            self.ledger.database,
            Question(**asked),
            key=self.key,
            at=NOW,
            by="ada",
            histories=self.histories,
        )

    def signed(self, files: dict[str, bytes]) -> bytes:
        """A bundle of these files as if Penstock had made it: what the key's owner could do."""
        told = Manifest.read(files[MANIFEST])
        assert told
        others = {n: c for n, c in files.items() if n not in {MANIFEST, SIGNATURE, KEY}}
        entries = {name: FileEntry.of(content) for name, content in others.items()}
        manifest = told.model_copy(update={"files": entries}).content()
        own = {MANIFEST: manifest, SIGNATURE: self.key.sign(manifest), KEY: self.key.public.pem}
        return packed({**others, **own})


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(tmp_path_factory.mktemp("office"))
    yield office
    office.ledger.close()


@pytest.fixture(scope="module")
def made(office: Office) -> bytes:
    return office.make(dataset="silver.b", column="email")


def lines(files: dict[str, bytes], name: str = "events.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[name].split(b"\n") if line]


def test_what_was_made_is_intact_and_the_same_again(office: Office, made: bytes) -> None:
    assert office.make(dataset="silver.b", column="email") == made
    found = check(made, key=office.key.public.fingerprint)
    assert found.faults == ()
    assert found.manifest
    assert found.manifest.made_by == "ada"
    ends = verify(office.ledger.database).chains
    told = {name: (end.position, end.link) for name, end in found.manifest.chains.items()}
    assert told.items() <= {name: (e.position, e.link) for name, e in ends.items()}.items()


def test_it_holds_the_events_of_what_was_asked_as_they_are_stored(
    office: Office, made: bytes
) -> None:
    stored = {event.sequence: event for event in office.ledger.events()}
    raw = dict(sqlite3.connect(office.path).execute("SELECT sequence, payload FROM event"))
    told = lines(unpacked(made))
    assert {e["sequence"]: e["payload"] for e in told} == {
        e["sequence"]: raw[e["sequence"]] for e in told
    }
    jobs = [stored[e["sequence"]].payload.get("job", {}).get("name") for e in told]
    assert jobs == [*["b"] * 6, "c", None]


def test_the_graph_shows_where_the_column_comes_from_and_what_masks_it(made: bytes) -> None:
    graph = json.loads(unpacked(made)["graph.json"])
    edges = {(e["source_column"], e["target_column"], e["masking"]) for e in graph["column_edges"]}
    assert edges == {("email", "email", True), ("email", "contact", False), (HOSTILE, None, False)}
    assert {d["label"] for d in graph["datasets"]} >= {"bronze.a", "silver.b"}


def test_a_class_of_personal_data_leads_to_where_it_went(office: Office) -> None:
    made = office.make(pii="EMAIL")
    files = unpacked(made)
    assert check(made).intact
    graph = json.loads(files["graph.json"])
    assert {d["label"] for d in graph["datasets"]} >= {"bronze.a", "silver.b"}
    edges = {(e["source_column"], e["target_column"], e["masking"]) for e in graph["column_edges"]}
    assert edges == {("email", "email", True), ("email", "contact", False)}
    jobs = {json.loads(e["payload"]).get("job", {}).get("name") for e in lines(files)}
    assert jobs == {"b", "c", None}  # and not d, which holds no address
    assert b"personal data of the class EMAIL" in files["README.txt"]


def test_the_drawing_stands_alone_and_no_name_is_markup(made: bytes) -> None:
    content = unpacked(made)["graph.svg"]
    root = ET.fromstring(content)  # noqa: S314 - we made it
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "style", "rect", "text", "path", "g"}
    assert not any("href" in name for element in root.iter() for name in element.attrib)
    assert "masked" in {element.get("class") for element in root.iter()}
    shown = "".join(root.itertext())
    assert 'alert("1")' in shown
    assert "silver.b" in shown


def test_a_circle_of_datasets_is_drawn() -> None:
    edge = {"target_column": "x", "source_column": "x", "type": "DIRECT", "masking": False}
    names = ("a", "b", "c")
    graph = {
        "asked": {"dataset": "a", "column": None},
        "datasets": [{"id": n, "label": n, "columns": []} for n in names],
        "edges": [{"source": "a", "target": "a"}],
        "column_edges": [
            {**edge, "source": s, "target": t, "valid_to": None}
            for s, t in zip(names, "bca", strict=True)
        ],
    }
    assert drawing(graph).count(b"<path") >= 4


def test_no_value_of_a_row_is_in_it(office: Office) -> None:
    whole = office.make(dataset="silver.b")
    assert CANARY.encode() not in whole
    assert b"canary" not in whole
    [table] = json.loads(unpacked(whole)["versions.json"])["tables"]
    [version] = table["versions"]
    assert version["commit_sha256"] == _digest(
        office.root / "silver/b/_delta_log" / f"{0:020}.json"
    )
    assert [file["bytes"] > 0 for file in version["added"]] == [True]
    covered = json.loads(unpacked(whole)["coverage.json"])
    assert covered["datasets"][0]["label"] == "silver.b"


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_period_chooses_the_events_and_every_version_of_a_contract_stays(office: Office) -> None:
    since, until = AT + timedelta(minutes=1), AT + timedelta(minutes=2)
    files = unpacked(office.make(since=since, until=until))
    assert len(lines(files)) == 6
    assert len(json.loads(files["runs.json"])["runs"]) == 4
    assert check(packed(files)).intact
    both = unpacked(office.make(dataset="silver.b", since=since, until=until))
    assert {json.loads(e["payload"])["job"]["name"] for e in lines(both)} == {"b"}
    nothing = office.make(dataset="silver.b", since=AT + timedelta(days=400))
    assert (check(nothing).intact, lines(unpacked(nothing))) == (True, [])


def test_a_question_that_asks_nothing_or_of_nothing_is_refused(office: Office) -> None:
    for asked in (
        {},
        {"column": "email"},
        {"pii": "email", "dataset": "silver.b"},
        {"pii": "phone"},
        {"dataset": "silver.b", "column": "no"},
        {"dataset": "no.such"},
        {"dataset": "file|no"},
        {"since": NOW, "until": AT},
    ):
        with pytest.raises(InputError):
            office.make(**asked)


def test_without_a_lake_it_says_so(office: Office) -> None:
    made = bundle(
        office.ledger.database, Question(dataset="silver.b"), key=office.key, at=NOW, by="ada"
    )
    assert "coverage.json" not in unpacked(made)
    manifest = check(made).manifest
    assert manifest
    assert any("without a lake" in note for note in manifest.notes)


@settings(max_examples=400)
@given(data=st.data())
def test_no_byte_can_be_changed(made: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(made) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(made)
    changed[place] ^= 1 << bit
    assert not check(bytes(changed)).intact


def test_no_byte_of_what_is_no_content_can_be_changed(made: bytes) -> None:
    """Every byte of the directory, and of each file's header."""
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        begins = archive.start_dir
        headers = [entry.header_offset for entry in archive.infolist()]
    places = [*range(begins, len(made)), *(h + n for h in headers for n in range(40))]
    for place in places:
        changed = bytearray(made)
        changed[place] ^= 0x01
        assert not check(bytes(changed)).intact, place


@given(data=st.data())
def test_nothing_can_be_cut_off_or_added(made: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(made)))
    more = data.draw(st.binary(min_size=1, max_size=30))
    if place < len(made):
        assert not check(made[:place]).intact
    assert not check(made[:place] + more + made[place:]).intact


FILES = {
    "a file more": lambda files: files.update({"more.txt": b""}),
    "a file less": lambda files: files.pop("runs.json"),
    "no manifest": lambda files: files.pop(MANIFEST),
    "no signature": lambda files: files.pop(SIGNATURE),
    "no key": lambda files: files.pop(KEY),
    "another content": lambda files: files.update({"runs.json": b"{}"}),
    "two swapped": lambda files: files.update(
        {"runs.json": files["checks.json"], "checks.json": files["runs.json"]}
    ),
    "a key with a comment": lambda files: files.update({KEY: b"# \n" + files[KEY]}),
}


@pytest.mark.parametrize("case", FILES)
def test_files_are_those_of_the_manifest(made: bytes, case: str) -> None:
    files = unpacked(made)
    FILES[case](files)
    assert not check(packed(files)).intact


def _events(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[dict[str, bytes]], None]:
    def changed(files: dict[str, bytes]) -> None:
        told = lines(files)
        change(told)
        files["events.jsonl"] = "".join(json.dumps(e) + "\n" for e in told).encode()

    return changed


def _swap(told: list[dict[str, Any]]) -> None:
    told[1], told[2] = told[2], told[1]


def _renumber(told: list[dict[str, Any]]) -> None:
    told[1]["sequence"], told[2]["sequence"] = told[2]["sequence"], told[1]["sequence"]


CHAINS: dict[str, Callable[[dict[str, bytes]], Any]] = {
    "a payload": _events(lambda e: e[1].update(payload=e[1]["payload"].replace("/a", "/z"))),
    "a key before its like": _events(
        lambda e: e[1].update(payload='{"eventType":"FAIL",' + e[1]["payload"][1:])
    ),
    "a payload and its hash": _events(
        lambda e: e[1].update(payload=e[2]["payload"], payload_hash=e[2]["payload_hash"])
    ),
    "a moment": _events(lambda e: e[1].update(recorded_at="2001-01-01T00:00:00+00:00")),
    "no moment": _events(lambda e: e[1].update(recorded_at="never")),
    "a link": _events(lambda e: e[1].update(link="0" * 64)),
    "the link before": _events(lambda e: e[1].update(before="0" * 64)),
    "an event gone": _events(lambda e: e.pop(1)),
    "the last gone": _events(lambda e: e.pop()),
    "an event twice": _events(lambda e: e.insert(1, e[1])),
    "another order": _events(_swap),
    "other numbers": _events(_renumber),
    "another namespace": _events(lambda e: e[1].update(namespace="dbt")),
    "no event": _events(lambda e: e[1].update(payload="[")),
    "a list": _events(lambda e: e[1].update(payload="[]")),
    "nesting without end": _events(lambda e: e[1].update(payload="[" * 100_000)),
    "more than is known": _events(lambda e: e[1].update(more=1)),
    "no line": lambda files: files.update({"events.jsonl": b"\xff\n"}),
    "the end of the links gone": lambda files: files.update(
        {"links.jsonl": files["links.jsonl"].rsplit(b"\n", 2)[0] + b"\n"}
    ),
    "the links gone": lambda files: files.update({"links.jsonl": b""}),
}


def test_of_a_chain_too_long_to_be_in_it_the_rest_is_checked(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock.evidence.event_lines._MOST_LINKS", 1)
    files = unpacked(office.make(dataset="silver.b", column="email"))
    assert check(packed(files)).intact
    manifest = Manifest.read(files[MANIFEST])
    assert manifest
    assert {name: end.whole for name, end in manifest.chains.items()}["spark"] is False
    assert any("too many" in note for note in manifest.notes)
    for case in ("a link", "a moment", "the link before", "another order", "an event twice"):
        changed = dict(files)
        CHAINS[case](changed)
        assert not check(office.signed(changed)).intact, case


@pytest.mark.parametrize("before", [2, 11, 13])
def test_of_events_that_were_archived_it_is_the_same(tmp_path: Path, before: int) -> None:
    office = Office(tmp_path)
    period = {"since": AT + timedelta(minutes=1), "until": AT + timedelta(minutes=2)}
    questions: tuple[dict[str, Any], ...] = (
        {"dataset": "silver.b", "column": "email"},
        {"dataset": "silver.b", **period},
        {"since": AT},
        period,
    )
    made = [office.make(**asked) for asked in questions]
    for end in (before // 2, before):
        archive_events(office.ledger, tmp_path / "archive", before=end)
    assert [office.make(**asked) for asked in questions] == made
    office.ledger.close()


def test_without_the_file_of_archived_events_there_is_no_evidence_of_them(tmp_path: Path) -> None:
    office = Office(tmp_path)
    archive_events(office.ledger, tmp_path / "archive", before=5)
    (file,) = (tmp_path / "archive").glob("*.parquet")
    file.rename(tmp_path / "elsewhere")
    with pytest.raises(LedgerError, match="is not there"):
        office.make(dataset="silver.b")
    office.ledger.close()


@pytest.mark.parametrize("case", CHAINS)
def test_a_chain_that_was_signed_again_does_not_hold(
    office: Office, made: bytes, case: str
) -> None:
    files = unpacked(made)
    assert check(office.signed(files)).intact
    CHAINS[case](files)
    found = check(office.signed(files))
    assert not found.intact
    assert all(len(fault) < 400 for fault in found.faults)


def _zip(*entries: tuple[str, bytes], compressed: bool = False) -> bytes:
    stream = io.BytesIO()
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(stream, "w", kind) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "a\\..\\b",
        "C:evil",
        "a//b",
        ".hidden",
        "x/../y",
        "\x1b[2J",
    ],
)
def test_names_that_lead_elsewhere_are_refused(made: bytes, name: str) -> None:
    files = unpacked(made)
    [fault] = check(_zip(*files.items(), (name, b"x"))).faults
    assert "name that no bundle has" in fault
    assert "\x1b" not in fault


def test_bombs_are_refused_before_anything_is_unpacked(made: bytes) -> None:
    bomb = _zip(*unpacked(made).items(), ("zeros", bytes(50 << 20)), compressed=True)
    assert len(bomb) < 3 << 20
    [fault] = check(bomb).faults
    assert "compressed" in fault
    many = _zip(*((f"f{n}", b"") for n in range(20_001)))
    assert "more than 20000" in check(many).faults[0]


def test_a_file_twice_and_what_is_no_zip_are_refused(made: bytes) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = _zip(*unpacked(made).items(), ("runs.json", b"{}"))
    assert "twice" in check(twice).faults[0]
    for content in (b"", b"PK", b"\0" * 1000, made[100:]):
        assert not check(content).intact


def test_the_same_files_zipped_otherwise_are_refused(made: bytes) -> None:
    files = unpacked(made)
    assert "not as Penstock writes it" in check(_zip(*files.items())).faults[0]
    assert (
        "not as Penstock writes it" in check(_zip(*sorted(files.items(), reverse=True))).faults[0]
    )


def test_another_key_is_found_when_the_right_one_is_known(
    office: Office, made: bytes, tmp_path: Path
) -> None:
    forger = SigningKey.of(FileSecrets(tmp_path / "secrets"))
    forged = bundle(
        office.ledger.database, Question(dataset="silver.b"), key=forger, at=NOW, by="ada"
    )
    assert check(forged).fingerprint == forger.public.fingerprint
    assert check(forged).intact
    assert not check(forged, key=office.key.public.fingerprint).intact
    assert check(made, key=office.key.public.fingerprint.upper()).intact
    files = unpacked(made)
    files |= {KEY: forger.public.pem, SIGNATURE: forger.sign(files[MANIFEST])}
    assert "names another key" in check(packed(files)).faults[0]


def test_the_key_is_private_and_shows_nothing_of_itself(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    key = SigningKey.of(FileSecrets(folder))
    [path] = folder.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().strip() not in repr(key)
    assert SigningKey.of(FileSecrets(folder)).public.fingerprint == key.public.fingerprint
    assert key.sign(b"x") == SigningKey.of(FileSecrets(folder)).sign(b"x")


def test_openssl_agrees(office: Office, made: bytes, tmp_path: Path) -> None:
    for name, content in unpacked(made).items():
        if "/" not in name:
            (tmp_path / name).write_bytes(content)

    def run(*words: str) -> bytes:
        return subprocess.run(
            ["openssl", *words], cwd=tmp_path, check=True, capture_output=True
        ).stdout

    sign = ("-rawin", "-in", MANIFEST, "-sigfile", SIGNATURE)
    assert b"Success" in run("pkeyutl", "-verify", "-pubin", "-inkey", KEY, *sign)
    run("pkey", "-pubin", "-in", KEY, "-outform", "DER", "-out", "key.der")
    assert _digest(tmp_path / "key.der") == office.key.public.fingerprint


def test_events_that_were_changed_in_the_ledger_are_not_signed(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.make(dataset="silver.b")
    raw = sqlite3.connect(office.path)
    raw.execute("DROP TRIGGER event_no_update")
    raw.execute("UPDATE event SET payload = replace(payload, 'email', 'liame') WHERE sequence = 2")
    raw.commit()
    raw.close()
    with pytest.raises(LedgerError) as told:
        office.make(dataset="silver.b")
    assert "penstock ledger verify" in told.value.next_step
    office.ledger.close()


def test_a_contract_that_was_changed_in_the_ledger_is_not_signed(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.ledger.register_contract(
        ContractModel(
            name="silver.b",
            version="1.0.0",
            owner="shop@example.com",
            description="B",
            columns=(ColumnModel(name="k", type="string"),),
        )
    )
    assert any(n.startswith("contracts/") for n in unpacked(office.make(dataset="silver.b")))
    raw = sqlite3.connect(office.path)
    raw.execute("DROP TRIGGER contract_no_update")
    raw.execute("""UPDATE contract SET document = replace(document, '"B"', '"C"')""")
    raw.commit()
    raw.close()
    with pytest.raises(LedgerError, match="not as it was registered"):
        office.make(dataset="silver.b")
    office.ledger.close()


def test_the_server_gives_it_to_auditors_alone(office: Office) -> None:
    tokens = {role: Tokens(office.ledger.database).add(role, role, at=NOW) for role in Role}
    app = create_app(
        office.ledger,
        ServerSettings(tokens_required=True),
        histories=office.histories,
        signing_key=lambda: office.key,
    )
    client = TestClient(app)

    def get(role: Role, **query: str) -> Any:
        headers = {"authorization": f"Bearer {tokens[role]}"}
        return client.get("/api/penstock/v1/evidence", params=query, headers=headers)

    whole = f"file|{office.root}/silver/b"
    answer = get(Role.AUDITOR, id=whole, column="email", since="2026-01-01T00:00:00Z")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    found = check(answer.content, key=office.key.public.fingerprint)
    assert found.intact
    assert found.manifest
    assert found.manifest.made_by == "auditor"
    assert get(Role.READER, id=whole).status_code == 403
    assert get(Role.EMITTER, id=whole).status_code == 403
    assert get(Role.AUDITOR, id="file|no").status_code == 404
    assert get(Role.AUDITOR, id=whole, column="no").status_code == 404
    assert get(Role.AUDITOR).status_code == 422
    bare = TestClient(create_app(office.ledger), base_url="http://127.0.0.1")
    assert bare.get("/api/penstock/v1/evidence", params={"id": whole}).status_code == 501
