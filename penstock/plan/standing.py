"""What holds now, that a plan is held against."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock.plan.outside import Outside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock.schemas.model import ContractModel

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Contracts, tables and readers as they are, all by the dataset's name.

    `contracts` are those that hold. `tables` have columns, name to Spark type; None is a table that
    is not there, and of one that is not named nobody knows. `gone` are datasets with a contract
    that were made and are no longer. `unseen` says in sentences what could not be looked at.
    """

    contracts: Mapping[str, ContractModel] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str] | None] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    outside: Outside = field(default_factory=Outside)
    unseen: tuple[str, ...] = ()
