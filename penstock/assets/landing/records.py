"""What each format makes of its files: the records as typed rows, and what is wrong with some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pyspark.sql import functions as F

from penstock.schemas.predicates import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame, SparkSession

    from penstock.assets.landing.cell import Dates
    from penstock.assets.landing.envelope import Envelope
    from penstock.schemas.model import ColumnModel, ContractModel

__all__ = [
    "NO_REST",
    "PLACE",
    "TIME",
    "Records",
    "Sent",
    "below_landing",
    "columns_sent",
    "lines",
    "placed",
    "reasons_sql",
]

TIME = "_penstock_time"
PLACE = "_penstock_place"
#: SQL, what a record has beside the contract's columns, where it has nothing.
NO_REST = "CAST(NULL AS string)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records of files of one kind, each once.

    `rows` has the contract's columns that files hold, with its types, and TIME and PLACE of each
    record's file. `is_bad`, `reasons` (array<string>) and `text` (JSON) are SQL over it: whether
    the record cannot be taken as it is, why, and the record as it came. `rest` is SQL, a JSON
    object of what it has beside the contract's columns; NULL where that is nothing.
    """

    rows: DataFrame
    is_bad: str
    reasons: str
    text: str
    rest: str = NO_REST


class Sent(Protocol):
    """What is known of records that somebody sends, whether in files or one by one."""

    @property
    def extra_columns(self) -> bool:
        """Whether columns that the contract does not name are ignored."""
        ...

    @property
    def envelope(self) -> Envelope | None:
        """How an event holds the row; None where a record is the row itself."""
        ...

    @property
    def rest(self) -> str | None:
        """The contract's column that keeps what it does not name; None: there is none."""
        ...

    @property
    def added(self) -> frozenset[str]:
        """The contract's columns that no record has a value for."""
        ...

    def sent_as(self, column: str) -> str:
        """What the sender calls the contract's column."""
        ...

    def dates(self, column: str) -> Dates:
        """How dates and datetimes of the contract's column are written."""
        ...


def columns_sent(sent: Sent, contract: ContractModel) -> list[ColumnModel]:
    """The contract's columns that the records hold."""
    return [column for column in contract.columns if column.name not in sent.added]


def reasons_sql(whole: Mapping[str, str], others: Mapping[str, str]) -> tuple[str, str]:
    """SQL of (whether a record is bad, the ids of the rules it breaks), each rule with its test.

    Of a record that breaks one of the `whole` the other rules say nothing.
    """
    broken = " OR ".join(f"({test})" for test in whole.values()) or "false"
    cases = [f"CASE WHEN {test} THEN {literal(rule)} END" for rule, test in whole.items()]
    cases += [
        f"CASE WHEN NOT ({broken}) AND ({test}) THEN {literal(rule)} END"
        for rule, test in others.items()
    ]
    is_bad = " OR ".join(f"({test})" for test in (*whole.values(), *others.values())) or "false"
    return is_bad, f"array_compact(array({', '.join(cases) or 'CAST(NULL AS string)'}))"


def lines(spark: SparkSession, uris: list[str]) -> DataFrame:
    """The lines of text files as they came, `_line`, without what ends them, LF or CRLF.

    Spark would take a CR alone for the end of a line too, and make two records of one. No byte is
    looked at: what is not of the encoding stays as it is.
    """
    rows = spark.read.option("lineSep", "\n").text(uris)
    # by bytes: what is no character would take others with it
    cut = "CAST(substring(CAST(value AS binary), 1, octet_length(value) - 1) AS string)"
    line = rf"CASE WHEN endswith(value, '\r') THEN {cut} ELSE value END"
    return rows.withColumn("_line", F.expr(line)).drop("value")


def placed() -> Iterable[str]:
    """TIME and PLACE as a reader of files knows them."""
    return (
        f"_metadata.file_modification_time AS {TIME}",
        f"_metadata.file_path AS {PLACE}",
    )


def below_landing(root: str, path: str) -> str:
    """SQL, the name below the landing folder `root` of the file at `path`, Spark's."""
    # percent-encoded by Spark; url_decode would take a plus for a blank
    plain = f"url_decode(replace({path}, '+', '%2B'))"
    return f"substring({plain}, locate({literal(root)}, {plain}) + {len(root)})"
