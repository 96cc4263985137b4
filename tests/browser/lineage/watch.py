"""What a page does that it must never do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Dialog, Error, Page, Request

# The browser tells the console of a refusal too; said here, it names what was refused.
_TELL_OF_REFUSALS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} refused ${event.blockedURI}`));
"""


@dataclass  # Playwright keeps its wrappers on the object, which slots would forbid
class Watch:
    """Collects faults of the pages it is told of: requests that leave `origins`, errors in the
    console, exceptions, dialogs and what the Content-Security-Policy refused.

    `expected`: parts of console messages that a test brings about on purpose.
    """

    origins: set[str]
    expected: list[str] = field(default_factory=list)
    requests: int = 0
    faults: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        """Watches `page` from now on."""
        page.add_init_script(_TELL_OF_REFUSALS)
        page.on("request", self._request)
        page.on("console", self._console)
        page.on("pageerror", self._exception)
        page.on("dialog", self._dialog)

    def _request(self, request: Request) -> None:
        self.requests += 1
        place = urlsplit(request.url)
        if place.scheme != "data" and f"{place.scheme}://{place.netloc}" not in self.origins:
            self.faults.append(f"request to {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        if not any(part in message.text for part in self.expected):
            self.faults.append(f"console {message.type}: {message.text}")

    def _exception(self, error: Error) -> None:
        self.faults.append(f"exception: {error.message}")

    def _dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()
