"""Which values of a quarantined row are shown."""

from __future__ import annotations

from penstock import Contract, Pii, column
from penstock.cli.entries import HIDDEN, hidden
from penstock.schemas.contract import model_of


class Mail(Contract, owner="team:post", version="1.0.0", name="bronze.mails", cleared=[Pii.EMAIL]):
    """One line of a letter."""

    line: str = column(nullable=True)
    sender: str = column(nullable=True, pii=Pii.EMAIL)


class Plain(Contract, owner="team:post", version="1.0.0", name="bronze.plain"):
    """One line of text."""

    line: str = column(nullable=True)


def test_a_record_as_it_came_is_hidden_whatever_the_contract_calls_its_columns() -> None:
    model = model_of(Mail)
    assert hidden({"line": "a", "sender": "b"}, model) == {"line": "a", "sender": HIDDEN}
    assert hidden({"line": '{"sender":"b"}'}, model) == {"line": HIDDEN}
    assert hidden({"cells": ["b"]}, model) == {"cells": HIDDEN}
    assert hidden({"line": "a"}, model_of(Plain)) == {"line": "a"}
