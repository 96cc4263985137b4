"""The ledger as a Dagster resource, with the outbox that relays it."""

from __future__ import annotations

import atexit
import os
import threading
from urllib.parse import quote

from dagster import ConfigurableResource
from pydantic import PrivateAttr

from penstock.ledger.ledger import Ledger
from penstock.outbox.endpoint import OutboxConfig
from penstock.outbox.relay import Relay

__all__ = ["LedgerResource"]

_opening = threading.Lock()  # of two steps at once, one opens it and relays


class LedgerResource(ConfigurableResource["LedgerResource"]):
    """Where the ledger is: an SQLAlchemy URL. `namespace` is OpenLineage's, of the jobs.

    With `relay_to`, the URL of an OpenLineage HTTP endpoint, every event is relayed there in the
    background; its token is read from the environment variable `relay_token_variable`.
    `browser_url` is where the lineage browser is; assets then link to their pages in it.
    """

    url: str
    namespace: str = "penstock"
    relay_to: str | None = None
    relay_token_variable: str | None = None
    browser_url: str | None = None
    _ledger: Ledger | None = PrivateAttr(default=None)
    _relay: Relay | None = PrivateAttr(default=None)

    def open(self) -> Ledger:
        """The ledger, opened once in this process; its tables are made or migrated if need be."""
        with _opening:
            if self._ledger is None:
                self._ledger = Ledger.open(self.url)
                self._start_relay(self._ledger)
            return self._ledger

    def page(self, dataset: str) -> str | None:
        """The dataset's page in the lineage browser, None when it is not known where that is."""
        if self.browser_url is None:
            return None
        name = quote(f"{self.namespace}|{dataset}", safe="")
        return f"{self.browser_url.rstrip('/')}/dataset?id={name}"

    def _start_relay(self, ledger: Ledger) -> None:
        if self.relay_to is None:
            return
        variable = self.relay_token_variable
        token = os.environ.get(variable) if variable else None
        self._relay = Relay(ledger, OutboxConfig(url=self.relay_to, token=token))
        self._relay.start()
        # a short process gives its events a moment; what is not sent goes with the next one
        atexit.register(self._relay.stop)
