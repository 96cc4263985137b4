"""Bad input: a clear error or a quarantine entry, and the next good run works."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import traceback
import zipfile
from datetime import date
from typing import TYPE_CHECKING

import pytest

from penstock import Quarantine, Slice, dataset, landing
from penstock.errors import InputError, ValidationError
from tests.assets.shop import BY_DAY, DAILY, DAY, HEADER, Order, Shop, copied, logged, orders

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame

pytestmark = pytest.mark.slow

#: Planted in the data: no message, event or log of ours may hold it.
CANARY = "kanarienvogel"
GOOD = f"1,{CANARY},1.50,2013-01-05"


@dataset(
    Order,
    inputs={"raw": landing(BY_DAY)},
    partitions=DAILY,
    bad_rows=Quarantine(max_fraction=None),
)
def tolerant(raw: DataFrame) -> DataFrame:
    return raw


@dataset(
    Order,
    inputs={"raw": landing(BY_DAY, extra_columns=True, null_value="NA")},
    partitions=DAILY,
)
def open_minded(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Order, inputs={"raw": landing("orders/orders-{day}*.gz")}, partitions=DAILY)
def zipped(raw: DataFrame) -> DataFrame:
    return raw


@dataset(Order, inputs={"raw": landing("orders/orders-{day}*")}, partitions=DAILY)
def sent(raw: DataFrame) -> DataFrame:
    return raw


def _works_again(shop: Shop) -> None:
    """The next good run works, and nothing told so far holds a value of a row."""
    for file in (shop.path / "landing" / "orders").glob("*"):
        file.unlink()
    shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05")
    assert shop.run(tolerant, DAY).rows_in == 2
    assert sorted(row.id for row in shop.table(tolerant).collect()) == [1, 2]
    assert CANARY not in shop.everything_told()


def test_rows_that_cannot_be_read_are_set_aside_each_with_its_reasons(shop: Shop) -> None:
    shop.land(
        "orders-2013-01-05.csv",
        GOOD,
        f"2,{CANARY}",  # short
        f"3,{CANARY},1,2013-01-05,more",  # long
        f'4,"{CANARY}" x,1,2013-01-05',  # text behind a closing quote
        f"five,{CANARY},1,2013-01-05",  # a wrong type
        f"6,{CANARY},{CANARY},soon",  # two wrong types
        b"7,kanarienvogel\xff,1,2013-01-05",  # not UTF-8
        f"8,{CANARY},-1,2013-01-05",  # breaks a check
        f"9,{CANARY},,2013-01-05",  # NULL
        f"10,{CANARY},1,2013-01-06",  # another day's
        f"11,{CANARY},123456789.5,2013-01-05",  # too wide for the type
        f"12,{CANARY},1.239,2013-01-05",  # would be rounded
        "99999999999999999999,x,1,2013-01-05",  # past bigint
    )
    outcome = shop.run(tolerant, DAY)
    expected = {
        "csv:malformed": 3,
        "id:type": 2,
        "price:type": 3,
        "day:type": 1,
        "csv:encoding": 1,
        "price:ge": 1,
        "price:not_null": 1,
        "slice:outside": 1,
    }
    assert dict(outcome.quarantined_by_rule) == expected
    assert (outcome.rows_in, outcome.rows_quarantined, outcome.rows_changed) == (13, 12, 1)
    assert [row.id for row in shop.table(tolerant).collect()] == [1]
    entries = shop.quarantine(tolerant).collect()
    assert len(entries) == 12
    assert {e.file for e in entries} == {"orders/orders-2013-01-05.csv"}
    lines = [json.loads(e.row) for e in entries]
    assert {"line": f"2,{CANARY}"} in lines
    assert {"id": "five", "item": CANARY, "price": "1", "day": "2013-01-05"} in lines
    assert CANARY not in shop.everything_told()
    _works_again(shop)


def test_too_many_bad_rows_fail_and_say_how_many_of_which_kind(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD, f"x,{CANARY},1,2013-01-05", f"y,{CANARY},1,2013-01-05")
    with pytest.raises(ValidationError) as caught:
        shop.run(orders, DAY)
    assert caught.value.what == "2 of 3 rows break the contract"
    assert caught.value.found == "id:type 2"
    assert CANARY not in str(caught.value)
    assert shop.version(orders) is None
    _works_again(shop)


def _file(*lines: str | bytes, header: str | None = HEADER) -> bytes:
    """What a sender sends."""
    texts = [] if header is None else [header.encode()]
    texts += [line if isinstance(line, bytes) else line.encode() for line in lines]
    return b"".join(text + b"\n" for text in texts)


def _zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("orders.csv", _file(THIRD))
    return content.getvalue()


THIRD = f"3,{CANARY},3,2013-01-05"
FOURTH = f"4,{CANARY},4,2013-01-05"
WRONG_HEADER = "the file's header is not the contract's"
DAMAGED = "the compressed file is damaged or ends too early"
NO_HEADER = "the file has no header line"
OTHER_SPELLING = "the file's header writes columns in another way than the contract"
NO_COMMAS = "the cells of the file are not separated by commas"
ENDLESS = "a quoted cell does not end"
NO_CSV = "the file is {}, not CSV"
TWICE = "the header names a column twice"
EMPTY = "the file is empty"
NOT_A_HEADER = "the first line is not a CSV header"
REFUSED = {
    "a column is missing": (_file("3,x,3", header="id,item,price"), WRONG_HEADER, "missing day"),
    "a column is extra": (
        _file(f"{THIRD},red,9", header=f"{HEADER},color,size"),
        WRONG_HEADER,
        "extra color, size",
    ),
    "a column is named in another case": (
        _file(THIRD, header="id,item,Price,day"),
        OTHER_SPELLING,
        "price is written Price",
    ),
    "columns with what cannot be seen, and wide letters": (
        _file(THIRD, header="\u200bid,it\u00adem,\uff50rice,day"),
        OTHER_SPELLING,
        "id is written \\u200bid; item is written it\\xadem; price is written \\uff50rice",
    ),
    "a comma at the end of each line": (
        _file(f"{THIRD},", header=f"{HEADER},"),
        WRONG_HEADER,
        "extra column 5 without a name",
    ),
    "semicolons": (
        _file(THIRD.replace(",", ";"), header=HEADER.replace(",", ";")),
        NO_COMMAS,
        "semicolons",
    ),
    "tabs": (_file(THIRD.replace(",", "\t"), header=HEADER.replace(",", "\t")), NO_COMMAS, "tabs"),
    "a quote that never closes": (_file(THIRD, f'4,"{CANARY},4,2013-01-05', FOURTH), ENDLESS, None),
    "line ends of two kinds around a quoted one": (
        f'{HEADER}\r3,"a\nb",3,2013-01-05\n4,{CANARY},4,2013-01-05\r'.encode(),
        "records that span lines end in different ways",
        None,
    ),
    "UTF-16": (f"{HEADER}\n{FOURTH}\n".encode("utf-16"), NO_CSV.format("text in UTF-16"), None),
    "UTF-16 without a mark": (
        f"{HEADER}\n{FOURTH}\n".encode("utf-16-le"),
        NO_CSV.format("binary, or text in UTF-16 or UTF-32"),
        None,
    ),
    "JSON lines": (
        _file(f'{{"id": 4, "item": "{CANARY}"}}', header=None),
        NO_CSV.format("JSON"),
        None,
    ),
    "HTML": (_file(f"<html>{CANARY}</html>", header=None), NO_CSV.format("XML or HTML"), None),
    "a zip archive": (_zipped(), NO_CSV.format("a zip archive or an Excel workbook"), None),
    "compressed under another name": (
        gzip.compress(_file(THIRD)),
        NO_CSV.format("compressed with gzip"),
        None,
    ),
    "Parquet": (b"PAR1\x15\x04\x15" + CANARY.encode() + b"PAR1", NO_CSV.format("Parquet"), None),
    "no header": (_file(f"7,{CANARY},1,2013-01-05", header=None), NO_HEADER, None),
    "no header and cells that repeat": (
        _file(f"{CANARY},{CANARY},1,1", header=None),
        TWICE,
        None,
    ),
    "lines ended by CR": (f"id\r7,{CANARY}\r8,{CANARY}".encode(), WRONG_HEADER, None),
    "a column named twice": (_file(header="id,item,item,day"), TWICE, "columns 3"),
    "no byte": (b"", EMPTY, "nothing"),
    "blank lines": (b"\n\n", EMPTY, "nothing"),
    "300 kB and no line end": (CANARY.encode() * 25_000, NOT_A_HEADER, None),
    "a gzip cut off": (gzip.compress(_file(THIRD, FOURTH))[:-12], DAMAGED, "an end in the middle"),
}
SET_ASIDE = {
    "a quoted cell over lines, in a record too long": (
        _file(THIRD, f'4,"{CANARY}\n7,x,7,2013-01-05\n",4,2013-01-05,5'),
        ["csv:malformed"],
    ),
    "quotes escaped by a backslash": (
        _file(THIRD, rf'4,"{CANARY} \"x\"",4,2013-01-05'),
        ["csv:malformed"],
    ),
    "a wrong type": (_file(THIRD, f"four,{CANARY},4,2013-01-05"), ["id:type"]),
    "a malformed line": (_file(THIRD, f"4,{CANARY}"), ["csv:malformed"]),
    "not UTF-8": (_file(THIRD, b"4,kanarienvogel\xff,4,2013-01-05"), ["csv:encoding"]),
    "the header once more": (_file(THIRD, HEADER), ["id:type+price:type+day:type"]),
}


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """A shop whose table holds two good rows."""
    shop.land("orders-2013-01-05.csv", GOOD, "2,pen,1,2013-01-05")
    assert shop.run(sent).rows_changed == 2
    return shop


def _sent_again(shop: Shop, file: Path) -> None:
    """The file comes as it should have been, and the run with it loses nothing."""
    whole = _file(THIRD, FOURTH)
    file.write_bytes(gzip.compress(whole) if file.suffix == ".gz" else whole)
    outcome = shop.run(sent)
    assert (outcome.rows_in, outcome.rows_quarantined) == (4, 0)
    assert _ids(shop) == [1, 2, 3, 4]
    assert CANARY not in shop.everything_told()


def _ids(shop: Shop) -> list[int]:
    return sorted(row.id for row in shop.table(sent).collect())


def test_files_that_cannot_be_read_are_refused_and_the_table_stays(
    stocked: Shop, subtests: pytest.Subtests
) -> None:
    for name, (content, what, found) in REFUSED.items():
        with subtests.test(name):
            file = stocked.land("orders-2013-01-05-b.csv" + (".gz" if "gzip" in name else ""))
            file.write_bytes(content)
            with pytest.raises(InputError) as caught:
                stocked.run(sent)
            file.unlink()
            assert caught.value.what == what
            assert found is None or (caught.value.found or "").startswith(found)
            assert f"orders/{file.name}" in (caught.value.where or "")
            assert caught.value.next_step
            assert CANARY not in str(caught.value)
            assert stocked.version(sent) == 0
            assert stocked.runtime.lake.quarantine(sent.name).read() is None
    assert _ids(stocked) == [1, 2]
    # under the names that were refused
    file = stocked.land("orders-2013-01-05-b.csv.gz")
    _sent_again(stocked, file)
    file.unlink()
    _sent_again(stocked, stocked.land("orders-2013-01-05-b.csv"))


@pytest.mark.parametrize("name", SET_ASIDE)
def test_a_row_that_cannot_be_read_is_set_aside_and_the_others_are_loaded(
    stocked: Shop, name: str
) -> None:
    content, reasons = SET_ASIDE[name]
    file = stocked.land("orders-2013-01-05-b.csv")
    file.write_bytes(content)
    outcome = stocked.run(sent)
    assert (outcome.rows_in, outcome.rows_quarantined) == (4, 1)
    assert _ids(stocked) == [1, 2, 3]
    assert stocked.reasons(sent) == reasons
    _sent_again(stocked, file)


def test_a_file_that_arrives_twice_is_loaded_once(stocked: Shop) -> None:
    folder = stocked.path / "landing" / "orders"
    shutil.copy(folder / "orders-2013-01-05.csv", folder / "orders-2013-01-05-again.csv")
    outcome = stocked.run(sent)
    assert not outcome.committed
    assert (stocked.version(sent), _ids(stocked)) == (0, [1, 2])
    _sent_again(stocked, stocked.land("orders-2013-01-05-b.csv"))


def test_extra_columns_and_another_order_are_read_by_name(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", "2013-01-05,red,NA,1,1.5", header="day,color,item,id,price")
    shop.land("orders-2013-01-05-b.csv", "2,pen,1,2013-01-05", header="\ufeffid, item ,price,day")
    shop.run(open_minded, DAY)
    found = sorted((r.id, r.item, str(r.price)) for r in shop.table(open_minded).collect())
    assert found == [(1, None, "1.50"), (2, "pen", "1.00")]


def test_an_empty_cell_is_null_whatever_else_is(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", '1,"",1,2013-01-05', "2,,1,2013-01-05", "3,NA,1,2013-01-05")
    shop.run(open_minded, DAY)
    assert [row.item for row in shop.table(open_minded).collect()] == [None] * 3


def test_a_quoted_line_end_is_part_of_its_cell(shop: Shop) -> None:
    header = f'{HEADER},"a\r\nnote"'.encode()
    shop.land("orders-2013-01-05.csv").write_bytes(
        header + b'\r\n3,"call back\r\n7,and ask",1,2013-01-05,\r\n4,pen,1,2013-01-05,"x"\r\n'
        b'5,"p\nq\r",1,2013-01-05,NA\r\n'
    )
    assert shop.run(open_minded, DAY).rows_quarantined == 0
    found = sorted((row.id, row.item) for row in shop.table(open_minded).collect())
    assert found == [(3, "call back\r\n7,and ask"), (4, "pen"), (5, "p\nq\r")]


def test_files_of_two_folders_are_told_apart_in_quarantine(shop: Shop) -> None:
    @dataset(
        Order,
        inputs={"raw": landing("days/{day}/part-0.csv")},
        partitions=DAILY,
        bad_rows=Quarantine(max_fraction=None),
    )
    def by_folder(raw: DataFrame) -> DataFrame:
        return raw.where("id > 0")

    for day, rows in {
        "2013-01-05": ["3,a,-1,2013-01-05", GOOD],
        "2013-01-06": ["2,b,1,2013-01-07"],
    }.items():
        folder = shop.path / "landing" / "days" / day
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_bytes(_file(*rows))
    shop.run(by_folder, Slice.day(date(2013, 1, 5), date(2013, 1, 6)))
    found = {(e.reasons[0], e.file) for e in shop.quarantine(by_folder).collect()}
    assert found == {
        ("price:ge", "days/2013-01-05/part-0.csv"),
        ("slice:outside", "days/2013-01-06/part-0.csv"),
    }


def test_a_header_and_no_row_is_an_empty_slice(shop: Shop) -> None:
    shop.land("orders-2013-01-05.csv", GOOD)
    shop.run(orders, DAY)
    shop.land("orders-2013-01-05.csv")
    assert shop.run(orders, DAY).rows_in == 0
    assert shop.table(orders).count() == 0


def test_a_file_name_with_signs_of_a_glob_is_that_file(shop: Shop) -> None:
    shop.land("orders-2013-01-05 [1]{a}.csv", GOOD)
    shop.land("orders-2013-01-05 1.csv", "2,pen,x,2013-01-05")
    outcome = shop.run(tolerant, DAY)
    assert (outcome.rows_in, outcome.rows_quarantined) == (2, 1)
    assert [e.file for e in shop.quarantine(tolerant).collect()] == [
        "orders/orders-2013-01-05 1.csv"
    ]


def test_a_file_name_with_signs_of_an_address_is_that_file(shop: Shop) -> None:
    name = "orders-2013-01-05 50%25+#ä?.csv"
    shop.land(name, GOOD, "2,pen,x,2013-01-05")
    outcome = shop.run(tolerant, DAY)
    assert (outcome.rows_in, outcome.rows_quarantined) == (2, 1)
    assert [e.file for e in shop.quarantine(tolerant).collect()] == [f"orders/{name}"]


def test_a_file_name_with_a_colon_is_refused_before_spark_fails_at_it(shop: Shop) -> None:
    shop.land("orders-2013-01-05T10:15.csv", GOOD)
    with pytest.raises(InputError, match="no local file whose name has a colon") as caught:
        shop.run(tolerant, DAY)
    assert caught.value.where == "orders/orders-2013-01-05T10:15.csv"


def test_the_same_name_with_other_content_is_another_file(shop: Shop) -> None:
    shop.land("orders-a.csv", GOOD)
    shop.run(logged)
    shop.land("orders-a.csv", "2,pen,1,2013-01-05")
    assert shop.run(logged).rows_changed == 1
    assert sorted(row.id for row in shop.table(logged).collect()) == [1, 2]


def test_a_gzip_that_ends_too_early_is_refused_and_a_whole_one_is_read(shop: Shop) -> None:
    text = "\n".join([HEADER, *(f"{n},{CANARY},1,2013-01-05" for n in range(500))]).encode()
    whole = gzip.compress(text[:900]) + gzip.compress(text[900:])
    file = shop.land("orders-2013-01-05.csv.gz")
    for damaged in (whole[:-20], whole[:40], b"", b"id,item,price,day\n", whole + b"junk"):
        file.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged or ends too early") as caught:
            shop.run(zipped, DAY)
        assert CANARY not in str(caught.value)
    file.write_bytes(whole)
    assert shop.run(zipped, DAY).rows_in == 500


def test_a_landing_that_is_not_there_and_a_file_that_has_not_come(shop: Shop) -> None:
    with pytest.raises(InputError, match="landing folder does not exist") as caught:
        shop.run(orders, DAY)
    assert caught.value.where
    assert caught.value.where.endswith("landing/orders")
    shop.land("orders-2013-01-04.csv", GOOD)
    with pytest.raises(InputError, match="no file has arrived for input raw") as caught:
        shop.run(orders, DAY)
    assert caught.value.expected == "at least one file for 2013-01-05"
    with pytest.raises(InputError, match="input orders has never been written"):
        shop.run(copied)
    _works_again(shop)


def test_a_value_that_a_function_cannot_cast_is_not_quoted(shop: Shop) -> None:
    @dataset(Order, inputs={"raw": landing(BY_DAY)}, partitions=DAILY)
    def careless(raw: DataFrame) -> DataFrame:
        return raw.selectExpr("CAST(item AS bigint) AS id", "item", "price", "day")

    shop.land("orders-2013-01-05.csv", GOOD)
    with pytest.raises(ValidationError, match="the function fails on a row") as caught:
        shop.run(careless, DAY)
    assert caught.value.found == "CAST_INVALID_INPUT"
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in str(caught.value)
    assert CANARY not in shop.everything_told()
    assert shop.version(orders) is None
