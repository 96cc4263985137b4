"""A server that asks for tokens, and a person at a browser."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from penstock.ledger.tokens import Role, Tokens
from penstock.server import ServerSettings
from tests.browser.lineage import reference_story
from tests.browser.lineage.views import settled
from tests.server.live_server import live_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.server.live_server import LiveServer

PEOPLE = {"ben": Role.READER, "ada": Role.AUDITOR, "nightly": Role.EMITTER}


@dataclass
class Clock:
    """It stands still, and a test may put it forward."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return reference_story.NOW + self.ahead


@dataclass(frozen=True, slots=True)
class Guarded:
    """The server, the tokens of `PEOPLE`, and its clock."""

    server: LiveServer
    tokens: dict[str, str]
    clock: Clock

    @property
    def url(self) -> str:
        return self.server.url


@contextmanager
def guarded_server(folder: Path) -> Iterator[Guarded]:
    """It has been told the reference story; for the length of the block."""
    clock, settings = Clock(), ServerSettings(tokens_required=True, sign_ins_per_minute=10**6)
    with live_server(folder, settings, clock=clock) as server:
        known = Tokens(server.ledger.database)
        tokens = {name: known.add(name, role, at=clock()) for name, role in PEOPLE.items()}
        server.ledger.append_all(reference_story.story())
        yield Guarded(server, tokens, clock)


def sign_in(page: Page, guarded: Guarded, name: str, *, token: str | None = None) -> None:
    """With the token of this person; the page that was asked for is there afterwards."""
    show_token(page, token or guarded.tokens[name])
    group = page.get_by_role("group", name="Signed in")
    expect(group).to_contain_text(name)
    settled(page)


def show_token(page: Page, token: str) -> None:
    """Types it and presses Enter."""
    box = page.get_by_label("Token", exact=True)
    expect(box).to_be_focused()
    box.fill(token)
    box.press("Enter")
