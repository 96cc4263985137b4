"""The columns that a file names, held against the contract's: all there, and no others."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from penstock.assets.landing.records import columns_sent
from penstock.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock.assets.inputs.files import PinnedFiles
    from penstock.schemas.model import ContractModel

__all__ = ["check_names", "folded"]


def check_names(
    item: PinnedFiles, contract: ContractModel, names: Sequence[str], where: str
) -> None:
    """Raise InputError when the columns called `names` are not those that files are to hold.

    `names` are the contract's where the sender has others. `where` says which file. What differs in
    letter case alone is another name.
    """
    expected = [column.name for column in columns_sent(item.landing, contract)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            "the file has a column under the sender's name and under the contract's",
            where=where,
            expected="one of the two",
            found=", ".join(f"{item.landing.sent_as(name)} and {name}" for name in twice),
            next_step="have the sender leave one out, or correct names= of landing(...)",
        )
    missing = [n for n in expected if n not in names and n not in item.landing.optional]
    extra = [name for name in names if name not in expected]
    own = sorted({*extra} & {column.name for column in contract.columns})
    if own and item.landing.rest is not None:
        raise InputError(
            "the file has columns under names of the contract's that it is not to have",
            where=where,
            expected=", ".join(expected),
            found=", ".join(own),
            next_step="have the sender call them otherwise, or say names= of landing(...)",
        )
    alike = {folded(name): name for name in extra}
    if other := [
        f"{name} is written {alike[folded(name)]}" for name in missing if folded(name) in alike
    ]:
        raise InputError(
            "the file's header writes columns in another way than the contract",
            where=where,
            expected=", ".join(expected),
            found="; ".join(ascii(text)[1:-1] if not text.isascii() else text for text in other),
            next_step="have the sender write the names letter by letter as the contract does, or "
            "name the contract's columns as the sender does",
        )
    taken = item.landing.extra_columns or item.landing.rest is not None
    if missing or (extra and not taken):
        found = [f"missing {', '.join(missing)}"] if missing else []
        found += [f"extra {', '.join(extra)}"] if extra and not taken else []
        raise InputError(
            "the file's header is not the contract's",
            where=where,
            expected=", ".join(expected),
            found="; ".join(found),
            next_step="have the sender mend the file"
            + (
                ""
                if missing
                else ", add the column to the contract, or landing(extra_columns=True)"
            ),
        )


def folded(name: str) -> str:
    """The name without its letter case, Unicode form and what cannot be seen of it."""
    seen = "".join(c for c in name if unicodedata.category(c) not in ("Cf", "Cc"))
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())
