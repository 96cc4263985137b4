"""CSV that LibreOffice exports: cells as people see them, and as they are."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from penstock import Contract, Csv, column, landing
from penstock import Decimal as Digits
from tests.assets.landing.arriving import arrive
from tests.patience import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from penstock.assets.inputs.files import Landing

pytestmark = pytest.mark.slow(seconds=15)

NAMES = {"Nr": "id", "Tag": "day", "Betrag": "amount", "bezahlt": "paid", "Notiz": "note"}
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
SHEET = f"""<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="{OASIS}:office:1.0" xmlns:table="{OASIS}:table:1.0"
 xmlns:text="{OASIS}:text:1.0" xmlns:style="{OASIS}:style:1.0"
 xmlns:number="{OASIS}:datastyle:1.0" office:version="1.3"
 office:mimetype="application/vnd.oasis.opendocument.spreadsheet">
<office:automatic-styles>
 <number:date-style style:name="german-day" number:language="de" number:country="DE">
  <number:day number:style="long"/><number:text>.</number:text>
  <number:month number:style="long"/><number:text>.</number:text>
  <number:year number:style="long"/>
 </number:date-style>
 <number:number-style style:name="german-number" number:language="de" number:country="DE">
  <number:number number:decimal-places="2" number:min-decimal-places="2"
   number:min-integer-digits="1" number:grouping="true"/>
 </number:number-style>
 <number:boolean-style style:name="truth"><number:boolean/></number:boolean-style>
 <style:style style:name="day" style:family="table-cell" style:data-style-name="german-day"/>
 <style:style style:name="money" style:family="table-cell" style:data-style-name="german-number"/>
 <style:style style:name="plain" style:family="table-cell"/>
 <style:style style:name="flag" style:family="table-cell" style:data-style-name="truth"/>
</office:automatic-styles>
<office:body><office:spreadsheet><table:table table:name="sales">ROWS</table:table>
</office:spreadsheet></office:body></office:document>
"""


class Sale(Contract, name="bronze.sheet", version="1.0.0", owner="team:shop"):
    """One row of a sheet."""

    id: int = column()
    day: date = column(nullable=True)
    amount: Digits(16, 3) = column(nullable=True)
    paid: bool = column(nullable=True)
    note: str = column(nullable=True)


def _cell(kind: str, value: str, style: str) -> str:
    named = "value" if kind == "float" else f"{kind}-value"
    return (
        f'<table:table-cell table:style-name="{style}" office:value-type="{kind}" '
        f'office:{named}="{value}"/>'
    )


def _text(value: str) -> str:
    lines = "".join(f"<text:p>{line}</text:p>" for line in value.split("\n"))
    return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'


def _row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


NOTHING = "<table:table-cell/>"
ROWS = (
    _row(*map(_text, NAMES)),
    _row(
        _cell("float", "1", "plain"),
        _cell("date", "2013-01-05", "day"),
        _cell("float", "1234567.5", "money"),
        _cell("boolean", "true", "flag"),
        _text("Straße; 5 &quot;Zoll&quot;"),
    ),
    _row(
        _cell("float", "2", "plain"),
        _cell("date", "1899-12-31", "day"),
        _cell("float", "-0.05", "money"),
        _cell("boolean", "false", "flag"),
        _text("zwei\nZeilen"),
    ),
    _row(_cell("float", "3", "plain"), NOTHING, NOTHING, NOTHING, _text("007")),
    # one that nobody gave a German format: it is shown with a point
    _row(_cell("float", "4", "plain"), NOTHING, _cell("float", "0.125", "plain"), NOTHING, NOTHING),
    _row(_cell("float", "5", "plain"), NOTHING, _cell("float", "12.5", "plain"), NOTHING, NOTHING),
)


def exported(folder: Path, delimiter: str, charset: int, *, as_shown: bool) -> bytes:
    """The sheet as LibreOffice's CSV filter writes it."""
    program = shutil.which("soffice")
    assert program, "there is no LibreOffice: apt-get install -y libreoffice-calc-nogui"
    (folder / "sales.fods").write_text(SHEET.replace("ROWS", "".join(ROWS)))
    # the filter's own words: separator, quote, charset, first line, formats, language, quoting
    # of all texts, cells as they are shown
    tokens = f"{ord(delimiter)},34,{charset},1,,0,{not as_shown},{as_shown}".lower()
    subprocess.run(
        [
            program,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            *("--convert-to", f"csv:Text - txt - csv (StarCalc):{tokens}"),
            *("--outdir", str(folder)),
            str(folder / "sales.fods"),
        ],
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    return (folder / "sales.csv").read_bytes()


def read_as(written: Csv) -> Landing:
    names = {sent: name for sent, name in NAMES.items() if name != sent}
    return landing("*.csv", format=written, names=names, date_formats={"day": "dd.MM.yyyy"})


@pytest.mark.parametrize(
    ("delimiter", "charset", "encoding", "as_shown"),
    [(";", 1, "windows-1252", True), (",", 76, "UTF-8", False)],
    ids=["as shown", "each text quoted"],
)
def test_what_libreoffice_exports_is_read(
    spark: SparkSession,
    tmp_path: Path,
    delimiter: str,
    charset: int,
    encoding: str,
    *,
    as_shown: bool,
) -> None:
    content = exported(tmp_path, delimiter, charset, as_shown=as_shown)
    written = Csv(delimiter=delimiter, encoding=encoding, decimal=",", thousands=".")
    found = arrive(spark, tmp_path, Sale, read_as(written), sales__csv=content)
    assert found.rows == [
        (1, date(2013, 1, 5), Decimal("1234567.500"), True, 'Straße; 5 "Zoll"'),
        (2, date(1899, 12, 31), Decimal("-0.050"), False, "zwei\nZeilen"),
        (3, None, None, None, "007"),
    ]
    # neither 125 nor 0.125 is kept: of a point nobody knows what it means here
    assert found.reasons == [("amount:type",), ("amount:type",)]
