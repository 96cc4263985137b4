"""What `penstock new dataset` makes of files that others wrote: right, or said to be a guess."""

from __future__ import annotations

import ast
import csv
import gzip
import io
import json
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.orc
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from penstock.assets.inputs.files import Landing
from penstock.cli.app import app
from penstock.cli.new.sample import Sample, sampled
from penstock.cli.new.written import contract_text, dataset_text
from penstock.errors import DefinitionError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from penstock import Dataset


def _sample(folder: Path, content: str | bytes, name: str = "sent.csv") -> Sample:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return sampled(file)


def _kinds(sample: Sample) -> dict[str, str]:
    return {c.name: c.kind.simpleString() + ("" if c.nullable else "!") for c in sample.columns}


def _defined(sample: Sample) -> Dataset:
    """The dataset that the written modules define."""
    names: dict[str, Any] = {"__name__": "schemas.sent", "__file__": __file__}
    body = dataset_text(sample, "bronze.sent", "sent/*")
    for text in (contract_text(sample, "bronze.sent", "team:data"), body):
        alone = text.replace("from schemas.sent import Sent\n", "")
        exec(compile(alone, __file__, "exec", dont_inherit=True), names)  # noqa: S102
    found: Dataset = names["sent"]
    return found


def test_cells_are_what_all_of_them_can_be(tmp_path: Path) -> None:
    sample = _sample(
        tmp_path,
        "id,zip,price,rate,day,at,ok,note,none\n"
        "1,01234,1.50,1e3,2024-01-05,2024-01-05 10:00,yes,a,\n"
        "2,99999,-20,NaN,2024-01-06,2024-01-05T10:00:00Z,no,,\n",
    )
    assert _kinds(sample) == {
        "id": "bigint!",
        "zip": "string!",
        "price": "decimal(10,2)!",
        "rate": "double!",
        "day": "date!",
        "at": "timestamp!",
        "ok": "boolean!",
        "note": "string",
        "none": "string",
    }
    assert [c.name for c in sample.columns if c.key] == ["id"]
    reasons = {c.name: c.reasons for c in sample.columns}
    assert reasons["zip"][0] == "leading zeros, which a number would lose"
    assert reasons["note"][1:] == ("1 of 2 are empty",)
    assert "2 different values in 2 rows" in reasons["id"]
    spec = _defined(sample)
    assert spec.model.key == ("id",)
    assert {c.name: c.type for c in spec.model.columns} == {
        c.name: c.kind.simpleString() for c in sample.columns
    }


def test_a_spreadsheet_of_another_country(tmp_path: Path) -> None:
    text = "Kunden-Nr;Größe;Umsatz (EUR);Datum\n1;XL;1.234,50;31.01.2024\n2;M;7;01.02.2024\n"
    sample = _sample(tmp_path, text.encode("cp1252"))
    assert sample.written == (
        "Csv(delimiter=';', encoding='windows-1252', decimal=',', thousands='.')"
    )
    assert [(c.name, c.sent) for c in sample.columns] == [
        ("kunden_nr", "Kunden-Nr"),
        ("gr_e", "Größe"),
        ("umsatz_eur", "Umsatz (EUR)"),
        ("Datum", "Datum"),
    ]
    assert _kinds(sample)["umsatz_eur"] == "decimal(10,2)!"
    assert "the bytes are no UTF-8: windows-1252 is a guess" in sample.remarks
    [landed] = _defined(sample).inputs.values()
    assert isinstance(landed, Landing)
    assert dict(landed.date_formats) == {"Datum": "dd.MM.yyyy"}
    assert landed.column_of("Umsatz (EUR)") == "umsatz_eur"


def test_what_the_sample_does_not_tell_is_text(tmp_path: Path) -> None:
    sample = _sample(tmp_path, "day,big,n\n01/02/2024,123456789012345678901,1\n03/04/2024,2,1\n")
    assert _kinds(sample) == {"day": "string!", "big": "string!", "n": "bigint!"}
    assert sample.columns[0].reasons[0] == (
        "dd/MM/yyyy or MM/dd/yyyy: no day of the sample tells which"
    )
    assert _kinds(_sample(tmp_path, "day\n01/02/2024\n13/04/2024\n"))["day"] == "date!"


def test_texts_for_null_are_found_where_they_hide_a_type(tmp_path: Path) -> None:
    sample = _sample(tmp_path, "id,fare,code\n1,NA,NA\n2,1.5,x\n3,-,y\n")
    assert sample.nulls == ("-", "NA")
    # what stands for NULL does so in all columns
    assert _kinds(sample) == {"id": "bigint!", "fare": "decimal(10,1)", "code": "string"}
    [landed] = _defined(sample).inputs.values()
    assert isinstance(landed, Landing)
    assert landed.null_values == ("-", "NA")


def test_a_key_of_two_columns_and_none(tmp_path: Path) -> None:
    sample = _sample(tmp_path, "a,b,c\n1,1,1.5\n1,2,1.5\n2,1,1.5\n")
    assert [c.name for c in sample.columns if c.key] == ["a", "b"]
    assert "3 different values in 3 rows together" in sample.columns[0].reasons
    without = _sample(tmp_path, "a,b\n1,1\n1,1\n")
    assert not any(column.key for column in without.columns)
    assert "there is no key" in without.remarks[-1]
    assert type(_defined(without).write).__name__ == "Append"
    # a name counts more than chance
    named = _sample(tmp_path, "score,order_id\n3,1\n4,2\n")
    assert [c.name for c in named.columns if c.key] == ["order_id"]


def test_records_that_are_none_are_counted(tmp_path: Path) -> None:
    sample = _sample(tmp_path, 'a,b\n1,"x\ny"\n1\n2,z\n')
    assert (sample.rows, sample.remarks[0]) == (2, "1 records have another number of cells")


def test_objects_with_parts(tmp_path: Path) -> None:
    lines = [
        {"id": 1, "fare": 1.5, "who": {"name": "Ada", "tags": ["a"]}, "on": "2024-01-05", "x": 1},
        {"id": 2, "fare": 2, "who": None, "on": "2024-01-06", "x": "a", "mail": "a@b.de"},
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n{broken\n"
    sample = _sample(tmp_path, gzip.compress(text.encode()), "sent.jsonl.gz")
    assert _kinds(sample) == {
        "id": "bigint!",
        "fare": "decimal(10,1)!",
        "who": "struct<name:string,tags:array<string>>",
        "on": "date!",
        "x": "variant!",
        "mail": "string",
    }
    assert sample.remarks == ("1 lines are no objects",)
    assert sample.columns[-1].reasons[-1].startswith("e-mail addresses: pii=Pii.EMAIL")
    assert "format=JsonLines()" in dataset_text(sample, "bronze.sent", "sent/*")
    # of a variant nobody can say whether it has changed
    assert type(_defined(sample).write).__name__ == "Append"
    assert "T.StructType([T.StructField('name'" in contract_text(sample, "bronze.sent", "team:a")


def test_a_file_of_orc_and_one_without_rows(tmp_path: Path) -> None:
    file = tmp_path / "sent.orc"
    pa.orc.write_table(pa.table({"id": [1, 2], "name": ["a", None]}), file)
    sample = sampled(file)
    assert (_kinds(sample), sample.written) == ({"id": "bigint!", "name": "string"}, "Orc()")
    assert _defined(sample).model.key == ("id",)
    for written, name in ((pa.orc, "none.orc"), (pa.parquet, "none.parquet")):
        written.write_table(pa.table({"id": pa.array([], pa.int64())}), tmp_path / name)
        with pytest.raises(InputError, match="nothing can be guessed"):
            sampled(tmp_path / name)


def test_a_frame_of_pandas(tmp_path: Path) -> None:
    held = io.BytesIO()
    table = pa.table(
        {
            "id": [1, 2],
            "price": [Decimal("1.50"), None],
            "at": pa.array([datetime(2024, 1, 5, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC")),
            "tier": pa.array(["a", "b"]).dictionary_encode(),
            "day": [date(2024, 1, 5)] * 2,
        }
    )
    pa.parquet.write_table(table, held)
    sample = _sample(tmp_path, held.getvalue(), "sent.parquet")
    assert _kinds(sample) == {
        "id": "bigint!",
        "price": "decimal(3,2)",
        "at": "timestamp!",
        "tier": "string!",
        "day": "date!",
    }
    assert _defined(sample).model.key == ("id",)


_CELLS = st.sampled_from(
    [
        "",
        "1",
        "007",
        "1.5",
        "-2",
        "1e5",
        "NaN",
        "true",
        "2024-01-05",
        "31.12.2024",
        "x;y",
        'a"b',
        "NA",
    ]
) | st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=6)
_NAMES = st.sampled_from(["date", "int", "T", "class", "to_schema", "Name", "name"]) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=8
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(_NAMES.filter(lambda n: n.strip() == n), min_size=2, max_size=4, unique=True),
    rows=st.lists(st.lists(_CELLS, min_size=4, max_size=4), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
)
def test_whatever_is_sent_what_is_written_is_a_dataset_or_it_is_refused(
    tmp_path: Path, names: Sequence[str], rows: list[list[str]], delimiter: str
) -> None:
    held = io.StringIO(newline="")
    writer = csv.writer(held, delimiter=delimiter)
    writer.writerows([names, *(row[: len(names)] for row in rows)])
    try:
        sample = _sample(tmp_path, held.getvalue())
    except InputError:
        return
    spec = _defined(sample)
    assert [c.name for c in spec.model.columns] == [c.name for c in sample.columns]
    for text in (contract_text(sample, "a.b", "team:a"), dataset_text(sample, "a.b", "b/*")):
        ast.parse(text)
        assert max(map(len, text.splitlines())) < 400


@pytest.mark.parametrize(
    "content", ["", "a,b\n", "1,2\n3,4\n", "a,a\n1,2\n", "a,\n1,2\n"], ids=repr
)
def test_a_sample_that_says_nothing_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match="nothing can be guessed"):
        _sample(tmp_path, content)


def test_nothing_that_is_there_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent.csv").write_text("id,name\n1,a\n2,b\n")

    def told(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["new", "dataset", *words])
        return result.exit_code, result.output

    for words, what in (
        (("sent", "sent.csv"), "this is no name for a dataset"),
        (("bronze.class", "sent.csv"), "this is no name for a dataset"),
        (("bronze.sent", "sent.csv"), "this is no project's folder"),
    ):
        code, output = told(*words)
        assert (code, what in output) == (DefinitionError.exit_code, True), output
    for folder in ("schemas", "assets"):
        (tmp_path / folder).mkdir()
    code, output = told("bronze.sent", "nowhere.csv")
    assert (code, "the sample cannot be read" in output) == (InputError.exit_code, True)
    assert not [*(tmp_path / "schemas").iterdir()]
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(b"id,name\n1,a\n")[:-9])
    code, output = told("bronze.sent", "cut.csv.gz")
    assert (code, "the compressed file is damaged" in output) == (InputError.exit_code, True)
    code, output = told("bronze.sent", "sent.csv", "--landing", "sent/{day}.csv")
    assert "a dataset by day is more than a sample can say" in output
    code, output = told("bronze.sent", "sent.csv", "--json")
    assert (code, json.loads(output)["key"]) == (0, ["id"])
    assert 'landing(\n    "sent/*.csv",\n)' in (tmp_path / "assets/sent.py").read_text()
    (tmp_path / "assets/sent.py").write_text("mine")
    (tmp_path / "schemas/sent.py").unlink()
    code, output = told("bronze.sent", "sent.csv")
    assert "something is there already" in output
    assert (tmp_path / "assets/sent.py").read_text() == "mine"
    assert not (tmp_path / "schemas/sent.py").exists()
    assert "schemas.sent" not in sys.modules
