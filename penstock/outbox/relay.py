"""The outbox: relays the ledger's events to an OpenLineage endpoint, each at least once, in order.

    relay = Relay(ledger, OutboxConfig(url="http://marquez:5000"))
    relay.start()
    ...
    relay.stop(flush_seconds=2)

Nothing a run does waits for it: a dead endpoint costs the run nothing, and what was not sent is
sent by the next relay, in this process or another.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from penstock.errors import LedgerError
from penstock.ledger.ledger import Clock, Ledger, utc_now
from penstock.outbox.delivery import Delivery, DeliveryStatus, LeaseLostError
from penstock.outbox.endpoint import Answer, Endpoint, OutboxConfig

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from penstock.ledger.stored_event import StoredEvent

__all__ = ["Relay", "RelayReport", "backoff_seconds"]

logger = logging.getLogger(__name__)

BATCH = 50
LEASE_MARGIN_SECONDS = 30.0


def backoff_seconds(
    attempts: int, *, first: float, longest: float, chance: float, at_least: float = 0.0
) -> float:
    """Seconds until the next attempt after `attempts` failures; `chance` is in [0, 1).

    Doubles from `first` up to `longest`; between half of it and all of it, so that many relays
    do not return at once to an endpoint that has just come back. `at_least` is what the endpoint
    asked for, also no more than `longest`.
    """
    ceiling = min(longest, first * 2.0 ** min(attempts - 1, 60))
    return min(longest, max(at_least, ceiling * (0.5 + chance / 2)))


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayReport:
    """What one turn did. `waiting` is why it ended before everything was sent, if it did."""

    sent: int = 0
    parked: int = 0
    waiting: str | None = None


class Relay:
    """Relays one ledger to one endpoint. Any number may run at once, in any processes.

    `clock` dates what the ledger keeps, `chance` draws the jitter from [0, 1).
    """

    def __init__(
        self,
        ledger: Ledger,
        config: OutboxConfig,
        *,
        clock: Clock = utc_now,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.config = config
        self._ledger = ledger
        self._clock = clock
        self._chance = chance
        # a request may take the timeout twice, to connect and to be answered
        lease_seconds = 2 * config.timeout_seconds + LEASE_MARGIN_SECONDS
        self._delivery = Delivery(
            ledger.database, config.destination, lease_for=timedelta(seconds=lease_seconds)
        )
        self._thread: threading.Thread | None = None
        self._turn = threading.Lock()
        self._wake = threading.Event()
        self._stop_by: float | None = None  # on the monotonic clock

    def status(self) -> DeliveryStatus:
        """How the destination stands. Raises LedgerError."""
        return self._delivery.status()

    def run_once(self, budget_seconds: float = 60.0) -> RelayReport:
        """Sends what is due, in order, until all is sent, the endpoint fails or time is up.

        The budget is looked at between events, so the last request may overrun it by its timeout.
        Raises LedgerError; whatever the endpoint does is in the report.
        """
        deadline = time.monotonic() + budget_seconds
        status = self._delivery.status()
        if status.pending == 0:
            return RelayReport()
        # looked at before the lease is taken, so that waiting costs reads only
        if status.next_attempt is not None and self._clock() < status.next_attempt:
            return RelayReport(waiting=f"backing off after {status.last_error}")
        return self._in_turn(lambda endpoint: self._send_due(endpoint, deadline))

    def resend_parked(self) -> RelayReport:
        """Offers every parked event once more, out of order; those accepted are parked no longer.

        For when the endpoint has been mended or the reason it refused is gone. Raises LedgerError.
        """
        return self._in_turn(self._send_parked)

    def start(self) -> None:
        """Relays in the background until `stop`. The thread never keeps the process alive."""
        if self._thread is not None:
            return
        self._stop_by = None
        self._thread = threading.Thread(target=self._work, name="penstock-outbox", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Says that there is something new, so that it is not found by the next poll only."""
        self._wake.set()

    def stop(self, flush_seconds: float = 2.0) -> bool:
        """Ends the background thread within `flush_seconds`; True when everything was sent.

        What was not sent, or cannot be known to be sent, stays in the ledger. Never raises: it is
        the last thing a run does, and the outbox must not fail it.
        """
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop_by = time.monotonic() + flush_seconds
            self._wake.set()
            thread.join(flush_seconds)
        try:
            return self.status().pending == 0
        except LedgerError:
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _work(self) -> None:
        while True:
            stopping = self._stop_by is not None
            self._wake.clear()
            try:
                self.run_once()
            except LedgerError as error:
                logger.warning(
                    "outbox postponed destination=%s reason=%r",
                    self.config.destination,
                    error.what,
                )
            except Exception:
                # the thread must outlive whatever happens: no one else sends the events
                logger.exception("outbox failed destination=%s", self.config.destination)
            if stopping:
                return
            self._wake.wait(self.config.poll_seconds)

    def _in_turn(self, work: Callable[[Endpoint], RelayReport]) -> RelayReport:
        # the lease is the relay's, so its own threads take turns too
        if not self._turn.acquire(blocking=False):
            return RelayReport(waiting="this relay is at work already")
        try:
            if not self._delivery.take(self._clock()):
                return RelayReport(waiting="another relay holds the destination")
            endpoint = Endpoint(self.config)
            try:
                return work(endpoint)
            except LeaseLostError:
                return RelayReport(waiting="another relay took the destination over")
            finally:
                endpoint.close()
                self._delivery.give_back()
        finally:
            self._turn.release()

    def _send_due(self, endpoint: Endpoint, deadline: float) -> RelayReport:
        status = self._delivery.status()
        cursor, attempts = status.cursor, status.attempts
        sent = parked = 0
        while batch := self._ledger.events_after(cursor, limit=BATCH):
            for event in batch:
                if self._out_of_time(deadline):
                    return RelayReport(sent=sent, parked=parked, waiting="time is up")
                answer = endpoint.send(event.payload)
                match answer.verdict:
                    case "accepted":
                        self._delivery.advance(event.sequence, self._clock())
                        sent += 1
                    case "refused":
                        self._park(event, answer.error)
                        parked += 1
                    case "failed":
                        self._postpone(event, attempts + 1, answer)
                        return RelayReport(sent=sent, parked=parked, waiting=answer.error)
                cursor, attempts = event.sequence, 0
        return RelayReport(sent=sent, parked=parked)

    def _send_parked(self, endpoint: Endpoint) -> RelayReport:
        sent = 0
        sequences = self._delivery.parked_sequences()
        for sequence in sequences:
            (event,) = self._ledger.events_after(sequence - 1, limit=1)
            answer = endpoint.send(event.payload)
            if answer.verdict == "failed":
                return RelayReport(sent=sent, waiting=answer.error)
            if answer.verdict == "accepted":
                self._delivery.unpark(sequence, self._clock())
                sent += 1
        return RelayReport(sent=sent, parked=len(sequences) - sent)

    def _out_of_time(self, deadline: float) -> bool:
        stop_by = self._stop_by
        return time.monotonic() >= (deadline if stop_by is None else min(deadline, stop_by))

    def _park(self, event: StoredEvent, error: str) -> None:
        self._delivery.park(event.sequence, error, self._clock())
        logger.warning(
            "outbox parked destination=%s sequence=%d run=%s dataset=%s error=%r",
            self.config.destination,
            event.sequence,
            event.run_id,
            event.job,
            error,
        )

    def _postpone(self, event: StoredEvent, attempts: int, answer: Answer) -> None:
        seconds = backoff_seconds(
            attempts,
            first=self.config.first_backoff_seconds,
            longest=self.config.longest_backoff_seconds,
            chance=self._chance(),
            at_least=answer.retry_after_seconds,
        )
        now: datetime = self._clock()
        self._delivery.postpone(answer.error, now + timedelta(seconds=seconds), now)
        logger.info(
            "outbox postponed destination=%s sequence=%d attempts=%d seconds=%.1f error=%r",
            self.config.destination,
            event.sequence,
            attempts,
            seconds,
            answer.error,
        )
