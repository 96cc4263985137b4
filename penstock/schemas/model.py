"""The contract as plain data: what a contract says, without pandera, pyspark or dagster."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "CheckModel",
    "ColumnModel",
    "ContractModel",
    "ForeignKeyModel",
    "Pii",
    "Severity",
    "fingerprint_of",
]


class Pii(StrEnum):
    """Classes of personal data a column can hold."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    PASSPORT = "passport"
    BIRTH_DATE = "birth_date"
    ADDRESS = "address"
    FREE_TEXT = "free_text"
    IDENTIFIER = "identifier"


class Severity(StrEnum):
    """What a broken check does to the row: the dataset's mode decides, or it only counts."""

    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckModel:
    """One row check. `sql` is a Spark SQL predicate, NULL or true when the row is good."""

    id: str  # "fare:ge", unique within the contract
    column: str
    name: str  # pandera's name of the check, e.g. "greater_than_or_equal_to"
    arguments: Mapping[str, Any]
    sql: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKeyModel:
    """Values of `columns` must be found in `references_columns` of dataset `references`."""

    id: str
    columns: tuple[str, ...]
    references: str
    references_columns: tuple[str, ...]
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnModel:
    """One column. `type` is Spark's simple string, e.g. `decimal(10,2)`, `array<string>`."""

    name: str
    type: str
    nullable: bool = False
    key: bool = False
    pii: Pii | None = None
    description: str = ""
    unit: str | None = None
    masked: bool = False  # the values are masked: the class says where they come from


@dataclass(frozen=True, kw_only=True)
class ContractModel:
    """Everything a contract says about a dataset."""

    name: str
    version: str
    owner: str
    description: str
    columns: tuple[ColumnModel, ...]
    checks: tuple[CheckModel, ...] = ()
    foreign_keys: tuple[ForeignKeyModel, ...] = ()
    freshness: timedelta | None = None
    retention: timedelta | None = None
    clustering: tuple[str, ...] = ()
    cleared: frozenset[Pii] = field(default_factory=frozenset)

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the key columns, in contract order; empty when the dataset has no key."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def open_classes(self) -> dict[str, str]:
        """By column, the class of personal data that it holds in clear."""
        return {c.name: c.pii.value for c in self.columns if c.pii and not c.masked}

    def column(self, name: str) -> ColumnModel | None:
        """The column called `name`, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def only(self, names: tuple[str, ...]) -> ContractModel:
        """The contract cut to the columns `names`; rules over whole rows go with the last one."""
        return replace(
            self,
            columns=tuple(column for column in self.columns if column.name in names),
            checks=tuple(c for c in self.checks if c.column in names or (not c.column and names)),
        )

    def document(self) -> dict[str, Any]:
        """The contract as JSON-ready data, in a stable order."""
        return json.loads(json.dumps(self, default=_plain))  # type: ignore[no-any-return]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """The contract a `document()` was made of."""
        facts = dict(document)
        return cls(
            **{
                **facts,
                "columns": tuple(
                    ColumnModel(**{**c, "pii": Pii(c["pii"]) if c["pii"] else None})
                    for c in facts["columns"]
                ),
                "checks": tuple(
                    CheckModel(**{**c, "severity": Severity(c["severity"])})
                    for c in facts["checks"]
                ),
                "foreign_keys": tuple(
                    ForeignKeyModel(
                        **{
                            **f,
                            "columns": tuple(f["columns"]),
                            "references_columns": tuple(f["references_columns"]),
                            "severity": Severity(f["severity"]),
                        }
                    )
                    for f in facts["foreign_keys"]
                ),
                "freshness": _timedelta(facts["freshness"]),
                "retention": _timedelta(facts["retention"]),
                "clustering": tuple(facts["clustering"]),
                "cleared": frozenset(Pii(p) for p in facts["cleared"]),
            }
        )

    def fingerprint(self) -> str:
        """SHA-256 of the document, hex: equal contracts and only those have equal ones."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint_of(self)


def fingerprint_of(contract: ContractModel | Mapping[str, Any]) -> str:
    """The fingerprint of a contract, or of its document, also one that older code made."""
    text = json.dumps(contract, default=_plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> Any:
    """What JSON has for a part of a contract that it does not know; asdict() would copy each."""
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    match value:
        case timedelta():
            return value.total_seconds()
        case frozenset():
            return sorted(value)
        case _:
            return str(value)


def _timedelta(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
