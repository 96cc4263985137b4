"""XML: the elements that are records, and files that say more than was asked for."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pyspark.sql.types as T
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock import Contract, Xml, column, dataset, landing
from penstock import Decimal as Digits
from penstock.assets.landing.xml_look import XmlLooker
from penstock.errors import DefinitionError, InputError
from tests.assets.landing.arriving import arrive
from tests.packed import pack

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow(seconds=30)


class Sale(Contract, owner="team:shop", version="1.0.0", name="bronze.sales"):
    """One sale."""

    id: int = column()
    item: str = column(nullable=True)
    price: Digits(10, 2) = column(nullable=True)
    day: date = column(nullable=True)
    at: datetime = column(nullable=True)


class Item(Contract, owner="team:shop", version="1.0.0", name="bronze.items"):
    """One item."""

    id: int = column()
    item: str = column(nullable=True)


FORMAT = Xml(row="sale", decimal=",", thousands=".")
NAMES = {"@nr": "id"}
FILES = landing("*", format=FORMAT, names=NAMES, time_zone="Europe/Berlin")
ITEMS = landing("*", format=Xml(row="sale"))


def test_elements_and_attributes_are_values(spark: SparkSession, tmp_path: Path) -> None:
    text = """<?xml version="1.0" encoding="UTF-8"?>
    <!-- a comment with a <sale nr="0"/> in it -->
    <export xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><head><made>today</made></head>
      <sale nr="007">
        <day>2024-02-29</day><item> x &amp; y &lt; <![CDATA[</sale><z>]]></item>
        <price>1.234,50</price><at>2024-07-01T12:00:00</at>
      </sale>
      <group><sale nr="2"><item/><price xsi:nil="true"/></sale></group>
      <sale nr="3"><item>Zo&#235; <!-- between -->Ü\n+</item></sale>
    </export>"""
    read = arrive(spark, tmp_path, Sale, FILES, a=text, b__zip=pack(".zip", text.encode()))
    assert read.rejected == []
    one = (7, " x & y < </sale><z>", Decimal("1234.50"), date(2024, 2, 29))
    first = (*one, datetime(2024, 7, 1, 10))  # noqa: DTZ001 - as Spark's rows have it in UTC
    others = [(2, None, None, None, None), (3, "Zoë Ü\n+", None, None, None)]
    assert read.rows == sorted([first, *others] * 2, key=repr)


def test_what_is_no_value_sets_its_record_aside(spark: SparkSession, tmp_path: Path) -> None:
    bad = {
        '<sale nr="x"/>': "id:type",
        '<sale nr="4"><price>1.5</price></sale>': "price:type",
        '<sale nr="5"><day>2024-02-30</day></sale>': "day:type",
        '<sale nr="6"><item>a</item><item>a</item></sale>': "item:repeated",
    }
    text = f"<a><sale nr='1'/>{''.join(bad)}</a>"
    read = arrive(spark, tmp_path, Sale, FILES, a=text)
    assert [row[0] for row in read.rows] == [1]
    assert sorted(reason for (reason,) in read.reasons) == sorted(bad.values())
    # by the contract's names: what is personal data is known by them
    told = [row for _, row, _ in read.rejected]
    assert {"id": "6", "item": '["a","a"]'} in told
    assert {"id": "5", "day": "2024-02-30"} in told


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "cut off": ("<a><sale><id>1</id></sale><sale>", "no XML, or ends too early"),
    "a tag that nobody closes": ("<a><sale><id>1</sale></a>", "no XML, or ends too early"),
    "text behind it": ("<a/>\n<a/>", "no XML, or ends too early"),
    "a sign that XML has not": ("<a><sale><id>\1</id></sale></a>", "no XML, or ends too early"),
    "an entity": ("<a><sale><id>&one;</id></sale></a>", "no XML, or ends too early"),
    "nothing": ("", "empty"),
    "a declaration": ('<!DOCTYPE a [<!ENTITY one "1">]><a/>', "declares a document type"),
    "another encoding": (
        '<?xml version="1.0" encoding="latin1"?><a/>',
        "encoding that is not read",
    ),
    "UTF-16": ("<a/>".encode("utf-16"), "UTF-16"),
    "JSON": ('{"a": 1}', "no XML, or ends too early"),
    "other records": ("<a><sales><id>1</id></sales></a>", r"no record[\s\S]*found: sales, id"),
    "an element more": ("<a><sale><id>1</id><x/></sale></a>", r"not the contract's[\s\S]*extra x"),
    "an attribute more": ("<a><sale x='1'><id>1</id></sale></a>", r"extra @x"),
    "one of an element": ("<a><sale><id x='1'>1</id></sale></a>", r"extra id@x"),
    "text between": ("<a><sale>1<id>1</id></sale></a>", r"extra #text"),
    "another case": ("<a><sale><ID>1</ID></sale></a>", r"in another way[\s\S]*found: ID"),
    "an inner element": ("<a><sale><id><n>1</n></id></sale></a>", r"holds others[\s\S]*found: id"),
    "a record in a record": ("<a><sale><b><sale/></b></sale></a>", "a record within a record"),
    "the top is one": ("<sale><id>1</id><sale><id>2</id></sale></sale>", "record within a record"),
    "records of two names": ("<a><sale/><n:Sale xmlns:n='urn:n'/></a>", "records of two names"),
    "XML 1.1": ("<?xml version='1.1'?><a/>", "another version of XML"),
    "an error page": ("<error>Access denied</error>", r"no record[\s\S]*text alone"),
    "too deep": (f"<a><sale><id>{'<x>' * 600}{'</x>' * 600}</id></sale></a>", "within elements"),
    "too many names": (
        f"<a><sale>{''.join(f'<k{n}/>' for n in range(1100))}</sale></a>",
        "too many names",
    ),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_what_is_none_or_says_more_is_refused(
    spark: SparkSession, tmp_path: Path, wrong: str
) -> None:
    content, said = REFUSED[wrong]
    with pytest.raises(InputError, match=said):
        arrive(spark, tmp_path, Item, ITEMS, a=content)


def test_what_nobody_asked_for_is_left_out_where_that_is_said(
    spark: SparkSession, tmp_path: Path
) -> None:
    landed = landing("*", format=Xml(row="n:sale"), names={"n:nr": "id"}, extra_columns=True)
    text = (
        "<n:a xmlns:n='urn:n'><n:sale x='1'>2<n:nr x='3'>4</n:nr><NR>5</NR><item>a</item>"
        "<n:lines><n:line><n:nr>6</n:nr></n:line></n:lines></n:sale><other><id>7</id></other></n:a>"
    )
    more = "<n:a xmlns:n='urn:n'><n:sale xml:lang='de'><n:nr>5</n:nr><z/></n:sale></n:a>"
    read = arrive(spark, tmp_path, Item, landed, a=text, b=more)
    assert (read.rows, read.rejected) == ([(4, "a"), (5, None)], [])
    wrong = "<n:a xmlns:n='urn:n'><n:sale><n:nr>4</n:nr><ITEM>a</ITEM></n:sale></n:a>"
    with pytest.raises(InputError, match=r"in another way[\s\S]*found: ITEM"):
        arrive(spark, tmp_path, Item, landed, c=wrong)


def test_a_file_without_a_record_is_a_file_of_none(spark: SparkSession, tmp_path: Path) -> None:
    read = arrive(spark, tmp_path, Item, ITEMS, a="<sales/>", b="<a><sale><id>1</id></sale></a>")
    assert read.rows == [(1, None)]


_texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8)
_spaces = st.sampled_from(["", " ", "\n", "\t\n"])


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(st.tuples(_texts, _spaces, st.booleans()), min_size=1, max_size=6))
def test_whatever_elementtree_writes_is_read(
    spark: SparkSession, tmp_path: Path, rows: list[tuple[str, str, bool]]
) -> None:
    top = ET.Element("sales")
    for number, (text, space, within) in enumerate(rows):
        parent = ET.SubElement(top, "group") if within else top
        sale = ET.SubElement(parent, "sale")
        ET.SubElement(sale, "item").text = f"{space}{text}{space}"
        ET.SubElement(sale, "id").text = f"{number}"
    # XML has no other signs below the blank, and none of these
    held = [t.replace("\ufffe", "").replace("\uffff", "") == t for t, _, _ in rows]
    if not all(held):
        return
    content = ET.tostring(top, "utf-8", xml_declaration=True)
    read = arrive(spark, tmp_path, Item, ITEMS, a=content)
    wanted = [(n, f"{space}{text}{space}" or None) for n, (text, space, _) in enumerate(rows)]
    assert (sorted(read.rows), read.rejected) == (wanted, [])


def test_it_is_looked_at_in_pieces() -> None:
    text = "<a><sale nr='1'><item>Zoë</item></sale><sale><b x='1'><c/></b></sale></a>".encode()
    for size in (1, 7, 1000):
        looker = XmlLooker("a.xml", FORMAT)
        for at in range(0, len(text), size):
            looker.feed(text[at : at + size])
        look = looker.look()
        assert look.columns == ("@nr", "b", "b@x", "item")
        assert look.nested == ("b",)
        assert type(look).of_findings(look.findings()) == look


@pytest.mark.parametrize("row", ["", "a b", "<a>", "1a", ":a", "a:", None, 5])
def test_what_no_element_is_called_is_refused(row: Any) -> None:
    with pytest.raises(DefinitionError, match="no element of XML is called so"):
        Xml(row=row)


def test_what_xml_cannot_give_is_refused() -> None:
    class Listed(Contract, owner="team:shop", version="1.0.0", name="bronze.listed"):
        """What holds parts."""

        id: int = column()
        item: T.ArrayType(T.StringType()) = column(nullable=True)

    wrong: list[tuple[type[Contract], dict[str, Any], str]] = [
        (Listed, {}, "a cell of text holds one value"),
        (Item, {"rest": "item"}, "says of XML what it cannot be"),
        (Item, {"optional": ["item"]}, "says of XML what it cannot be"),
        (Item, {"names": {"item@x": "item"}}, "says of XML what it cannot be"),
        (Item, {"names": {"#text": "item"}}, "says of XML what it cannot be"),
        (Item, {"names": {"ID": "item"}}, "says of XML what it cannot be"),
    ]
    for contract, how, said in wrong:
        with pytest.raises(DefinitionError, match=said):
            dataset(contract, inputs={"raw": landing("*", format=Xml(row="a"), **how)})(
                lambda raw: raw
            )
    with pytest.raises(DefinitionError, match="says nothing of XML"):
        landing("*", format=Xml(row="a"), null_value="NA")
